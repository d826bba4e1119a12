//! The wake cost card: what an operation costs, in things that can be counted.
//!
//! Each operation of [`workloads::card`] is done n times and 2n times, and the difference is divided by n. What happens
//! only once cancels out, and the rest is exact: the same program gives the same figure to the last digit, on a busy
//! machine as on a quiet one. [Callgrind](https://valgrind.org/docs/manual/cl-manual.html) counts instructions, atomic
//! read-modify-writes (`Ge`, the "global bus events" of `--collect-bus`) and system calls; the program itself counts
//! allocations and polls.
//!
//! A count does not say how long something takes: an instruction that waits (`pause`, a locked addition, a load that
//! misses the cache) counts like any other. So counts explain a ranking, but are not one.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use std::{fs, io};

use conformance::{Allocations, image};
use serde::{Deserialize, Serialize};
use workloads::card::Count;

use crate::contender::{self, Contender, FLOOR};
use crate::kept::Folder;
use crate::observation::Observation;
use crate::worker::{self, Failure, Work};

/// What a process counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The contender's name.
    pub executor: String,
    /// The operations' names.
    pub operations: Vec<String>,
}

/// How long a process may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The same under valgrind, where some operations of some contenders take seconds, and minutes in a debug build.
const PATIENCE_BELOW: Duration = Duration::from_secs(600);

/// Machine instructions of all threads.
pub const INSTRUCTIONS: &str = "instructions per operation";
/// Atomic read-modify-writes.
pub const ATOMICS: &str = "atomic read-modify-writes per operation";
/// System calls.
pub const SYSTEM_CALLS: &str = "system calls per operation";
/// Calls of the allocator that allocate or move a block.
pub const ALLOCATIONS: &str = "allocations per operation";
/// Bytes that these calls ask for.
pub const BYTES: &str = "bytes allocated per operation";
/// Polls of futures.
pub const POLLS: &str = "polls per operation";

/// The verb of these observations.
pub const VERB: &str = "count";

/// The note of an observation that another run may not repeat.
pub const APPROXIMATE: &str = "approximate";

/// Marks what differed when it was counted again.
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

/// The version of the installed valgrind.
///
/// # Errors
///
/// When there is no valgrind, or it does not say its version; in one sentence.
pub fn valgrind() -> Result<String, String> {
    match version() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        Ok(output) => {
            let said = worker::last_words(&String::from_utf8_lossy(&output.stderr));
            Err(format!("`valgrind --version` fails, {}: {said}", output.status))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("instructions, atomics and system calls are counted by valgrind, and there is no `valgrind` here: \
                  install it (on Debian `apt install valgrind`); everything else works without"
                .to_owned())
        }
        Err(error) => Err(format!("valgrind cannot be run: {error}")),
    }
}

