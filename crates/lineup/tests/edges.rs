//! Edges of the contract that are said in words in `executor` and are no clauses, as published executors decide
//! otherwise: for each strategy of this workspace.
#![expect(clippy::print_stdout, reason = "what a test prints is read where it fails")]

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

use executor::{Described, JoinError, JoinHandle, RemoteSpawn, Spawn, yield_now};

/// Does something when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Panics without the message that the panic hook prints.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("on purpose"))
}

fn a_future_that_panicked_is_dropped_when_its_panic_is_caught<E: RemoteSpawn + Described + 'static>() {
    let (executor, dropped) = (E::default(), Arc::new(Mutex::new(Vec::new())));
    let seen = dropped.clone();
    let guard = OnDrop(move || seen.lock().expect("nobody panics there").push(thread::panicking()));
    let mut guard = Some(guard);
    let task = executor.spawn(poll_fn(move |_| -> Poll<()> {
        // It goes with the future, and not with this call.
        let _ = &mut guard;
        panic_quietly()
    }));
    assert!(matches!(executor.block_on(task), Err(JoinError::Panicked(_))));
    assert_eq!(*dropped.lock().expect("nobody panics there"), [false]);
}

fn an_abort_in_the_last_poll_is_too_late<E: RemoteSpawn + Described + 'static>() {
    let executor = E::default();
    let slot = Arc::new(Mutex::new(None::<E::JoinHandle<u32>>));
    let own = slot.clone();
    let task = executor.spawn(poll_fn(move |_| {
        own.lock().expect("nobody panics there").as_ref().expect("it is there before the first poll").abort();
        Poll::Ready(7)
    }));
    *slot.lock().expect("nobody panics there") = Some(task);
    executor.run();
    let task = slot.lock().expect("nobody panics there").take().expect("nobody else takes it");
    assert_eq!(executor.block_on(task).ok(), Some(7));
}

fn a_result_that_panics_when_it_goes_with_its_handle_is_heard_of_by_nobody<E: RemoteSpawn + Described + 'static>() {
    let (executor, drops) = (E::default(), Arc::new(AtomicUsize::new(0)));
    let counted = drops.clone();
    let task = executor.spawn(async move {
        OnDrop(move || {
            counted.fetch_add(1, Relaxed);
            panic_quietly();
        })
    });
    executor.run();
    assert_eq!((task.is_finished(), drops.load(Relaxed)), (true, 0));
    drop(task);
    assert_eq!(drops.load(Relaxed), 1);
}

/// How often a task that is alone and wakes itself in each poll is polled between two polls of a root that does the
/// same.
fn polls_of_a_task_for_each_of_the_root<E: RemoteSpawn + Described + 'static>() -> usize {
    const ROUNDS: usize = 100;
    let (executor, polls) = (E::default(), Arc::new(AtomicUsize::new(0)));
    let counted = polls.clone();
    let _task = executor.spawn(poll_fn(move |cx| -> Poll<()> {
        counted.fetch_add(1, Relaxed);
        cx.waker().wake_by_ref();
        Poll::Pending
    }));
    executor.block_on(async {
        // From its second poll on, the thread drives.
        yield_now().await;
        polls.store(0, Relaxed);
        for _ in 0..ROUNDS {
            yield_now().await;
        }
    });
    assert_eq!(polls.load(Relaxed) % ROUNDS, 0, "not the same each time");
    polls.load(Relaxed) / ROUNDS
}

/// As the contract's README says under Fairness.
#[test]
fn a_task_that_wakes_itself_has_so_many_polls_for_each_of_the_root() {
    for strategy in strategies() {
        let expected = if strategy.polls_only_woken { 32 } else { 1 };
        assert_eq!((strategy.polls)(), expected, "{}", strategy.name);
    }
}

fn run_waits_for_a_task_that_nobody_can_wake<E: RemoteSpawn + Described + 'static>() {
    let (executor, aborted) = (E::default(), AtomicBool::new(false));
    let spawner = executor.spawner();
    let asleep = executor.spawn(std::future::pending::<()>());
    thread::scope(|scope| {
        let running = scope.spawn(|| {
            executor.run();
            aborted.load(Acquire)
        });
        // A task that ends while the other is left: `run` has looked whether any is, and goes on.
        let (sender, receiver) = std::sync::mpsc::channel();
        drop(spawner.spawn(async move { sender.send(()).expect("somebody waits for it") }));
        receiver.recv().expect("it is polled");
        aborted.store(true, Release);
        asleep.abort();
        assert!(running.join().expect("it does not panic"), "`run` returned while a task was left");
    });
}

/// One strategy, and what is tried with it.
struct Strategy {
    name: &'static str,
    polls_only_woken: bool,
    polls: fn() -> usize,
    panics: fn(),
    aborts: fn(),
    results: fn(),
    runs: fn(),
}

impl Strategy {
    fn new<E: RemoteSpawn + Described + 'static>() -> Self {
        Self {
            name: E::NAME,
            polls_only_woken: E::CAPABILITIES.polls_only_woken,
            polls: polls_of_a_task_for_each_of_the_root::<E>,
            panics: a_future_that_panicked_is_dropped_when_its_panic_is_caught::<E>,
            aborts: an_abort_in_the_last_poll_is_too_late::<E>,
            results: a_result_that_panics_when_it_goes_with_its_handle_is_heard_of_by_nobody::<E>,
            runs: run_waits_for_a_task_that_nobody_can_wake::<E>,
        }
    }
}

macro_rules! strategy {
    (RemoteSpawn $executor:ty) => {
        Some(Strategy::new::<$executor>())
    };
    // Other threads have no spawner there.
    ($kind:ident $executor:ty) => {
        None
    };
}

macro_rules! strategies {
    ($($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
        fn strategies() -> Vec<Strategy> {
            let all: Vec<Option<Strategy>> = vec![$(strategy!($kind lineup::$executor)),*];
            all.into_iter().flatten().collect()
        }
    };
}

lineup::for_each_strategy!(strategies);

/// Tries it with each of them. The last one that is named is the one that fails.
fn each(edge: impl Fn(&Strategy) -> fn()) {
    for strategy in strategies() {
        println!("{}", strategy.name);
        edge(&strategy)();
    }
}

#[test]
fn futures_that_panicked_are_dropped_when_their_panic_is_caught() {
    each(|strategy| strategy.panics);
}

#[test]
fn aborts_in_the_last_poll_are_too_late() {
    each(|strategy| strategy.aborts);
}

#[test]
fn results_that_panic_when_they_go_with_their_handle_are_heard_of_by_nobody() {
    each(|strategy| strategy.results);
}

#[test]
fn run_waits_for_tasks_that_nobody_can_wake() {
    each(|strategy| strategy.runs);
}
