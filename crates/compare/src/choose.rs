//! `choose`: which executor for this case, by what was measured, and who is out for which reason.

use std::cmp::Ordering;
use std::io::{BufRead, IsTerminal as _, Write, stdin, stdout};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use executor::{Capabilities, Idle};
use harness::card::{self, ALLOCATIONS, INSTRUCTIONS};
use harness::contender::FLOOR;
use harness::idle::{self, PROCESSOR, WAKE};
use harness::latency::{self, P99};
use harness::pages::{is_judged, page};
use harness::statistics::median;
use harness::table::{Table, count, time};
use harness::{Contender, Kind, Observation, memory};

use crate::record::{self, Record};
use crate::{programs, statics};

/// Who polls again after a future was pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolledBy {
    /// A loop that turns anyway: a frame, a tick, an interrupt
    Host,
    /// A thread that has nothing else to do
    Thread,
}

/// Where wakes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WakesFrom {
    /// Only from the thread that polls
    Here,
    /// From other threads as well
    Elsewhere,
}

/// What somebody wants of an executor.
#[derive(Clone, Debug)]
pub struct Needs {
    /// Who polls again.
    pub polled_by: PolledBy,
    /// Where wakes come from.
    pub wakes_from: WakesFrom,
    /// How many tasks wait at once; 0 for one future and no tasks.
    pub idle_tasks: usize,
    /// Within which time 99 of 100 wakes from another thread are heard.
    pub latency: Option<Duration>,
    /// Whether a processor may be used up by waiting.
    pub may_spin: bool,
    /// Whether the executor's own package is to have no `unsafe`.
    pub no_unsafe: bool,
    /// Whether a wake may not allocate.
    pub no_allocation_per_wake: bool,
}

/// Needs, as far as they were said on the command line. What is missing is asked for on a terminal.
#[derive(Args, Clone, Debug, Default)]
pub struct Questions {
    /// Who polls again: a loop that turns anyway, or a thread of its own
    #[arg(long, value_enum)]
    pub polled_by: Option<PolledBy>,
    /// Where wakes come from
    #[arg(long, value_enum)]
    pub wakes_from: Option<WakesFrom>,
    /// How many tasks wait at once; 0 for one future and no tasks
    #[arg(long, value_name = "N")]
    pub idle_tasks: Option<usize>,
    /// Within which time 99 of 100 wakes from another thread are heard, such as 10us
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub latency: Option<Duration>,
    /// A processor may be used up by waiting
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub may_spin: Option<bool>,
    /// No `unsafe` in the executor's own package
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub no_unsafe: Option<bool>,
    /// No allocation for a wake
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub no_alloc_per_wake: Option<bool>,
    /// The record to go by, its folder or its name; the newest in docs/results without
    #[arg(long, value_name = "FOLDER")]
    pub record: Option<PathBuf>,
}

impl Questions {
    /// What was said, and on a terminal what is answered.
    ///
    /// # Errors
    ///
    /// When one of the three that decide is missing and there is nobody to ask.
    pub fn needs(&self) -> Result<Needs, String> {
        let interactive = stdin().is_terminal();
        self.needs_with(
            interactive.then_some((&mut stdin().lock() as &mut dyn BufRead, &mut stdout() as &mut dyn Write)),
        )
    }

