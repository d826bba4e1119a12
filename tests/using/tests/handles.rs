//! Detached tasks, abort on drop, and sets of tasks, on every executor.
#![expect(clippy::print_stdout, reason = "what a test prints is read where it fails")]

use std::future::{pending, poll_fn};
use std::panic;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use executor::prelude::*;
use executor::{AbortOnDrop, Described, JoinError, JoinSet, yield_now};

/// Counts the futures that are there.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

fn waits(count: &Arc<AtomicUsize>) -> impl Future<Output = u32> + Send + 'static {
    let alive = Alive::new(count);
    async move {
        let _alive = alive;
        pending().await
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn settle(executor: &impl BlockOn) {
    executor.block_on(async {
        for _ in 0..8 {
            yield_now().await;
        }
    });
}

fn aborts_when_it_is_dropped<E: Executor + Default>() {
    let (executor, alive) = (E::default(), Arc::default());
    let task = AbortOnDrop::new(executor.spawn(waits(&alive)));
    settle(&executor);
    assert_eq!(alive.load(SeqCst), 1);
    drop(task);
    settle(&executor);
    assert_eq!(alive.load(SeqCst), 0);

    let detached = AbortOnDrop::new(executor.spawn(waits(&alive))).into_inner();
    drop(detached);
    settle(&executor);
    assert_eq!(alive.load(SeqCst), 1, "a handle that was taken out aborts nothing");

    let ends = AbortOnDrop::new(executor.spawn(async { 7 }));
    assert_eq!(executor.block_on(ends).unwrap(), 7);
}

fn a_task_that_is_detached_goes_on<E: Executor + Default>() {
    let (executor, alive, ended) = (E::default(), Arc::default(), Arc::new(AtomicUsize::new(0)));
    let ends = || {
        let (alive, ended) = (Alive::new(&alive), ended.clone());
        async move {
            let _alive = alive;
            yield_now().await;
            ended.fetch_add(1, SeqCst);
        }
    };
    // Before its first poll, between two, and after the last.
    executor.spawn(ends()).detach();
    let polled = executor.spawn(ends());
    executor.block_on(yield_now());
    polled.detach();
    let finished = executor.spawn(ends());
    executor.run();
    finished.detach();
    AbortOnDrop::new(executor.spawn(ends())).detach();
    executor.run();
    assert_eq!((ended.load(SeqCst), alive.load(SeqCst)), (4, 0), "tasks that ended, and that are left");

    executor.spawn(waits(&alive)).detach();
    settle(&executor);
    assert_eq!(alive.load(SeqCst), 1, "a detached task is kept");
    drop(executor);
    assert_eq!(alive.load(SeqCst), 0, "and dropped with its executor");
}

fn a_set_yields_results_in_the_order_in_which_tasks_end<E: Executor + Default>() {
    let executor = E::default();
    let mut set = JoinSet::new();
    assert!(executor.block_on(set.join_next()).is_none());
    let next = Arc::new(AtomicUsize::new(0));
    for number in (0..5).rev() {
        let next = next.clone();
        set.insert(executor.spawn(async move {
            while next.load(SeqCst) != number {
                yield_now().await;
            }
            next.fetch_add(1, SeqCst);
            number
        }));
    }
    assert_eq!(set.len(), 5);
    let order = executor.block_on(async {
        let mut order = Vec::new();
        while let Some(result) = set.join_next().await {
            order.push(result.unwrap());
        }
        order
    });
    assert_eq!(order, [0, 1, 2, 3, 4]);
    assert!(set.is_empty());
}

fn a_set_has_what_ended_before_it_was_asked<E: Executor + Default>() {
    let executor = E::default();
    let ended = executor.spawn(async { 1 });
    executor.run();
    let mut set: JoinSet<_, _> =
        [ended, executor.spawn(async { 2 }), executor.spawn(async { 3 })].into_iter().collect();
    executor.run();
    let mut joined = || executor.block_on(set.join_next()).map(Result::unwrap);
    assert_eq!([joined(), joined(), joined(), joined()], [Some(1), Some(2), Some(3), None]);
}

/// One poll of a handle for each end: a set that polled all its handles each time would make thousands.
fn a_set_is_woken_once_for_each_end_that_it_waits_for<E: Executor + Default>() {
    let executor = E::default();
    let mut set: JoinSet<_, _> = (0..100).map(|number| executor.spawn(async move { number })).collect();
    let wakes = Arc::<Wakes>::default();
    let waker = Waker::from(wakes.clone());
    assert!(set.poll_join_next(&mut Context::from_waker(&waker)).is_pending());
    executor.run();
    assert_eq!(wakes.0.load(SeqCst), 1, "wakes of the one who waits, before that looks again");
    for _ in 0..100 {
        assert!(set.poll_join_next(&mut Context::from_waker(&waker)).is_ready());
    }
    assert!(matches!(set.poll_join_next(&mut Context::from_waker(&waker)), Poll::Ready(None)));
    assert_eq!(Arc::strong_count(&wakes), 3, "the set keeps the latest waker, until it is dropped");
    drop(set);
    assert_eq!(Arc::strong_count(&wakes), 2);
}

fn a_set_aborts_one_or_all<E: Executor + Described>() {
    let (executor, alive) = (E::default(), Arc::default());
    let mut set = JoinSet::new();
    let first = set.insert(executor.spawn(waits(&alive)));
    set.insert(executor.spawn(waits(&alive)));
    set.insert(executor.spawn(waits(&alive)));
    settle(&executor);
    first.abort();
    settle(&executor);
    assert_eq!(alive.load(SeqCst), 2);
    set.abort_all();
    settle(&executor);
    assert_eq!((alive.load(SeqCst), set.len()), (0, 3));
    for _ in 0..3 {
        let joined = executor.block_on(set.join_next());
        assert!(matches!(joined, Some(Err(JoinError::Cancelled))), "{joined:?}");
    }
    assert!(executor.block_on(set.join_next()).is_none());
}

fn a_set_aborts_when_it_is_dropped_and_not_when_it_was_detached<E: Executor + Default>() {
    let (executor, alive) = (E::default(), Arc::default());
    let mut set: JoinSet<_, _> = (0..3).map(|_| executor.spawn(waits(&alive))).collect();
    settle(&executor);
    set.detach_all();
    drop(set);
    settle(&executor);
    assert_eq!(alive.load(SeqCst), 3);
    let set: JoinSet<_, _> = (0..3).map(|_| executor.spawn(waits(&alive))).collect();
    settle(&executor);
    assert_eq!(alive.load(SeqCst), 6);
    drop(set);
    settle(&executor);
    assert_eq!(alive.load(SeqCst), 3);
}

fn to_stop_waiting_loses_nothing<E: Executor + Default>() {
    let executor = E::default();
    let mut set: JoinSet<_, _> = [executor.spawn(async {
        yield_now().await;
        7
    })]
    .into_iter()
    .collect();
    executor.block_on(async {
        let mut next = pin!(set.join_next());
        let first = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await;
        assert!(first.is_pending());
    });
    executor.run();
    assert_eq!(executor.block_on(set.join_next()).unwrap().unwrap(), 7);
}

/// A result that nobody will take is dropped where it is made, although an abort handle is left. (A peer's is kept: its
/// README says so.) Its drop panics, unless a panic is under way.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic::resume_unwind(Box::new("in the drop of a result"));
        }
    }
}

