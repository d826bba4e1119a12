//! The pictures of `report`, as SVG.
//!
//! They stand on light pages and on dark ones: without a background, and in colours between. A colour is never the only
//! key: each executor has a mark of its own, those of this repository filled and joined by whole lines, the published
//! ones hollow and joined by dashes. No font is measured, so there is room around every text.

use std::error::Error;
use std::ops::Range;

use harness::contender::is_floor;
use harness::idle::{TASKS, WAKE};
use harness::latency::INTERVALS;
use harness::memory::BYTES;
use harness::table::{count, time};
use harness::{Observation, tournament};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::programs::PROGRAMS;
use crate::report::names;
use crate::{crossover, idle, latency, memory};

/// What it takes to wake one of many that wait.
pub const AMONG_MANY: &str = "wake";
/// Ratios to the same work by hand.
pub const RATIOS: &str = "ratios";
/// Latency against processor time.
pub const LATENCY: &str = "latency";
/// Bytes for a task.
pub const MEMORY: &str = "memory";
/// From when on the choice does not matter.
pub const CROSSOVER: &str = "crossover";

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn Error>;
type Drawing = fn(&[Observation]) -> Result<Option<String>, Failure>;

/// Every picture for which there are observations, by name.
///
/// # Errors
///
/// When one cannot be drawn.
pub fn all(observations: &[Observation]) -> Result<Vec<(&'static str, String)>, String> {
    let drawings: [(&str, Drawing); 5] =
        [(RATIOS, ratios), (CROSSOVER, work), (LATENCY, latencies), (AMONG_MANY, wakes), (MEMORY, bytes)];
    let mut pictures = Vec::new();
    for (name, draw) in drawings {
        let svg = draw(observations).map_err(|error| format!("the picture `{name}` cannot be drawn: {error}"))?;
        pictures.extend(svg.map(|svg| (name, svg)));
    }
    Ok(pictures)
}

const WIDTH: u32 = 860;

/// For axes and words: about as far from white as from black.
const GREY: RGBColor = RGBColor(125, 133, 144);

/// Where a picture begins below its heading.
const TOP: u32 = 58;

/// Of the marks.
const RADIUS: i32 = 5;

/// Between two labels, one below the other.
const LINE: f64 = 16.0;

/// What an executor looks like in every picture.
#[derive(Clone, Copy)]
struct Look {
    colour: RGBColor,
    shape: Shape,
    filled: bool,
}

#[derive(Clone, Copy)]
enum Shape {
    Circle,
    Square,
    Up,
    Diamond,
    Down,
    Cross,
    Plus,
}

/// Colours that are told apart by most eyes, none of them light or dark.
const COLOURS: [RGBColor; 7] = [
    RGBColor(214, 92, 92),
    RGBColor(200, 130, 40),
    RGBColor(64, 150, 90),
    RGBColor(70, 130, 210),
    RGBColor(150, 110, 210),
    RGBColor(195, 90, 160),
    RGBColor(30, 150, 160),
];

const SHAPES: [Shape; 7] =
    [Shape::Circle, Shape::Square, Shape::Up, Shape::Diamond, Shape::Down, Shape::Cross, Shape::Plus];

fn look(name: &str) -> Look {
    if is_floor(name) {
        return Look { colour: GREY, shape: Shape::Plus, filled: false };
    }
    // Whoever is not known stands behind the last.
    let place = PROGRAMS.iter().position(|program| program.executor == name).unwrap_or(PROGRAMS.len());
    let own = PROGRAMS.iter().take_while(|program| program.is_ours()).count();
    let Some(peer) = place.checked_sub(own) else {
        return Look { colour: COLOURS[place], shape: SHAPES[place], filled: true };
    };
    // Another pairing of colours and shapes each time that the shapes begin again.
    let colour = place + 2 * (peer / SHAPES.len());
    Look { colour: COLOURS[colour % COLOURS.len()], shape: SHAPES[peer % SHAPES.len()], filled: false }
}

