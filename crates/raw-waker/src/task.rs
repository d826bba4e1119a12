//! A spawned future, its result, its joiner and its links, in one allocation that is counted by hand.

#![expect(unsafe_code, reason = "one allocation is shared by the queue, the list, the wakers and the join handle")]

use std::cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::Pin;
use std::process;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::support::{SpareMemory, discard, discard_panic, drop_future_before};
use executor::sync::atomic::{AtomicUsize, Ordering::*};
use executor::sync::cell::{Cell, UnsafeCell};
use executor::sync::{Alive, free};
use executor::{JoinError, JoinHandle};

use crate::abort::RawAbortHandle;
use crate::executor::Shared;
use crate::waker;

/// The task is in the ready queue, or whoever set this is about to put it there.
const QUEUED: usize = 1 << 0;
/// The future is gone. Its result is there, unless it was taken.
const ENDED: usize = 1 << 1;
/// The task's next turn drops the future instead of polling it.
const ABORTED: usize = 1 << 2;
/// The join handle was not dropped before the end: the result is for it to take or to drop. Otherwise the driving
/// thread drops it.
const HANDLE: usize = 1 << 3;
/// `joiner` belongs to the driving thread, for which the join handle left a waker there. Otherwise it belongs to the
/// join handle.
const JOINER: usize = 1 << 4;
/// One count. The counts stand above the flags, so that both change in one operation.
const COUNT: usize = 1 << 5;

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
    alive: Alive,
    /// For the models: is used whenever `stage` is.
    access: UnsafeCell<()>,
    /// Belongs to the driving thread while `JOINER` is set, else to the join handle. The handle sets `JOINER` and takes
    /// it back, neither after `ENDED`.
    joiner: UnsafeCell<Option<Waker>>,
    /// The neighbours in the executor's list. Belong to the thread that drives or drops the executor. A task that is
    /// new to it is its own `previous`.
    pub(crate) previous: Cell<Option<NonNull<Header>>>,
    pub(crate) next: Cell<Option<NonNull<Header>>>,
    /// The next task in the ready queue. Belongs to whoever holds the queue's count.
    pub(crate) next_ready: Cell<Option<NonNull<Header>>>,
    pub(crate) shared: Arc<Shared>,
    vtable: &'static TaskVTable,
    state: AtomicUsize,
}

/// A header and what it is the header of.
#[repr(C)]
struct Task<F: Future> {
    header: Header,
    /// Belongs to the thread that drives or drops the executor until `ENDED`; then to the join handle while `HANDLE` is
    /// set, else to the driving thread. Before the executor has accepted the task, and if it rejects it: to the one
    /// that spawns.
    stage: cell::UnsafeCell<Stage<F>>,
}

/// The future before `ENDED`, the result after it: the flags know which, so this needs no tag. (A tag in the future's
/// bytes could be read through a reference while the future refers to itself: tokio-rs/tokio#6729.)
#[repr(C)]
union Stage<F: Future> {
    future: ManuallyDrop<F>,
    result: ManuallyDrop<Result<F::Output, JoinError>>,
}

/// What depends on the type of the future, behind the header's untyped pointer.
///
/// Each function asks for a pointer to the header of a `Task<F>` that is alive, of the `F` that the table was made for.
struct TaskVTable {
    /// Polls the future. `Ready` when the result has taken its place. Asks for the right to `stage`, before `ENDED`.
    poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<()>,
    /// Puts [`JoinError::Cancelled`] into the future's place. Asks for the right to `stage`, before `ENDED`.
    cancel: unsafe fn(NonNull<Header>),
    /// Where the `Result<F::Output, JoinError>` lies, in bytes from the header. It may be read once, with the right to
    /// `stage`, after `ENDED`.
    result: usize,
    /// Drops the result, which must not have been taken. Asks for the right to `stage`, after `ENDED`.
    drop_result: unsafe fn(NonNull<Header>),
    /// Frees the memory, or leaves it to the driving thread's spare memory. Asks that no count is left.
    free: unsafe fn(NonNull<Header>, Option<&SpareMemory>),
}

