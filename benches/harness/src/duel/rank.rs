//! The result of a duel's observations: which contender is faster, and whether that can be said.

use workloads::WORKLOADS;

use super::{MEDIAN, TWIN, VERB};
use crate::contender::{FLOOR, is_floor};
use crate::observation::{Observation, distinct};
use crate::statistics;

/// The least noise that is assumed, however alike the twins are: they share their code, and so cannot show what depends
/// on its address.
pub const LEAST_NOISE: f64 = 1.02;

/// About a processor's cycle, in nanoseconds. The address of a loop can make each iteration longer by that much: in a
/// wake of 100 ns it is invisible, in one of 4 ns it is a twelfth.
const CYCLE: f64 = 0.33;

/// A row whose processes differ by more than this factor predicts nothing about the next process, and is not ranked. On
/// a quiet machine unlucky addresses cost a factor of up to 1.5; sharing a processor with another program costs 2 or
/// more.
pub const STEADY: f64 = 2.0;

/// One process in this many may deviate further, as happens now and then in a full duel of seven.
const ONE_IN: usize = 7;

/// The result of the observations of one workload.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// The workload's name.
    pub workload: String,
    /// The reference of the ratios, whose twin took part.
    pub reference: String,
    /// All contenders but the twin, the fastest first.
    pub places: Vec<Place>,
    /// How far the reference's twins differ at most, as a factor, in two of three processes, and at least
    /// [`LEAST_NOISE`]. For short operations it is more: see [`noise_for`](Self::noise_for).
    pub noise: f64,
    /// In how many processes it was measured.
    pub processes: usize,
    /// Which contenders were left out, and why.
    pub left_out: Vec<(String, String)>,
}

/// The result of one contender.
#[derive(Clone, Debug)]
pub struct Place {
    /// The contender's name.
    pub name: String,
    /// The shortest (or, with two threads, the median) of all blocks, in ns per operation.
    pub nanoseconds: f64,
    /// The median of the ratios to the reference, each taken within one process.
    pub ratio: f64,
    /// The lowest and highest ratio of any process.
    pub interval: (f64, f64),
    /// Each process's ratio.
    ratios: Vec<f64>,
    /// The observations, by process and block.
    blocks: Vec<((u32, u32), f64)>,
}

impl Place {
    /// Whether the processes agree within [`STEADY`], except for one in seven.
    pub fn is_steady(&self) -> bool {
        let mut sorted = self.ratios.clone();
        sorted.sort_by(f64::total_cmp);
        let kept = sorted.len() - sorted.len() / ONE_IN;
        sorted.windows(kept).any(|kept| kept[kept.len() - 1] <= STEADY * kept[0])
    }
}

/// Whether one contender is faster than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It is faster, by more than the noise, in two of three processes.
    Faster,
    /// The other one is faster.
    Slower,
    /// They differ by less than the noise.
    Tie,
    /// They differ by more than the noise, but in too few processes.
    Unsettled,
    /// Unknown, because the processes of one of them differ too much.
    Unsteady,
}

/// How many processes do not count. A contender can have unlucky addresses in a process, and then takes half as long
/// again, from beginning to end.
fn unlucky(processes: usize) -> usize {
    processes / 3
}

/// What the observations say about a workload. `reference` is the contender whose twin took part.
pub fn ranking(observations: &[Observation], workload: &str, reference: &str) -> Ranking {
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
    Ranking {
        workload: workload.to_owned(),
        reference: reference.to_owned(),
        places,
        noise,
        processes: processes.len(),
        left_out,
    }
}

impl Ranking {
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

    /// Whether all neighbours are tied or in order. With fewer than two contenders, nothing is open.
    pub fn is_settled(&self) -> bool {
        let is_open = |order| matches!(order, Order::Unsettled | Order::Unsteady);
        self.places.windows(2).all(|pair| !is_open(self.order(&pair[0], &pair[1])))
    }

    /// The noise of a contender's figure: at least the factor that one more cycle makes.
    pub fn noise_for(&self, place: &Place) -> f64 {
        self.noise.max(LEAST_NOISE + CYCLE / place.nanoseconds)
    }

    /// The largest noise of any figure but the floors'.
    pub fn largest_noise(&self) -> f64 {
        let noises = self.places.iter().filter(|place| !is_floor(&place.name)).map(|place| self.noise_for(place));
        noises.fold(self.noise, f64::max)
    }

    /// Whether that contender's ratio to the floor, or to the reference if there is no floor, is the same in each
    /// process, within [`STEADY`].
    pub fn is_steady(&self, name: &str) -> bool {
        [name, FLOOR].iter().all(|name| self.place(name).is_none_or(Place::is_steady))
    }

    /// How many contenders were timed, without the floor.
    pub fn rivals(&self) -> usize {
        self.places.iter().filter(|place| place.name != FLOOR).count()
    }

    /// How many times as long as the same work by hand that contender takes.
    pub fn to_floor(&self, name: &str) -> Option<f64> {
        Some(self.place(name)?.ratio / self.place(FLOOR)?.ratio)
    }

    /// The place of that name.
    pub fn place(&self, name: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.name == name)
    }
}

/// The contender whose twin took part in that workload.
fn observed_reference<'a>(observations: &'a [Observation], workload: &str) -> Option<&'a str> {
    let rows = observations.iter().filter(|row| row.verb == VERB && row.subject == workload);
    rows.filter_map(|row| row.executor.strip_suffix(TWIN)).next()
}

/// The ranking of that workload, relative to its reference: a workload that the usual reference does not have uses
/// another. If no contender was timed, the ranking is empty.
pub fn observed_ranking(observations: &[Observation], workload: &str) -> Ranking {
    ranking(observations, workload, observed_reference(observations, workload).unwrap_or_default())
}

