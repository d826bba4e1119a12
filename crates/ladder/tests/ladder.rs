//! A rung is short and differs little from the one before, and the tour in README.md shows the rungs as they are.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// Set to write the page anew instead of comparing it.
const UPDATE: &str = "UPDATE_TABLES";

/// How many lines a rung has, its comments included.
const LENGTH: RangeInclusive<usize> = 45..=170;

/// The rungs, each with its text and the most lines by which it may differ from the one before.
const RUNGS: [(&str, &str, usize); 6] = [
    ("noop", include_str!("../src/noop.rs"), 0),
    ("park", include_str!("../src/park.rs"), 60),
    ("arc", include_str!("../src/arc.rs"), 80),
    ("vtable", include_str!("../src/vtable.rs"), 60),
    ("raw", include_str!("../src/raw.rs"), 120),
    ("biased", include_str!("../src/biased.rs"), 120),
];

/// What is shown of the record: an operation, the name of a quantity there, and what the tour calls it.
const SHOWN: [(&str, &str, &str); 10] = [
    ("self_wake", "instructions per operation", "a task wakes itself and is polled: instructions"),
    ("self_wake", "atomic read-modify-writes per operation", "the same: atomic operations"),
    ("clone_drop", "instructions per operation", "a waker is cloned, and the clone dropped: instructions"),
    ("clone_drop", "atomic read-modify-writes per operation", "the same: atomic operations"),
    (
        "wake_by_value",
        "instructions per operation",
        "a task clones its waker, wakes by the clone and is polled: instructions",
    ),
    ("wake_by_value", "atomic read-modify-writes per operation", "the same: atomic operations"),
    ("spawn_join", "instructions per operation", "a task is spawned, ends and is joined: instructions"),
    ("spawn_join", "atomic read-modify-writes per operation", "the same: atomic operations"),
    ("spawn_join", "allocations per operation", "the same: allocations"),
    ("spawn_join", "bytes allocated per operation", "the same: bytes allocated"),
];

/// Each rung but the first, behind the one before it.
fn steps() -> impl Iterator<Item = ((&'static str, &'static str, usize), (&'static str, &'static str, usize))> {
    RUNGS.into_iter().zip(RUNGS.into_iter().skip(1))
}

/// The lines that `diff` would mark.
fn changed(before: &str, after: &str) -> usize {
    TextDiff::from_lines(before, after).iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal).count()
}

#[test]
fn a_rung_differs_little_from_the_one_before() {
    for ((before, old, _), (after, new, most)) in steps() {
        let changed = changed(old, new);
        println!("{before} -> {after}: {changed} lines changed, at most {most}");
        assert!(changed <= most, "{before} -> {after}: {changed} lines changed, at most {most}");
    }
}

#[test]
fn a_rung_is_read_in_one_sitting() {
    for (name, text, _) in RUNGS {
        let lines = text.lines().count();
        assert!(LENGTH.contains(&lines), "{name}.rs has {lines} lines, and not {LENGTH:?}");
    }
}

#[test]
fn the_tour_shows_the_rungs_as_they_are() {
    let path = root().join("crates/ladder/README.md");
    let found = fs::read_to_string(&path).expect("README.md can be read");
    let counts = counts();
    let mut wanted = replace(&found, "rungs", &overview(&counts));
    for ((before, old, _), (after, new, _)) in steps() {
        wanted = replace(&wanted, &format!("{before}-{after}"), &step((before, old), (after, new)));
        wanted = replace(&wanted, &format!("{after}-costs"), &costs(&counts, before, after));
    }
    wanted = replace(&wanted, "full", &full(&counts));
    if found == wanted {
        return;
    }
    if env::var_os(UPDATE).is_some() {
        fs::write(&path, wanted).expect("README.md can be written");
        return;
    }
    let difference = TextDiff::from_lines(&found, &wanted).unified_diff().context_radius(1).to_string();
    panic!(
        "README.md is out of date; `{UPDATE}=1 cargo test -p wakers-ladder --test ladder` writes it anew\n{difference}"
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("it is in a folder of `crates`").to_owned()
}

/// `page` with `text` between the marks of the table `name`.
fn replace(page: &str, name: &str, text: &str) -> String {
    let mark = format!("<!-- table: {name} -->");
    let start = page.find(&mark).unwrap_or_else(|| panic!("README.md wants `{mark}`")) + mark.len();
    let end = start + page[start..].find("<!-- end -->").unwrap_or_else(|| panic!("`{mark}` wants `<!-- end -->`"));
    format!("{}\n{}\n{}", &page[..start], text.trim_end(), &page[end..])
}

/// What was counted, by executor, operation and quantity.
type Counts = BTreeMap<(String, String, String), f64>;

/// The counts that are committed. Of several machines, those of the first that has the ladder.
fn counts() -> Counts {
    let folder = fs::read_dir(root().join("docs/counts")).expect("docs/counts can be read");
    let mut files: Vec<_> = folder.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let text = fs::read_to_string(file).expect("it can be read");
        let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is a row"));
        let word = |row: &Value, key: &str| row[key].as_str().expect("it is a word").to_owned();
        let rows = rows.map(|row| {
            let key = (word(&row, "executor"), word(&row, "subject"), word(&row, "quantity"));
            (key, row["value"].as_f64().expect("it is a number"))
        });
        rows.collect::<Counts>()
    };
    let mut known = files.iter().map(read);
    let ladder = known.find(|counts| counts.keys().any(|(executor, ..)| executor.starts_with("ladder-")));
    ladder.unwrap_or_default()
}

