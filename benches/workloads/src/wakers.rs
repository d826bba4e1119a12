//! One task and its waker: woken by itself, and cloned.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::{Described, Executor};

use crate::check::{Check, Tally};
use crate::{Iteration, Needs, Workload};

/// Spawns one task that wakes itself with `wake_by_ref` during 1,000 polls, and joins it.
///
/// Nothing else is ready, so this is the shortest path through a run loop. There is one spawn and one join in 1,000
/// operations.
pub static YIELD_ONE: Workload = Workload {
    id: "yield_one",
    title: "yield in one task",
    operation: "the only task wakes itself and is polled again",
    operations: 1_000,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: yield_one_floor,
};

/// Spawns one task that clones the waker of its poll and drops the clone, 1,000 times in one poll.
///
/// This is what a future pays to keep its waker, and again when it replaces it. The clones are made in a task, as in
/// programs: an executor may give the root another kind of waker.
pub static WAKER_CLONE: Workload = Workload {
    id: "waker_clone",
    title: "clone and drop a task's waker",
    operation: "a task's waker cloned and the clone dropped",
    operations: 1_000,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: waker_clone_floor,
};

/// Sets up [`YIELD_ONE`].
pub fn yield_one<E: Executor + Described + 'static>() -> Iteration {
    in_one_task::<E, _>(&YIELD_ONE, YIELD_ONE.operations + 1, |polls| yields(YIELD_ONE.operations, polls))
}

/// Polls the same future, boxed behind a `dyn` pointer, until it is ready. Its wakes go to [`Waker::noop`].
pub fn yield_one_floor() -> Iteration {
    yields_by_hand(&YIELD_ONE)
}

pub(crate) fn yields_by_hand(workload: &'static Workload) -> Iteration {
    by_hand(workload, workload.operations + 1, |polls| Box::pin(yields(workload.operations, polls)))
}

/// Spawns one task that takes `polls` polls, and joins it.
pub(crate) fn in_one_task<E, F>(
    workload: &'static Workload,
    polls: usize,
    future: impl Fn(Arc<Tally>) -> F + 'static,
) -> Iteration
where
    E: Executor + Described + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let check = Check::contender::<E>(workload);
    let executor = E::default();
    let tally = Arc::new(Tally::default());
    Box::new(move || {
        executor.block_on(async { executor.spawn(future(tally.clone())).await }).expect("the task ends");
        check.polls(tally.take(), polls..=polls)
    })
}

/// Polls one boxed future that takes `polls` polls, and begins again after them.
pub(crate) fn by_hand(
    workload: &'static Workload,
    polls: usize,
    future: impl FnOnce(Arc<Tally>) -> Pin<Box<dyn Future<Output = ()>>>,
) -> Iteration {
    let check = Check::floor(workload);
    let tally = Arc::new(Tally::default());
    let mut future = future(tally.clone());
    Box::new(move || {
        let mut cx = Context::from_waker(Waker::noop());
        let mut future = black_box(future.as_mut());
        while future.as_mut().poll(&mut cx).is_pending() {}
        check.polls(tally.take(), polls..=polls)
    })
}

/// Wakes its own task and is pending, `times` times, and is then ready. It begins again if it is polled once more.
pub(crate) fn yields(times: usize, polls: Arc<Tally>) -> impl Future<Output = ()> + Send + 'static {
    let mut left = times;
    poll_fn(move |cx| {
        polls.add();
        if left == 0 {
            left = times;
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Sets up [`WAKER_CLONE`].
pub fn waker_clone<E: Executor + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&WAKER_CLONE);
    let executor = E::default();
    let polls = Arc::new(Tally::default());
    Box::new(move || {
        let polls = polls.clone();
        let counted = polls.clone();
        let clones = executor
            .block_on(executor.spawn(poll_fn(move |cx| {
                counted.add();
                for _ in 0..WAKER_CLONE.operations {
                    drop(black_box(cx.waker().clone()));
                }
                Poll::Ready(WAKER_CLONE.operations)
            })))
            .expect("the task ends");
        check.result(clones, WAKER_CLONE.operations);
        check.polls(polls.take(), 1..=1)
    })
}

/// Clones and drops an `Arc`: what most wakers are, without the call through a vtable. A waker without a reference
/// count is cheaper than this floor.
pub fn waker_clone_floor() -> Iteration {
    let arc = Arc::new(());
    Box::new(move || {
        for _ in 0..WAKER_CLONE.operations {
            drop(black_box(Arc::clone(black_box(&arc))));
        }
        // No future is polled.
        0
    })
}
