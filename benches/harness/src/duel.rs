//! Which contender is faster, on a machine that also does something else.
//!
//! Contenders that are timed one after another are each measured under whatever else the machine does at that moment.
//! Here they take turns, a *slice* of some microseconds each, shorter than a scheduler's time slice, so that all are
//! measured under the same conditions. Of many slices the shortest is kept, because a disturbance can only make one
//! longer. With two threads that is not so, and the median is kept instead.
//!
//! A turn begins untimed, until the contender has touched all that the workload has: what others left in the caches is
//! not part of the figure. If that is far more than one slice touches, as many slices follow as touch all of it again,
//! and the figure is the mean over the places in the turn, each with its shortest slice. Otherwise it would be the
//! figure of the tasks that lie best in memory, or of a moment in which no other program used the shared cache.
//!
//! The slices of a process are split into blocks, each of which gives one observation for each contender; several fresh
//! processes show how far figures vary with addresses and heaps. The reference takes part twice. The difference between
//! these twins is how far any two contenders can differ for no reason: the run's *noise floor*.
//!
//! The method of short interleaved slices is that of [tango](https://docs.rs/tango-bench), for more than two
//! contenders and across several processes.

mod rank;
mod run;
mod table;

use std::hint::black_box;
use std::time::{Duration, Instant};

use conformance::Allocations;
use conformance::image::lack;
use serde::{Deserialize, Serialize};
use workloads::{Iteration, Workload};

use crate::contender::{self, Contender};
use crate::observation::Observation;
use crate::statistics::{self, Shuffle};
use crate::trial;
use crate::worker::{self, Failure, Work};

pub use rank::{LEAST_NOISE, Order, Place, Ranking, STEADY, observed_ranking, ranking, rankings};
pub use run::{Duel, HEADLINES, Outcome, run, takes_longer};
pub use table::{UNSTEADY, percent, ranks, side_by_side, view};

/// What a process measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The workload's name.
    pub workload: String,
    /// The contenders' names. One that is listed twice takes part twice.
    pub contenders: Vec<String>,
    /// How long it measures.
    pub milliseconds: u64,
    /// Which process it is, from 0.
    pub process: u32,
}

/// The verb of these observations.
pub const VERB: &str = "duel";

/// The quantity where one thread does everything.
pub const SHORTEST: &str = "ns per operation, shortest slice of a block";

/// The quantity where two threads take part.
pub const MEDIAN: &str = "ns per operation, median slice of a block";

/// Below this nothing was done: less than a cycle for a call, a poll and a wake.
pub const FOLDED_BELOW: f64 = 0.3;

/// The note of an observation in which nothing was done.
pub const FOLDED: &str = "folded: less than a call can take, so the compiler left it out";

/// The suffix of the name of the reference's twin.
pub const TWIN: &str = "#2";

/// Into how many parts a process's time is split.
const BLOCKS: u32 = 8;

/// The least length of a slice, so that reading the clock (some 40 ns) is less than a hundredth of it.
const SLICE: Duration = Duration::from_micros(5);

/// A contender with longer slices takes its turn less often, so that one slow contender does not use up everyone's
/// time.
const LONG_SLICE: Duration = Duration::from_micros(200);

/// A pass that takes longer is one iteration. 10,000 wakes take less time if only woken tasks are polled; a contender
/// that takes longer polls every task for each wake, and so has touched all of them after the first.
const LONG_PASS: Duration = Duration::from_millis(50);

/// Into how many slices a pass is split at most.
pub(crate) const PARTS: usize = 10;

/// Makes a fresh process measure.
///
/// # Errors
///
/// When the process fails.
pub fn measure(plan: &Plan) -> Result<Vec<Observation>, Failure> {
    // Setting up takes time, too: 10,000 tasks for each contender.
    worker::run(&Work::Duel(plan.clone()), Duration::from_millis(plan.milliseconds) + Duration::from_secs(60))
}

/// Whether a contender passes the workload's check, in a process of its own.
///
/// # Errors
///
/// When it does not; says why.
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

/// A contender that takes part.
struct Contestant {
    name: String,
    iteration: Iteration,
    /// Iterations in a slice.
    repeats: usize,
    /// Iterations at the beginning of a turn that are not timed.
    pass: usize,
    /// It takes part in one turn out of this many.
    every: usize,
    /// The slices of this block, in ns per operation, by their place in a turn: together they are at least a pass.
    parts: Vec<Vec<f64>>,
}

