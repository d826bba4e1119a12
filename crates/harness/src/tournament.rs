//! Duels of several processes, and what is shown of them.

use std::time::{Duration, Instant};

use workloads::WORKLOADS;

use crate::contender::{Contender, FLOOR};
use crate::duel::{self, Order, Plan, Standing, TWIN, standing};
use crate::observation::{Observation, distinct};
use crate::progress::progress;
use crate::table::{Table, figure};

/// The workloads that a duel is about unless others are asked for: each says something that the others do not.
pub const HEADLINES: &[&str] =
    &["yield_one", "yield_many", "spawn_join", "ping_pong", "all_ready", "one_ready_100", "block_on_ready"];

/// How long one process measures one workload at most, for each contender.
const MILLISECONDS_EACH: u64 = 60;

/// Fewer processes say little about how far they vary.
const LEAST_PROCESSES: u32 = 7;

/// What a duel is about.
#[derive(Clone, Debug)]
pub struct Duel {
    /// Each takes its turns with the same contenders.
    pub workloads: Vec<&'static str>,
    /// Who takes part, where they know the workload; the reference once.
    pub contenders: Vec<Contender>,
    /// To whom all are compared: it takes part twice. Where it does not know the workload, the first that does.
    pub reference: &'static str,
    /// When to stop in any case.
    pub time: Duration,
    /// How many processes at most.
    pub most_processes: u32,
}

/// How a duel ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// All that was observed.
    pub observations: Vec<Observation>,
    /// Workloads whose order was still open when the time was up.
    pub open: Vec<&'static str>,
}

/// Runs process after process, the workloads by turns, until all orders are settled or the time is up. A contender that
/// brings a process down is left out, with what it said.
pub fn fight(duel: &Duel) -> Ending {
    let begun = Instant::now();
    let least = LEAST_PROCESSES.min(duel.most_processes);
    let mut observations: Vec<Observation> = Vec::new();
    let mut rings: Vec<Ring> = duel.workloads.iter().filter_map(|workload| Ring::new(duel, workload)).collect();
    let bar = progress(rings.len() * duel.most_processes as usize);
    for process in 0..duel.most_processes {
        for ring in &mut rings {
            // A process more than the least is begun only while there is time.
            if ring.settled || (process >= least && begun.elapsed() > duel.time) {
                continue;
            }
            bar.set_message(format!("duel {}, process {}", ring.workload, process + 1));
            observations.extend(ring.process(process, milliseconds(duel, ring.names.len() + 1)));
            bar.inc(1);
            if process + 1 >= least {
                ring.settled |= standing(&observations, ring.workload, ring.reference).is_settled();
            }
        }
        let up = process + 1 >= least && begun.elapsed() > duel.time;
        if up || rings.iter().all(|ring| ring.settled) {
            break;
        }
    }
    bar.finish_and_clear();
    let open = rings.iter().filter(|ring| !ring.settled).map(|ring| ring.workload).collect();
    Ending { observations, open }
}

/// One workload and who is in it.
struct Ring {
    workload: &'static str,
    names: Vec<&'static str>,
    reference: &'static str,
    settled: bool,
}

impl Ring {
    /// Nothing, when only the floor knows the workload.
    fn new(duel: &Duel, workload: &'static str) -> Option<Self> {
        let knows = |contender: &&Contender| contender.case_named(workload).is_some();
        let names: Vec<_> = duel.contenders.iter().filter(knows).map(|contender| contender.name).collect();
        let first = || names.iter().copied().find(|name| *name != FLOOR);
        let reference = names.iter().copied().find(|name| *name == duel.reference).or_else(first)?;
        Some(Self { workload, names, reference, settled: false })
    }

    /// What a fresh process observed. Where it came to an end of its own, whoever fails alone as well is left out.
    fn process(&mut self, process: u32, milliseconds: u64) -> Vec<Observation> {
        let mut observations = Vec::new();
        loop {
            let names = self.names.iter().chain([&self.reference]);
            let plan = Plan {
                workload: self.workload.to_owned(),
                contenders: names.map(|name| (*name).to_owned()).collect(),
                milliseconds,
                process,
            };
            let why = match duel::measure(&plan) {
                Ok(rows) => {
                    observations.extend(rows);
                    return observations;
                }
                Err(why) => why,
            };
            let before = self.names.len();
            let mut refuse = |name: &str, why: String| {
                observations.push(Observation::refused(duel::VERB, name, self.workload, why));
            };
            self.names.retain(|name| match duel::try_one(name, self.workload) {
                Ok(()) => true,
                Err(why) => {
                    refuse(name, why);
                    false
                }
            });
            let left = self.names.iter().copied().find(|name| *name != FLOOR);
            match left {
                Some(other) if self.names.len() < before => {
                    if !self.names.contains(&self.reference) {
                        self.reference = other;
                    }
                }
                _ => {
                    self.names.iter().for_each(|name| refuse(name, why.clone()));
                    self.settled = true;
                    return observations;
                }
            }
        }
    }
}

