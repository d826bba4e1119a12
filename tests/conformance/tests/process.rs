//! What a case that runs in a process of its own may do there, and what is said of it.
//!
//! A program of its own, as each case starts a copy of it.
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
use conformance::process::{Judged, PATIENCE, answer, in_parallel, requested, run_case};
use conformance::{Case, Clause, Level, Outcome, run};

/// More than any pipe holds.
const MUCH: usize = 256 << 10;

/// Longer than all threads have to sleep until a case is said to hang: what works so long is not found to sleep.
const LONG: Duration = Duration::from_secs(2);

/// What hangs by sleeping.
const ASLEEP: &str = "hangs: every thread sleeps, and none is left to wake another";

const CASES: &[Case] = &[
    case("parks", || {
        loop {
            thread::park();
        }
    }),
    case("waits-at-a-gate", || {
        Gate::new().wait("somebody to come");
        Outcome::Pass
    }),
    case("awaits-one-that-works", || {
        thread::spawn(work).join().expect("it does not panic");
        Outcome::Pass
    }),
    case("awaits-a-process-that-works", || {
        let itself = env::current_exe().expect("the test knows its own path");
        let status = Command::new(itself).env(WORKS, "1").status().expect("it can be started");
        assert!(status.success(), "{status}");
        Outcome::Pass
    }),
    case("awaits-a-process-that-reads", || {
        let itself = env::current_exe().expect("the test knows its own path");
        let mut child = Command::new(itself).env(READS, "1").stdin(Stdio::piped()).spawn().expect("it can be started");
        // Its end is when this process ends.
        let _input = child.stdin.take();
        child.wait().expect("it can be waited for");
        Outcome::Pass
    }),
    case("sleeps-in-turns", || {
        // As two who wait for one another do, each a moment.
        let (to_other, from_us) = mpsc::channel();
        let (to_us, from_other) = mpsc::channel();
        thread::spawn(move || {
            from_us.iter().try_for_each(|()| {
                thread::sleep(A_MOMENT);
                to_us.send(())
            })
        });
        for _ in 0..LONG.as_millis() / A_MOMENT.as_millis() {
            to_other.send(()).expect("the other is there");
            from_other.recv().expect("the other is there");
        }
        Outcome::Pass
    }),
    case("spins", || {
        loop {
            black_box(());
        }
    }),
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
    case("has-no-memory", || std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; 64]>())),
    case("has-no-thread", || panic!("failed to spawn thread: Os {{ code: 11, kind: WouldBlock }}")),
    case("is-aborted", || std::process::abort()),
    case("leaves-a-line-open", || {
        print!("no end of line");
        Outcome::Pass
    }),
    case("prints-what-is-no-text", || {
        io::stdout().write_all(b"\xff\xfe\n").expect("somebody reads it");
        Outcome::Pass
    }),
];

/// As long as any clause sleeps.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Set for a process that a case starts, which works a while.
const WORKS: &str = "WAKERS_TEST_WORKS";

/// Set for a process that a case starts, which reads what nobody writes.
const READS: &str = "WAKERS_TEST_READS";

/// Uses a processor, and so the more time the less of one there is to be had.
fn work() {
    while processor_time().is_some_and(|used| used < LONG) {
        black_box(());
    }
}

const fn case(id: &'static str, test: fn() -> Outcome) -> Case {
    Case { clause: Clause { id, level: Level::Contract, promise: "It is judged.", guards: "nothing." }, test }
}

fn judge(id: &str) -> Outcome {
    judged(id).outcome
}

fn judged(id: &str) -> Judged {
    given_up_after(3 * PATIENCE, id)
}

fn given_up_after(patience: Duration, id: &str) -> Judged {
    run_case(&program(), "a test's", id, patience).expect("the case can be run")
}

fn program() -> PathBuf {
    running().expect("the test finds itself")
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

/// No clause is broken where the machine has no memory or no thread, or somebody ends the process.
fn what_the_machine_does_is_no_outcome() {
    let refused = |id| run_case(&program(), "a test's", id, PATIENCE).expect_err("it is no outcome").to_string();
    assert_eq!(refused("has-no-memory"), "has-no-memory of a test's: there was no memory for it");
    assert_eq!(
        refused("has-no-thread"),
        "has-no-thread of a test's: failed to spawn thread: Os { code: 11, kind: WouldBlock }"
    );
    assert!(matches!(judge("is-aborted"), Outcome::Fail(why) if why.starts_with("the process ended: ")));
    let why = run_case(Path::new("/nowhere/at-all"), "a test's", "parks", PATIENCE).expect_err("it cannot be started");
    assert_eq!(why.kind(), io::ErrorKind::NotFound);
    // As the loader does where it finds a library no more.
    let why = run_case(Path::new("false"), "a test's", "parks", PATIENCE).expect_err("it does not begin").to_string();
    assert!(why.contains("ended before it began"), "{why}");
}

fn who_sleeps_for_good_hangs() {
    assert_eq!(judge("parks"), Outcome::Fail(ASLEEP.to_owned()));
    assert_eq!(judge("awaits-a-process-that-reads"), Outcome::Fail(ASLEEP.to_owned()));
    assert_eq!(judge("waits-at-a-gate"), Outcome::Fail(format!("{ASLEEP}\nwaited for: somebody to come")));
}

/// Beside others that keep the processors busy, too.
fn who_does_anything_does_not_hang() {
    let busy = ["awaits-one-that-works", "awaits-a-process-that-works", "sleeps-in-turns"];
    let outcomes = in_parallel(6, [busy, busy].concat(), |id| Ok(given_up_after(3 * PATIENCE, id).outcome))
        .expect("nothing is refused");
    assert_eq!(outcomes, vec![Outcome::Pass; 6]);
}

fn who_spins_is_given_up() {
    let Judged { outcome, given_up, .. } = given_up_after(LONG, "spins");
    assert_eq!((outcome, given_up), (Outcome::Fail("hangs: not done after 2 s".to_owned()), true));
}

/// In one process with others, where it is the last to sleep.
fn who_sleeps_for_good_hangs_beside_others_too() {
    let parallel = ["parks", "sleeps-in-turns", "parks", "awaits-one-that-works"];
    let outcomes = in_parallel(4, parallel.to_vec(), |id| Ok(run(found(id)))).expect("nothing is refused");
    let hangs = Outcome::Fail(ASLEEP.to_owned());
    assert_eq!(outcomes, [hangs.clone(), Outcome::Pass, hangs, Outcome::Pass]);
}

fn found(id: &str) -> Case {
    *CASES.iter().find(|case| case.clause.id == id).expect("a test asks for a case that there is")
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
        ("what_a_case_prints_does_not_make_it_wait", what_a_case_prints_does_not_make_it_wait),
        ("what_a_case_prints_is_not_its_outcome", what_a_case_prints_is_not_its_outcome),
        ("what_a_case_prints_is_kept_within_bounds", what_a_case_prints_is_kept_within_bounds),
        ("who_ends_the_process_has_failed", who_ends_the_process_has_failed),
        ("what_the_machine_does_is_no_outcome", what_the_machine_does_is_no_outcome),
        ("who_sleeps_for_good_hangs", who_sleeps_for_good_hangs),
        ("who_does_anything_does_not_hang", who_does_anything_does_not_hang),
        ("who_spins_is_given_up", who_spins_is_given_up),
        ("who_sleeps_for_good_hangs_beside_others_too", who_sleeps_for_good_hangs_beside_others_too),
    ];
    for (name, test) in tests {
        println!("test {name}");
        test();
    }
    ExitCode::SUCCESS
}
