use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use executor::{Executor, yield_now};

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    let waiter = Arc::new(Mutex::new(None::<Waker>));
    let waits = waiter.clone();
    let task = executor.spawn(poll_fn(move |cx| {
        let polled_before = waits.lock().unwrap().replace(cx.waker().clone()).is_some();
        if polled_before { Poll::Ready(()) } else { Poll::Pending }
    }));
    executor.block_on(async {
        yield_now().await;
        // Wakes the task under the lock that the task takes.
        waiter.lock().unwrap().as_ref().unwrap().wake_by_ref();
        task.await.unwrap();
    });
}
