//! Where nobody reads and where a disk is full, every verb ends without a panic.
#![cfg(target_os = "linux")]

use std::fs::{DirEntry, OpenOptions};
use std::io;
use std::process::{Command, Output, Stdio};

/// What prints, and takes no longer than it must. `record` prints a line by the same means, hours later.
const CALLS: &[&[&str]] = &[
    &["--help"],
    &["help", "count"],
    &["--version"],
    &["conform", "noop-waker", "--clause", "^W1$"],
    &["conform", "noop-waker", "--clause", "^W1$", "--format", "markdown"],
    &["conform", "noop-waker", "--clause", "^W1$", "--format", "json"],
    &["count", "raw-waker", "--workload", "self_wake"],
    &["duel", "raw-waker", "--workload", "yield_one", "--seconds", "1", "--wait", "0"],
    &["latency", "raw-waker", "--wait", "0"],
    &["idle", "raw-waker", "--wait", "0"],
    &["crossover", "raw-waker", "--seconds", "1", "--wait", "0"],
    &["memory", "raw-waker"],
    &["memory", "raw-waker", "--format", "json"],
    &["choose", "raw-waker", "--polled-by", "thread", "--wakes-from", "elsewhere", "--idle-tasks", "100"],
    &["footprint", "floor", "--wait", "0"],
    &["--executor", "raw-waker", "--wait", "0"],
];

/// A record that is committed, compared with itself.
fn diff() -> [String; 3] {
    let records = harness::pages::page("docs/results").read_dir().expect("it is there");
    let records = records.map(|record| record.expect("it can be read")).filter(|record| record.path().is_dir());
    let name = |record: DirEntry| record.file_name().into_string();
    let name = records.map(name).find_map(Result::ok).expect("there is a record, whose name is text");
    ["diff".to_owned(), name.clone(), name]
}

fn calls() -> impl Iterator<Item = Vec<String>> {
    let calls = CALLS.iter().map(|call| call.iter().map(|&word| word.to_owned()).collect());
    calls.chain([diff().to_vec()])
}

fn run(arguments: &[String], stdout: impl Into<Stdio>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-compare-executors"))
        .args(arguments)
        .stdout(stdout)
        .output()
        .expect("it can be run")
}

/// What it says on standard error, without notes.
fn said(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().filter(|line| !line.starts_with("note: ")).map(str::to_owned).collect()
}

#[test]
fn a_pipe_that_nobody_reads_is_no_news() {
    for arguments in calls() {
        let (_, writer) = io::pipe().expect("there are pipes");
        let output = run(&arguments, writer);
        assert_eq!((output.status.code(), said(&output)), (Some(141), Vec::new()), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_told_in_one_sentence() {
    for arguments in calls() {
        let output = run(&arguments, OpenOptions::new().write(true).open("/dev/full").expect("it is there"));
        let full = "error: the output cannot be written: No space left on device (os error 28)";
        assert_eq!((output.status.code(), said(&output)), (Some(2), vec![full.to_owned()]), "{arguments:?}");
    }
}

/// As in `2>&1 | head`: what cannot be said is not said, and nothing else changes.
#[test]
fn complaints_that_nobody_reads_are_no_panic() {
    let complain = |stdout: Stdio| {
        let (_, writer) = io::pipe().expect("there are pipes");
        let mut program = Command::new(env!("CARGO_BIN_EXE_cargo-compare-executors"));
        program.args(["memory", "nosuch"]).stdout(stdout).stderr(writer).status().expect("it can be run").code()
    };
    assert_eq!(complain(Stdio::null()), Some(2));
    assert_eq!(complain(io::pipe().expect("there are pipes").1.into()), Some(2));
}
