//! The command line.

use std::env;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use harness::contender::{FLOOR, FLOOR_WITHOUT_ALLOCATOR};
use harness::quiet::{self, Watch};
use harness::table::Format;
use harness::tournament::{self, Duel, HEADLINES};
use harness::{Contender, Observation, pages, worker};

use crate::baseline::{self, Check};
use crate::choose::Questions;
use crate::record::Record;
use crate::session::{Names, PATIENCE, Selection, Session};
use crate::{
    choose, conform, count, crossover, diff, duel, idle, junit, latency, memory, overview, record, report, statics,
};

/// Compares executors: whether they keep the contract, what a wake costs, who is faster, what they do when idle.
///
/// Without a verb: one screen that answers "which one?", in less than a minute.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    patience: Patience,
    #[command(flatten)]
    selection: Selection,
}

/// For whatever is timed.
#[derive(Args, Clone, Copy, Debug, Default)]
struct Patience {
    /// Seconds, in all, to wait for moments at which nothing else keeps the machine busy; 30 without, for a record 300
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
}

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
    },
    /// Count what an operation costs: instructions, atomics, allocations, system calls, polls
    Count {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// Compare the strategies' counts with those that were committed for such a machine; fail where one differs
        #[arg(long)]
        check: bool,
        /// Commit the strategies' counts: write the file that `--check` compares with
        #[arg(long, conflicts_with = "check")]
        commit: bool,
    },
    /// Time executors against one another, in rotated slices of microseconds, until the order is settled
    Duel {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// Seconds after which no other process is begun
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// To whom all are compared: it takes part twice, to show the noise
        #[arg(long)]
        reference: Option<String>,
        /// Every workload, not only the headlines
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        patience: Patience,
    },
    /// Measure the way from another thread's wake to the poll, and the processor time spent waiting
    Latency {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// Fresh processes for each figure
        #[arg(long, default_value_t = 1)]
        processes: u32,
        #[command(flatten)]
        patience: Patience,
    },
    /// Watch executors while nothing happens, with up to 100,000 tasks that wait
    Idle {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// Fresh processes for each figure
        #[arg(long, default_value_t = 1)]
        processes: u32,
        #[command(flatten)]
        patience: Patience,
    },
    /// Find from how much work in a poll on the choice does not matter
    Crossover {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        /// About how long it takes
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        #[command(flatten)]
        patience: Patience,
    },
    /// Weigh a task that waits, for several sizes of its future
    Memory {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
    },
    /// Find an executor for your case: asks for what is not said
    Choose {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        #[command(flatten)]
        questions: Questions,
    },
    /// Find out what an executor is made of: lines, unsafe, dependencies, a cold build, machine code
    Static {
        /// Executors, by name or regular expression; all without
        executors: Vec<String>,
        #[command(flatten)]
        patience: Patience,
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
    },
    /// Write docs/results.md, its pictures and the tables in other pages from a record; measures nothing
    Report {
        /// The record's folder or its name; without, the newest in docs/results that is complete, of the whole line-up and
        /// not quick
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
    },
}

