//! The thread of an executor that has no loop of its own, and how other threads notify it.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::task::Wake;
use std::thread::{self, Thread};

thread_local! {
    /// The address of the `Owner` that this thread drives, or 0.
    static DRIVING: Cell<usize> = const { Cell::new(0) };
}

/// Whether the calling thread drives the executor of this owner, and no other executor inside it.
#[inline]
pub(crate) fn is_here(address: usize) -> bool {
    DRIVING.get() == address
}

/// The only thread that drives the executor, which is neither `Send` nor `Sync`.
#[derive(Debug)]
pub(crate) struct Owner {
    thread: Thread,
    /// Whether another thread left work since the last check. A flag of its own, as user code may take the park token.
    notified: AtomicBool,
    /// Written and read by this thread only.
    driving: AtomicBool,
}

impl Owner {
    /// The calling thread.
    pub(crate) fn new() -> Self {
        Self { thread: thread::current(), notified: AtomicBool::new(false), driving: AtomicBool::new(false) }
    }

    /// Marks the thread as driving until the return value is dropped.
    ///
    /// # Panics
    ///
    /// When the thread drives this executor already.
    #[track_caller]
    pub(crate) fn enter(&self) -> Entered<'_> {
        assert!(
            !self.is_driven(),
            "`block_on` or `run` was called inside a task of the same executor: it would wait for itself"
        );
        self.driving.store(true, Relaxed);
        Entered { owner: self, outer: DRIVING.replace(self.address()) }
    }

    /// Whether a call of `block_on` or `run` is active. This may be so even in the executor's drop, if `exit` runs the
    /// destructors of the thread's thread-locals.
    pub(crate) fn is_driven(&self) -> bool {
        self.driving.load(Relaxed)
    }

    /// Identifies this owner as long as it exists.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Notifies the thread. Call it after the work is visible.
    pub(crate) fn notify(&self) {
        // Release: pairs with the Acquire in `take_notified`.
        if !self.notified.swap(true, Release) {
            self.thread.unpark();
        }
    }

    /// Takes the notification that other threads have left work: check for the work afterwards.
    #[inline]
    pub(crate) fn take_notified(&self) -> bool {
        // Acquire: pairs with the Release in `notify`; sees the work. A swap, so that no notification in between is
        // lost.
        self.notified.load(Relaxed) && self.notified.swap(false, Acquire)
    }

    /// Parks the thread until it is notified or `ready`. No user code runs between the check and the park.
    pub(crate) fn park_unless(&self, ready: impl Fn() -> bool) {
        while !self.notified.load(Relaxed) && !ready() {
            thread::park();
        }
    }
}

impl Wake for Owner {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // The thread is awake, and checks for work before it parks.
        if !is_here(self.address()) {
            self.notify();
        }
    }
}

/// An active call of `block_on` or `run`.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    owner: &'a Owner,
    outer: usize,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        DRIVING.set(self.outer);
        self.owner.driving.store(false, Relaxed);
    }
}
