//! The answer: a sentence or two, and a small table with one figure and one unit a column.

use executor::WakeNames;
use harness::card::{ATOMICS, INSTRUCTIONS};
use harness::contender::{FLOOR, is_floor};
use harness::duel::Ranking;
use harness::idle::PROCESSOR;
use harness::memory::BYTES;
use harness::table::{Table, figure, time};
use harness::{Contender, Kind, Observation};

use super::{SIZE, WAITING, counted, names, owns_tasks, share, timed};
use crate::crossover::{self, Crossover};
use crate::matrix::filled;
use crate::programs::{self, Program};
use crate::{conform, idle, memory};

/// As many rows as are taken in at a glance.
const ROWS: usize = 8;

/// The published executors that most readers know.
const KNOWN: [&str; 2] = ["tokio", "async-executor"];

/// A task wakes itself and is polled again.
const WAKE: &str = "yield_one";

/// One of 10,000 tasks that wait is woken and polled.
const CROWD: &str = "one_ready_10000";

/// From which share on the slowest matters.
const MATTERS: f64 = 0.05;

/// Which executor to take, in two sentences.
pub(crate) fn answer(observations: &[Observation]) -> String {
    let mut sentences = Vec::new();
    let points = crossover::points(observations);
    match crossover::crossover(&points, MATTERS) {
        Crossover::From(work) => sentences.push(format!(
            "If each poll does more than about {} of work, take any of them: the slowest costs less than {:.0} % more than \
             the fastest.",
            time(work),
            100.0 * MATTERS
        )),
        Crossover::Beyond(work) => sentences.push(format!(
            "Even where each poll does {} of work, the slowest costs more than {:.0} % more than the fastest.",
            time(work),
            100.0 * MATTERS
        )),
        Crossover::NoChoice => {}
    }
    let ranking = timed(observations, &[CROWD]).remove(0);
    let of = |by_task: bool| {
        let places = ranking.iter().flat_map(|ranking| &ranking.places);
        let places = places.filter(|place| names_the_task(&place.name) == Some(by_task));
        range(places.map(|place| place.nanoseconds / 1e3).collect())
    };
    if let (Some(task), Some(other)) = (of(true), of(false)) {
        sentences.push(format!(
            "If many tasks wait, a wake must name the task: to wake and poll one of 10,000 then takes {task} µs, and {other} µs \
             where a wake names the thread or nobody."
        ));
    }
    filled("", &format!("**In short.** {}", sentences.join(" ")))
}

/// Whether a wake of the executor of that name names the task, as far as it owns tasks.
fn names_the_task(name: &str) -> Option<bool> {
    let contenders = harness::contenders();
    let contender = contenders.iter().find(|contender| contender.name == name && contender.kind == Kind::Executor)?;
    Some(contender.capabilities?.wake_names == WakeNames::Task)
}

/// The least and the most, once where they look the same.
fn range(values: Vec<f64>) -> Option<String> {
    let least = figure(harness::statistics::minimum(&values)?);
    let most = figure(harness::statistics::maximum(&values)?);
    Some(if least == most { least } else { format!("{least} to {most}") })
}

/// The strategies, the published executors that most readers know, and the same work by hand.
pub(crate) fn few(observations: &[Observation]) -> Table {
    let measured = names(observations);
    let is_ours = |name: &str| name.ends_with("-waker") && programs::of(name).is_some_and(Program::is_ours);
    let mut chosen: Vec<_> = measured.iter().copied().filter(|name| is_ours(name)).collect();
    let room = (ROWS - 1).saturating_sub(chosen.len());
    chosen.extend(KNOWN.into_iter().filter(|name| measured.contains(name)).take(room));
    chosen.extend(measured.contains(&FLOOR).then_some(FLOOR));
    table(observations, &chosen)
}

/// The same of all executors that own tasks.
pub(crate) fn all(observations: &[Observation]) -> Table {
    let chosen: Vec<_> = names(observations).into_iter().filter(|name| owns_tasks(name)).collect();
    table(observations, &chosen)
}

fn table(observations: &[Observation], chosen: &[&str]) -> Table {
    let header = [
        "executor",
        "clauses broken",
        "wake and poll, ns",
        "instructions",
        "atomics",
        "wake one of 10,000, µs",
        "core while idle, %",
        "bytes a task",
    ];
    let mut table = Table::new("", header);
    let rankings = timed(observations, &[WAKE, CROWD]);
    for &name in chosen {
        let verdict = conform::observed(observations, name);
        let nanoseconds = |ranking: &Option<Ranking>| Some(ranking.as_ref()?.place(name)?.nanoseconds);
        let count = |quantity| counted(observations, name, "self_wake", quantity);
        let cells = [
            verdict.known.then(|| verdict.others.len().to_string()),
            nanoseconds(&rankings[0]).map(figure),
            count(INSTRUCTIONS).map(|value| format!("{value:.0}")),
            count(ATOMICS).map(|value| format!("{value:.0}")),
            nanoseconds(&rankings[1]).map(|nanoseconds| figure(nanoseconds / 1e3)),
            idle::value(observations, name, WAITING, PROCESSOR).map(share),
            memory::value(observations, name, SIZE, BYTES).map(|bytes| format!("{bytes:.0}")),
        ];
        let cells = cells.map(|cell| cell.unwrap_or_default());
        table.row([label(name)].into_iter().chain(cells));
    }
    table
}

/// The name, and of ours what a wake tells the executor.
fn label(name: &str) -> String {
    if is_floor(name) {
        return "by hand, without an executor".to_owned();
    }
    let contenders = harness::contenders();
    let known = contenders.iter().find(|contender| contender.name == name);
    let Some(Contender { capabilities: Some(capabilities), .. }) = known else { return name.to_owned() };
    format!("{name}: a wake names {}", capabilities.wake_names)
}

/// What the columns are, for below the table.
pub(crate) fn legend(conformance: &str) -> String {
    filled(
        "",
        &format!(
            "Clauses broken: of [the contract]({conformance}), in a release build and in every run. Wake and poll: a task wakes \
             itself and is polled again; instructions and atomic read-modify-writes are of that. Wake one of 10,000: the same of \
             one task among 10,000 that wait. Core while idle: while those wait and nothing wakes them. Bytes a task: heap of a \
             task that waits, beyond its future of {SIZE} bytes."
        ),
    )
}