/// Does what the command line says.
pub fn main(contenders: &[Contender]) -> ExitCode {
    if let Some(code) = conform::run_if_asked(contenders) {
        return code;
    }
    if let Some(code) = worker::run_if_asked(|| contenders.to_vec()) {
        return code;
    }
    match run(arguments(), contenders) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

/// What was asked. As a verb of cargo's this program is called with the verb as its first argument.
fn arguments() -> Arguments {
    let mut words: Vec<_> = env::args_os().collect();
    let is_verb = words.get(1).is_some_and(|word| word == "compare-executors");
    let name = if is_verb { "cargo compare-executors" } else { "cargo compare" };
    if is_verb {
        words.remove(1);
    }
    let matches = Arguments::command().name(name).bin_name(name).get_matches_from(words);
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

fn run(arguments: Arguments, contenders: &[Contender]) -> Result<ExitCode, String> {
    let Arguments { verb, patience, mut selection } = arguments;
    if let Some(verb) = &verb {
        selection.executor.extend(verb.executors().iter().cloned());
    }
    let by_workload = !selection.workload.is_empty() || !selection.not_workload.is_empty();
    if by_workload && !matches!(verb, Some(Verb::Count { .. } | Verb::Duel { .. })) {
        return Err(
            "`--workload` and `--not-workload` are for `count` and `duel`: nothing else has workloads".to_owned()
        );
    }
    if selection.format == Format::Junit && !matches!(verb, Some(Verb::Conform { .. })) {
        return Err("`--format junit` is for `conform`: nothing else has tests that pass or fail".to_owned());
    }
    if matches!(verb, Some(Verb::Record { .. })) && !selection.executor.is_empty() {
        // Ratios to it are what records are compared by.
        selection.executor.extend([FLOOR, FLOOR_WITHOUT_ALLOCATOR].map(str::to_owned));
    }
    if selection.despite_failures && matches!(verb, Some(Verb::Record { .. })) {
        return Err(
            "a record has no figures of executors that break the contract: leave out `--despite-failures`".to_owned()
        );
    }
    let mut session = Session::new(contenders, selection)?;
    session.watch = Watch::new(wait(verb.as_ref(), patience)?);
    let Some(verb) = verb else {
        session.gate()?;
        let observations = overview::measure(&session)?;
        session.show(overview::view(&session, &observations), &observations);
        return Ok(ExitCode::SUCCESS);
    };
    match verb {
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
                println!("written: {}", baseline::write(&observations)?.display());
            } else if check {
                return check_counts(&session, &observations);
            } else {
                session.show(count::view(&observations), &observations);
            }
        }
        Verb::Duel { seconds, reference, all, .. } => {
            session.gate()?;
            duel(&session, seconds, reference.as_deref(), all)?;
        }
        Verb::Latency { processes, .. } => {
            session.gate()?;
            let observations = latency::measure(&session, harness::latency::INTERVALS, processes)?;
            session.show(latency::view(&observations), &observations);
        }
        Verb::Idle { processes, .. } => {
            session.gate()?;
            let observations = idle::measure(&session, harness::idle::TASKS, 500, processes)?;
            session.show(idle::view(&observations), &observations);
        }
        Verb::Crossover { seconds, .. } => {
            session.gate()?;
            let observations = crossover::measure(&session, seconds)?;
            session.show(crossover::view(&observations), &observations);
        }
        Verb::Memory { .. } => {
            session.gate()?;
            let observations = memory::measure(&session)?;
            session.show(memory::view(&observations), &observations);
        }
        Verb::Choose { questions, .. } => {
            session.gate()?;
            choose(&session, &questions)?;
        }
        Verb::Static { .. } => {
            let observations = statics::measure(&session)?;
            session.show(statics::view(&observations), &observations);
        }
        Verb::Record { name, quick, anew, into, step, not_step, .. } => {
            session.gate()?;
            let request = record::Request { name, quick, anew, into, steps: step, not_steps: not_step };
            let record::Recorded { folder, lacks } = record::record(&session, &request)?;
            let folder = folder.display();
            match &lacks[..] {
                [] => println!("Recorded in {folder}: `cargo compare report {folder}` writes the pages from it."),
                _ => println!("Recorded in {folder}. No pages are made of it by itself: {}.", lacks.join("; ")),
            }
        }
        Verb::Report { folder, check, into, force } => return report(folder.as_deref(), check, into, force),
        Verb::Diff { old, new } => {
            let (old, new) = (load(&old)?, load(&new)?);
            let tables = diff::view(&old, &new);
            if session.selection.format == Format::Json {
                println!("{}", serde_json::to_string(&tables).expect("a table has no keys but strings"));
            } else {
                session.show(tables, &[]);
            }
            return Ok(ExitCode::from(u8::from(is_damaged(&[&old, &new]))));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report(folder: Option<&str>, check: bool, into: Option<PathBuf>, force: bool) -> Result<ExitCode, String> {
    let root = match into {
        Some(root) if root.is_dir() => root,
        Some(root) => return Err(format!("{} is no folder", root.display())),
        None => pages::to_write("", "change to one, or say with `--into FOLDER` where the pages are")?,
    };
    let record = match folder {
        Some(folder) => load(folder)?,
        None => {
            let below = root.join(record::FOLDER);
            record::load(&record::newest(&below)?.ok_or_else(|| {
                let below = below.display();
                format!("no record in {below} is complete, of the whole line-up and not quick: `cargo compare record` makes one")
            })?)?
        }
    };
    let lacks = record.lacks();
    if !lacks.is_empty() && !force {
        let (name, lacks) = (&record.name, lacks.join("; "));
        return Err(format!("no pages are made of {name}: {lacks}. `--force` makes them all the same"));
    }
    let rendered = report::render(&record)?;
    if check {
        report::compare(&root, &rendered)?;
        println!("The pages say what {} says.", record.name);
    } else {
        for sentence in report::write(&root, &rendered)? {
            println!("{sentence}");
        }
    }
    Ok(ExitCode::from(u8::from(is_damaged(&[&record]))))
}

/// The record in that folder, or of that name.
fn load(folder: &str) -> Result<Record, String> {
    let named = pages::to_read(record::FOLDER).join(folder);
    record::load(if named.is_dir() { &named } else { Path::new(folder) })
}

/// Whether lines are missing; says which.
fn is_damaged(records: &[&Record]) -> bool {
    let damaged = || records.iter().flat_map(|record| &record.damaged);
    damaged().for_each(|why| eprintln!("damaged: {why}"));
    damaged().next().is_some()
}

/// How long that verb may wait for quiet moments.
fn wait(verb: Option<&Verb>, before: Patience) -> Result<Duration, String> {
    let after = match verb {
        None => Patience::default(),
        Some(verb) => match verb.patience() {
            Some(patience) => patience,
            None if before.wait.is_some() => {
                return Err("`--wait` is for what is timed: duel, latency, idle, crossover, static, record".to_owned());
            }
            None => Patience::default(),
        },
    };
    let without = if matches!(verb, Some(Verb::Record { .. })) { PATIENCE * 10 } else { PATIENCE };
    Ok(after.wait.or(before.wait).map_or(without, Duration::from_secs))
}

impl Verb {
    fn patience(&self) -> Option<Patience> {
        match self {
            Self::Duel { patience, .. }
            | Self::Latency { patience, .. }
            | Self::Idle { patience, .. }
            | Self::Crossover { patience, .. }
            | Self::Static { patience, .. }
            | Self::Record { patience, .. } => Some(*patience),
            _ => None,
        }
    }

    fn executors(&self) -> &[String] {
        match self {
            Self::Conform { executors, .. }
            | Self::Count { executors, .. }
            | Self::Duel { executors, .. }
            | Self::Latency { executors, .. }
            | Self::Idle { executors, .. }
            | Self::Crossover { executors, .. }
            | Self::Memory { executors }
            | Self::Choose { executors, .. }
            | Self::Static { executors, .. } => executors,
            Self::Record { .. } | Self::Report { .. } | Self::Diff { .. } => &[],
        }
    }
}

fn conform(session: &Session<'_>, clauses: &[String], fail_fast: bool) -> Result<ExitCode, String> {
    let chosen: Vec<_> = session.chosen.iter().filter(|contender| !contender.suite.is_empty()).copied().collect();
    if chosen.is_empty() {
        return Err("nobody who was chosen has a suite to be run".to_owned());
    }
    let known: Vec<_> = chosen[0].suite.iter().map(|case| case.clause.id).collect();
    let names = Names::new("clause", clauses, &[], &known)?;
    let asked = conform::Asked { clauses: Some(names), fail_fast, fresh: session.selection.fresh, level: None };
    let found = conform::judge(&chosen, &asked)?;
    let observations: Vec<Observation> = found.iter().map(conform::Found::observation).collect();
    let print = |text: &str| {
        stdout().write_all(text.as_bytes()).map_err(|error| format!("the outcomes cannot be printed: {error}"))
    };
    match session.selection.format {
        // A page that is read with its table, so no more than was asked for.
        Format::Markdown => print(&conform::matrix(&found))?,
        Format::Json => session.show(Vec::new(), &observations),
        Format::Junit => print(&junit::report(&found)?)?,
        Format::Table => {
            session.show(conform::view(&observations), &observations);
            let findings = conform::findings(&found);
            if !findings.is_empty() {
                print(&format!("\n{findings}"))?;
            }
            let cases = chosen.iter().flat_map(|contender| &contender.suite);
            let left = cases.filter(|case| asked.includes(&case.clause)).count() - found.len();
            if left > 0 {
                print(&format!("\nStopped at the first broken clause: {left} more are not asked.\n"))?;
            }
        }
    }
    Ok(ExitCode::from(u8::from(observations.iter().any(|row| row.value == 0.0))))
}

fn check_counts(session: &Session<'_>, observations: &[Observation]) -> Result<ExitCode, String> {
    let admitted = session.admitted();
    let is_admitted = |row: &&Observation| admitted.iter().any(|contender| contender.name == row.executor);
    let refused = observations.iter().filter(is_admitted).find_map(|row| Some((&row.executor, row.refusal()?)));
    if let Some((executor, why)) = refused
        && harness::card::valgrind().is_ok()
    {
        return Err(format!("{executor} could not be counted: {why}"));
    }
    match baseline::check(observations)? {
        Check::NoBaseline(why) => println!("nothing was compared: {why}"),
        Check::Same(counts) => println!("{counts} counts are what they were."),
        Check::Different(table) => {
            session.show(vec![table], &[]);
            println!("\nIf that was meant, `cargo compare count --commit` writes the counts anew.");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn duel(session: &Session<'_>, seconds: u64, reference: Option<&str>, all: bool) -> Result<(), String> {
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
    let ending = tournament::fight(&duel, &session.watch)?;
    let observations = [session.refusals(harness::duel::VERB), ending.observations].concat();
    session.show(tournament::view(&observations), &observations);
    if session.selection.format == Format::Json {
        return Ok(());
    }
    if !ending.open.is_empty() {
        println!(
            "\nThe time was up with an open order in {}: `--seconds {}` may settle it.",
            ending.open.join(", "),
            seconds * 3
        );
    } else if quiet::doubt(&observations).is_none()
        && tournament::standings(&observations).iter().any(|standing| standing.places.len() > 1)
    {
        println!("\nEvery order is settled.");
    }
    Ok(())
}

fn choose(session: &Session<'_>, questions: &Questions) -> Result<(), String> {
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
        println!("{}", serde_json::to_string(&choice).expect("a choice has no keys but strings"));
    } else {
        session.show(choose::view(&choice, &chosen), &[]);
    }
    Ok(())
}
