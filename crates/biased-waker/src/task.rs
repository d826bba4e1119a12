//! A spawned future, its result, its joiner and its links, in one allocation whose references are counted in two words.

#![expect(unsafe_code, reason = "one allocation is shared by the queue, the list, the wakers and the join handle")]

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use executor::JoinError;
use executor::support::{SpareMemory, quietly};
use executor::sync::atomic::Ordering::*;
use executor::sync::cell::{Cell, UnsafeCell};
use executor::sync::{Alive, Arc};

use crate::count::{BiasedCount, ONE};
use crate::executor::{Local, Shared};
use crate::join::JoinHandle;
use crate::stage::{Task, TaskVTable};

// The flags of a task, in either of its two words: each word says what was done on its side.

/// In `away`: the task is on the stack of other threads, or whoever set this is about to put it there, or it came from
/// there and has not had its turn. (At home `next_ready` says whether the task is queued.)
pub(crate) const QUEUED: usize = 1 << 1;
/// The future is gone. Its result is there, unless it was taken.
pub(crate) const ENDED: usize = 1 << 2;
/// In `away`, also where it is done at home: the task's next turn drops the future instead of polling it. So one word
/// tells a turn whether it is more than a poll.
pub(crate) const ABORTED: usize = 1 << 3;
/// The join handle is gone: nobody takes the result.
pub(crate) const DETACHED: usize = 1 << 4;
/// In `here`: the task came from the stack, so its turn has to clear `QUEUED` in `away`.
pub(crate) const CALLED: usize = 1 << 5;
/// In `away`: `joiner` belongs to the join handle, on another thread. Otherwise it belongs to the driving thread.
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
/// (1) A wake at home links the task into the ready queue. One elsewhere sets `QUEUED` in `away` and
/// pushes the task onto the stack, with a reference; the driving thread moves it from there into the ready queue,
/// unless it is in it, and notes `CALLED`. (2) The driving thread takes it out and clears the link, and `QUEUED` in
/// `away` only where `CALLED` asks for it, *before* it polls. (3) A wake during the poll finds it cleared on its side,
/// and cannot be lost. One on each side leads to one poll, or, where the second comes after the stack was emptied, to
/// one poll too many. (4) The driving thread drops the future, stores the result and sets `ENDED` on both sides, and
/// wakes the joiner. A wake from now on does nothing. (5) Before the next round, or when it stops to drive, it lets go
/// of the task.
///
/// References are held by each waker, by the join handle, by the stack until the turn of a task that came from there,
/// and by the ready queue where the task ends while it is in it. All others that look at a task rely on the executor's
/// own, which [`Kept`] stands for.
///
/// What a wake and a turn touch comes last, beside the future.
#[repr(C)]
pub(crate) struct Header {
    /// For the models: begins and ends with this.
    pub(crate) alive: Alive,
    /// For the models: is used whenever `stage` is.
    pub(crate) access: UnsafeCell<()>,
    /// Belongs to the driving thread, at home also when it polls the join handle, unless `BORROWED` is set. The handle
    /// sets it and takes it back, neither after `ENDED`: if it is set then, what is here stays the handle's.
    pub(crate) joiner: UnsafeCell<Option<Waker>>,
    /// The neighbours in the executor's list. Belong to the thread that drives or drops the executor. A task that is
    /// new to it, ready or not, is its own `previous`. After the end `next` is the next one that has ended.
    pub(crate) previous: Cell<Option<Kept>>,
    pub(crate) next: Cell<Option<Kept>>,
    /// The next task on the stack. Belongs to whoever holds the stack's reference.
    pub(crate) next_called: Cell<Option<NonNull<Header>>>,
    /// The next task in the ready queue, or the task itself if it is the last. `None` if it is not in the queue and has
    /// not ended. A task that has ended links to itself, so that a wake takes it for queued. Belongs to the driving
    /// thread.
    pub(crate) next_ready: Cell<Option<Kept>>,
    /// Where wakes find queue and driver. Kept by the executor, or by the spawn that could not hand the task over,
    /// until it lets go of the task; then by the task, with a count of the `Arc`, if somebody still refers to it.
    shared: NonNull<Shared>,
    pub(crate) vtable: &'static TaskVTable,
    pub(crate) count: BiasedCount,
}

