//! The pictures of `report`, as SVG: a page shows them beside the tables that hold the same figures.
//!
//! Each is legible on a light page and on a dark one, because it brings its ground and its colours for both, and tells
//! marks apart by shape as well as by colour. What this repository offers is filled, in a colour of its own, joined by
//! whole lines; what others publish is hollow, muted, and joined by dashes. No font can be measured here, so there is
//! room around every text; the tests below reckon with the widest of the usual fonts.

mod axis;
mod bars;
mod crossover;
mod ink;
mod labels;
mod latency;
mod mark;
mod memory;
mod ratios;
mod svg;
mod wake;

use harness::Observation;

use crate::programs::PROGRAMS;
use mark::Cast;

/// What it takes to wake one of many that wait.
pub const AMONG_MANY: &str = "wake";
/// Ratios to the same work by hand.
pub const RATIOS: &str = "ratios";
/// Latency by the interval between wakes.
pub const LATENCY: &str = "latency";
/// Bytes for a task.
pub const MEMORY: &str = "memory";
/// From when on the choice does not matter.
pub const CROSSOVER: &str = "crossover";

type Drawing = fn(&[Observation], &Cast) -> Option<String>;

const DRAWINGS: [(&str, Drawing); 5] = [
    (RATIOS, ratios::draw),
    (CROSSOVER, crossover::draw),
    (LATENCY, latency::draw),
    (AMONG_MANY, wake::draw),
    (MEMORY, memory::draw),
];

/// An executor of this repository: its name, and the package that it comes from.
pub type Own<'a> = (&'a str, &'a str);

/// Every picture for which there are observations, by name.
pub fn all(observations: &[Observation]) -> Vec<(&'static str, String)> {
    let own = PROGRAMS.iter().filter(|program| program.is_ours());
    with_own(observations, &own.map(|program| (program.executor, program.package)).collect::<Vec<_>>())
}

/// The same, where the executors of this repository are these; everyone else who was observed is somebody else's.
pub fn with_own(observations: &[Observation], own: &[Own<'_>]) -> Vec<(&'static str, String)> {
    let cast = Cast::new(observations, own);
    DRAWINGS.iter().filter_map(|(name, draw)| Some((*name, draw(observations, &cast)?))).collect()
}

#[cfg(test)]
mod tests;