    /// The same, with those who answer and hear the questions, if there are any. Whoever has said the three that decide
    /// is not asked for the others, which have an answer that excludes nobody but who spins.
    ///
    /// # Errors
    ///
    /// When one of the three that decide is missing and there is nobody to ask.
    pub fn needs_with(&self, terminal: Option<(&mut dyn BufRead, &mut dyn Write)>) -> Result<Needs, String> {
        let asked = [
            ("--polled-by", self.polled_by.is_some()),
            ("--wakes-from", self.wakes_from.is_some()),
            ("--idle-tasks", self.idle_tasks.is_some()),
        ];
        let missing: Vec<_> = asked.iter().filter(|(_, said)| !said).map(|(flag, _)| *flag).collect();
        let mut asker = match terminal {
            _ if missing.is_empty() => None,
            Some((input, output)) => Some(Asker { input, output }),
            None => return Err(format!("{} must be said where there is no terminal to ask on", missing.join(", "))),
        };
        let mut ask = |question: &str, default: &str| match &mut asker {
            Some(asker) => asker.ask(question, default),
            None => Ok(default.to_owned()),
        };
        Ok(Needs {
            polled_by: said(self.polled_by, || ask("Who polls again, host or thread?", "thread"), choice)?,
            wakes_from: said(self.wakes_from, || ask("Do wakes come from here or elsewhere?", "elsewhere"), choice)?,
            idle_tasks: said(self.idle_tasks, || ask("How many tasks wait at once (0 for one future)?", "0"), number)?,
            latency: said(self.latency.map(Some), || ask("Within which time is a wake to be heard?", "any"), limit)?,
            may_spin: said(self.may_spin, || ask("May waiting use up a processor?", "no"), yes)?,
            no_unsafe: said(self.no_unsafe, || ask("Must the executor be without unsafe?", "no"), yes)?,
            no_allocation_per_wake: said(
                self.no_alloc_per_wake,
                || ask("Must a wake be without allocation?", "no"),
                yes,
            )?,
        })
    }

    /// The record to go by, and its folder: the one that was asked for, or the last there is; none is no error.
    ///
    /// # Errors
    ///
    /// When the record cannot be read, or is damaged.
    pub fn record(&self) -> Result<Option<(PathBuf, Record)>, String> {
        let folder = match &self.record {
            Some(folder) => Some(record::named(folder)),
            None => record::newest(&page(record::FOLDER))?,
        };
        let Some(folder) = folder else { return Ok(None) };
        let record = record::load(&folder)?;
        match record.damaged.first() {
            None => Ok(Some((folder, record))),
            Some(why) => Err(why.clone()),
        }
    }
}

fn said<T>(
    flag: Option<T>,
    ask: impl FnOnce() -> Result<String, String>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, String> {
    match flag {
        Some(value) => Ok(value),
        None => parse(&ask()?),
    }
}

struct Asker<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
}

impl Asker<'_> {
    fn ask(&mut self, question: &str, default: &str) -> Result<String, String> {
        let mut answer = String::new();
        write!(self.output, "{question} [{default}] ")
            .and_then(|()| self.output.flush())
            .and_then(|()| self.input.read_line(&mut answer))
            .map_err(|error| format!("the question cannot be asked: {error}"))?;
        let answer = answer.trim();
        Ok(if answer.is_empty() { default.to_owned() } else { answer.to_owned() })
    }
}

fn choice<T: ValueEnum>(answer: &str) -> Result<T, String> {
    T::from_str(answer, true).map_err(|_| {
        let known = T::value_variants().iter().filter_map(T::to_possible_value);
        let known: Vec<_> = known.map(|value| value.get_name().to_owned()).collect();
        format!("`{answer}` is none of {}", known.join(", "))
    })
}

fn number(answer: &str) -> Result<usize, String> {
    answer.parse().map_err(|_| format!("`{answer}` is no whole number"))
}

fn yes(answer: &str) -> Result<bool, String> {
    match answer {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err(format!("`{answer}` is neither yes nor no")),
    }
}

fn limit(answer: &str) -> Result<Option<Duration>, String> {
    if answer == "any" { Ok(None) } else { duration(answer).map(Some) }
}

/// A number with a unit: `500ns`, `10us`, `1.5ms`, `2s`.
///
/// # Errors
///
/// When it is something else.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time such as 500ns, 10us, 1.5ms or 2s");
    let (number, unit) = text.split_at(text.find(|digit: char| digit.is_alphabetic()).ok_or_else(wrong)?);
    let scale = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let time = Duration::try_from_secs_f64(number * scale).map_err(|_| wrong())?;
    if time.is_zero() { Err(wrong()) } else { Ok(time) }
}

