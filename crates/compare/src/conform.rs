//! `conform`: who keeps the contract, and so who is measured.
//!
//! Every case runs in a process of its own: some executors abort where others report, and a case that hangs is ended
//! without a trace.

use std::env;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::*};

use conformance::process::{PATIENCE, answer, in_parallel, requested, run_case};
use conformance::{Clause, Level, Outcome};
use harness::machine::processors;
use harness::pages::{self, FAIL};
use harness::progress::progress;
use harness::table::Table;
use harness::{Contender, Kind, Observation, versions};

use crate::rows::executors;

/// The verb of these observations.
pub const VERB: &str = "conform";

/// Cases whose outcome is not the same in every run or build, and why.
const VARYING: &[(&str, &str, &str)] = &[
    ("compio-executor", "T9r", JOINER_NOT_WOKEN),
    ("compio-executor", "T10", ABORT_NOT_SEEN),
    ("async-executor-local", "X17", LEFT_UNDROPPED),
    ("async-executor", "X17", LEFT_UNDROPPED),
];

const JOINER_NOT_WOKEN: &str = "**FAIL** in most runs of a debug build and few of a release build: a joiner that leaves its \
                                waker while the task completes is not woken";

const ABORT_NOT_SEEN: &str = "**FAIL** in about one run of twenty: an abort by another thread schedules the task and only then \
                              marks it cancelled; if the driver polls it in between, nobody looks again and the future stays";

const LEFT_UNDROPPED: &str = "**FAIL** in most runs: a wake that races the executor's drop leaves a future undropped, which \
                              then keeps itself and the executor's queue alive";

/// If this process is to be a single case: runs it, prints the outcome, and says how to exit.
pub fn run_if_asked(contenders: &[Contender]) -> Option<ExitCode> {
    let (executor, clause) = requested()?;
    let contender = contenders.iter().find(|contender| contender.name == executor);
    let case = contender.and_then(|contender| contender.suite.iter().find(|case| case.clause.id == clause));
    let Some(case) = case else {
        eprintln!("error: there is no case `{clause}` of `{executor}`");
        return Some(ExitCode::FAILURE);
    };
    answer(*case);
    Some(ExitCode::SUCCESS)
}

/// One contender's outcome for one clause.
#[derive(Clone, Debug)]
pub struct Found {
    /// The contender's name.
    pub executor: &'static str,
    /// What was promised.
    pub clause: Clause,
    /// What was found.
    pub outcome: Outcome,
}

impl Found {
    /// What a cell of the table says.
    pub fn cell(&self) -> &'static str {
        match self.outcome {
            _ if self.varies().is_some() => "varies",
            Outcome::Pass => "pass",
            Outcome::Fail(_) => FAIL,
            Outcome::NotApplicable { .. } => "n/a",
            Outcome::Vacuous(_) => "vacuous",
        }
    }

    /// Why the outcome is not the same each time, if so.
    pub fn varies(&self) -> Option<&'static str> {
        let named =
            VARYING.iter().find(|(executor, clause, _)| (*executor, *clause) == (self.executor, self.clause.id));
        named.map(|(_, _, why)| *why)
    }

    /// What stands below the table about it, unless it is a pass.
    pub fn reason(&self) -> Option<String> {
        match &self.outcome {
            _ if self.varies().is_some() => self.varies().map(str::to_owned),
            Outcome::Pass => None,
            // The first line names what was broken; what follows holds counts that may differ from run to run.
            Outcome::Fail(why) => Some(format!("{FAIL}: {}", why.lines().next().unwrap_or_default())),
            Outcome::NotApplicable { capability, why } => Some(format!("n/a (`{capability}`): {why}")),
            Outcome::Vacuous(why) => Some(format!("vacuous: {why}")),
        }
    }

    /// The row of it.
    pub fn observation(&self) -> Observation {
        let value = if matches!(self.outcome, Outcome::Fail(_)) { 0.0 } else { 1.0 };
        let row = Observation::new(VERB, self.executor, self.clause.id, "kept", value);
        match &self.outcome {
            Outcome::Pass => row,
            outcome => row.noting(outcome.to_string()),
        }
    }
}

/// Runs the suites of these contenders and reports how far it is. Ordered by clause, then by contender.
///
/// # Errors
///
/// When this program cannot be started again or does not answer as a case does.
pub fn judge(contenders: &[&Contender]) -> Result<Vec<Found>, String> {
    let program = env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))?;
    let clauses = contenders.iter().map(|contender| contender.suite.len()).max().unwrap_or(0);
    let cases: Vec<_> = (0..clauses)
        .flat_map(|row| {
            contenders.iter().filter_map(move |contender| Some((contender.name, contender.suite.get(row)?.clause)))
        })
        .collect();
    let bar = progress(cases.len());
    let done = AtomicUsize::new(0);
    // Cases are short and mostly wait, so no processor is left out for this thread.
    let found = in_parallel(processors(), cases, |(executor, clause)| {
        let outcome = run_case(&program, executor, clause.id, PATIENCE)?.outcome;
        // Relaxed: only counts.
        bar.set_position(done.fetch_add(1, Relaxed) as u64 + 1);
        bar.set_message(format!("conform {executor} {}", clause.id));
        Ok(Found { executor, clause, outcome })
    });
    bar.finish_and_clear();
    found.map_err(|error| format!("a case could not be run: {error}"))
}

