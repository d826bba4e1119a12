//! A spawned future, its result, its joiner and its links, in one allocation whose references are counted in two words.

#![expect(unsafe_code, reason = "one allocation is shared by the queue, the list, the wakers and the join handle")]

use std::cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use executor::support::{SpareMemory, discard, discard_panic, drop_future_before};
use executor::sync::atomic::Ordering::*;
use executor::sync::cell::{Cell, UnsafeCell};
use executor::sync::{Alive, Arc, free};
use executor::{JoinError, JoinHandle};

use crate::abort::BiasedAbortHandle;
use crate::count::{BiasedCount, ONE};
use crate::executor::{Local, Shared};

// The flags of a task, in either of its two words: each word says what was done on its side.

/// In `away`: the task is on the stack of other threads, or whoever set this is about to put it there, or it came from
/// there and has not had its turn. (At home `next_ready` says whether the task is queued.)
const QUEUED: usize = 1 << 1;
/// The future is gone. Its result is there, unless it was taken.
const ENDED: usize = 1 << 2;
/// In `away`, also where it is done at home: the task's next turn drops the future instead of polling it. So one word
/// tells a turn whether it is more than a poll.
const ABORTED: usize = 1 << 3;
/// The join handle is gone: nobody takes the result.
const DETACHED: usize = 1 << 4;
/// In `here`: the task came from the stack, so its turn has to clear `QUEUED` in `away`.
const CALLED: usize = 1 << 5;
/// In `away`: `joiner` belongs to the join handle, on another thread. Otherwise it belongs to the driving thread.
const BORROWED: usize = 1 << 5;

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
    alive: Alive,
    /// For the models: is used whenever `stage` is.
    access: UnsafeCell<()>,
    /// Belongs to the driving thread, at home also when it polls the join handle, unless `BORROWED` is set. The handle
    /// sets it and takes it back, neither after `ENDED`: if it is set then, what is here stays the handle's.
    joiner: UnsafeCell<Option<Waker>>,
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
    vtable: &'static TaskVTable,
    pub(crate) count: BiasedCount,
}

impl Header {
    /// What belongs to the thread that drives, if the task is at home here.
    #[inline]
    fn at_home(&self) -> Option<&Local> {
        // SAFETY: it is kept for as long as the task, as the field says.
        unsafe { Shared::local_at(|| self.shared) }
    }
}

/// A header and what it is the header of.
#[repr(C)]
struct Task<F: Future> {
    header: Header,
    /// Belongs to the thread that drives or drops the executor until `ENDED`; then to the join handle, or where that is
    /// gone, to the driving thread. Before the executor has accepted the task, and if it rejects it: to the one that
    /// spawns.
    stage: cell::UnsafeCell<Stage<F>>,
}

/// The future before `ENDED`, the result after it: the flags know which, so this needs no tag.
#[repr(C)]
union Stage<F: Future> {
    future: ManuallyDrop<F>,
    result: ManuallyDrop<Result<F::Output, JoinError>>,
}

/// What depends on the type of the future, behind the header's untyped pointer.
///
/// Each function asks for a pointer to the header of a `Task<F>` that is alive, of the `F` that the table was made for.
struct TaskVTable {
    /// Polls the future, whose panic unwinds. `Ready` when the result has taken its place. Asks for the right to
    /// `stage`, before `ENDED`.
    poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<()>,
    /// Puts the error into the future's place. Asks for the right to `stage`, before `ENDED`.
    fail: unsafe fn(NonNull<Header>, JoinError),
    /// Where the `Result<F::Output, JoinError>` lies, in bytes from the header. It may be read once, with the right to
    /// `stage`, after `ENDED`.
    result: usize,
    /// Drops the result, which must not have been taken. Asks for the right to `stage`, after `ENDED`.
    drop_result: unsafe fn(NonNull<Header>),
    /// Frees the memory, or leaves it to the driving thread's spare memory. Asks that no reference is left.
    free: unsafe fn(NonNull<Header>, Option<&SpareMemory>),
}