/// Who is left, in which order, and who is not.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The best first.
    pub ranking: Vec<Candidate>,
    /// Everybody else.
    pub fallen: Vec<Fallen>,
    /// What must be known to read it.
    pub remarks: Vec<String>,
}

/// Who could be chosen.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The executor's name.
    pub name: String,
    /// Where it is from.
    pub origin: Origin,
    /// What it was ranked by, the first first: the less the better. Nothing where the record has no row.
    pub keys: Vec<Key>,
    /// The rows that were looked at.
    pub evidence: Vec<Observation>,
    /// Which there were not.
    pub missing: Vec<String>,
}

/// One figure that the ranking goes by.
#[derive(Clone, Debug)]
pub struct Key {
    /// What it is.
    pub title: String,
    /// How much, if that is known.
    pub value: Option<f64>,
    /// Whether another run gives another figure.
    pub is_time: bool,
}

/// Whose an executor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A strategy of this workspace.
    Ours,
    /// To be had from the registry.
    Published,
    /// Brought by whoever runs the program.
    Yours,
}

/// Who cannot be chosen.
#[derive(Clone, Debug)]
pub struct Fallen {
    /// The executor's name.
    pub name: String,
    /// Why, in one line.
    pub why: String,
}

/// Times that differ by less than this factor do not make an order: from run to run of one program they differ by tens
/// of percent, and a record may hold one run only.
const TIE: f64 = 2.0;

/// When something else is the answer, whatever the ranking says.
const ELSEWHERE: &[(&str, &str)] = &[
    ("sockets, files, timers or several worker threads", "tokio or smol: an executor alone has none of these"),
    ("bare metal, a kernel, no heap", "embassy-executor: static tasks, wakes from interrupts"),
    ("a page in a browser", "wasm-bindgen-futures: nothing may block there"),
    ("a game engine or a GUI toolkit that has tasks", "its own: bevy_tasks, or the toolkit's spawn_local"),
    ("io_uring, a thread for each processor", "compio, monoio or glommio"),
    ("tests with a seeded order and simulated time", "madsim, turmoil or shuttle"),
    ("a scheduler of your own", "async-task for the tasks, so that you write the queue only"),
];

/// Who fits, going by what contenders say of themselves and by the rows of a record.
///
/// A row that is not there excludes nobody; it is named at the candidate.
pub fn choose(needs: &Needs, contenders: &[Contender], observations: &[Observation]) -> Choice {
    choose_by(needs, contenders, observations, harness::contender::gate)
}

/// As [`choose`], with another judge of who breaks what std demands: it says why the contender of a name is out, if it
/// is.
pub fn choose_by(
    needs: &Needs,
    contenders: &[Contender],
    observations: &[Observation],
    gate: impl Fn(&str) -> Option<String>,
) -> Choice {
    let (mut ranking, mut fallen) = (Vec::new(), Vec::new());
    for contender in contenders {
        // The floor is no executor.
        let Some(capabilities) = contender.capabilities else { continue };
        let mut look = Look::new(contender.name, observations);
        let broken = gate(contender.name);
        let reasons: Vec<_> = broken.into_iter().chain(reasons(needs, contender, capabilities, &mut look)).collect();
        if !reasons.is_empty() {
            fallen.push(Fallen { name: contender.name.to_owned(), why: reasons.join("; ") });
            continue;
        }
        let keys = keys(needs, &mut look);
        if !is_judged(contender.name) {
            look.missing.push("the suite: `cargo compare conform` runs it".to_owned());
        }
        let Look { evidence, missing, .. } = look;
        let origin = origin(contender.name);
        ranking.push(Candidate { name: contender.name.to_owned(), origin, keys, evidence, missing });
    }
    let undecided = rank(&mut ranking);
    let remarks = remarks(needs, &ranking, &undecided, observations);
    Choice { ranking, fallen, remarks }
}

