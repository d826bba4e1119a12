//! What a check in a process of its own may do there, and how it is judged.
//!
//! Not a libtest program: each check starts a copy of this one.
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "what a test prints is read where it fails")]

use std::env;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use conformance::image::running;
use conformance::probe::{Gate, processor_time};
use conformance::process::{Judged, PATIENCE, answer, in_parallel, requested, run_check};
use conformance::{Check, Clause, Level, Outcome, run};

/// More than any pipe holds.
const MUCH: usize = 256 << 10;

/// Longer than all threads must sleep before a check counts as a hang: a check that works as long must not.
const LONG: Duration = Duration::from_secs(2);

/// The reason for a check that hangs asleep.
const ASLEEP: &str = "hangs: every thread sleeps, and none is left to wake another";

const CHECKS: &[Check] = &[
    check("parks", || {
        loop {
            thread::park();
        }
    }),
    check("waits-at-a-gate", || {
        Gate::new().wait("a thread that never comes");
        Outcome::Pass
    }),
    check("awaits-one-that-works", || {
        thread::spawn(work).join().expect("it does not panic");
        Outcome::Pass
    }),
    check("awaits-a-process-that-works", || {
        let itself = env::current_exe().expect("the test knows its own path");
        let status = Command::new(itself).env(WORKS, "1").status().expect("it can be started");
        assert!(status.success(), "{status}");
        Outcome::Pass
    }),
    check("awaits-a-process-that-reads", || {
        let itself = env::current_exe().expect("the test knows its own path");
        let mut child = Command::new(itself).env(READS, "1").stdin(Stdio::piped()).spawn().expect("it can be started");
        // The child reads until this process ends.
        let _input = child.stdin.take();
        child.wait().expect("it can be waited for");
        Outcome::Pass
    }),
    check("sleeps-in-turns", || {
        // Two threads that wait for each other in turn, each for a moment.
        let (to_other, from_us) = mpsc::channel();
        let (to_us, from_other) = mpsc::channel();
        thread::spawn(move || {
            from_us.iter().try_for_each(|()| {
                thread::sleep(A_MOMENT);
                to_us.send(())
            })
        });
        for _ in 0..LONG.as_millis() / A_MOMENT.as_millis() {
            to_other.send(()).expect("the other thread still runs");
            from_other.recv().expect("the other thread still runs");
        }
        Outcome::Pass
    }),
    check("spins", || {
        loop {
            black_box(());
        }
    }),
    check("prints-much", || {
        for _ in 0..MUCH / 64 {
            println!("{:63}", "to standard output");
            eprintln!("{:63}", "to standard error");
        }
        println!("the last of it");
        Outcome::Pass
    }),
    check("prints-much-and-fails", || {
        println!("{}", "x".repeat(MUCH));
        eprintln!("{}", "y".repeat(MUCH));
        panic!("it is broken")
    }),
    check("ends-the-process", || {
        println!("about to end");
        std::process::exit(0)
    }),
    check("has-no-memory", || std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; 64]>())),
    check("has-no-thread", || panic!("failed to spawn thread: Os {{ code: 11, kind: WouldBlock }}")),
    check("is-aborted", || std::process::abort()),
    check("leaves-a-line-open", || {
        print!("no end of line");
        Outcome::Pass
    }),
    check("prints-what-is-no-text", || {
        io::stdout().write_all(b"\xff\xfe\n").expect("it is read");
        Outcome::Pass
    }),
];

/// As long as the longest sleep of any clause.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Set for a process that a check starts and that works a while.
const WORKS: &str = "WAKERS_TEST_WORKS";

/// Set for a process that a check starts and that reads a pipe to which nothing is written.
const READS: &str = "WAKERS_TEST_READS";

/// Uses a fixed amount of processor time, however long that takes on a busy machine.
fn work() {
    while processor_time().is_some_and(|used| used < LONG) {
        black_box(());
    }
}

const fn check(id: &'static str, test: fn() -> Outcome) -> Check {
    Check { clause: Clause { id, level: Level::Contract, promise: "It is judged.", guards: "nothing." }, test }
}

fn judge(id: &str) -> Outcome {
    judged(id).outcome
}

fn judged(id: &str) -> Judged {
    given_up_after(3 * PATIENCE, id)
}

fn given_up_after(patience: Duration, id: &str) -> Judged {
    run_check(&program(), "a test's", id, patience).expect("the check can be run")
}

fn program() -> PathBuf {
    running().expect("the test finds itself")
}

fn what_a_check_prints_does_not_make_it_wait() {
    assert_eq!(judge("prints-much"), Outcome::Pass);
    assert_eq!(judge("prints-much-and-fails"), Outcome::Fail("it is broken".to_owned()));
}

fn what_a_check_prints_is_not_its_outcome() {
    assert_eq!(judge("leaves-a-line-open"), Outcome::Pass);
    assert_eq!(judge("prints-what-is-no-text"), Outcome::Pass);
}