fn svg(height: u32, draw: impl FnOnce(&Area<'_>) -> Result<(), Failure>) -> Result<Option<String>, Failure> {
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
    draw(&area)?;
    area.present()?;
    drop(area);
    Ok(Some(text + "\n"))
}

fn words(area: &Area<'_>, at: (i32, i32), text: &str, colour: RGBColor, to: HPos) -> Result<(), Failure> {
    sized(area, at, text, 15, colour, to)
}

fn sized(area: &Area<'_>, at: (i32, i32), text: &str, size: i32, colour: RGBColor, to: HPos) -> Result<(), Failure> {
    let style = ("sans-serif", size).into_font().color(&colour).pos(Pos::new(to, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}

fn heading(area: &Area<'_>, title: &str, about: &str) -> Result<(), Failure> {
    sized(area, (12, 18), title, 19, GREY, HPos::Left)?;
    words(area, (12, 40), about, GREY, HPos::Left)
}

fn mark(area: &Area<'_>, (x, y): (i32, i32), Look { colour, shape, filled }: Look) -> Result<(), Failure> {
    let line = colour.stroke_width(2);
    let corners: &[(i32, i32)] = match shape {
        Shape::Circle => {
            let style = if filled { colour.filled() } else { line };
            return Ok(area.draw(&Circle::new((x, y), RADIUS, style))?);
        }
        Shape::Square => &[(-4, -4), (4, -4), (4, 4), (-4, 4)],
        Shape::Up => &[(0, -6), (6, 5), (-6, 5)],
        Shape::Diamond => &[(0, -6), (6, 0), (0, 6), (-6, 0)],
        Shape::Down => &[(0, 6), (6, -5), (-6, -5)],
        Shape::Cross => &[(-5, -5), (5, 5), (0, 0), (-5, 5), (5, -5)],
        Shape::Plus => &[(-6, 0), (6, 0), (0, 0), (0, -6), (0, 6)],
    };
    let mut corners: Vec<_> = corners.iter().map(|(right, down)| (x + right, y + down)).collect();
    if filled {
        area.draw(&Polygon::new(corners, colour.filled()))?;
    } else {
        if !matches!(shape, Shape::Cross | Shape::Plus) {
            corners.push(corners[0]);
        }
        area.draw(&PathElement::new(corners, line))?;
    }
    Ok(())
}

fn joined(area: &Area<'_>, points: &[(i32, i32)], look: Look) -> Result<(), Failure> {
    let style = look.colour.stroke_width(2);
    if look.filled {
        area.draw(&PathElement::new(points.to_vec(), style))?;
    } else {
        area.draw(&DashedPathElement::new(points.iter().copied(), 7, 4, style))?;
    }
    points.iter().try_for_each(|point| mark(area, *point, look))
}

/// Names in columns, from a place downwards. So many lines does it take as [`legend_lines`] says.
fn legend(area: &Area<'_>, top: i32, names: &[&str]) -> Result<(), Failure> {
    let lines = legend_lines(names);
    for (number, name) in names.iter().enumerate() {
        let (column, line) = (number / lines, number % lines);
        let at = (24 + column as i32 * (WIDTH as i32 - 24) / COLUMNS as i32, top + line as i32 * 20);
        mark(area, at, look(name))?;
        words(area, (at.0 + 14, at.1), name, look(name).colour, HPos::Left)?;
    }
    Ok(())
}

const COLUMNS: usize = 5;

fn legend_lines(names: &[&str]) -> usize {
    names.len().div_ceil(COLUMNS)
}

/// Names beside the points that they belong to, moved apart where they would lie on one another, and not above `top`.
fn labels(area: &Area<'_>, mut ends: Vec<((i32, i32), &str)>, to: HPos, at: i32, top: i32) -> Result<(), Failure> {
    ends.sort_by_key(|((_, y), _)| *y);
    let wanted: Vec<f64> = ends.iter().map(|((_, y), _)| f64::from(*y)).collect();
    let away = if matches!(to, HPos::Left) { -6 } else { 6 };
    for (((x, y), name), line) in ends.into_iter().zip(apart(&wanted, LINE, f64::from(top))) {
        let line = line.round() as i32;
        let colour = look(name).colour;
        area.draw(&PathElement::new(vec![(x - away, y), (at + away, line)], colour.mix(0.5)))?;
        words(area, (at, line), name, colour, to)?;
    }
    Ok(())
}

/// The places next to the wanted ones, in their order and none before `first`, no two of which are closer than that.
///
/// Without the distance it would be the nearest sequence that does not fall: neighbours that are out of order share
/// their mean.
fn apart(wanted: &[f64], distance: f64, first: f64) -> Vec<f64> {
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
    let means = groups.into_iter().flat_map(|(mean, size)| std::iter::repeat_n(mean, size));
    means.enumerate().map(|(number, mean)| mean.max(first) + number as f64 * distance).collect()
}

/// An axis.
#[derive(Clone)]
struct Axis {
    from: f64,
    to: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
    /// What stands at a tick.
    show: fn(f64) -> String,
    name: &'static str,
    /// The room for all that, in pixels.
    room: u32,
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let scale = |value: f64| if self.logarithmic { value.ln() } else { value };
        let part = (scale(*value) - scale(self.from)) / (scale(self.to) - scale(self.from));
        first + (f64::from(last - first) * part).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        (self.show)(*value)
    }
}

/// A logarithmic axis.
fn logarithmic((from, to): (f64, f64), show: fn(f64) -> String, name: &'static str, room: u32) -> Axis {
    let steps: &[f64] = if to / from > 200.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let decades = (from.log10().floor() as i32)..=(to.log10().ceil() as i32);
    let ticks = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
    let ticks = ticks.filter(|tick| (from..=to).contains(tick)).collect();
    Axis { from, to, logarithmic: true, ticks, show, name, room }
}

/// An axis of rows, numbered from the top.
fn rows(number: usize, room: u32) -> Axis {
    let ticks = (0..number).map(|row| row as f64 + 0.5).collect();
    Axis { from: number as f64, to: 0.0, logarithmic: false, ticks, show: |_| String::new(), name: "", room }
}

/// Draws axes and says where a value is.
fn frame(area: &Area<'_>, x: Axis, y: Axis) -> Result<impl Fn(f64, f64) -> (i32, i32) + use<>, Failure> {
    let mut builder = ChartBuilder::on(area);
    builder.x_label_area_size(x.room).y_label_area_size(y.room);
    let name = x.name;
    let mut chart = builder.build_cartesian_2d(x, y)?;
    let mut mesh = chart.configure_mesh();
    mesh.axis_style(GREY)
        .bold_line_style(GREY.mix(0.3))
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 15).into_font().color(&GREY))
        .x_desc(name);
    mesh.draw()?;
    // Where the values lie does not change any more; the chart itself would keep the area borrowed.
    let coordinates = chart.as_coord_spec().clone();
    Ok(move |x, y| coordinates.translate(&(x, y)))
}

