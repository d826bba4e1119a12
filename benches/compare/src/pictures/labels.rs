//! Names beside the points that they belong to.

use super::ink::Ink;
use super::svg::{Anchor, Point, Stroke, Svg};

/// Between two labels, one below the other.
pub(super) const LINE: f64 = 17.0;

/// A text and what it belongs to.
pub(super) struct Label {
    pub(super) at: Point,
    pub(super) text: String,
    pub(super) ink: Ink,
}

/// Writes them in a column that begins at `x`, right of their points: in the order of those, and moved apart where they
/// would lie on one another.
pub(super) fn labels(svg: &mut Svg, mut labels: Vec<Label>, x: f64, (top, bottom): (f64, f64)) {
    labels.sort_by(|one, other| one.at.1.total_cmp(&other.at.1));
    let wanted: Vec<f64> = labels.iter().map(|label| label.at.1).collect();
    for (label, y) in labels.iter().zip(apart(&wanted, LINE, (top, bottom))) {
        let from = (label.at.0 + 8.0, label.at.1);
        svg.line(&[from, (x - 20.0, y), (x - 6.0, y)], label.ink, Stroke::Faint);
        svg.text((x, y), &label.text, label.ink, Anchor::Start);
    }
}

/// Writes texts at their heights, moved apart as well, in a column that ends at `x`. Those of the same height stay
/// together and in their order.
pub(super) fn before(svg: &mut Svg, mut texts: Vec<(f64, String, Ink)>, x: f64, room: (f64, f64)) {
    texts.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let wanted: Vec<f64> = texts.iter().map(|(y, ..)| *y).collect();
    for ((_, text, ink), y) in texts.iter().zip(apart(&wanted, LINE, room)) {
        svg.text((x, y), text, *ink, Anchor::End);
    }
}

/// The places next to the wanted ones, in their order, no two of which are closer than that distance, and between the
/// bounds if those leave room for all.
///
/// Without the distance it would be the nearest sequence that does not fall: neighbours that are out of order share
/// their mean.
fn apart(wanted: &[f64], distance: f64, (first, last): (f64, f64)) -> Vec<f64> {
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (number, place) in wanted.iter().enumerate() {
        let mut group = (place - number as f64 * distance, 1);
        while let Some(&(mean, size)) = groups.last().filter(|(mean, _)| *mean > group.0) {
            groups.pop();
            let both = size + group.1;
            group = ((mean * size as f64 + group.0 * group.1 as f64) / both as f64, both);
        }
        groups.push(group);
    }
    let highest = (last - wanted.len().saturating_sub(1) as f64 * distance).max(first);
    let means = groups.into_iter().flat_map(|(mean, size)| std::iter::repeat_n(mean, size));
    means.enumerate().map(|(number, mean)| mean.clamp(first, highest) + number as f64 * distance).collect()
}

#[cfg(test)]
mod tests {
    use super::apart;

    #[test]
    fn labels_move_no_further_than_they_must() {
        assert_eq!(apart(&[10.0, 50.0], 10.0, (0.0, 100.0)), [10.0, 50.0]);
        assert_eq!(
            apart(&[50.0, 50.0, 52.0], 10.0, (0.0, 100.0)),
            [40.666666666666664, 50.666666666666664, 60.666666666666664]
        );
        assert_eq!(apart(&[0.0, 0.0], 10.0, (0.0, 100.0)), [0.0, 10.0]);
        assert_eq!(apart(&[99.0, 99.0], 10.0, (0.0, 100.0)), [90.0, 100.0]);
    }
}
