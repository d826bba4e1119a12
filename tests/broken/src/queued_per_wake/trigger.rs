use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;

use executor::{Executor, JoinHandle, yield_now};

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    let polls = Arc::new(AtomicUsize::new(0));
    let counts = polls.clone();
    let task = poll_fn(move |cx| {
        if counts.fetch_add(1, Relaxed) == 0 {
            for _ in 0..1_000 {
                cx.waker().wake_by_ref();
            }
        }
        Poll::<()>::Pending
    });
    executor.spawn(task).detach();
    executor.block_on(async {
        for _ in 0..10 {
            yield_now().await;
        }
    });
    assert_eq!(polls.load(Relaxed), 2, "a thousand wakes before a poll lead to one poll");
}
