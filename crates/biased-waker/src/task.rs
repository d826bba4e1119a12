//! A spawned task: what wakers, queue and list know of it, and how it is woken and polled on either side.
//!
//! The future and its result are in `stage.rs`, the join handle is in `join.rs`, who wakes it in `joiner.rs`, and how
//! the references are counted in `count.rs`.

#![expect(unsafe_code, reason = "one allocation is shared by the queue, the list, the wakers and the join handle")]

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use executor::JoinError;
use executor::support::{SpareMemory, discard_panic};
use executor::sync::atomic::Ordering::*;
use executor::sync::cell::{Cell, UnsafeCell};
use executor::sync::{Alive, Arc};

use crate::count::{BiasedCount, ONE};
use crate::executor::Shared;
use crate::join::JoinHandle;
use crate::owner::Local;
use crate::stage::{Task, TaskVTable};

// The flags of a task, in either of its two words: each word says what was done on its side. `local` belongs to the
// owner, the thread that drives; `remote` is for all other threads.

/// In `remote`: set from a remote wake until the poll it causes. The task is on the remote stack, about to be pushed,
/// or drained and not yet polled. (On the owner `next_ready` says whether the task is queued.)
pub(crate) const QUEUED: usize = 1 << 1;
/// The future is gone. Its result is there, unless it was taken.
pub(crate) const ENDED: usize = 1 << 2;
/// In `remote`, even if the owner aborts: the next poll drops the future instead of polling it. So one word tells the
/// poll whether there is more to do.
pub(crate) const ABORTED: usize = 1 << 3;
/// The join handle is gone: nobody takes the result.
pub(crate) const DETACHED: usize = 1 << 4;
/// In `local`: the task came from the stack, so its poll must clear `QUEUED` in `remote`.
pub(crate) const QUEUED_REMOTELY: usize = 1 << 5;
/// In `remote`: `joiner` belongs to the join handle, on another thread. Otherwise it belongs to the owner.
///
/// 1. It is clear at first. Only a handle on another thread changes it, in an operation that fails once `ENDED` is set.
/// 2. While it is set, the handle may touch `joiner`, and nobody else. While it is clear, the owner may: also when it
///    polls the handle itself.
/// 3. So it no longer changes after `ENDED`. If it is clear then, the owner takes the waker out and wakes it. If it is
///    set, a waker that is there is the handle's to drop.
/// 4. A handle that is dropped remotely before the end sets it together with `DETACHED`, for good.
pub(crate) const BORROWED: usize = 1 << 5;

