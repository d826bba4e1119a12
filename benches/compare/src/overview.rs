//! `cargo compare` and nothing else: one screen that answers "which one?".

use std::time::Duration;

use harness::duel::Duel;
use harness::idle::PROCESSOR;
use harness::machine::{Machine, Source};
use harness::table::Table;
use harness::{Contender, Kind, Observation};

use crate::report::{card_cell, noise, timed, to_floor};
use crate::rows::note_marks;
use crate::session::{Names, Session};
use crate::{called, count, duel, idle, latency};

/// The workloads whose ratios fit on a screen.
const WORKLOADS: &[&str] = &["yield_one", "spawn_join", "ping_pong", "all_ready", "one_ready_100"];

/// The operations whose counts do.
const OPERATIONS: &[&str] = &["self_wake", "foreign_wake", "spawn_join"];

/// So many tasks wait while nothing happens.
const WAITING: usize = 10_000;

/// So long the ratios may take.
const TIME: Duration = Duration::from_secs(15);

/// Measures, in less than a minute.
///
/// # Errors
///
/// As [`duel::reference`], and when something fails that is not of who is measured.
pub fn measure(session: &Session<'_>) -> Result<Vec<Observation>, String> {
    let known: Vec<_> = count::operations();
    let wanted: Vec<String> = OPERATIONS.iter().map(|&name| name.to_owned()).collect();
    let names = Names::new("operation", &wanted, &[], &known)?;
    let contenders = session.admitted();
    let bar = harness::progress::progress(contenders.len());
    let mut observations = Vec::new();
    for contender in &contenders {
        bar.set_message(format!("count {}", contender.name));
        observations.extend(count::of(contender, session.all, &names)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    observations.extend(idle::measure(session, &[WAITING], 100, 1)?);
    observations.extend(latency::measure_summary(session)?);
    let tasks: Vec<_> = contenders.into_iter().filter(|contender| contender.kind == Kind::Executor).cloned().collect();
    if !tasks.is_empty() {
        let duel = Duel {
            workloads: WORKLOADS.to_vec(),
            // What the ratios are to, asked for or not.
            contenders: [vec![Contender::floor()], tasks].concat(),
            reference: duel::reference(session, None)?,
            time: TIME,
            most_processes: 3,
        };
        observations.extend(harness::duel::run(&duel, &session.watch)?.observations);
    }
    Ok(observations)
}

/// The screen.
pub fn view(session: &Session<'_>, observations: &[Observation]) -> Vec<Table> {
    let title = format!("Which one? {}; {}", Machine::this().in_words(), Source::this().in_words());
    let header = [
        "executor",
        "breaks",
        "self-wake",
        "foreign",
        "spawn",
        "yield",
        "spawn",
        "pair",
        "all",
        "1:100",
        "idle",
        "latency",
    ];
    let mut table = Table::new(title, header);
    let rankings = timed(observations, WORKLOADS);
    for contender in session.chosen.iter().filter(|contender| contender.kind == Kind::Executor) {
        let name = contender.name;
        let verdict = session.verdict(contender);
        let counts = |operation: &&str| card_cell(observations, name, operation).unwrap_or_else(|| "?".to_owned());
        let ratio = |ranking| to_floor(ranking, name).unwrap_or_else(|| "-".to_owned());
        let idle = idle::value(observations, name, WAITING, PROCESSOR);
        let idle = idle.map_or_else(|| "?".to_owned(), |share| format!("{:.0} %", 100.0 * share));
        let heard = latency::summary_cell(observations, name).unwrap_or_else(|| "?".to_owned());
        let refused = session.refusal(contender).is_some() && !session.selection.despite_failures;
        let cells: Vec<String> = if refused {
            vec![verdict.in_short()].into_iter().chain((2..header.len()).map(|_| "-".to_owned())).collect()
        } else {
            [verdict.in_short()]
                .into_iter()
                .chain(OPERATIONS.iter().map(counts))
                .chain(rankings.iter().map(ratio))
                .chain([idle, heard])
                .collect()
        };
        table.row([name.to_owned()].into_iter().chain(cells));
    }
    table.note(format!(
        "breaks: clauses of docs/conformance.md. self-wake, foreign (wake, the waking thread's part), spawn (and join): \
         instructions, atomic read-modify-writes, allocations, exact. Ratios (x) to the same work by hand, from interleaved \
         slices: yield in one task, spawn and join, a pair of tasks over a channel, all of 1,000 tasks ready, 1 ready of 101. \
         Of the floor of spawn most is malloc and free. idle: processor time used while 10,000 tasks wait and nothing \
         happens. {}.",
        latency::summary_note()
    ));
    note_marks(&mut table);
    if let Some(note) = noise(&rankings) {
        table.note(note);
    }
    for contender in &session.chosen {
        if let Some(why) = session.refusal(contender) {
            table.note(format!("{} is not measured: it {why}.", contender.name));
        }
    }
    for row in session.without_tasks("") {
        table.note(format!("{} is not on this screen: it owns no tasks.", row.executor));
    }
    if let Some(why) = observations.iter().find_map(|row| row.refusal().filter(|why| why.contains("valgrind"))) {
        table.note(why.to_owned());
    }
    let name = called::name();
    table.note(format!(
        "Deeper: `{name} count` (what a wake costs), `duel raw-waker tokio` (who is faster), `latency`, `idle`, `memory`, \
         `choose` (for your case); `{name} help` lists all."
    ));
    vec![table]
}