/// Results, whether their tasks ended before they came into the set or in it, and what waits for them.
fn what_panics_in_a_set_panics_to_nobody<E: Executor + Default>() {
    for detached in [false, true] {
        let executor = E::default();
        let ended: Vec<_> = (0..3).map(|_| executor.spawn(async { Bomb })).collect();
        executor.run();
        let mut set: JoinSet<_, _> = ended.into_iter().collect();
        set.extend((0..3).map(|_| executor.spawn(async { Bomb })));
        executor.run();
        if detached {
            set.detach_all();
        }
        drop(set);
    }
}

fn a_joiner_that_panics_costs_a_set_no_result<E: Executor + Default>() {
    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic::resume_unwind(Box::new("in a joiner"));
        }
    }

    let executor = E::default();
    let ended = executor.spawn(async { 7 });
    executor.run();
    let mut set = JoinSet::new();
    set.insert(executor.spawn(pending::<u32>()));
    let waker = Waker::from(Arc::new(Panics));
    assert!(set.poll_join_next(&mut Context::from_waker(&waker)).is_pending());
    set.insert(ended);
    assert_eq!(set.len(), 2);
    assert_eq!(executor.block_on(set.join_next()).expect("there are two").ok(), Some(7));
}

/// Clause T9c leaves open whether such a panic reaches whoever polls. Here it does not.
fn a_join_waker_that_is_replaced_panics_to_nobody<E: Executor + Default>() {
    struct Bomb;

    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic::resume_unwind(Box::new("in a join waker's drop"));
        }
    }

    let executor = E::default();
    let mut task = pin!(executor.spawn(pending::<()>()));
    let mut poll = |waker: &Waker| task.as_mut().poll(&mut Context::from_waker(waker)).is_pending();
    let waker = Waker::from(Arc::new(Bomb));
    assert!(poll(&waker));
    drop(waker);
    // The handle's clone is the last.
    assert!(poll(Waker::noop()));
}

