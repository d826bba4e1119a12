//! Every workload and every floor runs, and the checks are able to fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use executor::{BlockOn, Capabilities, Described, Executor, Idle, Spawn};
use noop_waker::NoopExecutor;
use workloads::work::{sweep_cases, sweep_floors};
use workloads::{Case, Needs, WORKLOADS, block_on_cases, executor_cases, floor_cases, in_place_cases};

/// Runs each case twice, because one iteration may leave something behind for the next. A hang is a failure that names
/// the case.
fn run(cases: Vec<Case>, least_polls: usize) {
    for case in cases {
        let (done, finished) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut iteration = case.set_up();
            iteration();
            let polls = iteration();
            drop(iteration);
            // The receiver is gone if this came too late: then the test has failed.
            let _ = done.send(polls);
        });
        let polls = match finished.recv_timeout(Duration::from_secs(60)) {
            Ok(polls) => polls,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("{} hangs", case.workload.id),
            Err(mpsc::RecvTimeoutError::Disconnected) => panic!("{} fails: {:?}", case.workload.id, thread.join()),
        };
        assert!(polls >= least_polls, "{} counts {polls} polls", case.workload.id);
    }
}

#[test]
fn every_workload_runs_on_an_executor() {
    run(executor_cases::<NoopExecutor>(), 1);
}

#[test]
fn every_workload_without_tasks_runs_on_block_on_alone() {
    run(block_on_cases::<NoopExecutor>(), 1);
}

#[test]
fn every_floor_runs() {
    // Some floors have no future to poll.
    run(floor_cases(), 0);
}

#[test]
fn every_floor_without_an_allocator_runs_and_has_one_with_it() {
    run(in_place_cases(), 1);
    let allocating = floor_cases();
    for case in in_place_cases() {
        assert!(allocating.iter().any(|floor| floor.workload.id == case.workload.id), "{}", case.workload.id);
    }
}

#[test]
fn a_pass_touches_everybody() {
    for (id, pass) in [("yield_one", 1), ("one_ready_100", 2), ("one_ready_10000", 501), ("foreign_wake_10000", 1)] {
        let workload = WORKLOADS.iter().find(|workload| workload.id == id).expect("it is listed");
        assert_eq!(workload.pass, pass, "{id}");
    }
}

#[test]
fn every_point_of_the_sweep_runs() {
    run(sweep_cases::<NoopExecutor>(), 5);
    run(sweep_floors(), 5);
}

#[test]
fn every_workload_is_enumerated_once_and_for_whom_it_needs() {
    let ids = |cases: Vec<Case>| cases.iter().map(|case| case.workload.id).collect::<Vec<_>>();
    let all: Vec<_> = WORKLOADS.iter().map(|workload| workload.id).collect();
    let of_block_on = WORKLOADS.iter().filter(|workload| workload.needs == Needs::BlockOn).map(|workload| workload.id);
    assert_eq!(ids(executor_cases::<NoopExecutor>()), all);
    assert_eq!(ids(floor_cases()), all);
    assert_eq!(ids(block_on_cases::<NoopExecutor>()), of_block_on.collect::<Vec<_>>());

    let mut unique = all.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), all.len(), "an id is used twice");
    for id in all {
        // An id is a directory name; criterion would rewrite or shorten any other.
        assert!(id.len() < 64 && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{id}");
    }
}

#[test]
fn the_table_in_the_readme_is_the_list() {
    let mut table = String::from("| id | N | one operation is | needs |\n|---|---|---|---|\n");
    for workload in WORKLOADS {
        let needs = format!("{:?}", workload.needs);
        table += &format!("| `{}` | {} | {} | `{needs}` |\n", workload.id, workload.operations, workload.operation);
    }
    assert!(include_str!("../README.md").contains(&table), "the README's table should be\n{table}");
}

/// Polls everything in turn, but claims to poll only what was woken.
#[derive(Default)]
struct Boaster(NoopExecutor);

impl Described for Boaster {
    const NAME: &'static str = "boaster";

    const CAPABILITIES: Capabilities =
        Capabilities { polls_only_woken: true, idle: Idle::Parks, ..NoopExecutor::CAPABILITIES };
}

impl BlockOn for Boaster {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl Spawn for Boaster {
    type JoinHandle<T: Send + 'static> = <NoopExecutor as Spawn>::JoinHandle<T>;
    type AbortHandle = <NoopExecutor as Spawn>::AbortHandle;

    fn spawn<F>(&self, future: F) -> Self::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn(future)
    }
}

impl Executor for Boaster {
    fn run(&self) {
        self.0.run();
    }
}

#[test]
fn an_executor_that_polls_what_was_not_woken_and_denies_it_is_found_out() {
    for id in ["one_ready_1", "one_ready_100", "one_ready_10000"] {
        let case = executor_cases::<Boaster>().into_iter().find(|case| case.workload.id == id).expect("it is listed");
        let mut iteration = case.set_up();
        let payload = catch_unwind(AssertUnwindSafe(&mut iteration)).expect_err("more polls than wakes");
        let message = payload.downcast_ref::<String>().expect("an assertion with a text");
        assert!(message.starts_with(&format!("{id} on boaster: ")), "{message}");
        assert!(message.contains("but it claims to poll only what was woken"), "{message}");
    }
}

#[test]
fn an_executor_that_admits_to_poll_everything_is_left_alone_but_counted() {
    let case = executor_cases::<NoopExecutor>().into_iter().find(|case| case.workload.id == "one_ready_100");
    let case = case.expect("it is listed");
    let polls = case.set_up()();
    assert!(polls >= 101 * case.workload.operations, "{polls} polls of 101 tasks in as many rounds");
}
