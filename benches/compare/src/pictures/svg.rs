//! A picture that grows: one element a line.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::ink::{self, Ink};

pub(super) const WIDTH: f64 = 860.0;

/// Where a picture begins below its heading.
pub(super) const TOP: f64 = 62.0;

/// The left margin of headings, and the right one of everything.
pub(super) const MARGIN: f64 = 12.0;

/// Of a text that is no heading.
pub(super) const SIZE: f64 = 14.0;

pub(super) type Point = (f64, f64);

/// Which end of a text is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stroke {
    Whole,
    Dashed,
    /// A pixel wide.
    Thin,
    /// For grids and for what leads to a label.
    Faint,
}

pub(super) struct Svg {
    height: f64,
    title: String,
    about: String,
    used: BTreeSet<Ink>,
    body: String,
}

impl Svg {
    /// With its message, and what was measured.
    pub(super) fn new(height: f64, title: &str, about: &str) -> Self {
        let (used, body) = (BTreeSet::new(), String::new());
        let mut svg = Self { height, title: title.to_owned(), about: about.to_owned(), used, body };
        svg.sized((MARGIN, 20.0), title, 19.0, Ink::Text, Anchor::Start);
        svg.text((MARGIN, 44.0), about, Ink::Soft, Anchor::Start);
        svg
    }

    pub(super) fn text(&mut self, at: Point, text: &str, ink: Ink, anchor: Anchor) {
        self.sized(at, text, SIZE, ink, anchor);
    }

    /// Its middle is at that height.
    pub(super) fn sized(&mut self, (x, y): Point, text: &str, size: f64, ink: Ink, anchor: Anchor) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        // Of a letter, about seven parts of ten stand on the line and none below it.
        let y = y + 0.35 * size;
        let (class, text) = (self.class(ink), escaped(text));
        let _ = writeln!(
            self.body,
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" font-size="{size}" text-anchor="{anchor}">{text}</text>"#
        );
    }

    /// From point to point; nothing where there is but one.
    pub(super) fn line(&mut self, points: &[Point], ink: Ink, stroke: Stroke) {
        if points.len() < 2 {
            return;
        }
        let class = match stroke {
            Stroke::Whole => "line",
            Stroke::Dashed => "line dashed",
            Stroke::Thin => "line thin",
            Stroke::Faint => "line thin faint",
        };
        self.path(points, false, ink, class);
    }

    /// A closed and filled area; nothing where it would have none.
    pub(super) fn band(&mut self, corners: &[Point], ink: Ink) {
        if corners.len() < 3 {
            return;
        }
        self.path(corners, true, ink, "band");
    }

    /// A path, whose look the class says.
    pub(super) fn path(&mut self, points: &[Point], closed: bool, ink: Ink, class: &str) {
        let ink = self.class(ink);
        let mut way = String::new();
        for (number, (x, y)) in points.iter().enumerate() {
            let _ = write!(way, "{}{x:.1} {y:.1}", if number == 0 { "M" } else { "L" });
        }
        let close = if closed { "Z" } else { "" };
        let _ = writeln!(self.body, r#"<path class="{ink} {class}" d="{way}{close}"/>"#);
    }

    pub(super) fn circle(&mut self, (x, y): Point, radius: f64, ink: Ink, class: &str) {
        let ink = self.class(ink);
        let _ = writeln!(self.body, r#"<circle class="{ink} {class}" cx="{x:.1}" cy="{y:.1}" r="{radius}"/>"#);
    }

    fn class(&mut self, ink: Ink) -> String {
        self.used.insert(ink);
        ink.class()
    }

    pub(super) fn finish(self) -> String {
        let Self { height, title, about, used, body } = self;
        let (title, about, style) = (escaped(&title), escaped(&about), ink::style(&used));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {WIDTH} {height:.0}\" font-family=\"sans-serif\" role=\"img\">\n\
             <title>{title}</title>\n<desc>{about}</desc>\n{style}\
             <rect class=\"ground\" width=\"100%\" height=\"100%\" rx=\"6\"/>\n{body}</svg>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