fn an_abort_handle_keeps_no_result<E: Executor + Default>() {
    let (executor, alive) = (E::default(), Arc::default());
    let value = Alive::new(&alive);
    let task = executor.spawn(async move { value });
    let abort = task.abort_handle();
    drop(task);
    executor.run();
    assert_eq!(alive.load(SeqCst), 0);
    assert!(abort.is_finished());
}

fn all<E: Executor + Described>() {
    println!("{}", E::NAME);
    aborts_when_it_is_dropped::<E>();
    a_task_that_is_detached_goes_on::<E>();
    a_set_yields_results_in_the_order_in_which_tasks_end::<E>();
    a_set_has_what_ended_before_it_was_asked::<E>();
    a_set_is_woken_once_for_each_end_that_it_waits_for::<E>();
    a_set_aborts_when_it_is_dropped_and_not_when_it_was_detached::<E>();
    to_stop_waiting_loses_nothing::<E>();
    // Whoever waits is not woken by an abort there: its README says so.
    if E::NAME != "compio-executor" {
        a_set_aborts_one_or_all::<E>();
    }
}

macro_rules! call {
    (@ BlockOn $executor:ty) => {};
    (@ $kind:ident $executor:ty) => {
        all::<$executor>();
    };
    ($($kind:ident $executor:ty,)*) => {
        $(call!(@ $kind $executor);)*
    };
}

#[test]
fn handles_and_sets_work_on_every_executor() {
    lineup::for_each_executor!(call);
}

/// Published executors let such panics out of their own handles.
fn strategy<E: Executor + Default>() {
    what_panics_in_a_set_panics_to_nobody::<E>();
    a_joiner_that_panics_costs_a_set_no_result::<E>();
    a_join_waker_that_is_replaced_panics_to_nobody::<E>();
}

/// A call that is about tasks, for what owns some.
macro_rules! with_tasks {
    (BlockOn $call:expr) => {};
    ($kind:ident $call:expr) => {
        $call;
    };
}

#[test]
fn foreign_panics_reach_nobody_on_any_strategy() {
    macro_rules! each {
        ($($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
            $(with_tasks!($kind strategy::<lineup::$executor>());)*
        };
    }
    lineup::for_each_strategy!(each);
}

#[test]
fn an_abort_handle_keeps_no_result_on_any_strategy() {
    macro_rules! each {
        ($($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
            $(with_tasks!($kind an_abort_handle_keeps_no_result::<lineup::$executor>());)*
        };
    }
    lineup::for_each_strategy!(each);
    an_abort_handle_keeps_no_result::<peers::TokioExecutor>();
}

/// One dependency is enough.
#[test]
fn a_strategy_has_all_that_a_program_needs() {
    use raw_waker::prelude::*;
    use raw_waker::{RawExecutor, yield_now};

    let executor = RawExecutor::default();
    let task = executor.spawner().spawn(yield_now());
    let abort = task.abort_handle();
    assert!(executor.block_on(task).is_ok() && abort.is_finished());
}
