//! The wake cost card: what an operation costs in things that can be counted.
//!
//! Each operation of [`workloads::card`] is done n times and 2n times, and the difference divided by n. What happens
//! once falls out, and what is left is exact: the same program gives the same figure to the last digit, on a busy
//! machine as on a quiet one. Instructions, atomic read-modify-writes (`Ge`, the "global bus events" of
//! `--collect-bus`) and system calls are counted by [callgrind](https://valgrind.org/docs/manual/cl-manual.html), allocations and polls by
//! the program itself.
//!
//! What a count does not say is how long it takes: an instruction that waits (`pause`, a locked addition, a load that
//! misses the cache) counts like any other. So counts explain a ranking; they are none.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use conformance::Allocations;
use serde::{Deserialize, Serialize};
use workloads::card::Count;

use crate::contender::{self, Contender, FLOOR};
use crate::kept::Folder;
use crate::observation::Observation;
use crate::worker::{self, Work};

/// What a process counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The contender's name.
    pub executor: String,
    /// The operations' names.
    pub operations: Vec<String>,
}

/// n.
const TIMES: usize = 1_000;

/// n for what depends on when threads run: each time takes as long as two threads take to fall asleep.
const TIMES_INEXACT: usize = 100;

/// How long a process may take: under valgrind some operations of some contenders take seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is counted of an operation.
pub const INSTRUCTIONS: &str = "instructions per operation";
/// See [`INSTRUCTIONS`].
pub const ATOMICS: &str = "atomic read-modify-writes per operation";
/// See [`INSTRUCTIONS`].
pub const SYSTEM_CALLS: &str = "system calls per operation";
/// See [`INSTRUCTIONS`].
pub const ALLOCATIONS: &str = "allocations per operation";
/// See [`INSTRUCTIONS`].
pub const BYTES: &str = "bytes allocated per operation";
/// See [`INSTRUCTIONS`].
pub const POLLS: &str = "polls per operation";

/// The verb of these observations.
pub const VERB: &str = "count";

/// What stands at an observation that another run may not repeat.
pub const APPROXIMATE: &str = "approximate";

/// Marks what was not the same when the same was counted again.
pub fn compare_passes(first: &mut [Observation], again: &[Observation]) {
    fn key(row: &Observation) -> (&str, &str, &str) {
        (&row.executor, &row.subject, &row.quantity)
    }
    for row in first.iter_mut().filter(|row| row.refusal().is_none()) {
        if again.iter().any(|other| key(other) == key(row) && other.value != row.value) {
            row.note = Some(APPROXIMATE.to_owned());
        }
    }
}

/// The version of the valgrind that counts.
///
/// # Errors
///
/// When there is no valgrind, in one sentence.
pub fn valgrind() -> Result<String, String> {
    let version = Command::new("valgrind").arg("--version").stdin(Stdio::null()).output();
    match version {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        Ok(output) => {
            let said = worker::last_words(&String::from_utf8_lossy(&output.stderr));
            Err(format!("`valgrind --version` fails, {}: {said}", output.status))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("`valgrind` cannot be started: {error}")),
        Err(_) => {
            Err("instructions, atomics and system calls are counted by valgrind, and there is no `valgrind` here: \
                  install it (on Debian `apt install valgrind`); everything else works without"
                .to_owned())
        }
    }
}