/// The ranking of every workload that was observed.
pub fn rankings(observations: &[Observation]) -> Vec<Ranking> {
    let workloads = observed_workloads(observations).into_iter();
    workloads.map(|workload| observed_ranking(observations, workload)).collect()
}

/// The workloads that were observed, in their order.
fn observed_workloads(observations: &[Observation]) -> Vec<&str> {
    let rows = observations.iter().filter(|row| row.verb == VERB && !row.subject.is_empty());
    let mut names = distinct(rows.map(|row| &*row.subject));
    let place = |name: &str| WORKLOADS.iter().position(|workload| workload.id == name).unwrap_or(usize::MAX);
    names.sort_by_key(|name| place(name));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duel::{FOLDED, SHORTEST};

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
        let ranking = ranking(&observed(times), "yield_one", "a");
        ranking.order(ranking.place(one).unwrap(), ranking.place(other).unwrap())
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

    /// Twins have the same code, and its address makes a difference of 6 to 10 % in an operation of some nanoseconds.
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
        let ranking = ranking(&observed(&times), "yield_one", "a");
        assert_eq!(ranking.noise, LEAST_NOISE);
        assert!((ranking.largest_noise() - 1.12).abs() < 1e-9, "the floor is not ranked: {}", ranking.largest_noise());
    }

    #[test]
    fn a_row_whose_processes_differ_too_much_has_no_order() {
        let times = [("a", [100.0; 3]), ("a#2", [100.0; 3]), ("b", [110.0, 110.0, 260.0]), ("c", [90.0, 91.0, 179.0])];
        assert_eq!(order(&times, "a", "b"), Order::Unsteady);
        assert_eq!(order(&times, "c", "a"), Order::Faster, "less than twice is not too much");
        let ranking = ranking(&observed(&times), "yield_one", "a");
        assert!(ranking.is_steady("c") && !ranking.is_steady("b"));
        assert!(!ranking.is_settled());
    }

    #[test]
    fn ratios_to_a_floor_that_is_not_steady_are_not_either() {
        let times = [("floor", [10.0, 10.0, 25.0]), ("a", [100.0; 3]), ("a#2", [100.0; 3])];
        assert!(!ranking(&observed(&times), "yield_one", "a").is_steady("a"));
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
    fn what_is_not_so_in_most_processes_is_open() {
        // By the medians b is slower, but in two of three processes it is faster.
        let (b, c) = ([100.0, 110.0, 120.0], [105.0, 115.0, 60.0]);
        let times = [("a", [100.0; 3]), ("a#2", [100.0; 3]), ("b", b), ("c", c)];
        assert_eq!(order(&times, "b", "c"), Order::Unsettled);
        assert!(!ranking(&observed(&times), "yield_one", "a").is_settled());
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
        let ranking = ranking(&found, "yield_one", "a");
        let (a, b) = (ranking.place("a").unwrap(), ranking.place("b").unwrap());
        assert_eq!((ranking.order(a, b), ranking.order(b, a)), (Order::Faster, Order::Slower));
    }

    #[test]
    fn ratios_are_taken_within_a_process() {
        // The machine was twice as slow in the second process, for both.
        let found =
            observed(&[("a", [100.0, 200.0, 100.0]), ("a#2", [100.0, 200.0, 100.0]), ("b", [150.0, 300.0, 150.0])]);
        let ranking = ranking(&found, "yield_one", "a");
        let b = ranking.place("b").unwrap();
        assert_eq!((b.ratio, b.interval, b.nanoseconds), (1.5, (1.5, 1.5), 150.0));
        assert_eq!(ranking.probability(ranking.place("a").unwrap(), b), 1.0);
        assert!(ranking.place("a#2").is_none(), "the twin has no place of its own");
    }

    #[test]
    fn one_alone_is_in_no_order_that_could_be_open() {
        let ranking = ranking(&observed(&[("a", [100.0; 3]), ("a#2", [150.0; 3])]), "yield_one", "a");
        assert_eq!(ranking.places.len(), 1);
        assert!(ranking.is_settled());
    }

    #[test]
    fn the_twin_of_a_reference_that_fell_out_has_no_place() {
        let mut found = observed(&[("a", [100.0; 3]), ("a#2", [100.0; 3]), ("b", [100.0; 3]), ("b#2", [100.0; 3])]);
        found.push(Observation::refused(VERB, "a", "yield_one", "hangs"));
        let ranking = ranking(&found, "yield_one", "b");
        assert_eq!(ranking.places.iter().map(|place| &*place.name).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn what_was_folded_away_is_named_and_not_ranked() {
        let mut found = observed(&[("a", [100.0; 3]), ("a#2", [100.0; 3]), ("b", [0.1; 3])]);
        let folded = found.iter_mut().filter(|row| row.executor == "b");
        folded.for_each(|row| row.note = Some(FOLDED.to_owned()));
        let ranking = ranking(&found, "yield_one", "a");
        assert!(ranking.place("b").is_none());
        assert_eq!(ranking.left_out, [("b".to_owned(), FOLDED.to_owned())]);
    }

    #[test]
    fn with_two_threads_the_median_stands() {
        let mut found = observed(&[("a", [100.0, 1.0, 110.0]), ("a#2", [100.0; 3])]);
        found.iter_mut().for_each(|row| MEDIAN.clone_into(&mut row.quantity));
        assert_eq!(ranking(&found, "yield_one", "a").place("a").unwrap().nanoseconds, 100.0);
    }
}
