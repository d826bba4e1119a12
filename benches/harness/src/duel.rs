//! Who is faster, on a machine that also does something else.
//!
//! Contenders that are timed one after the other each get the weather of their own second. Here they take turns, a
//! *slice* of some microseconds each, shorter than what a scheduler hands out, so that all get the same weather; and of
//! many slices the shortest is kept, as a disturbance can only make one longer. Where two threads take part that is not
//! so, and the median is kept instead.
//!
//! At each turn its contender does the same without being timed, until it has touched all that the workload has: what
//! others left in the caches is no part of the figure. Where that is far more than a slice touches, as many slices
//! follow as touch all of it again, and the figure is their mean, each the shortest in its place: otherwise it would be
//! that of the tasks that lie best, or of the moment in which the cache that all processors share was nobody else's.
//!
//! The slices of a process are split into blocks, each of which gives one observation a contender; several fresh
//! processes say how far figures vary with addresses and heaps. The reference takes part twice. How far its twins
//! differ is how far any two contenders can differ for no reason: the run's *noise floor*.
//!
//! The method of short interleaved slices is that of [tango](https://docs.rs/tango-bench), for more than two
//! contenders and across several processes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use conformance::Allocations;
use conformance::image::lack;
use serde::{Deserialize, Serialize};
use workloads::{Iteration, Workload};

use crate::contender::{self, Contender, FLOOR, is_floor};
use crate::observation::Observation;
use crate::statistics::{self, Shuffle};
use crate::trial;
use crate::worker::{self, Failure, Work};

/// What a process measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The workload's name.
    pub workload: String,
    /// The contenders' names. One that stands here twice takes part twice.
    pub contenders: Vec<String>,
    /// How long it goes on.
    pub milliseconds: u64,
    /// Which process it is, from 0.
    pub process: u32,
}

/// The verb of these observations.
pub const VERB: &str = "duel";

/// What is observed where one thread does all.
pub const SHORTEST: &str = "ns per operation, shortest slice of a block";

/// What is observed where two threads take part.
pub const MEDIAN: &str = "ns per operation, median slice of a block";

/// Below this nothing was done: less than a cycle for a call, a poll and a wake.
pub const FOLDED_BELOW: f64 = 0.3;

/// What stands at an observation of nothing.
pub const FOLDED: &str = "folded: less than a call can take, so the compiler left it out";

/// The noise is never taken as less, however alike the twins are: they share their code, and so cannot show what
/// depends on where code is.
pub const LEAST_NOISE: f64 = 1.02;

/// About a processor's cycle, in nanoseconds. Where the linker puts a loop makes a turn of it longer by up to that: of
/// a wake in 100 ns nobody sees it, of one in 4 ns it is a twelfth.
const CYCLE: f64 = 0.33;

/// A row whose processes differ by more than this factor says nothing about the next process, and is not ranked. On a
/// quiet machine bad luck with addresses makes up to 1.5; who shares a processor with another program takes twice as
/// long, and more.
pub const STEADY: f64 = 2.0;

/// One process in so many may be further off, as in a full duel of seven one now and then is.
const ONE_IN: usize = 7;

/// After the name of the reference's twin.
pub const TWIN: &str = "#2";

/// Into how many parts a process's time is split.
const BLOCKS: u32 = 8;

/// A slice is at least so long, so that reading the clock (some 40 ns) is less than a hundredth of it.
const SLICE: Duration = Duration::from_micros(5);

/// A contender whose slices are longer takes its turn less often, so that one slow contender does not use up the time
/// of all.
const LONG_SLICE: Duration = Duration::from_micros(200);

/// A pass that takes longer is one iteration: 10,000 wakes take less of whoever polls what was woken. Whoever takes
/// longer polls everybody for each wake, and has touched all after the first.
const LONG_PASS: Duration = Duration::from_millis(50);

/// Into how many slices a pass is split at most.
pub(crate) const PARTS: usize = 10;

