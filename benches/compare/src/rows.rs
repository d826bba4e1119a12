//! What rows say, whichever verb they are of.

use harness::duel::{STEADY, UNSTEADY};
use harness::observation::distinct;
use harness::table::Table;
use harness::{Observation, statistics};

/// What was observed of one executor at one parameter, in one process after the other.
pub(crate) fn values(
    observations: &[Observation],
    verb: &str,
    executor: &str,
    parameter: f64,
    quantity: &str,
) -> Vec<f64> {
    let own = observations.iter().filter(|row| row.verb == verb && row.executor == executor);
    let own = own.filter(|row| row.parameter == Some(parameter) && row.quantity == quantity);
    own.map(|row| row.value).collect()
}

/// The median over processes.
pub(crate) fn value(
    observations: &[Observation],
    verb: &str,
    executor: &str,
    parameter: f64,
    quantity: &str,
) -> Option<f64> {
    statistics::median(&values(observations, verb, executor, parameter, quantity))
}

/// What stands before a time whose processes differ by so much that it says nothing about the next one.
pub(crate) fn mark(values: &[f64]) -> &'static str {
    let ends = statistics::minimum(values).zip(statistics::maximum(values));
    if ends.is_some_and(|(least, most)| most > STEADY * least) { "!" } else { "" }
}

/// Says what the marks mean, where there are any.
pub(crate) fn note_marks(table: &mut Table) {
    if table.rows.iter().flatten().any(|cell| cell.starts_with('!')) {
        table.note(UNSTEADY);
    }
}

/// Whom rows are about.
pub(crate) fn executors<'a>(rows: &[&'a Observation]) -> Vec<&'a str> {
    distinct(rows.iter().map(|row| &*row.executor))
}

/// Who was not measured, and why.
pub(crate) fn refused<'a>(rows: &[&'a Observation]) -> Vec<(&'a str, &'a str)> {
    distinct(rows.iter().filter_map(|row| Some((&*row.executor, row.refusal()?))))
}

/// The table of who was not measured, if there is anybody.
pub(crate) fn not_measured(rows: &[&Observation]) -> Option<Table> {
    let mut table = Table::new("Not measured", ["executor", "why"]);
    refused(rows).into_iter().for_each(|(executor, why)| table.row([executor, why]));
    (!table.rows.is_empty()).then_some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_differ_by_more_than_twice_are_marked() {
        assert_eq!([mark(&[]), mark(&[5.0]), mark(&[24.0, 48.0]), mark(&[24.0, 49.0, 30.0])], ["", "", "", "!"]);
    }

    #[test]
    fn what_the_mark_means_stands_below_where_there_is_one() {
        let mut table = Table::new("", ["executor", "p50"]);
        table.row(["a", "5 ns"]);
        note_marks(&mut table);
        assert!(table.notes.is_empty());
        table.row(["b", "!5 ns"]);
        note_marks(&mut table);
        assert_eq!(table.notes, [UNSTEADY]);
    }
}
