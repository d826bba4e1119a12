//! How soon a wake is heard, by the interval between wakes: some spin, and all who park are alike.

use harness::Observation;
use harness::latency::INTERVALS;
use harness::statistics::{maximum, median, minimum};
use harness::table::time;

use super::axis::{Axis, around};
use super::ink::Ink;
use super::labels::{LINE, Label, labels};
use super::mark::{Cast, joined};
use super::svg::{Anchor, MARGIN, Point, Svg, TOP, WIDTH};
use crate::latency::{SUMMARY, summary};

/// Whoever uses more of a processor than that at [`SUMMARY`] spins.
const SPINS: f64 = 0.5;

/// So many of those who spin have a line: more would lie on the same.
const LINES: usize = 3;

const LEFT: f64 = 78.0;

const RIGHT: f64 = 630.0;

pub(super) fn draw(observations: &[Observation], cast: &Cast<'_>) -> Option<String> {
    let share = |name: &str, at: u64| summary(observations, name, at).and_then(|(.., processor)| processor);
    let p50 = |name: &str, at: u64| summary(observations, name, at).map(|(p50, ..)| p50);
    let observed: Vec<&str> = cast.names().iter().copied().filter(|name| share(name, SUMMARY).is_some()).collect();
    let (mut spin, park): (Vec<&str>, Vec<&str>) =
        observed.iter().partition(|name| share(name, SUMMARY).is_some_and(|share| share > SPINS));
    spin.truncate(LINES);
    let intervals: Vec<u64> =
        INTERVALS.iter().copied().filter(|at| spin.iter().chain(&park).any(|name| p50(name, *at).is_some())).collect();
    let (from, to) = (*intervals.first()?, *intervals.last()?);
    let all = intervals.iter().flat_map(|at| spin.iter().chain(&park).filter_map(|name| p50(name, *at)));
    let heights = around(all);
    let of_park = |at: u64| park.iter().filter_map(|name| p50(name, at)).collect::<Vec<f64>>();
    let shares = |at: u64| median(&park.iter().filter_map(|name| share(name, at)).collect::<Vec<_>>());

    let (top, bottom) = (TOP + 8.0, 330.0);
    let rows = spin.len() + usize::from(!park.is_empty());
    let about = format!(
        "Median time from another thread's wake to the poll, by the interval between two wakes (in the title: {})",
        time(SUMMARY as f64)
    );
    let median_of_park = median(&of_park(SUMMARY));
    let best = spin.iter().filter_map(|name| Some((p50(name, SUMMARY)?, share(name, SUMMARY)?)));
    let best = best.min_by(|one, other| one.0.total_cmp(&other.0));
    let mut svg = Svg::new(bottom + 66.0 + rows as f64 * LINE, &title(median_of_park, best), &about);
    // One interval alone is in the middle.
    let x = Axis::logarithmic((from as f64 / 1.6, to as f64 * 1.6), (LEFT, RIGHT));
    let y = Axis::logarithmic(heights, (bottom, top));
    x.below(&mut svg, (top, bottom), time, "");
    svg.text((WIDTH - MARGIN - 205.0, bottom + 16.0), "between two wakes", Ink::Soft, Anchor::Start);
    y.beside(&mut svg, (LEFT, RIGHT), time);

    let band: Vec<(u64, Vec<f64>)> =
        intervals.iter().map(|at| (*at, of_park(*at))).filter(|(_, values)| !values.is_empty()).collect();
    let edge = |of: fn(&[f64]) -> Option<f64>| {
        band.iter().filter_map(|(at, values)| Some((x.at(*at as f64), y.at(of(values)?)))).collect::<Vec<Point>>()
    };
    let corners: Vec<Point> = edge(maximum).into_iter().chain(edge(minimum).into_iter().rev()).collect();
    svg.band(&corners, Ink::Soft);
    let mut ends = Vec::new();
    for name in spin.iter().rev() {
        let look = cast.look(name);
        let line: Vec<Point> =
            intervals.iter().filter_map(|at| Some((x.at(*at as f64), y.at(p50(name, *at)?)))).collect();
        joined(&mut svg, &line, look);
        ends.extend(line.last().map(|at| Label { at: *at, text: (*name).to_owned(), ink: look.ink }));
    }
    let names = format!("all {} that park", park.len());
    let middle = edge(median).last().copied();
    ends.extend(middle.map(|at| Label { at, text: names.clone(), ink: Ink::Text }));
    labels(&mut svg, ends, WIDTH - MARGIN - 205.0, (top, bottom));

    let mut line = bottom + 50.0;
    svg.text((MARGIN, line - 8.0), "Share of a processor used while waiting:", Ink::Soft, Anchor::Start);
    for name in &spin {
        line += LINE;
        let of: Vec<_> = intervals.iter().map(|at| (*at, share(name, *at))).collect();
        used(&mut svg, &x, line, (name, cast.look(name).ink), &of);
    }
    if !park.is_empty() {
        let of: Vec<_> = intervals.iter().map(|at| (*at, shares(*at))).collect();
        used(&mut svg, &x, line + LINE, (&names, Ink::Text), &of);
    }
    Some(svg.finish())
}

/// What stands below the axis about somebody: the share of a processor at each interval.
fn used(svg: &mut Svg, x: &Axis, y: f64, (name, ink): (&str, Ink), shares: &[(u64, Option<f64>)]) {
    for (at, share) in shares {
        let text = share.map_or_else(|| "?".to_owned(), |share| format!("{:.0} %", 100.0 * share));
        svg.text((x.at(*at as f64), y), &text, ink, Anchor::Middle);
    }
    svg.text((WIDTH - MARGIN - 205.0, y), name, ink, Anchor::Start);
}

/// The message, from the figures at [`SUMMARY`].
fn title(park: Option<f64>, spin: Option<(f64, f64)>) -> String {
    match (park, spin) {
        (Some(park), Some((spin, share))) => {
            let core =
                if share > 0.95 { "a whole core".to_owned() } else { format!("{:.0} % of a core", 100.0 * share) };
            format!("Parking costs {} a wake, whoever parks; spinning {} and {core}", time(park), time(spin))
        }
        (Some(park), None) => format!("Parking costs {} a wake, whoever parks", time(park)),
        (None, _) => "How soon a wake is heard".to_owned(),
    }
}
