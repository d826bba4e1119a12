//! The check detects executors that are deliberately wrong, and shrinks the programs that detect them.
#![expect(clippy::print_stdout, reason = "what a test prints is read where it fails")]

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRng, TestRunner};

use crate::check::{check, check_crowd};
use crate::program::{Crowd, Program, crowds, programs};
use crate::wrong::{Fault, Wrong, faults};

faults! {
    Sound: ,
    ForgetsWakes: FORGETS_EVERY = 3,
    IgnoresAborts: IGNORES_ABORTS = true,
    LeaksFutures: LEAKS_FUTURES = true,
    PollsTwice: POLLS_TWICE = true,
    PollsAfterEnd: POLLS_AFTER_END = true,
    WakesNoJoiner: WAKES_NO_JOINER = true,
    ResolvesNothing: RESOLVES_NOTHING = true,
    ReportsEarly: REPORTS_EARLY = true,
    ReportsPanics: REPORTS_PANICS = true,
}

/// The smallest program that detects a fault, from the same seed each time.
fn found_by<S: Strategy>(programs: S, check: impl Fn(&S::Value) -> Result<(), String>) -> S::Value
where
    S::Value: Clone + Debug,
{
    let config = Config { cases: 1_000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    match runner.run(&programs, |program| check(&program).map_err(TestCaseError::fail)) {
        Err(TestError::Fail(reason, program)) => {
            println!("{reason}: {program:?}");
            program
        }
        Err(TestError::Abort(reason)) => panic!("the search was given up: {reason}"),
        Ok(()) => panic!("no program finds the fault"),
    }
}

#[track_caller]
fn assert_found<F: Fault>(most_steps: usize, most_ops: usize) {
    let Program { tasks, ops } = found_by(programs(), check::<Wrong<F>>);
    let steps: usize = tasks.iter().map(|task| task.steps.len()).sum();
    assert!(steps <= most_steps && ops.len() <= most_ops, "it is not small: {tasks:?}, {ops:?}");
}

#[test]
fn an_executor_without_a_fault_is_not_found_out() {
    for (name, program) in crate::programs::programs() {
        assert_eq!(check::<Wrong<Sound>>(&program), Ok(()), "{name}");
    }
}

// The numbers are the necessary ones and one or two more: how far a program shrinks is up to proptest.

#[test]
fn an_executor_that_forgets_every_third_wake_is_found_out_by_a_small_program() {
    assert_found::<ForgetsWakes>(5, 6);
}

#[test]
fn an_executor_that_ignores_aborts_is_found_out_by_a_small_program() {
    assert_found::<IgnoresAborts>(1, 3);
}

#[test]
fn an_executor_that_leaks_futures_is_found_out_by_a_small_program() {
    assert_found::<LeaksFutures>(0, 1);
}

#[test]
fn an_executor_that_polls_twice_is_found_out_by_a_small_program() {
    assert_found::<PollsTwice>(2, 2);
}

#[test]
fn an_executor_that_polls_after_the_end_is_found_out_by_a_small_program() {
    assert_found::<PollsAfterEnd>(0, 2);
}

#[test]
fn an_executor_that_wakes_no_joiner_is_found_out_by_a_small_program() {
    assert_found::<WakesNoJoiner>(1, 4);
}

#[test]
fn an_executor_whose_handles_yield_nothing_is_found_out_by_a_small_program() {
    assert_found::<ResolvesNothing>(0, 2);
}

#[test]
fn an_executor_that_reports_an_abort_early_is_found_out_by_a_small_program() {
    assert_found::<ReportsEarly>(1, 3);
}

#[test]
fn an_executor_that_reports_panics_is_found_out_by_a_small_program() {
    assert_found::<ReportsPanics>(0, 2);
}

#[test]
fn an_executor_that_leaks_futures_is_found_out_by_several_threads() {
    // No assertion on its size: whether a future is left when the executor is dropped depends on timing, and so does
    // shrinking.
    found_by(crowds(), check_crowd::<Wrong<LeaksFutures>>);
}

#[test]
fn an_executor_that_reports_panics_is_found_out_by_a_small_program_of_several_threads() {
    // If it ran only once, a smaller program that rarely fails would not count as failing.
    let often = |crowd: &Crowd| (0..20).try_for_each(|_| check_crowd::<Wrong<ReportsPanics>>(crowd));
    let Crowd { tasks, setup, threads, .. } = found_by(crowds(), often);
    let acts: usize = threads.iter().map(Vec::len).sum();
    assert!(tasks.len() <= 2 && setup.len() + acts <= 3, "it is not small: {tasks:?}, {setup:?}, {threads:?}");
}
