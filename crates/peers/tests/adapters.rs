//! What an adapter could get wrong. What an executor could get wrong is tested by the conformance suite.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;

use conformance::Outcome;
use executor::{BlockOn, Described, Executor, JoinError, JoinHandle, RemoteSpawn, Spawn, yield_now};

/// Pending forever; counts its drops.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn idle(drops: &Arc<AtomicUsize>) -> impl Future<Output = ()> + Send + 'static {
    let counted = Dropped(drops.clone());
    async move {
        let _counted = counted;
        pending().await
    }
}

/// Ready after `wakes` wakes, each from a new thread, which starts when the future is polled.
fn woken_by_threads(mut wakes: usize) -> impl Future<Output = ()> + Send + 'static {
    poll_fn(move |cx| {
        if wakes == 0 {
            return Poll::Ready(());
        }
        wakes -= 1;
        let waker = cx.waker().clone();
        thread::spawn(move || waker.wake());
        Poll::Pending
    })
}

fn poll<T>(handle: &mut impl JoinHandle<T>) -> Poll<Result<T, JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()))
}

fn the_root_may_borrow_and_is_polled_until_ready<E: BlockOn + Described>() {
    let executor = E::default();
    let local = Rc::new(Cell::new(0));
    let borrowed = &local;
    let output = executor.block_on(async {
        yield_now().await;
        borrowed.set(1);
        "done".to_owned()
    });
    assert_eq!((output.as_str(), local.get()), ("done", 1));
    executor.block_on(woken_by_threads(100));
}

fn a_handle_yields_the_value<E: Executor + Described>() {
    let executor = E::default();
    let task = executor.spawn(async {
        yield_now().await;
        7
    });
    assert_eq!(executor.block_on(task).expect("nobody aborted it"), 7);
}

fn block_on_drives_tasks_and_leaves_the_unfinished<E: Executor + Described>() {
    let executor = E::default();
    let (sender, receiver) = mpsc::channel();
    let task = executor.spawn(async move {
        for turn in 0..3 {
            sender.send(turn).expect("the receiver is alive");
            yield_now().await;
        }
    });
    let mut received = 0;
    executor.block_on(async {
        while received == 0 {
            yield_now().await;
            received += receiver.try_iter().count();
        }
    });
    assert!(!task.is_finished() || received == 3);
    assert!(executor.block_on(task).is_ok());
    assert_eq!(received + receiver.try_iter().count(), 3);
}

fn run_returns_when_no_task_is_left<E: Executor + Described>() {
    let executor = E::default();
    executor.run();
    let ended = Arc::new(AtomicUsize::new(0));
    for wakes in 0..10 {
        let ended = ended.clone();
        // Dropping the handle detaches the task.
        drop(executor.spawn(async move {
            woken_by_threads(wakes).await;
            yield_now().await;
            ended.fetch_add(1, Relaxed);
        }));
    }
    executor.run();
    assert_eq!(ended.load(Relaxed), 10);
    executor.run();
}

fn run_returns_after_the_last_task_was_aborted<E: Executor + Described>() {
    let executor = E::default();
    let drops = Arc::new(AtomicUsize::new(0));
    let task = executor.spawn(idle(&drops));
    executor.block_on(yield_now());
    task.abort();
    executor.run();
    assert_eq!(drops.load(Relaxed), 1);
    assert!(task.is_finished());
}

fn an_aborted_task_yields_cancelled<E: Executor + Described>() {
    let executor = E::default();
    let drops = Arc::new(AtomicUsize::new(0));
    let [before, between] = [(); 2].map(|()| executor.spawn(idle(&drops)));
    before.abort();
    assert!(matches!(executor.block_on(before), Err(JoinError::Cancelled)));
    executor.block_on(yield_now());
    between.abort();
    between.abort();
    assert!(matches!(executor.block_on(between), Err(JoinError::Cancelled)));
    executor.run();
    assert_eq!(drops.load(Relaxed), 2);
}