/// Whether there is a valgrind, which may be broken.
pub fn is_valgrind_installed() -> bool {
    let version = Command::new("valgrind").arg("--version").stdin(Stdio::null()).output();
    !version.is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Counts allocations, bytes and polls of one contender.
///
/// # Errors
///
/// When its process fails or does not count allocations.
pub fn measure_allocations(plan: &Plan) -> Result<Vec<Observation>, String> {
    worker::run(&Work::Allocations(plan.clone()), PATIENCE)
}

/// Counts instructions, atomics and system calls of one contender, under valgrind.
///
/// # Errors
///
/// When there is no valgrind, or the process fails below it.
pub fn measure_instructions(plan: &Plan, contenders: &[Contender]) -> Result<Vec<Observation>, String> {
    let folder = Folder::new(&format!("count-{}", plan.executor))?;
    below_valgrind(plan, &folder)?;
    let contender = contender::find(&plan.executor, contenders)?;
    let mut observations = Vec::new();
    // Each call of `noted` leaves a file with what was counted since the last, numbered from 1: before and after.
    for (number, count) in counts(plan, contender).into_iter().enumerate() {
        let times = times(count);
        let [once, twice] =
            [0, 1].map(|turn| totals(&folder.path().join(format!("out.{}", 2 * (2 * number + turn + 1)))));
        let (once, twice) = (once?, twice?);
        for (event, quantity) in [("Ir", INSTRUCTIONS), ("Ge", ATOMICS), ("sysCount", SYSTEM_CALLS)] {
            let total = |totals: &BTreeMap<String, u64>| totals.get(event).copied().unwrap_or(0) as f64;
            let slope = (total(&twice) - total(&once)) / times as f64;
            // One call in a thousand operations is the heap's, which grows when it does.
            let slope = if quantity == SYSTEM_CALLS { (slope * 100.0).round() / 100.0 + 0.0 } else { slope };
            observations.push(observation(plan, count, quantity, slope));
        }
    }
    Ok(observations)
}

/// Whether valgrind can count in this program at all: what fails then is no executor's fault.
///
/// # Errors
///
/// When it cannot, with what it says about it.
pub fn valgrind_counts() -> Result<(), String> {
    let nothing = Plan { executor: FLOOR.to_owned(), operations: Vec::new() };
    below_valgrind(&nothing, &Folder::new("count")?)
}

/// Has a copy of this program do the operations below callgrind, which leaves its files in the folder.
fn below_valgrind(plan: &Plan, folder: &Folder) -> Result<(), String> {
    valgrind()?;
    let program = env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))?;
    let mut command = Command::new("valgrind");
    command
        // Nothing from VALGRIND_OPTS or a .valgrindrc, no banner before what it has to say, and no pipes for a debugger.
        .args(["--command-line-only=yes", "--quiet", "--vgdb=no", "--tool=callgrind"])
        .args([
            "--collect-atstart=no",
            "--toggle-collect=harness::card::measured",
            "--dump-before=harness::card::noted",
        ])
        .args(["--collect-bus=yes", "--collect-systime=msec", "--dump-instr=no", "--fair-sched=yes"])
        .arg(out_file(&folder.path().join("out"))?)
        .arg(program);
    worker::run_in(command, &Work::Card(plan.clone()), PATIENCE).map(|_| ())
}

/// The option that names callgrind's files. It replaces what follows a `%`, but for another one.
fn out_file(path: &Path) -> Result<String, String> {
    let path =
        path.to_str().ok_or_else(|| format!("callgrind cannot write into {}: TMPDIR must be UTF-8", path.display()))?;
    Ok(format!("--callgrind-out-file={}", path.replace('%', "%%")))
}

fn observation(plan: &Plan, count: &Count, quantity: &str, value: f64) -> Observation {
    let observation = Observation::new(VERB, &plan.executor, count.operation.id, quantity, value);
    // Those of every thread are counted.
    let alone = quantity != SYSTEM_CALLS || count.operation.threads == 1;
    if count.operation.exact && alone { observation } else { observation.noting(APPROXIMATE) }
}

/// In the process: does each operation so that callgrind can tell them apart.
pub(crate) fn count(plan: &Plan, contenders: &[Contender]) -> Result<Vec<Observation>, String> {
    Allocations::suspend();
    for count in counts(plan, contender::find(&plan.executor, contenders)?) {
        let times = times(count);
        // Not counted: what only a first time causes, such as a buffer that grows.
        let job = count.prepare(2 * times);
        (job.run)();
        (job.finish)();
        for times in [times, 2 * times] {
            let job = count.prepare(times);
            // What setting up cost goes into a file of its own: system calls are counted all the time.
            noted();
            measured(job.run);
            noted();
            (job.finish)();
        }
    }
    Ok(Vec::new())
}

