//! A spawned future, its result, its joiner and its links, in one allocation that is counted by hand.

#![expect(unsafe_code, reason = "one allocation is shared by the queue, the list, the wakers and the join handle")]

use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::process;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::JoinError;
use executor::support::{SpareMemory, quietly};
use executor::sync::Alive;
use executor::sync::atomic::{AtomicUsize, Ordering::*};
use executor::sync::cell::{Cell, UnsafeCell};

use crate::executor::Shared;
use crate::join::JoinHandle;
use crate::stage::{Task, TaskVTable};
use crate::waker;

/// The task is in the ready queue, or whoever set this is about to put it there.
pub(crate) const QUEUED: usize = 1 << 0;
/// The future is gone. Its result is there, unless it was taken.
pub(crate) const ENDED: usize = 1 << 1;
/// The task's next turn drops the future instead of polling it.
pub(crate) const ABORTED: usize = 1 << 2;
/// The join handle was not dropped before the end: the result is for it to take or to drop. Otherwise the driving
/// thread drops it.
pub(crate) const HANDLE: usize = 1 << 3;
/// `joiner` belongs to the driving thread, for which the join handle left a waker there. Otherwise it belongs to the
/// join handle.
pub(crate) const JOINER: usize = 1 << 4;
/// One count. The counts stand above the flags, so that both change in one operation.
pub(crate) const COUNT: usize = 1 << 5;

/// What every task begins with, whatever its future: all that wakers, queue and list need to know.
///
/// ```text
///            wake (1)               poll (2)
///   idle ──────────────▶ QUEUED ──────────────▶ running ──▶ ENDED (4)
///    ▲                     ▲                       │
///    │                     └── woken meanwhile (3) ┤
///    └────────────── not woken meanwhile ──────────┘
/// ```
///
/// (1) Whoever sets `QUEUED` puts the task into the queue, with a count for the queue: so it is there at most once.
/// (2) The driving thread takes it out, and clears `QUEUED` and gives the queue's count back in one operation *before*
/// it polls. (3) A wake during the poll finds `QUEUED` cleared and puts the task into the queue again: it cannot be
/// lost. No second thread can take it out meanwhile, as only one drives. (4) The driving thread drops the future,
/// stores the result and sets `ENDED`, in that order, and wakes the joiner. A wake from now on does nothing.
///
/// Counts are held by the list until the task has ended, by the queue while the task is in it, by each waker and by the
/// join handle: one each. While the task has not ended the list's count keeps it alive, so neither waking nor polling
/// can free it.
///
/// What a wake and a turn touch comes last, beside the future.
#[repr(C)]
pub(crate) struct Header {
    /// For the models: begins and ends with this.
    pub(crate) alive: Alive,
    /// For the models: is used whenever `stage` is.
    pub(crate) access: UnsafeCell<()>,
    /// Belongs to the driving thread while `JOINER` is set, else to the join handle. The handle sets `JOINER` and takes
    /// it back, neither after `ENDED`.
    pub(crate) joiner: UnsafeCell<Option<Waker>>,
    /// The neighbours in the executor's list. Belong to the thread that drives or drops the executor. A task that is
    /// new to it is its own `previous`.
    pub(crate) previous: Cell<Option<NonNull<Header>>>,
    pub(crate) next: Cell<Option<NonNull<Header>>>,
    /// The next task in the ready queue. Belongs to whoever holds the queue's count.
    pub(crate) next_ready: Cell<Option<NonNull<Header>>>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) vtable: &'static TaskVTable,
    pub(crate) state: AtomicUsize,
}

/// A counted pointer to a task: what `Arc<Task>` is to arc-waker.
///
/// Its count is what makes it sound to look at the header. In a `ManuallyDrop` it stands for a count that is held
/// elsewhere, by a waker or by the list.
pub(crate) struct TaskRef {
    header: NonNull<Header>,
}