fn count(counts: &Counts, executor: &str, operation: &str, quantity: &str) -> Option<f64> {
    counts.get(&(executor.to_owned(), operation.to_owned(), quantity.to_owned())).copied()
}

/// As short as it may be: a whole number, or with one digit.
fn figure(value: Option<f64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let rounded = (value * 10.0).round() / 10.0;
    format!("{rounded}")
}

/// All rungs on one screen.
fn overview(counts: &Counts) -> String {
    let mut text = String::from(
        "| rung | lines | changed | self-wake: instructions | atomic operations | spawn and join: instructions | atomic operations | allocations |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut before = None;
    for (name, source, _) in RUNGS {
        let changes = before.replace(source).map_or_else(|| "–".to_owned(), |old| changed(old, source).to_string());
        let of = |operation, quantity| figure(count(counts, &format!("ladder-{name}"), operation, quantity));
        let [instructions, atomics, allocations] =
            ["instructions per operation", "atomic read-modify-writes per operation", "allocations per operation"];
        let _ = writeln!(
            text,
            "| [{name}](src/{name}.rs) | {} | {changes} | {} | {} | {} | {} | {} |",
            source.lines().count(),
            of("self_wake", instructions),
            of("self_wake", atomics),
            of("spawn_join", instructions),
            of("spawn_join", atomics),
            of("spawn_join", allocations),
        );
    }
    text
}

/// The step from one rung to the next, as a diff.
fn step((before, old): (&str, &str), (after, new): (&str, &str)) -> String {
    let diff = TextDiff::from_lines(old, new);
    let diff =
        diff.unified_diff().context_radius(1).header(&format!("{before}.rs"), &format!("{after}.rs")).to_string();
    format!("```diff\n{diff}```\n")
}

/// What the step changes in what is counted.
fn costs(counts: &Counts, before: &str, after: &str) -> String {
    let mut text = format!("| | {before} | {after} |\n|---|---|---|\n");
    for (operation, quantity, title) in SHOWN {
        let [old, new] =
            [before, after].map(|name| figure(count(counts, &format!("ladder-{name}"), operation, quantity)));
        let _ = writeln!(text, "| {title} | {old} | {new} |");
    }
    text
}

/// Each rung beside the crate that completes it.
fn full(counts: &Counts) -> String {
    let mut text = String::from(
        "| rung | crate | self-wake: instructions | atomic operations | spawn and join: instructions | allocations |\n\
         |---|---|---|---|---|---|\n",
    );
    for (name, complete) in
        [("noop", "noop"), ("park", "park"), ("arc", "arc"), ("vtable", "raw"), ("raw", "raw"), ("biased", "biased")]
    {
        let of = |operation, quantity| {
            let both = [format!("ladder-{name}"), format!("{complete}-waker")];
            both.map(|executor| figure(count(counts, &executor, operation, quantity))).join(" → ")
        };
        let _ = writeln!(
            text,
            "| {name} | [{complete}-waker](../{complete}-waker/README.md) | {} | {} | {} | {} |",
            of("self_wake", "instructions per operation"),
            of("self_wake", "atomic read-modify-writes per operation"),
            of("spawn_join", "instructions per operation"),
            of("spawn_join", "allocations per operation"),
        );
    }
    text
}