impl Header {
    /// What belongs to the thread that drives, if the task is at home here.
    #[inline]
    pub(crate) fn at_home(&self) -> Option<&Local> {
        // SAFETY: it is kept for as long as the task, as the field says.
        unsafe { Shared::local_at(|| self.shared) }
    }
}

/// A counted pointer to a task: what `Arc<Task>` is to arc-waker.
///
/// Its reference is what makes it sound to look at the header. In a `ManuallyDrop` it stands for a reference that is
/// held elsewhere, by a waker.
pub(crate) struct TaskRef {
    header: NonNull<Header>,
}

/// A pointer to a task that the executor has not let go of, so that nothing needs to be counted. Only for the thread
/// that drives or drops the executor, or that spawns the task, if the executor has rejected it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    header: NonNull<Header>,
}

/// What has become of a task in its turn.
pub(crate) enum Turn {
    /// It has ended, and its result is in its place.
    Ended,
    Pending,
    /// It had ended before, and may be freed by now.
    Gone,
}

impl TaskRef {
    /// Allocates a task that is referred to by its handle. On a thread that does not drive it counts as called and is
    /// referred to by the stack, too, for which [`called`](Self::called) is.
    pub(crate) fn allocate<F>(future: F, shared: &Arc<Shared>, local: Option<&Local>) -> (Kept, JoinHandle<F::Output>)
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
            next_called: Cell::new(None),
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
        let handle = unsafe { JoinHandle::new(Self { header }) };
        (Kept { header }, handle)
    }

    /// The stack's reference to a task that was allocated for it. To be called once.
    pub(crate) fn called(Kept { header }: Kept) -> Self {
        let task = Self { header };
        task.previous.set(Some(Kept { header }));
        task
    }

    /// Gives the reference away with the pointer.
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

    /// Puts the task into the ready queue unless it is there, and uses up the reference.
    pub(crate) fn wake(self) {
        // Elsewhere, queue and driver are reached through the task, so this reference keeps it until the wake is
        // through.
        self.wake_by_ref();
    }

    /// Puts the task into the ready queue unless it is there.
    #[inline]
    pub(crate) fn wake_by_ref(&self) {
        match self.at_home() {
            Some(local) => self.wake_here(local),
            // SAFETY: a reference is held.
            None => unsafe { Self::wake_from_elsewhere(self.header, 0) },
        }
    }

    /// Makes the task's next turn drop its future, and gives it a turn.
    pub(crate) fn abort(&self) {
        match self.at_home() {
            Some(local) => {
                // Relaxed: for the turn, on this thread.
                self.count.away().fetch_or(ABORTED, Relaxed);
                self.wake_here(local);
            }
            // SAFETY: a reference is held.
            None => unsafe { Self::wake_from_elsewhere(self.header, ABORTED) },
        }
    }

    /// Ends a task that the executor, which is gone, does not take.
    pub(crate) fn reject(self) {
        let task = Kept { header: self.header };
        // The stack's reference. The executor's own, which nobody else knows of, is left.
        drop(self);
        task.fail(JoinError::Cancelled);
        if task.complete(None) {
            task.let_go(None);
        }
    }

    #[inline]
    fn wake_here(&self, local: &Local) {
        if self.next_ready.get().is_none() {
            // It has not ended, so the executor has not let go of it.
            local.queue.push(Kept { header: self.header });
        }
    }

    /// Kept out of the short way, which is to stay short and straight.
    ///
    /// # Safety
    ///
    /// The caller holds a reference to the task.
    #[cold]
    #[inline(never)]
    unsafe fn wake_from_elsewhere(header: NonNull<Header>, reason: usize) {
        // SAFETY: it passes none on.
        let task = ManuallyDrop::new(unsafe { Self::from_raw(header) });
        // AcqRel: pairs with the fetch_sub in `Kept::answer`; the turn sees what every waking thread wrote. Written
        // also where nothing changes, as the task is queued already: so this wake, too, happens before the turn.
        let before = task.count.away().fetch_update(AcqRel, Acquire, |away| match away {
            _ if away & ENDED != 0 => None,
            _ if away & QUEUED != 0 => Some(away | reason),
            _ => Some((away | QUEUED | reason).wrapping_add(ONE)),
        });
        if before.is_ok_and(|before| before & QUEUED == 0) {
            // SAFETY: the pointer is that of an `Arc`, which is kept for as long as the task. The reference that passes
            // on was just added.
            unsafe { Shared::push(task.shared.as_ptr(), TaskRef { header }) };
        }
    }
}