/// So much that the least number of processes fits into the time.
fn milliseconds(duel: &Duel, contenders: usize) -> u64 {
    let least = u64::from(LEAST_PROCESSES.min(duel.most_processes));
    let share = duel.time.as_millis() as u64 / (least * duel.workloads.len() as u64);
    // Starting a process and setting up takes some of it.
    (share * 3 / 4).clamp(100, MILLISECONDS_EACH * contenders as u64)
}

/// Whose twin took part in what was observed of that workload.
fn observed_reference<'a>(observations: &'a [Observation], workload: &str) -> Option<&'a str> {
    let rows = observations.iter().filter(|row| row.verb == duel::VERB && row.subject == workload);
    rows.filter_map(|row| row.executor.strip_suffix(TWIN)).next()
}

/// The standing of that workload, to whoever was its reference: one that the usual reference does not know has another.
/// Where nobody was timed, nobody has a place.
pub fn observed_standing(observations: &[Observation], workload: &str) -> Standing {
    standing(observations, workload, observed_reference(observations, workload).unwrap_or_default())
}

/// The standing of every workload that was observed.
pub fn standings(observations: &[Observation]) -> Vec<Standing> {
    let workloads = observed_workloads(observations).into_iter();
    workloads.map(|workload| observed_standing(observations, workload)).collect()
}

/// The workloads that were observed, in their order.
fn observed_workloads(observations: &[Observation]) -> Vec<&str> {
    let rows = observations.iter().filter(|row| row.verb == duel::VERB && !row.subject.is_empty());
    let mut names = distinct(rows.map(|row| &*row.subject));
    let place = |name: &str| WORKLOADS.iter().position(|workload| workload.id == name).unwrap_or(usize::MAX);
    names.sort_by_key(|name| place(name));
    names
}

/// For each workload the ranking, and how often each was faster than each other.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    let mut tables = Vec::new();
    for standing in standings(observations) {
        tables.push(ranking(&standing));
        if standing.rivals() > 1 {
            tables.push(matrix(&standing));
        }
    }
    let refused: Vec<_> = observations.iter().filter(|row| row.verb == duel::VERB && row.subject.is_empty()).collect();
    if !refused.is_empty() {
        let mut table = Table::new("Not timed", ["executor", "why"]);
        for row in refused {
            table.row([&*row.executor, row.refusal().unwrap_or_default()]);
        }
        tables.push(table);
    }
    tables
}

/// The ranks that each may have: ties leave several.
pub fn ranks(standing: &Standing) -> Vec<(usize, usize)> {
    let others: Vec<_> = standing.places.iter().filter(|place| place.name != FLOOR).collect();
    let of = |place| {
        let certainly = |order| others.iter().filter(|other| standing.order(other, place) == order).count();
        (1 + certainly(Order::Faster), others.len() - certainly(Order::Slower))
    };
    standing.places.iter().map(|place| if place.name == FLOOR { (0, 0) } else { of(place) }).collect()
}

