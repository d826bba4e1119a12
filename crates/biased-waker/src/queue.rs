//! The ready queue, the list of all tasks and that of the retired ones, all threaded through the tasks themselves, so
//! that neither a wake nor a spawn allocates for them.

#![expect(unsafe_code, reason = "the stack's links are references given away as pointers")]

use std::ptr::{self, NonNull};

use executor::support::SpareMemory;
use executor::sync::atomic::{AtomicPtr, Ordering::*};
use executor::sync::cell::Cell;

use crate::owner::Local;
use crate::task::{Header, LocalTask, TaskRef};

/// The part of the ready queue for the thread that drives: first in, first out, no atomics. The `next_ready` of a task
/// in it is the queue's: the next task, or the task itself if it is the last.
#[derive(Default)]
pub(crate) struct LocalQueue {
    /// Valid only while there is a last one.
    first: Cell<Option<LocalTask>>,
    last: Cell<Option<LocalTask>>,
}

impl LocalQueue {
    pub(crate) fn is_empty(&self) -> bool {
        self.last.get().is_none()
    }

    #[inline]
    pub(crate) fn push(&self, task: LocalTask) {
        task.next_ready.set(Some(task));
        match self.last.replace(Some(task)) {
            Some(last) => last.next_ready.set(Some(task)),
            None => self.first.set(Some(task)),
        }
    }

    /// Takes over tasks whose `next_ready` lead from the first to the last.
    fn append(&self, first: LocalTask, last: LocalTask) {
        match self.last.replace(Some(last)) {
            Some(last) => last.next_ready.set(Some(first)),
            None => self.first.set(Some(first)),
        }
    }

    /// Takes out all tasks: the result is the first, and [`next_in_chain`](LocalTask::next_in_chain) leads to the
    /// others. They count as queued until their `next_ready` is cleared.
    #[inline]
    pub(crate) fn take(&self) -> Option<LocalTask> {
        self.last.take().and(self.first.get())
    }

    /// Takes out `task`, if it is the only one.
    #[inline]
    pub(crate) fn take_only(&self, task: LocalTask) -> bool {
        let is_only = self.last.get() == Some(task) && self.first.get() == Some(task);
        if is_only {
            self.last.set(None);
        }
        is_only
    }
}

/// The part of the ready queue for all other threads: a stack that they push onto, and that the driving thread takes as
/// a whole. As single tasks are never taken, a top that was taken and pushed again between a load and the
/// compare-exchange does no harm: the address is that of the task that is on top now.
///
/// In Rust's memory model the pointer may be wrong all the same. The task that was loaded as the top may be freed and
/// another one allocated in its place before the exchange succeeds; then the link has the address of the new task and
/// the provenance of the old one. So only the address of a link is used, and the pointer to each task is exposed when
/// the task is allocated.
///
/// Source for the provenance: rust-lang/unsafe-code-guidelines#480; std had it in `Once` and `RwLock`,
/// rust-lang/rust#121950.
///
/// Source for the stack: R. K. Treiber, "Systems Programming: Coping with Parallelism", IBM Research Report RJ 5118,
/// 1986.
#[derive(Debug, Default)]
pub(crate) struct RemoteQueue {
    /// The task pushed last, null, or [`CLOSED`]. Owns a reference to each task in the stack.
    top: AtomicPtr<Header>,
}

/// Stands for no task: an address that no allocation has.
const CLOSED: *mut Header = ptr::dangling_mut();

impl RemoteQueue {
    pub(crate) fn is_empty(&self) -> bool {
        self.top.load(Relaxed).is_null()
    }

    /// Whether nothing can be pushed any more.
    pub(crate) fn is_closed(&self) -> bool {
        // Relaxed: once it is closed it stays so, and a push looks again.
        self.top.load(Relaxed) == CLOSED
    }

