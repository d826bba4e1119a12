//! What is true of every picture: of the committed record, and of one with more executors than there are now.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use harness::contender::FLOOR;
use harness::duel::{SHORTEST, TWIN, VERB};
use harness::{idle, latency, memory, pages};
use regex::Regex;
use workloads::WORKLOADS;
use workloads::work::SWEEP;

use super::*;
use crate::record::{FOLDER, load, newest};

/// What text needs, by the guidelines for web content.
const CONTRAST: f64 = 4.5;

fn committed() -> Vec<(&'static str, String)> {
    let folder = newest(&pages::page(FOLDER)).expect("the records can be read").expect("one is committed");
    let pictures = all(&load(&folder).expect("it can be read").observations);
    assert_eq!(pictures.len(), DRAWINGS.len());
    pictures
}

/// A record of so many executors of this repository, each a little slower than the one before, and some published ones.
fn crowded(own: usize) -> Vec<(&'static str, String)> {
    let names: Vec<String> = (0..own).map(|number| format!("strategy-{number}-waker")).collect();
    let mut observations = Vec::new();
    for (number, name) in
        [FLOOR, "tokio", "pollster", "of-a-guest"].into_iter().chain(names.iter().map(|name| &**name)).enumerate()
    {
        let factor = 1.0 + number as f64 / 10.0;
        let twin = if name == "tokio" { Some(format!("{name}{TWIN}")) } else { None };
        for process in 0..3 {
            // One of them does not agree with itself.
            let factor = if name == "of-a-guest" && process == 2 { 3.0 * factor } else { factor };
            for name in [Some(name), twin.as_deref()].into_iter().flatten() {
                let mut timed = |verb: &str, workload: &str, value: f64| {
                    let row = Observation::new(verb, name, workload, SHORTEST, value);
                    observations.push(Observation { process, ..row });
                };
                WORKLOADS.iter().for_each(|workload| timed(VERB, workload.id, 10.0 * factor));
                for (workload, work) in SWEEP.iter().zip([4.0, 20.0, 1e2, 4e2, 2e3, 4e3, 2e4, 4e4, 1e5]) {
                    timed(crate::crossover::VERB, workload.id, work + 10.0 * (factor - 1.0));
                }
            }
        }
        let mut note = |verb: &str, subject: &str, parameter: f64, quantity: &str, value: f64| {
            observations.push(Observation::new(verb, name, subject, quantity, value).at(parameter));
        };
        for &interval in latency::INTERVALS {
            let spins = number % 3 == 2;
            note(latency::VERB, "foreign_wake", interval as f64, latency::P50, if spins { 200.0 } else { 5e4 });
            note(latency::VERB, "foreign_wake", interval as f64, latency::PROCESSOR, if spins { 1.0 } else { 0.1 });
        }
        if name == FLOOR {
            continue;
        }
        for &tasks in idle::TASKS {
            note(idle::VERB, "waiting", tasks as f64, idle::WAKE, factor * (200.0 + tasks as f64));
        }
        for size in [0.0, 64.0] {
            note(memory::VERB, "waiting", size, memory::BYTES, 80.0 * factor + size / 8.0);
        }
    }
    let own: Vec<_> = names.iter().map(|name| (&**name, &**name)).collect();
    let pictures = with_own(&observations, &own);
    assert_eq!(pictures.len(), DRAWINGS.len(), "there is something to draw for each");
    pictures
}

/// They take seconds to make, and several tests look at them.
static EVERY: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let crowded = [1, 8, 20].map(|own| (format!("with {own} of ours"), crowded(own)));
    let every = [("of the record".to_owned(), committed())].into_iter().chain(crowded);
    every.flat_map(|(of, all)| all.into_iter().map(move |(name, svg)| (format!("{name} {of}"), svg))).collect()
});

