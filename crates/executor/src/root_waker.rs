use std::cell::Cell;
use std::ptr;
use std::sync;
use std::task::{Wake, Waker};

use crate::here::{here, number};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, Ordering::*, fence};
use crate::sync::thread::{self, Thread};
use crate::sync::thread_local;

thread_local! {
    /// The waker of this thread's last `block_on`, kept for the next one. Taken out while one is under way, so that a
    /// nested `block_on` gets a waker of its own and cannot take the outer one's wakes. In a box, as each call moves it
    /// twice.
    static CACHED: Cell<Option<Box<RootWaker>>> = const { Cell::new(None) };
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
    /// Woken on its own thread, which alone touches this: so plain loads and stores do.
    woken_here: AtomicBool,
    /// Woken by another.
    woken_away: AtomicBool,
    thread: Thread,
    /// The thread once more, as [`here`] names it.
    home: usize,
}

impl RootWaker {
    /// Runs `f`, once, with a waker for the calling thread, not woken yet.
    ///
    /// Allocates where the last call on this thread has left nothing: it was the first, or this one is nested in it, or
    /// it panicked; and when a clone of that waker still exists: a stale waker never wakes a later call.
    #[inline]
    pub fn with<R>(f: impl FnOnce(&RootWaker) -> R) -> R {
        // In the destructor of another thread-local the cache may be gone.
        let cached = CACHED.try_with(Cell::take).unwrap_or_default();
        let root = cached.and_then(Self::renew).unwrap_or_else(Self::new);
        let result = f(&root);
        // One that a nested call has left is dropped.
        let _ = CACHED.try_with(|cached| cached.set(Some(root)));
        result
    }

    /// Makes it one that is not woken, unless somebody else still has it.
    #[inline]
    fn renew(self: Box<Self>) -> Option<Box<Self>> {
        let renewed = self.is_unshared().then_some(self)?;
        // Nobody wakes it meanwhile.
        renewed.signal.woken_here.store(false, Relaxed);
        renewed.signal.woken_away.store(false, Relaxed);
        Some(renewed)
    }

    #[cold]
    #[inline(never)]
    fn new() -> Box<Self> {
        let signal = Arc::new(Signal {
            woken_here: AtomicBool::new(false),
            woken_away: AtomicBool::new(false),
            thread: thread::current(),
            home: number(),
        });
        Box::new(Self { waker: Waker::from(signal.clone()), signal })
    }

    #[inline]
    fn is_unshared(&self) -> bool {
        // Our two: `signal` and `waker`. The fence orders the wakes of those that are gone before what comes.
        let unshared = Arc::strong_count(&self.signal) == 2;
        fence(Acquire);
        unshared
    }

    /// What tells the call that this is for from all others under way.
    #[inline]
    pub fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// The waker to poll with.
    #[inline]
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Whether the future was woken since the last [`take_woken`](Self::take_woken).
    #[inline]
    pub fn is_woken(&self) -> bool {
        self.signal.woken_here.load(Relaxed) || self.signal.woken_away.load(Relaxed)
    }

    /// Like [`is_woken`](Self::is_woken), and forgets it: call it before the poll.
    #[inline]
    pub fn take_woken(&self) -> bool {
        let here = self.signal.woken_here.load(Relaxed);
        self.signal.woken_here.store(false, Relaxed);
        // Acquire: pairs with the Release in `wake_by_ref`; the poll sees what every waking thread wrote. A swap, as
        // a load and a store would miss a wake in between.
        let away = self.signal.woken_away.load(Relaxed) && self.signal.woken_away.swap(false, Acquire);
        here || away
    }
}

impl Wake for Signal {
    fn wake(self: sync::Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &sync::Arc<Self>) {
        if self.home == here() {
            // Its own thread is awake, and looks at the flag before it parks.
            self.woken_here.store(true, Relaxed);
        } else if !self.woken_away.swap(true, Release) {
            // Release: pairs with the Acquire in `take_woken`. A swap even if the flag is set already, so that this
            // wake, too, happens before the poll.
            self.thread.unpark();
        }
    }
}