    /// Returns whether the queue was empty before: then the driving thread may be asleep. Hands the task back if the
    /// queue is closed.
    pub(crate) fn push(&self, task: TaskRef) -> Result<bool, TaskRef> {
        let mut top = self.top.load(Relaxed);
        loop {
            if top == CLOSED {
                return Err(task);
            }
            task.next_remote.set(NonNull::new(top));
            // Release: pairs with the Acquire in `take` and `close`, which sees the link and all before it.
            match self.top.compare_exchange_weak(top, task.as_ptr().as_ptr(), Release, Relaxed) {
                Ok(_) => {
                    // The stack's reference now.
                    task.into_raw();
                    return Ok(top.is_null());
                }
                Err(now) => top = now,
            }
        }
    }

    /// Moves all tasks into the local queue, in the order in which they were pushed. Only for the driving thread.
    #[inline]
    pub(crate) fn take(&self, local: &Local) {
        if !self.is_empty() {
            // Acquire: pairs with the Release in `push`.
            let top = self.top.swap(ptr::null_mut(), Acquire);
            Self::drain(top, local);
        }
    }

    /// Like [`take`](Self::take), and from now on nothing can be pushed. Only for the thread that drops the executor.
    pub(crate) fn close(&self, local: &Local) {
        // Acquire: pairs with the Release in `push`.
        let top = self.top.swap(CLOSED, Acquire);
        Self::drain(top, local);
    }

    /// Moves the tasks of a stack that was taken into the local queue, and the new ones into the list.
    #[inline(never)]
    fn drain(top: *mut Header, local: &Local) {
        let (mut first, mut last) = (None, None);
        let mut next = NonNull::new(top);
        while let Some(task) = next {
            // SAFETY: the stack's reference passes to the result.
            let task = unsafe { TaskRef::from_raw(task) };
            let link = task.next_remote.get();
            next = link.and_then(|link| NonNull::new(ptr::with_exposed_provenance_mut(link.addr().get())));
            if let Some(task) = LocalTask::from_stack(task) {
                // It may be new and in the local queue already: if the owner aborted it before this.
                if task.is_new() {
                    local.all.insert(task);
                }
                if task.next_ready.get().is_none() {
                    // Tasks that were pushed before it come before it.
                    task.next_ready.set(first.or(Some(task)));
                    first = Some(task);
                    last = last.or(first);
                }
            }
        }
        if let (Some(first), Some(last)) = (first, last) {
            local.queue.append(first, last);
        }
    }
}

/// All tasks that have not ended, woken or not: dropping the executor ends these. The `previous` and `next` of a
/// task in it are the list's.
#[derive(Default)]
pub(crate) struct TaskList {
    first: Cell<Option<LocalTask>>,
}

impl TaskList {
    #[inline]
    pub(crate) fn insert(&self, task: LocalTask) {
        let first = self.first.replace(Some(task));
        task.previous.set(None);
        task.next.set(first);
        if let Some(first) = first {
            first.previous.set(Some(task));
        }
    }

    pub(crate) fn first(&self) -> Option<LocalTask> {
        self.first.get()
    }

    /// Takes out a task that is in this list.
    #[inline]
    pub(crate) fn remove(&self, task: LocalTask) {
        let (previous, next) = (task.previous.get(), task.next.get());
        match previous {
            Some(previous) => previous.next.set(next),
            None => self.first.set(next),
        }
        if let Some(next) = next {
            next.previous.set(previous);
        }
    }
}

/// The tasks that have ended and to which the executor still has its own reference. The `next` of a task in it is the
/// list's.
#[derive(Default)]
pub(crate) struct Retired {
    first: Cell<Option<LocalTask>>,
}

impl Retired {
    #[inline]
    pub(crate) fn push(&self, task: LocalTask) {
        task.next.set(self.first.replace(Some(task)));
    }

    /// Gives up the executor's references to all of them, and leaves their memory to `spare`.
    #[inline]
    pub(crate) fn reclaim(&self, spare: &SpareMemory) {
        while let Some(task) = self.first.get() {
            self.first.set(task.next.get());
            task.reclaim(Some(spare));
        }
    }
}
