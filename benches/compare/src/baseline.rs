//! Counts that were committed, and whether they still hold: `count --check`, to the twentieth of an instruction an
//! operation, and to a thousandth where a long copy is counted.
//!
//! Counts are exact for one compiler, one C library and one valgrind. So there is a file for each such machine, and
//! where none fits there is nothing to compare with, which is said and is no failure.
//!
//! Committed is what this workspace can answer for: the floor and its own strategies. What a published executor counts
//! moves with what else is in the program, as the compiler inlines by that, and with the dice that some throw.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use harness::card::{self, APPROXIMATE};
use harness::contender::FLOOR;
use harness::machine::Machine;
use harness::table::Table;
use harness::{Observation, pages};
use workloads::card::OPERATIONS;

use crate::called;
use crate::programs::{self, Program};

/// The name of the file with the counts of such a machine.
pub fn file_name(machine: &Machine) -> String {
    let valgrind = machine.valgrind.as_deref().unwrap_or("no valgrind");
    let compiler = machine.rustc.split(" (").next().unwrap_or(&machine.rustc);
    let key = format!("{compiler} {valgrind} {} {}", machine.c_library, machine.instruction_set);
    let key: String =
        key.chars().map(|char| if char.is_ascii_alphanumeric() || char == '.' { char } else { '-' }).collect();
    format!("docs/counts/{key}.jsonl")
}

/// Rows about this workspace's own that are the same in each run.
fn exact(observations: &[Observation]) -> impl Iterator<Item = &Observation> {
    let counts = observations.iter().filter(|row| row.verb == card::VERB && row.refusal().is_none());
    counts.filter(|row| is_ours(&row.executor) && row.note.as_deref() != Some(APPROXIMATE))
}

/// Whether it is the floor, or one of this workspace's strategies or rungs.
pub fn is_ours(executor: &str) -> bool {
    executor == FLOOR
        || harness::rungs().iter().any(|rung| rung.name == executor)
        || programs::of(executor).is_some_and(Program::is_ours)
}

/// Where counts are committed to.
///
/// # Errors
///
/// When the current directory lies in no checkout.
pub fn place() -> Result<PathBuf, String> {
    pages::to_write(&file_name(&Machine::this()), "change to one")
}

/// Commits these counts to the file for such a machine.
///
/// # Errors
///
/// When there was no valgrind, or the file cannot be written.
pub fn write(observations: &[Observation]) -> Result<PathBuf, String> {
    card::valgrind()?;
    let file = place()?;
    // What was not counted this time stays as it was.
    let mut rows = read(&file)?.unwrap_or_default();
    let counted = |row: &Observation| {
        observations.iter().any(|other| (&other.executor, &other.subject) == (&row.executor, &row.subject))
    };
    rows.retain(|row| !counted(row));
    rows.extend(exact(observations).cloned());
    let contenders = [harness::contenders(), harness::rungs()].concat();
    let place = |name: &str| contenders.iter().position(|contender| contender.name == name);
    rows.sort_by_key(|row| place(&row.executor).unwrap_or(usize::MAX));
    let lines = rows.iter().map(|row| serde_json::to_string(row).expect("a row has no keys but strings"));
    let text: String = lines.map(|line| line + "\n").collect();
    let folder = file.parent().expect("it is in a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
    Ok(file)
}

/// What came of a comparison.
#[derive(Debug)]
pub enum Check {
    /// Nothing fits this machine: what to do about it.
    NoBaseline(String),
    /// So many counts are what they were.
    Same(usize),
    /// Others.
    Different(Table),
}

/// Compares these counts with those that were committed on such a machine. What was not counted now is not compared.
///
/// # Errors
///
/// When a line of the file cannot be read: which.
pub fn check(observations: &[Observation]) -> Result<Check, String> {
    if let Err(why) = card::valgrind() {
        return Ok(Check::NoBaseline(why));
    }
    let file = pages::to_read(&file_name(&Machine::this()));
    let Some(known) = read(&file)? else {
        return Ok(Check::NoBaseline(format!(
            "no counts were committed for such a machine: `{} count --commit` writes {}",
            called::name(),
            file.display()
        )));
    };
    Ok(compare(&known, observations))
}

/// The rows of the file, if there is one.
fn read(file: &Path) -> Result<Option<Vec<Observation>>, String> {
    let Ok(text) = fs::read_to_string(file) else { return Ok(None) };
    let rows = text.lines().enumerate().map(|(number, line)| {
        serde_json::from_str(line).map_err(|error| format!("{}, line {}: no row: {error}", file.display(), number + 1))
    });
    rows.collect::<Result<_, _>>().map(Some)
}

/// Compares rows with rows.
pub fn compare(known: &[Observation], found: &[Observation]) -> Check {
    fn keyed<'a>(rows: impl Iterator<Item = &'a Observation>) -> BTreeMap<(&'a str, &'a str, &'a str), f64> {
        rows.map(|row| ((&*row.executor, &*row.subject, &*row.quantity), row.value)).collect()
    }
    let (known, found) = (keyed(exact(known)), keyed(exact(found)));
    let mut table = Table::new("Counts that changed", ["executor", "operation", "quantity", "was", "is"]);
    let mut same = 0;
    for ((executor, operation, quantity), is) in &found {
        match known.get(&(executor, operation, quantity)) {
            Some(was) if (was - is).abs() <= tolerance(operation, quantity, *was) => same += 1,
            Some(was) => table.row([executor, operation, quantity, &*precise(*was), &*precise(*is)]),
            // Not committed as it was not the same each time, or not counted then.
            None => {}
        }
    }
    if table.rows.is_empty() { Check::Same(same) } else { Check::Different(table) }
}