impl Kept {
    pub(crate) fn as_ptr(self) -> NonNull<Header> {
        self.header
    }

    /// Whether the task is new to the executor's list. Said once.
    pub(crate) fn is_new(self) -> bool {
        let is_new = self.previous.get() == Some(self);
        if is_new {
            self.previous.set(None);
        }
        is_new
    }

    /// Takes a task over from the stack, with the stack's reference, which it keeps until its turn. `None` if it has
    /// ended.
    pub(crate) fn receive(task: TaskRef) -> Option<Kept> {
        let here = task.count.here();
        if here & ENDED != 0 {
            drop(task);
            return None;
        }
        task.count.set_here(here | CALLED);
        Some(Kept { header: task.into_raw() })
    }

    /// The task after this one among those that were taken out of the ready queue. Ask before its turn.
    #[inline]
    pub(crate) fn next_in_chain(self) -> Option<Kept> {
        self.next_ready.get().filter(|&next| next != self)
    }

    /// Gives a task that was taken out of the ready queue its turn, with `waker`, which is its own. `take_stack` is
    /// called when the task may be on the stack as well, so that wakes on both sides lead to one poll.
    #[inline]
    pub(crate) fn turn(self, waker: &Waker, take_stack: impl FnOnce()) -> Turn {
        // Relaxed: no more than a reason to look at the stack now.
        if self.count.away().load(Relaxed) & (QUEUED | ENDED | ABORTED) != 0 {
            if let Some(turn) = self.turn_called(take_stack) {
                return turn;
            }
        }
        self.next_ready.set(None);
        // SAFETY: the driving thread has the right to `stage`, and the task has not ended.
        match unsafe { (self.vtable.poll)(self.header, &mut Context::from_waker(waker)) } {
            Poll::Pending => Turn::Pending,
            Poll::Ready(()) => Turn::Ended,
        }
    }

    /// The turn of a task that has ended or was aborted; otherwise `None`, and other threads may call it again.
    #[cold]
    #[inline(never)]
    fn turn_called(self, take_stack: impl FnOnce()) -> Option<Turn> {
        if self.count.here() & ENDED != 0 {
            self.leave_queue();
            return Some(Turn::Gone);
        }
        if self.count.here() & CALLED == 0 {
            take_stack();
        }
        self.next_ready.set(None);
        let here = self.count.here();
        self.count.set_here(here & !CALLED);
        // Acquire: pairs with an abort in `wake_from_elsewhere` that found the task about to be pushed.
        let away = if here & CALLED != 0 { self.answer() } else { self.count.away().load(Acquire) };
        (away & ABORTED != 0).then(|| {
            self.fail(JoinError::Cancelled);
            Turn::Ended
        })
    }

    /// Gives back the reference of the ready queue to a task that has ended, and was taken out.
    pub(crate) fn leave_queue(self) {
        debug_assert!(self.count.here() & ENDED != 0, "a task leaves the queue unpolled only if it has ended");
        self.next_ready.set(Some(self));
        // SAFETY: `complete` counted it, as the task was in the queue.
        drop(unsafe { TaskRef::from_raw(self.header) });
    }

    /// Gives the stack's reference back and lets other threads call again. Returns what they had set.
    fn answer(self) -> usize {
        // AcqRel: pairs with `wake_from_elsewhere`.
        self.count.away().fetch_sub(QUEUED + ONE, AcqRel)
    }

