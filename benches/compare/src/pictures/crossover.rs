//! From how much work on the choice does not matter.

use harness::Observation;
use harness::statistics::{maximum, minimum};
use harness::table::time;

use super::axis::{Axis, around, short};
use super::ink::Ink;
use super::labels::before;
use super::mark::{Cast, joined};
use super::svg::{Anchor, MARGIN, Point, Stroke, Svg, TOP, WIDTH};
use crate::crossover::{self, Crossover, points};

/// Percent. Less is not told from nothing.
const LEAST: f64 = 0.1;

/// So many of this repository have a line of their own: those that add least.
const LINES: usize = 2;

/// When the choice matters.
const SHARE: f64 = 0.05;

/// The sweep, and who is shown how.
struct Sweep<'a> {
    points: &'a [crossover::Point],
    /// Who has a line, the one that adds least first.
    lines: Vec<&'a str>,
    /// Who is in the band, in the same order.
    others: Vec<&'a str>,
}

impl<'a> Sweep<'a> {
    fn new(points: &'a [crossover::Point], first: &crossover::Point, cast: &Cast<'a>) -> Self {
        let mut order: Vec<(&str, f64)> =
            cast.names().iter().filter_map(|name| Some((*name, share(first, name)?))).collect();
        order.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        let names = || order.iter().map(|(name, _)| *name);
        let packages = cast.own_packages();
        let lines: Vec<_> = names().filter(|name| packages.contains(name)).take(LINES).collect();
        let others = names().filter(|name| !lines.contains(name)).collect();
        Self { points, lines, others }
    }

    /// The least and the most that those in the band add.
    fn band(&self, point: &crossover::Point) -> Option<(f64, f64)> {
        let values: Vec<f64> = self.others.iter().filter_map(|name| share(point, name)).collect();
        minimum(&values).zip(maximum(&values))
    }

    /// What anybody adds at most.
    fn most(&self) -> f64 {
        let names = || self.lines.iter().chain(&self.others);
        let shares = self.points.iter().flat_map(|point| names().filter_map(|name| share(point, name)));
        around(shares.map(|share| share.max(LEAST))).1
    }

    /// What is written next to the first point: heights, words and their colours.
    fn names(&self, first: &crossover::Point, cast: &Cast<'_>, y: impl Fn(f64) -> f64) -> Vec<(f64, String, Ink)> {
        let of = |name: &&str| Some((y(share(first, name)?), (*name).to_owned(), cast.look(name).ink));
        let mut names: Vec<_> = self.lines.iter().filter_map(of).collect();
        match (self.band(first), &self.others[..]) {
            (Some((low, high)), [fastest, .., slowest]) => {
                let words =
                    [format!("{} others, from", self.others.len()), (*slowest).to_owned(), format!("to {fastest}")];
                names.extend(words.map(|words| (f64::midpoint(y(low), y(high)), words, Ink::Text)));
            }
            (Some((only, _)), [name]) => names.push((y(only), (*name).to_owned(), Ink::Text)),
            _ => {}
        }
        names.push((y(percent(first.noise)) + 6.0, "noise".to_owned(), Ink::Text));
        names
    }
}

/// In percent, that a factor is more than 1.
fn percent(factor: f64) -> f64 {
    100.0 * (factor - 1.0)
}

/// What an executor adds to the work at that point, in percent.
fn share(point: &crossover::Point, name: &str) -> Option<f64> {
    let (_, total) = point.totals.iter().find(|(other, _)| other == name)?;
    Some(percent(total / point.work))
}

pub(super) fn draw(observations: &[Observation], cast: &Cast<'_>) -> Option<String> {
    let points = points(observations);
    let first = points.first()?;
    let sweep = Sweep::new(&points, first, cast);

    let (top, bottom) = (TOP + 8.0, 420.0);
    let about = "What an executor adds to the work in each poll, in percent of it";
    let mut svg = Svg::new(bottom + 52.0, &title(&points), about);
    // The names stand between the axis and the first point.
    let (left, right) = (78.0, WIDTH - MARGIN - 20.0);
    let x = Axis::logarithmic(around(points.iter().map(|point| point.work)), (left + 214.0, right));
    let most = sweep.most();
    let y = Axis::logarithmic((LEAST, most), (bottom, top));
    x.below(&mut svg, (top, bottom), time, "work in each poll");
    y.beside(&mut svg, (left, right), |share| format!("{} %", short(share)));

    let height = |percent: f64| y.at(percent.clamp(LEAST, most));
    let noise = |point: &crossover::Point| Some((LEAST, percent(point.noise)));
    for range in [&noise as &dyn Fn(&_) -> _, &|point: &_| sweep.band(point)] {
        let ranges = points.iter().map(|point| {
            let (low, high) = range(point).filter(|(_, high)| *high >= LEAST)?;
            Some((x.at(point.work), height(low), height(high)))
        });
        for run in runs(ranges) {
            let back = run.iter().rev().map(|(x, low, _)| (*x, *low));
            let corners: Vec<Point> = run.iter().map(|(x, _, high)| (*x, *high)).chain(back).collect();
            svg.band(&corners, Ink::Soft);
        }
    }
    // The one that adds least lies on top.
    for name in sweep.lines.iter().rev() {
        let places = points.iter().map(|point| {
            let share = share(point, name).filter(|share| *share >= LEAST)?;
            Some((x.at(point.work), y.at(share)))
        });
        runs(places).iter().for_each(|run| joined(&mut svg, run, cast.look(name)));
    }
    before(&mut svg, sweep.names(first, cast, height), x.at(first.work) - 14.0, (top + 8.0, bottom - 8.0));
    if let Crossover::From(work) = crossover::crossover(&points, SHARE)
        && work > first.work
    {
        let at = x.at(work);
        svg.line(&[(at, top), (at, bottom)], Ink::Text, Stroke::Thin);
        let text = format!("all within {:.0} %", 100.0 * SHARE);
        svg.text((at + 8.0, top + 9.0), &text, Ink::Text, Anchor::Start);
    }
    Some(svg.finish())
}

/// What is there without a gap. Nothing may be joined over a point that is not there.
fn runs<T>(points: impl Iterator<Item = Option<T>>) -> Vec<Vec<T>> {
    let mut runs = vec![Vec::new()];
    for point in points {
        match (point, runs.last_mut()) {
            (Some(point), Some(run)) => run.push(point),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn title(points: &[crossover::Point]) -> String {
    let share = 100.0 * SHARE;
    match crossover::crossover(points, SHARE) {
        Crossover::From(work) => {
            format!("From {} of work in each poll on, the choice is worth less than {share:.0} %", time(work))
        }
        Crossover::Beyond(work) => {
            format!("Even with {} of work in each poll, the choice is worth {share:.0} %", time(work))
        }
        Crossover::NoChoice => "What an executor adds to the work".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn a_point_that_is_missing_ends_a_line() {
        let points = [None, Some(1), Some(2), None, None, Some(3)];
        assert_eq!(runs(points.into_iter()), [vec![1, 2], vec![3]]);
        assert!(runs([None::<u8>].into_iter()).is_empty());
    }
}
