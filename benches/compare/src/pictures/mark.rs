//! What an executor looks like, the same in every picture.

use harness::Observation;
use harness::contender::is_floor;

use super::Own;
use super::ink::Ink;
use super::svg::{Anchor, Point, Stroke, Svg};
use crate::programs::{self, PROGRAMS};
use crate::report::names;

/// The look of an executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) ink: Ink,
    shape: Shape,
    /// Whether it is of this repository.
    pub(super) filled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Circle,
    Square,
    Up,
    Diamond,
    Down,
    Hexagon,
    Left,
    Right,
    Cross,
    Plus,
}

/// Those that have an inside, which can be filled.
const CLOSED: [Shape; 8] =
    [Shape::Circle, Shape::Square, Shape::Up, Shape::Diamond, Shape::Hexagon, Shape::Down, Shape::Left, Shape::Right];

/// Those of the published executors.
const HOLLOW: [Shape; 10] = [
    Shape::Circle,
    Shape::Square,
    Shape::Up,
    Shape::Diamond,
    Shape::Down,
    Shape::Cross,
    Shape::Plus,
    Shape::Hexagon,
    Shape::Left,
    Shape::Right,
];

impl Look {
    /// Of the executor of this repository with that number.
    fn own(number: usize) -> Self {
        Self { ink: Ink::Own(number), shape: CLOSED[number % CLOSED.len()], filled: true }
    }

    /// Of the published one with that number.
    fn peer(number: usize) -> Self {
        Self { ink: Ink::Peer(number), shape: HOLLOW[number % HOLLOW.len()], filled: false }
    }

    pub(super) fn stroke(self) -> Stroke {
        if self.filled { Stroke::Whole } else { Stroke::Dashed }
    }

    pub(super) fn draw(self, svg: &mut Svg, (x, y): Point) {
        let class = if self.filled { "solid" } else { "hollow" };
        let corners: &[Point] = match self.shape {
            Shape::Circle => return svg.circle((x, y), if self.filled { 5.5 } else { 5.0 }, self.ink, class),
            Shape::Square => &[(-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)],
            Shape::Up => &[(0.0, -6.5), (6.5, 5.0), (-6.5, 5.0)],
            Shape::Down => &[(0.0, 6.5), (6.5, -5.0), (-6.5, -5.0)],
            Shape::Left => &[(-6.5, 0.0), (5.0, -6.5), (5.0, 6.5)],
            Shape::Right => &[(6.5, 0.0), (-5.0, -6.5), (-5.0, 6.5)],
            Shape::Diamond => &[(0.0, -7.0), (7.0, 0.0), (0.0, 7.0), (-7.0, 0.0)],
            Shape::Hexagon => &[(-3.2, -5.5), (3.2, -5.5), (6.3, 0.0), (3.2, 5.5), (-3.2, 5.5), (-6.3, 0.0)],
            // These are open paths: two strokes, and nothing to fill.
            Shape::Cross => return strokes(svg, (x, y), [(5.0, 5.0), (5.0, -5.0)], self.ink),
            Shape::Plus => return strokes(svg, (x, y), [(6.0, 0.0), (0.0, 6.0)], self.ink),
        };
        let corners: Vec<_> = corners.iter().map(|(right, down)| (x + right, y + down)).collect();
        svg.path(&corners, true, self.ink, class);
    }
}

fn strokes(svg: &mut Svg, (x, y): Point, ends: [Point; 2], ink: Ink) {
    for (right, down) in ends {
        svg.line(&[(x - right, y - down), (x + right, y + down)], ink, Stroke::Whole);
    }
}

/// Joined marks.
pub(super) fn joined(svg: &mut Svg, points: &[Point], look: Look) {
    svg.line(points, look.ink, look.stroke());
    points.iter().for_each(|point| look.draw(svg, *point));
}

/// Who takes part, and what they look like.
pub(super) struct Cast<'a> {
    own: Vec<Own<'a>>,
    /// The published ones of the list first: they look the same, however many others there are.
    others: Vec<&'a str>,
    observed: Vec<&'a str>,
}

impl<'a> Cast<'a> {
    pub(super) fn new(observations: &'a [Observation], own: &[Own<'a>]) -> Self {
        let is_own = |name: &str| own.iter().any(|(other, _)| *other == name);
        let observed: Vec<_> = names(observations).into_iter().filter(|name| !is_floor(name)).collect();
        let mut others: Vec<&str> =
            PROGRAMS.iter().filter(|program| !program.is_ours()).map(|program| program.executor).collect();
        others.extend(observed.iter().filter(|name| programs::of(name).is_none()));
        others.retain(|name| !is_own(name));
        Self { own: own.to_vec(), others, observed }
    }

    /// Everybody who was observed, without the floors.
    pub(super) fn names(&self) -> &[&'a str] {
        &self.observed
    }

    pub(super) fn is_own(&self, name: &str) -> bool {
        self.own.iter().any(|(other, _)| *other == name)
    }

    /// The first of each package of this repository: another of the same package differs from it in a setting.
    pub(super) fn own_packages(&self) -> Vec<&'a str> {
        let mut seen: Vec<&str> = Vec::new();
        let observed = self.own.iter().filter(|(name, _)| self.observed.contains(name));
        let first = observed.filter(|(_, package)| {
            let new = !seen.contains(package);
            seen.push(package);
            new
        });
        first.map(|(name, _)| *name).collect()
    }

    pub(super) fn look(&self, name: &str) -> Look {
        if let Some(number) = self.own.iter().position(|(other, _)| *other == name) {
            return Look::own(number);
        }
        // An unknown executor comes after the last.
        Look::peer(self.others.iter().position(|other| *other == name).unwrap_or(self.others.len()))
    }

    /// What tells this repository's marks from the others', where there are both; and which of the others are there.
    pub(super) fn legend(&self, svg: &mut Svg, y: f64, which: &str) {
        let mut x = 20.0;
        let own = self
            .observed
            .iter()
            .find(|name| self.is_own(name))
            .map(|name| (name, "filled: this repository".to_owned()));
        let other = self
            .observed
            .iter()
            .find(|name| !self.is_own(name))
            .map(|name| (name, format!("hollow: published by others{which}")));
        let (Some(own), Some(other)) = (own, other) else { return };
        for (name, meaning) in [own, other] {
            self.look(name).draw(svg, (x, y));
            svg.text((x + 14.0, y), &meaning, Ink::Soft, Anchor::Start);
            x += 206.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_of_twenty_of_a_kind_look_alike() {
        for look in [Look::own, Look::peer] {
            let looks: Vec<_> =
                (0..20).map(look).map(|look| (look.ink.class(), format!("{:?}", look.shape), look.filled)).collect();
            for (number, one) in looks.iter().enumerate() {
                assert!(!looks[..number].contains(one), "{number}: {one:?}");
            }
        }
    }

    #[test]
    fn what_is_filled_has_an_inside() {
        for number in 0..20 {
            assert!(!matches!(Look::own(number).shape, Shape::Cross | Shape::Plus));
        }
    }
}
