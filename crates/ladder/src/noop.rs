//! Rung 1: a wake names nobody. All tasks are polled in turn, over and over, so there is nothing to tell the executor.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hint;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use executor::WakeNames;
use executor::support::BoxedFuture;

use crate::Rung;

/// Polls all tasks in turn, and never rests.
#[derive(Default)]
pub struct Core {
    tasks: RefCell<VecDeque<BoxedFuture>>,
}

impl Rung for Core {
    const NAME: &'static str = "ladder-noop";
    const WAKE_NAMES: WakeNames = WakeNames::Nobody;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker {
        self.tasks.borrow_mut().push_back(Box::pin(future));
        self.waker()
    }

    fn block_on<F: Future>(&self, mut root: Pin<&mut F>) -> F::Output {
        let waker = self.waker();
        loop {
            let cx = &mut Context::from_waker(&waker);
            if let Poll::Ready(output) = root.as_mut().poll(cx) {
                return output;
            }
            self.poll_tasks();
            self.wait();
        }
    }

    fn run(&self) {
        loop {
            self.poll_tasks();
            if self.tasks() == 0 {
                return;
            }
            self.wait();
        }
    }

    fn tasks(&self) -> usize {
        self.tasks.borrow().len()
    }
}

impl Core {
    fn waker(&self) -> Waker {
        Waker::noop().clone()
    }

    /// One round, first in, first out.
    fn poll_tasks(&self) {
        let waker = self.waker();
        for _ in 0..self.tasks() {
            // Taken out, so that a future may use the executor during its poll.
            let Some(mut task) = self.tasks.borrow_mut().pop_front() else { return };
            let cx = &mut Context::from_waker(&waker);
            if task.as_mut().poll(cx).is_pending() {
                self.tasks.borrow_mut().push_back(task);
            }
        }
    }

    /// Nothing says when a poll is worth while: go on at once.
    fn wait(&self) {
        hint::spin_loop();
    }
}
