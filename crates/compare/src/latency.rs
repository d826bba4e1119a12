//! `latency`: from a wake to the poll, and what the waiting costs.

use std::time::Duration;

use harness::Observation;
use harness::latency::{self, INTERVALS, MAXIMUM, P50, P99, PROCESSOR, Plan, SENT};

use harness::progress::progress;

use crate::session::Session;
use harness::table::{Table, time};

/// How long one interval is measured, in one process.
const ABOUT: Duration = Duration::from_millis(1_000);

/// Measures everybody who was chosen, at every interval.
pub fn measure(session: &Session<'_>, intervals: &[u64], processes: u32) -> Vec<Observation> {
    let contenders = session.admitted();
    let bar = progress(contenders.len() * intervals.len() * processes as usize);
    let mut observations = session.refusals(latency::VERB);
    // By process first, so that a time of disturbance does not meet one contender alone.
    for process in 0..processes {
        for &interval in intervals {
            for contender in &contenders {
                bar.set_message(format!("latency {} every {}", contender.name, time(interval as f64)));
                let events = latency::events(interval, ABOUT);
                let plan = Plan { executor: contender.name.to_owned(), interval, events, process };
                match latency::measure_one(&plan) {
                    Ok(rows) => observations.extend(rows),
                    Err(why) => {
                        let row = Observation::refused(latency::VERB, contender.name, "foreign_wake", why);
                        observations.push(row.at(interval as f64));
                    }
                }
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    observations
}

/// One table for each interval.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == latency::VERB).collect();
    let mut tables = Vec::new();
    for &interval in INTERVALS {
        let own: Vec<_> = rows.iter().filter(|row| row.parameter == Some(interval as f64)).collect();
        let title = format!("From another thread's wake to the poll, a wake every {}", time(interval as f64));
        let mut table = Table::new(title, ["executor", "p50", "p90", "p99", "p99.9", "longest", "processor"]);
        for executor in executors(&rows) {
            let cell = |quantity: &str, show: fn(f64) -> String| {
                let values: Vec<_> =
                    own.iter().filter(|row| row.executor == executor && row.quantity == quantity).collect();
                // Over processes: the longest of all, and of the others the one in the middle.
                let values: Vec<f64> = values.iter().map(|row| row.value).collect();
                let value = if quantity == MAXIMUM {
                    harness::statistics::maximum(&values)
                } else {
                    harness::statistics::median(&values)
                };
                value.map_or_else(|| "-".to_owned(), show)
            };
            let percentiles = latency::PERCENTILES[1..].iter().map(|(_, quantity)| cell(quantity, time));
            let processor = cell(PROCESSOR, |share| format!("{:.0} %", 100.0 * share));
            let cells: Vec<_> = percentiles.chain([processor]).collect();
            if cells.iter().any(|cell| cell != "-") {
                table.row([executor.to_owned()].into_iter().chain(cells));
            }
        }
        if !table.rows.is_empty() {
            for executor in executors(&rows) {
                let sent =
                    own.iter().filter(|row| row.executor == executor && row.quantity == SENT).map(|row| row.value);
                if let Some(sent) = harness::statistics::median(&sent.collect::<Vec<_>>())
                    && sent > 1.2 * interval as f64
                {
                    table.note(format!(
                        "{executor}: the wakes came {} apart, as calling one takes so long or the sender was interrupted.",
                        time(sent)
                    ));
                }
            }
            if table.rows.iter().flatten().any(|cell| cell == "-") {
                table.note("- is a percentile of fewer wakes than it speaks of.");
            }
            tables.push(table);
        }
    }
    tables.extend(not_measured(&rows));
    tables
}

pub(crate) fn executors<'a>(rows: &[&'a Observation]) -> Vec<&'a str> {
    let mut executors: Vec<&str> = Vec::new();
    for row in rows {
        if !executors.contains(&&*row.executor) {
            executors.push(&row.executor);
        }
    }
    executors
}

/// Who was not measured, and why.
pub(crate) fn not_measured(rows: &[&Observation]) -> Option<Table> {
    let mut table = Table::new("Not measured", ["executor", "why"]);
    for row in rows {
        let Some(why) = row.refusal() else { continue };
        let cells = vec![row.executor.clone(), why.to_owned()];
        if !table.rows.contains(&cells) {
            table.rows.push(cells);
        }
    }
    (!table.rows.is_empty()).then_some(table)
}

/// What one executor's figures at one interval are: p50, p99 and the share of a processor.
pub fn summary(observations: &[Observation], executor: &str, interval: u64) -> Option<(f64, Option<f64>, f64)> {
    let of = |quantity: &str| {
        let own = observations.iter().filter(|row| {
            row.verb == latency::VERB
                && row.executor == executor
                && row.parameter == Some(interval as f64)
                && row.quantity == quantity
        });
        harness::statistics::median(&own.map(|row| row.value).collect::<Vec<_>>())
    };
    Some((of(P50)?, of(P99), of(PROCESSOR)?))
}
