//! What `conform` says of an executor that is broken, and how little it has to ask.
//!
//! A program of its own, as it is the one that the executor was added to.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use compare::{Comparison, Contender, CountingAllocator, suite};
use conformance::process::requested;
use conformance::{Case, Clause};

/// The gallery's.
#[path = "../../broken/src/clears_late/broken.rs"]
mod clears_late;

use clears_late::ClearsLate;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What it breaks in every run.
const BROKEN: [&str; 11] = ["W4r", "W8r", "W9r", "W17r", "W18r", "X4", "X5r", "X8", "X9", "X19", "X25"];

/// Set for the program under test, to the file in which it writes down which clauses are asked.
const ASKED: &str = "WAKERS_TEST_ASKED";

fn cases() -> Vec<Case> {
    suite!(BlockOn: ClearsLate)
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
    let output = program.args(arguments).env(ASKED, &file).output().expect("it can be run");
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
    let Run { code, stdout, .. } = run(&["conform", "clears-late"]);
    assert_eq!(code, Some(1), "{stdout}");
    for id in BROKEN {
        let Clause { level, promise, guards, .. } = clause(id);
        let shown = format!(
            "\n{id} ({level}) {promise}\n  broken: hangs: every thread sleeps, and nobody is left to wake one\n  \
             guards against: {guards}\n"
        );
        assert!(stdout.contains(&shown), "{id} is not shown in\n{stdout}");
    }
    let nearest = "Nearest in the gallery: clears-late, which fails the same clauses.\n  docs/gallery.md#\
                   a-future-that-wakes-itself-is-never-polled-again";
    assert!(stdout.contains(nearest), "{stdout}");
}

fn main() -> ExitCode {
    if let Some(file) = env::var_os(ASKED) {
        if let Some((_, clause)) = requested() {
            write_down(Path::new(&file), &clause);
        }
        return Comparison::new().with(Contender::block_on::<ClearsLate>().with_suite(cases())).main();
    }
    let tests: &[(&str, fn())] =
        &[("a_broken_clause_is_shown_with_all_that_helps", a_broken_clause_is_shown_with_all_that_helps)];
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
