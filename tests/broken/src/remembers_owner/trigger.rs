use std::future::poll_fn;
use std::mem;
use std::task::Poll;
use std::thread;

use executor::Executor;

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    let mut woken = false;
    let task = executor.spawn(poll_fn(move |cx| {
        if mem::replace(&mut woken, true) {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        thread::spawn(move || waker.wake());
        Poll::Pending
    }));
    executor.block_on(task).unwrap();
}