/// Whether the counts of this operation are never the same twice.
pub fn depends_on_chance(operation: &str) -> bool {
    OPERATIONS.iter().any(|known| known.id == operation && !known.exact)
}

/// By how much a count may differ.
///
/// What each operation does is the same in each run. What a program does once in a while, such as the growth of the
/// heap, takes an instruction more or less by where its memory lies, and that moves with the environment and the
/// program's path.
fn tolerance(operation: &str, quantity: &str, was: f64) -> f64 {
    let part = OPERATIONS.iter().find(|known| known.id == operation).map_or(0.0, |known| known.tolerance);
    let least = match quantity {
        card::INSTRUCTIONS => 0.05,
        card::ATOMICS => card::HEAP,
        _ => 0.0,
    };
    f64::max(was * part, least)
}

/// With as many digits as it takes to see a difference.
fn precise(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(quantity: &str, value: f64) -> Observation {
        Observation::new(card::VERB, "raw-waker", "self_wake", quantity, value)
    }

    #[test]
    fn one_instruction_more_in_ten_operations_is_a_difference() {
        let known = [row(card::INSTRUCTIONS, 107.642), row(card::ATOMICS, 2.0)];
        assert!(matches!(compare(&known, &known), Check::Same(2)));
        assert!(matches!(compare(&known, &[row(card::INSTRUCTIONS, 107.652)]), Check::Same(1)));
        let Check::Different(table) = compare(&known, &[row(card::INSTRUCTIONS, 107.742)]) else {
            panic!("it is not the same");
        };
        assert_eq!(table.rows, [["raw-waker", "self_wake", card::INSTRUCTIONS, "107.642", "107.742"]]);
    }

    #[test]
    fn three_atomics_more_in_a_hundred_operations_are_a_difference() {
        let found = [row(card::ATOMICS, 2.03)];
        assert!(matches!(compare(&[row(card::ATOMICS, 2.0)], &found), Check::Different(_)));
    }

    #[test]
    fn only_of_a_long_copy_a_thousandth_may_differ() {
        let row = |operation, value| Observation::new(card::VERB, "arc-waker", operation, card::INSTRUCTIONS, value);
        let compare = |operation, is| compare(&[row(operation, 133_000.0)], &[row(operation, is)]);
        assert!(matches!(compare("spawn_large", 133_024.0), Check::Same(1)));
        assert!(matches!(compare("spawn_large", 133_134.0), Check::Different(_)));
        assert!(matches!(compare("spawn_join", 133_001.0), Check::Different(_)));
    }

    #[test]
    fn only_two_threads_that_wait_for_each_other_depend_on_chance() {
        assert!(depends_on_chance("round_trip"));
        // A refusal of all that an executor counts names no operation.
        assert!(!depends_on_chance("self_wake") && !depends_on_chance(""));
    }

    #[test]
    fn what_others_count_is_not_ours_to_keep() {
        let row = |value| Observation::new(card::VERB, "tokio", "self_wake", card::INSTRUCTIONS, value);
        assert!(matches!(compare(&[row(1.0)], &[row(2.0)]), Check::Same(0)));
    }

    #[test]
    fn what_is_not_exact_is_not_compared() {
        let loose = |value| row(card::SYSTEM_CALLS, value).noting(APPROXIMATE);
        assert!(matches!(compare(&[loose(1.0)], &[loose(2.0)]), Check::Same(0)));
    }
}
