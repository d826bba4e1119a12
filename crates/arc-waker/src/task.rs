//! A spawned future: what all its wakers share, and what only the driving thread uses.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::support::BoxedFuture;
use executor::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};

use crate::executor::Shared;

/// What the wakers of a task share: whether it is in the ready queue, and its key.
///
/// ```text
///            wake (1)               poll (2)
///   idle ──────────────▶ queued ──────────────▶ running ──▶ ended (4)
///    ▲                     ▲                       │
///    │                     └── woken meanwhile (3) ┤
///    └────────────── not woken meanwhile ──────────┘
/// ```
///
/// (1) `wake_by_ref` sets `queued`, and queues the task if the flag was clear: so it is in the queue at most once.
/// (2) `Running::poll`: the driving thread has taken the task out and clears `queued` *before* it polls. (3) A wake
/// during the poll finds the flag clear and queues the task again: it cannot be lost. (4) `Running::complete`: the
/// future is gone, and `queued` is set for good, so no later wake queues the task.
pub(crate) struct Task {
    /// The slot in the executor's list. Set before `queued` is cleared for the first time.
    pub(crate) key: AtomicUsize,
    pub(crate) queued: AtomicBool,
    pub(crate) shared: Arc<Shared>,
}

impl Task {
    /// Begins as queued: the spawn queues or sends it.
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { key: AtomicUsize::new(usize::MAX), queued: AtomicBool::new(true), shared })
    }
}

/// A future that has not ended, with the waker that it is polled with. That is made once, so that a poll counts
/// nothing.
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

    /// Sets `queued` for good. True if it was set: then the key is in the ready queue or on its way there.
    pub(crate) fn complete(self) -> bool {
        // Relaxed: no poll comes after this one.
        self.task.queued.swap(true, Relaxed)
    }
}
