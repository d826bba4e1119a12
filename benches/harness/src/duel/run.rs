//! Duels of several processes, and what is shown of them.

use std::time::{Duration, Instant};

use workloads::WORKLOADS;

use crate::contender::{Contender, FLOOR, FLOOR_WITHOUT_ALLOCATOR, is_floor};
use crate::duel::{self, Order, Place, Plan, Standing, TWIN, standing};
use crate::observation::{Observation, distinct};
use crate::progress::progress;
use crate::quiet::Watch;
use crate::table::{Table, figure};
use crate::worker::Failure;

/// The workloads that a duel is about unless others are asked for: each says something that the others do not.
pub const HEADLINES: &[&str] =
    &["yield_one", "yield_many", "spawn_join", "ping_pong", "all_ready", "one_ready_100", "block_on_ready"];

/// How long one process measures one workload at most, for each contender.
const MILLISECONDS_EACH: u64 = 60;

/// So many times as long for a workload of which a turn is many slices: each needs a moment in which the cache that all
/// processors share is nobody else's.
const LONGER: u64 = 4;

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
/// brings a process down is left out, with what it said. Each process waits for a quiet moment, as far as the watch
/// does.
///
/// # Errors
///
/// When a process fails of something else than the contenders, or of none of them alone.
pub fn fight(duel: &Duel, watch: &Watch) -> Result<Ending, String> {
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
            observations.extend(ring.process(process, milliseconds(duel, ring), watch)?);
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
    Ok(Ending { observations, open })
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
        let first = || names.iter().copied().find(|name| !is_floor(name));
        let reference = names.iter().copied().find(|name| *name == duel.reference).or_else(first)?;
        Some(Self { workload, names, reference, settled: false })
    }

    /// What a fresh process observed. Where it came to an end of its own, whoever fails alone as well is left out.
    fn process(&mut self, process: u32, milliseconds: u64, watch: &Watch) -> Result<Vec<Observation>, String> {
        let mut observations = Vec::new();
        loop {
            let again = [self.reference];
            let names = [&self.names[..], &again].concat();
            let why = match watch.over(|| self.together(&names, process, milliseconds)) {
                Ok(rows) => {
                    observations.extend(rows);
                    return Ok(observations);
                }
                Err(Failure::Elsewhere(why)) => return Err(why),
                Err(Failure::Found(why)) => why,
            };
            let mut fallen = self.fallen(|name| duel::try_one(name, self.workload))?;
            if fallen.is_empty() {
                // One iteration was not enough to show who it is.
                fallen = self.fallen(|name| self.together(&[name], process, milliseconds).map(drop))?;
            }
            if fallen.is_empty() {
                let (workload, names) = (self.workload, self.names.join(", "));
                return Err(format!("{workload} fails with {names} together and with none of them alone: {why}"));
            }
            self.names.retain(|name| fallen.iter().all(|(other, _)| other != name));
            let refused =
                fallen.into_iter().map(|(name, why)| Observation::refused(duel::VERB, name, self.workload, why));
            observations.extend(refused);
            match self.names.iter().copied().find(|name| !is_floor(name)) {
                Some(other) => {
                    if !self.names.contains(&self.reference) {
                        self.reference = other;
                    }
                }
                None => {
                    self.settled = true;
                    return Ok(observations);
                }
            }
        }
    }

    fn together(&self, names: &[&str], process: u32, milliseconds: u64) -> Result<Vec<Observation>, Failure> {
        let contenders = names.iter().map(|name| (*name).to_owned()).collect();
        duel::measure(&Plan { workload: self.workload.to_owned(), contenders, milliseconds, process })
    }

    /// Who fails when it is tried so, and why.
    fn fallen(&self, attempt: impl Fn(&str) -> Result<(), Failure>) -> Result<Vec<(&'static str, String)>, String> {
        let mut fallen = Vec::new();
        for &name in &self.names {
            match attempt(name) {
                Ok(()) => {}
                Err(Failure::Found(why)) => fallen.push((name, why)),
                Err(Failure::Elsewhere(why)) => return Err(why),
            }
        }
        Ok(fallen)
    }
}

/// Whether a turn of that workload is many slices, so that a duel over it needs more time than another one.
pub fn takes_longer(workload: &str) -> bool {
    WORKLOADS.iter().any(|other| other.id == workload && other.pass > duel::PARTS)
}

