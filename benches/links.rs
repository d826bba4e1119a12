//! A link from a crate's documentation to a page of the repository is dead wherever the documentation is read.

use std::fs;
use std::path::{Path, PathBuf};

use harness::pages::page;

#[test]
fn documentation_links_to_no_file_of_the_repository() {
    let mut dead = Vec::new();
    for file in ["crates", "tests", "benches"].into_iter().flat_map(|floor| files(&page(floor))) {
        let text = fs::read_to_string(&file).expect("it can be read");
        let begins = |line: &str| ["//!", "///"].iter().any(|mark| line.trim_start().starts_with(mark));
        let documentation = text.lines().filter(|line| begins(line)).collect::<Vec<_>>().join("\n");
        dead.extend(links(&documentation).map(|link| format!("{}: {link}", file.display())));
        if text.contains("#![doc = include_str!(\"../README.md\")]") {
            let readme = file.parent().expect("it is in a folder").with_file_name("README.md");
            let text = fs::read_to_string(&readme).expect("the crate compiles with it");
            dead.extend(links(&text).map(|link| format!("{}: {link}", readme.display())));
        }
    }
    assert!(dead.is_empty(), "write the path as code instead:\n{}", dead.join("\n"));
}

#[test]
fn links_to_files_are_told_from_others() {
    let text =
        "[a](../../docs/a.md) [b](b.md#c) [`C`](crate::C) [d](https://d.e/f.md) [g](#h)\n[i]: ../i.rs\n[j]: j::k";
    assert_eq!(links(text).collect::<Vec<_>>(), ["../../docs/a.md", "b.md", "../i.rs"]);
}

/// The files that are linked to.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = ["](", "]: "].into_iter().flat_map(|mark| text.split(mark).skip(1));
    let targets = targets.map(|rest| rest.split([')', '#', ' ', '\n']).next().unwrap_or_default());
    targets.filter(|target| !target.contains("://") && (target.starts_with("../") || target.ends_with(".md")))
}

/// The Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("it can be read").map(|entry| entry.expect("it can be read").path());
    let below = entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    });
    below.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