/// Makes a fresh process measure.
///
/// # Errors
///
/// When the process fails.
pub fn measure(plan: &Plan) -> Result<Vec<Observation>, Failure> {
    // Setting up takes its time, too: 10,000 tasks for each contender.
    worker::run(&Work::Duel(plan.clone()), Duration::from_millis(plan.milliseconds) + Duration::from_secs(60))
}

/// Whether a contender gets through the workload's check, in a process of its own.
///
/// # Errors
///
/// When it does not: why.
pub fn try_one(contender: &str, workload: &str) -> Result<(), Failure> {
    let work = Work::Trial { executor: contender.to_owned(), workload: workload.to_owned() };
    worker::run(&work, Duration::from_secs(30)).map(drop)
}

/// In the process: one iteration.
pub(crate) fn trial(executor: &str, workload: &str, contenders: &[Contender]) -> Result<(), Failure> {
    let case = contender::find(executor, contenders)?.case_named(workload);
    let case = case.ok_or_else(|| format!("{executor} has no workload `{workload}`"))?;
    trial::run(case).map_err(Failure::Found)
}

/// A contender in the ring.
struct Duellist {
    name: String,
    iteration: Iteration,
    /// Iterations in a slice.
    repeats: usize,
    /// Iterations at the beginning of a turn that are not timed.
    pass: usize,
    /// Takes part in one turn of so many.
    every: usize,
    /// The slices of this block, in ns per operation, by their place in a turn: together they are no less than a pass.
    parts: Vec<Vec<f64>>,
}

/// In the process: lets them take turns.
pub(crate) fn fight(plan: &Plan, contenders: &[Contender]) -> Result<Vec<Observation>, String> {
    Allocations::suspend();
    let mut observations = Vec::new();
    let mut duellists: Vec<Duellist> = Vec::new();
    let mut workload: Option<&'static Workload> = None;
    for name in &plan.contenders {
        let Some(case) = contender::find(name, contenders)?.case_named(&plan.workload) else { continue };
        workload = Some(case.workload);
        let again = duellists.iter().any(|other| other.name == *name);
        if !again && let Err(why) = trial::run(case) {
            if lack(&why).is_some() {
                return Err(why);
            }
            observations.push(Observation::refused(VERB, name, &plan.workload, why));
            continue;
        }
        let mut iteration = case.set_up();
        // Not timed: what only a first iteration causes, such as a buffer that grows.
        iteration();
        let name = if again { format!("{name}{TWIN}") } else { name.clone() };
        duellists.push(Duellist::new(name, iteration, case.workload));
    }
    let Some(workload) = workload else { return Ok(observations) };
    let mut shuffle = Shuffle::new(u64::from(plan.process) + 1);
    let mut order: Vec<usize> = (0..duellists.len()).collect();
    let block_time = Duration::from_millis(plan.milliseconds) / BLOCKS;
    let mut turn = 0;
    for block in 0..BLOCKS {
        let begun = Instant::now();
        // Nobody leaves a block without a slice.
        while begun.elapsed() < block_time || duellists.iter().any(Duellist::is_missing) {
            shuffle.shuffle(&mut order);
            for &index in &order {
                let duellist = &mut duellists[index];
                // A twin has the same turns as its twin.
                if turn % duellist.every == 0 || duellist.is_missing() {
                    duellist.turn(workload);
                }
            }
            turn += 1;
        }
        for duellist in &mut duellists {
            observations.push(Observation { process: plan.process, block, ..duellist.observation(workload) });
            duellist.parts.iter_mut().for_each(Vec::clear);
        }
    }
    Ok(observations)
}

/// Of three.
fn shortest(iteration: &mut Iteration) -> Duration {
    let times = (0..3).map(|_| {
        let begun = Instant::now();
        black_box(iteration());
        begun.elapsed()
    });
    times.min().expect("three is more than none")
}

/// The shape of a turn where an iteration takes so long: how many iterations are not timed, how many there are in a
/// slice, and how many slices.
fn shape(workload: &Workload, once: Duration) -> (usize, usize, usize) {
    let pass = if once * workload.pass as u32 > LONG_PASS { 1 } else { workload.pass };
    let least = SLICE.as_nanos().div_ceil(once.as_nanos().max(1)) as usize;
    let repeats = least.max(pass.div_ceil(PARTS));
    (pass, repeats, pass.div_ceil(repeats))
}

