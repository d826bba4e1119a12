//! A spawned future: what every waker of it shares, and what is only for the thread that drives.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::support::BoxedFuture;
use executor::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

use crate::executor::Shared;

/// What the wakers of a task share: whether it is in the ready queue, and where it is listed.
///
/// ```text
///            wake (1)               poll (2)
///   idle ──────────────▶ queued ──────────────▶ running ──▶ ended (4)
///    ▲                     ▲                       │
///    │                     └── woken meanwhile (3) ┤
///    └────────────── not woken meanwhile ──────────┘
/// ```
///
/// (1) `queued` goes from false to true, and whoever changed it queues the task: so it is in the queue at most once.
/// (2) The driving thread takes it out and clears `queued` *before* it polls. (3) A wake during the poll finds the flag
/// cleared and queues the task again: it cannot be lost. (4) The future is gone, and `queued` is set for good, so no
/// later wake queues the task.
pub(crate) struct Task {
    /// Where the executor lists it. Set before `queued` is cleared for the first time.
    pub(crate) key: AtomicUsize,
    pub(crate) queued: AtomicBool,
    pub(crate) shared: Arc<Shared>,
}

impl Task {
    /// Counts as queued: whoever makes it lists or sends it.
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { key: AtomicUsize::new(usize::MAX), queued: AtomicBool::new(true), shared })
    }
}

/// A future that has not ended, and what it is polled with. Made once, so that a poll counts nothing.
pub(crate) struct Running {
    task: Arc<Task>,
    waker: Waker,
    future: BoxedFuture,
}

impl Running {
    pub(crate) fn new(task: Arc<Task>, future: BoxedFuture) -> Self {
        Self { waker: Waker::from(task.clone()), task, future }
    }

    /// Polls the future, once.
    #[inline]
    pub(crate) fn poll(&mut self) -> Poll<()> {
        // AcqRel: pairs with the swap in `wake_by_ref`; the poll sees what every waking thread wrote.
        self.task.queued.swap(false, AcqRel);
        self.future.as_mut().poll(&mut Context::from_waker(&self.waker))
    }

    /// Sets `queued` for good, and says whether it was: then the key is on its way to the ready queue, or in it.
    pub(crate) fn complete(self) -> bool {
        // Relaxed: no poll comes after this one.
        self.task.queued.swap(true, Relaxed)
    }
}
