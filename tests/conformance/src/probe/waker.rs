//! Wakers that count or act, and futures polled by hand.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Context, Poll, Wake, Waker};

use super::Gate;

/// Counts the wakes of its waker: for join handles, and for futures polled by hand.
#[derive(Debug, Default)]
pub struct WakeCount {
    wakes: AtomicUsize,
}

impl WakeCount {
    /// A count and its waker. The waker and each of its clones hold a reference to the `Arc`: `Arc::strong_count` less
    /// 1 is how many there are.
    pub fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        let waker = Waker::from(count.clone());
        (count, waker)
    }

    /// How often the waker and its clones were woken.
    pub fn wakes(&self) -> usize {
        self.wakes.load(SeqCst)
    }
}

impl Wake for WakeCount {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.fetch_add(1, SeqCst);
    }
}

/// A waker that runs `action` on every wake.
pub fn waker_fn(action: impl Fn() + Send + Sync + 'static) -> Waker {
    struct Action<F>(F);

    impl<F: Fn() + Send + Sync + 'static> Wake for Action<F> {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }

        fn wake_by_ref(self: &Arc<Self>) {
            (self.0)();
        }
    }

    Waker::from(Arc::new(Action(action)))
}

/// Polls a future once, by hand.
pub fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Awaits `future` on the calling thread, without an executor: polls it whenever its waker was woken.
///
/// # Panics
///
/// When it is not woken in time: `what` says what was waited for.
#[track_caller]
pub fn wait_for<F: Future + Unpin>(future: &mut F, what: &'static str) -> F::Output {
    loop {
        let woken = Gate::new();
        let waker = Waker::from(woken.clone());
        if let Poll::Ready(output) = poll_once(future, &waker) {
            return output;
        }
        woken.wait(what);
    }
}
