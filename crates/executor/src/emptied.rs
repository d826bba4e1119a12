use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::foreign::UNPOISONED;
use crate::support::Driver;
use crate::sync::atomic::{AtomicBool, Ordering::*};
use crate::sync::{Mutex, MutexGuard};

/// Tells those who wait in `run` that no task is left.
///
/// Only the driving thread can tell that cheaply, as it sees each task end; nobody has to count. Who waits asks it: a
/// flag is raised and the driver unparked. The driver lowers the flag at a moment when there is no task, and wakes all
/// who asked before. While there are tasks the flag stays up, and the driver looks again after each round.
#[derive(Default)]
pub struct Emptied {
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

impl Emptied {
    /// An event that nobody waits for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether somebody waits. The driving thread asks before it parks.
    #[inline]
    pub fn is_awaited(&self) -> bool {
        // Relaxed: a waiter unparks the driver after it has set the flag, and that orders the two.
        self.awaited.load(Relaxed)
    }

    /// Wakes those who wait, if there are any and `is_empty` says that no task is left. For the driving thread.
    #[inline]
    pub fn announce_if(&self, is_empty: impl FnOnce() -> bool) {
        if self.is_awaited() {
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

    /// Ready at a moment, after its first poll, when no task is left. `driver` is whom to ask.
    pub fn wait<'a>(&'a self, driver: &'a Driver) -> UntilEmptied<'a> {
        UntilEmptied { emptied: self, driver, since: None }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect(UNPOISONED)
    }
}

impl fmt::Debug for Emptied {
    /// Shows no more than this: a writer is foreign code, and must not run under the lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emptied").field("awaited", &self.awaited).finish_non_exhaustive()
    }
}

/// The future of [`Emptied::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct UntilEmptied<'a> {
    emptied: &'a Emptied,
    driver: &'a Driver,
    /// How often the executor had been found empty at the first poll.
    since: Option<usize>,
}

impl Future for UntilEmptied<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloned before the lock is taken: cloning a waker runs foreign code.
        let waker = cx.waker().clone();
        {
            let mut waiting = self.emptied.waiting();
            if *self.since.get_or_insert(waiting.times) != waiting.times {
                return Poll::Ready(());
            }
            if !waiting.wakers.iter().any(|known| known.will_wake(&waker)) {
                waiting.wakers.push(waker);
            }
            self.emptied.awaited.store(true, Relaxed);
        }
        self.driver.unpark();
        Poll::Pending
    }
}
