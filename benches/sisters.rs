//! Sister files show a decision and nothing else: how many lines change from one strategy to the next.

use std::fs;
use std::path::Path;

use lineup::STRATEGIES;
use similar::{ChangeTag, TextDiff};

/// A file, the crates before and after the decision, and how many lines may change.
const BOUNDS: [(&str, &str, &str, usize); 5] = [
    ("executor.rs", "noop-waker", "park-waker", 120),
    ("executor.rs", "arc-waker", "raw-waker", 150),
    ("executor.rs", "raw-waker", "biased-waker", 300),
    ("stage.rs", "raw-waker", "biased-waker", 40),
    ("join.rs", "raw-waker", "biased-waker", 40),
];

#[test]
fn a_diff_between_sisters_is_as_short_as_its_decision() {
    let mut too_long = Vec::new();
    for (file, before, after, most) in BOUNDS {
        let [old, new] = [before, after].map(|name| source(name, file));
        let changed = changed_lines(&old, &new);
        println!("{file:12} {before:>10} -> {after:12} {changed:4} changed lines, at most {most}");
        if changed > most {
            too_long.push((file, before, after, changed));
        }
    }
    assert!(too_long.is_empty(), "files that differ in more than their decision: {too_long:?}");
}

/// The public face is in `lib.rs`: so no diff of the run loop shows a mere name.
#[test]
fn the_run_loop_names_no_strategy() {
    for strategy in STRATEGIES {
        let folder = strategy.library.replace('_', "-");
        let source = source(&folder, "executor.rs");
        let name = strategy.executor.trim_end_matches("Executor");
        for item in ["Executor", "Spawner"] {
            let public = format!("{name}{item}");
            let line = source.lines().position(|line| line.contains(&public));
            assert_eq!(line, None, "the line of {folder}'s executor.rs that names {public}");
        }
    }
}

#[test]
fn changed_lines_are_counted_as_diff_counts_them() {
    assert_eq!(changed_lines("a\nb\nc\n", "a\nb\nc\n"), 0);
    assert_eq!(changed_lines("a\nb\nc\n", "a\nx\ny\nc\n"), 3, "one line is removed and two are added");
    assert_eq!(changed_lines("a\nb\n", "b\na\n"), 2, "a line that moves is removed and added");
    assert_eq!(changed_lines("", "a\n"), 1);
}

fn source(name: &str, file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(name).join("src").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// How many lines `diff old new` removes and adds.
fn changed_lines(old: &str, new: &str) -> usize {
    TextDiff::from_lines(old, new).iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal).count()
}
