//! A wake names the thread: it sets the thread's flag and unparks it. Which future it was meant for, nobody knows.

use std::cell::Cell;
use std::sync;
use std::task::{Wake, Waker};

use executor::sync::Arc;
use executor::sync::atomic::{AtomicBool, Ordering::*, fence};
use executor::sync::thread::{self, Thread};
use executor::sync::thread_local;

thread_local! {
    /// The waker of this thread's last `block_on`, kept for the next one. Taken out while one is under way, so that a
    /// nested `block_on` gets a waker of its own and cannot take the outer one's wakes. In a box, as each call moves it
    /// twice.
    static CACHED: Cell<Option<Box<ThreadWaker>>> = const { Cell::new(None) };
}

/// The one waker of a thread, for every future that it polls.
#[derive(Debug)]
pub(crate) struct ThreadWaker {
    signal: Arc<Signal>,
    waker: Waker,
}

/// `thread::park` has a token of its own, which an unpark leaves and a park takes. It is not enough: user code that
/// parks inside a poll takes the token too, and the wake that left it would be lost. The flag is ours alone.
#[derive(Debug)]
struct Signal {
    woken: AtomicBool,
    thread: Thread,
}

impl ThreadWaker {
    /// Runs `f`, once, with the waker of the calling thread, not woken yet.
    ///
    /// Allocates where the last call on this thread has left nothing: it was the first, or this one is nested in it, or
    /// it panicked; and when a clone of that waker still exists: a stale waker never wakes a later call.
    #[inline]
    pub(crate) fn with<R>(mut f: impl FnMut(&ThreadWaker) -> R) -> R {
        let result = CACHED.try_with(|cached| {
            let thread = cached.take().and_then(Self::renew).unwrap_or_else(Self::new);
            let result = f(&thread);
            // One that a nested call has left is dropped.
            cached.set(Some(thread));
            result
        });
        // In the destructor of another thread-local the cache may be gone.
        result.unwrap_or_else(|_| f(&Self::new()))
    }

    /// Makes it one that is not woken, unless somebody else still has it.
    #[inline]
    fn renew(self: Box<Self>) -> Option<Box<Self>> {
        let renewed = self.is_unshared().then_some(self)?;
        // Nobody wakes it meanwhile.
        renewed.signal.woken.store(false, Relaxed);
        Some(renewed)
    }

    #[cold]
    #[inline(never)]
    fn new() -> Box<Self> {
        let signal = Arc::new(Signal { woken: AtomicBool::new(false), thread: thread::current() });
        Box::new(Self { waker: Waker::from(signal.clone()), signal })
    }

    #[inline]
    fn is_unshared(&self) -> bool {
        // Our two: `signal` and `waker`. The fence orders the wakes of those that are gone before what comes.
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

    /// Forgets the wakes so far: call it before the polls that they ask for.
    pub(crate) fn take_woken(&self) {
        // Acquire: pairs with the Release in `wake_by_ref`; the polls see what every waking thread wrote. A swap, as
        // a store would not acquire.
        self.signal.woken.swap(false, Acquire);
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