impl<F: Future> Task<F> {
    const VTABLE: &'static TaskVTable = &TaskVTable {
        poll: Self::poll,
        cancel: Self::cancel,
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
            let result = match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(value)) => Ok(value),
                Err(payload) => Err(JoinError::panicked(payload)),
            };
            // SAFETY: as above.
            unsafe { stage.end(result) };
            Poll::Ready(())
        };
        // SAFETY: as the caller promises.
        unsafe { Self::with_stage(task, poll) }
    }

    /// See [`TaskVTable::cancel`].
    unsafe fn cancel(task: NonNull<Header>) {
        let cancel = |stage: &mut Stage<F>| {
            // SAFETY: a task that has not ended holds its future.
            unsafe { stage.end(Err(JoinError::Cancelled)) }
        };
        // SAFETY: as the caller promises.
        unsafe { Self::with_stage(task, cancel) }
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
        // SAFETY: `TaskRef::new` made the pointer from this type's box, and nobody else has a count any more.
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
    ) -> (TaskRef, RawJoinHandle<F::Output>)
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
        // Header and future are put in place one by one: a task that is put together first is one more copy of the
        // future.
        let memory = spare.map_or_else(Box::<Task<F>>::new_uninit, SpareMemory::allocate);
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
        let task = TaskRef { header };
        task.previous.set(Some(header));
        (task, RawJoinHandle { task: Some(TaskRef { header }), result: PhantomData })
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
            task.end();
            task.header
        })
    }

    /// Drops the future of a task that has not ended, without another poll. Only for the thread that drives or drops
    /// the executor, or that spawns the task, if the executor has rejected it.
    pub(crate) fn cancel(&self) {
        // SAFETY: that thread has the right to `stage`, and the task has not ended.
        unsafe { (self.vtable.cancel)(self.header) };
        self.end();
    }

    /// Reports the result, which is in its place.
    fn end(&self) {
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
            discard_panic(|| joiner.into_iter().for_each(Waker::wake));
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

/// Awaits a task of a [`RawExecutor`](crate::RawExecutor), from within the task's own allocation.
pub struct RawJoinHandle<T> {
    /// None once the result was taken.
    task: Option<TaskRef>,
    /// A handle hands a `T` out and holds none of its own.
    result: PhantomData<fn() -> T>,
}

// SAFETY: the handle gives access to the task's state, which is atomic, to `joiner`, which `Waker: Send + Sync` lets
// any thread touch while it has the right to it, and to the result, a `T`, which may be moved to this thread.
unsafe impl<T: Send> Send for RawJoinHandle<T> {}
// SAFETY: through `&RawJoinHandle` there is only `abort`, `is_finished` and `abort_handle`, which counts the task: they
// touch nothing but atomics and the queue.
unsafe impl<T: Send> Sync for RawJoinHandle<T> {}
// As for the handle that the other strategies share: what a panic leaves behind is a task that has ended.
impl<T> UnwindSafe for RawJoinHandle<T> {}
impl<T> RefUnwindSafe for RawJoinHandle<T> {}

impl<T: Send + 'static> JoinHandle<T> for RawJoinHandle<T> {
    type AbortHandle = RawAbortHandle;

    fn abort(&self) {
        self.task.iter().for_each(TaskRef::abort);
    }

    fn is_finished(&self) -> bool {
        self.task.as_ref().is_none_or(TaskRef::is_finished)
    }

    fn abort_handle(&self) -> RawAbortHandle {
        RawAbortHandle::new(self.task.clone())
    }
}

