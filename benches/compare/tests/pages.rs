//! The pages say what the program says now. `UPDATE_TABLES=1` writes them anew.

use std::path::Path;
use std::process::{Command, Stdio};

use compare::choose::rules;
use harness::pages::{check_table, differences, page, read_table};

/// In a debug build the whole matrix; in a release build where it differs from that.
#[test]
fn the_conformance_matrix_is_current() {
    let page = page("docs/conformance.md");
    // Exits with 1 where a clause is broken, which is for the table to say.
    let run = Command::new(env!("CARGO_BIN_EXE_cargo-compare-executors"))
        .args(["conform", "--fresh", "--format", "markdown"])
        .stderr(Stdio::inherit())
        .output()
        .expect("it can be run");
    let matrix = String::from_utf8(run.stdout).expect("it prints text");
    if cfg!(debug_assertions) {
        check(&page, "matrix", &matrix);
    } else {
        let debug = read_table(&page, "matrix").expect("the page has a matrix");
        check(&page, "release", &differences(&debug, &matrix));
    }
}

/// The example of the page is the one that is compiled, and it is short.
#[test]
fn the_example_is_current() {
    let source = include_str!("../examples/bring_your_own.rs");
    assert!(source.lines().count() < 70, "an executor and a workload fit into less than 70 lines");
    check(&page("docs/bring-your-own.md"), "bring-your-own", &format!("```rust\n{source}```"));
}

/// The tree and the personas are those by which `choose` answers.
#[test]
fn the_rules_of_choosing_are_current() {
    let page = page("docs/choosing.md");
    check(&page, "tree", &rules::tree());
    check(&page, "personas", &rules::personas());
}

#[track_caller]
fn check(page: &Path, name: &str, table: &str) {
    if let Err(difference) = check_table(page, name, table) {
        panic!("{difference}");
    }
}
