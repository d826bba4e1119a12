//! Rung 1: a wake names nobody. All tasks are polled in turn, over and over, so there is nothing to tell the executor.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hint;
use std::task::{Context, Waker};

use executor::WakeNames;
use executor::support::{BoxedFuture, RootWaker};

use crate::Rung;

/// Polls all tasks in turn, and never rests.
pub struct Core {
    tasks: RefCell<VecDeque<BoxedFuture>>,
    waker: Waker,
}

impl Default for Core {
    fn default() -> Self {
        // All are clones of one, as the vtable behind `Waker::noop` may exist twice: for `will_wake` they would differ.
        Self { tasks: RefCell::default(), waker: Waker::noop().clone() }
    }
}

impl Rung for Core {
    const NAME: &'static str = "ladder-noop";
    const WAKE_NAMES: WakeNames = WakeNames::Nobody;

    fn waker(&self) -> Option<&Waker> {
        Some(&self.waker)
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker {
        self.tasks.borrow_mut().push_back(Box::pin(future));
        self.waker.clone()
    }

    fn tasks(&self) -> usize {
        self.tasks.borrow().len()
    }

    fn poll_tasks(&self) {
        for _ in 0..self.tasks() {
            // Taken out, so that a future may use the executor during its poll.
            let Some(mut future) = self.tasks.borrow_mut().pop_front() else { return };
            if future.as_mut().poll(&mut Context::from_waker(&self.waker)).is_pending() {
                self.tasks.borrow_mut().push_back(future);
            }
        }
    }

    /// Nothing says when a poll is worth while: on to the next at once.
    fn wait(&self, _: &RootWaker) {
        hint::spin_loop();
    }
}