/// So much that the least number of processes fits into the time.
fn milliseconds(duel: &Duel, ring: &Ring) -> u64 {
    let least = u64::from(LEAST_PROCESSES.min(duel.most_processes));
    let share = duel.time.as_millis() as u64 / (least * duel.workloads.len() as u64);
    let each = MILLISECONDS_EACH * if takes_longer(ring.workload) { LONGER } else { 1 };
    let contenders = ring.names.len() as u64 + 1;
    // Starting a process and setting up takes some of it.
    (share * 3 / 4).clamp(100, each * contenders)
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

/// The ranks that each may have: ties leave several. Nought for the floors, and where processes differ too much.
pub fn ranks(standing: &Standing) -> Vec<(usize, usize)> {
    let is_ranked = |place: &Place| !is_floor(&place.name) && place.is_steady();
    let others: Vec<_> = standing.places.iter().filter(|place| is_ranked(place)).collect();
    let of = |place| {
        let certainly = |order| others.iter().filter(|other| standing.order(other, place) == order).count();
        (1 + certainly(Order::Faster), others.len() - certainly(Order::Slower))
    };
    standing.places.iter().map(|place| if is_ranked(place) { of(place) } else { (0, 0) }).collect()
}

/// What stands where somebody reads ratios to a floor that allocates.
const ALLOCATOR: &str = "The floor boxes each future, and most of what that takes is malloc and free: what is left without them \
                         stands beside it.";

fn ranking(standing: &Standing) -> Table {
    let title =
        format!("{}: noise floor {}, {} processes", standing.workload, percent(standing.noise), standing.processes);
    let to_reference = format!("x {}", standing.reference);
    let floor = standing.place(FLOOR).map(|place| place.ratio);
    let header = ["executor", "rank", "ns/op", &to_reference, "of all processes"];
    let mut table = Table::new(title, header.into_iter().chain(floor.map(|_| "x floor")));
    for (place, rank) in standing.places.iter().zip(ranks(standing)) {
        let rank = match rank {
            (0, _) if is_floor(&place.name) => String::new(),
            (0, _) => "!".to_owned(),
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
    for place in standing.places.iter().filter(|place| !place.is_steady()) {
        let (least, most) = place.interval;
        let Place { name, .. } = place;
        table.note(format!("! {name} is not ranked: one process says {least:.2}, and another one {most:.2}."));
    }
    let shortest = standing.places.iter().filter(|place| !is_floor(&place.name) && place.is_steady());
    if let Some(place) = shortest.min_by(|one, other| one.nanoseconds.total_cmp(&other.nanoseconds))
        && standing.noise_for(place) > 1.01 * standing.noise
    {
        table.note(format!(
            "For {} the noise is {}: where the linker puts a loop makes about a cycle, and that is much of {} ns.",
            place.name,
            percent(standing.noise_for(place)),
            figure(place.nanoseconds)
        ));
    }
    if standing.place(FLOOR).is_some() && standing.place(FLOOR_WITHOUT_ALLOCATOR).is_some() {
        table.note(ALLOCATOR);
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
        if !is_floor(name) {
            table.row([name.to_owned()].into_iter().chain(standings.iter().map(|standing| cell(standing, name))));
        }
    }
    if standings.iter().any(|standing| standing.place(FLOOR).is_some()) {
        let floors = standings.iter().map(|standing| {
            let floor = standing.place(FLOOR);
            floor.map_or_else(String::new, |floor| format!("{} ns", figure(floor.nanoseconds)))
        });
        table.row([String::from("floor: ns per operation")].into_iter().chain(floors));
        let bare = |standing: &Standing| standing.place(FLOOR_WITHOUT_ALLOCATOR).map(|place| place.nanoseconds);
        if standings.iter().any(|standing| bare(standing).is_some()) {
            let cells = standings.iter().map(|standing| {
                bare(standing).map_or_else(String::new, |nanoseconds| format!("{} ns", figure(nanoseconds)))
            });
            table.row([format!("{FLOOR_WITHOUT_ALLOCATOR}: ns per operation")].into_iter().chain(cells));
            table.note(ALLOCATOR);
        }
    } else {
        table.title = "ns per operation".to_owned();
        table.header[0] = "ns per operation".to_owned();
    }
    let noises = standings.iter().map(|standing| percent(standing.largest_noise()));
    table.row([String::from("noise")].into_iter().chain(noises));
    table.note(
        "* is the fastest, and = ties with it: the two differ by less than one contender differed from itself (noise). ? is \
         open: they differ by more, and not the same way in enough processes.",
    );
    if table.rows.iter().flatten().any(|cell| cell.starts_with('!')) {
        table.note(UNSTEADY);
    }
    for row in rows {
        if let Some(why) = row.refusal() {
            table.note(format!("{} is not timed: {why}.", row.executor));
        }
    }
    vec![table]
}

/// What a `!` before a ratio means.
pub const UNSTEADY: &str = "! is not to be compared: from one process to the next it differs by more than twice.";

fn cell(standing: &Standing, name: &str) -> String {
    let Some(place) = standing.place(name) else {
        let left_out = standing.left_out.iter().any(|(other, _)| other == name);
        return if left_out { "left out".to_owned() } else { "-".to_owned() };
    };
    let mut ranked = standing.places.iter().filter(|place| !is_floor(&place.name) && place.is_steady());
    let mark = match ranked.next() {
        _ if !standing.is_steady(name) => "!",
        Some(fastest) if fastest.name == name => "*",
        Some(fastest) => match standing.order(fastest, place) {
            Order::Tie => "=",
            Order::Unsettled => "?",
            Order::Faster | Order::Slower | Order::Unsteady => "",
        },
        None => "",
    };
    match standing.place(FLOOR) {
        Some(floor) => format!("{mark}{}", figure(place.ratio / floor.ratio)),
        None => format!("{mark}{}", figure(place.nanoseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duel::SHORTEST;

    #[test]
    fn a_workload_of_many_slices_has_more_time_if_there_is_any() {
        let long = |workload, seconds| {
            let duel = Duel {
                workloads: vec![workload],
                contenders: Vec::new(),
                reference: "a",
                time: Duration::from_secs(seconds),
                most_processes: 7,
            };
            milliseconds(&duel, &Ring { workload, names: vec!["a"; 9], reference: "a", settled: false })
        };
        assert_eq!((long("yield_one", 45), long("one_ready_10000", 45)), (600, 2_400));
        assert_eq!((long("yield_one", 1), long("one_ready_10000", 1)), (106, 106));
    }

    fn observed(times: &[(&str, [f64; 3])]) -> Vec<Observation> {
        let rows = times.iter().flat_map(|(name, times)| {
            times.iter().zip(0..).map(|(&time, process)| Observation {
                process,
                ..Observation::new(duel::VERB, name, "spawn_join", SHORTEST, time)
            })
        });
        rows.collect()
    }

    #[test]
    fn who_is_not_steady_is_marked_and_takes_nobodys_rank() {
        let rows = observed(&[
            ("floor", [10.0; 3]),
            ("floor-no-malloc", [2.0; 3]),
            ("a", [100.0; 3]),
            ("a#2", [100.0; 3]),
            ("b", [50.0, 50.0, 900.0]),
            ("c", [200.0; 3]),
        ]);
        let standing = observed_standing(&rows, "spawn_join");
        let names: Vec<_> = standing.places.iter().map(|place| &*place.name).collect();
        assert_eq!(names, ["floor-no-malloc", "floor", "b", "a", "c"]);
        assert_eq!(ranks(&standing), [(0, 0), (0, 0), (0, 0), (1, 1), (2, 2)]);
        let ranking = ranking(&standing);
        assert_eq!(ranking.rows[2][1], "!");
        assert!(ranking.notes.iter().any(|note| note.contains("one process says 0.50, and another one 9.00")));
        assert!(ranking.notes.iter().any(|note| note.contains("malloc and free")));
        let table = side_by_side(&rows).remove(0);
        let cells: Vec<_> = table.rows.iter().map(|row| (&*row[0], &*row[1])).collect();
        assert_eq!(cells[..3], [("a", "*10.0"), ("b", "!5.00"), ("c", "20.0")]);
        assert_eq!(
            cells[3..5],
            [("floor: ns per operation", "10.0 ns"), ("floor-no-malloc: ns per operation", "2.00 ns")]
        );
        assert!(table.notes.iter().any(|note| note == UNSTEADY));
    }
}
