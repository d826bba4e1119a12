//! What rows say, whichever verb they are of.

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
