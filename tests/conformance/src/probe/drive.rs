//! Driving an executor by one thread: for a while, or until something has happened.

use std::task::Poll;

use executor::{BlockOn, Executor, JoinHandle, yield_now};

use super::Log;

/// How often the root yields before a clause gives up. An executor may poll its root once for every poll of a task.
const MOST_YIELDS: usize = 100_000;

/// Yields `times` times. Between two yields an executor polls what is ready.
pub(crate) async fn yield_times(times: usize) {
    for _ in 0..times {
        yield_now().await;
    }
}

/// Drives `executor` while its root yields `yields` times.
pub(crate) fn drive(executor: &impl BlockOn, yields: usize) {
    executor.block_on(yield_times(yields));
}

/// Drives `executor` until every ready task was polled, and every task that those polls made ready.
pub(crate) fn settle(executor: &impl BlockOn) {
    drive(executor, 16);
}

/// Drives `executor` until `done`, which must depend on no other thread.
///
/// # Panics
///
/// When that takes too long: `what` says what was waited for. So a lost wake is a failure and not a hang.
#[track_caller]
pub(crate) fn drive_until(executor: &impl BlockOn, what: &str, done: impl Fn() -> bool) {
    executor.block_on(async {
        for _ in 0..MOST_YIELDS {
            if done() {
                return;
            }
            yield_now().await;
        }
        panic!("yielded {MOST_YIELDS} times in vain for: {what}");
    });
}

/// Awaits a task that must return. Until then the root sleeps.
pub(crate) fn finish<T>(executor: &impl BlockOn, task: impl JoinHandle<T>) -> T {
    executor.block_on(task).unwrap_or_else(|error| panic!("{error}"))
}

/// Fails unless the executor still runs a root, and a new task, to their ends.
pub(crate) fn assert_usable(executor: &impl Executor) {
    assert_eq!(executor.block_on(async { 7 }), 7, "`block_on` no longer works");
    let log = Log::new();
    let task = executor.spawn(log.future(|poll, cx| {
        cx.waker().wake_by_ref();
        if poll < 3 { Poll::Pending } else { Poll::Ready(poll) }
    }));
    assert!(executor.block_on(task).is_ok_and(|polls| polls >= 3), "a new task no longer runs to its end");
    log.assert_sound();
}
