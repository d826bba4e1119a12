//! The command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, value_parser};
use harness::contender::{FLOOR, FLOOR_WITHOUT_ALLOCATOR};
use harness::duel::{Duel, HEADLINES};
use harness::quiet::{self, Watch};
use harness::table::{Format, paragraphs};
use harness::verdicts::{self, Verdicts};
use harness::{Contender, Observation, pages, worker};
use output::Stop;

use crate::baseline::{self, Check};
use crate::choose::Questions;
use crate::options::{Executors, Freshness, Measured, Options as _, Shown, Workloads};
use crate::record::Record;
use crate::session::{Names, PATIENCE, Selection, Session};
use crate::{
    called, choose, conform, count, crossover, diff, duel, footprint, idle, junit, latency, memory, overview, record,
    report,
};

/// Compares executors: whether they keep the contract, what a wake costs, who is faster, what they do when idle.
///
/// Without a verb: one screen that answers "which one?", in less than a minute.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    measured: Measured,
}

/// For whatever is timed.
#[derive(Args, Clone, Copy, Debug, Default)]
struct Patience {
    /// Seconds, in all, to wait for moments at which nothing else keeps the machine busy; 30 without, for a record 300
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(..=MOST_SECONDS))]
    wait: Option<u64>,
}

/// No more than this is worth waiting for.
const MOST_SECONDS: u64 = 86_400;
const MOST_PROCESSES: i64 = 1_000;

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the conformance suite: clause by clause, who keeps the contract
    Conform {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// Only clauses whose id is this, or contains what this regular expression matches
        #[arg(long, value_name = "REGEX")]
        clause: Vec<String>,
        /// Stop at the first broken clause
        #[arg(long)]
        fail_fast: bool,
        /// Compare the verdicts on everybody with those that were committed; fail where one differs
        #[arg(long, conflicts_with_all = ["executors", "executor", "not_executor", "clause", "fail_fast", "format"])]
        check: bool,
        /// Commit the verdicts on everybody: write docs/conformance.jsonl
        #[arg(long, conflicts_with_all = ["executors", "executor", "not_executor", "clause", "fail_fast", "format", "check"])]
        commit: bool,
        #[command(flatten)]
        named: Executors,
        #[command(flatten)]
        shown: Shown,
        #[command(flatten)]
        freshness: Freshness,
    },
    /// Count what an operation costs: instructions, atomics, allocations, system calls, polls
    Count {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// Compare the strategies' counts with those that were committed for such a machine; fail where one differs
        #[arg(long)]
        check: bool,
        /// Commit the strategies' counts: write the file that `--check` compares with
        #[arg(long, conflicts_with_all = ["check", "format"])]
        commit: bool,
        #[command(flatten)]
        workloads: Workloads,
        #[command(flatten)]
        measured: Measured,
    },
    /// Time executors against one another, in rotated slices of microseconds, until the order is settled
    Duel {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// Seconds after which no other process is begun; seven are in any case, which takes a second for each workload
        #[arg(long, default_value_t = 60, value_parser = value_parser!(u64).range(1..=MOST_SECONDS))]
        seconds: u64,
        /// To whom all are compared: it takes part twice, to show the noise
        #[arg(long)]
        reference: Option<String>,
        /// Every workload, not only the headlines
        #[arg(long, conflicts_with = "workload")]
        all: bool,
        #[command(flatten)]
        patience: Patience,
        #[command(flatten)]
        workloads: Workloads,
        #[command(flatten)]
        measured: Measured,
    },
    /// Measure the way from another thread's wake to the poll, and the processor time spent waiting
    Latency {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// Fresh processes for each figure
        #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=MOST_PROCESSES))]
        processes: u32,
        #[command(flatten)]
        patience: Patience,
        #[command(flatten)]
        measured: Measured,
    },
    /// Watch executors while nothing happens, with up to 100,000 tasks that wait
    Idle {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// Fresh processes for each figure
        #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=MOST_PROCESSES))]
        processes: u32,
        #[command(flatten)]
        patience: Patience,
        #[command(flatten)]
        measured: Measured,
    },
    /// Find from how much work in a poll on the choice does not matter
    Crossover {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// About how long it takes
        #[arg(long, default_value_t = 60, value_parser = value_parser!(u64).range(1..=MOST_SECONDS))]
        seconds: u64,
        #[command(flatten)]
        patience: Patience,
        #[command(flatten)]
        measured: Measured,
    },
    /// Weigh a task that waits, for several sizes of its future
    Memory {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        #[command(flatten)]
        measured: Measured,
    },
    /// Find an executor for your case: asks for what is not said
    Choose {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        #[command(flatten)]
        questions: Questions,
        #[command(flatten)]
        measured: Measured,
    },
    /// Find out what an executor is made of: lines, unsafe, dependencies, a cold build, machine code
    #[command(alias = "static")]
    Footprint {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        #[command(flatten)]
        patience: Patience,
        #[command(flatten)]
        named: Executors,
        #[command(flatten)]
        shown: Shown,
    },
    /// Measure everything and keep it in docs/results; goes on where it was interrupted
    Record {
        /// The name of the record; the date and the commit without
        #[arg(long)]
        name: Option<String>,
        /// Less time for each figure: minutes, and noisy
        #[arg(long)]
        quick: bool,
        /// Remove what was recorded under that name and begin again
        #[arg(long)]
        anew: bool,
        /// Below which folder; docs/results of the checkout that the current directory lies in without
        #[arg(long, value_name = "FOLDER")]
        into: Option<PathBuf>,
        /// Only steps whose name is this, or contains what this regular expression matches; the rest another time
        #[arg(long, value_name = "REGEX")]
        step: Vec<String>,
        /// Not these
        #[arg(long, value_name = "REGEX")]
        not_step: Vec<String>,
        #[command(flatten)]
        patience: Patience,
        #[command(flatten)]
        named: Executors,
        #[command(flatten)]
        freshness: Freshness,
    },
    /// Write docs/results.md, its pictures and the tables in other pages from a record; measures nothing
    Report {
        /// The record's folder or its name; without, the newest in docs/results that is complete, of the whole line-up
        /// and not quick
        folder: Option<String>,
        /// Of which folder the pages are; without, of the checkout that the current directory lies in
        #[arg(long, value_name = "FOLDER")]
        into: Option<PathBuf>,
        /// Also from a record that is damaged, quick, not complete or not of the whole line-up
        #[arg(long)]
        force: bool,
        /// Only say where the pages are not what the record says
        #[arg(long)]
        check: bool,
    },
    /// Compare two records: what changed by more than the noise
    Diff {
        /// The folder or the name of the record before
        old: String,
        /// The folder or the name of the record after
        new: String,
        #[command(flatten)]
        shown: Shown,
    },
}

