use std::ptr;
use std::sync;
use std::task::{Wake, Waker};

use crate::cached::{Cached, Renew};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, Ordering::*, fence};
use crate::sync::thread::{self, Thread};
use crate::sync::thread_local;
use crate::thread_id;

thread_local! {
    /// In a box, as each call moves it twice.
    static CACHED: Cached<Box<RootWaker>> = const { Cached::new() };
}

/// The waker for the root, the future of a `block_on`, in the strategies where a wake names the task. The root is no
/// task and stays on its thread's stack, so its waker is a flag and the thread.
///
/// park-waker, where every waker is of this kind, spells out and explains its own.
#[derive(Debug)]
pub struct RootWaker {
    signal: Arc<Signal>,
    waker: Waker,
}

#[derive(Debug)]
struct Signal {
    /// Woken on its own thread. No other thread touches this, so plain loads and stores do.
    woken_locally: AtomicBool,
    /// Woken by another thread.
    woken_remotely: AtomicBool,
    thread: Thread,
    /// The same thread, as [`thread_id`] names it.
    owner: usize,
}

impl RootWaker {
    /// Calls `f` with a waker for the calling thread that is not woken yet. See [`Cached::with`].
    #[inline]
    pub fn with<R>(f: impl FnOnce(&RootWaker) -> R) -> R {
        Cached::with(&CACHED, |root| f(root))
    }

    #[inline]
    fn is_unshared(&self) -> bool {
        // The two references of this waker are `signal` and `waker`. The fence orders the wakes of clones that are gone
        // before what comes next.
        let unshared = Arc::strong_count(&self.signal) == 2;
        fence(Acquire);
        unshared
    }

    /// Tells the call that this waker is for from all others under way.
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
        self.signal.woken_locally.load(Relaxed) || self.signal.woken_remotely.load(Relaxed)
    }

    /// Like [`is_woken`](Self::is_woken), and clears it: call this before the poll.
    #[inline]
    pub fn take_woken(&self) -> bool {
        let local = self.signal.woken_locally.load(Relaxed);
        self.signal.woken_locally.store(false, Relaxed);
        // Acquire: pairs with the Release in `wake_by_ref`; the poll sees what every waking thread wrote. A swap, as
        // a load and a store would miss a wake in between.
        let remote = self.signal.woken_remotely.load(Relaxed) && self.signal.woken_remotely.swap(false, Acquire);
        local || remote
    }
}

impl Renew for Box<RootWaker> {
    #[cold]
    #[inline(never)]
    fn new() -> Self {
        let signal = Arc::new(Signal {
            woken_locally: AtomicBool::new(false),
            woken_remotely: AtomicBool::new(false),
            thread: thread::current(),
            owner: thread_id::assign(),
        });
        Box::new(RootWaker { waker: Waker::from(signal.clone()), signal })
    }

    #[inline]
    fn renew(self) -> Option<Self> {
        let renewed = self.is_unshared().then_some(self)?;
        // Relaxed: no other thread has a waker to wake it with.
        renewed.signal.woken_locally.store(false, Relaxed);
        renewed.signal.woken_remotely.store(false, Relaxed);
        Some(renewed)
    }
}

impl Wake for Signal {
    fn wake(self: sync::Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &sync::Arc<Self>) {
        if self.owner == thread_id::current() {
            // Its own thread is awake, and looks at the flag before it parks.
            self.woken_locally.store(true, Relaxed);
        } else if !self.woken_remotely.swap(true, Release) {
            // Release: pairs with the Acquire in `take_woken`. A swap even if the flag is set already, so that this
            // wake, too, happens before the poll.
            self.thread.unpark();
        }
    }
}
