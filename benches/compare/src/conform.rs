//! `conform`: who keeps the contract, and so who is measured.
//!
//! Every case runs in a process of its own: some executors abort where others report, and a case that hangs is ended
//! without a trace. What was found is remembered until the program changes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

use broken::{Nearest, nearest};
use conformance::image::running;
use conformance::process::{Judged, PATIENCE, answer, in_parallel, requested, run_check};
use conformance::{Clause, Level, Outcome};
use harness::machine::processors;
use harness::observation::distinct;
use harness::progress::progress;
use harness::table::Table;
use harness::verdicts::{self, Row, Verdicts};
use harness::{Contender, Kind, Observation, versions};
use output::Stop;

use crate::remembered::Remembered;
use crate::select::executors;
use crate::session::Names;

/// The verb of these observations.
pub const VERB: &str = "conform";

/// What a cell says where a clause is broken.
const FAIL: &str = "**FAIL**";

/// Cases whose outcome is not the same in every run or build, and why.
const VARYING: &[(&str, &str, &str)] = &[
    ("compio-executor", "T9a", JOINER_ABORTS),
    ("compio-executor", "T9r", JOINER_NOT_WOKEN),
    ("compio-executor", "T10", ABORT_NOT_SEEN),
    ("async-executor-local", "X17", LEFT_UNDROPPED),
    ("async-executor", "X17", LEFT_UNDROPPED),
];

const JOINER_ABORTS: &str =
    "fails in some runs: the process aborts where a join waker drives the executor in its clone or drop";

const JOINER_NOT_WOKEN: &str = "fails in most runs of a debug build and few of a release build: a joiner that leaves its \
                                waker while the task completes is not woken";

const ABORT_NOT_SEEN: &str = "fails in about one run of twenty: an abort by another thread schedules the task and only then \
                              marks it cancelled; if the driver polls it in between, nobody looks again and the future stays";

const LEFT_UNDROPPED: &str = "fails in most runs: a wake that races the executor's drop leaves a future undropped, which \
                              then keeps itself and the executor's queue alive";

/// If this process runs a single case: runs it, prints the outcome, and says how to exit.
pub fn run_if_asked(contenders: &[Contender]) -> Option<ExitCode> {
    let (executor, clause) = requested()?;
    let contender = contenders.iter().find(|contender| contender.name == executor);
    let case = contender.and_then(|contender| contender.suite.iter().find(|case| case.clause.id == clause));
    let Some(case) = case else {
        return Some(Stop::Because(format!("there is no case `{clause}` of `{executor}`")).end());
    };
    answer(*case);
    Some(ExitCode::SUCCESS)
}

/// What is asked, and when that is enough.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The clauses of these names; all without.
    pub clauses: Option<Names>,
    /// The clauses of this level; all without.
    pub level: Option<Level>,
    /// Only until one is broken.
    pub fail_fast: bool,
    /// Anew, whatever is remembered.
    pub fresh: bool,
}

impl Asked {
    /// Everything, and nothing from memory.
    pub fn anew() -> Self {
        Self { fresh: true, ..Self::default() }
    }

    /// Whether this clause is asked.
    pub fn includes(&self, clause: &Clause) -> bool {
        self.clauses.as_ref().is_none_or(|names| names.include(clause.id))
            && self.level.is_none_or(|level| level == clause.level)
    }
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
    /// Whether it was found by an earlier run of this program.
    pub remembered: bool,
    /// The last lines that its process printed, where the outcome does not say all.
    pub last_words: Vec<String>,
}

impl Found {
    fn is_broken(&self) -> bool {
        matches!(self.outcome, Outcome::Fail(_))
    }

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
        varies(self.executor, self.clause.id)
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