/// Does what the command line says.
pub fn main(contenders: &[Contender]) -> ExitCode {
    if let Some(code) = conform::run_if_asked(contenders) {
        return code;
    }
    if let Some(code) = worker::run_if_asked(|| [contenders, &harness::rungs()].concat()) {
        return code;
    }
    let name = called::name();
    let words = [name.into()].into_iter().chain(called::arguments());
    let matches = Arguments::command().name(name).bin_name(name).try_get_matches_from(words);
    let done = match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => run(arguments, contenders),
        Err(error) => refuse(&error, contenders),
    };
    done.unwrap_or_else(|stop| stop.end())
}

/// Says what is wrong with the arguments, or the help that they ask for.
fn refuse(error: &clap::Error, contenders: &[Contender]) -> Result<ExitCode, Stop> {
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(verb))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
        && let Some(hint) = hint(verb, contenders)
    {
        let name = called::name();
        return Err(Stop::Because(format!("there is no verb `{verb}`, {hint}? `{name} help` lists the verbs")));
    }
    error.print()?;
    // Whatever is still kept back.
    output::print("")?;
    Ok(ExitCode::from(if error.use_stderr() { output::FAILED } else { 0 }))
}

/// What somebody may have meant who named something else where a verb belongs.
fn hint(word: &str, contenders: &[Contender]) -> Option<String> {
    let name = called::name();
    let did_you_mean = |what: &str, command: &str| format!("which is {what}: did you mean `{name} {command}`");
    if contenders.iter().any(|contender| contender.name == word) {
        let meant = did_you_mean("an executor", &format!("count {word}"));
        return Some(format!("{meant}, or `{name} --executor {word}` for the screen with it alone"));
    }
    if duel::workloads(contenders).contains(&word) {
        return Some(did_you_mean("a workload", &format!("duel --workload {word}")));
    }
    let clauses = contenders.iter().flat_map(|contender| &contender.suite).map(|case| case.clause.id);
    if clauses.into_iter().any(|id| id.eq_ignore_ascii_case(word)) {
        return Some(did_you_mean("a clause", &format!("conform --clause {}", word.to_uppercase())));
    }
    None
}

