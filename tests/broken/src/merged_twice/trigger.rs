use std::future::poll_fn;
use std::task::Poll;

use conformance::Allocations;
use executor::{Executor, yield_now};

pub(crate) fn trigger<E: Executor + Default>() {
    let waker_outlives_executor = || {
        let before = Allocations::now().bytes;
        let executor = E::default();
        let task = poll_fn(|cx| Poll::Ready(cx.waker().clone()));
        let waker = executor.block_on(async {
            // From here on the thread drives: what it counts, it counts in its own word.
            yield_now().await;
            executor.spawn(task).await.unwrap()
        });
        drop(executor);
        drop(waker);
        Allocations::now().bytes - before
    };
    // The first time, the thread gets memory that it keeps.
    waker_outlives_executor();
    assert_eq!(waker_outlives_executor(), 0, "bytes are left of an executor that is gone");
}