/// Everything else that speaks against one.
fn reasons(needs: &Needs, contender: &Contender, capabilities: Capabilities, look: &mut Look<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    if contender.kind == Kind::BlockOn && needs.idle_tasks > 0 {
        reasons.push("drives one future and owns no tasks".to_owned());
    }
    if contender.kind == Kind::BlockOn && needs.polled_by == PolledBy::Host {
        reasons.push("returns only when its future is ready, and a host cannot wait for that".to_owned());
    }
    if capabilities.idle == Idle::Spins && needs.polled_by == PolledBy::Thread && !needs.may_spin {
        reasons.push("polls on while nothing is ready, which uses up a processor".to_owned());
    }
    if needs.no_unsafe
        && let Some(sites) = look.value(statics::VERB, "", None, statics::UNSAFE)
        && sites > 0.0
    {
        reasons.push(format!("has {} unsafe sites of its own", count(sites)));
    }
    if needs.no_allocation_per_wake && contender.kind == Kind::Executor {
        for operation in operations(needs) {
            if let Some(allocations) = look.value(card::VERB, operation, None, ALLOCATIONS)
                && allocations > 0.0
            {
                reasons.push(format!("allocates {} times in each {operation}", allocations_in_words(allocations)));
            }
        }
    }
    if let Some(wanted) = waits_for(needs) {
        if let Some((longest, interval)) = look.longest()
            && longest > wanted
            && by_hand(look.observations).is_none_or(|floor| floor <= wanted)
        {
            let (longest, interval) = (time(longest), time(interval));
            reasons.push(format!("takes {longest} for 99 of 100 wakes, when one comes every {interval}"));
        }
        // That is of one task alone: with many, whoever polls all of them takes longer.
        if let Some((took, tasks)) = look.idle(needs, WAKE)
            && took > wanted
        {
            reasons.push(format!("takes {} to wake one of {} tasks and hear from it", time(took), count(tasks)));
        }
    }
    reasons
}

/// What a candidate is ranked by.
fn keys(needs: &Needs, look: &mut Look<'_>) -> Vec<Key> {
    let mut keys = Vec::new();
    if waits_for(needs).is_some() {
        let value = look.longest().map(|(longest, _)| longest);
        keys.push(Key { title: "p99 of a wake, longest".to_owned(), value, is_time: true });
    }
    if needs.idle_tasks == 0 {
        // To drive one future costs little in any of them. What differs is what comes into the program.
        for (title, quantity) in [("machine code, bytes", statics::BYTES), ("dependencies", statics::DEPENDENCIES)] {
            let value = look.value(statics::VERB, "", None, quantity);
            keys.push(Key { title: title.to_owned(), value, is_time: false });
        }
        return keys;
    }
    let found = look.idle(needs, WAKE);
    let title = match tasks_measured(needs, look.observations) {
        Some(tasks) => format!("to wake 1 of {}", count(tasks)),
        None => "to wake one".to_owned(),
    };
    keys.push(Key { title, value: found.map(|(took, _)| took), is_time: true });
    let costs: Vec<_> =
        operations(needs).iter().map(|operation| look.value(card::VERB, operation, None, INSTRUCTIONS)).collect();
    let title = format!("instructions, {}", operations(needs).join(" + "));
    keys.push(Key { title, value: costs.into_iter().sum(), is_time: false });
    // Not to be ranked by, and wanted by whoever reads the ranking.
    look.idle(needs, PROCESSOR);
    look.smallest(memory::VERB, memory::BYTES);
    if needs.no_unsafe {
        look.value(statics::VERB, "", None, statics::UNSAFE);
    }
    keys
}

/// What a wake is, here.
fn operations(needs: &Needs) -> &'static [&'static str] {
    match needs.wakes_from {
        WakesFrom::Here => &["self_wake", "local_wake"],
        WakesFrom::Elsewhere => &["foreign_wake", "foreign_poll"],
    }
}

