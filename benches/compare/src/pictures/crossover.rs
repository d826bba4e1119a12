//! From how much work on the choice does not matter.

use harness::Observation;
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

pub(super) fn draw(observations: &[Observation], cast: &Cast<'_>) -> Option<String> {
    let points = points(observations);
    let first = points.first()?;
    let percent = |total: f64, work: f64| 100.0 * (total / work - 1.0);
    let share = |point: &crossover::Point, name: &str| {
        let (_, total) = point.totals.iter().find(|(other, _)| other == name)?;
        Some(percent(*total, point.work))
    };
    let mut order: Vec<(&str, f64)> =
        cast.names().iter().filter_map(|name| Some((*name, share(first, name)?))).collect();
    order.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    let packages = cast.own_packages();
    let lines: Vec<&str> =
        order.iter().map(|(name, _)| *name).filter(|name| packages.contains(name)).take(LINES).collect();
    let others: Vec<&str> = order.iter().map(|(name, _)| *name).filter(|name| !lines.contains(name)).collect();

    let (top, bottom) = (TOP + 8.0, 420.0);
    let mut svg =
        Svg::new(bottom + 52.0, &title(&points), "What an executor adds to the work in each poll, in percent of it");
    let (from, to) = around(points.iter().map(|point| point.work));
    // The names stand between the axis and the first point.
    let (left, right) = (78.0, WIDTH - MARGIN - 20.0);
    let x = Axis::logarithmic((from, to), (left + 214.0, right));
    let shares = points.iter().flat_map(|point| point.totals.iter().map(|(_, total)| percent(*total, point.work)));
    let most = around(shares.map(|share| share.max(LEAST))).1;
    let y = Axis::logarithmic((LEAST, most), (bottom, top));
    x.below(&mut svg, (top, bottom), time, "work in each poll");
    y.beside(&mut svg, (left, right), |share| format!("{} %", short(share)));

    let area = |svg: &mut Svg, value: &dyn Fn(&crossover::Point) -> Option<(f64, f64)>| {
        let ranges = points.iter().map(|point| {
            let (low, high) = value(point).filter(|(_, high)| *high >= LEAST)?;
            Some((x.at(point.work), y.at(low.max(LEAST)), y.at(high)))
        });
        for run in runs(ranges) {
            let back = run.iter().rev().map(|(x, low, _)| (*x, *low));
            let corners: Vec<Point> = run.iter().map(|(x, _, high)| (*x, *high)).chain(back).collect();
            svg.band(&corners, Ink::Soft);
        }
    };
    let noise = |point: &crossover::Point| Some((LEAST, percent(point.noise, 1.0).min(most)));
    let band = |point: &crossover::Point| {
        let values: Vec<f64> = others.iter().filter_map(|name| share(point, name)).collect();
        harness::statistics::minimum(&values).zip(harness::statistics::maximum(&values))
    };
    area(&mut svg, &noise);
    area(&mut svg, &band);
    let height = |percent: f64| y.at(percent.clamp(LEAST, most));
    let mut names = Vec::new();
    // The one that adds least lies on top.
    for name in lines.iter().rev() {
        let look = cast.look(name);
        let places = points.iter().map(|point| {
            let share = share(point, name).filter(|share| *share >= LEAST)?;
            Some((x.at(point.work), y.at(share)))
        });
        runs(places).iter().for_each(|run| joined(&mut svg, run, look));
        names.extend(share(first, name).map(|share| (height(share), (*name).to_owned(), look.ink)));
    }
    if let (Some((low, high)), [fastest, .., slowest]) = (band(first), &others[..]) {
        let middle = f64::midpoint(height(low), height(high));
        let words = [format!("{} others, from", others.len()), (*slowest).to_owned(), format!("to {fastest}")];
        names.extend(words.map(|words| (middle, words, Ink::Text)));
    } else if let (Some((low, _)), [only]) = (band(first), &others[..]) {
        names.push((height(low), (*only).to_owned(), Ink::Text));
    }
    names.push((height(percent(first.noise, 1.0)) + 6.0, "noise".to_owned(), Ink::Text));
    before(&mut svg, names, x.at(first.work) - 14.0, (top + 8.0, bottom - 8.0));
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
