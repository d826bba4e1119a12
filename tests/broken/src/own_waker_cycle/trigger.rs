use std::future::{self, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use executor::{Executor, JoinHandle, yield_now};

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    let socket = Arc::new("a socket");
    let held = socket.clone();
    let task = async move {
        let _socket = held;
        let _own_waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        future::pending::<()>().await;
    };
    executor.spawn(task).detach();
    executor.block_on(yield_now());
    drop(executor);
    assert_eq!(Arc::strong_count(&socket), 1, "the executor is gone, and one of its futures still owns the socket");
}
