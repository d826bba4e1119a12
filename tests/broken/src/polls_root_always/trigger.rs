use std::future::poll_fn;
use std::pin::Pin;

use executor::{Executor, yield_now};

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    let mut task = executor.spawn(async {
        for _ in 0..1_000 {
            yield_now().await;
        }
    });
    let mut polls = 0;
    let root = poll_fn(|cx| {
        polls += 1;
        Pin::new(&mut task).poll(cx)
    });
    executor.block_on(root).unwrap();
    assert_eq!(polls, 2, "the root is polled first, and when the task has ended");
}
