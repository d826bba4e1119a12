//! Rung 2: a wake names the thread. It sets a flag, and the thread sleeps until that is set.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};

use executor::WakeNames;
use executor::support::{BoxedFuture, RootWaker};

use crate::Rung;

/// Polls all tasks in turn once any of them was woken, and sleeps in between.
pub struct Core {
    tasks: RefCell<VecDeque<BoxedFuture>>,
    signal: Arc<Signal>,
    waker: Waker,
}

/// What every waker leads to.
struct Signal {
    woken: AtomicBool,
    thread: Thread,
}

impl Default for Core {
    fn default() -> Self {
        let signal = Arc::new(Signal { woken: AtomicBool::new(false), thread: thread::current() });
        Self { tasks: RefCell::default(), waker: Waker::from(signal.clone()), signal }
    }
}

impl Rung for Core {
    const NAME: &'static str = "ladder-park";
    const WAKE_NAMES: WakeNames = WakeNames::Thread;

    fn waker(&self) -> Option<&Waker> {
        Some(&self.waker)
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker {
        self.tasks.borrow_mut().push_back(Box::pin(future));
        self.waker.wake_by_ref();
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

    /// A wake between the look and `park` makes `park` return at once. It may also return for no reason: hence a loop.
    fn wait(&self, _: &RootWaker) {
        // Acquire: pairs with the Release in `wake_by_ref`. Cleared *before* the next polls: a wake during one sets it.
        while !self.signal.woken.swap(false, Acquire) {
            thread::park();
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the Acquire before the poll, which sees what this thread wrote, even if the flag was set.
        if !self.woken.swap(true, Release) {
            self.thread.unpark();
        }
    }
}
