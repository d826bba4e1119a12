//! Rung 4: the same, with nothing hidden in a waker: four functions, each of which keeps a reference or uses it up.

#![expect(unsafe_code, reason = "a vtable deals in untyped pointers, and in references that the compiler does not see")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};
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
pub(crate) struct Signal {
    /// Keys, and no references: these would lead back here, and nobody would free the cycle.
    ready: Mutex<VecDeque<u64>>,
    pub(crate) thread: Thread,
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
    const NAME: &'static str = "ladder-vtable";
    const WAKE_NAMES: WakeNames = WakeNames::Task;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker {
        let key = self.next_key.replace(self.next_key.get() + 1);
        let task = Arc::new(Task { key, queued: AtomicBool::new(false), signal: self.signal.clone() });
        // SAFETY: the functions of `VTABLE` ask for this pointer, with a reference that is the waker's.
        let waker = unsafe { Waker::new(Arc::into_raw(task.clone()).cast(), &VTABLE) };
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
    pub(crate) fn ready(&self) -> MutexGuard<'_, VecDeque<u64>> {
        self.ready.lock().expect("nothing panics under this lock")
    }
}

/// A named `static`: `will_wake` compares its address, and one that is made in place may exist several times.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// # Safety
///
/// For all four: `data` comes from `Arc::into_raw`, and the caller's waker has a reference.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker keeps its reference. This one is for the new waker.
    unsafe { Arc::increment_strong_count(data.cast::<Task>()) };
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: the waker has its reference until it is released.
    unsafe { wake_by_ref(data) };
    // SAFETY: the waker is used up.
    unsafe { release(data) };
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker keeps its reference.
    let task = unsafe { &*data.cast::<Task>() };
    // Release: pairs with the Acquire before the poll, which sees what this thread wrote, even if the flag was set.
    if !task.queued.swap(true, Release) {
        task.signal.ready().push_back(task.key);
        task.signal.thread.unpark();
    }
}

unsafe fn release(data: *const ()) {
    // SAFETY: the waker is gone, and nobody else gives its reference back.
    unsafe { Arc::decrement_strong_count(data.cast::<Task>()) };
}