impl Duellist {
    fn new(name: String, mut iteration: Iteration, workload: &Workload) -> Self {
        let once = shortest(&mut iteration);
        let (pass, repeats, parts) = shape(workload, once);
        let long = once * (pass + repeats * parts) as u32;
        let every = (long.as_nanos() / LONG_SLICE.as_nanos()).max(1) as usize;
        Self { name, iteration, repeats, pass, every, parts: vec![Vec::new(); parts] }
    }

    /// Whether it had no turn in this block.
    fn is_missing(&self) -> bool {
        self.parts[0].is_empty()
    }

    /// Touches all that there is, and then takes the time of as much. Whoever had a turn before has used the caches,
    /// and the more of them there were the less is left in them: without this, the figure would say how large the
    /// company is.
    fn turn(&mut self, workload: &Workload) {
        for _ in 0..self.pass {
            black_box((self.iteration)());
        }
        for slices in &mut self.parts {
            let begun = Instant::now();
            for _ in 0..self.repeats {
                black_box((self.iteration)());
            }
            let time = begun.elapsed();
            slices.push(time.as_nanos() as f64 / (self.repeats * workload.operations) as f64);
        }
    }

    fn observation(&self, workload: &Workload) -> Observation {
        let (quantity, of): (_, fn(&[f64]) -> f64) = if workload.threads == 1 {
            (SHORTEST, |slices| slices[0])
        } else {
            (MEDIAN, |slices| statistics::quantile(slices, 0.5))
        };
        let parts = self.parts.iter().map(|slices| {
            let mut sorted = slices.clone();
            sorted.sort_by(f64::total_cmp);
            of(&sorted)
        });
        let value = parts.sum::<f64>() / self.parts.len() as f64;
        let observation = Observation::new(VERB, &self.name, workload.id, quantity, value);
        if value < FOLDED_BELOW { observation.noting(FOLDED) } else { observation }
    }
}

/// What the observations of one workload come down to.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The workload's name.
    pub workload: String,
    /// To whom the ratios are: whose twin took part.
    pub reference: String,
    /// Everybody but the twin, the fastest first.
    pub places: Vec<Place>,
    /// How far the reference's twins differ at most, as a factor, in two of three processes, and at least
    /// [`LEAST_NOISE`]. For short operations it is more: see [`noise_for`](Self::noise_for).
    pub noise: f64,
    /// In how many processes it was measured.
    pub processes: usize,
    /// Who was left out, and why.
    pub left_out: Vec<(String, String)>,
}

/// How one contender did.
#[derive(Clone, Debug)]
pub struct Place {
    /// The contender's name.
    pub name: String,
    /// The shortest (or, with two threads, the median) of all blocks, in ns per operation.
    pub nanoseconds: f64,
    /// To the reference, within each process, the median of them.
    pub ratio: f64,
    /// The lowest and highest ratio of any process.
    pub interval: (f64, f64),
    /// Each process's ratio.
    ratios: Vec<f64>,
    /// The observations, by process and block.
    blocks: Vec<((u32, u32), f64)>,
}

impl Place {
    /// Whether processes agree, within [`STEADY`], but for one in seven.
    pub fn is_steady(&self) -> bool {
        let mut sorted = self.ratios.clone();
        sorted.sort_by(f64::total_cmp);
        let kept = sorted.len() - sorted.len() / ONE_IN;
        sorted.windows(kept).any(|kept| kept[kept.len() - 1] <= STEADY * kept[0])
    }
}

/// Whether one is faster than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It is, by more than the noise, in two of three processes.
    Faster,
    /// The other one is.
    Slower,
    /// They differ by less than the noise.
    Tie,
    /// By more than the noise, and not in as many processes.
    Unsettled,
    /// That cannot be said, as the processes of one of them differ too much.
    Unsteady,
}

