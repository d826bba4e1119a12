//! A spawned task: what wakers, queue and list know of it, and its references, counted by hand.
//!
//! The future and its result are in `stage.rs`, the join handle is in `join.rs`, and who wakes it in `joiner.rs`.
//! `task` pushes to the queue of `executor`, and that polls what is in it: so each of the two names the other.

#![expect(unsafe_code, reason = "one allocation is shared by the queue, the list, the wakers and the join handle")]

use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::process;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::JoinError;
use executor::support::{SpareMemory, discard_panic};
use executor::sync::Alive;
use executor::sync::atomic::{AtomicUsize, Ordering::*};
use executor::sync::cell::{Cell, UnsafeCell};

use crate::executor::Shared;
use crate::join::JoinHandle;
use crate::stage::{Task, TaskVTable};
use crate::waker;

/// The task is in the ready queue, or the thread that set this is about to put it there.
pub(crate) const QUEUED: usize = 1 << 0;
/// The future is gone. Its result is there, unless it was taken.
pub(crate) const ENDED: usize = 1 << 1;
/// The next poll drops the future instead of polling it.
pub(crate) const ABORTED: usize = 1 << 2;
/// The join handle was not dropped before the end: the result is the handle's to take or to drop. Otherwise the driving
/// thread drops it.
pub(crate) const HANDLE: usize = 1 << 3;
/// `joiner` belongs to the driving thread. Otherwise it belongs to the join handle.
///
/// 1. It is clear at first. Only the handle changes it, in an operation that fails once `ENDED` is set.
/// 2. While it is clear, the handle may touch `joiner`, and nobody else. While it is set, the driving thread may.
/// 3. So it no longer changes after `ENDED`. If it is set then, the driving thread takes the waker out and wakes it. If
///    it is clear, a waker that is there is the handle's to drop.
/// 4. A handle that is dropped before the end clears it together with `HANDLE`.
pub(crate) const JOINER: usize = 1 << 4;
/// One reference. The number of references is above the flags, so that both change in one operation.
pub(crate) const REFERENCE: usize = 1 << 5;

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
/// (1) `TaskRef::wake`, `wake_by_ref`, `abort`: the thread that sets `QUEUED` puts the task into the queue, with a
/// reference for the queue. So the task is there at most once. (2) `TaskRef::poll`: the driving thread has taken the
/// task out. It clears `QUEUED` and gives back the queue's reference in one operation *before* it polls. (3) As (1): a
/// wake during the poll finds `QUEUED` clear and puts the task into the queue again, so it cannot be lost. No second
/// thread can take it out during the poll, as only one drives. (4) `TaskRef::complete`: the driving thread has dropped
/// the future and stored the result. It sets `ENDED`, and then wakes the joiner. A wake from now on does nothing.
///
/// Which flags may be set in which phase (`1` set, `–` clear, `·` either; `JOINER` only together with `HANDLE`):
///
/// ```text
///             QUEUED   ENDED   ABORTED   HANDLE   JOINER
///   idle        –        –        –        ·        ·
///   QUEUED      1        –        ·        ·        ·
///   running     ·        –        ·        ·        ·
///   ENDED       ·        1        ·        as at the end
/// ```
///
/// One reference each is held by the list until the task has ended, by the queue while the task is in it, by each waker
/// and by the join handle. While the task has not ended the list's reference keeps it alive, so neither a wake nor a
/// poll can free it.
///
/// What a wake and a poll touch comes last, next to the future.
#[repr(C)]
pub(crate) struct Header {
    /// For the models: begins and ends with this.
    pub(crate) alive: Alive,
    /// For the models: is used whenever `stage` is.
    pub(crate) access: UnsafeCell<()>,
    /// Belongs to the driving thread or to the join handle, as [`JOINER`] says.
    pub(crate) joiner: UnsafeCell<Option<Waker>>,
    /// The neighbours in the executor's list. They belong to the thread that drives or drops the executor. A task that
    /// is not in the list yet is its own `previous`.
    pub(crate) previous: Cell<Option<NonNull<Header>>>,
    pub(crate) next: Cell<Option<NonNull<Header>>>,
    /// The next task in the ready queue. It belongs to the thread that has the queue's reference.
    pub(crate) next_ready: Cell<Option<NonNull<Header>>>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) vtable: &'static TaskVTable,
    pub(crate) state: AtomicUsize,
}