impl<F: Future> Task<F> {
    const VTABLE: &'static TaskVTable = &TaskVTable {
        poll: Self::poll,
        fail: Self::fail,
        result: mem::offset_of!(Self, stage),
        drop_result: Self::drop_result,
        free: Self::free,
    };

    /// # Safety
    ///
    /// `task` points to the header of a `Task<F>` that is alive, and the caller has the right to its `stage`.
    unsafe fn with_stage<R>(task: NonNull<Header>, f: impl FnOnce(&mut Stage<F>) -> R) -> R {
        // SAFETY: the header is the first field of a `repr(C)` struct, and the pointer was made from one to the whole.
        let task = unsafe { task.cast::<Self>().as_ref() };
        task.header.alive.check();
        task.header.access.with_mut(|_| {
            // SAFETY: the caller has the right to `stage`.
            f(unsafe { &mut *task.stage.get() })
        })
    }

    /// See [`TaskVTable::poll`].
    unsafe fn poll(task: NonNull<Header>, cx: &mut Context<'_>) -> Poll<()> {
        let poll = |stage: &mut Stage<F>| {
            // SAFETY: a task that has not ended holds its future.
            let future = unsafe { &mut *stage.future };
            // SAFETY: the future stays in its allocation until `Stage::end` drops it in place.
            let future = unsafe { Pin::new_unchecked(future) };
            match future.poll(cx) {
                // SAFETY: as above.
                Poll::Ready(value) => unsafe { stage.finish(value) },
                Poll::Pending => Poll::Pending,
            }
        };
        // SAFETY: as the caller promises.
        unsafe { Self::with_stage(task, poll) }
    }

    /// See [`TaskVTable::fail`].
    unsafe fn fail(task: NonNull<Header>, error: JoinError) {
        let fail = |stage: &mut Stage<F>| {
            // SAFETY: a task that has not ended holds its future.
            unsafe { stage.end(Err(error)) }
        };
        // SAFETY: as the caller promises.
        unsafe { Self::with_stage(task, fail) }
    }

    /// See [`TaskVTable::drop_result`].
    unsafe fn drop_result(task: NonNull<Header>) {
        let take = |stage: &mut Stage<F>| {
            // SAFETY: a task that has ended holds its result, until this takes it.
            unsafe { stage.take() }
        };
        // SAFETY: as the caller promises.
        let result = unsafe { Self::with_stage(task, take) };
        discard_panic(|| drop(result));
    }

    /// See [`TaskVTable::free`].
    unsafe fn free(task: NonNull<Header>, spare: Option<&SpareMemory>) {
        // SAFETY: `TaskRef::allocate` made the pointer from this type's box, and nobody else has a reference any more.
        let task = unsafe { Box::from_raw(task.cast::<Self>().as_ptr()) };
        match spare {
            Some(spare) => spare.free(task),
            None => free(task),
        }
    }
}

impl<F: Future> Stage<F> {
    /// Drops the future in place, and only then stores the result: whoever sees it may rely on the future being gone.
    ///
    /// # Safety
    ///
    /// The future is there.
    unsafe fn end(&mut self, result: Result<F::Output, JoinError>) {
        // SAFETY: it is there, and from now on nobody takes it for alive.
        let drop_future = || unsafe { ManuallyDrop::drop(&mut self.future) };
        self.result = ManuallyDrop::new(drop_future_before(result, drop_future));
    }

    /// Stores what a poll has returned. Kept out of polls that return nothing.
    ///
    /// # Safety
    ///
    /// As for [`end`](Self::end).
    #[inline(never)]
    unsafe fn finish(&mut self, value: F::Output) -> Poll<()> {
        // SAFETY: as the caller promises.
        unsafe { self.end(Ok(value)) };
        Poll::Ready(())
    }