/// In the process: does each operation and asks the allocator.
pub(crate) fn allocations(plan: &Plan, contenders: &[Contender]) -> Result<Vec<Observation>, String> {
    allocations_are_counted()?;
    let mut observations = Vec::new();
    for count in counts(plan, contender::find(&plan.executor, contenders)?) {
        let times = times(count);
        let done = |times| {
            let job = count.prepare(times);
            let before = Allocations::now();
            (job.run)();
            let after = Allocations::now();
            [after.calls - before.calls, after.requested - before.requested, (job.finish)()].map(|total| total as f64)
        };
        done(2 * times);
        let (once, twice) = (done(times), done(2 * times));
        for (number, quantity) in [ALLOCATIONS, BYTES, POLLS].into_iter().enumerate() {
            observations.push(observation(plan, count, quantity, (twice[number] - once[number]) / times as f64));
        }
    }
    Ok(observations)
}

/// Fails in a program whose allocator does not count.
pub(crate) fn allocations_are_counted() -> Result<(), String> {
    if Allocations::are_counted() {
        return Ok(());
    }
    Err("this program does not count allocations: it wants \
         `#[global_allocator] static ALLOCATOR: CountingAllocator = CountingAllocator;`"
        .to_owned())
}

fn times(count: &Count) -> usize {
    if count.operation.exact { TIMES } else { TIMES_INEXACT }
}

/// Those with one thread come first: in what state a thread leaves the heap depends on when it ends, and by that a
/// later `malloc` takes four instructions more or less.
fn counts<'a>(plan: &'a Plan, contender: &'a Contender) -> Vec<&'a Count> {
    let wanted = |count: &&Count| plan.operations.iter().any(|wanted| wanted == count.operation.id);
    let mut counts: Vec<_> = contender.counts.iter().filter(wanted).collect();
    counts.sort_by_key(|count| count.operation.threads);
    counts
}

/// Where callgrind writes down what it counted: it is told this name. It would not both count in a function and write
/// when that is left.
#[inline(never)]
fn noted() {
    black_box(());
}

/// What callgrind counts: it is told this name.
#[inline(never)]
fn measured(run: Box<dyn FnOnce()>) {
    run();
    // So that the call above is not the last thing, which may be compiled to a jump and look like the function's end.
    black_box(());
}

/// The totals of one of callgrind's files, by event.
fn totals(file: &Path) -> Result<BTreeMap<String, u64>, String> {
    let text = fs::read_to_string(file).map_err(|error| {
        format!("callgrind left no {}: {error}; the program must be built with its symbols", file.display())
    })?;
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let events = line("events:").unwrap_or_default().split_whitespace();
    let totals = line("totals:").or_else(|| line("summary:")).unwrap_or_default().split_whitespace();
    let totals = totals.map(|total| total.parse().map_err(|error| format!("{}: `{total}`: {error}", file.display())));
    events.map(str::to_owned).zip(totals).map(|(event, total)| Ok((event, total?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_that_end_in_zeros_are_left_out_by_callgrind() {
        let folder = Folder::new("totals").unwrap();
        let file = folder.path().join("out.1");
        fs::write(&file, "version: 1\nevents: Ir Ge sysCount sysTime\nfn=(1) main\n0 5\ntotals: 108848 2021\n")
            .unwrap();
        let found = totals(&file).unwrap();
        assert_eq!(found.get("Ir"), Some(&108_848));
        assert_eq!(found.get("Ge"), Some(&2_021));
        assert_eq!(found.get("sysCount"), None);
    }

    #[test]
    fn a_percent_sign_in_a_path_stands_for_itself() {
        assert_eq!(out_file(Path::new("/a%pb/out")).unwrap(), "--callgrind-out-file=/a%%pb/out");
    }

    #[test]
    fn what_two_passes_disagree_on_is_marked() {
        let row = |quantity: &str, value| Observation::new(VERB, "a", "self_wake", quantity, value);
        let mut first = vec![row(INSTRUCTIONS, 100.0), row(ATOMICS, 2.0)];
        compare_passes(&mut first, &[row(INSTRUCTIONS, 100.5), row(ATOMICS, 2.0)]);
        assert_eq!(first[0].note.as_deref(), Some(APPROXIMATE));
        assert_eq!(first[1].note, None);
    }
}
