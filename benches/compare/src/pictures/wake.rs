//! What it takes to wake one of many that wait, by their number.

use executor::WakeNames;
use harness::Observation;
use harness::idle::{TASKS, WAKE};
use harness::table::{count, time};

use super::axis::{Axis, around};
use super::ink::Ink;
use super::labels::{LINE, Label, labels};
use super::mark::{Cast, joined};
use super::svg::{Anchor, MARGIN, Point, Svg, TOP, WIDTH};
use crate::idle;

/// Where the lines end, and the labels begin.
const RIGHT: f64 = 590.0;

const LEFT: f64 = 78.0;

pub(super) fn draw(observations: &[Observation], cast: &Cast<'_>) -> Option<String> {
    let of = |name: &str| {
        let values = TASKS.iter().map(|&tasks| (tasks as f64, idle::value(observations, name, tasks, WAKE)));
        values.filter_map(|(tasks, value)| Some((tasks, value?))).collect::<Vec<_>>()
    };
    let lines: Vec<(&str, Vec<Point>)> = cast.names().iter().map(|name| (*name, of(name))).collect();
    let lines: Vec<_> = lines.into_iter().filter(|(_, points)| !points.is_empty()).collect();
    let (least, most) = around(lines.iter().flat_map(|(_, points)| points.iter().map(|(_, value)| *value)));
    if lines.is_empty() {
        return None;
    }

    let top = TOP + 30.0;
    let bottom = (top + LINE * lines.len() as f64).max(410.0);
    let mut svg = Svg::new(
        bottom + 52.0,
        "Why a wake should name a task",
        "Time to wake one task and hear from it, by the number of tasks that wait",
    );
    cast.legend(&mut svg, TOP + 8.0, "");
    let x = Axis::logarithmic((0.8, 125_000.0), (LEFT, RIGHT));
    let y = Axis::logarithmic((least, most), (bottom, top));
    x.below(&mut svg, (top, bottom), count, "tasks that wait");
    y.beside(&mut svg, (LEFT, RIGHT), time);
    let mut ends = Vec::new();
    // The later ones lie on top, and should be ours.
    let (own, others): (Vec<_>, Vec<_>) = lines.iter().partition(|(name, _)| cast.is_own(name));
    for (name, points) in others.into_iter().chain(own) {
        let look = cast.look(name);
        let places: Vec<_> = points.iter().map(|(tasks, value)| (x.at(*tasks), y.at(*value))).collect();
        joined(&mut svg, &places, look);
        if let (Some(at), Some((_, value))) = (places.last(), points.last()) {
            ends.push(Label { at: *at, text: format!("{name} {}", time(*value)), ink: look.ink });
        }
    }
    labels(&mut svg, ends, WIDTH - MARGIN - 232.0, (top, bottom));
    families(&mut svg, &lines, &x, &y);
    Some(svg.finish())
}

/// Says over both kinds of lines what they have in common, where both are there and lie apart.
fn families(svg: &mut Svg, lines: &[(&str, Vec<Point>)], x: &Axis, y: &Axis) {
    let known = harness::contenders();
    let names_task = |name: &str| {
        let contender = known.iter().find(|contender| contender.name == name)?;
        Some(contender.capabilities?.wake_names == WakeNames::Task)
    };
    let last = |task: bool| {
        let of = lines.iter().filter(move |(name, _)| names_task(name) == Some(task));
        of.filter_map(|(_, points)| points.last()).map(|(_, value)| *value).collect::<Vec<_>>()
    };
    let (all, one) = (last(false), last(true));
    let (Some(least), Some(most)) = (harness::statistics::minimum(&all), harness::statistics::maximum(&one)) else {
        return;
    };
    if least < 10.0 * most {
        return;
    }
    let right = x.at(100_000.0);
    let high = y.at(harness::statistics::maximum(&all).unwrap_or(least));
    for (number, text) in
        ["The wake names nobody, or the thread:", "every task is polled to find the one."].iter().enumerate()
    {
        svg.text((x.at(1.0), high + 26.0 + number as f64 * LINE), text, Ink::Text, Anchor::Start);
    }
    for (number, text) in ["one task is polled.", "The wake names the task:"].iter().enumerate() {
        svg.text((right, y.at(most) - 30.0 - number as f64 * LINE), text, Ink::Text, Anchor::End);
    }
}