/// How bright a colour is, as the guidelines reckon.
fn luminance(colour: &str) -> f64 {
    let part = |at: usize| {
        let part = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("it is a colour")) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The ground, and the colours by their class.
fn colours(style: &str) -> (String, BTreeMap<String, String>) {
    let rule = Regex::new(r"\.(\w+)\{color:(#[0-9a-f]{6})\}").expect("it is a pattern");
    let ground = Regex::new(r"\.ground,\.hollow\{fill:(#[0-9a-f]{6})\}").expect("it is a pattern");
    let ground = ground.captures(style).expect("there is a ground")[1].to_owned();
    (ground, rule.captures_iter(style).map(|rule| (rule[1].to_owned(), rule[2].to_owned())).collect())
}

#[test]
fn every_text_is_legible_on_a_light_page_and_on_a_dark_one() {
    let text = Regex::new(r#"<text class="(\w+)""#).expect("it is a pattern");
    for (name, svg) in EVERY.iter() {
        let (light, dark) = svg.split_once("@media (prefers-color-scheme: dark)").expect("it has colours for both");
        let (dark, _) = dark.split_once("</style>").expect("a style ends");
        for style in [light, dark] {
            let (ground, colours) = colours(style);
            for class in text.captures_iter(svg) {
                let colour = colours.get(&class[1]).unwrap_or_else(|| panic!("{name}: {} has no colour", &class[1]));
                let found = contrast(colour, &ground);
                assert!(found >= CONTRAST, "{name}: {} {colour} on {ground} has {found:.2} : 1", &class[1]);
            }
        }
    }
}

#[test]
fn the_contrast_is_reckoned_as_the_guidelines_do() {
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
    // The palette that these pictures had before: about as far from white as from black, and so legible on neither.
    assert!(contrast("#7d8590", "#ffffff") < CONTRAST);
    assert!((contrast("#777777", "#ffffff") - 4.48).abs() < 0.01);
}

/// How wide a letter of DejaVu Sans is, in parts of its size. The other usual fonts are narrower.
fn width(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | ' ' | '.' | ',' | ':' | ';' | '\'' => 0.32,
        'f' | 't' | 'r' | '-' | '(' | ')' | '!' => 0.41,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' => 0.59,
        'm' | 'w' | '%' | 'M' | 'W' => 0.97,
        letter if letter.is_uppercase() => 0.77,
        _ => 0.64,
    }
}

/// The texts and the boxes that they take at most: left, right, top, bottom.
fn boxes(svg: &str) -> Vec<(String, [f64; 4])> {
    let text = r#"<text class="\w+" x="([-\d.]+)" y="([-\d.]+)" font-size="(\d+)" text-anchor="(\w+)">(.*)</text>"#;
    let text = Regex::new(text).expect("it is a pattern");
    let number = |text: &str| text.parse::<f64>().expect("it is a number");
    let found: Vec<_> = text
        .captures_iter(svg)
        .map(|text| {
            let (x, y, size) = (number(&text[1]), number(&text[2]), number(&text[3]));
            let width = text[5].chars().map(width).sum::<f64>() * size;
            let left = match &text[4] {
                "start" => x,
                "middle" => x - width / 2.0,
                _ => x - width,
            };
            (text[5].to_owned(), [left, left + width, y - 0.75 * size, y + 0.2 * size])
        })
        .collect();
    assert_eq!(found.len(), svg.matches("<text").count(), "every text is understood");
    found
}

fn lie_on_one_another([left, right, top, bottom]: [f64; 4], other: [f64; 4]) -> bool {
    left < other[1] && other[0] < right && top < other[3] && other[2] < bottom
}

#[test]
fn no_text_lies_on_another_or_leaves_the_picture() {
    let size = Regex::new(r#"width="(\d+)" height="(\d+)""#).expect("it is a pattern");
    for (name, svg) in EVERY.iter() {
        let size = size.captures(svg).expect("it has a size");
        let [width, height] = [1, 2].map(|side| size[side].parse::<f64>().expect("it is a number"));
        let boxes = boxes(svg);
        assert!(boxes.len() > 5, "{name}");
        for (number, (text, of)) in boxes.iter().enumerate() {
            let [left, right, top, bottom] = *of;
            let is_inside = left >= 0.0 && right <= width && top >= 0.0 && bottom <= height;
            assert!(is_inside, "{name}: `{text}` leaves the picture: {of:?} of {width} by {height}");
            for (other, of_other) in &boxes[..number] {
                assert!(!lie_on_one_another(*of, *of_other), "{name}: `{text}` lies on `{other}`");
            }
        }
    }
}

#[test]
fn texts_that_lie_on_one_another_are_noticed() {
    let text =
        |x: u32, y: u32| format!(r#"<text class="own1" x="{x}" y="{y}" font-size="14" text-anchor="start">raw</text>"#);
    let boxes =
        |x, y| boxes(&[text(10, 50), text(x, y)].join("\n")).iter().map(|(_, place)| *place).collect::<Vec<_>>();
    for (x, y, expected) in [(12, 52, true), (12, 70, false), (60, 50, false)] {
        let boxes = boxes(x, y);
        assert_eq!(lie_on_one_another(boxes[0], boxes[1]), expected, "{boxes:?}");
    }
}

#[test]
fn twenty_executors_of_ours_are_drawn_and_named() {
    for name in [AMONG_MANY, MEMORY] {
        let svg = picture(&format!("{name} with 20 of ours"));
        for number in 0..20 {
            assert!(svg.contains(&format!(">strategy-{number}-waker")), "{name} leaves strategy {number} out");
        }
    }
}

#[test]
fn no_panel_of_ratios_has_more_than_seven_rows() {
    let value = Regex::new(r"[\d.]+x</text>").expect("it is a pattern");
    for of in ["of the record", "with 20 of ours"] {
        let values = value.find_iter(picture(&format!("{RATIOS} {of}"))).count();
        let panels = ratios::panels();
        assert!(values > panels && values <= 7 * panels, "{of}: {values} values in {panels} panels");
    }
}

fn picture(name: &str) -> &'static str {
    &EVERY.iter().find(|(other, _)| other == name).expect("it is drawn").1
}

#[test]
fn what_the_mark_before_a_ratio_means_stands_where_there_is_one() {
    let value = Regex::new(r">!\d").expect("it is a pattern");
    for (name, svg) in EVERY.iter().filter(|(name, _)| name.starts_with(RATIOS)) {
        assert_eq!(value.is_match(svg), svg.contains(">! varies by process<"), "{name}");
    }
    assert!(value.is_match(picture(&format!("{RATIOS} with 20 of ours"))));
}

#[test]
fn without_observations_there_is_no_picture() {
    assert_eq!(all(&[]), []);
}
