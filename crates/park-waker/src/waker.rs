//! A wake names the thread: it sets the thread's flag and unparks it. It does not say which future it is for.

use std::sync;
use std::task::{Wake, Waker};

use executor::support::{Cached, Renew};
use executor::sync::Arc;
use executor::sync::atomic::{AtomicBool, Ordering::*, fence};
use executor::sync::thread::{self, Thread};
use executor::sync::thread_local;

thread_local! {
    /// In a box, as each call moves it twice.
    static CACHED: Cached<Box<ThreadWaker>> = const { Cached::new() };
}

/// The one waker of a thread, for every future that it polls.
#[derive(Debug)]
pub(crate) struct ThreadWaker {
    signal: Arc<Signal>,
    waker: Waker,
}

/// `thread::park` has a token of its own, which an unpark leaves and a park takes. That is not enough: user code that
/// parks inside a poll takes the token too, and the wake that left it would be lost. The flag belongs to the executor
/// alone.
#[derive(Debug)]
struct Signal {
    woken: AtomicBool,
    thread: Thread,
}

impl ThreadWaker {
    /// Calls `f` with the waker of the calling thread, not woken yet. See [`Cached::with`].
    #[inline]
    pub(crate) fn with<R>(f: impl FnOnce(&ThreadWaker) -> R) -> R {
        Cached::with(&CACHED, |thread| f(thread))
    }

    #[inline]
    fn is_unshared(&self) -> bool {
        // The two references of this waker are `signal` and `waker`. The fence orders the wakes of clones that are gone
        // before what comes next.
        let unshared = Arc::strong_count(&self.signal) == 2;
        fence(Acquire);
        unshared
    }

    /// The waker to poll with.
    #[inline]
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Whether anything was woken since the last [`take_woken`](Self::take_woken).
    pub(crate) fn is_woken(&self) -> bool {
        self.signal.woken.load(Relaxed)
    }

    /// Forgets the wakes so far: call this before the polls that they ask for.
    pub(crate) fn take_woken(&self) {
        // Acquire: pairs with the Release in `wake_by_ref`; the polls see what every waking thread wrote. A swap, as
        // a store would not acquire.
        self.signal.woken.swap(false, Acquire);
    }
}

impl Renew for Box<ThreadWaker> {
    #[cold]
    #[inline(never)]
    fn new() -> Self {
        let signal = Arc::new(Signal { woken: AtomicBool::new(false), thread: thread::current() });
        Box::new(ThreadWaker { waker: Waker::from(signal.clone()), signal })
    }

    #[inline]
    fn renew(self) -> Option<Self> {
        let renewed = self.is_unshared().then_some(self)?;
        // Relaxed: no other thread has a waker to wake it with.
        renewed.signal.woken.store(false, Relaxed);
        Some(renewed)
    }
}

// `clone` and `drop` count the `Arc`, as `Waker::from(Arc<impl Wake>)` arranges.
impl Wake for Signal {
    fn wake(self: sync::Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &sync::Arc<Self>) {
        // Release: pairs with the Acquire in `take_woken`. A swap even if the flag is set already, so that this wake,
        // too, happens before the poll.
        if !self.woken.swap(true, Release) {
            self.thread.unpark();
        }
    }
}
