use std::pin::Pin;
use std::task::{Context, Poll};

/// Lets every other ready task run before the caller goes on.
///
/// The first poll wakes the task's own waker and returns `Pending`; the second is `Ready`. It wakes *before* it
/// returns, so an executor that forgets a wake made during a poll never finishes the task.
///
/// ```
/// # fn assert_future<F: Future<Output = ()>>(_: F) {}
/// assert_future(async { executor::yield_now().await });
/// ```
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