    /// Moves the result out.
    ///
    /// # Safety
    ///
    /// The result is there, and nobody takes it for there from now on.
    unsafe fn take(&mut self) -> Result<F::Output, JoinError> {
        // SAFETY: as the caller promises.
        unsafe { ManuallyDrop::take(&mut self.result) }
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
    pub(crate) fn allocate<F>(
        future: F,
        shared: &Arc<Shared>,
        local: Option<&Local>,
    ) -> (Kept, BiasedJoinHandle<F::Output>)
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
        // Header and future are put in place one by one: a task that is put together first is one more copy of the
        // future.
        let memory = local.map_or_else(Box::<Task<F>>::new_uninit, |local| local.spare.allocate());
        let task = NonNull::from(Box::leak(memory)).cast::<Task<F>>();
        // SAFETY: it points to memory for a task.
        let stage = unsafe { &raw mut (*task.as_ptr()).stage };
        // SAFETY: it points to memory for a stage, which begins with the future.
        unsafe { stage.cast::<F>().write(future) };
        // SAFETY: it points to memory for a task, which begins with the header.
        unsafe { task.cast::<Header>().write(header) };
        let header: NonNull<Header> = task.cast();
        // For the links of `RemoteQueue`.
        header.as_ptr().expose_provenance();
        (Kept { header }, BiasedJoinHandle { task: Some(Self { header }), result: PhantomData })
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
        if task.end(None) {
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
        // SAFETY: `end` counted it, as the task was in the queue.
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
    pub(crate) fn end(self, spare: Option<&SpareMemory>) -> bool {
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
        // AcqRel: pairs with the fetch_update in the handle's `change_away`, and with its loads: whoever sees `ENDED`
        // sees the result; this thread sees the joiner.
        let away = self.count.away().fetch_or(ENDED, AcqRel);
        if (here | away) & DETACHED != 0 {
            // SAFETY: without a handle the driving thread has the right to `stage`, and the task has ended.
            unsafe { (self.vtable.drop_result)(self.header) };
        } else if away & BORROWED == 0 {
            // SAFETY: `BORROWED` cannot be set after `ENDED`, so the joiner belongs to this thread, for good.
            let joiner = self.joiner.with_mut(|joiner| unsafe { (*joiner).take() });
            // A joiner's waker is foreign code; a panic in it must not reach the run loop.
            discard_panic(|| joiner.into_iter().for_each(Waker::wake));
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

/// Awaits a task of a [`BiasedExecutor`](crate::BiasedExecutor), from within the task's own allocation.
pub struct BiasedJoinHandle<T> {
    /// None once the result was taken.
    task: Option<TaskRef>,
    /// A handle hands a `T` out and holds none of its own.
    result: PhantomData<fn() -> T>,
}

// SAFETY: the handle gives access to the words and the queues, each of which says which thread may touch it, to
// `joiner`, which `Waker: Send + Sync` lets any thread touch while it has the right to it, and to the result, a `T`,
// which may be moved to this thread.
unsafe impl<T: Send> Send for BiasedJoinHandle<T> {}
// SAFETY: through `&BiasedJoinHandle` there is only `abort`, `is_finished` and `abort_handle`, which wake, load an
// atomic, and count a reference.
unsafe impl<T: Send> Sync for BiasedJoinHandle<T> {}
// As for the handle that the other strategies share: what a panic leaves behind is a task that has ended.
impl<T> UnwindSafe for BiasedJoinHandle<T> {}
impl<T> RefUnwindSafe for BiasedJoinHandle<T> {}

impl<T: Send + 'static> JoinHandle<T> for BiasedJoinHandle<T> {
    type AbortHandle = BiasedAbortHandle;

    fn abort(&self) {
        self.task.iter().for_each(TaskRef::abort);
    }

    fn is_finished(&self) -> bool {
        self.task.as_ref().is_none_or(TaskRef::is_finished)
    }

    fn abort_handle(&self) -> BiasedAbortHandle {
        BiasedAbortHandle::new(self.task.clone())
    }
}

impl<T> Future for BiasedJoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let task = self.task.as_ref().expect("a join handle was polled after it had yielded its result");
        if !task.is_finished() && task.register(cx.waker()) {
            return Poll::Pending;
        }
        let task = self.task.take().expect("it was there");
        // SAFETY: the task has ended and its handle, which forgets it, has the right to `stage`; `T` is the output of
        // the task's future.
        Poll::Ready(unsafe { task.into_result() })
    }
}

/// What a join handle does.
impl TaskRef {
    #[inline]
    pub(crate) fn is_finished(&self) -> bool {
        // Acquire: pairs with the fetch_or in `Kept::end`.
        self.count.away().load(Acquire) & ENDED != 0
    }

    /// Leaves `waker` for the end of the task, which has not come when this is called at home. False if it has.
    fn register(&self, waker: &Waker) -> bool {
        if self.at_home().is_none() {
            return self.register_from_elsewhere(waker);
        }
        let known = self.joiner.with(|joiner| {
            // SAFETY: the handle is here and borrows nothing, so the joiner belongs to the driving thread.
            unsafe { &*joiner }.as_ref().is_some_and(|joiner| joiner.will_wake(waker))
        });
        if !known {
            let fresh = Some(waker.clone());
            // SAFETY: as above.
            let replaced = self.joiner.with_mut(|joiner| mem::replace(unsafe { &mut *joiner }, fresh));
            discard(replaced);
        }
        true
    }

    #[inline(never)]
    fn register_from_elsewhere(&self, waker: &Waker) -> bool {
        // Before the joiner is borrowed: foreign code, and it may panic.
        let mut fresh = Some(waker.clone());
        if !self.change_away(|away| away | BORROWED) {
            discard(fresh);
            return false;
        }
        self.joiner.with_mut(|joiner| {
            // SAFETY: borrowed.
            mem::swap(unsafe { &mut *joiner }, &mut fresh);
        });
        let pending = self.change_away(|away| away & !BORROWED);
        discard(fresh);
        pending
    }

    /// Changes the flags in `away`. False if the task has ended.
    fn change_away(&self, change: impl Fn(usize) -> usize) -> bool {
        // AcqRel: pairs with the fetch_or in `Kept::end`: one of the two comes first, and knows what the other did.
        let changed = self.count.away().fetch_update(AcqRel, Acquire, |away| match away {
            _ if away & ENDED != 0 => None,
            _ => Some(change(away)),
        });
        changed.is_ok()
    }

    /// Makes the driving thread drop the result. False if the task has ended and the result is for the handle to drop.
    fn detach(&self) -> bool {
        if self.at_home().is_none() {
            // The joiner is borrowed for good.
            return self.change_away(|away| away | DETACHED | BORROWED);
        }
        let here = self.count.here();
        self.count.set_here(here | DETACHED);
        here & ENDED == 0
    }

    /// Drops the joiner and the reference, if the joiner is the handle's. The reference first: the joiner's drop is
    /// foreign code.
    #[cold]
    fn drop_joiner(self) {
        let joiner = self.take_joiner();
        drop(self);
        discard(joiner);
    }

    /// The joiner, if it is the handle's. For a handle that is done with the task.
    fn take_joiner(&self) -> Option<Waker> {
        // Acquire: pairs with the fetch_or in `Kept::end`.
        let away = self.count.away().load(Acquire);
        if away & BORROWED == 0 && (away & ENDED != 0 || self.at_home().is_none()) {
            return None;
        }
        // SAFETY: it is borrowed, or the task has not ended and the handle is at home.
        self.joiner.with_mut(|joiner| unsafe { (*joiner).take() })
    }

    /// The result of a task that has ended.
    ///
    /// # Safety
    ///
    /// The task has ended, its output is `T`, and nobody else takes or drops its result: the caller has the right to
    /// `stage`.
    unsafe fn take_result<T>(&self) -> Result<T, JoinError> {
        // SAFETY: it stays in the task's allocation.
        let result = unsafe { self.header.byte_add(self.vtable.result) };
        // SAFETY: as the caller promises.
        self.access.with_mut(|_| unsafe { result.cast().read() })
    }

    /// Like [`take_result`](Self::take_result), for a handle that is done with the task. Kept out of the handle's poll,
    /// so that the rest of that can become part of what awaits it.
    ///
    /// # Safety
    ///
    /// As for [`take_result`](Self::take_result).
    #[inline(never)]
    unsafe fn into_result<T>(self) -> Result<T, JoinError> {
        // SAFETY: as the caller promises.
        let result = unsafe { self.take_result() };
        // Relaxed: only the handle changes this flag.
        if self.count.away().load(Relaxed) & BORROWED != 0 {
            // The end came while it was borrowed, and left it there.
            self.drop_joiner();
        }
        result
    }
}

impl<T> Drop for BiasedJoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        if self.task.is_some() {
            self.leave();
        }
    }
}

