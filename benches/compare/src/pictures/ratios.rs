//! Ratios to the same work by hand: small multiples, two workloads for each theme.

use harness::Observation;
use harness::duel::Ranking;
use harness::statistics::maximum;
use harness::table::figure;
use workloads::WORKLOADS;

use super::axis::Axis;
use super::bars::{Bar, ROW, bars, base};
use super::ink::Ink;
use super::mark::Cast;
use super::svg::{Anchor, MARGIN, Point, Stroke, Svg, TOP, WIDTH};

/// What the workloads are about, and the two that say most of it.
const THEMES: [(&str, [&str; 2]); 5] = [
    ("To wake", ["yield_one", "ping_pong"]),
    ("To spawn", ["spawn_join", "spawn_join_many"]),
    ("A crowd", ["all_ready", "one_ready_100"]),
    ("With another thread", ["foreign_wake_10000", "foreign_join"]),
    ("block_on", ["block_on_ready", "block_on_yield"]),
];

/// So many of this repository are shown of each workload: the fastest of them, one of each package.
const OWN: usize = 5;

/// Where the scale ends; a bar that would be longer ends in an arrow.
const MOST: f64 = 60.0;

/// And where it begins: hardly anybody takes less time than the work by hand.
const LEAST: f64 = 0.8;

/// The rows of a workload: names and ratios, the fastest first, and whether the ratio can be relied on.
type Rows<'a> = Vec<(&'a str, f64, bool)>;

pub(super) fn draw(observations: &[Observation], cast: &Cast<'_>) -> Option<String> {
    let rankings = harness::duel::rankings(observations);
    let panels = |workloads: [&'static str; 2]| {
        let rows = workloads.map(|workload| {
            let ranking = rankings.iter().find(|ranking| ranking.workload == workload);
            (workload, ranking.map(|ranking| chosen(ranking, cast)).unwrap_or_default())
        });
        rows.into_iter().filter(|(_, rows)| !rows.is_empty()).collect::<Vec<_>>()
    };
    let themes: Vec<_> = THEMES.iter().map(|(theme, workloads)| (*theme, panels(*workloads))).collect();
    let themes: Vec<_> = themes.into_iter().filter(|(_, panels)| !panels.is_empty()).collect();
    if themes.is_empty() {
        return None;
    }

    let depth = |panels: &[(&str, Rows<'_>)]| {
        let rows = panels.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
        62.0 + ROW * rows as f64
    };
    let top = TOP + 38.0;
    let height = top + themes.iter().map(|(_, panels)| depth(panels)).sum::<f64>();
    let mut svg = Svg::new(
        height,
        "How far from doing it by hand",
        "Time as a multiple of what the same work takes without an executor (1x, the upright line); less is better",
    );
    cast.legend(&mut svg, TOP + 6.0, ", the fastest and the slowest");
    if themes.iter().flat_map(|(_, panels)| panels).flat_map(|(_, rows)| rows).any(|(.., is_steady)| !is_steady) {
        svg.text((WIDTH - MARGIN, TOP + 6.0), "! varies by process", Ink::Soft, Anchor::End);
    }
    let mut y = top;
    for (theme, panels) in &themes {
        svg.line(&[(MARGIN, y - 12.0), (WIDTH - MARGIN, y - 12.0)], Ink::Soft, Stroke::Faint);
        svg.sized((MARGIN, y + 4.0), theme, 16.0, Ink::Text, Anchor::Start);
        for (number, (workload, rows)) in panels.iter().enumerate() {
            let left = MARGIN + number as f64 * (WIDTH / 2.0 - 2.0);
            panel(&mut svg, cast, (left, y + 27.0), workload, rows);
        }
        y += depth(panels);
    }
    Some(svg.finish())
}

fn panel(svg: &mut Svg, cast: &Cast<'_>, (left, top): Point, workload: &str, rows: &Rows<'_>) {
    let known = WORKLOADS.iter().find(|other| other.id == workload);
    svg.text((left, top), known.map_or(workload, |known| known.title), Ink::Soft, Anchor::Start);
    // The name that the tables use.
    svg.sized((left + 408.0, top - 23.0), workload, 12.0, Ink::Soft, Anchor::End);
    let axis = Axis::logarithmic((LEAST, MOST), (left + 172.0, left + 355.0));
    let first = top + 22.0;
    base(svg, axis.at(1.0), first, rows.len());
    let rows: Vec<_> = rows
        .iter()
        .map(|(name, ratio, is_steady)| {
            let mark = if *is_steady { "" } else { "!" };
            let arrow = if *ratio > MOST { "\u{2192} " } else { "" };
            let value = format!("{arrow}{mark}{}x", figure(*ratio));
            Bar { name, marks: vec![ratio.clamp(LEAST, MOST)], value }
        })
        .collect();
    bars(svg, cast, &rows, &axis, 1.0, first);
}

/// The fastest of this repository, and the fastest and the slowest of all others.
fn chosen<'a>(ranking: &Ranking, cast: &Cast<'a>) -> Rows<'a> {
    let of = |name: &&'a str| Some((*name, ranking.to_floor(name)?, ranking.is_steady(name)));
    let by_ratio = |rows: &mut Rows<'a>| rows.sort_by(|(_, one, _), (_, other, _)| one.total_cmp(other));
    let mut rows: Rows<'a> = cast.own_packages().iter().filter_map(of).collect();
    by_ratio(&mut rows);
    rows.truncate(OWN);
    let others = || cast.names().iter().filter(|name| !cast.is_own(name)).filter_map(of);
    let fastest = others().min_by(|(_, one, _), (_, other, _)| one.total_cmp(other));
    let slowest = maximum(&others().map(|(_, ratio, _)| ratio).collect::<Vec<_>>());
    let slowest = others().find(|(_, ratio, _)| Some(*ratio) == slowest);
    rows.extend(fastest);
    rows.extend(slowest.filter(|slowest| fastest.is_none_or(|fastest| fastest.0 != slowest.0)));
    by_ratio(&mut rows);
    rows
}

/// How many panels there are at most.
#[cfg(test)]
pub(super) fn panels() -> usize {
    THEMES.iter().map(|(_, workloads)| workloads.len()).sum()
}
