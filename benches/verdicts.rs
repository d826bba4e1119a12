//! What the conformance suite says about each contender.
//!
//! Every case runs in a process of its own: some executors abort where others report, and a case that hangs is ended
//! without a trace. The process is a copy of the calling program, or of the `conform` program, told by two environment
//! variables which case it is.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use benches::for_each_executor;
use benches::pages::FAIL;
use conformance::{Case, Clause, Outcome};
use executor::BlockOn;

const EXECUTOR: &str = "WAKERS_CASE_EXECUTOR";
const CLAUSE: &str = "WAKERS_CASE_CLAUSE";

/// How long a case's process may take. Each takes milliseconds; the rest is for busy machines.
const PATIENCE: Duration = Duration::from_secs(20);

/// What stands before the outcome, in case something else is printed.
const MARK: &str = "outcome:";

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
    let (executor, clause) = (env::var(EXECUTOR).ok()?, env::var(CLAUSE).ok()?);
    let suites = suites();
    let cases = suites.iter().find(|(name, _)| *name == executor).map(|(_, cases)| cases);
    let case = cases.and_then(|cases| cases.iter().find(|case| case.clause.id == clause));
    let Some(case) = case else {
        eprintln!("error: there is no case `{clause}` of `{executor}`");
        return Some(ExitCode::FAILURE);
    };
    println!("{MARK}{}", encode(&conformance::run(*case)));
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
    let cases: Vec<_> = suites
        .iter()
        .enumerate()
        .flat_map(|(column, (name, cases))| {
            cases.iter().enumerate().map(move |(row, case)| ((row, column), *name, case.clause))
        })
        .collect();
    let (total, next, verdicts) = (cases.len(), Mutex::new(cases.into_iter()), Mutex::new(Vec::new()));
    // One less than there are processors would leave one of two idle; cases are short and mostly wait.
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| -> io::Result<()> {
                    loop {
                        let case = next.lock().expect("no worker panics").next();
                        let Some((place, executor, clause)) = case else { return Ok(()) };
                        let verdict = Verdict { executor, clause, outcome: run_case(program, executor, clause.id)? };
                        let mut verdicts = verdicts.lock().expect("no worker panics");
                        seen(verdicts.len() + 1, total, &verdict);
                        verdicts.push((place, verdict));
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no worker panics"))
    })?;
    let mut verdicts = verdicts.into_inner().expect("no worker panics");
    verdicts.sort_by_key(|(place, _)| *place);
    Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
}

fn run_case(program: &Path, executor: &str, clause: &str) -> io::Result<Outcome> {
    let mut child = Command::new(program)
        .env(EXECUTOR, executor)
        .env(CLAUSE, clause)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Panics are part of many cases; their messages would be noise.
        .stderr(Stdio::null())
        .spawn()?;
    let Some(status) = wait(&mut child)? else {
        return Ok(Outcome::Fail(format!("hangs: not done after {} s", PATIENCE.as_secs())));
    };
    let mut printed = String::new();
    child.stdout.take().expect("it is piped").read_to_string(&mut printed)?;
    match printed.lines().rev().find_map(|line| line.strip_prefix(MARK)) {
        Some(outcome) => decode(outcome).ok_or_else(|| io::Error::other(format!("not an outcome: `{outcome}`"))),
        None if status.success() => Err(io::Error::other(format!("`{}` does not run cases", program.display()))),
        None => Ok(Outcome::Fail(format!("the process ended: {}", ending(status)))),
    }
}

/// `None` when it was ended because it took too long.
fn wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        // What a case prints fits into a pipe, so it does not wait for us.
        thread::sleep(Duration::from_millis(2));
    }
}

fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.to_string()
}

fn encode(outcome: &Outcome) -> String {
    let fields = match outcome {
        Outcome::Pass => vec!["pass"],
        Outcome::Fail(why) => vec!["fail", why],
        Outcome::NotApplicable { capability, why } => vec!["n/a", capability, why],
        Outcome::Vacuous(why) => vec!["vacuous", why],
    };
    serde_json::to_string(&fields).expect("strings can be written as JSON")
}

fn decode(line: &str) -> Option<Outcome> {
    let fields: Vec<String> = serde_json::from_str(line).ok()?;
    // The texts are the suite's constants; leaking the few of a table is how they are constants here, too.
    let mut fields = fields.into_iter().map(|field| &*field.leak());
    Some(match fields.next()? {
        "pass" => Outcome::Pass,
        "fail" => Outcome::Fail(fields.next()?.to_owned()),
        "n/a" => Outcome::NotApplicable { capability: fields.next()?, why: fields.next()? },
        "vacuous" => Outcome::Vacuous(fields.next()?),
        _ => return None,
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
