use std::ptr;
use std::sync;
use std::task::{Wake, Waker};

use crate::cached::{Cached, Renew};
use crate::here::{here, number};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, Ordering::*, fence};
use crate::sync::thread::{self, Thread};
use crate::sync::thread_local;

thread_local! {
    /// In a box, as each call moves it twice.
    static CACHED: Cached<Box<RootWaker>> = const { Cached::new() };
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
    /// Calls `f` with a waker for the calling thread that is not woken yet. See [`Cached::with`].
    #[inline]
    pub fn with<R>(f: impl FnOnce(&RootWaker) -> R) -> R {
        Cached::with(&CACHED, |root| f(root))
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

impl Renew for Box<RootWaker> {
    #[cold]
    #[inline(never)]
    fn new() -> Self {
        let signal = Arc::new(Signal {
            woken_here: AtomicBool::new(false),
            woken_away: AtomicBool::new(false),
            thread: thread::current(),
            home: number(),
        });
        Box::new(RootWaker { waker: Waker::from(signal.clone()), signal })
    }

    #[inline]
    fn renew(self) -> Option<Self> {
        let renewed = self.is_unshared().then_some(self)?;
        // Relaxed: no other thread has a waker to wake it with.
        renewed.signal.woken_here.store(false, Relaxed);
        renewed.signal.woken_away.store(false, Relaxed);
        Some(renewed)
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
