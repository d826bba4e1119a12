//! An executor that breaks a clause of std has its reason where its figures would be, and figures when asked.
//!
//! A program of its own, as the suite of an executor that is in no list is run in copies of it. Of those that are, none
//! has to break such a clause.

use std::env;
use std::process::{Command, ExitCode};

use compare::{Contender, CountingAllocator, cli};
use conformance::{Check, Clause, Level, Outcome};
use raw_waker::RawExecutor;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Makes this program the comparison, and all that it starts a part of it.
const COMPARISON: &str = "WAKERS_TEST_COMPARISON";

const BROKEN: Check = Check {
    clause: Clause { id: "Z1", level: Level::Std, promise: "A promise that nobody keeps.", guards: "nothing" },
    test: || Outcome::Fail("it is not kept".to_owned()),
};

fn contenders() -> Vec<Contender> {
    let careless = Contender { name: "careless", ..Contender::block_on::<RawExecutor>() };
    vec![Contender::floor(), careless.with_suite(vec![BROKEN])]
}

/// What this program says when it is the comparison, as JSON rows.
fn rows(more: &[&str]) -> Vec<serde_json::Value> {
    let program = env::current_exe().expect("it knows where it is");
    let arguments = ["count", "careless", "--workload", "block_on_ready", "--format", "json"];
    let output = Command::new(program).env(COMPARISON, "1").args(arguments).args(more).output().expect("it can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("it prints text");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect()
}

fn main() -> ExitCode {
    if env::var_os(COMPARISON).is_some() {
        return cli::main(&contenders());
    }
    let closed = rows(&[]);
    assert_eq!(closed.len(), 1, "{closed:?}");
    let note = closed[0]["note"].as_str().expect("it says why");
    assert!(note.starts_with("breaks Z1 (A promise that nobody keeps)"), "{note}");
    let open = rows(&["--despite-failures"]);
    let polls = |row: &serde_json::Value| row["quantity"] == "polls per operation" && row["value"] == 1.0;
    assert!(open.iter().any(polls), "{open:?}");
    ExitCode::SUCCESS
}
