//! What of a task depends on the type of its future: the storage for it and for its result.
//!
//! biased-waker has nearly the same file: how a future is stored has nothing to do with how its task is counted.

#![expect(unsafe_code, reason = "future and result share their place, behind a pointer without their types")]

use std::cell;
use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use executor::JoinError;
use executor::support::{SpareMemory, discard_panic, drop_future_before};
use executor::sync::free;

use crate::task::Header;

/// A header and what it is the header of.
#[repr(C)]
pub(crate) struct Task<F: Future> {
    header: Header,
    /// Belongs to the thread that drives or drops the executor until `ENDED`; then to the join handle or, if that was
    /// dropped before, to the driving thread. Until the executor has accepted the task, and if it rejects it, it
    /// belongs to the thread that spawns it.
    stage: cell::UnsafeCell<Stage<F>>,
}

/// The future before `ENDED`, the result after it: the flags say which, so this needs no tag. (A tag in the future's
/// bytes could be read through a reference while the future refers to itself: tokio-rs/tokio#6729.)
#[repr(C)]
union Stage<F: Future> {
    future: ManuallyDrop<F>,
    result: ManuallyDrop<Result<F::Output, JoinError>>,
}

/// What depends on the type of the future, behind the header's untyped pointer.
///
/// Each function requires a pointer to the header of a living `Task<F>`, of the `F` that the table was made for.
pub(crate) struct TaskVTable {
    /// Polls the future. `Ready` when the result has taken its place. Requires the right to `stage`, before `ENDED`.
    pub(crate) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Poll<()>,
    /// Puts the error into the future's place. Requires the right to `stage`, before `ENDED`.
    pub(crate) fail: unsafe fn(NonNull<Header>, JoinError),
    /// Where the `Result<F::Output, JoinError>` lies, in bytes from the header. It may be read once, with the right to
    /// `stage`, after `ENDED`.
    pub(crate) result: usize,
    /// Drops the result, which must not have been taken. Requires the right to `stage`, after `ENDED`.
    pub(crate) drop_result: unsafe fn(NonNull<Header>),
    /// Frees the memory, or leaves it to the driving thread's spare memory. Requires that no reference is left.
    pub(crate) free: unsafe fn(NonNull<Header>, Option<&SpareMemory>),
}

impl<F: Future> Task<F> {
    pub(crate) const VTABLE: &'static TaskVTable = &TaskVTable {
        poll: Self::poll,
        fail: Self::fail,
        result: mem::offset_of!(Self, stage),
        drop_result: Self::drop_result,
        free: Self::free,
    };

    /// Writes a task into memory of its own. The result points to its header, whose `vtable` is [`Self::VTABLE`]: each
    /// caller sees to that, and all uses of the table rely on it.
    ///
    /// Header and future are written one by one: a task that is put together first is one more copy of the future.
    #[inline(always)]
    pub(crate) fn allocate(header: Header, future: F, spare: Option<&SpareMemory>) -> NonNull<Header> {
        let memory = spare.map_or_else(Box::<Self>::new_uninit, SpareMemory::allocate);
        let task = NonNull::from(Box::leak(memory)).cast::<Self>();
        // SAFETY: it points to memory for a task.
        let stage = unsafe { &raw mut (*task.as_ptr()).stage };
        // SAFETY: it points to memory for a stage, which begins with the future.
        unsafe { stage.cast::<F>().write(future) };
        // SAFETY: it points to memory for a task, which begins with the header.
        unsafe { task.cast::<Header>().write(header) };
        task.cast()
    }

    /// # Safety
    ///
    /// `task` points to the header of a living `Task<F>`, and the caller has the right to its `stage`.
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
            // SAFETY: the future stays in its allocation until `Stage::finish` drops it in place.
            let future = unsafe { Pin::new_unchecked(future) };
            let result = match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(value)) => Ok(value),
                Err(payload) => Err(JoinError::panicked(payload)),
            };
            // SAFETY: as above.
            unsafe { stage.finish(result) };
            Poll::Ready(())
        };
        // SAFETY: as the caller promises.
        unsafe { Self::with_stage(task, poll) }
    }

    /// See [`TaskVTable::fail`].
    unsafe fn fail(task: NonNull<Header>, error: JoinError) {
        let fail = |stage: &mut Stage<F>| {
            // SAFETY: a task that has not ended holds its future.
            unsafe { stage.finish(Err(error)) }
        };
        // SAFETY: as the caller promises.
        unsafe { Self::with_stage(task, fail) }
    }

    /// See [`TaskVTable::drop_result`].
    unsafe fn drop_result(task: NonNull<Header>) {
        let take = |stage: &mut Stage<F>| {
            // SAFETY: a task that has ended holds its result until this takes it.
            unsafe { stage.take() }
        };
        // SAFETY: as the caller promises.
        let result = unsafe { Self::with_stage(task, take) };
        discard_panic(|| drop(result));
    }

    /// See [`TaskVTable::free`].
    unsafe fn free(task: NonNull<Header>, spare: Option<&SpareMemory>) {
        // SAFETY: `allocate` made the pointer from this type's box, and nobody else has a reference any more.
        let task = unsafe { Box::from_raw(task.cast::<Self>().as_ptr()) };
        match spare {
            Some(spare) => spare.free(task),
            None => free(task),
        }
    }
}

impl<F: Future> Stage<F> {
    /// Drops the future in place, and only then stores the result: who sees the result may rely on the future being
    /// gone.
    ///
    /// # Safety
    ///
    /// The future is there.
    unsafe fn finish(&mut self, result: Result<F::Output, JoinError>) {
        // SAFETY: it is there, and nobody uses it after this.
        let drop_future = || unsafe { ManuallyDrop::drop(&mut self.future) };
        self.result = ManuallyDrop::new(drop_future_before(result, drop_future));
    }

    /// Moves the result out.
    ///
    /// # Safety
    ///
    /// The result is there, and nobody uses it after this.
    unsafe fn take(&mut self) -> Result<F::Output, JoinError> {
        // SAFETY: as the caller promises.
        unsafe { ManuallyDrop::take(&mut self.result) }
    }
}
