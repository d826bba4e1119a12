//! Rung 6: the same, with two counts: the owner's, which takes no atomic operation, and that of all other threads.
//!
//! The owner is the thread that spawned the task and polls it. Only the sum of the counts means anything, and nobody
//! asks for it before the task has ended. Then the owner adds its own to the other, which from now on counts alone.

#![expect(unsafe_code, reason = "a vtable deals in untyped pointers, and in references that the compiler does not see")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::*};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};
use std::thread;

use executor::WakeNames;
use executor::support::{RootWaker, thread_id};

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
    owner: usize,
    /// The owner's count. Other threads ask who the owner is, and go no further.
    local: Cell<u64>,
    /// The flag, and the count of all other threads.
    remote: AtomicU64,
    signal: Arc<Signal>,
}

/// A task that has not ended. Its counts are merged, then the future is dropped, and then the executor's own reference,
/// which is the waker's.
struct Live {
    task: Joint<Header>,
    waker: Waker,
}

/// Set from a wake to the poll that it causes: so the key is in the queue at most once.
const QUEUED: u64 = 1;
/// In either word: the task has ended, and its references are all in `remote`.
const MERGED: u64 = 2;
/// One reference. A side that drops what the other has cloned falls below zero, and wraps. Sixty-two bits are enough
/// for centuries of that.
const REFERENCE: u64 = 4;

impl Rung for Core {
    const NAME: &'static str = "ladder-biased";
    const WAKE_NAMES: WakeNames = WakeNames::Task;

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker {
        let key = self.next_key.replace(self.next_key.get() + 1);
        let (local, remote) = (Cell::new(REFERENCE), AtomicU64::new(0));
        let header = Header { key, owner: thread_id::assign(), local, remote, signal: self.signal.clone() };
        let task = Joint::new(header, future);
        // SAFETY: the functions of `VTABLE` ask for this pointer, with a reference that is the waker's. They may run on
        // any thread: `remote` is atomic, and `local` is for the owner alone.
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
            live.task.header().remote.fetch_and(!QUEUED, Acquire);
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

impl Header {
    /// The owner's count, if this is the owner and the task has not ended.
    fn local(&self) -> Option<&Cell<u64>> {
        (self.owner == thread_id::current() && self.local.get() & MERGED == 0).then_some(&self.local)
    }
}

impl Drop for Live {
    /// Merges the counts. The executor's own reference is still among them.
    fn drop(&mut self) {
        let header = self.task.header();
        // Release: pairs with the Acquire in `release`, on the thread that frees the task.
        header.remote.fetch_add(header.local.replace(MERGED).wrapping_add(MERGED), Release);
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
    match header.local() {
        Some(local) => local.set(local.get().wrapping_add(REFERENCE)),
        // Relaxed: the new waker's reference is made from one that keeps the task.
        None => _ = header.remote.fetch_add(REFERENCE, Relaxed),
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
    if header.remote.fetch_or(QUEUED, Release) & QUEUED == 0 {
        header.signal.ready().push_back(header.key);
        header.signal.thread.unpark();
    }
}

unsafe fn release(data: *const ()) {
    // SAFETY: the waker has its reference until the next step.
    let header = unsafe { &*data.cast::<Header>() };
    if let Some(local) = header.local() {
        // Not the last: the executor has its own.
        local.set(local.get().wrapping_sub(REFERENCE));
        return;
    }
    // AcqRel: the thread that frees the task sees what others did with theirs. The old value: one, and merged.
    if header.remote.fetch_sub(REFERENCE, AcqRel) & !QUEUED == REFERENCE | MERGED {
        // SAFETY: it was the last. The executor's own went after the future, as `Live` says.
        unsafe { joint::free(data.cast::<Header>()) };
    }
}
