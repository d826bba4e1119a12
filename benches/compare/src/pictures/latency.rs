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

/// An executor that uses more of a processor than that at [`SUMMARY`] spins.
const SPINS: f64 = 0.5;

/// So many of those who spin have a line: more would lie on the same.
const LINES: usize = 3;

/// Who parks is alike, as far as no figure is so many times another.
const ALIKE: f64 = 2.0;

const LEFT: f64 = 78.0;

const RIGHT: f64 = 630.0;

/// Where names begin.
const NAMES: f64 = WIDTH - MARGIN - 205.0;

/// Who spins, and who parks.
struct Kinds<'a> {
    observations: &'a [Observation],
    spin: Vec<&'a str>,
    park: Vec<&'a str>,
}

impl<'a> Kinds<'a> {
    fn new(observations: &'a [Observation], cast: &Cast<'a>) -> Self {
        let mut kinds = Self { observations, spin: Vec::new(), park: Vec::new() };
        for name in cast.names() {
            match kinds.share(name, SUMMARY) {
                Some(share) if share > SPINS => kinds.spin.push(name),
                Some(_) => kinds.park.push(name),
                // Without the processor time nobody can say which of the two it is.
                None => {}
            }
        }
        kinds.spin.truncate(LINES);
        kinds
    }

    fn p50(&self, name: &str, interval: u64) -> Option<f64> {
        summary(self.observations, name, interval).map(|(p50, ..)| p50)
    }

    fn share(&self, name: &str, interval: u64) -> Option<f64> {
        summary(self.observations, name, interval).and_then(|(.., share)| share)
    }

    /// What one of the two figures is for all who park.
    fn of_park(&self, interval: u64, of: fn(&Self, &str, u64) -> Option<f64>) -> Vec<f64> {
        self.park.iter().filter_map(|name| of(self, name, interval)).collect()
    }

    fn intervals(&self) -> Vec<u64> {
        let all = || self.spin.iter().chain(&self.park);
        INTERVALS.iter().copied().filter(|at| all().any(|name| self.p50(name, *at).is_some())).collect()
    }

    /// The message, from the figures at [`SUMMARY`].
    fn title(&self) -> String {
        let park = self.of_park(SUMMARY, Self::p50);
        let (Some(least), Some(middle), Some(most)) = (minimum(&park), median(&park), maximum(&park)) else {
            return "How soon a wake is heard".to_owned();
        };
        let parking = if most <= ALIKE * least {
            format!("Parking costs {} a wake, whoever parks", time(middle))
        } else {
            format!("Parking costs {} to {} a wake", time(least), time(most))
        };
        let spin = self.spin.iter().filter_map(|name| Some((self.p50(name, SUMMARY)?, self.share(name, SUMMARY)?)));
        match spin.min_by(|(one, _), (other, _)| one.total_cmp(other)) {
            Some((spin, share)) if share > 0.95 => format!("{parking}; spinning {} and a whole core", time(spin)),
            Some((spin, share)) => format!("{parking}; spinning {} and {:.0} % of a core", time(spin), 100.0 * share),
            None => parking,
        }
    }
}

pub(super) fn draw(observations: &[Observation], cast: &Cast<'_>) -> Option<String> {
    let kinds = Kinds::new(observations, cast);
    let intervals = kinds.intervals();
    let (from, to) = (*intervals.first()?, *intervals.last()?);

    let (top, bottom) = (TOP + 8.0, 330.0);
    let about = format!(
        "Median time from another thread's wake to the poll, by the interval between two wakes (in the title: {})",
        time(SUMMARY as f64)
    );
    let rows = kinds.spin.len() + usize::from(!kinds.park.is_empty());
    let mut svg = Svg::new(bottom + 66.0 + rows as f64 * LINE, &kinds.title(), &about);
    let all = || kinds.spin.iter().chain(&kinds.park);
    let heights = around(intervals.iter().flat_map(|at| all().filter_map(|name| kinds.p50(name, *at))));
    // One interval alone is in the middle.
    let x = Axis::logarithmic((from as f64 / 1.6, to as f64 * 1.6), (LEFT, RIGHT));
    let y = Axis::logarithmic(heights, (bottom, top));
    x.below(&mut svg, (top, bottom), time, "");
    svg.text((NAMES, bottom + 16.0), "between two wakes", Ink::Soft, Anchor::Start);
    y.beside(&mut svg, (LEFT, RIGHT), time);

    let edge = |of: fn(&[f64]) -> Option<f64>| {
        let points = intervals.iter().map(|at| (at, of(&kinds.of_park(*at, Kinds::p50))));
        points.filter_map(|(at, value)| Some((x.at(*at as f64), y.at(value?)))).collect::<Vec<Point>>()
    };
    let corners: Vec<Point> = edge(maximum).into_iter().chain(edge(minimum).into_iter().rev()).collect();
    svg.band(&corners, Ink::Soft);
    let mut ends = Vec::new();
    for name in kinds.spin.iter().rev() {
        let ink = cast.look(name).ink;
        let points = intervals.iter().filter_map(|at| Some((x.at(*at as f64), y.at(kinds.p50(name, *at)?))));
        let points: Vec<Point> = points.collect();
        joined(&mut svg, &points, cast.look(name));
        ends.extend(points.last().map(|at| Label { at: *at, text: (*name).to_owned(), ink }));
    }
    let who_park = format!("all {} that park", kinds.park.len());
    ends.extend(edge(median).last().map(|at| Label { at: *at, text: who_park.clone(), ink: Ink::Text }));
    labels(&mut svg, ends, NAMES, (top, bottom));

    svg.text((MARGIN, bottom + 42.0), "Share of a processor used while waiting:", Ink::Soft, Anchor::Start);
    let mut row = bottom + 50.0;
    let mut used = |name: &str, ink: Ink, share: &dyn Fn(u64) -> Option<f64>| {
        row += LINE;
        for at in &intervals {
            let share = share(*at).map_or_else(|| "?".to_owned(), |share| format!("{:.0} %", 100.0 * share));
            svg.text((x.at(*at as f64), row), &share, ink, Anchor::Middle);
        }
        svg.text((NAMES, row), name, ink, Anchor::Start);
    };
    for name in &kinds.spin {
        used(name, cast.look(name).ink, &|at| kinds.share(name, at));
    }
    if !kinds.park.is_empty() {
        used(&who_park, Ink::Text, &|at| median(&kinds.of_park(at, Kinds::share)));
    }
    Some(svg.finish())
}
