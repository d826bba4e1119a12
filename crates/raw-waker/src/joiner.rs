//! The waker of the task that awaits a join handle: whose it is, before the end and after it.
//!
//! The numbers are those of the rules of [`JOINER`].

#![expect(unsafe_code, reason = "a flag says who may touch the joiner")]

use std::mem;
use std::task::Waker;

use executor::support::discard;
use executor::sync::atomic::Ordering::*;

use crate::task::{ENDED, HANDLE, JOINER, TaskRef};

impl TaskRef {
    #[inline]
    pub(crate) fn is_finished(&self) -> bool {
        // Acquire: pairs with the fetch_or in `complete`.
        self.state.load(Acquire) & ENDED != 0
    }

    /// Leaves `waker` for the end of the task. False if the task has ended.
    pub(crate) fn register(&self, waker: &Waker) -> bool {
        // Before the joiner is taken back: foreign code, and it may panic.
        let mut fresh = Some(waker.clone());
        // Relaxed: only the handle changes this flag (1).
        if self.state.load(Relaxed) & JOINER != 0 && !self.change(|state| state & !JOINER) {
            discard(fresh);
            return false;
        }
        self.joiner.with_mut(|joiner| {
            // SAFETY: `JOINER` is clear, so the joiner belongs to the handle (2).
            mem::swap(unsafe { &mut *joiner }, &mut fresh);
        });
        let pending = self.change(|state| state | JOINER);
        discard(fresh);
        pending
    }

    /// Makes the driving thread drop the result (4). False if the task has ended and the result is the handle's to
    /// drop.
    #[inline]
    pub(crate) fn detach(&self) -> bool {
        self.change(|state| state & !(HANDLE | JOINER))
    }

    /// Changes the handle's flags. False if the task has ended.
    fn change(&self, change: impl Fn(usize) -> usize) -> bool {
        // AcqRel: pairs with the fetch_or in `complete`: one of the two comes first, and the other sees it.
        let changed = self.state.fetch_update(AcqRel, Acquire, |state| match state {
            _ if state & ENDED != 0 => None,
            _ => Some(change(state)),
        });
        changed.is_ok()
    }

    /// Whether the end came while the handle replaced the joiner, and left it there (3). For a task that has ended.
    #[inline]
    pub(crate) fn has_left_joiner(&self) -> bool {
        // Relaxed: only the handle changes this flag (1).
        self.state.load(Relaxed) & JOINER == 0
    }

    /// The joiner, if it is the handle's. For a handle that gives up its reference.
    pub(crate) fn take_joiner(&self) -> Option<Waker> {
        // Relaxed: only the handle changes this flag (1).
        if self.state.load(Relaxed) & JOINER != 0 {
            return None;
        }
        // SAFETY: `JOINER` is clear, so the joiner belongs to the handle (2).
        self.joiner.with_mut(|joiner| unsafe { (*joiner).take() })
    }
}
