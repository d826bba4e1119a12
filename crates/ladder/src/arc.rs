//! Rung 3: a wake names the task. It puts the task into the ready queue, and only what is there is polled.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};

use executor::WakeNames;
use executor::support::{BoxedFuture, RootWaker};

use crate::Rung;

/// Polls the tasks that were woken, and sleeps in between.
#[derive(Default)]
pub struct Core {
    /// All that have not ended, by their keys. No key is used twice.
    #[expect(clippy::type_complexity, reason = "the three are named wherever they are taken out")]
    tasks: RefCell<BTreeMap<u64, (BoxedFuture, Waker, Arc<Task>)>>,
    next_key: Cell<u64>,
    signal: Arc<Signal>,
}

/// What every waker leads to.
struct Signal {
    /// Keys, and no references: these would lead back here, and nobody would free the cycle.
    ready: Mutex<VecDeque<u64>>,
    thread: Thread,
}

/// What the wakers of one task point at.
struct Task {
    key: u64,
    /// Set from a wake to the poll that it causes: so the key is in the queue at most once.
    queued: AtomicBool,
    signal: Arc<Signal>,
}

impl Default for Signal {
    fn default() -> Self {
        Self { ready: Mutex::default(), thread: thread::current() }
    }
}

impl Rung for Core {
    const NAME: &'static str = "ladder-arc";
    const WAKE_NAMES: WakeNames = WakeNames::Task;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker {
        let key = self.next_key.replace(self.next_key.get() + 1);
        let task = Arc::new(Task { key, queued: AtomicBool::new(false), signal: self.signal.clone() });
        let waker = Waker::from(task.clone());
        self.tasks.borrow_mut().insert(key, (Box::pin(future), waker.clone(), task));
        waker.wake_by_ref();
        waker
    }

    fn tasks(&self) -> usize {
        self.tasks.borrow().len()
    }

    fn poll_tasks(&self) {
        let ready = self.signal.ready().len();
        for _ in 0..ready {
            let Some(key) = self.signal.ready().pop_front() else { return };
            // Taken out, so that a future may use the executor during its poll.
            let Some((mut future, waker, task)) = self.tasks.borrow_mut().remove(&key) else { continue };
            // Acquire: pairs with the Release in `wake_by_ref`. *Before* the poll: a wake during it is not lost.
            task.queued.swap(false, Acquire);
            if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                self.tasks.borrow_mut().insert(key, (future, waker, task));
            }
        }
    }

    /// A wake between the look and `park` makes `park` return at once. It may also return for no reason: hence a loop.
    fn wait(&self, root: &RootWaker) {
        while !root.is_woken() && self.signal.ready().is_empty() {
            thread::park();
        }
    }
}

impl Signal {
    fn ready(&self) -> MutexGuard<'_, VecDeque<u64>> {
        self.ready.lock().expect("nothing panics under this lock")
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the Acquire before the poll, which sees what this thread wrote, even if the flag was set.
        if !self.queued.swap(true, Release) {
            self.signal.ready().push_back(self.key);
            self.signal.thread.unpark();
        }
    }
}
