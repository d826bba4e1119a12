use std::future::poll_fn;
use std::mem;
use std::task::Poll;

use executor::{BlockOn, yield_now};

pub(crate) fn trigger<E: BlockOn + Default>() {
    let mut woken = false;
    E::default().block_on(poll_fn(|cx| {
        if mem::replace(&mut woken, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        // A callback that needs the result of a future now.
        E::default().block_on(yield_now());
        Poll::Pending
    }));
}
