//! What `conform` says of an executor that is broken, and how little it has to ask.
//!
//! A program of its own, as it is the one that the executor was added to.
#![expect(clippy::print_stdout, reason = "what a test prints is read where it fails")]

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use compare::{Comparison, Contender, CountingAllocator, remembered, suite};
use conformance::process::requested;
use conformance::{Check, Clause, Level};

/// The gallery's.
#[path = "../../../tests/broken/src/clears_late/broken.rs"]
mod clears_late;

use clears_late::ClearsLate;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What it breaks in every run.
const ALWAYS: [&str; 11] = ["W4r", "W8r", "W9r", "W17r", "W18r", "X4", "X5r", "X8", "X9", "X19", "X25"];

/// What it breaks in some.
const AT_TIMES: [&str; 4] = ["W6r", "W10r", "W22r", "X7r"];

/// Set for the program under test, to the file in which it writes down which clauses are asked.
const ASKED: &str = "WAKERS_TEST_ASKED";

fn cases() -> Vec<Check> {
    suite!(BlockOn: ClearsLate)
}

fn ids() -> Vec<String> {
    cases().iter().map(|case| case.clause.id.to_owned()).collect()
}

fn clause(id: &str) -> Clause {
    cases().iter().map(|case| case.clause).find(|clause| clause.id == id).expect("there is such a clause")
}

/// What a run of the program came to.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    /// The clauses that it ran.
    asked: Vec<String>,
}

fn run(arguments: &[&str]) -> Run {
    let file = env::temp_dir().join(format!("wakers-asked-{}", std::process::id()));
    fs::write(&file, "").expect("a temporary file can be written");
    let mut program = Command::new(program());
    let output = program.args(arguments).env(ASKED, &file).env("COLUMNS", "1000").output().expect("it can be run");
    let asked = fs::read_to_string(&file).expect("it is there");
    fs::remove_file(&file).expect("it is there");
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("it prints text"),
        stderr: String::from_utf8(output.stderr).expect("it prints text"),
        asked: asked.lines().map(str::to_owned).collect(),
    }
}

fn program() -> PathBuf {
    env::current_exe().expect("the test knows its own path")
}

fn a_broken_clause_is_shown_with_all_that_helps() {
    let Run { code, stdout, asked, .. } = run(&["conform", "clears-late", "--fresh"]);
    assert_eq!(code, Some(1), "{stdout}");
    assert_eq!(BTreeSet::from_iter(&asked), BTreeSet::from_iter(&ids()), "all are asked");
    assert_eq!(asked.len(), ids().len(), "and each once");
    for id in ALWAYS {
        let Clause { level, promise, guards, .. } = clause(id);
        let shown = format!(
            "\n{id} ({level}) {promise}\n  broken: hangs: every thread sleeps, and none is left to wake another\n  \
             guards against: {guards}\n"
        );
        assert!(stdout.contains(&shown), "{id} is not shown in\n{stdout}");
    }
    let nearest = "Nearest in the gallery: clears-late, which fails the same clauses.\n  docs/gallery.md#\
                   a-future-that-wakes-itself-is-never-polled-again";
    assert!(stdout.contains(nearest), "{stdout}");
}

fn what_was_found_is_remembered() {
    run(&["conform", "clears-late"]);
    let Run { code, stdout, stderr, asked } = run(&["conform", "clears-late"]);
    assert_eq!(code, Some(1), "{stdout}");
    assert!(asked.iter().all(|id| AT_TIMES.contains(&&**id)), "asked again: {asked:?}");
    let (old, all) = (ids().len() - asked.len(), ids().len());
    let said = format!("note: {old} of {all} verdicts are remembered of this program: `--fresh` runs the suite anew\n");
    assert!(stderr.contains(&said), "{stderr}");
    for id in ALWAYS {
        let shown = format!("\n{id} ({}) {}\n  broken: hangs: ", clause(id).level, clause(id).promise);
        assert!(stdout.contains(&shown), "{id} is not shown in\n{stdout}");
    }
}