fn aborting_a_finished_task_keeps_its_value<E: Executor + Described>() {
    let executor = E::default();
    let mut task = executor.spawn(async { 7 });
    assert!(!task.is_finished());
    assert!(poll(&mut task).is_pending());
    executor.run();
    assert!(task.is_finished());
    task.abort();
    assert!(task.is_finished());
    assert!(matches!(poll(&mut task), Poll::Ready(Ok(7))));
}

fn looking_for_the_end_does_not_make_the_joiner_miss_it<E: Executor + Described>() {
    let executor = E::default();
    let mut task = executor.spawn(pending::<()>());
    let joined = executor.block_on(async {
        yield_now().await;
        task.abort();
        poll_fn(|cx| {
            let polled = Pin::new(&mut task).poll(cx);
            task.is_finished();
            polled
        })
        .await
    });
    assert!(matches!(joined, Err(JoinError::Cancelled)));
}

fn a_panic_reaches_the_handle<E: Executor + Described>() {
    assert!(E::CAPABILITIES.catches_panics);
    let executor = E::default();
    let task = executor.spawn(async { std::panic::resume_unwind(Box::new("on purpose")) });
    executor.run();
    match executor.block_on(task) {
        Err(JoinError::Panicked(payload)) => assert_eq!(payload.into_inner().downcast_ref(), Some(&"on purpose")),
        other => panic!("{other:?}"),
    }
}

fn a_dropped_executor_drops_its_tasks<E: Executor + Described>() {
    let executor = E::default();
    let drops = Arc::new(AtomicUsize::new(0));
    let mut polled = executor.spawn(idle(&drops));
    executor.block_on(yield_now());
    let mut unpolled = executor.spawn(idle(&drops));
    drop(executor.spawn(idle(&drops)));
    drop(executor);
    assert_eq!(drops.load(Relaxed), 3);
    for handle in [&mut polled, &mut unpolled] {
        assert!(handle.is_finished());
        assert!(matches!(poll(handle), Poll::Ready(Err(JoinError::Cancelled))));
    }
}

fn tasks_of_two_executors_on_one_thread_stay_apart<E: Executor + Described>() {
    let (outer, inner) = (E::default(), E::default());
    let mut waits = outer.spawn(woken_by_threads(3));
    drop(inner.spawn(woken_by_threads(3)));
    inner.run();
    assert!(poll(&mut waits).is_pending());
    outer.run();
    assert!(matches!(poll(&mut waits), Poll::Ready(Ok(()))));
}

/// The adapter makes the abort handle, except tokio's. (compio's own handle counts as finished as soon as it is
/// aborted: clause T10c.)
fn an_abort_handle_does_what_the_clause_asks<E: Executor + Described + 'static>() {
    assert_eq!(conformance::tasks::t10h_an_abort_handle_aborts_as_the_join_handle_does::<E>(), Outcome::Pass);
}

fn the_number_of_tasks_is_what_the_clause_asks<E: Executor + Described + 'static>() {
    let outcome = conformance::executors::x23n_the_number_of_tasks_is_exact_for_the_driving_thread::<E>();
    assert!(matches!(outcome, Outcome::Pass | Outcome::NotApplicable { .. }), "{outcome}");
}

fn a_spawner_says_when_its_executor_is_gone<E: RemoteSpawn + Described + 'static>() {
    assert_eq!(conformance::executors::x16c_a_spawner_says_when_its_executor_is_gone::<E>(), Outcome::Pass);
}

fn a_spawner_works_from_elsewhere_and_outlives_its_executor<E: RemoteSpawn + Described>() {
    let executor = E::default();
    let spawner = executor.spawner();
    let remote = spawner.clone();
    let task = executor.spawn(async move { remote.spawn(async { 7 }).await });
    let inner = executor.block_on(task).expect("nobody aborted it");
    assert_eq!(inner.expect("nobody aborted it"), 7);
    drop(executor);
    let drops = Arc::new(AtomicUsize::new(0));
    let mut rejected = spawner.spawn(idle(&drops));
    assert_eq!(drops.load(Relaxed), 1);
    assert!(matches!(poll(&mut rejected), Poll::Ready(Err(JoinError::Cancelled))));
}

