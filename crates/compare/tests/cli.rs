//! What the program says to what it is asked.

use std::process::{Command, Output};

fn compare(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_compare")).args(arguments).output().expect("it can be run")
}

/// What it prints, as JSON rows.
fn rows(arguments: &[&str]) -> Vec<serde_json::Value> {
    let output = compare(&[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("it prints text");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect()
}

fn complaint(arguments: &[&str]) -> String {
    let output = compare(arguments);
    assert_eq!(output.status.code(), Some(2), "what cannot be done ends with 2");
    assert!(output.stdout.is_empty(), "nothing is printed but what is wrong");
    String::from_utf8(output.stderr).expect("it prints text")
}

#[test]
fn an_unknown_executor_lists_the_known_ones() {
    let said = complaint(&["memory", "nosuch"]);
    assert!(
        said.starts_with("error: no executor matches `nosuch`; there are floor, floor-no-malloc, noop-waker"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn an_unknown_workload_lists_the_known_ones() {
    let said = complaint(&["duel", "raw-waker", "--workload", "nosuch"]);
    assert!(said.starts_with("error: no workload matches `nosuch`; there are spawn_join"), "{said}");
}

#[test]
fn what_has_no_workloads_says_so() {
    assert!(complaint(&["idle", "--workload", "yield_one"]).contains("are for `count` and `duel`"));
}

#[test]
fn what_is_no_regular_expression_is_named() {
    assert!(complaint(&["memory", "raw("]).contains("`raw(` is no regular expression"));
}

/// Who is alone is compared with nobody, so there is no order to speak of.
#[test]
fn one_alone_is_not_said_to_be_in_order() {
    let output = compare(&["duel", "raw-waker", "--workload", "yield_one", "--seconds", "1", "--wait", "0"]);
    let text = String::from_utf8(output.stdout).expect("it prints text");
    assert!(text.contains("yield_one: noise floor") && !text.contains("settled"), "{text}");
}

#[test]
fn a_reference_has_to_take_part() {
    let said = complaint(&["duel", "raw-waker", "tokio", "--reference", "park-waker"]);
    assert!(said.contains("`park-waker` does not take part"), "{said}");
}

/// What two strategies promise about memory: one block for a task, of 64 or 80 bytes and the future. (The result of a
/// task whose future is smaller than that takes more.)
#[cfg(target_pointer_width = "64")]
#[test]
fn memory_counts_blocks_and_bytes() {
    let rows = rows(&["memory", "raw-waker", "biased-waker", "noop-waker"]);
    let values = |executor: &str, quantity: &str| {
        let found = rows.iter().filter(|row| row["executor"] == executor && row["quantity"] == quantity);
        found.map(|row| row["value"].as_f64().expect("it is a number").round()).collect::<Vec<_>>()
    };
    let blocks = |executor| values(executor, "blocks per parked task");
    let bytes = |executor| values(executor, "bytes per parked task beyond the future")[1..].to_vec();
    assert_eq!(blocks("raw-waker"), [1.0; 5]);
    assert_eq!(blocks("biased-waker"), [1.0; 5]);
    assert_eq!(bytes("raw-waker"), [64.0; 4]);
    assert_eq!(bytes("biased-waker"), [80.0; 4]);
    assert_eq!(blocks("noop-waker"), [2.0; 5]);
}

/// Polls are exact everywhere, and a strategy that polls only what was woken polls it once for each wake.
#[test]
fn a_wake_is_a_poll() {
    let rows = rows(&["count", "raw-waker", "arc-waker", "--workload", "wake", "--not-workload", "foreign"]);
    let polls: Vec<_> = rows.iter().filter(|row| row["quantity"] == "polls per operation").collect();
    assert_eq!(polls.len(), 6, "two executors, three operations");
    assert!(polls.iter().all(|row| row["value"] == 1.0), "{polls:?}");
}

#[test]
fn markdown_can_be_pasted_into_a_page() {
    let output = compare(&["memory", "raw-waker", "--format", "markdown"]);
    let text = String::from_utf8(output.stdout).expect("it prints text");
    assert!(text.contains("| executor"), "{text}");
    assert!(text.lines().filter(|line| line.starts_with('|')).all(|line| line.ends_with('|')), "{text}");
}

/// Keeps every processor busy until it is dropped.
#[cfg(target_os = "linux")]
struct Hogs(std::sync::Arc<std::sync::atomic::AtomicBool>);

#[cfg(target_os = "linux")]
impl Hogs {
    fn new() -> Self {
        use std::sync::atomic::Ordering::*;

        let ended = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        for _ in 0..harness::machine::processors() {
            let ended = ended.clone();
            // Relaxed: nothing else is told by it.
            std::thread::spawn(move || while !ended.load(Relaxed) {});
        }
        Self(ended)
    }
}

#[cfg(target_os = "linux")]
impl Drop for Hogs {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn times_of_a_busy_machine_are_not_to_be_trusted_and_say_so() {
    let _hogs = Hogs::new();
    for arguments in [
        &["duel", "raw-waker", "noop-waker", "--workload", "yield_one", "--seconds", "1", "--wait", "0"][..],
        &["latency", "raw-waker", "--wait", "0"],
        &["idle", "raw-waker", "--wait", "0"],
    ] {
        let output = compare(arguments);
        let text = String::from_utf8(output.stdout).expect("it prints text");
        assert!(text.contains("These times cannot be trusted"), "{arguments:?}: {text}");
        assert!(!text.contains("settled"), "{arguments:?}: {text}");
    }
    let rows = rows(&["duel", "raw-waker", "--workload", "yield_one", "--seconds", "1", "--wait", "0"]);
    assert!(rows.iter().all(|row| row["busy"].as_str().is_some_and(|why| why.contains("other programs"))), "{rows:?}");
}

#[test]
fn what_is_not_timed_does_not_wait() {
    assert!(complaint(&["--wait", "5", "memory", "raw-waker"]).contains("`--wait` is for what is timed"));
}

/// It has no way of its own to wait; an empty screen would leave that open.
#[test]
fn who_has_no_latency_is_told_so() {
    let output = compare(&["latency", "floor-no-malloc", "--wait", "0"]);
    let text = String::from_utf8(output.stdout).expect("it prints text");
    assert!(text.contains("floor-no-malloc has no latency"), "{text}");
}
