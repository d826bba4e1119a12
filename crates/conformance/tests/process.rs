//! What a case that runs in a process of its own may do there, and what is said of it.
//!
//! A program of its own, as each case starts a copy of it.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use conformance::process::{Judged, answer, requested, run_case};
use conformance::{Case, Clause, Level, Outcome};

/// More than any pipe holds.
const MUCH: usize = 256 << 10;

const CASES: &[Case] = &[
    case("prints-much", || {
        for _ in 0..MUCH / 64 {
            println!("{:63}", "to standard output");
            eprintln!("{:63}", "to standard error");
        }
        println!("the last of it");
        Outcome::Pass
    }),
    case("prints-much-and-fails", || {
        println!("{}", "x".repeat(MUCH));
        eprintln!("{}", "y".repeat(MUCH));
        panic!("it is broken")
    }),
    case("ends-the-process", || {
        println!("about to end");
        std::process::exit(0)
    }),
    case("leaves-a-line-open", || {
        print!("no end of line");
        Outcome::Pass
    }),
    case("prints-what-is-no-text", || {
        use std::io::Write as _;
        std::io::stdout().write_all(b"\xff\xfe\n").expect("somebody reads it");
        Outcome::Pass
    }),
];

const fn case(id: &'static str, test: fn() -> Outcome) -> Case {
    Case { clause: Clause { id, level: Level::House, promise: "It is judged.", guards: "nothing." }, test }
}

fn judge(id: &str) -> Outcome {
    judged(id).outcome
}

fn judged(id: &str) -> Judged {
    let program: PathBuf = env::current_exe().expect("the test knows its own path");
    run_case(&program, "a test's", id, Duration::from_secs(10)).expect("the case can be run")
}

fn what_a_case_prints_does_not_make_it_wait() {
    assert_eq!(judge("prints-much"), Outcome::Pass);
    assert_eq!(judge("prints-much-and-fails"), Outcome::Fail("it is broken".to_owned()));
}

fn what_a_case_prints_is_not_its_outcome() {
    assert_eq!(judge("leaves-a-line-open"), Outcome::Pass);
    assert_eq!(judge("prints-what-is-no-text"), Outcome::Pass);
}

/// What was printed last is there to be shown, and no more than that.
fn what_a_case_prints_is_kept_within_bounds() {
    let Judged { stdout, stderr, .. } = judged("prints-much");
    assert!(stdout.ends_with("the last of it"), "{stdout}");
    assert!(stderr.ends_with("to standard error"), "{stderr}");
    assert_eq!([stdout.len(), stderr.len()].map(|bytes| bytes.div_ceil(1024)), [16, 16]);
}

fn who_ends_the_process_has_failed() {
    let Judged { outcome, stdout, .. } = judged("ends-the-process");
    assert_eq!(outcome, Outcome::Fail("the process ended: exit status: 0".to_owned()));
    assert_eq!(stdout, "about to end");
}

fn main() -> ExitCode {
    if let Some((_, clause)) = requested() {
        answer(*CASES.iter().find(|case| case.clause.id == clause).expect("a test asks for a case that there is"));
        return ExitCode::SUCCESS;
    }
    let tests: &[(&str, fn())] = &[
        ("what_a_case_prints_does_not_make_it_wait", what_a_case_prints_does_not_make_it_wait),
        ("what_a_case_prints_is_not_its_outcome", what_a_case_prints_is_not_its_outcome),
        ("what_a_case_prints_is_kept_within_bounds", what_a_case_prints_is_kept_within_bounds),
        ("who_ends_the_process_has_failed", who_ends_the_process_has_failed),
    ];
    for (name, test) in tests {
        println!("test {name}");
        test();
    }
    ExitCode::SUCCESS
}
