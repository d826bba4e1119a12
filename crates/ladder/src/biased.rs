//! Rung 3: a wake names the task. It puts the task into the ready queue, and nothing but what is there is polled.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use executor::WakeNames;
use executor::support::BoxedFuture;

use crate::Rung;

/// Polls the tasks that were woken, and sleeps in between.
#[derive(Default)]
pub struct Core {
    tasks: RefCell<BTreeMap<usize, (Arc<Task>, BoxedFuture)>>,
    next_key: Cell<usize>,
    signal: Arc<Signal>,
}

/// What a wake changes.
struct Signal {
    woken: AtomicBool,
    /// The keys of the tasks that were woken. No references: they would keep each other alive.
    ready: Mutex<VecDeque<usize>>,
    thread: Thread,
}

/// What the wakers of a task point at.
struct Task {
    key: usize,
    /// Set from a wake to the poll that it causes: so the key is queued at most once.
    queued: AtomicBool,
    signal: Arc<Signal>,
}

impl Rung for Core {
    const NAME: &'static str = "ladder-biased";
    const WAKE_NAMES: WakeNames = WakeNames::Task;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker {
        let key = self.next_key.replace(self.next_key.get() + 1);
        let task = Arc::new(Task { key, queued: AtomicBool::new(false), signal: self.signal.clone() });
        self.tasks.borrow_mut().insert(key, (task.clone(), Box::pin(future)));
        task.wake_by_ref();
        Waker::from(task)
    }

    fn block_on<F: Future>(&self, mut root: Pin<&mut F>) -> F::Output {
        let waker = self.waker();
        waker.wake_by_ref();
        loop {
            let cx = &mut Context::from_waker(&waker);
            if let Some(Poll::Ready(output)) = self.signal.take_woken().then(|| root.as_mut().poll(cx)) {
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
        let ready = self.signal.ready().len();
        for _ in 0..ready {
            let Some(key) = self.signal.ready().pop_front() else { return };
            // Taken out, so that a future may use the executor during its poll. None if it has ended.
            let Some((task, mut future)) = self.tasks.borrow_mut().remove(&key) else { continue };
            // Acquire: pairs with the Release in `Task::wake_by_ref`. Before the poll, as in `take_woken`.
            task.queued.swap(false, Acquire);
            let waker = Waker::from(task.clone());
            let cx = &mut Context::from_waker(&waker);
            if future.as_mut().poll(cx).is_pending() {
                self.tasks.borrow_mut().insert(key, (task, future));
            }
        }
    }

    /// Sleeps until there was a wake. If it comes between the look at the flag and `park`, that returns at once. It may
    /// also return for no reason: hence the loop.
    fn wait(&self) {
        while !self.signal.woken.load(Relaxed) && self.signal.ready().is_empty() {
            thread::park();
        }
    }
}

impl Default for Signal {
    fn default() -> Self {
        Self { woken: AtomicBool::new(false), ready: Mutex::default(), thread: thread::current() }
    }
}

impl Signal {
    /// Clears the flag. Call it *before* the polls: then a wake during one of them is not lost.
    fn take_woken(&self) -> bool {
        // Acquire: pairs with the Release in `wake_by_ref`; the polls see what every waking thread wrote.
        self.woken.swap(false, Acquire)
    }

    fn ready(&self) -> MutexGuard<'_, VecDeque<usize>> {
        self.ready.lock().expect("nothing panics under this lock")
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

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the Acquire in `poll_tasks`.
        if !self.queued.swap(true, Release) {
            self.signal.ready().push_back(self.key);
            self.signal.thread.unpark();
        }
    }
}