/// A little more than what the values take, on a logarithmic axis.
fn around(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (from, to) = values.fold((f64::INFINITY, 0.0_f64), |(from, to), value| (from.min(value), to.max(value)));
    (from / 1.25, to * 1.25)
}

fn wakes(observations: &[Observation]) -> Result<Option<String>, Failure> {
    let lines: Vec<(&str, Vec<(f64, f64)>)> = names(observations)
        .into_iter()
        .map(|name| {
            let points =
                TASKS.iter().filter_map(|&tasks| Some((tasks as f64, idle::value(observations, name, tasks, WAKE)?)));
            (name, points.collect())
        })
        .filter(|(_, points): &(_, Vec<_>)| !points.is_empty())
        .collect();
    if lines.is_empty() {
        return Ok(None);
    }
    svg(460, |area| {
        heading(
            area,
            "Why a wake should name a task",
            "Time to wake one task and hear from it, against the number of tasks that wait",
        )?;
        let inner = area.margin(TOP, 8, 12, 170);
        let values = lines.iter().flat_map(|(_, points)| points.iter().map(|(_, value)| *value));
        let x = logarithmic((0.8, 125_000.0), count, "tasks that wait", 45);
        let place = frame(&inner, x, logarithmic(around(values), time, "", 62))?;
        let mut ends = Vec::new();
        for (name, points) in &lines {
            let points: Vec<_> = points.iter().map(|(tasks, value)| place(*tasks, *value)).collect();
            joined(area, &points, look(name))?;
            ends.extend(points.last().map(|end| (*end, *name)));
        }
        labels(area, ends, HPos::Left, WIDTH as i32 - 150, TOP as i32 + 6)
    })
}

