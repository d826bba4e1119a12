//! Clauses whose subject is the end of the process: they start this program once more, as a child that runs the same case.

use std::cell::RefCell;
use std::env;
use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{ending, wait};

/// Set in the child: the case's clause.
const CHILD: &str = "WAKERS_CASE_CHILD";

/// How long the child may take. It takes milliseconds; the rest is for busy machines.
const PATIENCE: Duration = Duration::from_secs(10);

/// How to start this program so that it runs a case again.
#[derive(Clone, Debug)]
pub(crate) enum Again {
    /// As it was started: its environment names the case.
    AsItIs,
    /// As a test program that runs only the test of this name.
    Test(&'static str),
}

thread_local! {
    /// For the case that runs on this thread. `None` where the program has not said how.
    pub(crate) static AGAIN: RefCell<Option<Again>> = const { RefCell::new(None) };
}

/// Whether this process is the child of a case of the clause.
pub(crate) fn is_child(clause: &str) -> bool {
    env::var(CHILD).is_ok_and(|child| child == clause)
}

/// Runs the case of this thread in a child. `None` if the program has not said how; else whether the child ended well, or how it
/// ended.
pub(crate) fn run_in_child(clause: &str) -> Option<io::Result<Result<(), String>>> {
    let again = AGAIN.with_borrow(Clone::clone)?;
    Some(start(clause, &again))
}

fn start(clause: &str, again: &Again) -> io::Result<Result<(), String>> {
    let mut command = Command::new(env::current_exe()?);
    if let Again::Test(name) = again {
        command.args([name, "--exact", "--nocapture"]);
    }
    let mut child =
        command.env(CHILD, clause).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    Ok(match wait(&mut child, PATIENCE)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("the process ended: {}", ending(status))),
        None => Err(format!("the process does not end: not after {} s", PATIENCE.as_secs())),
    })
}
