//! Cases in processes of their own: some executors abort where others report, and a case that hangs is ended without a
//! trace.
//!
//! A program that calls [`requested`] first, and [`answer`] with the case it names, can be run by [`run_case`] as often as
//! there are cases.

use std::env;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::child::Again;
use crate::suite::run_again;
use crate::{Case, Outcome};

const EXECUTOR: &str = "WAKERS_CASE_EXECUTOR";
const CLAUSE: &str = "WAKERS_CASE_CLAUSE";

/// How long a case's process may take. Each takes milliseconds; the rest is for busy machines.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What stands before the outcome, in case something else is printed.
const MARK: &str = "outcome:";

/// Between two fields of an outcome.
const SEPARATOR: char = '\u{1f}';

/// In the place of a line's end inside a field.
const LINE: char = '\u{1e}';

/// The executor and the clause whose case this process is to be, if any.
pub fn requested() -> Option<(String, String)> {
    Some((env::var(EXECUTOR).ok()?, env::var(CLAUSE).ok()?))
}

/// Runs the case that was [requested](requested()) and prints its outcome for [`run_case`] to read.
pub fn answer(case: Case) {
    println!("{MARK}{}", encode(&run_again(case, Some(Again::AsItIs))));
}

/// Has `program` run the case of an executor and a clause, both by name, and gives it up after `patience`.
///
/// # Errors
///
/// When `program` cannot be started or does not answer as a case does.
pub fn run_case(program: &Path, executor: &str, clause: &str, patience: Duration) -> io::Result<Outcome> {
    let mut child = Command::new(program)
        .env(EXECUTOR, executor)
        .env(CLAUSE, clause)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Panics are part of many cases; their messages would be noise.
        .stderr(Stdio::null())
        .spawn()?;
    let Some(status) = wait(&mut child, patience)? else {
        return Ok(Outcome::Fail(format!("hangs: not done after {} s", patience.as_secs())));
    };
    let mut printed = String::new();
    child.stdout.take().expect("it is piped").read_to_string(&mut printed)?;
    match printed.lines().rev().find_map(|line| line.strip_prefix(MARK)) {
        Some(outcome) => decode(outcome).ok_or_else(|| io::Error::other(format!("not an outcome: `{outcome}`"))),
        None if status.success() => Err(io::Error::other(format!("`{}` does not run cases", program.display()))),
        None => Ok(Outcome::Fail(format!("the process ended: {}", ending(status)))),
    }
}

/// Calls `action` with each item, on so many threads at once, and returns the results in the items' order.
///
/// # Errors
///
/// The first error of `action`. Items that were not begun by then are left out.
pub fn in_parallel<T: Send, R: Send>(
    threads: usize,
    items: Vec<T>,
    action: impl Fn(T) -> io::Result<R> + Sync,
) -> io::Result<Vec<R>> {
    let next = Mutex::new(items.into_iter().enumerate());
    let results = thread::scope(|scope| {
        let work = || {
            let mut results = Vec::new();
            loop {
                let item = next.lock().expect("nothing panics under this lock").next();
                let Some((place, item)) = item else { return Ok(results) };
                results.push((place, action(item)?));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| worker.join().expect("no worker panics"));
        results.collect::<io::Result<Vec<_>>>()
    })?;
    let mut results: Vec<_> = results.into_iter().flatten().collect();
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// `None` when it was ended because it took too long.
pub(crate) fn wait(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        // What a case prints fits into a pipe, so it does not wait for us.
        thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.to_string()
}

fn encode(outcome: &Outcome) -> String {
    let fields = match outcome {
        Outcome::Pass => vec!["pass"],
        Outcome::Fail(why) => vec!["fail", why],
        Outcome::NotApplicable { capability, why } => vec!["n/a", capability, why],
        Outcome::Vacuous(why) => vec!["vacuous", why],
    };
    fields.join(&SEPARATOR.to_string()).replace('\n', &LINE.to_string())
}

fn decode(line: &str) -> Option<Outcome> {
    let line = line.replace(LINE, "\n");
    // The texts are the suite's constants; leaking the few of a table is how they are constants here, too.
    let mut fields = line.split(SEPARATOR).map(|field| &*field.to_owned().leak());
    Some(match fields.next()? {
        "pass" => Outcome::Pass,
        "fail" => Outcome::Fail(fields.next()?.to_owned()),
        "n/a" => Outcome::NotApplicable { capability: fields.next()?, why: fields.next()? },
        "vacuous" => Outcome::Vacuous(fields.next()?),
        _ => return None,
    })
}