/// Whether valgrind is missing: then everything else can still be counted.
pub fn valgrind_is_missing() -> bool {
    version().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn version() -> io::Result<Output> {
    Command::new("valgrind").arg("--version").stdin(Stdio::null()).output()
}

/// Whether all that counting needs is installed: tries it on the floor.
///
/// # Errors
///
/// When something is missing or broken; says what.
pub fn ready(contenders: &[Contender]) -> Result<(), String> {
    allocations_are_counted()?;
    let plan = Plan { executor: FLOOR.to_owned(), operations: vec!["self_wake".to_owned()] };
    match measure_instructions(&plan, contenders) {
        Ok(_) => Ok(()),
        Err(Failure::Found(why) | Failure::Elsewhere(why)) => Err(why),
    }
}

/// Counts allocations, bytes and polls of one contender.
///
/// # Errors
///
/// When its process fails or does not count allocations.
pub fn measure_allocations(plan: &Plan) -> Result<Vec<Observation>, Failure> {
    worker::run(&Work::Allocations(plan.clone()), PATIENCE)
}

/// Counts instructions, atomics and system calls of one contender, under valgrind.
///
/// # Errors
///
/// When there is no valgrind, or the process fails under it.
pub fn measure_instructions(plan: &Plan, contenders: &[Contender]) -> Result<Vec<Observation>, Failure> {
    valgrind()?;
    let folder = Folder::new(&format!("count-{}", plan.executor))?;
    // Valgrind reads the names of functions from the file, so it must be the file of this program, and stay it.
    if let Some(program) = image::file() {
        let found = count_below_valgrind(plan, contenders, &folder, &program);
        // A build may have replaced it by now.
        if image::file() == Some(program) {
            return found;
        }
    }
    let program = folder.path().join("program");
    let copied = image::running().and_then(|image| fs::copy(image, &program));
    copied.map_err(|error| format!("this program cannot be copied to {}: {error}", program.display()))?;
    count_below_valgrind(plan, contenders, &folder, &program)
}

fn count_below_valgrind(
    plan: &Plan,
    contenders: &[Contender],
    folder: &Folder,
    program: &Path,
) -> Result<Vec<Observation>, Failure> {
    let mut command = Command::new("valgrind");
    command
        // Nothing from VALGRIND_OPTS or a .valgrindrc, no banner before its output, and no pipes for a debugger.
        .args(["--command-line-only=yes", "--quiet", "--vgdb=no", "--tool=callgrind"])
        .args([
            "--collect-atstart=no",
            "--toggle-collect=harness::card::measured",
            "--dump-before=harness::card::noted",
        ])
        .args(["--collect-bus=yes", "--collect-systime=msec", "--dump-instr=no", "--fair-sched=yes"])
        .arg(out_file(&folder.path().join("out"))?)
        .arg(program);
    worker::run_below(command, &Work::Card(plan.clone()), PATIENCE_BELOW)?;
    let contender = contender::find(&plan.executor, contenders)?;
    let mut observations = Vec::new();
    // Each call of `noted` writes a file with the counts since the previous call, numbered from 1.
    for (number, count) in counts(plan, contender).into_iter().enumerate() {
        let file = |turn| folder.path().join(format!("out.{}", 2 * (2 * number + turn + 1)));
        let [once, twice] = [0, 1].map(|turn| summary(&file(turn)));
        let (once, twice) = (once?, twice?);
        for (event, quantity) in [("Ir", INSTRUCTIONS), ("Ge", ATOMICS), ("sysCount", SYSTEM_CALLS)] {
            let total = |totals: &BTreeMap<String, u64>| totals.get(event).copied().unwrap_or(0) as f64;
            observations.push(observation(plan, count, quantity, total(&once), total(&twice)));
        }
    }
    Ok(observations)
}

/// The option that names callgrind's files. Callgrind expands a `%`, so each is doubled.
fn out_file(path: &Path) -> Result<String, String> {
    let path =
        path.to_str().ok_or_else(|| format!("callgrind cannot write into {}: TMPDIR must be UTF-8", path.display()))?;
    Ok(format!("--callgrind-out-file={}", path.replace('%', "%%")))
}

/// So many atomic operations for each operation may be the heap's, which happen in one of the counts and not in the
/// other.
pub const HEAP: f64 = 0.02;

/// What one operation costs, from the counts of n and of 2n.
fn observation(plan: &Plan, count: &Count, quantity: &str, once: f64, twice: f64) -> Observation {
    let (operation, times) = (count.operation, count.operation.times as f64);
    let slope = (twice - once) / times;
    // A few calls in all are the heap's, which grows at times of its own.
    let slope = if quantity == SYSTEM_CALLS { (slope * times / 10.0).round() * 10.0 / times + 0.0 } else { slope };
    // So is what it does, once in a while, to tidy up: glibc's `malloc_consolidate` takes ten atomic operations.
    let tidied = quantity == ATOMICS && once - twice <= HEAP * times;
    let slope = if slope < 0.0 && tidied { 0.0 } else { slope };
    if slope < 0.0 {
        let why =
            format!("{}: {quantity}: {} operations took {twice} and {times} took {once}", operation.id, 2.0 * times);
        return Observation::refused(VERB, &plan.executor, operation.id, why);
    }
    let observation = Observation::new(VERB, &plan.executor, operation.id, quantity, slope);
    // The system calls of all threads are counted.
    let alone = quantity != SYSTEM_CALLS || operation.threads == 1;
    if operation.exact && alone { observation } else { observation.noting(APPROXIMATE) }
}

/// In the process: does each operation, so that callgrind can tell the operations apart.
pub(crate) fn count(plan: &Plan, contenders: &[Contender]) -> Result<Vec<Observation>, String> {
    Allocations::suspend();
    for count in counts(plan, contender::find(&plan.executor, contenders)?) {
        let times = count.operation.times;
        // Not counted: what only happens the first time, such as a buffer that grows.
        let job = count.prepare(2 * times);
        (job.run)();
        (job.finish)();
        for times in [times, 2 * times] {
            let job = count.prepare(times);
            // The cost of setting up goes into a file of its own, as system calls are counted all the time.
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
        let times = count.operation.times;
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
            observations.push(observation(plan, count, quantity, once[number], twice[number]));
        }
    }
    Ok(observations)
}

/// Fails in a program whose allocator does not count.
///
/// # Errors
///
/// In such a program.
pub fn allocations_are_counted() -> Result<(), String> {
    if Allocations::are_counted() {
        return Ok(());
    }
    Err("this program does not count allocations: it wants \
         `#[global_allocator] static ALLOCATOR: CountingAllocator = CountingAllocator;`"
        .to_owned())
}

/// Operations with one thread come first: the state in which a thread leaves the heap depends on when it ends, and a
/// later `malloc` then takes four instructions more or less.
fn counts<'a>(plan: &'a Plan, contender: &'a Contender) -> Vec<&'a Count> {
    let wanted = |count: &&Count| plan.operations.iter().any(|wanted| wanted == count.operation.id);
    let mut counts: Vec<_> = contender.counts.iter().filter(wanted).collect();
    counts.sort_by_key(|count| count.operation.threads);
    counts
}

/// Where callgrind writes its counts: it is told this name. It cannot both count inside a function and write when that
/// function returns.
#[inline(never)]
fn noted() {
    black_box(());
}

/// The function inside which callgrind counts: it is told this name.
#[inline(never)]
fn measured(run: Box<dyn FnOnce()>) {
    run();
    // Keeps the call above from being a tail call, which is compiled to a jump and would look like the function's end.
    black_box(());
}

/// What was counted between one of callgrind's files and the previous one, by event. Read from the summary: once
/// anything is counted, the totals also have system calls from outside the counted function.
fn summary(file: &Path) -> Result<BTreeMap<String, u64>, String> {
    let text = fs::read_to_string(file).map_err(|error| {
        format!("callgrind left no {}: {error}; the program must be built with its symbols", file.display())
    })?;
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let events = line("events:").unwrap_or_default().split_whitespace();
    let counts = line("summary:").unwrap_or_default().split_whitespace();
    let counts = counts.map(|total| total.parse().map_err(|error| format!("{}: `{total}`: {error}", file.display())));
    events.map(str::to_owned).zip(counts).map(|(event, total)| Ok((event, total?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_end_in_zeros_are_left_out_by_callgrind() {
        let folder = Folder::new("totals").unwrap();
        let file = folder.path().join("out.1");
        let text = "version: 1\nevents: Ir Ge sysCount sysTime\nsummary: 108848 2021\nfn=(1) main\n0 5\n";
        fs::write(&file, text).unwrap();
        let found = summary(&file).unwrap();
        assert_eq!(found.get("Ir"), Some(&108_848));
        assert_eq!(found.get("Ge"), Some(&2_021));
        assert_eq!(found.get("sysCount"), None);
    }

    #[test]
    fn system_calls_of_what_is_not_counted_are_left_out() {
        let folder = Folder::new("summary").unwrap();
        let file = folder.path().join("out.1");
        // As valgrind 3.19 writes it after 2,000 calls outside the counted function and 1,000 inside it.
        let text = "events: Ir sysCount\nsummary: 9107 1000\nfn=(1) main\n0 9107 3000\ntotals: 9107 3000\n";
        fs::write(&file, text).unwrap();
        assert_eq!(summary(&file).unwrap().get("sysCount"), Some(&1_000));
    }

    #[test]
    fn a_count_below_zero_is_refused() {
        let plan = Plan { executor: "tokio".to_owned(), operations: Vec::new() };
        let counts = workloads::card::floor_counts();
        let count = counts.iter().find(|count| count.operation.id == "spawn_join").unwrap();
        let found = observation(&plan, count, SYSTEM_CALLS, 4_000.0, 2_000.0);
        let why = "spawn_join: system calls per operation: 2000 operations took 2000 and 1000 took 4000";
        assert_eq!(found.refusal(), Some(why));
        assert_eq!(observation(&plan, count, SYSTEM_CALLS, 2_000.0, 4_000.0).value, 2.0);
        assert!(observation(&plan, count, ATOMICS, 2_021.0, 2_000.0).refusal().is_some());
        assert!(observation(&plan, count, INSTRUCTIONS, 2_010.0, 2_000.0).refusal().is_some());
        let tidied = observation(&plan, count, ATOMICS, 34.0, 24.0);
        assert_eq!((tidied.refusal(), tidied.value), (None, 0.0));
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
