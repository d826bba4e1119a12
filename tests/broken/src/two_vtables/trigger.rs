use std::future::poll_fn;
use std::task::Poll;

use executor::Executor;

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    let same = executor.spawn(poll_fn(|cx| Poll::Ready(cx.waker().will_wake(&cx.waker().clone()))));
    assert!(executor.block_on(same).unwrap(), "a waker and its clone wake the same task");
}