    /// Drops the future of a task that has not ended. Only for the thread that drives or drops the executor, or that
    /// spawns the task, if the executor has rejected it.
    pub(crate) fn fail(self, error: JoinError) {
        // SAFETY: that thread has the right to `stage`, and the task has not ended.
        unsafe { (self.vtable.fail)(self.header, error) };
    }

    /// Reports the result, which is in its place. False if there is nobody to report to, and the task is freed, or its
    /// memory left to `spare`.
    pub(crate) fn complete(self, spare: Option<&SpareMemory>) -> bool {
        let mut here = self.count.here();
        if here & CALLED != 0 {
            // Called during its last poll, and received in a nested `block_on`'s end; or the executor is dropped.
            self.answer();
            here &= !CALLED;
        }
        match self.next_ready.get() {
            // It stays in the queue until its turn comes: from now on with a reference.
            Some(_) => here = here.wrapping_add(ONE),
            None => self.next_ready.set(Some(self)),
        }
        self.count.set_here(here | ENDED);
        if self.count.is_sole() {
            // SAFETY: nobody else knows of the task, and its result is there.
            unsafe { (self.vtable.drop_result)(self.header) };
            // SAFETY: nobody else knows of the task.
            unsafe { (self.vtable.free)(self.header, spare) };
            return false;
        }
        // AcqRel: pairs with the fetch_update in the handle's `change`, and with its loads: whoever sees `ENDED`
        // sees the result; this thread sees the joiner.
        let away = self.count.away().fetch_or(ENDED, AcqRel);
        if (here | away) & DETACHED != 0 {
            // SAFETY: without a handle the driving thread has the right to `stage`, and the task has ended.
            unsafe { (self.vtable.drop_result)(self.header) };
        } else if away & BORROWED == 0 {
            // SAFETY: `BORROWED` cannot be set after `ENDED`, so the joiner belongs to this thread, for good.
            let joiner = self.joiner.with_mut(|joiner| unsafe { (*joiner).take() });
            // A joiner's waker is foreign code; a panic in it must not reach the run loop.
            quietly(|| joiner.into_iter().for_each(Waker::wake));
        }
        true
    }

    /// Lets go of a task that has ended, and leaves its memory to `spare` if nobody else refers to it. Only for who
    /// keeps `shared`.
    #[inline]
    pub(crate) fn let_go(self, spare: Option<&SpareMemory>) {
        if self.count.is_sole() {
            // SAFETY: nobody else knows of the task.
            unsafe { (self.vtable.free)(self.header, spare) };
        } else {
            self.merge();
        }
    }

    /// Leaves a task that has ended to those who still refer to it. Kept out of the short way.
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

impl TaskRef {
    /// Kept out of the short way, which is to stay short and straight.
    ///
    /// # Safety
    ///
    /// The caller holds a reference to the task, and gives it back with this call.
    #[cold]
    #[inline(never)]
    unsafe fn drop_from_elsewhere(header: NonNull<Header>) {
        // SAFETY: it is given back by counting it.
        let task = ManuallyDrop::new(unsafe { Self::from_raw(header) });
        if task.count.sub_away() {
            // SAFETY: that was the last reference, and there is none before the merge.
            unsafe { Self::free(header) };
        }
    }

    /// Frees a task after its merge.
    ///
    /// # Safety
    ///
    /// The task has the count of the `Arc` that [`Kept::merge`] takes. Nobody has a reference to the task any more, and
    /// it holds neither future nor result.
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

impl Deref for Kept {
    type Target = Header;

    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: the executor has not let go of the task.
        let header = unsafe { self.header.as_ref() };
        header.alive.check();
        header
    }
}

impl Clone for TaskRef {
    #[inline]
    fn clone(&self) -> Self {
        self.count.add(self.at_home().is_some());
        Self { header: self.header }
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        if !self.count.sub_here(self.at_home().is_some()) {
            // SAFETY: the reference is held until this call, which gives it back.
            unsafe { TaskRef::drop_from_elsewhere(self.header) };
        }
    }
}

#[cfg(test)]
mod tests;