/// What every task begins with, whatever its future: all that wakers, queue and list need to know.
///
/// ```text
///            wake (1)               poll (2)
///   idle ──────────────▶ QUEUED ──────────────▶ running ──▶ ENDED (4)
///    ▲                     ▲                       │          │
///    │                     └── woken meanwhile (3) ┤          └──▶ MERGED (5)
///    └────────────── not woken meanwhile ──────────┘
/// ```
///
/// (1) `TaskRef::wake_locally`: the owner links the task into the ready queue. `TaskRef::wake_remotely`: another thread
/// sets `QUEUED` in `remote` and pushes the task onto the stack, with a reference. `RemoteQueue::drain`: the owner
/// moves it from there into the ready queue, unless it is in it, and sets `QUEUED_REMOTELY`. (2) `LocalTask::poll`: the
/// owner has taken the task out. It clears the link *before* it polls, and `QUEUED` in `remote` only if
/// `QUEUED_REMOTELY` is set (`LocalTask::clear_queued`). (3) As (1): a wake during the poll finds its side clear, so it
/// cannot be lost. A wake on each side leads to one poll or, if the second comes after the stack was drained, to one
/// poll too many. (4) `LocalTask::complete`: the owner has dropped the future and stored the result. It sets `ENDED` on
/// both sides, and then wakes the joiner. A wake from now on does nothing. (5) `LocalTask::reclaim`: before the next
/// round, before it parks and when it stops driving, the owner gives up the executor's reference.
///
/// Which flags may be set in which phase (`1` set, `–` clear, `·` either):
///
/// ```text
///                        local                           remote
///             QUEUED_REMOTELY  ENDED  DETACHED   QUEUED  ENDED  ABORTED  DETACHED  BORROWED
///   idle             –           –       ·         –       –       –         ·         ·
///   QUEUED           ·           –       ·         ·       –       ·         ·         ·
///   running          ·           –       ·         ·       –       ·         ·         ·
///   ENDED            –           1       ·         ·       1       ·         as at the end
/// ```
///
/// `QUEUED_REMOTELY` only together with `QUEUED`. A task that ended with no reference but the executor's own is freed
/// at once and never shows `ENDED` in `remote`.
///
/// References are held by each waker, by the join handle, by the stack until a task that came from there is polled, and
/// by the ready queue if the task ends while it is in it. Everything else that looks at a task relies on the executor's
/// own reference, which [`LocalTask`] stands for.
///
/// What a wake and a poll touch comes last, next to the future.
#[repr(C)]
pub(crate) struct Header {
    /// For the models: begins and ends with this.
    pub(crate) alive: Alive,
    /// For the models: is used whenever `stage` is.
    pub(crate) access: UnsafeCell<()>,
    /// Belongs to the owner or to the join handle, as [`BORROWED`] says.
    pub(crate) joiner: UnsafeCell<Option<Waker>>,
    /// The neighbours in the executor's list. They belong to the thread that drives or drops the executor. A task that
    /// is not in the list yet, ready or not, is its own `previous`. After the end `next` is the next retired task.
    pub(crate) previous: Cell<Option<LocalTask>>,
    pub(crate) next: Cell<Option<LocalTask>>,
    /// The next task on the stack. It belongs to the thread that has the stack's reference.
    pub(crate) next_remote: Cell<Option<NonNull<Header>>>,
    /// The next task in the ready queue, or the task itself if it is the last. `None` if it is not in the queue and has
    /// not ended. A task that has ended links to itself, so that a wake takes it for queued. It belongs to the owner.
    pub(crate) next_ready: Cell<Option<LocalTask>>,
    /// Where wakes find queue and driver. Kept alive by the executor, or by the spawn that could not hand over the
    /// task, until that gives up its reference to the task; then by the task, with a count of the `Arc`, if somebody
    /// still refers to it.
    shared: NonNull<Shared>,
    pub(crate) vtable: &'static TaskVTable,
    pub(crate) count: BiasedCount,
}

impl Header {
    /// What belongs to the owner, if this thread is the one.
    #[inline]
    pub(crate) fn local(&self) -> Option<&Local> {
        // SAFETY: it is kept alive for as long as the task, as the field says.
        unsafe { Shared::local_at(|| self.shared) }
    }
}

/// A counted pointer to a task: what `Arc<Task>` is to arc-waker.
///
/// Its reference makes it sound to look at the header. In a `ManuallyDrop` it stands for a reference that is held
/// elsewhere, by a waker.
pub(crate) struct TaskRef {
    header: NonNull<Header>,
}

/// A pointer to a task to which the executor holds its own reference, so nothing needs to be counted. Only for the
/// thread that drives or drops the executor, or that spawns the task if the executor has rejected it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalTask {
    header: NonNull<Header>,
}

/// What a poll has come to.
pub(crate) enum PollResult {
    /// The task has ended, and its result is in its place.
    Ended,
    Pending,
    /// The task had ended before, and may be freed by now.
    Gone,
}

