//! Measurements in processes of their own: a copy of the calling program, told by an environment variable what to do,
//! which prints what it observed.
//!
//! A fresh process has a fresh heap, thread-locals and addresses; a contender that aborts or hangs takes nothing with
//! it; and several processes are what says how far a figure varies from run to run.

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use conformance::image::{end_from_outside, lack, running};
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

/// The first line: whatever happens from now on, what is measured may have done it.
const BEGIN: &str = "begin";

/// What stands before the reason why what was measured failed.
const FOUND: &str = "found:";

/// The last line: the work was done to its end.
const END: &str = "end";

/// What stands before an error that a process reports.
const ERROR: &str = "error: ";

/// Why a process has nothing to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// What was measured panicked, aborted or hung. That is a finding.
    Found(String),
    /// Something else failed, which says nothing about what was to be measured: the process could not be started, there
    /// was no memory, valgrind is broken.
    Elsewhere(String),
}

impl Failure {
    /// Takes a failure of what was measured for an observation. Any other one stays a failure.
    ///
    /// # Errors
    ///
    /// When something else failed.
    pub fn as_finding(
        result: Result<Vec<Observation>, Self>,
        refused: impl FnOnce(String) -> Observation,
    ) -> Result<Vec<Observation>, String> {
        match result {
            Ok(observations) => Ok(observations),
            Err(Self::Found(why)) => Ok(vec![refused(why)]),
            Err(Self::Elsewhere(why)) => Err(why),
        }
    }

    /// That something of this name failed so.
    pub fn of(self, name: &str) -> Self {
        match self {
            Self::Elsewhere(why) => Self::Elsewhere(format!("{name}: {why}")),
            found => found,
        }
    }

    /// A finding, unless what was said shows that the machine lacked something.
    fn found(why: String) -> Self {
        if lack(&why).is_some() { Self::Elsewhere(why) } else { Self::Found(why) }
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Elsewhere(why)
    }
}

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
    if let Err(stop) = output::line(BEGIN) {
        return Some(stop.end());
    }
    let observations = match &work {
        Work::Card(plan) => card::count(plan, &contenders),
        Work::Allocations(plan) => card::allocations(plan, &contenders),
        Work::Duel(plan) => duel::take_turns(plan, &contenders),
        Work::Trial { executor, workload } => match duel::trial(executor, workload, &contenders) {
            Ok(()) => Ok(Vec::new()),
            Err(Failure::Elsewhere(why)) => Err(why),
            Err(Failure::Found(why)) => {
                let told = output::line(format_args!("{FOUND}{}", serde_json::Value::from(why)));
                return Some(told.map_or_else(|stop| stop.end(), |()| ExitCode::FAILURE));
            }
        },
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
pub fn run(work: &Work, patience: Duration) -> Result<Vec<Observation>, Failure> {
    let program = running().map_err(|error| format!("this program cannot be started again: {error}"))?;
    let heard = listen(Command::new(program), work, patience)?;
    let status = heard.status;
    heard.judge(|said| complaint(said).unwrap_or_else(|| format!("the process ended: {status}")))
}

/// As [`run`], in a process that another program carries: `command` starts a copy of this program below it. What ends
/// that without a word of ours, or is too slow, is taken for the other program's failure.
pub fn run_below(command: Command, work: &Work, patience: Duration) -> Result<Vec<Observation>, Failure> {
    let carrier = command.get_program().display().to_string();
    let heard = match listen(command, work, patience) {
        // What works without it may well be slow below it.
        Err(Failure::Found(why)) => return Err(Failure::Elsewhere(format!("below {carrier} it {why}"))),
        heard => heard?,
    };
    let status = heard.status;
    if !heard.ended && heard.found.is_none() && complaint(&heard.said).is_none() {
        let said = last_words(&heard.said);
        return Err(Failure::Elsewhere(format!("{carrier} failed ({status}): {said}")));
    }
    heard.judge(|said| complaint(said).unwrap_or_default())
}

/// What there was to be heard of a process.
struct Heard {
    observations: Vec<Observation>,
    begun: bool,
    ended: bool,
    found: Option<String>,
    status: ExitStatus,
    /// To its standard error.
    said: String,
}

impl Heard {
    /// What it observed, or whose fault it is that there is nothing. `why` says what it failed of in the end.
    fn judge(self, why: impl FnOnce(&str) -> String) -> Result<Vec<Observation>, Failure> {
        let Self { observations, begun, ended, found, status, said } = self;
        if ended && status.success() {
            return Ok(observations);
        }
        if let Some(found) = found {
            return Err(Failure::found(found));
        }
        if !begun {
            let why = complaint(&said).unwrap_or_else(|| last_words(&said));
            return Err(Failure::Elsewhere(format!("the process ended before it began to measure ({status}): {why}")));
        }
        if let Some(why) = end_from_outside(status, &said) {
            return Err(Failure::Elsewhere(format!("the process was not done: {why}")));
        }
        // An error that the process reports itself is one of the plan or of the machine.
        let reported = said.lines().any(|line| line.starts_with(ERROR));
        let why = why(&said);
        Err(if reported { Failure::Elsewhere(why) } else { Failure::found(why) })
    }
}

/// Starts a process, and listens until it has ended.
fn listen(mut command: Command, work: &Work, patience: Duration) -> Result<Heard, Failure> {
    let work = serde_json::to_string(work).expect("a plan has no keys but strings");
    command.env(WORK, work).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Process::start(&mut command)
        .map_err(|error| format!("{} cannot be started: {error}", command.get_program().display()))?;
    let said = read_all(child.stderr.take().expect("it is piped"));
    let (to_us, rows) = mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    // Ends with the child's output.
    thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| to_us.send(line)));
    let started = Instant::now();
    let (mut begun, mut ended, mut found) = (false, false, None);
    let mut observations = Vec::new();
    loop {
        match rows.recv_timeout(patience.saturating_sub(started.elapsed())) {
            Ok(line) if line == BEGIN => begun = true,
            Ok(line) if line == END => ended = true,
            Ok(line) => {
                if let Some(row) = line.strip_prefix(ROW) {
                    observations
                        .push(serde_json::from_str(row).map_err(|error| format!("not a row: `{row}`: {error}"))?);
                } else if let Some(why) = line.strip_prefix(FOUND) {
                    found = Some(serde_json::from_str(why).unwrap_or_else(|_| why.to_owned()));
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let seconds = patience.as_secs();
                return Err(if begun {
                    Failure::Found(format!("hangs: not done after {seconds} s"))
                } else {
                    Failure::Elsewhere(format!("the process had not begun to measure after {seconds} s"))
                });
            }
        }
    }
    let status = child.wait().map_err(|error| format!("the process cannot be waited for: {error}"))?;
    let said = said.recv().unwrap_or_default();
    Ok(Heard { observations, begun, ended, found, status, said })
}