/// So many of the processes do not count: in a process, a contender can have bad luck with its addresses, and then
/// takes half as long again, from beginning to end.
fn unlucky(processes: usize) -> usize {
    processes / 3
}

/// What the observations say of a workload. `reference` is whose twin took part.
pub fn standing(observations: &[Observation], workload: &str, reference: &str) -> Standing {
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == VERB && row.subject == workload).collect();
    let mut left_out: Vec<(String, String)> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for row in &rows {
        let why = row.refusal().or(row.note.as_deref());
        match why {
            Some(why) if !left_out.iter().any(|(name, _)| *name == row.executor) => {
                left_out.push((row.executor.clone(), why.to_owned()));
            }
            None if !names.contains(&&*row.executor) => names.push(&row.executor),
            _ => {}
        }
    }
    names.retain(|name| !left_out.iter().any(|(other, _)| other == name));
    let mut processes: Vec<u32> = rows.iter().map(|row| row.process).collect();
    processes.sort_unstable();
    processes.dedup();
    let two_threads = rows.iter().any(|row| row.quantity == MEDIAN);
    let of = |name: &str, process: Option<u32>| {
        let own = rows.iter().filter(|row| row.executor == name && row.refusal().is_none());
        let own = own.filter(|row| process.is_none_or(|process| row.process == process));
        let values: Vec<f64> = own.map(|row| row.value).collect();
        if two_threads { statistics::median(&values) } else { statistics::minimum(&values) }
    };
    let twin = format!("{reference}{TWIN}");
    let ratio = |name: &str, process| Some(of(name, Some(process))? / of(reference, Some(process))?);
    let spreads = processes.iter().filter_map(|&process| ratio(&twin, process)).map(|ratio| ratio.max(1.0 / ratio));
    let mut spreads: Vec<f64> = spreads.collect();
    spreads.sort_by(|one, other| other.total_cmp(one));
    let noise = spreads.get(unlucky(spreads.len())).map_or(LEAST_NOISE, |spread| spread.max(LEAST_NOISE));
    let mut places: Vec<Place> = names
        .iter()
        .filter(|name| !name.ends_with(TWIN))
        .filter_map(|&name| {
            let ratios: Vec<f64> = processes.iter().filter_map(|&process| ratio(name, process)).collect();
            let interval = (statistics::minimum(&ratios)?, statistics::maximum(&ratios)?);
            let blocks = rows.iter().filter(|row| row.executor == name);
            Some(Place {
                name: name.to_owned(),
                nanoseconds: of(name, None)?,
                ratio: statistics::median(&ratios)?,
                interval,
                ratios,
                blocks: blocks.map(|row| ((row.process, row.block), row.value)).collect(),
            })
        })
        .collect();
    places.sort_by(|one, other| one.ratio.total_cmp(&other.ratio));
    Standing {
        workload: workload.to_owned(),
        reference: reference.to_owned(),
        places,
        noise,
        processes: processes.len(),
        left_out,
    }
}

impl Standing {
    /// Whether `one` is faster than `other`.
    pub fn order(&self, one: &Place, other: &Place) -> Order {
        if !one.is_steady() || !other.is_steady() {
            return Order::Unsteady;
        }
        let ratio = one.ratio / other.ratio;
        if ratio.max(1.0 / ratio) <= self.noise_for(one).max(self.noise_for(other)) {
            return Order::Tie;
        }
        let pairs = one.ratios.iter().zip(&other.ratios);
        let faster = pairs.filter(|(one, other)| one < other).count();
        let slower = one.ratios.len() - faster;
        let few = unlucky(one.ratios.len());
        match ratio < 1.0 {
            true if slower <= few => Order::Faster,
            false if faster <= few => Order::Slower,
            _ => Order::Unsettled,
        }
    }

    /// How often a block of `one` was faster than the same block of `other`, from 0 to 1.
    pub fn probability(&self, one: &Place, other: &Place) -> f64 {
        let mut pairs = 0.0;
        let mut faster = 0.0;
        for (block, time) in &one.blocks {
            if let Some((_, other)) = other.blocks.iter().find(|(place, _)| place == block) {
                pairs += 1.0;
                faster += if time < other {
                    1.0
                } else if time > other {
                    0.0
                } else {
                    0.5
                };
            }
        }
        faster / pairs
    }

