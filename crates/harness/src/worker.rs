//! Measurements in processes of their own: a copy of the calling program, told by an environment variable what to do,
//! which prints what it observed.
//!
//! A fresh process has a fresh heap, thread-locals and addresses; a contender that aborts or hangs takes nothing with
//! it; and several processes are what says how far a figure varies from run to run.

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use output::Stop;
use serde::{Deserialize, Serialize};

use crate::contender::Contender;
use crate::kept::Process;
use crate::observation::Observation;
use crate::{card, duel, idle, latency, memory};

/// Says what to measure. A process that measures leaves it in its environment, as taking it out would be `unsafe`; a
/// copy of this program that it started would inherit it and measure the same again. No measurement starts one.
const WORK: &str = "WAKERS_WORK";

/// What stands before a row, in case something else is printed.
const ROW: &str = "row:";

/// The last line: the work was done to its end.
const END: &str = "end";

/// What a process can be told to measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Work {
    /// See [`card`]: does nothing but the operations, for callgrind to count.
    Card(card::Plan),
    /// See [`card`]: counts allocations and polls.
    Allocations(card::Plan),
    /// See [`duel`].
    Duel(duel::Plan),
    /// See [`duel::try_one`].
    Trial {
        /// The contender's name.
        executor: String,
        /// The workload's name.
        workload: String,
    },
    /// See [`latency`].
    Latency(latency::Plan),
    /// See [`idle`].
    Idle(idle::Plan),
    /// See [`memory`].
    Memory(memory::Plan),
}

/// If this process is to measure something: does it, prints what it observed, and says how to exit. A program that
/// measures calls this first.
pub fn run_if_asked(contenders: impl FnOnce() -> Vec<Contender>) -> Option<ExitCode> {
    let work = env::var(WORK).ok()?;
    let work: Work = match serde_json::from_str(&work) {
        Ok(work) => work,
        Err(error) => {
            return Some(Stop::Because(format!("{WORK} does not say what to measure: {error}")).end());
        }
    };
    let contenders = contenders();
    let observations = match &work {
        Work::Card(plan) => card::count(plan, &contenders),
        Work::Allocations(plan) => card::allocations(plan, &contenders),
        Work::Duel(plan) => duel::fight(plan, &contenders),
        Work::Trial { executor, workload } => duel::trial(executor, workload, &contenders),
        Work::Latency(plan) => latency::measure(plan, &contenders),
        Work::Idle(plan) => idle::measure(plan, &contenders),
        Work::Memory(plan) => memory::measure(plan, &contenders),
    };
    let told = observations.map_err(Stop::Because).and_then(|observations| tell(&observations));
    Some(told.map_or_else(|stop| stop.end(), |()| ExitCode::SUCCESS))
}

fn tell(observations: &[Observation]) -> Result<(), Stop> {
    for observation in observations {
        let row = serde_json::to_string(observation).expect("a row has no keys but strings");
        output::line(format_args!("{ROW}{row}"))?;
    }
    output::line(END)
}

/// Has a copy of this program do the work, and gives it up after `patience`.
///
/// # Errors
///
/// When the process cannot be started, fails, or takes too long, with what it said about it.
pub fn run(work: &Work, patience: Duration) -> Result<Vec<Observation>, String> {
    let program = env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))?;
    run_in(Command::new(program), work, patience)
}

/// As [`run`], in a process that `command` starts: a copy of this program, perhaps below another.
pub fn run_in(mut command: Command, work: &Work, patience: Duration) -> Result<Vec<Observation>, String> {
    let work = serde_json::to_string(work).expect("a plan has no keys but strings");
    command.env(WORK, work).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Process::start(&mut command)
        .map_err(|error| format!("{} cannot be started: {error}", command.get_program().display()))?;
    let said = read_all(child.stderr.take().expect("it is piped"));
    let (to_us, rows) = mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    // Ends with the child's output.
    thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| to_us.send(line)));
    let begun = Instant::now();
    let mut observations = Vec::new();
    let mut ended = false;
    loop {
        match rows.recv_timeout(patience.saturating_sub(begun.elapsed())) {
            Ok(line) if line == END => ended = true,
            Ok(line) => {
                if let Some(row) = line.strip_prefix(ROW) {
                    observations
                        .push(serde_json::from_str(row).map_err(|error| format!("not a row: `{row}`: {error}"))?);
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                return Err(format!("hangs: not done after {} s", patience.as_secs()));
            }
        }
    }
    let status = child.wait().map_err(|error| format!("the process cannot be waited for: {error}"))?;
    if ended && status.success() {
        return Ok(observations);
    }
    let said = said.recv().unwrap_or_default();
    Err(complaint(&said).unwrap_or_else(|| match last_words(&said) {
        said if said.is_empty() => format!("the process ended: {status}"),
        said => format!("the process ended: {status}, and said: {said}"),
    }))
}

/// The last lines of what a process said that is none of ours, such as valgrind, which says in several what is wrong
/// with it.
pub(crate) fn last_words(said: &str) -> String {
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(4)..].join(" / ")
}

/// Why a process failed, by the first thing that it said of it: an error of ours, or the message of a panic, which
/// stands in the line below the place. Whatever panics after that, as a rule, does so because of it.
fn complaint(said: &str) -> Option<String> {
    let mut lines = said.lines();
    while let Some(line) = lines.next() {
        if let Some(why) = line.strip_prefix("error: ") {
            return Some(why.to_owned());
        }
        if line.contains("panicked at") {
            return Some(format!("panicked: {}", lines.next().unwrap_or(line)));
        }
    }
    None
}

fn read_all(mut from: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (to_us, text) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _: io::Result<usize> = from.read_to_end(&mut bytes);
        to_us.send(String::from_utf8_lossy(&bytes).into_owned())
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_panics_the_first_is_told() {
        let said = "thread 'a' panicked at src/a.rs:1:2:\nno more room\n\
                    thread 'main' panicked at src/b.rs:1:2:\nthe other thread does not panic";
        assert_eq!(complaint(said).as_deref(), Some("panicked: no more room"));
    }

    #[test]
    fn a_panic_is_told_by_its_message() {
        let said = "\nthread 'main' (1) panicked at src/a.rs:1:2:\nthe result is 1, not 2\nnote: run with ...";
        assert_eq!(complaint(said).as_deref(), Some("panicked: the result is 1, not 2"));
        assert_eq!(complaint("error: there is no executor `a`\n").as_deref(), Some("there is no executor `a`"));
        assert_eq!(complaint("==1== Callgrind"), None);
        assert_eq!(
            last_words("a\nvalgrind: 1\n\nvalgrind:   2\nvalgrind: 3\nvalgrind: 4\n"),
            "valgrind: 1 / valgrind:   2 / valgrind: 3 / valgrind: 4"
        );
        assert_eq!(last_words("\n"), "");
    }
}