/// In the process: lets the contenders take turns.
pub(crate) fn take_turns(plan: &Plan, contenders: &[Contender]) -> Result<Vec<Observation>, String> {
    Allocations::suspend();
    let mut observations = Vec::new();
    let mut contestants: Vec<Contestant> = Vec::new();
    let mut workload: Option<&'static Workload> = None;
    for name in &plan.contenders {
        let Some(case) = contender::find(name, contenders)?.case_named(&plan.workload) else { continue };
        workload = Some(case.workload);
        let again = contestants.iter().any(|other| other.name == *name);
        if !again && let Err(why) = trial::run(case) {
            if lack(&why).is_some() {
                return Err(why);
            }
            observations.push(Observation::refused(VERB, name, &plan.workload, why));
            continue;
        }
        let mut iteration = case.set_up();
        // Not timed: what only happens in a first iteration, such as a buffer that grows.
        iteration();
        let name = if again { format!("{name}{TWIN}") } else { name.clone() };
        contestants.push(Contestant::new(name, iteration, case.workload));
    }
    let Some(workload) = workload else { return Ok(observations) };
    let mut shuffle = Shuffle::new(u64::from(plan.process) + 1);
    let mut order: Vec<usize> = (0..contestants.len()).collect();
    let block_time = Duration::from_millis(plan.milliseconds) / BLOCKS;
    let mut turn = 0;
    for block in 0..BLOCKS {
        let begun = Instant::now();
        // Every contender has at least one slice in a block.
        while begun.elapsed() < block_time || contestants.iter().any(Contestant::is_missing) {
            shuffle.shuffle(&mut order);
            for &index in &order {
                let contestant = &mut contestants[index];
                // Twins take the same turns.
                if turn % contestant.every == 0 || contestant.is_missing() {
                    contestant.turn(workload);
                }
            }
            turn += 1;
        }
        for contestant in &mut contestants {
            observations.push(Observation { process: plan.process, block, ..contestant.observation(workload) });
            contestant.parts.iter_mut().for_each(Vec::clear);
        }
    }
    Ok(observations)
}

/// The one in the middle of three.
fn shortest(iteration: &mut Iteration) -> Duration {
    let times = (0..3).map(|_| {
        let begun = Instant::now();
        black_box(iteration());
        begun.elapsed()
    });
    times.min().expect("three is more than none")
}

/// The shape of a turn if an iteration takes that long: how many iterations are untimed, how many are in a slice, and
/// how many slices there are.
fn shape(workload: &Workload, once: Duration) -> (usize, usize, usize) {
    let pass = if once * workload.pass as u32 > LONG_PASS { 1 } else { workload.pass };
    let least = SLICE.as_nanos().div_ceil(once.as_nanos().max(1)) as usize;
    let repeats = least.max(pass.div_ceil(PARTS));
    (pass, repeats, pass.div_ceil(repeats))
}

impl Contestant {
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

    /// Touches everything, and then times as much. The contenders before have used the caches, and the more they were,
    /// the less of this one is left there: without the untimed pass, the figure would say how many contenders there
    /// are.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_begins_with_a_pass_that_is_not_timed_and_takes_the_time_of_another() {
        let done = std::rc::Rc::new(std::cell::Cell::new(0));
        let counted = done.clone();
        let count = move || {
            counted.set(counted.get() + 1);
            0
        };
        let workload = &workloads::crowd::ONE_READY_10000;
        let mut contestant = Contestant::new("b".to_owned(), Box::new(count), workload);
        contestant.repeats = 51;
        contestant.parts = vec![Vec::new(); 10];
        done.set(0);
        contestant.turn(workload);
        assert_eq!(done.get(), 501 + 10 * 51, "10,001 members, 20 of them in an iteration, and the slices");
        assert!(contestant.parts.iter().all(|slices| slices.len() == 1));
    }

    #[test]
    fn a_turn_is_as_many_slices_as_touch_all() {
        let [one, many] = [&workloads::crowd::ONE_READY_100, &workloads::crowd::ONE_READY_10000];
        // A contender that polls only what was woken, and one that polls everything.
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
        let contestant = Contestant { parts, ..Contestant::new("b".to_owned(), Box::new(|| 0), workload) };
        assert_eq!(contestant.observation(workload).value, 25.0, "the shortest of each place");
    }

    #[test]
    fn an_iteration_that_does_nothing_is_called_folded() {
        let mut nothing = Contestant {
            repeats: 1_000,
            ..Contestant::new("b".to_owned(), Box::new(|| 0), &workloads::wakers::YIELD_ONE)
        };
        nothing.turn(&workloads::wakers::YIELD_ONE);
        assert_eq!(nothing.observation(&workloads::wakers::YIELD_ONE).note.as_deref(), Some(FOLDED));
    }
}
