//! `record`: everything that can be measured, kept as it was found.
//!
//! A record is a folder with a file for each step. The first line of a file says where, when and of what it was
//! measured; each other line has what was observed of one contender, with nothing computed from it: the samples of a
//! quantity are an array with an array for each process. A file is there only when its step is complete, so a record
//! that was interrupted goes on where it ended. Records from before that form, with a line for each sample, are read as
//! well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use harness::duel::{Duel, TWIN};
use harness::machine::{Machine, Moment, Source, too_busy};
use harness::observation::distinct;
use harness::quiet;
use harness::{Contender, Kind, Observation, card, idle as idling, latency as waking, pages, versions};
use serde::{Deserialize, Serialize};

use self::observed::Observed;
use crate::newer::Newer;
use crate::session::{Names, Session};
use crate::{called, conform, count, crossover, duel, footprint, idle, latency, memory};

mod observed;

/// Where the records are.
pub const FOLDER: &str = "docs/results";

/// What every complete record has steps of.
const VERBS: [&str; 8] = [
    card::VERB,
    harness::memory::VERB,
    harness::duel::VERB,
    crossover::VERB,
    waking::VERB,
    idling::VERB,
    footprint::VERB,
    conform::VERB,
];

/// The first line of a step's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// What was called.
    pub command: String,
    /// Less time for each figure, and so more noise.
    pub quick: bool,
    /// Where.
    pub machine: Machine,
    /// Of what.
    pub source: Source,
    /// Of whom, and of which version.
    pub executors: BTreeMap<String, String>,
    /// Of which of them the registry has a newer version.
    #[serde(default)]
    pub newer: Newer,
    /// When it began.
    pub before: Moment,
    /// When it ended.
    pub after: Moment,
    /// What else the machine was busy with, if it was too busy for times to be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<String>,
    /// How many observations follow.
    pub rows: usize,
    /// What the whole record is to be. Older records do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Whole>,
}

/// What a record is complete with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// The names of all its steps.
    pub steps: Vec<String>,
    /// Who of the line-up was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct FirstLine {
    header: Header,
}

impl Header {
    /// For what is measured now. The registry is not asked.
    pub fn now(command: &str, quick: bool, contenders: &[&Contender]) -> Self {
        let moment = Moment::now();
        Self {
            command: command.to_owned(),
            quick,
            machine: Machine::this(),
            source: Source::this(),
            executors: executors(contenders),
            newer: Newer::NotKnown,
            before: moment,
            after: moment,
            busy: None,
            rows: 0,
            whole: None,
        }
    }

