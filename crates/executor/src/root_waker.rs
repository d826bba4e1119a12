use std::cell::Cell;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::here::here;
use crate::sync::atomic::{AtomicBool, Ordering::*, fence};
use crate::sync::thread::{self, Thread};
use crate::sync::thread_local;

thread_local! {
    /// The waker of this thread's last `block_on`, kept for the next one. Empty while one is under way, so that a
    /// nested `block_on` gets a waker of its own and cannot take the outer one's wakes.
    static CACHED: Cell<Option<RootWaker>> = const { Cell::new(None) };
}

/// The waker for the future of a `block_on`, in the strategies where a wake names the task: that future is no task,
/// it stays on its thread's stack, so its waker is a flag and the thread.
///
/// park-waker, where every waker is of this kind, spells out and explains its own.
#[derive(Debug)]
pub struct RootWaker {
    signal: Arc<Signal>,
    waker: Waker,
}

#[derive(Debug)]
struct Signal {
    woken: AtomicBool,
    thread: Thread,
    /// The thread once more, as [`here`] names it.
    home: usize,
}

impl RootWaker {
    /// Runs `f` with a waker for the calling thread, woken already, so that the future gets its first poll.
    ///
    /// Allocates on a thread's first call, in a nested call, and when a clone of the last call's waker still exists:
    /// a stale waker never wakes a later call.
    pub fn with<R>(f: impl FnOnce(&RootWaker) -> R) -> R {
        // In the destructor of another thread-local the cache may be gone; then nothing is cached.
        let cached = CACHED.try_with(Cell::take).ok().flatten();
        let root = cached.filter(RootWaker::is_unshared).unwrap_or_else(RootWaker::new);
        root.signal.woken.store(true, Relaxed);
        let result = f(&root);
        let _ = CACHED.try_with(|cached| cached.set(Some(root)));
        result
    }

    fn new() -> Self {
        let signal = Arc::new(Signal { woken: AtomicBool::new(true), thread: thread::current(), home: here() });
        Self { waker: Waker::from(signal.clone()), signal }
    }

    fn is_unshared(&self) -> bool {
        // Our two: `signal` and `waker`. The fence orders the wakes of those that are gone before what comes.
        let unshared = Arc::strong_count(&self.signal) == 2;
        fence(Acquire);
        unshared
    }

    /// The waker to poll with.
    #[inline]
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Whether the future was woken since the last [`take_woken`](Self::take_woken).
    #[inline]
    pub fn is_woken(&self) -> bool {
        self.signal.woken.load(Relaxed)
    }

    /// Like [`is_woken`](Self::is_woken), and forgets it: call it before the poll.
    #[inline]
    pub fn take_woken(&self) -> bool {
        // Acquire: pairs with the Release in `wake_by_ref`; the poll sees what every waking thread wrote. A swap, as
        // a load and a store would miss a wake in between.
        self.is_woken() && self.signal.woken.swap(false, Acquire)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the Acquire in `take_woken`. A swap even if the flag is set already, so that this wake,
        // too, happens before the poll.
        if !self.woken.swap(true, Release) && self.home != here() {
            // Its own thread is awake, and looks at the flag before it parks.
            self.thread.unpark();
        }
    }
}