/// The wanted latency in nanoseconds, where it is the executor that has to keep it.
fn waits_for(needs: &Needs) -> Option<f64> {
    let theirs = needs.polled_by == PolledBy::Thread && needs.wakes_from == WakesFrom::Elsewhere;
    needs.latency.filter(|_| theirs).map(|latency| latency.as_secs_f64() * 1e9)
}

fn allocations_in_words(value: f64) -> String {
    if value < 0.005 { "less than 0.01".to_owned() } else { count(value) }
}

fn origin(name: &str) -> Origin {
    match programs::of(name) {
        Some(program) if program.is_ours() => Origin::Ours,
        Some(_) => Origin::Published,
        None => Origin::Yours,
    }
}

/// What a thread takes that parks and is unparked by hand. Where that is too long already, it is the machine's fault.
fn by_hand(observations: &[Observation]) -> Option<f64> {
    Look::new(FLOOR, observations).longest().map(|(longest, _)| longest)
}

/// The number of tasks that was measured and stands for the one that is needed: the next larger, or the largest. The
/// same for everybody, so that all are compared at it.
fn tasks_measured(needs: &Needs, observations: &[Observation]) -> Option<f64> {
    let rows = observations.iter().filter(|row| row.verb == idle::VERB && row.quantity == WAKE);
    let tasks: Vec<f64> = rows.filter_map(|row| row.parameter).collect();
    let larger = tasks.iter().copied().filter(|&tasks| tasks >= needs.idle_tasks as f64).min_by(f64::total_cmp);
    larger.or_else(|| tasks.into_iter().max_by(f64::total_cmp))
}

/// What is looked up for one executor, and what was found.
struct Look<'a> {
    name: &'a str,
    observations: &'a [Observation],
    evidence: Vec<Observation>,
    missing: Vec<String>,
}

impl<'a> Look<'a> {
    fn new(name: &'a str, observations: &'a [Observation]) -> Self {
        Self { name, observations, evidence: Vec::new(), missing: Vec::new() }
    }

    fn rows(&self, verb: &str, subject: &str, quantity: &str) -> Vec<&'a Observation> {
        let rows = self.observations.iter().filter(|row| row.verb == verb && row.executor == self.name);
        rows.filter(|row| (subject.is_empty() || row.subject == subject) && row.quantity == quantity).collect()
    }

    /// The median over processes; remembers which rows it is of.
    fn value(&mut self, verb: &str, subject: &str, parameter: Option<f64>, quantity: &str) -> Option<f64> {
        let mut rows = self.rows(verb, subject, quantity);
        rows.retain(|row| parameter.is_none() || row.parameter == parameter);
        let value = median(&rows.iter().map(|row| row.value).collect::<Vec<_>>());
        for row in rows {
            if !self.evidence.contains(row) {
                self.evidence.push(row.clone());
            }
        }
        if value.is_none() {
            let at = parameter.map_or_else(String::new, |parameter| format!(" at {}", count(parameter)));
            let what = [verb, subject, quantity].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
            let what = format!("{}{at}", what.join(" "));
            if !self.missing.contains(&what) {
                self.missing.push(what);
            }
        }
        value
    }

    /// The longest p99 of all intervals, and the interval: nobody says how often wakes come.
    fn longest(&mut self) -> Option<(f64, f64)> {
        let mut intervals: Vec<_> = self.rows(latency::VERB, "", P99).iter().filter_map(|row| row.parameter).collect();
        intervals.sort_by(f64::total_cmp);
        intervals.dedup();
        if intervals.is_empty() {
            // Remembers that there is none.
            self.value(latency::VERB, "", None, P99);
        }
        let found = intervals.into_iter().filter_map(|at| Some((self.value(latency::VERB, "", Some(at), P99)?, at)));
        found.max_by(|one, other| one.0.total_cmp(&other.0))
    }

    fn idle(&mut self, needs: &Needs, quantity: &str) -> Option<(f64, f64)> {
        if needs.idle_tasks == 0 {
            return None;
        }
        let tasks = tasks_measured(needs, self.observations);
        Some((self.value(idle::VERB, "", tasks, quantity)?, tasks?))
    }

    /// At the smallest parameter there is.
    fn smallest(&mut self, verb: &str, quantity: &str) -> Option<f64> {
        let rows = self.rows(verb, "", quantity);
        let parameter = rows.iter().filter_map(|row| row.parameter).min_by(f64::total_cmp);
        self.value(verb, "", parameter, quantity)
    }
}