    /// What is committed of it, unless it is a pass.
    fn verdict(&self) -> Option<verdicts::Verdict> {
        let (outcome, why) = match &self.outcome {
            _ if self.varies().is_some() => (verdicts::Outcome::Varies, self.varies().map(str::to_owned)?),
            Outcome::Pass => return None,
            // The first line names what was broken; what follows holds counts that may differ from run to run.
            Outcome::Fail(why) => (verdicts::Outcome::Fails, why.lines().next().unwrap_or_default().to_owned()),
            Outcome::NotApplicable { capability, why } => {
                (verdicts::Outcome::NotApplicable, format!("`{capability}`: {why}"))
            }
            Outcome::Vacuous(why) => (verdicts::Outcome::Vacuous, (*why).to_owned()),
        };
        Some(verdicts::Verdict { outcome, why })
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

/// Runs the suites of these contenders and reports how far it is. Ordered by clause, then by contender; where it is to
/// stop at a broken clause, the last is the first that is broken in this order.
///
/// # Errors
///
/// When this program cannot be started again or does not answer as a case does.
pub fn judge(contenders: &[&Contender], asked: &Asked) -> Result<Vec<Found>, String> {
    let program = running().map_err(|error| format!("this program cannot be started again: {error}"))?;
    let (remembered, complaint) = Remembered::of_this_program(&program);
    if let Some(complaint) = complaint {
        output::say(format_args!("note: {complaint}"));
    }
    let clauses = contenders.iter().map(|contender| contender.suite.len()).max().unwrap_or(0);
    let cases = (0..clauses).flat_map(|row| {
        contenders.iter().filter_map(move |contender| Some((contender.name, contender.suite.get(row)?.clause)))
    });
    let mut cases: Vec<_> = cases.filter(|(_, clause)| asked.includes(clause)).collect();
    let known = |executor: &str, clause: &Clause| {
        let verdict = remembered.verdict(executor, clause.id);
        verdict.filter(|_| !asked.fresh && varies(executor, clause.id).is_none())
    };
    let is_broken =
        |(executor, clause): &(&str, Clause)| matches!(known(executor, clause), Some((Outcome::Fail(_), _)));
    if let Some(first) = cases.iter().position(is_broken)
        && asked.fail_fast
    {
        cases.truncate(first + 1);
    }
    let bar = progress(cases.len());
    let (done, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    // Cases are short and mostly wait, and those that hang do nothing else until it is noticed.
    let found = in_parallel(2 * processors(), cases, |(executor, clause)| {
        // Relaxed: what was begun is waited for in any case.
        if enough.load(Relaxed) {
            return Ok(None);
        }
        let known = known(executor, &clause);
        let remembered = known.is_some();
        let (outcome, last_words, given_up) = match known {
            Some((outcome, last_words)) => (outcome, last_words.to_vec(), false),
            None => {
                let judged = run_check(&program, executor, clause.id, PATIENCE)?;
                let last_words = last_words(&judged);
                (judged.outcome, last_words, judged.given_up)
            }
        };
        // Relaxed: only counts.
        bar.set_position(done.fetch_add(1, Relaxed) as u64 + 1);
        bar.set_message(format!("conform {executor} {}", clause.id));
        let found = Found { executor, clause, outcome, remembered, last_words };
        if asked.fail_fast && found.is_broken() {
            enough.store(true, Relaxed);
        }
        Ok(Some((found, given_up)))
    });
    bar.finish_and_clear();
    let found: Vec<_> =
        found.map_err(|error| format!("a case could not be run: {error}"))?.into_iter().flatten().collect();
    keep(remembered, &found);
    let mut found: Vec<_> = found.into_iter().map(|(found, _)| found).collect();
    let (old, all) = (found.iter().filter(|found| found.remembered).count(), found.len());
    if old > 0 {
        output::say(format_args!(
            "note: {old} of {all} verdicts are remembered of this program: `--fresh` runs the suite anew"
        ));
    }
    // Others were under way, and may have been broken as well.
    if let Some(first) = found.iter().position(Found::is_broken)
        && asked.fail_fast
    {
        found.truncate(first + 1);
    }
    Ok(found)
}

/// Remembers what was found now. An executor that was given up for lack of time may keep the clause the next time.
fn keep(mut remembered: Remembered, found: &[(Found, bool)]) {
    for (found, _) in found.iter().filter(|(found, given_up)| !found.remembered && !given_up) {
        remembered.note(found.executor, found.clause.id, &found.outcome, &found.last_words);
    }
    if let Err(complaint) = remembered.keep() {
        output::say(format_args!("note: {complaint}"));
    }
}

/// The last lines of what a process printed that did not say itself how its case ended.
fn last_words(judged: &Judged) -> Vec<String> {
    let is_unsaid =
        matches!(&judged.outcome, Outcome::Fail(why) if why.starts_with("hangs") || why.starts_with("the process"));
    let last = |text: &str| {
        let lines: Vec<_> = text
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with("note: "))
            .map(str::to_owned)
            .collect();
        lines[lines.len().saturating_sub(3)..].to_vec()
    };
    if is_unsaid { [last(&judged.stdout), last(&judged.stderr)].concat() } else { Vec::new() }
}

fn varies(executor: &str, clause: &str) -> Option<&'static str> {
    let named = VARYING.iter().find(|(name, id, _)| (*name, *id) == (executor, clause));
    named.map(|(_, _, why)| *why)
}

/// What to commit: of a debug build all of it, of a release build where it differs.
pub fn to_commit(found: &[Found], known: &Verdicts) -> Verdicts {
    let of = |clause: Clause| found.iter().filter(move |other| other.clause == clause);
    let row = |clause: Clause| Row {
        clause: clause.id.to_owned(),
        level: clause.level.to_string(),
        promise: clause.promise.to_owned(),
        debug: of(clause).filter_map(|found| Some((found.executor.to_owned(), found.verdict()?))).collect(),
        release: BTreeMap::new(),
    };
    let now = Verdicts {
        executors: distinct(found.iter().map(|found| found.executor.to_owned())),
        rows: distinct(found.iter().map(|found| found.clause)).into_iter().map(row).collect(),
    };
    if cfg!(debug_assertions) { now.keeping_release(known) } else { known.with_release(&now) }
}

/// The outcomes as a Markdown table, clauses down and executors across, and below it why a cell is not a pass.
pub fn matrix(found: &[Found]) -> String {
    let mut executors: Vec<_> = found.iter().map(|found| found.executor).collect();
    executors.truncate(found.iter().take_while(|other| other.clause == found[0].clause).count());
    let mut text = format!("| clause | level | promise | {} |\n", executors.join(" | "));
    let _ = writeln!(text, "|---|---|---|{}", "---|".repeat(executors.len()));
    for row in found.chunks(executors.len()) {
        let Clause { id, level, promise, .. } = row[0].clause;
        // Who was asked no more, once a clause was broken.
        let missing = std::iter::repeat_n("-", executors.len() - row.len());
        let cells: Vec<_> = row.iter().map(Found::cell).chain(missing).collect();
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
    by_reason(found).iter().fold(String::new(), |mut text, (reason, clauses)| {
        let _ = writeln!(text, "- {}: {reason}", clauses.join(", "));
        text
    })
}

fn by_reason(found: &[&Found]) -> Vec<(String, Vec<&'static str>)> {
    let mut reasons: Vec<(String, Vec<_>)> = Vec::new();
    for found in found {
        let Some(reason) = found.reason() else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, clauses)) => clauses.push(found.clause.id),
            None => reasons.push((reason, vec![found.clause.id])),
        }
    }
    reasons
}

