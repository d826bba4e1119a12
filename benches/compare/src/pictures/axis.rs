//! Axes: where a value is, and what is written next to them.

use super::ink::Ink;
use super::svg::{Anchor, Stroke, Svg};

/// An axis.
pub(super) struct Axis {
    from: f64,
    to: f64,
    /// Where the ends are, in pixels.
    ends: (f64, f64),
    logarithmic: bool,
}

impl Axis {
    pub(super) fn logarithmic((from, to): (f64, f64), ends: (f64, f64)) -> Self {
        Self { from, to, ends, logarithmic: true }
    }

    /// From nothing to a little more than that.
    pub(super) fn linear(most: f64, ends: (f64, f64)) -> Self {
        Self { from: 0.0, to: most.max(f64::MIN_POSITIVE) * 1.05, ends, logarithmic: false }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.logarithmic { value.ln() } else { value };
        let part = (scale(value) - scale(self.from)) / (scale(self.to) - scale(self.from));
        self.ends.0 + (self.ends.1 - self.ends.0) * part
    }

    /// Where it begins.
    pub(super) fn start(&self) -> f64 {
        self.ends.0
    }

    fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let steps: &[f64] = if self.to / self.from > 200.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
            let decades = (self.from.log10().floor() as i32)..=(self.to.log10().ceil() as i32);
            let ticks = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
            return ticks.filter(|tick| (self.from..=self.to).contains(tick)).collect();
        }
        let decade = 10_f64.powf(self.to.log10().floor() - 1.0);
        let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0].map(|step| step * decade);
        let step = steps.into_iter().find(|step| self.to / step < 8.0).unwrap_or(self.to);
        (0..=8).map(|tick| f64::from(tick) * step).take_while(|tick| *tick <= self.to).collect()
    }

    /// Draws it below the picture, with a line upwards from each of its ticks.
    pub(super) fn below(&self, svg: &mut Svg, (top, bottom): (f64, f64), show: fn(f64) -> String, name: &str) {
        for tick in self.ticks() {
            let x = self.at(tick);
            svg.line(&[(x, top), (x, bottom)], Ink::Soft, Stroke::Faint);
            svg.text((x, bottom + 16.0), &show(tick), Ink::Soft, Anchor::Middle);
        }
        svg.text((f64::midpoint(self.ends.0, self.ends.1), bottom + 37.0), name, Ink::Soft, Anchor::Middle);
    }

    /// Draws it at the left, with a line to the right from each of its ticks.
    pub(super) fn beside(&self, svg: &mut Svg, (left, right): (f64, f64), show: fn(f64) -> String) {
        for tick in self.ticks() {
            let y = self.at(tick);
            svg.line(&[(left, y), (right, y)], Ink::Soft, Stroke::Faint);
            svg.text((left - 8.0, y), &show(tick), Ink::Soft, Anchor::End);
        }
    }
}

/// A little more than what the values take, on a logarithmic axis.
pub(super) fn around(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (from, to) = values.fold((f64::INFINITY, 0.0_f64), |(from, to), value| (from.min(value), to.max(value)));
    (from / 1.25, to * 1.25)
}

/// No more places than the figure needs: 0.5, 1, 20.
pub(super) fn short(value: f64) -> String {
    if value < 1.0 { format!("{}", (value * 1e6).round() / 1e6) } else { harness::table::count(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_has_a_tick_a_decade_or_three() {
        let ticks = |from, to| Axis::logarithmic((from, to), (0.0, 100.0)).ticks();
        assert_eq!(ticks(0.9, 1_100.0), [1.0, 10.0, 100.0, 1_000.0]);
        assert_eq!(ticks(0.9, 22.0), [1.0, 2.0, 5.0, 10.0, 20.0]);
    }

    #[test]
    fn a_linear_axis_has_ticks_that_are_easily_read() {
        let ticks = |most| Axis::linear(most, (0.0, 100.0)).ticks();
        assert_eq!(ticks(295.0), [0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0]);
        assert_eq!(ticks(4_000.0), [0.0, 1_000.0, 2_000.0, 3_000.0, 4_000.0]);
    }

    #[test]
    fn a_value_is_where_its_part_of_the_axis_ends() {
        assert_eq!(Axis::logarithmic((1.0, 100.0), (0.0, 200.0)).at(10.0), 100.0);
        assert!((Axis::linear(100.0, (210.0, 0.0)).at(100.0) - 10.0).abs() < 1e-9);
    }
}