impl<T> Future for RawJoinHandle<T> {
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
        // Acquire: pairs with the fetch_or in `end`.
        self.state.load(Acquire) & ENDED != 0
    }

    /// Leaves `waker` for the end of the task. False if that has come.
    fn register(&self, waker: &Waker) -> bool {
        // Before the joiner is taken back: foreign code, and it may panic.
        let mut fresh = Some(waker.clone());
        // Relaxed: only the handle changes this flag.
        if self.state.load(Relaxed) & JOINER != 0 && !self.change(|state| state & !JOINER) {
            discard(fresh);
            return false;
        }
        self.joiner.with_mut(|joiner| {
            // SAFETY: `JOINER` is not set, so the joiner belongs to the handle.
            mem::swap(unsafe { &mut *joiner }, &mut fresh);
        });
        let pending = self.change(|state| state | JOINER);
        discard(fresh);
        pending
    }

    /// Changes the handle's flags. False if the task has ended.
    fn change(&self, change: impl Fn(usize) -> usize) -> bool {
        // AcqRel: pairs with the fetch_or in `end`: one of the two comes first, and knows what the other did.
        let changed = self.state.fetch_update(AcqRel, Acquire, |state| match state {
            _ if state & ENDED != 0 => None,
            _ => Some(change(state)),
        });
        changed.is_ok()
    }

    /// Drops the joiner and the count, if the joiner is the handle's. The count first: the joiner's drop is foreign
    /// code.
    #[cold]
    fn drop_joiner(self) {
        let joiner = self.take_joiner();
        drop(self);
        discard(joiner);
    }

    /// The joiner, if it is the handle's. For a handle that is done with the task.
    fn take_joiner(&self) -> Option<Waker> {
        // Relaxed: only the handle changes this flag.
        if self.state.load(Relaxed) & JOINER != 0 {
            return None;
        }
        // SAFETY: `JOINER` is not set, so the joiner belongs to the handle.
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
        if self.state.load(Relaxed) & JOINER == 0 {
            // The end came while it was replaced, and left it there.
            self.drop_joiner();
        }
        result
    }
}

impl<T> Drop for RawJoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        if self.task.is_some() {
            self.leave();
        }
    }
}

impl<T> RawJoinHandle<T> {
    /// Lets the task go on without its handle.
    #[inline(never)]
    fn leave(&mut self) {
        let Some(task) = self.task.take() else { return };
        let detached = task.change(|state| state & !(HANDLE | JOINER));
        // SAFETY: the task has ended and its handle, which goes, has the right to `stage`.
        let result = (!detached).then(|| unsafe { task.take_result::<T>() });
        let joiner = task.take_joiner();
        drop(task);
        // Foreign code: whoever drops a handle asks for nothing, and so is told of no panic.
        discard(joiner);
        discard_panic(|| drop(result));
    }
}

impl<T> fmt::Debug for RawJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawJoinHandle").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::Command;

    use executor::Spawn;

    use super::*;
    use crate::RawExecutor;

    const CHILD: &str = "WAKERS_TEST_OVERFLOW";

    /// Clause W21, which no black box can check: it would have to leak half as many wakers as there are addresses.
    #[test]
    fn a_count_that_would_overflow_aborts_the_process() {
        if env::var_os(CHILD).is_some() {
            overflow();
        }
        let test = "task::tests::a_count_that_would_overflow_aborts_the_process";
        let child = Command::new(env::current_exe().expect("the test knows its own path"))
            .args([test, "--exact", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .expect("the test can run itself");
        assert!(!child.status.success());
        let printed = String::from_utf8_lossy(&child.stdout);
        assert!(printed.contains("about to clone"), "it ended before the clone: {printed}");
        assert!(!printed.contains("cloned"), "it went on after the clone: {printed}");
        #[cfg(unix)]
        assert!(std::os::unix::process::ExitStatusExt::signal(&child.status).is_some(), "{}", child.status);
    }

    fn overflow() -> ! {
        let executor = RawExecutor::default();
        let handle = executor.spawn(std::future::pending::<()>());
        let task = handle.task.as_ref().expect("the result was not taken");
        let waker = waker::borrow(task);
        task.state.fetch_add(usize::MAX / 2, Relaxed);
        println!("about to clone");
        mem::forget(Waker::clone(&waker));
        println!("cloned");
        process::exit(0);
    }
}