/// The outcomes as a Markdown table, clauses down and executors across, and below it why a cell is not a pass.
pub fn matrix(found: &[Found]) -> String {
    let mut executors: Vec<_> = found.iter().map(|found| found.executor).collect();
    executors.truncate(found.iter().take_while(|other| other.clause == found[0].clause).count());
    let mut text = format!("| clause | level | promise | {} |\n", executors.join(" | "));
    let _ = writeln!(text, "|---|---|---|{}", "---|".repeat(executors.len()));
    for row in found.chunks(executors.len()) {
        let Clause { id, level, promise, .. } = row[0].clause;
        let cells: Vec<_> = row.iter().map(Found::cell).collect();
        let _ = writeln!(text, "| {id} | {level} | {promise} | {} |", cells.join(" | "));
    }
    for executor in executors {
        let own: Vec<_> = found.iter().filter(|found| found.executor == executor).collect();
        let reasons = reasons(&own);
        if !reasons.is_empty() {
            let _ = write!(text, "\n**{}**\n\n{reasons}", versions::named(executor));
        }
    }
    text
}

/// A line for each reason, with the clauses that it is given for.
fn reasons(found: &[&Found]) -> String {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for found in found {
        let Some(reason) = found.reason() else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, clauses)) => clauses.push(found.clause.id),
            None => reasons.push((reason, vec![found.clause.id])),
        }
    }
    reasons.iter().fold(String::new(), |mut text, (reason, clauses)| {
        let _ = writeln!(text, "- {}: {reason}", clauses.join(", "));
        text
    })
}

/// What is known about how one contender keeps the contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The clauses of std that it breaks, with what they promise.
    pub std: Vec<(String, String)>,
    /// Other clauses that it breaks.
    pub others: Vec<String>,
    /// Clauses that it breaks in some runs.
    pub sometimes: Vec<String>,
    /// Whether there is anything to go by.
    pub known: bool,
}

impl Verdict {
    /// Why it is not to be measured: it breaks what std demands, and [`gate`](harness::contender::gate) says why that is a
    /// reason; or nothing is known of it.
    pub fn refusal(&self) -> Option<String> {
        if !self.known {
            return Some("has no suite: nothing says that it works. `Contender::with_suite` gives it one".to_owned());
        }
        let (id, promise) = self.std.first()?;
        let more = self.std.len() - 1 + self.others.len();
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        Some(format!("breaks {id} ({}){more}: `conform` shows it", promise.trim_end_matches('.')))
    }

    /// What it breaks, in a few characters.
    pub fn in_short(&self) -> String {
        let broken: Vec<_> = self.std.iter().map(|(id, _)| id.clone()).chain(self.others.clone()).collect();
        let list = |ids: &[String]| {
            let shown = ids[..ids.len().min(2)].join(" ");
            if ids.len() > 2 { format!("{shown} +{}", ids.len() - 2) } else { shown }
        };
        match (broken.len(), self.sometimes.len()) {
            _ if !self.known => "unknown".to_owned(),
            (0, 0) => "nothing".to_owned(),
            (0, _) => format!("at times {}", list(&self.sometimes)),
            _ => list(&broken),
        }
    }
}

/// What `docs/conformance.md` says of it, which a test keeps current, or else what its suite says now.
///
/// # Errors
///
/// When its suite has to be run and cannot be.
pub fn verdict(contender: &Contender) -> Result<Verdict, String> {
    if contender.kind == Kind::Floor {
        return Ok(Verdict { known: true, ..Verdict::default() });
    }
    if pages::is_judged(contender.name) {
        let (std, others): (Vec<_>, Vec<_>) =
            pages::broken(contender.name).into_iter().partition(|clause| clause.level == Level::Std.to_string());
        return Ok(Verdict {
            std: std.into_iter().map(|clause| (clause.id, clause.promise)).collect(),
            others: others.into_iter().map(|clause| clause.id).collect(),
            sometimes: pages::varying(contender.name),
            known: true,
        });
    }
    let found = judge(&[contender])?;
    let broken = found.iter().filter(|found| matches!(found.outcome, Outcome::Fail(_)));
    let (std, others): (Vec<_>, Vec<_>) = broken.partition(|found| found.clause.level == Level::Std);
    Ok(Verdict {
        std: std.iter().map(|found| (found.clause.id.to_owned(), found.clause.promise.to_owned())).collect(),
        others: others.iter().map(|found| found.clause.id.to_owned()).collect(),
        sometimes: Vec::new(),
        known: !found.is_empty(),
    })
}

/// What the observations say of one executor. Whether a clause is std's does not stand in them.
pub fn observed(observations: &[Observation], executor: &str) -> Verdict {
    let own: Vec<_> = observations.iter().filter(|row| row.verb == VERB && row.executor == executor).collect();
    let varies = |id: &str| VARYING.iter().any(|(name, clause, _)| (*name, *clause) == (executor, id));
    let broken = own.iter().filter(|row| row.value == 0.0 && !varies(&row.subject));
    let sometimes = own.iter().filter(|row| varies(&row.subject));
    Verdict {
        others: broken.map(|row| row.subject.clone()).collect(),
        sometimes: sometimes.map(|row| row.subject.clone()).collect(),
        known: !own.is_empty(),
        ..Verdict::default()
    }
}

/// For each executor how many clauses it keeps, and which it breaks.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == VERB).collect();
    let mut table =
        Table::new("Conformance: clauses of the contract", ["executor", "kept", "not applicable", "broken", "which"]);
    for executor in executors(&rows) {
        let own: Vec<_> = rows.iter().filter(|row| row.executor == executor).collect();
        let broken: Vec<_> = own.iter().filter(|row| row.value == 0.0).map(|row| &*row.subject).collect();
        let excused = own.iter().filter(|row| row.note.as_ref().is_some_and(|note| note.starts_with("N/A"))).count();
        table.row([
            executor.to_owned(),
            (own.len() - broken.len() - excused).to_string(),
            excused.to_string(),
            broken.len().to_string(),
            broken.join(" "),
        ]);
    }
    if table.rows.is_empty() { Vec::new() } else { vec![table] }
}
