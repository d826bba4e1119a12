//! Rung 5: the same, in one allocation. One word holds the flag and the references, which are counted by hand.

#![expect(unsafe_code, reason = "a vtable deals in untyped pointers, and in references that the compiler does not see")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};
use std::thread;

use executor::WakeNames;
use executor::support::RootWaker;

use crate::Rung;
use crate::joint::{self, Joint};
use crate::vtable::Signal;

/// Polls the tasks that were woken, and sleeps in between.
#[derive(Default)]
pub struct Core {
    /// All that have not ended, by their keys. No key is used twice.
    tasks: RefCell<BTreeMap<u64, Live>>,
    next_key: Cell<u64>,
    signal: Arc<Signal>,
}

/// What the wakers of one task point at. Its future comes behind it.
struct Header {
    key: u64,
    state: AtomicUsize,
    signal: Arc<Signal>,
}

/// A task that has not ended. The future is dropped first, and then the executor's own reference, which is the waker's.
struct Live {
    task: Joint<Header>,
    waker: Waker,
}

/// Set from a wake to the poll that it causes: so the key is in the queue at most once.
const QUEUED: usize = 1;
/// One reference. The references stand above the flag.
const REFERENCE: usize = 2;

impl Rung for Core {
    const NAME: &'static str = "ladder-raw";
    const WAKE_NAMES: WakeNames = WakeNames::Task;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker {
        let key = self.next_key.replace(self.next_key.get() + 1);
        let header = Header { key, state: AtomicUsize::new(REFERENCE), signal: self.signal.clone() };
        let task = Joint::new(header, future);
        // SAFETY: the functions of `VTABLE` ask for this pointer, with a reference that is the waker's.
        let waker = unsafe { Waker::new(task.as_ptr().cast(), &VTABLE) };
        let live = Live { task, waker };
        let waker = live.waker.clone();
        self.tasks.borrow_mut().insert(key, live);
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
            let Some(mut live) = self.tasks.borrow_mut().remove(&key) else { continue };
            // Acquire: pairs with the Release in `wake_by_ref`. *Before* the poll: a wake during it is not lost.
            live.task.header().state.fetch_and(!QUEUED, Acquire);
            if live.task.poll(&mut Context::from_waker(&live.waker)).is_pending() {
                self.tasks.borrow_mut().insert(key, live);
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

/// A named `static`: `will_wake` compares its address, and one that is made in place may exist several times.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// # Safety
///
/// For all four: `data` comes from `Joint::as_ptr`, and the caller's waker has a reference.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker keeps its reference.
    let header = unsafe { &*data.cast::<Header>() };
    // Relaxed: the new waker's reference is made from one that keeps the task.
    if header.state.fetch_add(REFERENCE, Relaxed) > usize::MAX / 2 {
        // A count that wraps would free a task in use.
        process::abort();
    }
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
    let header = unsafe { &*data.cast::<Header>() };
    // Release: pairs with the Acquire before the poll, which sees what this thread wrote, even if the flag was set.
    if header.state.fetch_or(QUEUED, Release) & QUEUED == 0 {
        header.signal.ready().push_back(header.key);
        header.signal.thread.unpark();
    }
}

unsafe fn release(data: *const ()) {
    // SAFETY: the waker has its reference until the next step.
    let header = unsafe { &*data.cast::<Header>() };
    // AcqRel: the thread that frees the task sees what others did with theirs. The old value: one, queued or not.
    if header.state.fetch_sub(REFERENCE, AcqRel) < 2 * REFERENCE {
        // SAFETY: it was the last. The executor's own went after the future, as `Live` says.
        unsafe { joint::free(data.cast::<Header>()) };
    }
}
