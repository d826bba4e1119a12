use std::future::poll_fn;
use std::task::Poll;
use std::thread;

use executor::Executor;

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    for _ in 0..20 {
        let waker = executor.block_on(executor.spawn(poll_fn(|cx| Poll::Ready(cx.waker().clone())))).unwrap();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..100_000).for_each(|_| drop(waker.clone())));
            }
        });
    }
}
