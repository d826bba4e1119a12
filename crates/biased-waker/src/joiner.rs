//! The waker of the task that awaits a join handle: whose it is, before the end and after it.
//!
//! The numbers are those of the rules of [`BORROWED`].

#![expect(unsafe_code, reason = "a flag says who may touch the joiner")]

use std::mem;
use std::task::Waker;

use executor::support::discard;
use executor::sync::atomic::Ordering::*;

use crate::task::{BORROWED, DETACHED, ENDED, TaskRef};

impl TaskRef {
    #[inline]
    pub(crate) fn is_finished(&self) -> bool {
        // Acquire: pairs with the fetch_or in `complete`.
        self.count.remote().load(Acquire) & ENDED != 0
    }

    /// Leaves `waker` for the end of the task. False if the task has ended; the owner calls this only if it has not.
    pub(crate) fn register(&self, waker: &Waker) -> bool {
        if self.local().is_none() {
            return self.register_remotely(waker);
        }
        let known = self.joiner.with(|joiner| {
            // SAFETY: this is the owner, and the handle here borrows nothing, so the joiner is the owner's (2).
            unsafe { &*joiner }.as_ref().is_some_and(|joiner| joiner.will_wake(waker))
        });
        if !known {
            let fresh = Some(waker.clone());
            // SAFETY: as above.
            let replaced = self.joiner.with_mut(|joiner| mem::replace(unsafe { &mut *joiner }, fresh));
            discard(replaced);
        }
        true
    }

    #[inline(never)]
    fn register_remotely(&self, waker: &Waker) -> bool {
        // Before the joiner is borrowed: foreign code, and it may panic.
        let mut fresh = Some(waker.clone());
        if !self.change(|remote| remote | BORROWED) {
            discard(fresh);
            return false;
        }
        self.joiner.with_mut(|joiner| {
            // SAFETY: `BORROWED` is set, so the joiner belongs to the handle (2).
            mem::swap(unsafe { &mut *joiner }, &mut fresh);
        });
        let pending = self.change(|remote| remote & !BORROWED);
        discard(fresh);
        pending
    }

    /// Makes the owner drop the result (4). False if the task has ended and the result is the handle's to drop.
    #[inline]
    pub(crate) fn detach(&self) -> bool {
        if self.local().is_none() {
            return self.change(|remote| remote | DETACHED | BORROWED);
        }
        let local = self.count.local();
        self.count.set_local(local | DETACHED);
        local & ENDED == 0
    }

    /// Changes the handle's flags in `remote`. False if the task has ended.
    fn change(&self, change: impl Fn(usize) -> usize) -> bool {
        // AcqRel: pairs with the fetch_or in `complete`: one of the two comes first, and the other sees it.
        let changed = self.count.remote().fetch_update(AcqRel, Acquire, |remote| match remote {
            _ if remote & ENDED != 0 => None,
            _ => Some(change(remote)),
        });
        changed.is_ok()
    }

    /// Whether the end came while the handle replaced the joiner, and left it there (3). For a task that has ended.
    #[inline]
    pub(crate) fn has_left_joiner(&self) -> bool {
        // Relaxed: only the handle changes this flag (1).
        self.count.remote().load(Relaxed) & BORROWED != 0
    }

    /// The joiner, if it is the handle's. For a handle that gives up its reference.
    pub(crate) fn take_joiner(&self) -> Option<Waker> {
        // Acquire: pairs with the fetch_or in `complete`.
        let remote = self.count.remote().load(Acquire);
        if remote & BORROWED == 0 && (remote & ENDED != 0 || self.local().is_none()) {
            return None;
        }
        // SAFETY: it is borrowed, or the task has not ended and this is the owner (2).
        self.joiner.with_mut(|joiner| unsafe { (*joiner).take() })
    }
}