impl TaskRef {
    /// The stack's reference to a task that was allocated for it. To be called once.
    pub(crate) fn for_stack(LocalTask { header }: LocalTask) -> Self {
        let task = Self { header };
        task.previous.set(Some(LocalTask { header }));
        task
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

    pub(crate) fn as_ptr(&self) -> NonNull<Header> {
        self.header
    }

    /// Puts the task into the ready queue unless it is there. On the owner.
    #[inline]
    pub(crate) fn wake_locally(&self, local: &Local) {
        if self.next_ready.get().is_none() {
            // It has not ended, so the executor still has its own reference.
            local.queue.push(LocalTask { header: self.header });
        }
    }

    /// Pushes the task onto the stack unless it is there. `reason` is a flag to set, or 0.
    #[inline]
    pub(crate) fn wake_remotely(&self, reason: usize) {
        // SAFETY: a reference is held.
        unsafe { Self::queue_remotely(self.header, reason) };
    }

    /// Outlined so that the owner's path inlines.
    ///
    /// # Safety
    ///
    /// The caller holds a reference to the task.
    #[cold]
    #[inline(never)]
    unsafe fn queue_remotely(header: NonNull<Header>, reason: usize) {
        // SAFETY: the caller holds a reference, which this does not give back.
        let task = ManuallyDrop::new(unsafe { Self::from_raw(header) });
        // AcqRel: pairs with the fetch_sub in `LocalTask::clear_queued`; the poll sees what every waking thread wrote.
        // It also writes where nothing changes, as the task is queued already: so this wake, too, happens before the
        // poll.
        let before = task.count.remote().fetch_update(AcqRel, Acquire, |remote| match remote {
            _ if remote & ENDED != 0 => None,
            _ if remote & QUEUED != 0 => Some(remote | reason),
            _ => Some((remote | QUEUED | reason).wrapping_add(ONE)),
        });
        if before.is_ok_and(|before| before & QUEUED == 0) {
            // SAFETY: the pointer is that of an `Arc`, which is kept for as long as the task. The reference that passes
            // on was just added.
            unsafe { Shared::push_remotely(task.shared.as_ptr(), TaskRef { header }) };
        }
    }

    /// Makes the task's next poll drop its future, and schedules that poll.
    pub(crate) fn abort(&self) {
        match self.local() {
            Some(local) => {
                // Relaxed: for the poll, on this thread.
                self.count.remote().fetch_or(ABORTED, Relaxed);
                self.wake_locally(local);
            }
            None => self.wake_remotely(ABORTED),
        }
    }

    /// Ends a task that the executor, which is gone, does not take.
    pub(crate) fn reject(self) {
        let task = LocalTask { header: self.header };
        // The stack's reference. What is left is the executor's own, which nobody else knows of.
        drop(self);
        task.fail(JoinError::Cancelled);
        if task.complete(None) {
            task.reclaim(None);
        }
    }

    /// Outlined so that the owner's path inlines.
    ///
    /// # Safety
    ///
    /// The caller holds a reference to the task, and gives it back with this call.
    #[cold]
    #[inline(never)]
    unsafe fn drop_remotely(header: NonNull<Header>) {
        // SAFETY: the caller's reference, which is given back by counting it.
        let task = ManuallyDrop::new(unsafe { Self::from_raw(header) });
        if task.count.sub_remote() {
            // SAFETY: that was the last reference, and there is no last one before the merge.
            unsafe { Self::free(header) };
        }
    }

    /// Frees a task after its merge.
    ///
    /// # Safety
    ///
    /// The task has the count of the `Arc` that [`LocalTask::merge`] takes. Nobody has a reference to the task any
    /// more, and it holds neither future nor result.
    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: it is not freed yet, and nobody else looks at it.
        let task = unsafe { header.as_ref() };
        task.alive.check();
        // SAFETY: the task's count, as the caller promises.
        let _shared = unsafe { Arc::from_raw(task.shared.as_ptr()) };
        let free = task.vtable.free;
        // SAFETY: as the caller promises.
        unsafe { free(header, None) };
    }
}

