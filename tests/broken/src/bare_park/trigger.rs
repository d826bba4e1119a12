use std::future::poll_fn;
use std::mem;
use std::task::Poll;
use std::thread;

use executor::BlockOn;

pub(crate) fn trigger<E: BlockOn + Default>() {
    let mut woken = false;
    E::default().block_on(poll_fn(|cx| {
        if mem::replace(&mut woken, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        // A lock, a channel or a `Once` that has to wait does the same.
        thread::park();
        Poll::Pending
    }));
}
