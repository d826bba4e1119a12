//! `idle`: what is done while nothing happens.

use harness::idle::{self, POLLS, PROCESSOR, Plan, SWITCHES, TASKS, WAKE};
use harness::progress::progress;
use harness::table::{Table, count, figure, time};
use harness::worker::Failure;
use harness::{Kind, Observation};

use crate::select::{self, executors, mark, not_measured, note_marks};
use crate::session::Session;

/// Measures everybody who was chosen and owns tasks, with so many tasks.
///
/// # Errors
///
/// When something fails that is not of who is measured, such as a process that does not start.
pub fn measure(
    session: &Session<'_>,
    tasks: &[usize],
    milliseconds: u64,
    processes: u32,
) -> Result<Vec<Observation>, String> {
    let mut contenders = session.admitted();
    contenders.retain(|contender| contender.kind == Kind::Executor);
    let bar = progress(contenders.len() * tasks.len() * processes as usize);
    let mut observations = session.refusals(idle::VERB);
    // By process first, so that a time of disturbance does not meet one contender alone.
    for process in 0..processes {
        for &tasks in tasks {
            for contender in &contenders {
                bar.set_message(format!("idle {} with {tasks} tasks", contender.name));
                let plan = Plan { executor: contender.name.to_owned(), tasks, milliseconds, process };
                let refused = |why| Observation::refused(idle::VERB, contender.name, "waiting", why).at(tasks as f64);
                let found = session.watch.over(|| idle::measure_one(&plan));
                let found = found.map_err(|failure| failure.of(contender.name));
                observations.extend(Failure::as_finding(found, refused)?);
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    Ok(observations)
}

/// One table for each number of tasks.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == idle::VERB).collect();
    let mut tables = Vec::new();
    for &tasks in TASKS {
        let title = format!("{} and nothing happens, for each second; and then", waiting(tasks));
        let mut table =
            Table::new(title, ["executor", "polls", "processor", "voluntary switches", "to wake one and hear from it"]);
        for executor in executors(&rows) {
            let cell = |quantity: &str, show: fn(f64) -> String| {
                let values = select::values(observations, idle::VERB, executor, tasks as f64, quantity);
                // Of the others a little more than nothing is many times as much, and says the same.
                let mark = if quantity == WAKE { mark(&values) } else { "" };
                let value = value(observations, executor, tasks, quantity);
                value.map_or_else(|| "?".to_owned(), |value| format!("{mark}{}", show(value)))
            };
            let cells = [
                cell(POLLS, figure),
                cell(PROCESSOR, |share| format!("{:.1} %", 100.0 * share)),
                cell(SWITCHES, figure),
                cell(WAKE, time),
            ];
            if cells.iter().any(|cell| cell != "?") {
                table.row([executor.to_owned()].into_iter().chain(cells));
            }
        }
        if !table.rows.is_empty() {
            note_marks(&mut table);
            if table.rows.iter().flatten().any(|cell| cell == "?") {
                table.note("? is what only Linux tells.");
            }
            tables.push(table);
        }
    }
    tables.extend(not_measured(&rows));
    tables
}

/// The median over processes.
pub fn value(observations: &[Observation], executor: &str, tasks: usize, quantity: &str) -> Option<f64> {
    select::value(observations, idle::VERB, executor, tasks as f64, quantity)
}

fn waiting(tasks: usize) -> String {
    if tasks == 1 { "1 task waits".to_owned() } else { format!("{} tasks wait", count(tasks as f64)) }
}
