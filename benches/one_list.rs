//! A strategy is named in one list, `lineup`, and everything that must know which there are reads it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::pages::page;
use lineup::STRATEGIES;

/// So many strategies in the code of one file are a list.
const MANY: usize = 3;

/// Where several strategies are named all the same, and why.
const ALLOWED: [(&str, &str); 13] = [
    ("Cargo.toml", "where each package is"),
    ("crates/lineup/Cargo.toml", "what the list depends on"),
    ("crates/lineup/src/lib.rs", "the list"),
    ("benches/one_list.rs", "samples of what is searched for"),
    ("benches/sisters.rs", "which two files are a lesson"),
    ("benches/compare/src/choose/rules/tree.rs", "advice: whom it suits is known by no list"),
    ("benches/compare/tests/choose.rs", "what the advice does with figures that are made up"),
    ("benches/compare/tests/cli.rs", "command lines, and what is said to them"),
    ("benches/compare/tests/report.rs", "a record that is made up"),
    ("tests/broken/src/catalogue.rs", "where one of ours does it right"),
    ("tests/mutants/src/list.rs", "the faults of each"),
    ("tests/using/Cargo.toml", "what users write depends on what they use"),
    ("tests/using/tests/auto_traits.rs", "what is promised of each type"),
];

#[test]
fn no_other_place_lists_the_strategies() {
    let mut found = BTreeSet::new();
    for file in files() {
        let text = fs::read_to_string(page(&file)).unwrap_or_else(|error| panic!("{file} cannot be read: {error}"));
        let named = named(&text);
        if named.len() >= MANY {
            found.insert((file, named));
        }
    }
    let is_allowed = |file: &str| ALLOWED.iter().any(|(allowed, _)| *allowed == file);
    let lists: Vec<_> = found.iter().filter(|(file, _)| !is_allowed(file)).collect();
    assert!(
        lists.is_empty(),
        "these list the strategies by hand, and would miss the next one: take them from `lineup::for_each_strategy!`, \
         `lineup::STRATEGIES` or, in a script, `.ci/strategies`: {lists:#?}"
    );
    let idle: Vec<_> = ALLOWED.iter().filter(|(allowed, _)| !found.iter().any(|(file, _)| file == allowed)).collect();
    assert!(idle.is_empty(), "these name no strategies any more, and need no permission: {idle:#?}");
}

#[test]
fn a_list_is_seen_and_a_comment_is_none() {
    let list = "use noop_waker::NoopExecutor;\nlet names = [\"park-waker-spinning\"];\narc-waker.workspace = true\n";
    assert_eq!(named(list), ["arc_waker", "noop_waker", "park_waker"].into());
    let prose = "//! As arc-waker and raw-waker.\n    // Not so noop-waker.\n# -p wakers-park\n";
    assert_eq!(named(prose), BTreeSet::new());
    assert_eq!(named("#[derive(Default)]\nstruct Mine(RawExecutor);"), ["raw_waker"].into());
    assert_eq!(named("Some names are longer: my-raw-waker, RawExecutors."), BTreeSet::new());
}

#[test]
fn every_crate_that_is_called_so_is_in_the_list() {
    let crates = fs::read_dir(page("crates")).expect("it can be read");
    let names = crates.map(|folder| folder.expect("it can be read").file_name().to_string_lossy().into_owned());
    let folders: BTreeSet<_> = names.filter(|name| name.ends_with("-waker")).collect();
    let mut listed: BTreeSet<_> = STRATEGIES.iter().map(|strategy| strategy.library.replace('_', "-")).collect();
    if cfg!(not(target_pointer_width = "64")) {
        listed.insert("biased-waker".to_owned());
    }
    assert_eq!(folders, listed, "the folders in `crates`, and the list in `crates/lineup/src/lib.rs`");
}

/// The strategies that the code of a text names, by library, so that a variant does not count.
fn named(text: &str) -> BTreeSet<&'static str> {
    // In a script or a manifest a comment begins as an attribute does.
    let is_comment = |line: &str| line.starts_with("//") || line.starts_with('#') && !line.starts_with("#[");
    let code = text.lines().map(str::trim_start).filter(|line| !is_comment(line));
    let is_part = |character: char| character.is_alphanumeric() || "-_".contains(character);
    let words: BTreeSet<_> = code.flat_map(|line| line.split(move |character| !is_part(character))).collect();
    let names = |name| words.contains(name);
    let strategies = STRATEGIES.iter().filter(|strategy| {
        names(strategy.name) || names(strategy.package) || names(strategy.library) || names(strategy.executor)
    });
    strategies.map(|strategy| strategy.library).collect()
}

/// What is compiled or run, relative to the repository: sources, manifests, scripts.
fn files() -> Vec<String> {
    let root = page("");
    let mut files = ["Cargo.toml", "justfile"].map(|file| root.join(file)).to_vec();
    for floor in ["crates", "tests", "benches", ".ci", ".cargo"] {
        collect(&root.join(floor), &mut files);
    }
    let relative = files.iter().map(|file| file.strip_prefix(&root).expect("it is below the repository's folder"));
    // The strategies' own crates name themselves, and some say whom they differ from.
    let others = relative.filter(|file| {
        let mut parts = file.iter().map(|part| part.to_string_lossy());
        !(parts.next().is_some_and(|part| part == "crates")
            && parts.next().is_some_and(|part| part.ends_with("-waker")))
    });
    others.map(|file| file.to_string_lossy().replace('\\', "/")).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{} cannot be read: {error}", folder.display())) {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_none_or(|extension| extension == "rs" || extension == "toml") {
            // A script has no extension.
            files.push(path);
        }
    }
}