fn run_returns_while_another_thread_drives<E: RemoteSpawn + Described>() {
    assert!(E::CAPABILITIES.concurrent_drivers);
    for _ in 0..100 {
        let executor = E::default();
        let spawner = executor.spawner();
        let (ends, mut ended) = (Arc::new(AtomicUsize::new(0)), None::<Waker>);
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            let (executor, other_ends) = (&executor, ends.clone());
            scope.spawn(move || {
                executor.block_on(poll_fn(|cx| {
                    if other_ends.load(Acquire) == 1 {
                        return Poll::Ready(());
                    }
                    sender.send(cx.waker().clone()).expect("the receiver is alive");
                    Poll::Pending
                }));
            });
            ended.replace(receiver.recv().expect("the thread polls its root"));
            (0..4).for_each(|wakes| drop(spawner.spawn(woken_by_threads(wakes))));
            executor.run();
            ends.store(1, Release);
            ended.into_iter().chain(receiver.try_iter()).for_each(Waker::wake);
        });
    }
}

/// One `#[test]` for each function above that a peer's traits allow.
macro_rules! tests {
    (@ $peer:ident $($test:ident)*) => {
        $(#[test]
        fn $test() {
            super::$test::<peers::$peer>();
        })*
    };
    (BlockOn $peer:ident) => {
        tests! { @ $peer
            the_root_may_borrow_and_is_polled_until_ready
        }
    };
    (Executor $peer:ident) => {
        tests! { BlockOn $peer }
        tests! { @ $peer
            a_handle_yields_the_value
            block_on_drives_tasks_and_leaves_the_unfinished
            run_returns_when_no_task_is_left
            run_returns_after_the_last_task_was_aborted
            an_aborted_task_yields_cancelled
            aborting_a_finished_task_keeps_its_value
            looking_for_the_end_does_not_make_the_joiner_miss_it
            a_panic_reaches_the_handle
            a_dropped_executor_drops_its_tasks
            tasks_of_two_executors_on_one_thread_stay_apart
            the_number_of_tasks_is_what_the_clause_asks
        }
    };
    (RemoteSpawn $peer:ident) => {
        tests! { Executor $peer }
        tests! { @ $peer
            a_spawner_says_when_its_executor_is_gone
            a_spawner_works_from_elsewhere_and_outlives_its_executor
            run_returns_while_another_thread_drives
        }
    };
}

mod tokio {
    tests! { RemoteSpawn TokioExecutor }
    tests! { @ TokioExecutor an_abort_handle_does_what_the_clause_asks }
}

mod async_executor {
    tests! { RemoteSpawn AsyncExecutor }
    tests! { @ AsyncExecutor an_abort_handle_does_what_the_clause_asks }
}

mod async_executor_local {
    tests! { Executor LocalAsyncExecutor }
    tests! { @ LocalAsyncExecutor an_abort_handle_does_what_the_clause_asks }
}

mod futures_local_pool {
    tests! { Executor FuturesExecutor }
    tests! { @ FuturesExecutor an_abort_handle_does_what_the_clause_asks }
}

mod async_task {
    tests! { Executor AsyncTaskExecutor }
    tests! { @ AsyncTaskExecutor an_abort_handle_does_what_the_clause_asks }
}

mod compio_executor {
    tests! { Executor CompioExecutor }
}

mod pollster {
    tests! { BlockOn Pollster }
}

mod futures_lite {
    tests! { BlockOn FuturesLite }
}

mod futures_block_on {
    tests! { BlockOn FuturesBlockOn }
}
