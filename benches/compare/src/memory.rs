//! `memory`: what a task takes that only waits.

use harness::memory::{self, BLOCKS, BYTES, Plan, TASKS};
use harness::progress::progress;
use harness::table::{Table, count};
use harness::worker::Failure;
use harness::{Kind, Observation};

use crate::select::{self, executors, not_measured};
use crate::session::Session;

/// Measures everybody who was chosen and owns tasks.
///
/// # Errors
///
/// When something fails that is not of who is measured, such as a process that does not start.
pub fn measure(session: &Session<'_>) -> Result<Vec<Observation>, String> {
    let mut contenders = session.admitted();
    contenders.retain(|contender| contender.kind == Kind::Executor);
    let bar = progress(contenders.len());
    let mut observations = session.refusals(memory::VERB);
    for contender in contenders {
        bar.set_message(format!("memory {}", contender.name));
        let plan = Plan { executor: contender.name.to_owned() };
        let refused = |why| Observation::refused(memory::VERB, contender.name, "waiting", why);
        let found = memory::measure_one(&plan).map_err(|failure| failure.of(contender.name));
        observations.extend(Failure::as_finding(found, refused)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(observations)
}

/// Sizes of futures across.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == memory::VERB).collect();
    let mut sizes: Vec<f64> = rows.iter().filter_map(|row| row.parameter).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let mut tables = Vec::new();
    for quantity in [BYTES, BLOCKS] {
        let header = [String::from("executor")].into_iter().chain(sizes.iter().map(|size| format!("{size} B")));
        let title = format!("Heap: {quantity}, by the size of the future, with {} tasks", count(TASKS as f64));
        let mut table = Table::new(title, header);
        for executor in executors(&rows) {
            let cells = sizes.iter().map(|&size| value(observations, executor, size, quantity));
            let cells: Option<Vec<_>> = cells.map(|value| value.map(count)).collect();
            if let Some(cells) = cells {
                table.row([executor.to_owned()].into_iter().chain(cells));
            }
        }
        if !table.rows.is_empty() {
            tables.push(table);
        }
    }
    tables.extend(not_measured(&rows));
    tables
}

/// What was observed for a future of so many bytes.
pub fn value(observations: &[Observation], executor: &str, size: f64, quantity: &str) -> Option<f64> {
    select::value(observations, memory::VERB, executor, size, quantity)
}
