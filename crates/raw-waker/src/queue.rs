//! The ready queue and the list of all tasks, both threaded through the tasks themselves, so that neither a wake nor a
//! spawn allocates for them. arc-waker has crossbeam-channel and slab for this.

#![expect(unsafe_code, reason = "the links are references given away as pointers")]

use std::ptr::{self, NonNull};

use executor::sync::atomic::{AtomicPtr, Ordering::*};
use executor::sync::cell::Cell;

use crate::task::{Header, TaskRef};

/// The part of the ready queue for the thread that drives: first in, first out, no atomics. It owns a
/// reference to each task in it, and with it the task's `next_ready`.
#[derive(Default)]
pub(crate) struct LocalQueue {
    first: Cell<Option<NonNull<Header>>>,
    last: Cell<Option<NonNull<Header>>>,
    len: Cell<usize>,
}

impl LocalQueue {
    pub(crate) fn len(&self) -> usize {
        self.len.get()
    }

    #[inline]
    pub(crate) fn push(&self, task: TaskRef) {
        task.next_ready.set(None);
        let task = task.into_raw();
        match self.last.replace(Some(task)) {
            // SAFETY: the queue owns a reference to its last task.
            Some(last) => unsafe { TaskRef::borrow_raw(last) }.next_ready.set(Some(task)),
            None => self.first.set(Some(task)),
        }
        self.len.set(self.len.get() + 1);
    }

    /// Takes over the references to `len` tasks, whose `next_ready` lead from the first to the last.
    fn append(&self, first: NonNull<Header>, last: NonNull<Header>, len: usize) {
        match self.last.replace(Some(last)) {
            // SAFETY: the queue owns a reference to its last task.
            Some(last) => unsafe { TaskRef::borrow_raw(last) }.next_ready.set(Some(first)),
            None => self.first.set(Some(first)),
        }
        self.len.set(self.len.get() + len);
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<TaskRef> {
        let first = self.first.get()?;
        // SAFETY: the queue's reference to its first task passes to the result.
        let task = unsafe { TaskRef::from_raw(first) };
        let next = task.next_ready.get();
        self.first.set(next);
        if next.is_none() {
            self.last.set(None);
        }
        self.len.set(self.len.get() - 1);
        Some(task)
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
    /// The task pushed last, null, or [`CLOSED`]. Owns a reference to each task on the stack.
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
            task.next_ready.set(NonNull::new(top));
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

    /// Moves all tasks into `local`, in the order in which they were pushed. Only for the driving thread.
    #[inline]
    pub(crate) fn take(&self, local: &LocalQueue, list: &TaskList) {
        if !self.is_empty() {
            // Acquire: pairs with the Release in `push`.
            let top = self.top.swap(ptr::null_mut(), Acquire);
            Self::drain(top, local, list);
        }
    }

    /// Like [`take`](Self::take), and from now on nothing can be pushed. Only for the thread that drops the executor.
    pub(crate) fn close(&self, local: &LocalQueue, list: &TaskList) {
        // Acquire: pairs with the Release in `push`.
        let top = self.top.swap(CLOSED, Acquire);
        Self::drain(top, local, list);
    }

    /// Moves the tasks of a stack that was taken into `local`, and the new ones into `list` as well.
    #[inline(never)]
    fn drain(top: *mut Header, local: &LocalQueue, list: &TaskList) {
        let (mut first, mut len) = (None, 0);
        let last = NonNull::new(top);
        let mut next = last;
        while let Some(pointer) = next {
            // SAFETY: the stack owns a reference to each of its tasks.
            let task = unsafe { TaskRef::borrow_raw(pointer) };
            // Tasks that were pushed before it come before it.
            let link = task.next_ready.replace(first);
            if let Some(unlisted) = task.unlisted() {
                list.insert(unlisted);
            }
            next = link.and_then(|link| NonNull::new(ptr::with_exposed_provenance_mut(link.addr().get())));
            first = Some(pointer);
            len += 1;
        }
        if let (Some(first), Some(last)) = (first, last) {
            local.append(first, last, len);
        }
    }
}

/// All tasks that have not ended, woken or not: dropping the executor ends these. It owns a reference to
/// each, and with it the task's `previous` and `next`.
#[derive(Default)]
pub(crate) struct TaskList {
    first: Cell<Option<NonNull<Header>>>,
}

impl TaskList {
    pub(crate) fn insert(&self, task: TaskRef) {
        let first = self.first.get();
        task.previous.set(None);
        task.next.set(first);
        let task = task.into_raw();
        if let Some(first) = first {
            // SAFETY: the list owns a reference to its first task.
            unsafe { TaskRef::borrow_raw(first) }.previous.set(Some(task));
        }
        self.first.set(Some(task));
    }

    pub(crate) fn first(&self) -> Option<NonNull<Header>> {
        self.first.get()
    }

    /// Takes a task out and returns the list's reference.
    ///
    /// # Safety
    ///
    /// `task` is in this list.
    pub(crate) unsafe fn remove(&self, task: NonNull<Header>) -> TaskRef {
        // SAFETY: the list's reference to the task passes to the result.
        let task = unsafe { TaskRef::from_raw(task) };
        let (previous, next) = (task.previous.get(), task.next.get());
        match previous {
            // SAFETY: the list owns a reference to each of its tasks.
            Some(previous) => unsafe { TaskRef::borrow_raw(previous) }.next.set(next),
            None => self.first.set(next),
        }
        if let Some(next) = next {
            // SAFETY: the list owns a reference to each of its tasks.
            unsafe { TaskRef::borrow_raw(next) }.previous.set(previous);
        }
        task
    }
}