impl<T> BiasedJoinHandle<T> {
    /// Lets the task go on without its handle.
    #[inline(never)]
    fn leave(&mut self) {
        let Some(task) = self.task.take() else { return };
        let detached = task.detach();
        // SAFETY: the task has ended and its handle, which goes, has the right to `stage`.
        let result = (!detached).then(|| unsafe { task.take_result::<T>() });
        let joiner = task.take_joiner();
        drop(task);
        // Foreign code: whoever drops a handle asks for nothing, and so is told of no panic.
        discard(joiner);
        discard_panic(|| drop(result));
    }
}

impl<T> fmt::Debug for BiasedJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BiasedJoinHandle").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::{self, Command};

    use executor::{BlockOn, Spawn, yield_now};

    use super::*;
    use crate::{BiasedExecutor, waker};

    const CHILD: &str = "WAKERS_TEST_OVERFLOW";
    /// Half the references that a word can count, as a word.
    const HALF: usize = 1 << (usize::BITS - 2);

    /// Clause W21, which no black box can check: it would have to leak half as many wakers as there are addresses. At
    /// home and elsewhere.
    #[test]
    fn a_count_that_would_overflow_aborts_the_process() {
        match env::var(CHILD).as_deref() {
            Ok("home") => overflow_at_home(),
            Ok(_) => overflow_elsewhere(),
            Err(_) => {}
        }
        for place in ["home", "elsewhere"] {
            let test = "task::tests::a_count_that_would_overflow_aborts_the_process";
            let child = Command::new(env::current_exe().expect("the test knows its own path"))
                .args([test, "--exact", "--nocapture"])
                .env(CHILD, place)
                .output()
                .expect("the test can run itself");
            assert!(!child.status.success(), "{place}");
            let printed = String::from_utf8_lossy(&child.stdout);
            assert!(printed.contains("about to clone"), "{place}: it ended before the clone: {printed}");
            assert!(!printed.contains("cloned"), "{place}: it went on after the clone: {printed}");
            #[cfg(unix)]
            assert!(
                std::os::unix::process::ExitStatusExt::signal(&child.status).is_some(),
                "{place}: {}",
                child.status
            );
        }
    }

    fn overflow_at_home() {
        let executor = BiasedExecutor::default();
        executor.block_on(async {
            // From its second poll on, the thread drives.
            yield_now().await;
            let handle = executor.spawn(std::future::pending::<()>());
            let task = handle.task.as_ref().expect("the result was not taken");
            task.count.set_here(task.count.here() + HALF);
            clone(task);
        });
    }

    fn overflow_elsewhere() {
        let executor = BiasedExecutor::default();
        let handle = executor.spawn(std::future::pending::<()>());
        let task = handle.task.as_ref().expect("the result was not taken");
        task.count.away().fetch_add(HALF, Relaxed);
        clone(task);
    }

    fn clone(task: &TaskRef) -> ! {
        let waker = waker::borrow(Kept { header: task.header });
        println!("about to clone");
        mem::forget(Waker::clone(&waker));
        println!("cloned");
        process::exit(0);
    }
}
