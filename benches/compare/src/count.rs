//! `count`: the wake cost card.

use harness::card::{self, ALLOCATIONS, APPROXIMATE, ATOMICS, BYTES, INSTRUCTIONS, POLLS, Plan, SYSTEM_CALLS};
use harness::progress::progress;
use harness::table::{Table, count};
use harness::worker::Failure;
use harness::{Contender, Observation};
use workloads::card::OPERATIONS;

use crate::select;
use crate::session::{Names, Session};

/// The names of the operations.
pub fn operations() -> Vec<&'static str> {
    OPERATIONS.iter().map(|operation| operation.id).collect()
}

/// Counts, for everybody who was chosen, as often as `passes` says: what is not the same each time is marked. What
/// cannot be counted has a row that says why.
///
/// # Errors
///
/// When an operation is asked for that there is not; when something fails that is not of who is counted, such as a
/// broken valgrind. Where there is none at all, the rows say so.
pub fn measure(session: &Session<'_>, passes: usize) -> Result<Vec<Observation>, String> {
    let names = session.workloads(&operations())?;
    let contenders = session.admitted();
    let bar = progress(contenders.len() * passes);
    let mut observations = session.refusals(card::VERB);
    for contender in contenders {
        bar.set_message(format!("count {}", contender.name));
        let mut first = of(contender, session.all, &names)?;
        bar.inc(1);
        for _ in 1..passes {
            card::compare_passes(&mut first, &of(contender, session.all, &names)?);
            bar.inc(1);
        }
        observations.extend(first);
    }
    bar.finish_and_clear();
    Ok(observations)
}

/// Whether anything was counted.
///
/// # Errors
///
/// When nothing was, and not because all of it breaks the contract.
pub fn require_some(session: &Session<'_>, observations: &[Observation]) -> Result<(), String> {
    // Who breaks the contract was not counted for that.
    let gated = session.refusals(card::VERB);
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == card::VERB && !gated.contains(row)).collect();
    match select::refused(&rows).first() {
        Some((_, why)) if rows.iter().all(|row| row.refusal().is_some()) => Err(format!("nothing was counted: {why}")),
        _ => Ok(()),
    }
}

/// Counts, for one contender.
///
/// # Errors
///
/// As [`measure`].
pub fn of(contender: &Contender, all: &[Contender], names: &Names) -> Result<Vec<Observation>, String> {
    let counted = contender.counts.iter().map(|count| count.operation).filter(|operation| names.include(operation.id));
    // A thread that spins while it waits counts how long it waited.
    let counted = counted.filter(|operation| operation.exact || contender.parks());
    let plan = Plan {
        executor: contender.name.to_owned(),
        operations: counted.map(|operation| operation.id.to_owned()).collect(),
    };
    if plan.operations.is_empty() {
        return Ok(Vec::new());
    }
    let refused = |why| Observation::refused(card::VERB, contender.name, "", why);
    // First without valgrind: what fails there is the contender's.
    let allocations = match card::measure_allocations(&plan) {
        Err(Failure::Found(why)) => return Ok(vec![refused(why)]),
        found => Failure::as_finding(found.map_err(|failure| failure.of(contender.name)), refused)?,
    };
    let instructions = match card::valgrind() {
        Err(why) if card::valgrind_is_missing() => vec![refused(why)],
        Err(why) => return Err(why),
        Ok(_) => {
            let found = card::measure_instructions(&plan, all);
            Failure::as_finding(found.map_err(|failure| failure.of(contender.name)), refused)?
        }
    };
    Ok([instructions, allocations].concat())
}

/// One table for each operation.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    const QUANTITIES: [(&str, &str); 6] = [
        (INSTRUCTIONS, "instructions"),
        (ATOMICS, "atomics"),
        (ALLOCATIONS, "allocations"),
        (BYTES, "bytes"),
        (SYSTEM_CALLS, "system calls"),
        (POLLS, "polls"),
    ];
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == card::VERB).collect();
    let mut tables = Vec::new();
    for operation in OPERATIONS {
        let header = ["executor"].into_iter().chain(QUANTITIES.map(|(_, name)| name));
        let mut table = Table::new(format!("{}: {}", operation.id, operation.title), header);
        let own: Vec<_> = rows.iter().copied().filter(|row| row.subject == operation.id).collect();
        for executor in select::executors(&own) {
            let cell = |quantity| {
                let found = own.iter().find(|row| row.executor == executor && row.quantity == quantity);
                found.map_or_else(String::new, |row| {
                    let about = if row.note.as_deref() == Some(APPROXIMATE) { "~" } else { "" };
                    format!("{about}{}", count(row.value))
                })
            };
            table.row([executor.to_owned()].into_iter().chain(QUANTITIES.map(|(quantity, _)| cell(quantity))));
        }
        if own.iter().any(|row| row.note.as_deref() == Some(APPROXIMATE)) {
            table.note("~ depends on chance, such as when two threads run: another run gives another figure");
        }
        if !table.rows.is_empty() {
            tables.push(table);
        }
    }
    let refused = select::refused(&rows);
    let everybody = refused.iter().all(|(_, why)| *why == refused[0].1) && refused.len() > 1;
    if everybody {
        tables.push(Table { notes: vec![refused[0].1.to_owned()], ..Table::new("Not counted", ["executor"]) });
    } else if !refused.is_empty() {
        let mut table = Table::new("Not counted", ["executor", "why"]);
        refused.iter().for_each(|(executor, why)| table.row([*executor, *why]));
        tables.push(table);
    }
    tables
}