fn ratios(observations: &[Observation]) -> Result<Option<String>, Failure> {
    let standings = tournament::standings(observations);
    let known = names(observations);
    let mut shown: Vec<&str> = Vec::new();
    let mut dots: Vec<(&str, Vec<(usize, f64)>)> = Vec::new();
    for standing in &standings {
        let ratios = known.iter().enumerate().filter(|(_, name)| !is_floor(name));
        let ratios = ratios.filter_map(|(number, name)| Some((number, standing.to_floor(name)?)));
        dots.push((&*standing.workload, ratios.collect()));
    }
    dots.retain(|(_, ratios)| !ratios.is_empty());
    for (number, name) in known.iter().enumerate() {
        if dots.iter().flat_map(|(_, ratios)| ratios).any(|(other, _)| *other == number) {
            shown.push(name);
        }
    }
    if shown.is_empty() {
        return Ok(None);
    }
    let row = 34;
    let below = 20 * legend_lines(&shown) as u32 + 16;
    svg(TOP + 45 + row * dots.len() as u32 + below, |area| {
        heading(
            area,
            "How far from doing it by hand",
            "Time for an operation as a multiple of what the same work takes without an executor; less is better",
        )?;
        let inner = area.margin(TOP, below, 12, 24);
        let values = dots.iter().flat_map(|(_, ratios)| ratios.iter().map(|(_, ratio)| *ratio));
        let (from, to) = around(values);
        let x = logarithmic((from.min(0.9), to), |ratio| format!("{}x", short(ratio)), "", 45);
        let place = frame(&inner, x, rows(dots.len(), 175))?;
        for (number, (workload, ratios)) in dots.iter().enumerate() {
            let middle = number as f64 + 0.5;
            words(area, (178, place(1.0, middle).1), workload, GREY, HPos::Right)?;
            for (contender, ratio) in ratios {
                // Everybody in a lane of its own, so that marks of the same ratio do not hide one another.
                let name = known[*contender];
                let lane = shown.iter().position(|other| *other == name).expect("it is shown");
                let lane = (lane as f64 + 0.5) / shown.len() as f64 - 0.5;
                mark(area, place(*ratio, middle + 0.66 * lane), look(name))?;
            }
        }
        let (one, top) = place(1.0, 0.0);
        let bottom = place(1.0, dots.len() as f64).1;
        area.draw(&PathElement::new(vec![(one, top), (one, bottom)], GREY.stroke_width(2)))?;
        legend(area, (area.dim_in_pixel().1 - below) as i32 + 14, &shown)
    })
}

/// No more places than the figure needs: 0.5, 1, 20.
fn short(value: f64) -> String {
    if value < 1.0 { format!("{}", (value * 1e6).round() / 1e6) } else { count(value) }
}

fn latencies(observations: &[Observation]) -> Result<Option<String>, Failure> {
    // Without the processor time there is no place for it in the picture.
    let of = |name: &str, interval| {
        let (p50, p99, processor) = latency::summary(observations, name, interval)?;
        Some((p50, p99, processor?))
    };
    let known = names(observations);
    let shown: Vec<&str> =
        known.into_iter().filter(|name| INTERVALS.iter().any(|at| of(name, *at).is_some())).collect();
    let intervals: Vec<u64> =
        INTERVALS.iter().copied().filter(|at| shown.iter().any(|name| of(name, *at).is_some())).collect();
    if shown.is_empty() {
        return Ok(None);
    }
    // Whoever sleeps long enough uses less than the clock can tell.
    let share = |processor: f64| processor.clamp(1e-4, 1.0);
    let all = || intervals.iter().flat_map(|at| shown.iter().filter_map(|name| of(name, *at)));
    let heights = around(all().flat_map(|(p50, p99, _)| [p50, p99.unwrap_or(p50)]));
    let widths = (around(all().map(|(.., processor)| share(processor))).0 / 1.5, 1.4);
    let lines = intervals.len().div_ceil(3) as u32;
    let below = 20 * legend_lines(&shown) as u32 + 16;
    svg(TOP + 250 * lines + below, |area| {
        heading(
            area,
            "What a short answer costs",
            "Time from another thread's wake to the poll (mark: median; end of its line: p99), against the processor time spent",
        )?;
        let panels = area.margin(TOP, below, 2, 14).split_evenly((lines as usize, 3));
        for (interval, panel) in intervals.iter().zip(&panels) {
            let inner = panel.margin(26, 0, 0, 12);
            let x = logarithmic(widths, |share| format!("{} %", short(100.0 * share)), "", 30);
            let place = frame(&inner, x, logarithmic(heights, time, "", 58))?;
            let title = format!("a wake every {}", time(*interval as f64));
            words(panel, (62, 14), &title, GREY, HPos::Left)?;
            for name in &shown {
                let Some((p50, p99, processor)) = of(name, *interval) else { continue };
                let at = place(share(processor), p50);
                if let Some(p99) = p99 {
                    let end = place(share(processor), p99);
                    area.draw(&PathElement::new(vec![at, end], look(name).colour))?;
                    area.draw(&PathElement::new(vec![(end.0 - 3, end.1), (end.0 + 3, end.1)], look(name).colour))?;
                }
                mark(area, at, look(name))?;
            }
        }
        legend(area, (area.dim_in_pixel().1 - below) as i32 + 14, &shown)
    })
}

