//! The pages say what the program says now. `UPDATE_TABLES=1` writes them anew.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use compare::choose::rules;
use compare::matrix;
use harness::pages::{UPDATE, check_table, page};
use harness::verdicts::{self, Verdicts};

/// In a debug build all of them; in a release build where it differs from that.
#[test]
#[cfg_attr(not(feature = "suites"), ignore = "runs the suites of everybody")]
fn the_verdicts_are_current() {
    let update = env::var_os(UPDATE).is_some();
    let run = Command::new(env!("CARGO_BIN_EXE_cargo-compare-executors"))
        .args(["conform", "--fresh", if update { "--commit" } else { "--check" }])
        .stderr(Stdio::inherit())
        .output()
        .expect("it can be run");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    check_conformance();
}

#[test]
fn the_page_of_conformance_is_what_the_verdicts_say() {
    check_conformance();
}

#[track_caller]
fn check_conformance() {
    // As it is now, and not as it was compiled into this program.
    let text = fs::read_to_string(page(verdicts::FILE)).expect("it is there");
    let verdicts = Verdicts::read(&text).expect("it is complete");
    let page = page("docs/conformance.md");
    check(&page, "broken", &matrix::broken(&verdicts));
    check(&page, "reasons", &matrix::reasons(&verdicts));
    check(&page, "kept", &matrix::kept(&verdicts));
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
