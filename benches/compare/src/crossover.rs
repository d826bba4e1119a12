//! `crossover`: from how much work on the choice does not matter.

use std::time::Duration;

use harness::contender::{FLOOR, is_floor};
use harness::duel::{Duel, percent};
use harness::table::{Table, figure, time};
use harness::{Contender, Kind, Observation};
use workloads::work::SWEEP;

use crate::duel;
use crate::rows::not_measured;
use crate::session::Session;

/// The verb of these observations; they are made as those of a duel are.
pub const VERB: &str = "crossover";

/// What an executor may take of the time before it is said to matter.
pub const SHARES: [f64; 2] = [0.05, 0.01];

/// Times the sweep, for everybody who was chosen and owns tasks.
///
/// # Errors
///
/// As [`duel::reference`], and when something fails that is not of who is measured.
pub fn measure(session: &Session<'_>, seconds: u64) -> Result<Vec<Observation>, String> {
    let contenders = session.admitted().into_iter().filter(|contender| contender.kind == Kind::Executor);
    let contenders: Vec<_> = contenders.cloned().collect();
    if contenders.is_empty() {
        return Ok(session.refusals(VERB));
    }
    // What the work takes by hand is the axis.
    let contenders = [vec![Contender::floor()], contenders].concat();
    let duel = Duel {
        workloads: SWEEP.iter().map(|workload| workload.id).collect(),
        contenders,
        reference: duel::reference(session, None)?,
        time: Duration::from_secs(seconds),
        most_processes: 3,
    };
    let mut observations = [session.refusals(VERB), harness::duel::run(&duel, &session.watch)?.observations].concat();
    observations.iter_mut().for_each(|row| VERB.clone_into(&mut row.verb));
    Ok(observations)
}

/// One point of the sweep.
#[derive(Clone, Debug)]
pub struct Point {
    /// What a poll takes by hand, in nanoseconds: the work, and the call.
    pub work: f64,
    /// What each executor takes in all, in nanoseconds.
    pub totals: Vec<(String, f64)>,
    /// The noise at this point.
    pub noise: f64,
}

/// The points that were observed, the least work first.
pub fn points(observations: &[Observation]) -> Vec<Point> {
    let rows = duel::as_duel(observations, VERB);
    let points = SWEEP.iter().filter_map(|workload| {
        let ranking = harness::duel::observed_ranking(&rows, workload.id);
        let floor = ranking.place(FLOOR)?;
        let work = floor.nanoseconds;
        let others = ranking.places.iter().filter(|place| !is_floor(&place.name));
        let totals = others.map(|place| (place.name.clone(), work * place.ratio / floor.ratio)).collect();
        Some(Point { work, totals, noise: ranking.largest_noise() })
    });
    points.collect()
}

/// Where the choice does not matter any more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Crossover {
    /// From so many nanoseconds of work on the slowest takes less than that share more than the fastest.
    From(f64),
    /// It takes more even with the most work that was measured.
    Beyond(f64),
    /// There is nobody to choose from.
    NoChoice,
}

/// Where the slowest takes less than that share more than the fastest, between two points.
pub fn crossover(points: &[Point], share: f64) -> Crossover {
    let gap = |point: &Point| {
        let totals = || point.totals.iter().map(|(_, total)| *total);
        totals().fold(0.0, f64::max) / totals().fold(f64::INFINITY, f64::min) - 1.0
    };
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Crossover::NoChoice };
    if first.totals.len() < 2 {
        return Crossover::NoChoice;
    }
    let Some(above) = points.iter().rposition(|point| gap(point) >= share) else { return Crossover::From(first.work) };
    let (before, Some(after)) = (&points[above], points.get(above + 1)) else { return Crossover::Beyond(last.work) };
    // On logarithmic axes the gap is all but a straight line: a price divided by the work.
    let place = (gap(before) / share).ln() / (gap(before) / gap(after).max(1e-6)).ln();
    Crossover::From((before.work.ln() + place * (after.work / before.work).ln()).exp())
}

/// Executors across, work down.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    let points = points(observations);
    let refused = not_measured(&observations.iter().filter(|row| row.verb == VERB).collect::<Vec<_>>());
    let Some(first) = points.first() else { return refused.into_iter().collect() };
    let mut names: Vec<String> = first.totals.iter().map(|(name, _)| name.clone()).collect();
    names.sort_by_key(|name| observations.iter().position(|row| row.executor == *name));
    let header = [String::from("work in each poll"), String::from("noise")].into_iter().chain(names.iter().cloned());
    let mut table = Table::new("What each adds to the work, in percent of it: one task that wakes itself", header);
    for point in &points {
        let cells = names.iter().map(|name| {
            let total = point.totals.iter().find(|(other, _)| other == name);
            total.map_or_else(|| "-".to_owned(), |(_, total)| figure(100.0 * (total / point.work - 1.0)))
        });
        table.row([time(point.work), percent(point.noise)].into_iter().chain(cells));
    }
    for share in SHARES {
        table.note(match crossover(&points, share) {
            Crossover::From(work) => {
                let near = points.iter().find(|point| point.work >= work).unwrap_or(first);
                let doubt = if share <= near.noise - 1.0 { ", which is less than the noise there" } else { "" };
                format!(
                    "From about {} of work in each poll on, the slowest takes less than {:.0} % more than the fastest{doubt}.",
                    time(work),
                    100.0 * share
                )
            }
            Crossover::Beyond(work) => format!(
                "With {} of work in each poll, the most that was measured, the slowest still takes more than {:.0} % more \
                 than the fastest.",
                time(work),
                100.0 * share
            ),
            Crossover::NoChoice => continue,
        });
    }
    [Some(table), refused].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One executor adds nothing, the other one so much.
    fn points(price: f64) -> Vec<Point> {
        let point = |work: f64| Point {
            work,
            totals: vec![("free".to_owned(), work), ("dear".to_owned(), work + price)],
            noise: 1.0,
        };
        [10.0, 100.0, 1_000.0, 10_000.0, 100_000.0].map(point).to_vec()
    }

    #[test]
    fn the_crossover_is_where_the_price_is_that_share() {
        // 100 ns are five percent of 2 microseconds, and one of 10.
        for (share, expected) in [(0.05, 2_000.0), (0.01, 10_000.0)] {
            let Crossover::From(work) = crossover(&points(100.0), share) else { panic!("there is one") };
            assert!((work / expected - 1.0).abs() < 0.01, "{work}");
        }
    }

    #[test]
    fn what_costs_the_same_matters_nowhere() {
        assert_eq!(crossover(&points(0.0), 0.05), Crossover::From(10.0));
    }

    #[test]
    fn one_alone_is_no_choice() {
        let mut alone = points(100.0);
        alone.iter_mut().for_each(|point| point.totals.truncate(1));
        assert_eq!(crossover(&alone, 0.05), Crossover::NoChoice);
    }

    #[test]
    fn what_matters_everywhere_has_no_crossover() {
        assert_eq!(crossover(&points(1e6), 0.05), Crossover::Beyond(100_000.0));
    }
}