/// For each executor that breaks something: what and how, whom that hurt, and which exhibit of the gallery is most like
/// it. Of one alone it is also said why clauses are not applicable to it or vacuous.
pub fn findings(found: &[Found]) -> String {
    let mut executors: Vec<_> = found.iter().map(|found| found.executor).collect();
    executors.sort_unstable();
    executors.dedup();
    executors.sort_by_key(|name| found.iter().position(|found| found.executor == *name));
    let mut texts = Vec::new();
    for &executor in &executors {
        let own: Vec<_> = found.iter().filter(|found| found.executor == executor).collect();
        if own.iter().any(|found| found.is_broken()) {
            texts.push(broken_by(executor, &own));
        }
        let excused: Vec<_> = own.into_iter().filter(|found| !found.is_broken()).collect();
        let excuses = excuses(&excused);
        if executors.len() == 1 && !excuses.is_empty() {
            texts.push(excuses);
        }
    }
    texts.join("\n")
}

/// What one executor breaks.
fn broken_by(executor: &str, own: &[&Found]) -> String {
    let applies = |found: &&&Found| !matches!(found.outcome, Outcome::NotApplicable { .. });
    let broken: Vec<_> = own.iter().filter(|found| found.is_broken()).collect();
    let mut text = format!(
        "{executor} breaks {} of the {} clauses that were asked and apply to it.\n",
        broken.len(),
        own.iter().filter(applies).count()
    );
    for found in &broken {
        let Clause { id, level, promise, guards } = found.clause;
        let _ = writeln!(text, "\n{id} ({level}) {promise}");
        let Outcome::Fail(why) = &found.outcome else { continue };
        // An assertion says in the lines below what was found and what was expected.
        let _ = writeln!(text, "  broken: {}", why.lines().take(4).collect::<Vec<_>>().join("\n    "));
        for line in &found.last_words {
            let _ = writeln!(text, "  printed: {line}");
        }
        if let Some(why) = found.varies() {
            let _ = writeln!(text, "  varies: {}", why.replace("**", ""));
        }
        let _ = writeln!(text, "  guards against: {guards}");
    }
    let ids: Vec<_> = broken.iter().map(|found| found.clause.id).collect();
    let kept = own.iter().filter(|found| found.outcome == Outcome::Pass).map(|found| found.clause.id);
    let _ = writeln!(text, "\n{}", like(nearest(&ids, &kept.collect::<Vec<_>>())));
    text
}

