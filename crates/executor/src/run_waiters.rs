use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::foreign::UNPOISONED;
use crate::support::Driver;
use crate::sync::atomic::{AtomicBool, Ordering::*};
use crate::sync::{Mutex, MutexGuard};

/// Wakes the calls of `run` once no task is left.
///
/// Only the driving thread can tell that cheaply: it sees each task end, so no other thread has to count. A call that
/// waits asks it, by setting a flag and unparking the driver. The driver clears the flag at a moment when there is no
/// task, and wakes all calls that asked before. While there are tasks the flag stays set, and the driver looks again
/// after each round.
#[derive(Default)]
pub struct RunWaiters {
    /// There are entries in `waiting`.
    awaited: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// How often the executor was found empty.
    times: usize,
    wakers: Vec<Waker>,
}

impl RunWaiters {
    /// No call waits yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a call waits. The driving thread asks before it parks.
    #[inline]
    pub fn any(&self) -> bool {
        // Relaxed: a waiter unparks the driver after it has set the flag, and that orders the two.
        self.awaited.load(Relaxed)
    }

    /// Wakes the calls that wait, if there are any and `is_empty` says that no task is left. Only for the driving
    /// thread.
    #[inline]
    pub fn notify_if_empty(&self, is_empty: impl FnOnce() -> bool) {
        if self.any() {
            self.announce(is_empty);
        }
    }

    fn announce(&self, is_empty: impl FnOnce() -> bool) {
        let wakers = {
            let mut waiting = self.waiting();
            // Asked under the lock: who has spawned a task and then waits has done both before, or waits after this.
            if !is_empty() {
                return;
            }
            waiting.times = waiting.times.wrapping_add(1);
            self.awaited.store(false, Relaxed);
            mem::take(&mut waiting.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Completes once the executor has been empty after the first poll. `driver` is unparked to check.
    pub fn wait<'a>(&'a self, driver: &'a Driver) -> RunWait<'a> {
        RunWait { waiters: self, driver, since: None }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect(UNPOISONED)
    }
}

impl fmt::Debug for RunWaiters {
    /// Shows no more: a writer is foreign code, and must not run under the lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunWaiters").field("awaited", &self.awaited).finish_non_exhaustive()
    }
}

/// The future of [`RunWaiters::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct RunWait<'a> {
    waiters: &'a RunWaiters,
    driver: &'a Driver,
    /// How often the executor had been found empty at the first poll.
    since: Option<usize>,
}

impl Future for RunWait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloned before the lock is taken: cloning a waker runs foreign code.
        let waker = cx.waker().clone();
        {
            let mut waiting = self.waiters.waiting();
            if *self.since.get_or_insert(waiting.times) != waiting.times {
                return Poll::Ready(());
            }
            if !waiting.wakers.iter().any(|known| known.will_wake(&waker)) {
                waiting.wakers.push(waker);
            }
            self.waiters.awaited.store(true, Relaxed);
        }
        self.driver.unpark();
        Poll::Pending
    }
}