impl TaskRef {
    /// Allocates a task that counts as queued. Its counts are those of the two results, for the queue and for whoever
    /// spawned it, and one for the executor's list, which [`unlisted`](Self::unlisted) returns once.
    pub(crate) fn new<F>(
        future: F,
        shared: Arc<Shared>,
        spare: Option<&SpareMemory>,
    ) -> (TaskRef, JoinHandle<F::Output>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let header = Header {
            alive: Alive::new(),
            access: UnsafeCell::new(()),
            joiner: UnsafeCell::new(None),
            previous: Cell::new(None),
            next: Cell::new(None),
            next_ready: Cell::new(None),
            shared,
            vtable: Task::<F>::VTABLE,
            state: AtomicUsize::new(QUEUED | HANDLE | (3 * COUNT)),
        };
        let header = Task::allocate(header, future, spare);
        // For the links of `RemoteQueue`.
        header.as_ptr().expose_provenance();
        let task = TaskRef { header };
        task.previous.set(Some(header));
        // SAFETY: the task was made for this future.
        let handle = unsafe { JoinHandle::new(TaskRef { header }) };
        (task, handle)
    }

    /// The list's count of a task that is not in the list yet. `None` once it was returned. Only for the thread that
    /// drives or drops the executor, or spawns the task.
    pub(crate) fn unlisted(&self) -> Option<TaskRef> {
        if self.previous.get() != Some(self.header) {
            return None;
        }
        self.previous.set(None);
        Some(TaskRef { header: self.header })
    }

    /// Gives the count away with the pointer.
    pub(crate) fn into_raw(self) -> NonNull<Header> {
        ManuallyDrop::new(self).header
    }

    /// # Safety
    ///
    /// `header` points to a task, and a count on it passes to the result, or is kept elsewhere while the result, which
    /// then must not be dropped, is used.
    pub(crate) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self { header }
    }

    pub(crate) fn as_ptr(&self) -> NonNull<Header> {
        self.header
    }

    /// Puts the task into the ready queue unless it is there, and uses up the count.
    pub(crate) fn wake(self) {
        if !self.shared.is_driven_here() {
            // Queue and driver are reached through the task, so this count keeps it alive until the wake is through.
            self.wake_by_ref();
            return;
        }
        // On the driving thread the executor is alive, and this count can become the queue's.
        // AcqRel: as in `wake_by_ref`.
        let before = self.state.fetch_update(AcqRel, Acquire, |state| match state {
            _ if state & ENDED != 0 => None,
            _ if state & QUEUED != 0 => Some(state - COUNT),
            _ => Some(state | QUEUED),
        });
        match before {
            Ok(before) if before & QUEUED == 0 => {
                let shared = Arc::as_ptr(&self.shared);
                // SAFETY: the `block_on` that drives stands on this thread's stack and borrows the executor, and with
                // it `Shared`. (The task would not do: the queue owns it as soon as it is pushed.)
                unsafe { &*shared }.push(self);
            }
            Ok(_) => mem::forget(self),
            Err(_) => drop(self),
        }
    }

    /// Puts the task into the ready queue unless it is there.
    pub(crate) fn wake_by_ref(&self) {
        // AcqRel: pairs with the fetch_sub in `poll`; the poll sees what every waking thread wrote. Written also where
        // nothing changes, as the task is queued already: so this wake, too, happens before the poll.
        let before = self.state.fetch_update(AcqRel, Acquire, |state| match state {
            _ if state & ENDED != 0 => None,
            _ if state & QUEUED != 0 => Some(state),
            _ => Some((state | QUEUED) + COUNT),
        });
        if before.is_ok_and(|before| before & QUEUED == 0) {
            // The count that was just added.
            self.shared.push(TaskRef { header: self.header });
        }
    }

    /// Makes the task's next turn drop its future, and gives it a turn.
    pub(crate) fn abort(&self) {
        // AcqRel: pairs with the fetch_sub in `poll`; the future's drop sees what was done before the abort.
        let before = self.state.fetch_update(AcqRel, Acquire, |state| match state {
            _ if state & ENDED != 0 => None,
            _ if state & QUEUED != 0 => Some(state | ABORTED),
            _ => Some((state | ABORTED | QUEUED) + COUNT),
        });
        if before.is_ok_and(|before| before & QUEUED == 0) {
            // The count that was just added.
            self.shared.push(TaskRef { header: self.header });
        }
    }

    /// Gives a task that was taken out of the ready queue its turn. `Ready`, with the address of the task, which the
    /// list still counts, when it has ended with this turn. Only for the thread that drives the executor.
    pub(crate) fn poll(self) -> Poll<NonNull<Header>> {
        // Relaxed: the driving thread is the one that sets `ENDED` of tasks that are in a queue.
        if self.state.load(Relaxed) & ENDED != 0 {
            return Poll::Pending;
        }
        // From here on it stands for the list's count. AcqRel: pairs with `wake_by_ref` and `abort`.
        let task = ManuallyDrop::new(self);
        let before = task.state.fetch_sub(QUEUED + COUNT, AcqRel);
        if before & ABORTED != 0 {
            task.cancel();
            return Poll::Ready(task.header);
        }
        let waker = waker::borrow(&task);
        // SAFETY: the driving thread has the right to `stage`, and the task has not ended.
        let poll = unsafe { (task.vtable.poll)(task.header, &mut Context::from_waker(&waker)) };
        poll.map(|()| {
            task.complete();
            task.header
        })
    }

    /// Drops the future of a task that has not ended, without another poll. Only for the thread that drives or drops
    /// the executor, or that spawns the task, if the executor has rejected it.
    pub(crate) fn cancel(&self) {
        // SAFETY: that thread has the right to `stage`, and the task has not ended.
        unsafe { (self.vtable.fail)(self.header, JoinError::Cancelled) };
        self.complete();
    }

    /// Reports the result, which is in its place.
    fn complete(&self) {
        // AcqRel: pairs with the fetch_update in the handle's `change`, and with its loads: whoever sees `ENDED` sees
        // the result; this thread sees the joiner.
        let before = self.state.fetch_or(ENDED, AcqRel);
        if before & HANDLE == 0 {
            // SAFETY: without a handle the driving thread has the right to `stage`, and the task has ended.
            unsafe { (self.vtable.drop_result)(self.header) };
        } else if before & JOINER != 0 {
            // SAFETY: `JOINER` was set before `ENDED`, so the joiner belongs to this thread, for good.
            let joiner = self.joiner.with_mut(|joiner| unsafe { (*joiner).take() });
            // A joiner's waker is foreign code; a panic in it must not reach the run loop.
            quietly(|| joiner.into_iter().for_each(Waker::wake));
        }
    }
}

