use std::future::poll_fn;
use std::mem;
use std::task::Poll;

use conformance::Allocations;
use executor::Executor;

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    let woken_by_value = || {
        let before = Allocations::now().bytes;
        let mut woken = false;
        let task = executor.spawn(poll_fn(move |cx| {
            if mem::replace(&mut woken, true) {
                return Poll::Ready(());
            }
            // A channel keeps a waker, and wakes it by value.
            let kept = cx.waker().clone();
            kept.wake();
            Poll::Pending
        }));
        executor.block_on(task).unwrap();
        Allocations::now().bytes - before
    };
    // The first time, queues get their memory.
    woken_by_value();
    assert_eq!(woken_by_value(), 0, "bytes are left by a task that has ended");
}
