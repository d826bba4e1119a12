//! Duels of several processes, and what is shown of them.

use std::time::{Duration, Instant};

use workloads::WORKLOADS;

use crate::contender::FLOOR;
use crate::duel::{self, Order, Plan, Standing, TWIN, standing};
use crate::observation::Observation;
use crate::progress::progress;
use crate::table::{Table, figure};

/// What is looked at first: each says something that the others do not.
pub const HEADLINES: &[&str] =
    &["yield_one", "yield_many", "spawn_join", "ping_pong", "all_ready", "one_ready_100", "block_on_ready"];

/// How long one process measures one workload, for each contender.
const MILLISECONDS_EACH: u64 = 60;

/// Fewer processes say nothing about how far they vary.
const LEAST_PROCESSES: u32 = 3;

/// What a duel is about.
#[derive(Clone, Debug)]
pub struct Duel {
    /// Each takes its turns with the same contenders.
    pub workloads: Vec<&'static str>,
    /// Who takes part, the reference once.
    pub contenders: Vec<&'static str>,
    /// To whom all are compared. It takes part twice.
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

/// Runs process after process, the workloads by turns, until all orders are settled or the time is up.
///
/// # Errors
///
/// When a process fails.
pub fn fight(duel: &Duel) -> Result<Ending, String> {
    let begun = Instant::now();
    let mut names: Vec<String> = duel.contenders.iter().map(|name| (*name).to_owned()).collect();
    names.push(duel.reference.to_owned());
    let mut observations: Vec<Observation> = Vec::new();
    let mut open = duel.workloads.clone();
    let bar = progress(duel.workloads.len() * duel.most_processes as usize);
    for process in 0..duel.most_processes {
        for workload in open.clone() {
            // A process more than the least is begun only while there is time.
            if process >= LEAST_PROCESSES && begun.elapsed() > duel.time {
                break;
            }
            bar.set_message(format!("duel {workload}, process {}", process + 1));
            let plan = Plan {
                workload: workload.to_owned(),
                contenders: names.clone(),
                milliseconds: milliseconds(duel, names.len()),
                process,
            };
            observations.extend(duel::measure(&plan).map_err(|why| format!("{workload}: {why}"))?);
            bar.inc(1);
        }
        if process + 1 >= LEAST_PROCESSES {
            open.retain(|workload| !standing(&observations, workload, duel.reference).is_settled());
        }
        if open.is_empty() || (process + 1 >= LEAST_PROCESSES && begun.elapsed() > duel.time) {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(Ending { observations, open })
}

/// So much that the least number of processes fits into the time.
fn milliseconds(duel: &Duel, contenders: usize) -> u64 {
    let share = duel.time.as_millis() as u64 / (u64::from(LEAST_PROCESSES) * duel.workloads.len() as u64);
    // Starting a process and setting up takes some of it.
    (share * 3 / 4).clamp(100, MILLISECONDS_EACH * contenders as u64)
}

/// Whose twin took part in what was observed.
pub fn observed_reference(observations: &[Observation]) -> Option<&str> {
    observations.iter().filter(|row| row.verb == duel::VERB).find_map(|row| row.executor.strip_suffix(TWIN))
}

/// The workloads that were observed, in their order.
pub fn observed_workloads(observations: &[Observation]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for row in observations.iter().filter(|row| row.verb == duel::VERB && !row.subject.is_empty()) {
        if !names.contains(&&*row.subject) {
            names.push(&row.subject);
        }
    }
    let place = |name: &str| WORKLOADS.iter().position(|workload| workload.id == name).unwrap_or(usize::MAX);
    names.sort_by_key(|name| place(name));
    names
}

/// For each workload the ranking, and how often each was faster than each other.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    let Some(reference) = observed_reference(observations) else { return Vec::new() };
    let mut tables = Vec::new();
    for workload in observed_workloads(observations) {
        let standing = standing(observations, workload, reference);
        tables.push(ranking(&standing, reference));
        if standing.places.len() > 1 {
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

fn ranking(standing: &Standing, reference: &str) -> Table {
    let title =
        format!("{}: noise floor {}, {} processes", standing.workload, percent(standing.noise), standing.processes);
    let mut table =
        Table::new(title, ["executor", "rank", "ns/op", &format!("x {reference}"), "of all processes", "x floor"]);
    let floor = standing.place(FLOOR).map(|place| place.ratio);
    for (place, rank) in standing.places.iter().zip(ranks(standing)) {
        let rank = match rank {
            (0, _) => String::new(),
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first} to {last}"),
        };
        table.row([
            place.name.clone(),
            rank,
            figure(place.nanoseconds),
            format!("{:.2}", place.ratio),
            format!("{:.2} to {:.2}", place.interval.0, place.interval.1),
            floor.map_or_else(String::new, |floor| format!("{:.1}", place.ratio / floor)),
        ]);
    }
    for pair in standing.places.windows(2) {
        match standing.order(&pair[0], &pair[1]) {
            Order::Tie => {
                table.note(format!("A tie: {} and {} differ by less than the noise.", pair[0].name, pair[1].name))
            }
            Order::Unsettled => table.note(format!(
                "Open: {} and {} differ by more than the noise, and not the same way in every process.",
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

/// Workloads across: ratios to the floor, the noise in the header, and ties within it. For a screen.
pub fn side_by_side(observations: &[Observation]) -> Vec<Table> {
    let Some(reference) = observed_reference(observations) else { return Vec::new() };
    let standings: Vec<_> = observed_workloads(observations)
        .into_iter()
        .map(|workload| standing(observations, workload, reference))
        .filter(|standing| !standing.places.is_empty())
        .collect();
    let header =
        [String::from("x floor")].into_iter().chain(standings.iter().map(|standing| standing.workload.clone()));
    let mut table = Table::new("Ratios to the same work by hand", header);
    let mut names: Vec<&str> = Vec::new();
    for row in observations.iter().filter(|row| row.verb == duel::VERB && !row.executor.ends_with(TWIN)) {
        if !names.contains(&&*row.executor) {
            names.push(&row.executor);
        }
    }
    let measured = |name: &&str| standings.iter().any(|standing| standing.place(name).is_some());
    for name in names.iter().filter(|name| measured(name) && **name != FLOOR) {
        let cells = standings.iter().map(|standing| cell(standing, name));
        table.row([(*name).to_owned()].into_iter().chain(cells));
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
        "* is the fastest, and = ties with it: the two differ by less than one contender differed from itself (noise).",
    );
    let mut refused: Vec<(&str, &str)> = Vec::new();
    for row in observations.iter().filter(|row| row.verb == duel::VERB) {
        if let Some(why) = row.refusal()
            && !refused.contains(&(&row.executor, why))
        {
            refused.push((&row.executor, why));
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
    } else if standing.order(fastest, place) == Order::Tie {
        "="
    } else {
        ""
    };
    match standing.place(FLOOR) {
        Some(floor) => format!("{mark}{}", figure(place.ratio / floor.ratio)),
        None => format!("{mark}{}", figure(place.nanoseconds)),
    }
}