    /// Whether every two neighbours are a tie or in order: where there are no two, nothing is open.
    pub fn is_settled(&self) -> bool {
        let is_open = |order| matches!(order, Order::Unsettled | Order::Unsteady);
        self.places.windows(2).all(|pair| !is_open(self.order(&pair[0], &pair[1])))
    }

    /// The noise of one's figure: at least what a cycle more makes of it.
    pub fn noise_for(&self, place: &Place) -> f64 {
        self.noise.max(LEAST_NOISE + CYCLE / place.nanoseconds)
    }

    /// The largest noise of anybody's figure but the floors'.
    pub fn largest_noise(&self) -> f64 {
        let noises = self.places.iter().filter(|place| !is_floor(&place.name)).map(|place| self.noise_for(place));
        noises.fold(self.noise, f64::max)
    }

    /// Whether the ratio of that one to the floor, or to the reference where there is no floor, is the same in each
    /// process, within [`STEADY`].
    pub fn is_steady(&self, name: &str) -> bool {
        [name, FLOOR].iter().all(|name| self.place(name).is_none_or(Place::is_steady))
    }

    /// How many were timed, not counting the floor.
    pub fn rivals(&self) -> usize {
        self.places.iter().filter(|place| place.name != FLOOR).count()
    }

    /// How many times as long as the same work by hand that one takes.
    pub fn to_floor(&self, name: &str) -> Option<f64> {
        Some(self.place(name)?.ratio / self.place(FLOOR)?.ratio)
    }

    /// The place of that name.
    pub fn place(&self, name: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One block in each of three processes, by contender.
    fn observed(times: &[(&str, [f64; 3])]) -> Vec<Observation> {
        let rows = times.iter().flat_map(|(name, times)| {
            times.iter().zip(0..).map(|(&time, process)| {
                let row = Observation::new(VERB, name, "yield_one", SHORTEST, time);
                Observation { process, ..row }
            })
        });
        rows.collect()
    }

    fn order(times: &[(&str, [f64; 3])], one: &str, other: &str) -> Order {
        let standing = standing(&observed(times), "yield_one", "a");
        standing.order(standing.place(one).unwrap(), standing.place(other).unwrap())
    }

    #[test]
    fn what_differs_by_less_than_the_twins_is_a_tie() {
        let times = [("a", [100.0, 100.0, 100.0]), ("a#2", [100.0, 106.0, 106.0]), ("b", [105.0, 105.0, 105.0])];
        assert_eq!(order(&times, "a", "b"), Order::Tie);
        let quiet = [times[0], ("a#2", [100.0, 101.0, 100.0]), times[2]];
        assert_eq!(order(&quiet, "a", "b"), Order::Faster);
        assert_eq!(order(&quiet, "b", "a"), Order::Slower);
    }

    #[test]
    fn twins_that_are_alike_by_luck_do_not_make_small_differences_large() {
        let times = [("a", [100.0; 3]), ("a#2", [100.0; 3]), ("b", [101.5; 3])];
        assert_eq!(order(&times, "a", "b"), Order::Tie);
    }

    /// Twins have the same code, and where it lies makes 6 to 10 % of an operation of some nanoseconds.
    #[test]
    fn a_cycle_is_no_difference_where_an_operation_takes_few() {
        let short = [("a", [6.0; 3]), ("a#2", [6.0; 3]), ("b", [6.4; 3]), ("c", [4.0; 3]), ("d", [4.38; 3])];
        assert_eq!(order(&short, "a", "b"), Order::Tie);
        assert_eq!(order(&short, "c", "d"), Order::Tie);
        assert_eq!(order(&short, "c", "a"), Order::Faster);
        let long = [("a", [60.0; 3]), ("a#2", [60.0; 3]), ("b", [64.0; 3])];
        assert_eq!(order(&long, "a", "b"), Order::Faster);
    }

    #[test]
    fn the_noise_of_a_workload_is_that_of_its_shortest_operation() {
        let times = [("floor", [1.0; 3]), ("a", [100.0; 3]), ("a#2", [100.0; 3]), ("b", [3.3; 3])];
        let standing = standing(&observed(&times), "yield_one", "a");
        assert_eq!(standing.noise, LEAST_NOISE);
        assert!(
            (standing.largest_noise() - 1.12).abs() < 1e-9,
            "the floor is not ranked: {}",
            standing.largest_noise()
        );
    }

    #[test]
    fn a_row_whose_processes_differ_too_much_has_no_order() {
        let times = [("a", [100.0; 3]), ("a#2", [100.0; 3]), ("b", [110.0, 110.0, 260.0]), ("c", [90.0, 91.0, 179.0])];
        assert_eq!(order(&times, "a", "b"), Order::Unsteady);
        assert_eq!(order(&times, "c", "a"), Order::Faster, "less than twice is not too much");
        let standing = standing(&observed(&times), "yield_one", "a");
        assert!(standing.is_steady("c") && !standing.is_steady("b"));
        assert!(!standing.is_settled());
    }

    #[test]
    fn ratios_to_a_floor_that_is_not_steady_are_not_either() {
        let times = [("floor", [10.0, 10.0, 25.0]), ("a", [100.0; 3]), ("a#2", [100.0; 3])];
        assert!(!standing(&observed(&times), "yield_one", "a").is_steady("a"));
    }

    #[test]
    fn one_process_of_seven_may_be_off() {
        let place = |ratios: &[f64]| Place {
            name: "b".to_owned(),
            nanoseconds: 1.0,
            ratio: 1.0,
            interval: (1.0, 1.0),
            ratios: ratios.to_vec(),
            blocks: Vec::new(),
        };
        assert!(place(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0]).is_steady());
        assert!(!place(&[1.0, 1.0, 1.0, 1.0, 1.0, 9.0]).is_steady());
        assert!(!place(&[1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 9.0]).is_steady());
    }

