//! What the program says to what it is asked.

use std::process::{Command, Output};

fn compare(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-compare-executors")).args(arguments).output().expect("it can be run")
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

/// As where a variable of a script is not set.
#[test]
fn an_empty_name_is_not_all() {
    for arguments in [&["memory", ""][..], &["memory", "--executor", ""], &["count", "raw-waker", "--workload", ""]] {
        let said = complaint(arguments);
        assert!(said.starts_with("error: an empty name matches every "), "{arguments:?}: {said}");
    }
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

/// Whatever a verb lists it heeds, and what it does not heed is refused.
#[test]
fn a_verb_lists_what_it_takes_and_refuses_the_rest() {
    const OPTIONS: [&str; 7] =
        ["--executor", "--not-executor", "--workload", "--not-workload", "--format", "--despite-failures", "--fresh"];
    let measures = ["--executor", "--not-executor", "--format", "--despite-failures", "--fresh"];
    let takes: [(&str, &[&str]); 12] = [
        ("conform", &["--executor", "--not-executor", "--format", "--fresh"]),
        ("count", &OPTIONS),
        ("duel", &OPTIONS),
        ("latency", &measures),
        ("idle", &measures),
        ("crossover", &measures),
        ("memory", &measures),
        ("choose", &measures),
        ("footprint", &["--executor", "--not-executor", "--format"]),
        ("record", &["--executor", "--not-executor", "--fresh"]),
        ("report", &[]),
        ("diff", &["--format"]),
    ];
    for (verb, takes) in takes {
        let help = String::from_utf8(compare(&[verb, "--help"]).stdout).expect("it prints text");
        for option in OPTIONS {
            let words = || help.split(|char: char| !char.is_ascii_lowercase() && char != '-');
            assert_eq!(words().any(|word| word == option), takes.contains(&option), "{verb} {option}:\n{help}");
            if !takes.contains(&option) {
                let said = complaint(&[verb, option, "json"]);
                assert!(said.contains(&format!("unexpected argument '{option}'")), "{verb} {option}: {said}");
            }
        }
    }
}

/// Scripts may still call it so.
#[test]
fn footprint_is_known_by_its_former_name() {
    let help = |verb| String::from_utf8(compare(&[verb, "--help"]).stdout).expect("it prints text");
    assert!(help("footprint").contains("what an executor is made of"));
    assert_eq!(help("static"), help("footprint"));
}

#[test]
fn what_stands_before_a_verb_is_not_swallowed() {
    let said = complaint(&["--format", "json", "memory", "raw-waker"]);
    assert!(said.contains("'memory' cannot be used with '--format"), "{said}");
}

/// No figure at all comes of these.
#[test]
fn nothing_is_not_measured() {
    for arguments in [
        ["latency", "raw-waker", "--processes", "0"],
        ["idle", "raw-waker", "--processes", "0"],
        ["duel", "raw-waker", "--seconds", "0"],
        ["crossover", "raw-waker", "--seconds", "0"],
    ] {
        let said = complaint(&arguments);
        assert!(said.contains(&format!("invalid value '0' for '{}", arguments[2])), "{said}");
    }
}

#[test]
fn who_owns_no_tasks_is_not_asked_about_tasks() {
    for (arguments, subject) in [
        (&["crossover", "pollster"][..], "`crossover`"),
        (&["idle", "futures-lite"], "`idle`"),
        (&["memory", "floor"], "`memory`"),
        (&["--executor", "futures-lite"], "the screen"),
    ] {
        let name = arguments[1];
        let said = complaint(arguments);
        let begin = format!("error: {subject} is about tasks, and {name} owns none; there are noop-waker, park-waker");
        assert!(said.starts_with(&begin), "{said}");
    }
}

#[test]
fn who_owns_no_tasks_beside_others_is_named() {
    let text = String::from_utf8(compare(&["memory", "raw-waker", "futures-lite"]).stdout).expect("it prints text");
    assert!(text.contains("Not measured") && text.contains("futures-lite   owns no tasks"), "{text}");
    let all = rows(&["memory"]);
    assert!(all.iter().all(|row| row["executor"] != "futures-lite"), "nobody asked for it");
}

#[test]
fn what_an_executor_does_not_do_is_not_an_empty_answer() {
    for verb in ["count", "duel"] {
        for format in ["table", "json"] {
            let said = complaint(&[verb, "futures-lite", "--workload", "^spawn_join$", "--format", format]);
            assert!(said.starts_with("error: nothing was measured"), "{verb}: {said}");
        }
    }
}

#[test]
fn a_name_in_the_place_of_a_verb_gets_a_hint() {
    for (word, what, command) in [
        ("raw-waker", "an executor", "count raw-waker"),
        ("yield_one", "a workload", "duel --workload yield_one"),
        ("x8", "a clause", "conform --clause X8"),
    ] {
        let said = complaint(&[word]);
        let hint = format!("no verb `{word}`, which is {what}: did you mean `cargo compare {command}`");
        assert!(said.contains(&hint), "{said}");
    }
    assert!(complaint(&["counts"]).contains("similar subcommand exists: 'count'"));
}

#[test]
fn ratios_are_to_the_floor_whoever_was_asked_for() {
    let rows = rows(&["duel", "raw-waker", "--workload", "yield_one", "--seconds", "1"]);
    assert!(rows.iter().any(|row| row["executor"] == "floor" && row["subject"] == "yield_one"));
    let arguments = ["duel", "raw-waker", "--not-executor", "floor", "--workload", "yield_one", "--seconds", "1"];
    let text = String::from_utf8(compare(&arguments).stdout).expect("it prints text");
    assert!(text.contains("of all processes") && !text.contains("x floor"), "no column without figures: {text}");
}

/// What is too wide goes on below.
#[test]
fn tables_fit_the_terminal() {
    for (columns, times) in [(40, 2), (80, 1), (200, 1)] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_cargo-compare-executors"));
        let output = program.args(["memory", "raw-waker"]).env("COLUMNS", columns.to_string()).output();
        let text = String::from_utf8(output.expect("it can be run").stdout).expect("it prints text");
        for line in text.lines() {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
        let first = text.split("Heap: ").nth(1).expect("there is a table");
        for header in ["0 B", "64 B", "256 B", "1024 B", "4096 B"] {
            assert!(first.contains(&format!(" {header}")), "{columns}: {header} is left out of {first}");
        }
        assert_eq!(first.matches("raw-waker").count(), times, "{columns}: {first}");
    }
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

#[test]
fn what_has_no_tests_is_no_junit_report() {
    let said = complaint(&["memory", "raw-waker", "--format", "junit"]);
    assert!(said.starts_with("error: `--format junit` is for `conform`"), "{said}");
    assert!(complaint(&["--format", "junit"]).contains("`conform`"));
}

#[test]
fn clauses_are_cases_of_a_junit_report() {
    let output =
        compare(&["conform", "raw-waker", "pollster", "--clause", "^W1$", "--clause", "^X1$", "--format", "junit"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("it prints text");
    let report = quick_junit::Report::deserialize_from_str(&text).expect("it is a report");
    let suites = report.test_suites.iter().map(|suite| (suite.name.as_str(), suite.tests, suite.skipped));
    assert_eq!(suites.collect::<Vec<_>>(), [("raw-waker", 2, 0), ("pollster", 2, 2)]);
}

/// Cargo names the verb again as the first argument.
#[test]
fn it_is_a_verb_of_cargo() {
    let as_verb = |arguments: &[&str]| compare(&[&["compare-executors"], arguments].concat());
    let help = String::from_utf8(as_verb(&["--help"]).stdout).expect("it prints text");
    assert!(help.contains("Usage: cargo compare-executors [OPTIONS]\n"), "{help}");
    let alias = String::from_utf8(compare(&["--help"]).stdout).expect("it prints text");
    assert!(alias.contains("Usage: cargo compare [OPTIONS]\n"), "{alias}");
    let memory = ["memory", "raw-waker", "--format", "json"];
    let output = as_verb(&memory);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout, compare(&memory).stdout);
}

#[test]
fn choose_answers_who_says_for_whom() {
    let said = |arguments: &[&str]| {
        let rows = rows(&[&["choose"], arguments].concat());
        assert_eq!(rows.len(), 1, "one choice is one object");
        rows[0].clone()
    };
    let game = said(&["--for", "game"]);
    assert_eq!(game["answer"]["take"], "noop-waker", "{game}");
    assert_eq!(game["ranking"][0]["name"], "noop-waker");
    let server = said(&["--for", "web-server"]);
    assert_eq!(server["answer"]["elsewhere"]["to"], "tokio or smol", "{server}");
    let many = said(&["--for", "game", "--idle-tasks", "5000"]);
    assert_eq!(many["answer"]["take"], "raw-waker", "{many}");
}

#[test]
fn choose_says_what_is_missing_where_nobody_can_be_asked() {
    let said = complaint(&["choose", "--polled-by", "thread"]);
    assert!(said.starts_with("error: --idle-tasks, --wakes-from must be said"), "{said}");
    assert!(said.contains("`--for`"), "{said}");
    let said = compare(&["choose", "--for", "gambler"]);
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&said.stderr).contains("plugin-host"), "it lists those who are known");
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
    for arguments in [["--wait", "5", "memory", "raw-waker"], ["memory", "raw-waker", "--wait", "5"]] {
        let output = compare(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("--wait"), "{arguments:?}");
    }
}

/// It has no way of its own to wait; an empty screen would leave that open.
#[test]
fn who_has_no_latency_is_told_so() {
    let said = complaint(&["latency", "floor-no-malloc", "--wait", "0"]);
    assert_eq!(said, "error: floor-no-malloc: it has no latency of its own\n");
}
