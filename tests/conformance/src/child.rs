//! Clauses about the end of the process: they start this program once more, as a child that runs the same check.

use std::cell::RefCell;
use std::env;
use std::io::{self, Read as _};
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::image;
use crate::process::ending;

/// Set in the child: the check's clause.
const CHILD: &str = "WAKERS_CHECK_CHILD";

/// How long the child may take. It needs milliseconds; the rest is for busy machines.
const PATIENCE: Duration = Duration::from_secs(10);

/// How to start this program again so that it runs the same check.
#[derive(Clone, Debug)]
pub(crate) enum Again {
    /// As it was started: the environment names the check.
    AsItIs,
    /// As a test program that runs only the test of this name.
    Test(&'static str),
}

thread_local! {
    /// For the check that runs on this thread. `None` if the program did not say how.
    pub(crate) static AGAIN: RefCell<Option<Again>> = const { RefCell::new(None) };
}

/// Whether this process is the child of a check of the clause. Such a child never outlives its parent.
pub(crate) fn is_child(clause: &str) -> bool {
    let is_child = env::var(CHILD).is_ok_and(|child| child == clause);
    if is_child {
        thread::spawn(|| {
            // The parent writes nothing and holds the other end as long as it lives: this returns when it ends.
            let _ = io::stdin().read(&mut [0]);
            process::abort();
        });
    }
    is_child
}

/// Runs the check of this thread in a child. `None` if the program did not say how; otherwise `Ok` if the child ended
/// successfully, or how it ended.
pub(crate) fn run_in_child(clause: &str) -> Option<io::Result<Result<(), String>>> {
    let again = AGAIN.with_borrow(Clone::clone)?;
    Some(start(clause, &again))
}

fn start(clause: &str, again: &Again) -> io::Result<Result<(), String>> {
    let mut command = Command::new(image::running()?);
    if let Again::Test(name) = again {
        command.args([name, "--exact", "--nocapture"]);
    }
    let mut child =
        command.env(CHILD, clause).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(Ok(())),
            Some(status) => return Ok(Err(format!("the process ended: {}", ending(status)))),
            None => thread::sleep(Duration::from_millis(2)),
        }
    }
    child.kill()?;
    child.wait()?;
    Ok(Err(format!("the process did not end within {} s", PATIENCE.as_secs())))
}