/// Orders by the first key on which two differ. Those that follow the first and differ from it on none are returned.
fn rank(ranking: &mut [Candidate]) -> Vec<String> {
    let keys = ranking.iter().map(|candidate| candidate.keys.len()).max().unwrap_or(0);
    let best: Vec<_> = (0..keys)
        .map(|key| {
            let values = ranking.iter().filter_map(|candidate| candidate.keys[key].value);
            values.min_by(f64::total_cmp).unwrap_or_default()
        })
        .collect();
    ranking.sort_by(|one, other| order(one, other, &best));
    let [first, others @ ..] = ranking else { return Vec::new() };
    let undecided = others.iter().take_while(|other| order(first, other, &best).is_eq());
    undecided.map(|other| other.name.clone()).collect()
}

/// Which one comes first. Times are put into classes before, each [`TIE`] times the one before, the first from the best
/// on.
fn order(one: &Candidate, other: &Candidate, best: &[f64]) -> Ordering {
    let class = |key: &Key, best: f64| {
        let class = |value: f64| if key.is_time { (value / best).log(TIE).floor() } else { value };
        key.value.map(class)
    };
    let pairs = one.keys.iter().zip(&other.keys).zip(best);
    let orders = pairs.map(|((one, other), &best)| match (class(one, best), class(other, best)) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        // What is not known is no better than what is.
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

/// Whether the other one is as good, or nearly, in everything that is known of both. Where nothing is, nobody can say
/// so.
fn close(one: &Candidate, other: &Candidate) -> bool {
    let pairs = one.keys.iter().zip(&other.keys).filter_map(|(one, other)| Some((one.value?, other.value?)));
    let near: Vec<_> = pairs.map(|(one, other)| other <= one * TIE).collect();
    !near.is_empty() && near.iter().all(|near| *near)
}

fn remarks(needs: &Needs, ranking: &[Candidate], undecided: &[String], observations: &[Observation]) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some((wanted, floor)) = waits_for(needs).zip(by_hand(observations))
        && floor > wanted
    {
        remarks.push(format!(
            "On the record's machine a thread that parks and is unparked by hand, without any executor, takes {} for 99 of 100 \
             wakes. So nobody is left out for taking longer than {}: a record of your own machine would tell.",
            time(floor),
            time(wanted),
        ));
    }
    match ranking {
        [] => remarks.push(
            "Nobody here keeps all of it: drop the need that the reasons name most often, or look at what else there is."
                .to_owned(),
        ),
        _ if observations.is_empty() => remarks.push(
            "There is no record, so nobody is ranked: these are left by what they say of themselves, in the order of the \
             program's columns."
                .to_owned(),
        ),
        [first, ..] if first.keys.iter().all(|key| key.value.is_none()) => {
            remarks.push("The record has none of the rows that rank: the order means nothing.".to_owned());
        }
        [first, others @ ..] => {
            let published: Vec<_> = others
                .iter()
                .filter(|other| other.origin == Origin::Published && close(first, other))
                .map(|other| &*other.name)
                .collect();
            remarks.push(match first.origin {
                Origin::Published => format!("Take {}: it comes first, is published and maintained.", first.name),
                _ if published.is_empty() => format!(
                    "Take {}: by what the record has, nobody published is within a factor of {TIE} of it.",
                    first.name
                ),
                _ => format!(
                    "Take {} if you want to own the code. Otherwise prefer what is published and maintained, and within a \
                     factor of {TIE} of it in everything that is known of both: {}.",
                    first.name,
                    published.join(", ")
                ),
            });
            if !undecided.is_empty() {
                remarks.push(format!(
                    "The record does not tell {} from {}: any of them will do.",
                    first.name,
                    undecided.join(", ")
                ));
            }
        }
    }
    if needs.polled_by == PolledBy::Host {
        remarks.push(
            "A host ticks an executor with `block_on(yield_now())`, which does not park. Of the strategies here, one that \
             polls everything polls each task once for it; one whose wake names the task may go on for a short round, so that \
             a task which wakes itself is polled several times in one tick."
                .to_owned(),
        );
    }
    if needs.latency.is_some() && waits_for(needs).is_none() {
        remarks.push(match needs.polled_by {
            PolledBy::Host => "The wanted latency is not looked at: the host's tick decides it.".to_owned(),
            PolledBy::Thread => {
                "The wanted latency is not looked at: what is measured is the way from another thread's wake."
                    .to_owned()
            }
        });
    }
    if let Some(tasks) = tasks_measured(needs, observations)
        && tasks < needs.idle_tasks as f64
    {
        remarks.push(format!("No more than {} waiting tasks were measured.", count(tasks)));
    }
    remarks
}

/// The ranking, who is out, what the first rests on, and when to look elsewhere.
pub fn view(choice: &Choice, contenders: &[Contender]) -> Vec<Table> {
    let mut tables = Vec::new();
    if let Some(first) = choice.ranking.first() {
        let keys = first.keys.iter().map(|key| key.title.clone());
        let header = ["executor", "from", "a wake names"].map(str::to_owned).into_iter().chain(keys);
        let mut table = Table::new("Who fits, the best first", header.chain(["not in the record".to_owned()]));
        for candidate in &choice.ranking {
            let cells = candidate.keys.iter().map(|key| match key.value {
                Some(value) if key.is_time => time(value),
                Some(value) => count(value),
                None => "-".to_owned(),
            });
            let contender = contenders.iter().find(|contender| contender.name == candidate.name);
            let capabilities = contender.and_then(|contender| contender.capabilities);
            let named = capabilities.map_or_else(String::new, |found| found.wake_names.to_string());
            let missing = match &candidate.missing[..] {
                [] => "nothing".to_owned(),
                [one] => one.clone(),
                [one, others @ ..] => format!("{one}, and {} more", others.len()),
            };
            let origin = match candidate.origin {
                Origin::Ours => "here",
                Origin::Published => "the registry",
                Origin::Yours => "you",
            };
            let cells = [candidate.name.clone(), origin.to_owned(), named].into_iter().chain(cells);
            table.row(cells.chain([missing]));
        }
        choice.remarks.iter().for_each(|remark| table.note(remark));
        tables.push(table);
        if !first.evidence.is_empty() {
            tables.push(rests_on(first));
        }
    } else {
        let mut table = Table::new("Nobody fits", ["executor"]);
        choice.remarks.iter().for_each(|remark| table.note(remark));
        tables.push(table);
    }
    if !choice.fallen.is_empty() {
        let mut table = Table::new("Who does not, and why", ["executor", "why"]);
        choice.fallen.iter().for_each(|fallen| table.row([&fallen.name, &fallen.why]));
        tables.push(table);
    }
    let mut table = Table::new("Whatever stands above: look elsewhere for", ["what", "where"]);
    ELSEWHERE.iter().for_each(|(what, answer)| table.row([*what, *answer]));
    tables.push(table);
    tables
}

fn rests_on(first: &Candidate) -> Table {
    let header = ["verb", "what", "at", "quantity", "value"];
    let mut table = Table::new(format!("What that rests on, for {}", first.name), header);
    for row in &first.evidence {
        let at = row.parameter.map_or_else(String::new, count);
        let value = harness::table::figure(row.value);
        table.row([row.verb.clone(), row.subject.clone(), at, row.quantity.clone(), value]);
    }
    table.note("`--format json` prints the rows of everybody who fits.");
    table
}