fn what_cannot_be_read_is_not_believed() {
    run(&["conform", "clears-late", "--clause", "X8"]);
    assert!(run(&["conform", "clears-late", "--clause", "X8"]).asked.is_empty(), "it is remembered");
    let file = remembered::file(&program()).expect("cargo has built this program");
    fs::write(&file, "[]").expect("it can be written");
    let Run { stderr, asked, .. } = run(&["conform", "clears-late", "--clause", "X8"]);
    assert_eq!(asked, ["X8"]);
    assert!(stderr.starts_with(&format!("note: {} cannot be read", file.display())), "{stderr}");
    assert_eq!(stderr.lines().count(), 1);
}

fn some_clauses_are_asked_when_some_are_wanted() {
    let Run { code, stdout, asked, .. } = run(&["conform", "clears-late", "--fresh", "--clause", "X8"]);
    assert_eq!((code, &asked[..]), (Some(1), &["X8".to_owned()][..]), "a name is itself: {stdout}");
    let Run { code, asked, stdout, .. } = run(&["conform", "clears-late", "--fresh", "--clause", "^X1[12]"]);
    assert_eq!((code, &asked[..]), (Some(0), &["X12".to_owned()][..]), "{stdout}");
    assert!(stdout.contains("\nX12: n/a (`Executor`): it owns no tasks"), "{stdout}");
    for (pattern, complaint) in [
        ("X(", "error: `X(` is no regular expression: unclosed group\n"),
        ("Y", "error: no clause matches `Y`; there are W1, W2, "),
    ] {
        let Run { code, stdout, stderr, asked } = run(&["conform", "clears-late", "--clause", pattern]);
        assert!(stderr.starts_with(complaint), "{stderr}");
        assert_eq!((code, &*stdout, stderr.lines().count(), asked.len()), (Some(2), "", 1, 0));
    }
}

fn the_first_broken_clause_is_enough_when_it_is_to_be() {
    let Run { code, stdout, .. } = run(&["conform", "clears-late", "--fresh", "--fail-fast"]);
    assert_eq!(code, Some(1), "{stdout}");
    let shown: Vec<_> = ALWAYS.into_iter().filter(|id| stdout.contains(&format!("\n{id} ("))).collect();
    assert_eq!(shown, [ALWAYS[0]], "{stdout}");
    let left = ids().iter().rev().take_while(|id| *id != ALWAYS[0]).count();
    assert!(
        stdout.ends_with(&format!("\nStopped at the first broken clause: {left} more are not asked.\n")),
        "{stdout}"
    );
}

fn the_gate_asks_what_std_demands_until_that_is_broken() {
    let gate = ["count", "clears-late", "--workload", "block_on_ready", "--format", "json"];
    let Run { stdout, asked, .. } = run(&[&gate[..], &["--fresh"]].concat());
    assert!(stdout.contains(&format!("breaks {} (", ALWAYS[0])), "{stdout}");
    assert!(asked.iter().all(|id| clause(id).level == Level::Std), "{asked:?}");
    let Run { stdout, asked, .. } = run(&gate);
    assert!(stdout.contains(&format!("breaks {} (", ALWAYS[0])), "{stdout}");
    assert!(asked.is_empty(), "it was known: {asked:?}");
}

fn main() -> ExitCode {
    if let Some(file) = env::var_os(ASKED) {
        if let Some((_, clause)) = requested() {
            write_down(Path::new(&file), &clause);
        }
        return Comparison::new().with(Contender::block_on::<ClearsLate>().with_suite(cases())).main();
    }
    let tests: &[(&str, fn())] = &[
        ("a_broken_clause_is_shown_with_all_that_helps", a_broken_clause_is_shown_with_all_that_helps),
        ("what_was_found_is_remembered", what_was_found_is_remembered),
        ("what_cannot_be_read_is_not_believed", what_cannot_be_read_is_not_believed),
        ("some_clauses_are_asked_when_some_are_wanted", some_clauses_are_asked_when_some_are_wanted),
        ("the_first_broken_clause_is_enough_when_it_is_to_be", the_first_broken_clause_is_enough_when_it_is_to_be),
        ("the_gate_asks_what_std_demands_until_that_is_broken", the_gate_asks_what_std_demands_until_that_is_broken),
    ];
    for (name, test) in tests {
        println!("test {name}");
        test();
    }
    ExitCode::SUCCESS
}

fn write_down(file: &Path, clause: &str) {
    let mut file = OpenOptions::new().append(true).open(file).expect("the test has made it");
    file.write_all(format!("{clause}\n").as_bytes()).expect("it can be written");
}