/// Why a process failed, by the first thing that it said of it: an error of ours, or the message of a panic, which
/// stands in the line below the place. Whatever panics after that, as a rule, does so because of it.
fn complaint(said: &str) -> Option<String> {
    let mut lines = said.lines();
    while let Some(line) = lines.next() {
        if let Some(why) = line.strip_prefix(ERROR) {
            return Some(why.to_owned());
        }
        if line.contains("panicked at") {
            return Some(format!("panicked: {}", lines.next().unwrap_or(line)));
        }
    }
    None
}

/// What a program said of its failure that is none of ours: the last lines of valgrind's own complaint, which takes
/// several, or else the last line.
pub(crate) fn last_words(said: &str) -> String {
    let lines = said.lines().map(|line| match line.strip_prefix("==").and_then(|line| line.split_once("== ")) {
        Some((process, line)) if process.bytes().all(|byte| byte.is_ascii_digit()) => line.trim(),
        _ => line.trim(),
    });
    let lines: Vec<_> = lines.filter(|line| line.bytes().any(|byte| byte.is_ascii_alphanumeric())).collect();
    let own: Vec<_> = lines.iter().copied().filter(|line| line.starts_with("valgrind: ")).collect();
    match (&own[..], lines.last()) {
        ([], None) => "it does not say why".to_owned(),
        ([], Some(last)) => (*last).to_owned(),
        (own, _) => own[own.len().saturating_sub(4)..].join(" / "),
    }
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

    #[cfg(unix)]
    fn heard(begun: bool, status: i32, said: &str) -> Heard {
        use std::os::unix::process::ExitStatusExt as _;

        let status = ExitStatus::from_raw(status);
        Heard { observations: Vec::new(), begun, ended: false, found: None, status, said: said.to_owned() }
    }

    #[cfg(unix)]
    #[test]
    fn only_what_was_measured_can_be_found_of_it() {
        let why = |said: &str| complaint(said).unwrap_or_else(|| "it ended".to_owned());
        let judge = |begun, status, said| heard(begun, status, said).judge(why).expect_err("it is not done");
        let found = |why: &str| Failure::Found(why.to_owned());
        assert_eq!(judge(true, 6, ""), found("it ended"));
        assert_eq!(judge(true, 101 << 8, "panicked at a.rs:1:2:\nit is broken"), found("panicked: it is broken"));
        let elsewhere = [
            judge(false, 127 << 8, "error while loading shared libraries"),
            judge(true, 9, ""),
            judge(true, 1 << 8, "error: this program does not count allocations"),
            judge(true, 101 << 8, "panicked at a.rs:1:2:\nfailed to spawn thread: Os { code: 11 }"),
        ];
        assert!(elsewhere.iter().all(|failure| matches!(failure, Failure::Elsewhere(_))), "{elsewhere:?}");
        let trial = |why: &str| Heard { found: Some(why.to_owned()), ..heard(true, 1 << 8, "") };
        assert_eq!(trial("hangs").judge(why), Err(found("hangs")));
        assert!(matches!(trial("failed to spawn thread").judge(why), Err(Failure::Elsewhere(_))));
    }

    #[test]
    fn a_program_that_cannot_be_started_is_nobodys_finding() {
        let work = Work::Memory(memory::Plan { executor: "a".to_owned() });
        let failure =
            run_below(Command::new("/nowhere/at-all"), &work, Duration::from_secs(60)).expect_err("it is not there");
        assert!(matches!(&failure, Failure::Elsewhere(why) if why.contains("cannot be started")), "{failure:?}");
    }

    #[test]
    fn valgrinds_own_words_are_kept() {
        assert_eq!(last_words("==1== Callgrind\nvalgrind: no tool\n"), "valgrind: no tool");
        assert_eq!(
            last_words("a\nvalgrind: 1\n\nvalgrind:   2\nvalgrind: 3\nvalgrind: 4\nvalgrind: 5\n"),
            "valgrind:   2 / valgrind: 3 / valgrind: 4 / valgrind: 5"
        );
        assert_eq!(last_words("==1== Callgrind\n==1== disk full\n==1== \n"), "disk full");
        assert_eq!(last_words(""), "it does not say why");
    }

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
    }
}
