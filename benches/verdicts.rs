//! What the conformance suite says about each contender.
//!
//! Every case runs in a process of its own: some executors abort where others report, and a case that hangs is ended
//! without a trace. The process is a copy of the calling program, or of the `conform` program, told by two environment
//! variables which case it is.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::thread;

use benches::for_each_executor;
use benches::pages::FAIL;
use conformance::process::{PATIENCE, answer, in_parallel, requested, run_case};
use conformance::{Case, Clause, Outcome};
use executor::BlockOn;

/// Cases whose outcome is not the same in every run or build, and why.
const VARYING: &[(&str, &str, &str)] = &[
    ("compio-executor", "T9r", JOINER_NOT_WOKEN),
    ("async-executor-local", "X17", LEFT_UNDROPPED),
    ("async-executor", "X17", LEFT_UNDROPPED),
];

const JOINER_NOT_WOKEN: &str = "**FAIL** in most runs of a debug build and few of a release build: a joiner that leaves its \
                                waker while the task completes is not woken";

const LEFT_UNDROPPED: &str = "**FAIL** in most runs: a wake that races the executor's drop leaves a future undropped, which \
                              then keeps itself and the executor's queue alive";

macro_rules! suites {
    ($($kind:ident $executor:ty,)*) => {
        /// Every executor's name and its cases.
        pub(crate) fn suites() -> Vec<(&'static str, Vec<Case>)> {
            vec![$((<$executor>::NAME, conformance::suite!($kind: $executor))),*]
        }
    };
}

for_each_executor!(suites);

/// If this process is to be a single case: runs it, prints the outcome, and says how to exit.
pub(crate) fn run_as_case() -> Option<ExitCode> {
    let (executor, clause) = requested()?;
    let suites = suites();
    let cases = suites.iter().find(|(name, _)| *name == executor).map(|(_, cases)| cases);
    let case = cases.and_then(|cases| cases.iter().find(|case| case.clause.id == clause));
    let Some(case) = case else {
        eprintln!("error: there is no case `{clause}` of `{executor}`");
        return Some(ExitCode::FAILURE);
    };
    answer(*case);
    Some(ExitCode::SUCCESS)
}

/// One contender's outcome for one clause.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// The contender's name.
    pub(crate) executor: &'static str,
    /// What was promised.
    pub(crate) clause: Clause,
    /// What was found.
    pub(crate) outcome: Outcome,
}

impl Verdict {
    /// What a cell of the table says.
    pub(crate) fn cell(&self) -> &'static str {
        match self.outcome {
            _ if self.varies().is_some() => "varies",
            Outcome::Pass => "pass",
            Outcome::Fail(_) => FAIL,
            Outcome::NotApplicable { .. } => "n/a",
            Outcome::Vacuous(_) => "vacuous",
        }
    }

    /// Why the outcome is not the same each time, if so.
    pub(crate) fn varies(&self) -> Option<&'static str> {
        let named =
            VARYING.iter().find(|(executor, clause, _)| (*executor, *clause) == (self.executor, self.clause.id));
        named.map(|(_, _, why)| *why)
    }

    /// What stands below the table about it, unless it is a pass.
    pub(crate) fn reason(&self) -> Option<String> {
        match &self.outcome {
            _ if self.varies().is_some() => self.varies().map(str::to_owned),
            Outcome::Pass => None,
            // The first line names what was broken; what follows holds counts that may differ from run to run.
            Outcome::Fail(why) => Some(format!("{FAIL}: {}", why.lines().next().unwrap_or_default())),
            Outcome::NotApplicable { capability, why } => Some(format!("n/a (`{capability}`): {why}")),
            Outcome::Vacuous(why) => Some(format!("vacuous: {why}")),
        }
    }
}

/// Runs the suite of the contenders that `wanted` accepts, each case in a process made from `program`, and calls `seen`
/// after each. Ordered by clause, then by contender.
///
/// # Errors
///
/// When `program` cannot be started or does not answer as a case does.
pub(crate) fn judge(
    program: &Path,
    wanted: impl Fn(&str) -> bool,
    seen: impl Fn(usize, usize, &Verdict) + Sync,
) -> io::Result<Vec<Verdict>> {
    let suites: Vec<_> = suites().into_iter().filter(|(name, _)| wanted(name)).collect();
    let clauses = suites.first().map_or(0, |(_, cases)| cases.len());
    // By clause and then by contender: every suite has the same clauses in the same order.
    let cases: Vec<_> =
        (0..clauses).flat_map(|row| suites.iter().map(move |(name, cases)| (*name, cases[row].clause))).collect();
    let (total, done) = (cases.len(), AtomicUsize::new(0));
    // One less than there are processors would leave one of two idle; cases are short and mostly wait.
    let workers = thread::available_parallelism().map_or(1, usize::from);
    in_parallel(workers, cases, |(executor, clause)| {
        let verdict = Verdict { executor, clause, outcome: run_case(program, executor, clause.id, PATIENCE)? };
        seen(done.fetch_add(1, Relaxed) + 1, total, &verdict);
        Ok(verdict)
    })
}

/// The outcomes as a Markdown table, clauses down and executors across, and below it why a cell is not a pass.
pub(crate) fn matrix(verdicts: &[Verdict]) -> String {
    let mut executors: Vec<_> = verdicts.iter().map(|verdict| verdict.executor).collect();
    executors.truncate(verdicts.iter().take_while(|verdict| verdict.clause == verdicts[0].clause).count());
    let mut text = format!("| clause | level | promise | {} |\n", executors.join(" | "));
    let _ = writeln!(text, "|---|---|---|{}", "---|".repeat(executors.len()));
    for row in verdicts.chunks(executors.len()) {
        let Clause { id, level, promise, .. } = row[0].clause;
        let cells: Vec<_> = row.iter().map(Verdict::cell).collect();
        let _ = writeln!(text, "| {id} | {level} | {promise} | {} |", cells.join(" | "));
    }
    for executor in executors {
        let own: Vec<_> = verdicts.iter().filter(|verdict| verdict.executor == executor).collect();
        let reasons = reasons(&own);
        if !reasons.is_empty() {
            let _ = write!(text, "\n**{executor}**\n\n{reasons}");
        }
    }
    text
}

/// A line for each reason, with the clauses that it is given for.
fn reasons(verdicts: &[&Verdict]) -> String {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for verdict in verdicts {
        let Some(reason) = verdict.reason() else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, clauses)) => clauses.push(verdict.clause.id),
            None => reasons.push((reason, vec![verdict.clause.id])),
        }
    }
    reasons.iter().fold(String::new(), |mut text, (reason, clauses)| {
        let _ = writeln!(text, "- {}: {reason}", clauses.join(", "));
        text
    })
}