    /// Why steps under this header and steps under the other one do not belong into one record, if so.
    pub fn parts_from(&self, other: &Self) -> Option<String> {
        let (ours, theirs) = (&self.machine, &other.machine);
        let differences = [
            ("commit", self.source.commit != other.source.commit),
            ("changes that are not committed", self.source.dirty != other.source.dirty),
            ("Cargo.lock", self.source.lock != other.source.lock),
            ("rustc", ours.rustc != theirs.rustc),
            ("machine", Machine { rustc: theirs.rustc.clone(), ..ours.clone() } != *theirs),
            ("executors", self.executors != other.executors),
            ("`--quick`", self.quick != other.quick),
        ];
        let names: Vec<_> = differences.iter().filter(|(_, differ)| *differ).map(|(name, _)| *name).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// Part of a record.
pub struct Step<'a> {
    /// The name of its file, less the ending.
    pub name: String,
    /// Finds out whether all is there that it needs, without measuring anything.
    pub ready: Box<dyn Fn() -> Result<(), String> + 'a>,
    /// Does it.
    pub measure: Box<dyn Fn() -> Result<Vec<Observation>, String> + 'a>,
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Step").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a> Step<'a> {
    /// What is called `name` and measured so.
    pub fn new(name: impl Into<String>, measure: impl Fn() -> Result<Vec<Observation>, String> + 'a) -> Self {
        Self { name: name.into(), ready: Box::new(|| Ok(())), measure: Box::new(measure) }
    }

    /// With what it needs: asked before anything of a record is measured.
    pub fn needing(self, ready: impl Fn() -> Result<(), String> + 'a) -> Self {
        Self { ready: Box::new(ready), ..self }
    }
}

/// All steps, in their order: exact counts first, and last the suites, which leave a load behind that would look like
/// somebody else's.
pub fn steps<'a>(session: &'a Session<'a>, quick: bool) -> Vec<Step<'a>> {
    let processes = if quick { 1 } else { 2 };
    let mut steps = vec![
        Step::new("count", || count::measure(session, 2)).needing(|| card::ready(session.all)),
        Step::new("memory", || memory::measure(session)).needing(card::allocations_are_counted),
    ];
    for workload in duel::workloads(session.all) {
        if !duel::contenders(session).iter().any(|contender| takes_part(contender, workload)) {
            continue;
        }
        let measure = move || {
            let seconds = if harness::duel::takes_longer(workload) { 45 } else { 15 };
            let duel = Duel {
                workloads: vec![workload],
                contenders: duel::contenders(session),
                reference: duel::reference(session, None)?,
                time: Duration::from_secs(if quick { 2 } else { seconds }),
                most_processes: if quick { 3 } else { 12 },
            };
            let outcome = harness::duel::run(&duel, &session.watch)?;
            Ok([session.refusals(harness::duel::VERB), outcome.observations].concat())
        };
        steps.push(Step::new(format!("duel-{workload}"), measure));
    }
    steps.push(Step::new("crossover", move || crossover::measure(session, if quick { 20 } else { 60 })));
    for interval in waking::INTERVALS {
        let measure = move || latency::measure(session, &[*interval], processes);
        steps.push(Step::new(format!("latency-{interval}ns"), measure).needing(waking::ready));
    }
    for tasks in idling::TASKS {
        let milliseconds = if quick { 100 } else { 500 };
        let measure = move || idle::measure(session, &[*tasks], milliseconds, processes);
        steps.push(Step::new(format!("idle-{tasks}"), measure));
    }
    steps.push(Step::new(footprint::VERB, || footprint::measure(session)).needing(|| footprint::ready(session)));
    steps.push(Step::new("conform", || {
        let suites = session.chosen.iter().filter(|contender| !contender.suite.is_empty()).copied();
        let found = conform::judge(&suites.collect::<Vec<_>>(), &conform::Asked::anew())?;
        Ok(found.iter().map(conform::Found::observation).collect())
    }));
    steps
}

fn takes_part(contender: &Contender, workload: &str) -> bool {
    contender.kind != Kind::Floor && contender.case_named(workload).is_some()
}

/// What is measured, in which folder, and whether it is begun anew.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The name of the folder; the date and the commit without.
    pub name: Option<String>,
    /// Below which folder; [`FOLDER`] without, of the checkout that the current directory lies in.
    pub into: Option<PathBuf>,
    /// Only the steps of these names; all without.
    pub steps: Vec<String>,
    /// Not these.
    pub not_steps: Vec<String>,
    /// Less time for each figure.
    pub quick: bool,
    /// Whether what was recorded under that name is removed first.
    pub anew: bool,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The record's folder.
    pub folder: PathBuf,
    /// What it still lacks, in a few words each.
    pub lacks: Vec<String>,
}