    #[test]
    fn a_turn_begins_with_a_pass_that_is_not_timed_and_takes_the_time_of_another() {
        let done = std::rc::Rc::new(std::cell::Cell::new(0));
        let counted = done.clone();
        let count = move || {
            counted.set(counted.get() + 1);
            0
        };
        let workload = &workloads::crowd::ONE_READY_10000;
        let mut duellist = Duellist::new("b".to_owned(), Box::new(count), workload);
        duellist.repeats = 51;
        duellist.parts = vec![Vec::new(); 10];
        done.set(0);
        duellist.turn(workload);
        assert_eq!(done.get(), 501 + 10 * 51, "10,001 members, 20 of them in an iteration, and the slices");
        assert!(duellist.parts.iter().all(|slices| slices.len() == 1));
    }

    #[test]
    fn a_turn_is_as_many_slices_as_touch_all() {
        let [one, many] = [&workloads::crowd::ONE_READY_100, &workloads::crowd::ONE_READY_10000];
        // Who polls only what was woken, and who polls everybody.
        assert_eq!(shape(many, Duration::from_micros(2)), (501, 51, 10));
        assert_eq!(shape(many, Duration::from_millis(2)), (1, 1, 1));
        assert_eq!(shape(one, Duration::from_micros(3)), (2, 2, 1));
        assert_eq!(shape(one, Duration::from_micros(100)), (2, 1, 2));
        assert_eq!(shape(&workloads::wakers::YIELD_ONE, Duration::from_nanos(400)), (1, 13, 1));
    }

    #[test]
    fn the_figure_of_a_block_is_the_mean_over_all_that_was_touched() {
        let workload = &workloads::crowd::ONE_READY_10000;
        let parts = vec![vec![30.0, 10.0, 20.0], vec![50.0, 40.0]];
        let duellist = Duellist { parts, ..Duellist::new("b".to_owned(), Box::new(|| 0), workload) };
        assert_eq!(duellist.observation(workload).value, 25.0, "the shortest of each place");
    }

