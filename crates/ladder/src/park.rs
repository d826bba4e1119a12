//! Rung 2: a wake names the thread. A flag says that somebody woke, and the thread sleeps until it is set.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use executor::WakeNames;
use executor::support::BoxedFuture;

use crate::Rung;

/// Polls all tasks in turn once any of them was woken, and sleeps in between.
#[derive(Default)]
pub struct Core {
    tasks: RefCell<VecDeque<BoxedFuture>>,
    signal: Arc<Signal>,
}

/// What a wake changes.
struct Signal {
    woken: AtomicBool,
    thread: Thread,
}

impl Rung for Core {
    const NAME: &'static str = "ladder-park";
    const WAKE_NAMES: WakeNames = WakeNames::Thread;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker {
        self.tasks.borrow_mut().push_back(Box::pin(future));
        self.signal.wake_by_ref();
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
        Waker::from(self.signal.clone())
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

    /// Sleeps until there was a wake. If it comes between the look at the flag and `park`, that returns at once. It may
    /// also return for no reason: hence the loop.
    fn wait(&self) {
        while !self.signal.take_woken() {
            thread::park();
        }
    }
}

impl Default for Signal {
    fn default() -> Self {
        Self { woken: AtomicBool::new(false), thread: thread::current() }
    }
}

impl Signal {
    /// Clears the flag. Call it *before* the polls: then a wake during one of them is not lost.
    fn take_woken(&self) -> bool {
        // Acquire: pairs with the Release in `wake_by_ref`; the polls see what every waking thread wrote.
        self.woken.swap(false, Acquire)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the Acquire in `take_woken`. A swap even where the flag is set, so that this wake, too,
        // happens before the poll.
        if !self.woken.swap(true, Release) {
            self.thread.unpark();
        }
    }
}