impl LocalTask {
    /// Allocates a task, to which its handle has a reference. A thread that does not drive allocates it as queued, with
    /// a reference for the stack, too, which [`TaskRef::for_stack`] returns.
    pub(crate) fn new<F>(future: F, shared: &Arc<Shared>, local: Option<&Local>) -> (Self, JoinHandle<F::Output>)
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
            next_remote: Cell::new(None),
            next_ready: Cell::new(None),
            // SAFETY: an `Arc` does not point to null. (It is the pointer that `Arc::into_raw` would give away.)
            shared: unsafe { NonNull::new_unchecked(Arc::as_ptr(shared).cast_mut()) },
            vtable: Task::<F>::VTABLE,
            count: if local.is_some() { BiasedCount::new(ONE, 0) } else { BiasedCount::new(0, QUEUED | (2 * ONE)) },
        };
        let header = Task::allocate(header, future, local.map(|local| &local.spare));
        // For the links of `RemoteQueue`.
        header.as_ptr().expose_provenance();
        // SAFETY: the task was made for this future.
        let handle = unsafe { JoinHandle::new(TaskRef { header }) };
        (Self { header }, handle)
    }

    /// Takes over a task from the stack, with the stack's reference, which it keeps until it is polled. `None` if it
    /// has ended.
    pub(crate) fn from_stack(task: TaskRef) -> Option<Self> {
        let local = task.count.local();
        if local & ENDED != 0 {
            drop(task);
            return None;
        }
        task.count.set_local(local | QUEUED_REMOTELY);
        Some(Self { header: task.into_raw() })
    }

    pub(crate) fn as_ptr(self) -> NonNull<Header> {
        self.header
    }

    /// Whether the task is new to the executor's list. True once.
    pub(crate) fn is_new(self) -> bool {
        let is_new = self.previous.get() == Some(self);
        if is_new {
            self.previous.set(None);
        }
        is_new
    }

    /// The task after this one among those that were taken out of the ready queue. To be called before this one is
    /// polled.
    #[inline]
    pub(crate) fn next_in_chain(self) -> Option<LocalTask> {
        self.next_ready.get().filter(|&next| next != self)
    }

    /// Polls a task that was taken out of the ready queue, with `waker`, which is its own. `take_stack` is called when
    /// the task may be on the stack as well, so that wakes on both sides lead to one poll.
    #[inline]
    pub(crate) fn poll(self, waker: &Waker, take_stack: impl FnOnce()) -> PollResult {
        // Relaxed: no more than a reason to look closer.
        if self.count.remote().load(Relaxed) & (QUEUED | ENDED | ABORTED) != 0 {
            if let Some(result) = self.poll_slow(take_stack) {
                return result;
            }
        }
        self.next_ready.set(None);
        // SAFETY: the thread that drives has the right to `stage`, and the task has not ended.
        match unsafe { (self.vtable.poll)(self.header, &mut Context::from_waker(waker)) } {
            Poll::Pending => PollResult::Pending,
            Poll::Ready(()) => PollResult::Ended,
        }
    }

    /// What a poll does if there is something in `remote`. `None` if the future must be polled all the same; then other
    /// threads may queue the task again.
    #[cold]
    #[inline(never)]
    fn poll_slow(self, take_stack: impl FnOnce()) -> Option<PollResult> {
        if self.count.local() & ENDED != 0 {
            self.leave_queue();
            return Some(PollResult::Gone);
        }
        if self.count.local() & QUEUED_REMOTELY == 0 {
            take_stack();
        }
        self.next_ready.set(None);
        let local = self.count.local();
        self.count.set_local(local & !QUEUED_REMOTELY);
        // Acquire: pairs with an abort in `queue_remotely` whose thread has not pushed the task yet.
        let remote = if local & QUEUED_REMOTELY != 0 { self.clear_queued() } else { self.count.remote().load(Acquire) };
        (remote & ABORTED != 0).then(|| {
            self.fail(JoinError::Cancelled);
            PollResult::Ended
        })
    }

    /// Gives back the stack's reference, and lets other threads queue the task again. Returns what they had set.
    fn clear_queued(self) -> usize {
        // AcqRel: pairs with the fetch_update in `queue_remotely`.
        self.count.remote().fetch_sub(QUEUED + ONE, AcqRel)
    }

    /// Gives back the ready queue's reference to a task that has ended, and was taken out.
    pub(crate) fn leave_queue(self) {
        debug_assert!(self.count.local() & ENDED != 0, "a task leaves the queue unpolled only if it has ended");
        self.next_ready.set(Some(self));
        // SAFETY: `complete` counted it, as the task was in the queue.
        drop(unsafe { TaskRef::from_raw(self.header) });
    }

    /// Drops the future of a task that has not ended, and stores the error. Only for the thread that drives or drops
    /// the executor, or that spawns the task if the executor has rejected it.
    pub(crate) fn fail(self, error: JoinError) {
        // SAFETY: that thread has the right to `stage`, and the task has not ended.
        unsafe { (self.vtable.fail)(self.header, error) };
    }

    /// Reports the result, which is in its place. False if there was nobody to report it to: then the task is freed, or
    /// its memory left to `spare`.
    pub(crate) fn complete(self, spare: Option<&SpareMemory>) -> bool {
        let mut local = self.count.local();
        if local & QUEUED_REMOTELY != 0 {
            // Woken remotely during its last poll, and drained when a nested `block_on` ended; or the executor is
            // dropped.
            self.clear_queued();
            local &= !QUEUED_REMOTELY;
        }
        match self.next_ready.get() {
            // It stays in the queue until it is taken out: from now on with a reference.
            Some(_) => local = local.wrapping_add(ONE),
            None => self.next_ready.set(Some(self)),
        }
        self.count.set_local(local | ENDED);
        if self.count.is_sole() {
            // SAFETY: nobody else knows of the task, and its result is there.
            unsafe { (self.vtable.drop_result)(self.header) };
            // SAFETY: nobody else knows of the task.
            unsafe { (self.vtable.free)(self.header, spare) };
            return false;
        }
        // AcqRel: pairs with the fetch_update in the handle's `change`, and with its loads: a thread that sees `ENDED`
        // sees the result; this thread sees the joiner.
        let remote = self.count.remote().fetch_or(ENDED, AcqRel);
        if (local | remote) & DETACHED != 0 {
            // SAFETY: without a handle the thread that drives, drops or rejects has the right to `stage`, and the task
            // has ended.
            unsafe { (self.vtable.drop_result)(self.header) };
        } else if remote & BORROWED == 0 {
            // SAFETY: `BORROWED` cannot be set after `ENDED`, so the joiner belongs to this thread for good.
            let joiner = self.joiner.with_mut(|joiner| unsafe { (*joiner).take() });
            // A joiner's waker is foreign code; a panic in it must not reach the run loop.
            discard_panic(|| joiner.into_iter().for_each(Waker::wake));
        }
        true
    }

    /// Gives up the executor's reference to a task that has ended, and leaves its memory to `spare` if nobody else
    /// refers to it. Only for a thread that keeps `shared` alive.
    #[inline]
    pub(crate) fn reclaim(self, spare: Option<&SpareMemory>) {
        if self.count.is_sole() {
            // SAFETY: nobody else knows of the task.
            unsafe { (self.vtable.free)(self.header, spare) };
        } else {
            self.merge();
        }
    }

    /// Leaves a task that has ended to those who still refer to it. Outlined so that `reclaim` inlines.
    #[inline(never)]
    fn merge(self) {
        // SAFETY: the pointer is that of an `Arc`, as `Arc::into_raw` gives it away, and the caller keeps one.
        unsafe { Arc::increment_strong_count(self.shared.as_ptr()) };
        if self.count.merge() {
            // SAFETY: that was the last reference, and the task has its count.
            unsafe { TaskRef::free(self.header) };
        }
    }
}

impl Deref for TaskRef {
    type Target = Header;

    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: the reference keeps the task alive for as long as `self` is borrowed.
        let header = unsafe { self.header.as_ref() };
        header.alive.check();
        header
    }
}

impl Deref for LocalTask {
    type Target = Header;

    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: the executor has not given up its reference to the task.
        let header = unsafe { self.header.as_ref() };
        header.alive.check();
        header
    }
}

impl Clone for TaskRef {
    #[inline]
    fn clone(&self) -> Self {
        self.count.add(self.local().is_some());
        Self { header: self.header }
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        if !self.count.sub_local(self.local().is_some()) {
            // SAFETY: the reference is held until this call, which gives it back.
            unsafe { TaskRef::drop_remotely(self.header) };
        }
    }
}

#[cfg(test)]
mod tests;