/// Measures whatever is not in the record yet.
///
/// # Errors
///
/// When the name is none, something is missing that a step needs, the folder holds something else or cannot be written,
/// another process is writing it, or a measurement fails. What was complete before stays.
pub fn record(session: &Session<'_>, request: &Request) -> Result<Recorded, String> {
    let command: Vec<_> = called::arguments().map(|word| word.to_string_lossy().into_owned()).collect();
    let command = format!("{} {}", called::name(), command.join(" "));
    let mut header = Header::now(&command, request.quick, &session.chosen);
    let name = request.name.clone().unwrap_or_else(|| {
        let commit = &header.source.commit;
        format!("{}-{}", date(header.before.time), &commit[..commit.len().min(8)])
    });
    check_name(&name)?;
    let below = match &request.into {
        Some(below) => below.clone(),
        None => pages::to_write(FOLDER, "change to one, or say with `--into FOLDER` below which folder to record")?,
    };
    let mut steps = steps(session, request.quick);
    let known: Vec<_> = steps.iter().map(|step| step.name.clone()).collect();
    let known_names: Vec<_> = known.iter().map(String::as_str).collect();
    let names = Names::new("step", &request.steps, &request.not_steps, &known_names)?;
    steps.retain(|step| names.include(&step.name));
    let chosen = |contender: &&Contender| session.chosen.iter().any(|other| other.name == contender.name);
    let left_out = session.all.iter().filter(|contender| contender.kind != Kind::Floor && !chosen(contender));
    header.whole =
        Some(Whole { steps: known.clone(), left_out: left_out.map(|contender| contender.name.to_owned()).collect() });

    let folder = below.join(&name);
    let _lock = Lock::take(&folder)?;
    let open = if request.anew { steps.iter().collect() } else { open(&folder, &header, &steps)? };
    let missing: Vec<_> = open.iter().filter_map(|step| Some((&step.name, (step.ready)().err()?))).collect();
    if !missing.is_empty() {
        let missing = distinct(missing.iter().map(|(_, why)| &**why)).into_iter().map(|why| {
            let names: Vec<_> =
                missing.iter().filter(|(_, other)| other == why).map(|(name, _)| name.as_str()).collect();
            format!("{why} (needed for {})", names.join(", "))
        });
        return Err(format!(
            "nothing was measured, as something is missing; `--not-step` leaves a step out: {}",
            missing.collect::<Vec<_>>().join("; ")
        ));
    }
    header.newer = newer(&session.chosen);
    if request.anew {
        forget(&folder)?;
    }
    take(&folder, &header, &steps)?;
    let lacks = load(&folder)?.lacks();
    Ok(Recorded { folder, lacks })
}

/// Whether a folder may be called so: by what a link in a page can hold as it is, and by nothing that leads elsewhere.
fn check_name(name: &str) -> Result<(), String> {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    if name.chars().all(plain) && name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(format!(
        "a record cannot be called {name:?}: a name has letters, digits, `-`, `_` and `.`, and begins with a letter or a digit"
    ))
}

/// Keeps two processes from writing one record.
#[derive(Debug)]
pub struct Lock {
    folder: PathBuf,
    /// Locked for as long as it is open.
    _file: File,
}

impl Lock {
    const NAME: &str = ".lock";