/// A counted pointer to a task: what `Arc<Task>` is to arc-waker.
///
/// Its reference makes it sound to look at the header. In a `ManuallyDrop` it stands for a reference that is held
/// elsewhere, by a waker or by the list.
pub(crate) struct TaskRef {
    header: NonNull<Header>,
}

impl TaskRef {
    /// Allocates a task that counts as queued. It has three references: those of the two results, for the queue and for
    /// the code that spawns it, and one for the executor's list, which [`unlisted`](Self::unlisted) returns once.
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
            state: AtomicUsize::new(QUEUED | HANDLE | (3 * REFERENCE)),
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

    /// The list's reference to a task that is not in the list yet. `None` once it was returned. Only for the thread
    /// that drives or drops the executor, or spawns the task.
    pub(crate) fn unlisted(&self) -> Option<TaskRef> {
        if self.previous.get() != Some(self.header) {
            return None;
        }
        self.previous.set(None);
        Some(TaskRef { header: self.header })
    }

    /// Gives away the reference with the pointer.
    pub(crate) fn into_raw(self) -> NonNull<Header> {
        ManuallyDrop::new(self).header
    }

    /// # Safety
    ///
    /// `header` points to a task, and a reference to it passes to the result, or is kept elsewhere while the result,
    /// which then must not be dropped, is used.
    pub(crate) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self { header }
    }

    /// Uses a reference that stays where it is.
    ///
    /// # Safety
    ///
    /// `header` points to a task to which somebody else holds a reference and keeps it while the result is used.
    pub(crate) unsafe fn borrow_raw(header: NonNull<Header>) -> ManuallyDrop<Self> {
        ManuallyDrop::new(Self { header })
    }

    pub(crate) fn as_ptr(&self) -> NonNull<Header> {
        self.header
    }

    /// Puts the task into the ready queue unless it is there, and uses up the reference.
    pub(crate) fn wake(self) {
        if !self.shared.drives_here() {
            // Queue and driver are reached through the task, so this reference keeps it alive until the wake is
            // through.
            self.wake_by_ref();
            return;
        }
        // On the driving thread the executor is alive, and this reference can become the queue's.
        // AcqRel: as in `wake_by_ref`.
        let before = self.state.fetch_update(AcqRel, Acquire, |state| match state {
            _ if state & ENDED != 0 => None,
            _ if state & QUEUED != 0 => Some(state - REFERENCE),
            _ => Some(state | QUEUED),
        });
        match before {
            Ok(before) if before & QUEUED == 0 => {
                let shared = Arc::as_ptr(&self.shared);
                // SAFETY: the `block_on` that drives is on this thread's stack and borrows the executor, and with it
                // `Shared`. (The task would not do: the queue owns it as soon as it is pushed.)
                unsafe { &*shared }.push(self);
            }
            Ok(_) => mem::forget(self),
            Err(_) => drop(self),
        }
    }

    /// Puts the task into the ready queue unless it is there.
    pub(crate) fn wake_by_ref(&self) {
        // AcqRel: pairs with the fetch_sub in `poll`; the poll sees what every waking thread wrote. It also writes
        // where nothing changes, as the task is queued already: so this wake, too, happens before the poll.
        let before = self.state.fetch_update(AcqRel, Acquire, |state| match state {
            _ if state & ENDED != 0 => None,
            _ if state & QUEUED != 0 => Some(state),
            _ => Some((state | QUEUED) + REFERENCE),
        });
        if before.is_ok_and(|before| before & QUEUED == 0) {
            // The reference that was just added.
            self.shared.push(TaskRef { header: self.header });
        }
    }

    /// Makes the task's next poll drop its future, and schedules that poll.
    pub(crate) fn abort(&self) {
        // AcqRel: pairs with the fetch_sub in `poll`; the future's drop sees what was done before the abort.
        let before = self.state.fetch_update(AcqRel, Acquire, |state| match state {
            _ if state & ENDED != 0 => None,
            _ if state & QUEUED != 0 => Some(state | ABORTED),
            _ => Some((state | ABORTED | QUEUED) + REFERENCE),
        });
        if before.is_ok_and(|before| before & QUEUED == 0) {
            // The reference that was just added.
            self.shared.push(TaskRef { header: self.header });
        }
    }

    /// Polls a task that was taken out of the ready queue. If the task ends with this poll, returns `Ready` with its
    /// address, to which the list still has a reference. Only for the thread that drives the executor.
    pub(crate) fn poll(self) -> Poll<NonNull<Header>> {
        // Relaxed: the driving thread is the one that sets `ENDED` of tasks that are in a queue.
        if self.state.load(Relaxed) & ENDED != 0 {
            return Poll::Pending;
        }
        // From here on it stands for the list's reference. AcqRel: pairs with `wake_by_ref` and `abort`.
        let task = ManuallyDrop::new(self);
        let before = task.state.fetch_sub(QUEUED + REFERENCE, AcqRel);
        if before & ABORTED != 0 {
            task.cancel();
            return Poll::Ready(task.header);
        }
        let waker = waker::waker_ref(&task);
        // SAFETY: the driving thread has the right to `stage`, and the task has not ended.
        let poll = unsafe { (task.vtable.poll)(task.header, &mut Context::from_waker(&waker)) };
        poll.map(|()| {
            task.complete();
            task.header
        })
    }

    /// Drops the future of a task that has not ended, without another poll. Only for the thread that drives or drops
    /// the executor, or that spawns the task if the executor has rejected it.
    pub(crate) fn cancel(&self) {
        // SAFETY: that thread has the right to `stage`, and the task has not ended.
        unsafe { (self.vtable.fail)(self.header, JoinError::Cancelled) };
        self.complete();
    }

    /// Reports the result, which is in its place.
    fn complete(&self) {
        // AcqRel: pairs with the fetch_update in the handle's `change`, and with its loads: a thread that sees `ENDED`
        // sees the result; this thread sees the joiner.
        let before = self.state.fetch_or(ENDED, AcqRel);
        if before & HANDLE == 0 {
            // SAFETY: without a handle the driving thread has the right to `stage`, and the task has ended.
            unsafe { (self.vtable.drop_result)(self.header) };
        } else if before & JOINER != 0 {
            // SAFETY: `JOINER` was set before `ENDED`, so the joiner belongs to this thread for good.
            let joiner = self.joiner.with_mut(|joiner| unsafe { (*joiner).take() });
            // A joiner's waker is foreign code; a panic in it must not reach the run loop.
            discard_panic(|| joiner.into_iter().for_each(Waker::wake));
        }
    }

    /// Outlined so that the drop of a reference that is not the last inlines.
    ///
    /// # Safety
    ///
    /// That was the last reference, and nobody looks at the task after this.
    #[inline(never)]
    unsafe fn free(&self) {
        let free = self.vtable.free;
        let shared = Arc::as_ptr(&self.shared);
        // SAFETY: the task still has its reference to `Shared`.
        let spare = unsafe { &*shared }.spare_memory();
        // SAFETY: as the caller promises. Where this thread drives, the executor keeps `spare`, too.
        unsafe { free(self.header, spare) };
    }
}

impl Deref for TaskRef {
    type Target = Header;

    fn deref(&self) -> &Header {
        // SAFETY: the reference keeps the task alive for as long as `self` is borrowed.
        let header = unsafe { self.header.as_ref() };
        header.alive.check();
        header
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        // Relaxed: the reference that `self` holds keeps the task alive, and nothing is read on the strength of the new
        // one.
        let before = self.state.fetch_add(REFERENCE, Relaxed);
        if before > usize::MAX / 2 {
            // Only leaked wakers get here. A count that wraps would free a task in use.
            process::abort();
        }
        Self { header: self.header }
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        // Acquire: pairs with the Release below. The only reference is ours, so nobody can add one: no need to
        // subtract. AcqRel: the thread that frees the task sees what the others did with it. An Acquire fence after a
        // Release would do as well, but thread sanitizers do not know fences.
        if self.state.load(Acquire) / REFERENCE == 1 || self.state.fetch_sub(REFERENCE, AcqRel) / REFERENCE == 1 {
            // SAFETY: that was the last reference.
            unsafe { self.free() };
        }
    }
}

#[cfg(test)]
mod tests;
