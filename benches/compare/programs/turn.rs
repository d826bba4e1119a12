//! The future that each program drives: it wakes itself, is pending once, and is ready when polled again.

use std::future::poll_fn;
use std::task::Poll;

pub async fn turn() -> u32 {
    let mut woken = false;
    poll_fn(|cx| {
        if woken {
            return Poll::Ready(());
        }
        woken = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    1
}