    #[test]
    fn what_is_not_so_in_most_processes_is_open() {
        // By the medians b is slower, and in two of three processes it is faster.
        let (b, c) = ([100.0, 110.0, 120.0], [105.0, 115.0, 60.0]);
        let times = [("a", [100.0; 3]), ("a#2", [100.0; 3]), ("b", b), ("c", c)];
        assert_eq!(order(&times, "b", "c"), Order::Unsettled);
        assert!(!standing(&observed(&times), "yield_one", "a").is_settled());
    }

    #[test]
    fn one_process_of_three_does_not_decide() {
        let mut found: Vec<Observation> = Vec::new();
        for process in 0..6 {
            let b = if process == 3 { 99.0 } else { 110.0 };
            let rows = [("a", 100.0), ("a#2", 100.0), ("b", b)].map(|(name, time)| Observation {
                process,
                ..Observation::new(VERB, name, "yield_one", SHORTEST, time)
            });
            found.extend(rows);
        }
        let standing = standing(&found, "yield_one", "a");
        let (a, b) = (standing.place("a").unwrap(), standing.place("b").unwrap());
        assert_eq!((standing.order(a, b), standing.order(b, a)), (Order::Faster, Order::Slower));
    }

    #[test]
    fn ratios_are_taken_within_a_process() {
        // The machine was twice as slow in the second process, for both.
        let found =
            observed(&[("a", [100.0, 200.0, 100.0]), ("a#2", [100.0, 200.0, 100.0]), ("b", [150.0, 300.0, 150.0])]);
        let standing = standing(&found, "yield_one", "a");
        let b = standing.place("b").unwrap();
        assert_eq!((b.ratio, b.interval, b.nanoseconds), (1.5, (1.5, 1.5), 150.0));
        assert_eq!(standing.probability(standing.place("a").unwrap(), b), 1.0);
        assert!(standing.place("a#2").is_none(), "the twin has no place of its own");
    }

    #[test]
    fn one_alone_is_in_no_order_that_could_be_open() {
        let standing = standing(&observed(&[("a", [100.0; 3]), ("a#2", [150.0; 3])]), "yield_one", "a");
        assert_eq!(standing.places.len(), 1);
        assert!(standing.is_settled());
    }

    #[test]
    fn the_twin_of_a_reference_that_fell_out_has_no_place() {
        let mut found = observed(&[("a", [100.0; 3]), ("a#2", [100.0; 3]), ("b", [100.0; 3]), ("b#2", [100.0; 3])]);
        found.push(Observation::refused(VERB, "a", "yield_one", "hangs"));
        let standing = standing(&found, "yield_one", "b");
        assert_eq!(standing.places.iter().map(|place| &*place.name).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn what_was_folded_away_is_named_and_not_ranked() {
        let mut found = observed(&[("a", [100.0; 3]), ("a#2", [100.0; 3]), ("b", [0.1; 3])]);
        let folded = found.iter_mut().filter(|row| row.executor == "b");
        folded.for_each(|row| row.note = Some(FOLDED.to_owned()));
        let standing = standing(&found, "yield_one", "a");
        assert!(standing.place("b").is_none());
        assert_eq!(standing.left_out, [("b".to_owned(), FOLDED.to_owned())]);
    }

    #[test]
    fn an_iteration_that_does_nothing_is_called_folded() {
        let mut nothing =
            Duellist { repeats: 1_000, ..Duellist::new("b".to_owned(), Box::new(|| 0), &workloads::wakers::YIELD_ONE) };
        nothing.turn(&workloads::wakers::YIELD_ONE);
        assert_eq!(nothing.observation(&workloads::wakers::YIELD_ONE).note.as_deref(), Some(FOLDED));
    }

    #[test]
    fn with_two_threads_the_median_stands() {
        let mut found = observed(&[("a", [100.0, 1.0, 110.0]), ("a#2", [100.0; 3])]);
        found.iter_mut().for_each(|row| MEDIAN.clone_into(&mut row.quantity));
        assert_eq!(standing(&found, "yield_one", "a").place("a").unwrap().nanoseconds, 100.0);
    }
}
