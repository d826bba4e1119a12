//! `latency`: from a wake to the poll, and what the waiting costs.

use std::time::Duration;

use harness::contender::FLOOR_WITHOUT_ALLOCATOR;
use harness::latency::{self, INTERVALS, MAXIMUM, P50, P99, PROCESSOR, Plan, SENT};
use harness::progress::progress;
use harness::table::{Table, figure, time};
use harness::worker::Failure;
use harness::{Contender, Kind, Observation, statistics};

use crate::select::{executors, mark, not_measured, note_marks, value, values};
use crate::session::Session;

/// How long one interval is measured, in one process.
const ABOUT: Duration = Duration::from_millis(1_000);

/// The same for a screen that must be there soon: two thousand wakes.
const BRIEF: Duration = Duration::from_millis(200);

/// The interval of the figure in a summary: this one on the screen and on every page that shows but one.
///
/// At this one it shows what spinning and parking are for: an executor that parks goes to sleep between two wakes and
/// has to be woken by the system, and one that spins for a while before it parks is still there. Longer, and the
/// processor itself goes to sleep, which is the machine's time and not the executor's.
pub const SUMMARY: u64 = 10_000;

/// Measures everybody who was chosen, at every interval.
///
/// # Errors
///
/// When something fails that is not of who is measured, such as a process that does not start.
pub fn measure(session: &Session<'_>, intervals: &[u64], processes: u32) -> Result<Vec<Observation>, String> {
    let mut contenders = session.admitted();
    // By hand there is one way to wait, with an allocator and without. Who asks for nothing else is told so.
    if contenders.iter().any(|contender| contender.name != FLOOR_WITHOUT_ALLOCATOR) {
        contenders.retain(|contender| contender.name != FLOOR_WITHOUT_ALLOCATOR);
    }
    of(session, &contenders, intervals, processes, ABOUT)
}

/// As much of it as a screen shows, and in less time: of those that own tasks, at one interval.
///
/// # Errors
///
/// As [`measure`].
pub fn measure_summary(session: &Session<'_>) -> Result<Vec<Observation>, String> {
    let mut contenders = session.admitted();
    contenders.retain(|contender| contender.kind == Kind::Executor);
    of(session, &contenders, &[SUMMARY], 1, BRIEF)
}

fn of(
    session: &Session<'_>,
    contenders: &[&Contender],
    intervals: &[u64],
    processes: u32,
    about: Duration,
) -> Result<Vec<Observation>, String> {
    let bar = progress(contenders.len() * intervals.len() * processes as usize);
    let mut observations = session.refusals(latency::VERB);
    // By process first, so that a time of disturbance does not meet one contender alone.
    for process in 0..processes {
        for &interval in intervals {
            for contender in contenders {
                bar.set_message(format!("latency {} every {}", contender.name, time(interval as f64)));
                let events = latency::events(interval, about);
                let plan = Plan { executor: contender.name.to_owned(), interval, events, process };
                let refused =
                    |why| Observation::refused(latency::VERB, contender.name, "foreign_wake", why).at(interval as f64);
                let found = session.watch.over(|| latency::measure_one(&plan));
                let found = found.map_err(|failure| failure.of(contender.name));
                observations.extend(Failure::as_finding(found, refused)?);
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    Ok(observations)
}

/// One table for each interval.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == latency::VERB).collect();
    let mut tables = Vec::new();
    for &interval in INTERVALS {
        let title = format!("From another thread's wake to the poll, a wake every {}", time(interval as f64));
        let mut table = Table::new(title, ["executor", "p50", "p90", "p99", "p99.9", "longest", "processor"]);
        for executor in executors(&rows) {
            let cell = |quantity: &str, show: fn(f64) -> String| {
                let values = values(observations, latency::VERB, executor, interval as f64, quantity);
                // Over processes: the longest of all, and of the others the one in the middle.
                let over_processes = if quantity == MAXIMUM { statistics::maximum } else { statistics::median };
                let mark = if quantity == MAXIMUM { "" } else { mark(&values) };
                over_processes(&values).map_or_else(|| "-".to_owned(), |value| format!("{mark}{}", show(value)))
            };
            let percentiles = latency::PERCENTILES[1..].iter().map(|(_, quantity)| cell(quantity, time));
            let percentiles: Vec<_> = percentiles.collect();
            if percentiles.iter().any(|cell| cell != "-") {
                let share = value(observations, latency::VERB, executor, interval as f64, PROCESSOR);
                // Not every system tells.
                let processor = share.map_or_else(|| "?".to_owned(), |share| format!("{:.0} %", 100.0 * share));
                table.row([executor.to_owned()].into_iter().chain(percentiles).chain([processor]));
            }
        }
        if !table.rows.is_empty() {
            for executor in executors(&rows) {
                if let Some(sent) = value(observations, latency::VERB, executor, interval as f64, SENT)
                    && sent > 1.2 * interval as f64
                {
                    table.note(format!(
                        "{executor}: the wakes came {} apart, as calling one takes so long or the sender was interrupted.",
                        time(sent)
                    ));
                }
            }
            note_marks(&mut table);
            if table.rows.iter().flatten().any(|cell| cell == "-") {
                table.note("- is a percentile of fewer wakes than it speaks of.");
            }
            tables.push(table);
        }
    }
    tables.extend(not_measured(&rows));
    tables
}

/// What one executor's figures at one interval are: p50, and where there are such p99 and the share of a processor.
pub fn summary(observations: &[Observation], executor: &str, interval: u64) -> Option<(f64, Option<f64>, Option<f64>)> {
    let of = |quantity: &str| value(observations, latency::VERB, executor, interval as f64, quantity);
    Some((of(P50)?, of(P99), of(PROCESSOR)))
}

/// The columns of a summary, and what they have in common: the interval is [`SUMMARY`].
pub const COLUMNS: [(&str, &str); 2] = [("woken every 10 µs", "µs to poll"), ("woken every 10 µs", "core, %")];

/// The figures of a summary: the median, and the share of a processor that goes with it.
pub fn summary_cells(observations: &[Observation], executor: &str) -> Option<[String; 2]> {
    let (p50, _, processor) = summary(observations, executor, SUMMARY)?;
    let mark = mark(&values(observations, latency::VERB, executor, SUMMARY as f64, P50));
    // Not every system tells.
    let processor = processor.map_or_else(|| "?".to_owned(), |share| format!("{:.0}", 100.0 * share));
    Some([format!("{mark}{}", figure(p50 / 1e3)), processor])
}

/// What those figures are, for below the table.
pub fn summary_note() -> String {
    format!(
        "Woken every {}: the median from another thread's wake to the poll, and the share of a processor core that is used for \
         it.",
        time(SUMMARY as f64)
    )
}