fn run(arguments: Arguments, contenders: &[Contender]) -> Result<ExitCode, Stop> {
    let Arguments { verb, patience, measured } = arguments;
    let mut selection = Selection::default();
    match &verb {
        None => measured.apply(&mut selection),
        Some(verb) => verb.apply(&mut selection),
    }
    if selection.format == Format::Junit && !matches!(verb, Some(Verb::Conform { .. })) {
        return Err("`--format junit` is for `conform`: nothing else has tests that pass or fail".into());
    }
    if matches!(verb, Some(Verb::Record { .. } | Verb::Duel { .. })) && !selection.executor.is_empty() {
        // Ratios to it are what is shown, and what records are compared by.
        selection.executor.extend([FLOOR, FLOOR_WITHOUT_ALLOCATOR].map(str::to_owned));
    }
    let rungs = if matches!(verb, Some(Verb::Count { .. })) { harness::rungs() } else { Vec::new() };
    let contenders = &[contenders, &rungs].concat();
    let mut session = Session::new(contenders, selection)?;
    session.watch = Watch::new(wait(verb.as_ref(), patience));
    let Some(verb) = verb else {
        session.require_tasks("the screen")?;
        session.gate()?;
        let observations = overview::measure(&session)?;
        session.show(overview::view(&session, &observations), &observations)?;
        return Ok(ExitCode::SUCCESS);
    };
    match verb {
        Verb::Conform { check, commit, .. } if check || commit => return verdicts(&session, commit),
        Verb::Conform { clause, fail_fast, .. } => return conform(&session, &clause, fail_fast),
        Verb::Count { check, commit, .. } => {
            session.gate()?;
            if commit || check {
                session.chosen.retain(|contender| baseline::is_ours(contender.name));
            }
            // Committed is only what is the same each time, so it had better be looked at more than once.
            if commit {
                baseline::place()?;
            }
            let observations = count::measure(&session, if commit { 4 } else { 2 })?;
            if commit {
                output::line(format_args!("written: {}", baseline::write(&observations)?.display()))?;
            } else if check {
                return check_counts(&session, &observations);
            } else {
                session.show(count::view(&observations), &observations)?;
                count::require_some(&session, &observations)?;
            }
        }
        Verb::Duel { seconds, reference, all, .. } => {
            session.gate()?;
            duel(&session, seconds, reference.as_deref(), all)?;
        }
        Verb::Latency { processes, .. } => {
            session.gate()?;
            let observations = latency::measure(&session, harness::latency::INTERVALS, processes)?;
            session.show(latency::view(&observations), &observations)?;
        }
        Verb::Idle { processes, .. } => {
            session.require_tasks("`idle`")?;
            session.gate()?;
            let observations = idle::measure(&session, harness::idle::TASKS, 500, processes)?;
            let observations = [session.without_tasks(harness::idle::VERB), observations].concat();
            session.show(idle::view(&observations), &observations)?;
        }
        Verb::Crossover { seconds, .. } => {
            session.require_tasks("`crossover`")?;
            session.gate()?;
            let observations = crossover::measure(&session, seconds)?;
            let observations = [session.without_tasks(crossover::VERB), observations].concat();
            session.show(crossover::view(&observations), &observations)?;
        }
        Verb::Memory { .. } => {
            session.require_tasks("`memory`")?;
            session.gate()?;
            let observations = memory::measure(&session)?;
            let observations = [session.without_tasks(harness::memory::VERB), observations].concat();
            session.show(memory::view(&observations), &observations)?;
        }
        Verb::Choose { questions, .. } => {
            session.gate()?;
            choose(&session, &questions)?;
        }
        Verb::Footprint { .. } => {
            let observations = footprint::measure(&session)?;
            session.show(footprint::view(&observations), &observations)?;
        }
        Verb::Record { name, quick, anew, into, step, not_step, .. } => {
            session.gate()?;
            let request = record::Request { name, quick, anew, into, steps: step, not_steps: not_step };
            let record::Recorded { folder, lacks } = record::record(&session, &request)?;
            let (folder, name) = (folder.display(), called::name());
            let sentence = match &lacks[..] {
                [] => format!("Recorded in {folder}: `{name} report {folder}` writes the pages from it."),
                _ => format!("Recorded in {folder}. No pages are made of it by itself: {}.", lacks.join("; ")),
            };
            output::line(paragraphs(&sentence))?;
        }
        Verb::Report { folder, check, into, force } => return report(folder.as_deref(), check, into, force),
        Verb::Diff { old, new, .. } => {
            let (old, new) = (load(&old)?, load(&new)?);
            let tables = diff::view(&old, &new);
            if session.selection.format == Format::Json {
                output::line(serde_json::to_string(&tables).expect("a table has no keys but strings"))?;
            } else {
                session.show(tables, &[])?;
            }
            return Ok(ExitCode::from(u8::from(is_damaged(&[&old, &new]))));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(folder: Option<&str>, check: bool, into: Option<PathBuf>, force: bool) -> Result<ExitCode, Stop> {
    let root = match into {
        Some(root) if root.is_dir() => root,
        Some(root) => return Err(Stop::Because(format!("{} is no folder", root.display()))),
        None => pages::to_write("", "change to one, or say with `--into FOLDER` where the pages are")?,
    };
    let record = match folder {
        Some(folder) => load(folder)?,
        None => {
            let below = root.join(record::FOLDER);
            record::load(&record::newest(&below)?.ok_or_else(|| {
                let (below, name) = (below.display(), called::name());
                format!(
                    "no record in {below} is complete, of the whole line-up and not quick: `{name} record` makes one"
                )
            })?)?
        }
    };
    let lacks = record.lacks();
    if !lacks.is_empty() && !force {
        let (name, lacks) = (&record.name, lacks.join("; "));
        return Err(Stop::Because(format!("no pages are made of {name}: {lacks}. `--force` makes them all the same")));
    }
    let rendered = report::render(&record)?;
    if check {
        report::compare(&root, &rendered)?;
        output::line(format_args!("The pages say what {} says.", record.name))?;
    } else {
        for sentence in report::write(&root, &rendered)? {
            output::line(paragraphs(&sentence))?;
        }
    }
    Ok(ExitCode::from(u8::from(is_damaged(&[&record]))))
}

/// The record in that folder, or of that name.
fn load(folder: &str) -> Result<Record, String> {
    record::load(&record::named(Path::new(folder)))
}

/// Whether lines are missing; says which.
fn is_damaged(records: &[&Record]) -> bool {
    let damaged = || records.iter().flat_map(|record| &record.damaged);
    damaged().for_each(|why| output::say(format_args!("damaged: {why}")));
    damaged().next().is_some()
}

/// How long that verb may wait for quiet moments.
fn wait(verb: Option<&Verb>, screen: Patience) -> Duration {
    let (patience, without) = match verb {
        None => (screen, PATIENCE),
        Some(verb) => {
            let without = if matches!(verb, Verb::Record { .. }) { PATIENCE * 10 } else { PATIENCE };
            (verb.patience().unwrap_or_default(), without)
        }
    };
    patience.wait.map_or(without, Duration::from_secs)
}

impl Verb {
    fn patience(&self) -> Option<Patience> {
        match self {
            Self::Duel { patience, .. }
            | Self::Latency { patience, .. }
            | Self::Idle { patience, .. }
            | Self::Crossover { patience, .. }
            | Self::Footprint { patience, .. }
            | Self::Record { patience, .. } => Some(*patience),
            _ => None,
        }
    }

    /// What it takes.
    fn apply(&self, selection: &mut Selection) {
        match self {
            Self::Conform { executors, named, shown, freshness, .. } => {
                executors.apply(selection);
                named.apply(selection);
                shown.apply(selection);
                freshness.apply(selection);
            }
            Self::Count { executors, workloads, measured, .. } | Self::Duel { executors, workloads, measured, .. } => {
                executors.apply(selection);
                workloads.apply(selection);
                measured.apply(selection);
            }
            Self::Latency { executors, measured, .. }
            | Self::Idle { executors, measured, .. }
            | Self::Crossover { executors, measured, .. }
            | Self::Memory { executors, measured }
            | Self::Choose { executors, measured, .. } => {
                executors.apply(selection);
                measured.apply(selection);
            }
            Self::Footprint { executors, named, shown, .. } => {
                executors.apply(selection);
                named.apply(selection);
                shown.apply(selection);
            }
            Self::Record { named, freshness, .. } => {
                named.apply(selection);
                freshness.apply(selection);
            }
            Self::Report { .. } => {}
            Self::Diff { shown, .. } => shown.apply(selection),
        }
    }
}

/// Commits the verdicts on everybody, or compares them with those that are committed.
fn verdicts(session: &Session<'_>, commit: bool) -> Result<ExitCode, Stop> {
    let file = pages::to_write(verdicts::FILE, "change to one")?;
    let known = match fs::read_to_string(&file) {
        Ok(text) => Verdicts::read(&text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Verdicts::default(),
        Err(error) => return Err(Stop::Because(format!("{} cannot be read: {error}", file.display()))),
    };
    let chosen: Vec<_> = session.chosen.iter().filter(|contender| !contender.suite.is_empty()).copied().collect();
    if chosen.is_empty() {
        return Err("nobody has a suite to be run".into());
    }
    let asked = conform::Asked { fresh: session.selection.fresh, ..conform::Asked::default() };
    let now = conform::to_commit(&conform::judge(&chosen, &asked)?, &known);
    if commit {
        fs::write(&file, now.text()).map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
        output::line(format_args!("written: {}", file.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    if now == known {
        output::line("All verdicts are those that were committed.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = called::name();
    output::line(format_args!("Not what {} says (-) is what was found (+):", file.display()))?;
    output::print(pages::difference(&known.text(), &now.text()))?;
    output::line(format_args!("`{name} conform --commit` commits them."))?;
    Ok(ExitCode::from(1))
}

fn conform(session: &Session<'_>, clauses: &[String], fail_fast: bool) -> Result<ExitCode, Stop> {
    let chosen: Vec<_> = session.chosen.iter().filter(|contender| !contender.suite.is_empty()).copied().collect();
    if chosen.is_empty() {
        return Err("nobody who was chosen has a suite to be run".into());
    }
    let known: Vec<_> = chosen[0].suite.iter().map(|case| case.clause.id).collect();
    let names = Names::new("clause", clauses, &[], &known)?;
    let asked = conform::Asked { clauses: Some(names), fail_fast, fresh: session.selection.fresh, level: None };
    let found = conform::judge(&chosen, &asked)?;
    let observations: Vec<Observation> = found.iter().map(conform::Found::observation).collect();
    match session.selection.format {
        // A page that is read with its table, so no more than was asked for.
        Format::Markdown => output::print(conform::matrix(&found))?,
        Format::Json => session.show(Vec::new(), &observations)?,
        Format::Junit => output::print(junit::report(&found)?)?,
        Format::Table => {
            session.show(conform::view(&observations), &observations)?;
            let findings = conform::findings(&found);
            if !findings.is_empty() {
                output::print(format_args!("\n{}", paragraphs(&findings)))?;
            }
            let cases = chosen.iter().flat_map(|contender| &contender.suite);
            let left = cases.filter(|case| asked.includes(&case.clause)).count() - found.len();
            if left > 0 {
                output::line(format_args!("\nStopped at the first broken clause: {left} more are not asked."))?;
            }
        }
    }
    Ok(ExitCode::from(u8::from(observations.iter().any(|row| row.value == 0.0))))
}

fn check_counts(session: &Session<'_>, observations: &[Observation]) -> Result<ExitCode, Stop> {
    let admitted = session.admitted();
    let is_admitted = |row: &&Observation| admitted.iter().any(|contender| contender.name == row.executor);
    // What depends on chance is not compared, and may well be less for twice as much.
    let mut compared = observations.iter().filter(is_admitted).filter(|row| !baseline::depends_on_chance(&row.subject));
    let refused = compared.find_map(|row| Some((&row.executor, row.refusal()?)));
    if let Some((executor, why)) = refused
        && harness::card::valgrind().is_ok()
    {
        return Err(Stop::Because(format!("{executor} could not be counted: {why}")));
    }
    match baseline::check(observations)? {
        Check::NoBaseline(why) => output::line(paragraphs(&format!("nothing was compared: {why}")))?,
        Check::Same(counts) => output::line(format_args!("{counts} counts are what they were."))?,
        Check::Different(table) => {
            output::line(table.render(Format::Table))?;
            let name = called::name();
            output::line(format_args!("\nIf that was meant, `{name} count --commit` writes the counts anew."))?;
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn duel(session: &Session<'_>, seconds: u64, reference: Option<&str>, all: bool) -> Result<(), Stop> {
    let known = duel::workloads(session.all);
    let names = session.workloads(&known)?;
    let asked = !session.selection.workload.is_empty();
    let workloads = known.into_iter().filter(|name| names.include(name));
    let workloads: Vec<_> = workloads.filter(|name| asked || all || HEADLINES.contains(name)).collect();
    let duel = Duel {
        workloads,
        contenders: duel::contenders(session),
        reference: duel::reference(session, reference)?,
        time: Duration::from_secs(seconds),
        most_processes: 12,
    };
    let outcome = harness::duel::run(&duel, &session.watch)?;
    let observations = [session.refusals(harness::duel::VERB), outcome.observations].concat();
    session.show(harness::duel::view(&observations), &observations)?;
    if session.selection.format == Format::Json {
        return Ok(());
    }
    let are_ordered = |ranking: harness::duel::Ranking| ranking.rivals() > 1;
    if !outcome.open.is_empty() {
        let open = outcome.open.join(", ");
        let sentence =
            format!("The time was up with an open order in {open}: `--seconds {}` may settle it.", seconds * 3);
        output::line(format_args!("\n{}", paragraphs(&sentence)))?;
    } else if quiet::doubt(&observations).is_none()
        && harness::duel::rankings(&observations).into_iter().any(are_ordered)
    {
        output::line("\nEvery order is settled.")?;
    }
    Ok(())
}

fn choose(session: &Session<'_>, questions: &Questions) -> Result<(), Stop> {
    let needs = questions.needs()?;
    let record = questions.record()?;
    let observations = record.as_ref().map_or(&[][..], |(_, record)| &record.observations);
    let chosen: Vec<_> = session.chosen.iter().copied().cloned().collect();
    // Of those that are in no page the program has just learned how they keep the contract.
    let judge = |name: &str| {
        let contender = chosen.iter().find(|contender| contender.name == name);
        let refusal = contender.and_then(|contender| session.refusal(contender));
        let known = choose::Judged::committed(name);
        choose::Judged { refusal: known.refusal.clone().or(refusal), ..known }
    };
    let mut choice = choose::choose_by(&needs, &chosen, observations, judge);
    if let Some((folder, record)) = &record
        && !choice.ranking.is_empty()
    {
        choice.remarks.push(format!("By the record in {}.", folder.display()));
        choice.remarks.extend(report::doubts(record));
    }
    if session.selection.format == Format::Json {
        return output::line(serde_json::to_string(&choice).expect("a choice has no keys but strings"));
    }
    session.show(choose::view(&choice, &chosen), &[])
}
