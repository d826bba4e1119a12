//! A spawned future, shared by the ready queue, the executor's list of tasks and every waker.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::support::BoxedFuture;
use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::{Mutex, MutexGuard};

use crate::executor::Shared;

/// A spawned future and whether it is in the ready queue.
///
/// ```text
///            wake (1)               poll (2)
///   idle ──────────────▶ queued ──────────────▶ running ──▶ ended (4)
///    ▲                     ▲                       │
///    │                     └── woken meanwhile (3) ┤
///    └────────────── not woken meanwhile ──────────┘
/// ```
///
/// (1) `queued` goes from false to true, and whoever changed it sends the task: so it is in the queue at most once.
/// (2) The driving thread takes it out and clears `queued` *before* it polls. (3) A wake during the poll finds the flag
/// cleared and sends the task again: it cannot be lost. (4) The future is gone; a later wake sends the task once more,
/// and the driving thread finds nothing to poll in it.
pub(crate) struct Task {
    /// Where it stands in the executor's list.
    pub(crate) key: usize,
    pub(crate) queued: AtomicBool,
    /// The future until it ends. Only the thread that drives or drops the executor locks it, so it never waits, and
    /// what runs under the lock cannot meet it; it is there because nothing else convinces the compiler.
    future: Mutex<Option<BoxedFuture>>,
    pub(crate) shared: Arc<Shared>,
}

impl Task {
    /// Counts as queued: whoever makes it sends it.
    pub(crate) fn new(key: usize, future: BoxedFuture, shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { key, queued: AtomicBool::new(true), future: Mutex::new(Some(future)), shared })
    }

    /// Polls the future, once, if there still is one. `Ready` when it has ended with this poll.
    pub(crate) fn poll(self: &Arc<Self>) -> Poll<()> {
        // AcqRel: pairs with the swap in `wake_by_ref`; the poll sees what every waking thread wrote.
        self.queued.swap(false, AcqRel);
        let waker = Waker::from(self.clone());
        let mut future = self.lock();
        let Some(running) = future.as_mut() else {
            return Poll::Pending;
        };
        let poll = running.as_mut().poll(&mut Context::from_waker(&waker));
        if poll.is_ready() {
            *future = None;
        }
        poll
    }

    /// Drops the future without another poll.
    pub(crate) fn cancel(&self) {
        let future = self.lock().take();
        drop(future);
    }

    fn lock(&self) -> MutexGuard<'_, Option<BoxedFuture>> {
        self.future.lock().expect("spawned futures are wrapped so that they do not panic")
    }
}