/// Which exhibit is near, how near, and where to read about it.
fn like(nearest: Option<Nearest>) -> String {
    let Some(Nearest { exhibit, in_common, of, of_the_root }) = nearest else {
        return "No exhibit of the gallery fails one of these.".to_owned();
    };
    let how = if in_common == of {
        "which fails the same clauses".to_owned()
    } else {
        format!("with {in_common} of {of} clauses in common")
    };
    let though = if 2 * in_common < of { ", though not near" } else { "" };
    let of_which = if of_the_root { ", of those about the future of `block_on`" } else { "" };
    let (name, anchor, folder) = (exhibit.name, exhibit.anchor(), exhibit.name.replace('-', "_"));
    format!(
        "Nearest in the gallery{though}: {name}, {how}{of_which}.\n  docs/gallery.md#{anchor}\n  tests/broken/src/{folder}/broken.rs"
    )
}

/// Why clauses that are not broken are no passes, in a line for each reason.
fn excuses(found: &[&Found]) -> String {
    by_reason(found).iter().fold(String::new(), |mut text, (reason, clauses)| {
        let reason = reason.replace("**", "");
        let _ = match clauses[..] {
            [_, _, _, _, _, ..] => writeln!(text, "{} clauses: {reason}", clauses.len()),
            _ => writeln!(text, "{}: {reason}", clauses.join(", ")),
        };
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
    /// Whether it was asked only what std demands, and only until a clause was broken.
    pub gated: bool,
}

impl Verdict {
    /// Why it is not to be measured: it breaks what std demands, and [`gate`](harness::contender::gate) says why that
    /// is a reason; or nothing is known of it.
    pub fn refusal(&self) -> Option<String> {
        if !self.known {
            return Some("has no suite: nothing says that it works. `Contender::with_suite` gives it one".to_owned());
        }
        let (id, promise) = self.std.first()?;
        let promise = promise.trim_end_matches('.');
        let more = self.std.len() - 1 + self.others.len();
        Some(match more {
            _ if self.gated => format!("breaks {id} ({promise}): `conform` shows it, and what else"),
            0 => format!("breaks {id} ({promise}): `conform` shows it"),
            more => format!("breaks {id} ({promise}), and {more} more: `conform` shows it"),
        })
    }

    /// How many clauses it breaks.
    pub fn in_figures(&self) -> String {
        let broken = self.std.len() + self.others.len();
        match self.sometimes.len() {
            _ if !self.known => "unknown".to_owned(),
            _ if self.gated && broken > 0 => format!("{broken} or more"),
            _ if self.gated => "0 of std".to_owned(),
            0 => broken.to_string(),
            sometimes => format!("{broken} to {}", broken + sometimes),
        }
    }
}

/// What `docs/conformance.jsonl` says of it, which a test keeps current, or else what its suite says now, as far as
/// that decides whether it is measured: the clauses of std, until one is broken. What is remembered is asked anew if
/// `fresh`.
///
/// # Errors
///
/// When its suite has to be run and cannot be.
pub fn verdict(contender: &Contender, fresh: bool) -> Result<Verdict, String> {
    // The suite of a rung is in its own tests, and not in this program.
    if contender.kind == Kind::Floor || harness::rungs().iter().any(|rung| rung.name == contender.name) {
        return Ok(Verdict { known: true, ..Verdict::default() });
    }
    let committed = verdicts::committed();
    if committed.is_judged(contender.name) {
        let broken = committed.broken(contender.name);
        let (std, others): (Vec<_>, Vec<_>) = broken.into_iter().partition(|row| row.level == Level::Std.to_string());
        return Ok(Verdict {
            std: std.into_iter().map(|row| (row.clause.clone(), row.promise.clone())).collect(),
            others: others.into_iter().map(|row| row.clause.clone()).collect(),
            sometimes: committed.varying(contender.name),
            known: true,
            gated: false,
        });
    }
    let asked = Asked { level: Some(Level::Std), fail_fast: true, fresh, ..Asked::default() };
    let found = judge(&[contender], &asked)?;
    let broken = found.iter().filter(|found| found.is_broken());
    Ok(Verdict {
        std: broken.map(|found| (found.clause.id.to_owned(), found.clause.promise.to_owned())).collect(),
        known: !found.is_empty(),
        gated: true,
        ..Verdict::default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_say_how_it_ended_has_last_words() {
        let judged = |outcome| Judged {
            outcome,
            given_up: false,
            stdout: "1\n2\n\n3\n4".to_owned(),
            stderr: "panicked\nnote: run with something\naborting".to_owned(),
        };
        let unsaid = judged(Outcome::Fail("the process ended: signal 6".to_owned()));
        assert_eq!(last_words(&unsaid), ["2", "3", "4", "panicked", "aborting"]);
        assert!(last_words(&judged(Outcome::Fail("it was not woken".to_owned()))).is_empty());
        assert!(last_words(&judged(Outcome::Pass)).is_empty());
    }

    #[test]
    fn the_gate_says_no_more_than_it_has_asked() {
        let broken = vec![("X8".to_owned(), "A wake survives.".to_owned())];
        let gated = Verdict { known: true, gated: true, std: broken, ..Verdict::default() };
        assert_eq!(gated.refusal().as_deref(), Some("breaks X8 (A wake survives): `conform` shows it, and what else"));
        assert_eq!(gated.in_figures(), "1 or more");
        assert_eq!(Verdict { std: Vec::new(), ..gated.clone() }.in_figures(), "0 of std");
        let sometimes = vec!["X17".to_owned()];
        assert_eq!(Verdict { gated: false, sometimes, ..gated }.in_figures(), "1 to 2");
    }
}