    /// Makes the folder if there is none.
    ///
    /// # Errors
    ///
    /// When another process has the lock, or the folder cannot be written.
    pub fn take(folder: &Path) -> Result<Self, String> {
        let path = folder.join(Self::NAME);
        let cannot = |error| format!("{} cannot be written: {error}", path.display());
        loop {
            fs::create_dir_all(folder).map_err(|error| format!("{} cannot be written: {error}", folder.display()))?;
            let file = match OpenOptions::new().create(true).read(true).append(true).open(&path) {
                Ok(file) => file,
                // The process that had it has just removed the folder.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(cannot(error)),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(format!(
                        "another `record` is writing {}: wait for its end, or choose another `--name`",
                        folder.display()
                    ));
                }
                Err(TryLockError::Error(error)) => return Err(cannot(error)),
            }
            if is_at(&file, &path) {
                return Ok(Self { folder: folder.to_owned(), _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is locked. A process that has opened it by then finds that it is no longer there, and begins again.
        // Where it cannot be removed it stays, and harms nobody.
        let _ = fs::remove_file(self.folder.join(Self::NAME));
        // Fails where anything was recorded.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Whether the file is still the one at that path.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let (Ok(ours), Ok(there)) = (file.metadata(), fs::metadata(path)) else { return false };
        place(ours) == place(there)
    }
    // What is open there cannot be removed.
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

/// Removes the files of a record, and nothing else that may be in the folder.
fn forget(folder: &Path) -> Result<(), String> {
    for file in files(folder).unwrap_or_default() {
        fs::remove_file(&file).map_err(|error| format!("{} cannot be removed: {error}", file.display()))?;
    }
    Ok(())
}

/// The steps that the folder does not hold yet, as a whole.
///
/// # Errors
///
/// When it holds something else, or cannot be read.
fn open<'a, 'b>(folder: &Path, header: &Header, steps: &'b [Step<'a>]) -> Result<Vec<&'b Step<'a>>, String> {
    let mut complete = Vec::new();
    for file in files(folder)? {
        // Whatever is damaged is measured again.
        let Ok(part) = read(&file) else { continue };
        if let Some(what) = header.parts_from(&part.header) {
            return Err(format!(
                "{} holds a record of another state ({what}): `--anew` removes it, `--name` begins another",
                folder.display()
            ));
        }
        if part.damaged.is_empty() {
            complete.push(part.step);
        }
    }
    Ok(steps.iter().filter(|step| !complete.contains(&step.name)).collect())
}

/// Takes the steps that are not in the folder yet, and says how many those were.
///
/// # Errors
///
/// When the folder holds something else, cannot be written, or a step fails.
pub fn take(folder: &Path, header: &Header, steps: &[Step<'_>]) -> Result<usize, String> {
    let cannot = |what: &Path, error| format!("{} cannot be written: {error}", what.display());
    fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    let open: Vec<_> = open(folder, header, steps)?.into_iter().map(|step| &*step.name).collect();
    let mut taken = 0;
    // One that fails is in nobody's way.
    let mut failed = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let place = format!("[{}/{}] {}", number + 1, steps.len(), step.name);
        if !open.contains(&&*step.name) {
            output::say(format_args!("{place}: recorded already"));
            continue;
        }
        output::say(&place);
        let before = Moment::now();
        let rows = match (step.measure)() {
            Ok(rows) => rows,
            Err(why) => {
                failed.push(format!("{}: {why}", step.name));
                continue;
            }
        };
        let after = Moment::now();
        // What is timed waits for a quiet moment, and says itself where there was none.
        let busy = match rows.iter().any(quiet::is_timed) {
            true => quiet::disturbed(&rows),
            false => too_busy(&header.machine, &before, &after),
        };
        let header = Header { before, after, busy, rows: rows.len(), ..header.clone() };
        let file = folder.join(format!("{}.jsonl", step.name));
        // Under another name until it is complete: an interrupted step leaves nothing that looks like one.
        let unfinished = file.with_extension("unfinished");
        let written = fs::write(&unfinished, text(&header, &rows)).and_then(|()| fs::rename(&unfinished, &file));
        written.map_err(|error| {
            // It may not even be there.
            let _ = fs::remove_file(&unfinished);
            cannot(&file, error)
        })?;
        taken += 1;
    }
    if failed.is_empty() { Ok(taken) } else { Err(failed.join("\n")) }
}

/// What a step's file says.
pub fn text(header: &Header, rows: &[Observation]) -> String {
    let mut text = line(&FirstLine { header: header.clone() });
    let contenders = distinct(rows.iter().map(|row| (&*row.verb, &*row.executor)));
    for (verb, executor) in contenders {
        let of_it = rows.iter().filter(|row| row.verb == verb && row.executor == executor);
        text.push_str(&line(&Observed::from_rows(verb, executor, of_it)));
    }
    text
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("neither a header nor a row has keys but strings") + "\n"
}

/// What was recorded.
#[derive(Clone, Debug)]
pub struct Record {
    /// The name of its folder.
    pub name: String,
    /// The header of each step, by the step's name.
    pub steps: BTreeMap<String, Header>,
    /// All that was observed, in the order of the contenders.
    pub observations: Vec<Observation>,
    /// What could not be read: file, line and why.
    pub damaged: Vec<String>,
}

impl Record {
    /// The header of one of the steps: they agree in all but moments.
    pub fn header(&self) -> &Header {
        self.steps.values().next().expect("a record without steps is not loaded")
    }

    /// Why neither pages nor answers rest on it unless they are asked to, in a few words each: it is no complete record
    /// of the whole line-up that took its time.
    pub fn lacks(&self) -> Vec<String> {
        let mut lacks = Vec::new();
        if let Some(first) = self.damaged.first() {
            let more = self.damaged.len() - 1;
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            lacks.push(format!("it is damaged ({first}{more})"));
        }
        if self.header().quick {
            lacks.push("it was made with `--quick`".to_owned());
        }
        let missing = self.missing_steps();
        if !missing.is_empty() {
            lacks.push(format!("it is not complete: without {}", few(&missing)));
        }
        let left_out = self.left_out();
        if !left_out.is_empty() {
            lacks.push(format!("it is not of the whole line-up: without {}", few(&left_out)));
        }
        lacks
    }

    fn missing_steps(&self) -> Vec<String> {
        let begins = |verb: &str| self.steps.keys().any(|step| step.split('-').next() == Some(verb));
        match &self.header().whole {
            Some(whole) => whole.steps.iter().filter(|step| !self.steps.contains_key(*step)).cloned().collect(),
            None => VERBS.iter().filter(|verb| !begins(verb)).map(|verb| format!("any `{verb}`")).collect(),
        }
    }

    /// Who of the line-up is not in it.
    fn left_out(&self) -> Vec<String> {
        let header = self.header();
        match &header.whole {
            Some(whole) => whole.left_out.clone(),
            None => {
                let names = harness::contenders().into_iter().filter(|contender| contender.kind != Kind::Floor);
                let names = names.map(|contender| contender.name.to_owned());
                names.filter(|name| !header.executors.contains_key(name)).collect()
            }
        }
    }

    /// When the first of its steps began.
    pub fn begun(&self) -> u64 {
        self.steps.values().map(|header| header.before.time).min().unwrap_or(0)
    }
}

/// The first of several names, and how many others there are.
fn few(names: &[String]) -> String {
    match names {
        [first, second, third, _, others @ ..] => format!("{first}, {second}, {third} and {} more", others.len() + 1),
        few => few.join(", "),
    }
}

/// The folder of the record of that name, or the one that is meant.
pub fn named(folder: &Path) -> PathBuf {
    let named = pages::to_read(FOLDER).join(folder);
    if named.is_dir() { named } else { folder.to_owned() }
}

/// Reads a record. What is damaged is left out and named.
///
/// # Errors
///
/// When there is no record in that folder, or not one of its steps can be read.
pub fn load(folder: &Path) -> Result<Record, String> {
    let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut record = Record { name, steps: BTreeMap::new(), observations: Vec::new(), damaged: Vec::new() };
    for file in files(folder)? {
        match read(&file) {
            Err(why) => record.damaged.push(why),
            Ok(part) => {
                let first = record.steps.values().next();
                if let Some(what) = first.and_then(|first| first.parts_from(&part.header)) {
                    record.damaged.push(format!("{} is of another state than the rest: {what}", file.display()));
                    continue;
                }
                record.steps.insert(part.step, part.header);
                record.damaged.extend(part.damaged);
                for row in part.rows {
                    // Every step says who was refused; once is enough.
                    if row.refusal().is_none() || !record.observations.contains(&row) {
                        record.observations.push(row);
                    }
                }
            }
        }
    }
    if record.steps.is_empty() {
        let damaged: String = record.damaged.iter().map(|why| format!("; {why}")).collect();
        return Err(format!("{} holds no record{damaged}", folder.display()));
    }
    let order: Vec<_> = harness::contenders().iter().map(|contender| contender.name).collect();
    record.observations.sort_by_key(|row| {
        let name = row.executor.strip_suffix(TWIN).unwrap_or(&row.executor);
        order.iter().position(|other| *other == name).unwrap_or(order.len())
    });
    Ok(record)
}

/// The folder of the newest record below that one that [lacks](Record::lacks) nothing, if there is any. Which newer
/// ones are passed over, and why, is said.
///
/// # Errors
///
/// When a folder cannot be read.
pub fn newest(below: &Path) -> Result<Option<PathBuf>, String> {
    let Ok(entries) = fs::read_dir(below) else { return Ok(None) };
    let mut candidates = Vec::new();
    for entry in entries {
        let folder = entry.map_err(|error| format!("{} cannot be read: {error}", below.display()))?.path();
        if !folder.is_dir() || files(&folder)?.is_empty() {
            continue;
        }
        match load(&folder) {
            Ok(record) => candidates.push((record.begun(), folder, record.lacks())),
            Err(why) => output::say(format_args!("warning: passed over: {why}")),
        }
    }
    candidates.sort();
    while let Some((_, folder, lacks)) = candidates.pop() {
        if lacks.is_empty() {
            return Ok(Some(folder));
        }
        output::say(format_args!("warning: passed over: {}: {}", folder.display(), lacks.join("; ")));
    }
    Ok(None)
}

/// The steps' files, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let cannot = |error| format!("{} cannot be read: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let file = entry.map_err(cannot)?.path();
        if file.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// One file of a record.
struct Part {
    step: String,
    header: Header,
    rows: Vec<Observation>,
    damaged: Vec<String>,
}

fn read(file: &Path) -> Result<Part, String> {
    let shown = file.display();
    let text = fs::read(file).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    // One byte that is no text does not take the other lines with it.
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let first: FirstLine = serde_json::from_str(first).map_err(|error| format!("{shown}:1: no header: {error}"))?;
    let mut header = first.header;
    if let Some(whole) = &mut header.whole {
        whole.steps.iter_mut().for_each(|step| *step = observed::verb_now(step).to_owned());
    }
    let (mut rows, mut damaged) = (Vec::new(), Vec::new());
    for (number, line) in lines.enumerate() {
        match observed::read(line) {
            Ok(more) => rows.extend(more),
            Err(error) => damaged.push(format!("{shown}:{}: no observation: {error}", number + 2)),
        }
    }
    if damaged.is_empty() && rows.len() != header.rows {
        damaged.push(format!("{shown}: {} observations, and its header speaks of {}", rows.len(), header.rows));
    }
    let step = file.file_stem().map_or_else(String::new, |stem| observed::verb_now(&stem.to_string_lossy()).to_owned());
    Ok(Part { step, header, rows, damaged })
}

fn executors(contenders: &[&Contender]) -> BTreeMap<String, String> {
    let executors = contenders.iter().filter(|contender| contender.kind != Kind::Floor);
    let version = |name| versions::version(versions::LOCK, versions::package(name)).unwrap_or("unknown").to_owned();
    executors.map(|contender| (contender.name.to_owned(), version(contender.name))).collect()
}

/// Asks the registry about those that were published, and says what it said.
fn newer(contenders: &[&Contender]) -> Newer {
    let published =
        contenders.iter().map(|contender| contender.name).filter(|name| versions::published(name).is_some());
    let (newer, why) = Newer::ask(&published.map(versions::package).collect::<BTreeSet<_>>());
    let why = why.map_or_else(String::new, |why| format!(" ({why})"));
    output::say(format_args!("{}{why}", newer.in_words()));
    newer
}

/// The day, in Greenwich, of a moment given in seconds since 1970: `2026-11-22`.
///
/// Source: Howard Hinnant, [`civil_from_days`](https://howardhinnant.github.io/date_algorithms.html).
pub fn date(seconds: u64) -> String {
    // Years that begin in March have their leap day at the end.
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