/// The end of the output is kept, and no more.
fn what_a_check_prints_is_kept_within_bounds() {
    let Judged { stdout, stderr, .. } = judged("prints-much");
    assert!(stdout.ends_with("the last of it"), "{stdout}");
    assert!(stderr.ends_with("to standard error"), "{stderr}");
    assert_eq!([stdout.len(), stderr.len()].map(|bytes| bytes.div_ceil(1024)), [16, 16]);
}

fn a_check_that_ends_the_process_has_failed() {
    let Judged { outcome, stdout, .. } = judged("ends-the-process");
    assert_eq!(outcome, Outcome::Fail("the process ended: exit status: 0".to_owned()));
    assert_eq!(stdout, "about to end");
}

/// No clause is broken if the machine lacks memory or threads, or the process is killed.
fn what_the_machine_does_is_no_outcome() {
    let refused = |id| run_check(&program(), "a test's", id, PATIENCE).expect_err("it is no outcome").to_string();
    assert_eq!(refused("has-no-memory"), "has-no-memory of a test's: there was no memory for it");
    assert_eq!(
        refused("has-no-thread"),
        "has-no-thread of a test's: failed to spawn thread: Os { code: 11, kind: WouldBlock }"
    );
    assert!(matches!(judge("is-aborted"), Outcome::Fail(why) if why.starts_with("the process ended: ")));
    let why = run_check(Path::new("/nowhere/at-all"), "a test's", "parks", PATIENCE).expect_err("it cannot be started");
    assert_eq!(why.kind(), io::ErrorKind::NotFound);
    // As the loader does when it cannot find a library.
    let why = run_check(Path::new("false"), "a test's", "parks", PATIENCE).expect_err("it does not begin").to_string();
    assert!(why.contains("ended before it began"), "{why}");
}

fn a_check_that_sleeps_forever_hangs() {
    assert_eq!(judge("parks"), Outcome::Fail(ASLEEP.to_owned()));
    assert_eq!(judge("awaits-a-process-that-reads"), Outcome::Fail(ASLEEP.to_owned()));
    assert_eq!(judge("waits-at-a-gate"), Outcome::Fail(format!("{ASLEEP}\nwaited for: a thread that never comes")));
}

/// Even next to others that keep the processors busy.
fn a_check_that_does_anything_does_not_hang() {
    let busy = ["awaits-one-that-works", "awaits-a-process-that-works", "sleeps-in-turns"];
    let outcomes = in_parallel(6, [busy, busy].concat(), |id| Ok(given_up_after(3 * PATIENCE, id).outcome))
        .expect("nothing is refused");
    assert_eq!(outcomes, vec![Outcome::Pass; 6]);
}

fn a_check_that_spins_is_given_up() {
    let Judged { outcome, given_up, .. } = given_up_after(LONG, "spins");
    assert_eq!((outcome, given_up), (Outcome::Fail("hangs: not done after 2 s".to_owned()), true));
}

/// In one process with others, as the last to sleep.
fn a_check_that_sleeps_forever_hangs_even_next_to_others() {
    let parallel = ["parks", "sleeps-in-turns", "parks", "awaits-one-that-works"];
    let outcomes = in_parallel(4, parallel.to_vec(), |id| Ok(run(found(id)))).expect("nothing is refused");
    let hangs = Outcome::Fail(ASLEEP.to_owned());
    assert_eq!(outcomes, [hangs.clone(), Outcome::Pass, hangs, Outcome::Pass]);
}

fn found(id: &str) -> Check {
    *CHECKS.iter().find(|check| check.clause.id == id).expect("a test asks for a check that there is")
}

fn main() -> ExitCode {
    if let Some((_, clause)) = requested() {
        if env::var_os(WORKS).is_some() {
            work();
        } else if env::var_os(READS).is_some() {
            io::read_to_string(io::stdin()).expect("it can be read");
        } else {
            answer(found(&clause));
        }
        return ExitCode::SUCCESS;
    }
    let tests: &[(&str, fn())] = &[
        ("what_a_check_prints_does_not_make_it_wait", what_a_check_prints_does_not_make_it_wait),
        ("what_a_check_prints_is_not_its_outcome", what_a_check_prints_is_not_its_outcome),
        ("what_a_check_prints_is_kept_within_bounds", what_a_check_prints_is_kept_within_bounds),
        ("a_check_that_ends_the_process_has_failed", a_check_that_ends_the_process_has_failed),
        ("what_the_machine_does_is_no_outcome", what_the_machine_does_is_no_outcome),
        ("a_check_that_sleeps_forever_hangs", a_check_that_sleeps_forever_hangs),
        ("a_check_that_does_anything_does_not_hang", a_check_that_does_anything_does_not_hang),
        ("a_check_that_spins_is_given_up", a_check_that_spins_is_given_up),
        (
            "a_check_that_sleeps_forever_hangs_even_next_to_others",
            a_check_that_sleeps_forever_hangs_even_next_to_others,
        ),
    ];
    for (name, test) in tests {
        println!("test {name}");
        test();
    }
    ExitCode::SUCCESS
}