fn bytes(observations: &[Observation]) -> Result<Option<String>, Failure> {
    let of = |name: &str| {
        let own = observations.iter().filter(|row| row.verb == harness::memory::VERB && row.executor == name);
        let sizes = own.filter(|row| row.quantity == BYTES).filter_map(|row| row.parameter);
        sizes.filter_map(|size| memory::value(observations, name, size, BYTES)).collect::<Vec<f64>>()
    };
    let all: Vec<(&str, Vec<f64>)> =
        names(observations).into_iter().map(|name| (name, of(name))).filter(|(_, values)| !values.is_empty()).collect();
    let Some(most) =
        harness::statistics::maximum(&all.iter().flat_map(|(_, values)| values.clone()).collect::<Vec<_>>())
    else {
        return Ok(None);
    };
    svg(TOP + 50 + 28 * all.len() as u32, |area| {
        heading(
            area,
            "What a task takes that waits",
            "Bytes of heap beyond the future itself: one mark for each size of the future",
        )?;
        let inner = area.margin(TOP, 6, 12, 90);
        let step = [10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0].into_iter().find(|step| most / step < 8.0);
        let step = step.unwrap_or(most / 8.0);
        let ticks = (0..=8).map(|tick| f64::from(tick) * step).take_while(|tick| *tick <= most * 1.05).collect();
        let x = Axis {
            from: 0.0,
            to: most * 1.05,
            logarithmic: false,
            ticks,
            show: count,
            name: "bytes for each task",
            room: 45,
        };
        // Without ticks, and so without lines that would strike out what stands in them.
        let place = frame(&inner, x, Axis { ticks: Vec::new(), ..rows(all.len(), 175) })?;
        for (number, (name, values)) in all.iter().enumerate() {
            let middle = number as f64 + 0.5;
            let colour = look(name).colour;
            let (low, high) =
                values.iter().fold((most, 0.0_f64), |(low, high), value| (low.min(*value), high.max(*value)));
            let end = place(high, middle);
            words(area, (178, end.1), name, colour, HPos::Right)?;
            area.draw(&PathElement::new(vec![place(0.0, middle), end], colour.mix(0.5).stroke_width(3)))?;
            for value in values {
                mark(area, place(*value, middle), look(name))?;
            }
            let range = if high - low < 0.5 { count(high.round()) } else { format!("{low:.0} to {high:.0}") };
            words(area, (end.0 + 14, end.1), &range, GREY, HPos::Left)?;
        }
        Ok(())
    })
}

fn work(observations: &[Observation]) -> Result<Option<String>, Failure> {
    /// Less is not told from nothing.
    const LEAST: f64 = 0.1;
    let points = crossover::points(observations);
    let percent = |total: f64, work: f64| 100.0 * (total / work - 1.0);
    let shown: Vec<&str> = names(observations)
        .into_iter()
        .filter(|name| points.iter().any(|point| point.totals.iter().any(|(other, _)| other == name)))
        .collect();
    if shown.is_empty() {
        return Ok(None);
    }
    let most = points.iter().flat_map(|point| point.totals.iter().map(|(_, total)| percent(*total, point.work)));
    let heights = (LEAST, around(most.map(|share| share.max(LEAST))).1);
    let works = around(points.iter().map(|point| point.work));
    svg(470, |area| {
        heading(
            area,
            "When the choice does not matter",
            "What an executor adds to the work in each poll, in percent of it; the grey area is noise",
        )?;
        let inner = area.margin(TOP, 8, 12, 24);
        // Room for the names, left of the first point.
        let x = logarithmic((works.0 / 12.0, works.1), time, "work in each poll", 45);
        let y = logarithmic(heights, |share| format!("{} %", short(share)), "", 72);
        let place = frame(&inner, x, y)?;
        let noise = |point: &crossover::Point| (100.0 * (point.noise - 1.0)).clamp(LEAST, heights.1);
        let mut grey: Vec<_> = points.iter().map(|point| place(point.work, noise(point))).collect();
        grey.extend(points.last().map(|point| place(point.work, LEAST)));
        grey.extend(points.first().map(|point| place(point.work, LEAST)));
        area.draw(&Polygon::new(grey, GREY.mix(0.25)))?;
        let mut starts = Vec::new();
        for name in &shown {
            let line: Vec<_> = points
                .iter()
                .filter_map(|point| {
                    let (_, total) = point.totals.iter().find(|(other, _)| other == name)?;
                    let share = percent(*total, point.work);
                    (share >= LEAST).then(|| place(point.work, share))
                })
                .collect();
            joined(area, &line, look(name))?;
            starts.extend(line.first().map(|start| (*start, *name)));
        }
        let at = starts.iter().map(|((x, _), _)| *x).min().unwrap_or(0) - 30;
        labels(area, starts, HPos::Right, at, TOP as i32 + 10)
    })
}
