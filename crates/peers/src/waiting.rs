//! The threads inside `run` of an executor that counts its tasks, but does not say when none is left.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering::*, fence};
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;

use executor::support::UNPOISONED;

/// The active calls of `run`. The thread that drives checks them when it has nothing to do, which costs the tasks
/// nothing.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    any: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Waiting {
    /// Registers to be woken when no task is left. Check the number of tasks after this call, not before.
    pub(crate) fn add(&self, waker: &Waker) {
        let mut wakers = self.wakers();
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
        self.any.store(true, Relaxed);
        drop(wakers);
        fence(SeqCst);
    }

    /// Wakes all waiters, if there are any and `none_left` confirms that no task is left.
    pub(crate) fn wake_if(&self, none_left: impl FnOnce() -> bool) {
        if !self.any.load(Relaxed) || !none_left() {
            return;
        }
        let waiting = {
            let mut wakers = self.wakers();
            self.any.store(false, Relaxed);
            mem::take(&mut *wakers)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn wakers(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.wakers.lock().expect(UNPOISONED)
    }
}