impl TaskRef {
    /// Kept out of the short way, which is to stay short.
    ///
    /// # Safety
    ///
    /// That was the last count, and nobody looks at the task after this.
    #[inline(never)]
    unsafe fn free(&self) {
        let free = self.vtable.free;
        let shared = Arc::as_ptr(&self.shared);
        // SAFETY: the task still has its count of the `Arc`.
        let spare = unsafe { &*shared }.spare_memory();
        // SAFETY: as the caller promises. Where this thread drives, the executor keeps `spare`, too.
        unsafe { free(self.header, spare) };
    }
}

impl Deref for TaskRef {
    type Target = Header;

    fn deref(&self) -> &Header {
        // SAFETY: the count keeps the task alive for as long as `self` is borrowed.
        let header = unsafe { self.header.as_ref() };
        header.alive.check();
        header
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        // Relaxed: the count that `self` holds keeps the task alive, and nothing is read on the strength of the new
        // one.
        let before = self.state.fetch_add(COUNT, Relaxed);
        if before > usize::MAX / 2 {
            // Only leaked wakers get here. A count that wraps would free a task in use.
            process::abort();
        }
        Self { header: self.header }
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        // Acquire: pairs with the Release below. The only count is ours, so nobody can add to it: no need to subtract.
        // AcqRel: whoever frees the task sees what the others did with it. An Acquire fence after a Release would do
        // as well, but thread sanitizers do not know fences.
        if self.state.load(Acquire) / COUNT == 1 || self.state.fetch_sub(COUNT, AcqRel) / COUNT == 1 {
            // SAFETY: that was the last count.
            unsafe { self.free() };
        }
    }
}

#[cfg(test)]
mod tests;