fn ranking(standing: &Standing) -> Table {
    let title =
        format!("{}: noise floor {}, {} processes", standing.workload, percent(standing.noise), standing.processes);
    let to_reference = format!("x {}", standing.reference);
    let floor = standing.place(FLOOR).map(|place| place.ratio);
    let header = ["executor", "rank", "ns/op", &to_reference, "of all processes"];
    let mut table = Table::new(title, header.into_iter().chain(floor.map(|_| "x floor")));
    for (place, rank) in standing.places.iter().zip(ranks(standing)) {
        let rank = match rank {
            (0, _) => String::new(),
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first} to {last}"),
        };
        let cells = [
            place.name.clone(),
            rank,
            figure(place.nanoseconds),
            format!("{:.2}", place.ratio),
            format!("{:.2} to {:.2}", place.interval.0, place.interval.1),
        ];
        table.row(cells.into_iter().chain(floor.map(|floor| format!("{:.1}", place.ratio / floor))));
    }
    for pair in standing.places.windows(2) {
        match standing.order(&pair[0], &pair[1]) {
            Order::Tie => {
                table.note(format!("A tie: {} and {} differ by less than the noise.", pair[0].name, pair[1].name))
            }
            Order::Unsettled => table.note(format!(
                "Open: {} and {} differ by more than the noise, and not the same way in enough processes.",
                pair[0].name, pair[1].name
            )),
            _ => {}
        }
    }
    for (name, why) in &standing.left_out {
        table.note(format!("Left out: {name}: {why}."));
    }
    table
}

/// As a part of a hundred that a factor is more than 1.
pub fn percent(factor: f64) -> String {
    format!("{:.1} %", 100.0 * (factor - 1.0))
}

fn matrix(standing: &Standing) -> Table {
    let letter = |place: usize| char::from(b'A' + place as u8).to_string();
    let mut table = Table::new(
        format!("{}: in how many of 100 blocks the row was faster than the column", standing.workload),
        [String::new()].into_iter().chain((0..standing.places.len()).map(letter)),
    );
    for (number, one) in standing.places.iter().enumerate() {
        let cells = standing.places.iter().map(|other| {
            if one.name == other.name {
                "·".to_owned()
            } else {
                format!("{:.0}", 100.0 * standing.probability(one, other))
            }
        });
        table.row([format!("{} {}", letter(number), one.name)].into_iter().chain(cells));
    }
    table
}

/// Workloads across: ratios to the floor, marked where they tie with the fastest, and in the last rows the floor itself
/// and the noise. For a screen.
pub fn side_by_side(observations: &[Observation]) -> Vec<Table> {
    let mut standings = standings(observations);
    standings.retain(|standing| !standing.places.is_empty());
    if standings.is_empty() {
        return Vec::new();
    }
    let header =
        [String::from("x floor")].into_iter().chain(standings.iter().map(|standing| standing.workload.clone()));
    let mut table = Table::new("Ratios to the same work by hand", header);
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == duel::VERB).collect();
    let measured = |name: &str| standings.iter().any(|standing| standing.place(name).is_some());
    for name in distinct(rows.iter().map(|row| &*row.executor)).into_iter().filter(|name| measured(name)) {
        if name != FLOOR {
            table.row([name.to_owned()].into_iter().chain(standings.iter().map(|standing| cell(standing, name))));
        }
    }
    if standings.iter().any(|standing| standing.place(FLOOR).is_some()) {
        let floors = standings.iter().map(|standing| {
            let floor = standing.place(FLOOR);
            floor.map_or_else(String::new, |floor| format!("{} ns", figure(floor.nanoseconds)))
        });
        table.row([String::from("floor: ns per operation")].into_iter().chain(floors));
    } else {
        table.title = "ns per operation".to_owned();
        table.header[0] = "ns per operation".to_owned();
    }
    let noises = standings.iter().map(|standing| percent(standing.noise));
    table.row([String::from("noise")].into_iter().chain(noises));
    table.note(
        "* is the fastest, and = ties with it: the two differ by less than one contender differed from itself (noise). ? is \
         open: they differ by more, and not the same way in enough processes.",
    );
    for row in rows {
        if let Some(why) = row.refusal() {
            table.note(format!("{} is not timed: {why}.", row.executor));
        }
    }
    vec![table]
}

fn cell(standing: &Standing, name: &str) -> String {
    let Some(place) = standing.place(name) else {
        let left_out = standing.left_out.iter().any(|(other, _)| other == name);
        return if left_out { "left out".to_owned() } else { "-".to_owned() };
    };
    let fastest = standing.places.iter().find(|place| place.name != FLOOR).expect("this one is there");
    let mark = if fastest.name == name {
        "*"
    } else {
        match standing.order(fastest, place) {
            Order::Tie => "=",
            Order::Unsettled => "?",
            Order::Faster | Order::Slower => "",
        }
    };
    match standing.place(FLOOR) {
        Some(floor) => format!("{mark}{}", figure(place.ratio / floor.ratio)),
        None => format!("{mark}{}", figure(place.nanoseconds)),
    }
}
