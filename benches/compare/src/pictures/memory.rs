//! Bytes for a task that waits.

use harness::Observation;
use harness::memory::{BYTES, VERB};
use harness::statistics::{maximum, minimum};
use harness::table::count;

use super::axis::Axis;
use super::bars::{Bar, ROW, bars, base};
use super::mark::Cast;
use super::svg::{MARGIN, Svg, TOP, WIDTH};
use crate::memory;

pub(super) fn draw(observations: &[Observation], cast: &Cast<'_>) -> Option<String> {
    let rows = observations.iter().filter(|row| row.verb == VERB && row.quantity == BYTES);
    let mut sizes: Vec<f64> = rows.filter_map(|row| row.parameter).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let of = |name: &str| {
        let values = sizes.iter().filter_map(|size| memory::value(observations, name, *size, BYTES));
        let values: Vec<f64> = values.collect();
        Some((minimum(&values)?, maximum(&values)?))
    };
    let mut ranges: Vec<(&str, (f64, f64))> = cast.names().iter().filter_map(|name| Some((*name, of(name)?))).collect();
    ranges.sort_by(|(_, (low, high)), (_, (other_low, other_high))| {
        high.total_cmp(other_high).then(low.total_cmp(other_low))
    });
    let (smallest, largest) = (sizes.first()?, sizes.last()?);
    let most = ranges.last()?.1.1;

    let top = TOP + 36.0;
    let bottom = top + ROW * ranges.len() as f64 - ROW / 2.0 + 4.0;
    let about = format!(
        "Bytes of heap, over futures from the smallest to the largest ({} to {} bytes)",
        count(*smallest),
        count(*largest)
    );
    let least = ranges.iter().map(|(_, (low, _))| *low).fold(most, f64::min);
    let title = format!("A task that waits takes {least:.0} to {most:.0} bytes beyond its future");
    let mut svg = Svg::new(bottom + 52.0, &title, &about);
    cast.legend(&mut svg, TOP + 8.0, "");
    let x = Axis::linear(most, (200.0, WIDTH - MARGIN - 100.0));
    x.below(&mut svg, (top - ROW / 2.0, bottom), count, "bytes for each task");
    base(&mut svg, x.at(0.0), top, ranges.len());
    let rows: Vec<_> = ranges
        .iter()
        .map(|(name, (low, high))| {
            let is_one = high - low < 0.5;
            let value = if is_one { count(high.round()) } else { format!("{low:.0} to {high:.0}") };
            Bar { name, marks: if is_one { vec![*high] } else { vec![*low, *high] }, value }
        })
        .collect();
    bars(&mut svg, cast, &rows, &x, 0.0, top);
    Some(svg.finish())
}
