//! One row for each executor: its name, a bar that ends in its mark, and the value.

use super::axis::Axis;
use super::ink::Ink;
use super::mark::Cast;
use super::svg::{Anchor, Stroke, Svg};

/// Between two rows.
pub(super) const ROW: f64 = 19.0;

/// One row.
pub(super) struct Bar<'a> {
    pub(super) name: &'a str,
    /// Where the marks are, in the order in which they lie on the bar; the last one is its end.
    pub(super) marks: Vec<f64>,
    /// What stands behind the bar.
    pub(super) value: String,
}

/// Draws them from `from` on, the first of them at `top`.
pub(super) fn bars(svg: &mut Svg, cast: &Cast<'_>, bars: &[Bar<'_>], axis: &Axis, from: f64, top: f64) {
    for (number, bar) in bars.iter().enumerate() {
        let y = top + number as f64 * ROW;
        let look = cast.look(bar.name);
        let start = axis.at(from);
        let end = bar.marks.iter().map(|mark| axis.at(*mark)).fold(start, f64::max);
        let left = bar.marks.iter().map(|mark| axis.at(*mark)).fold(start, f64::min);
        svg.line(&[(left, y), (end, y)], look.ink, look.stroke());
        bar.marks.iter().for_each(|mark| look.draw(svg, (axis.at(*mark), y)));
        svg.text((axis.start() - 12.0, y), bar.name, look.ink, Anchor::End);
        svg.text((end + 13.0, y), &bar.value, Ink::Text, Anchor::Start);
    }
}

/// A line down through all rows.
pub(super) fn base(svg: &mut Svg, x: f64, top: f64, rows: usize) {
    let half = ROW / 2.0;
    svg.line(&[(x, top - half), (x, top - half + rows as f64 * ROW)], Ink::Soft, Stroke::Thin);
}
