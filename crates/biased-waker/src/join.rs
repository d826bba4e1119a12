//! The join handle: it awaits a task from within the task's own allocation.

#![expect(unsafe_code, reason = "the result is read where the task stores it, through a pointer without its type")]

use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};

use executor::JoinError;
use executor::support::{discard, discard_panic};

use crate::abort::AbortHandle;
use crate::task::TaskRef;

/// Awaits a task of a [`BiasedExecutor`](crate::BiasedExecutor), from within the task's own allocation.
pub struct JoinHandle<T> {
    /// None once the result was taken.
    pub(crate) task: Option<TaskRef>,
    /// A handle hands a `T` out and holds none of its own.
    result: PhantomData<fn() -> T>,
}

// SAFETY: the handle gives access to the task's words and queues, which say who may touch them, to `joiner`, which
// `Waker: Send + Sync` lets any thread touch while it has the right to it, and to the result, a `T`, which may be moved
// to this thread.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: through `&JoinHandle` there is only `abort`, `is_finished` and `abort_handle`, which do what wakers do: they
// wake, load an atomic, and count a reference.
unsafe impl<T: Send> Sync for JoinHandle<T> {}
// As for the handle that the other strategies share: what a panic leaves behind is a task that has ended.
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    ///
    /// `T` is the output of the task's future.
    #[inline]
    pub(crate) unsafe fn new(task: TaskRef) -> Self {
        Self { task: Some(task), result: PhantomData }
    }

    /// Lets the task go on without its handle.
    #[inline(never)]
    fn detach(&mut self) {
        let Some(task) = self.task.take() else { return };
        let detached = task.detach();
        // SAFETY: the task has ended, and its handle, which gives up its reference, has the right to `stage`.
        let result = (!detached).then(|| unsafe { task.take_result::<T>() });
        let joiner = task.take_joiner();
        drop(task);
        // Foreign code: the code that drops a handle asks for nothing, so it is told of no panic.
        discard(joiner);
        discard_panic(|| drop(result));
    }
}

impl<T: Send + 'static> executor::JoinHandle<T> for JoinHandle<T> {
    type AbortHandle = AbortHandle;

    fn abort(&self) {
        self.task.iter().for_each(TaskRef::abort);
    }

    fn is_finished(&self) -> bool {
        self.task.as_ref().is_none_or(TaskRef::is_finished)
    }

    fn abort_handle(&self) -> AbortHandle {
        AbortHandle::new(self.task.clone())
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let task = self.task.as_ref().expect("a join handle was polled after it had yielded its result");
        if !task.is_finished() && task.register(cx.waker()) {
            return Poll::Pending;
        }
        let task = self.task.take().expect("it was there");
        // SAFETY: the task has ended, and its handle, which gives up its reference, has the right to `stage`; `T` is
        // the output of the task's future.
        Poll::Ready(unsafe { task.into_result() })
    }
}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        if self.task.is_some() {
            self.detach();
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BiasedJoinHandle").finish_non_exhaustive()
    }
}

/// What a handle does with the result.
impl TaskRef {
    /// The result of a task that has ended.
    ///
    /// # Safety
    ///
    /// The task has ended, its output is `T`, and nobody else takes or drops its result: the caller has the right to
    /// `stage`.
    unsafe fn take_result<T>(&self) -> Result<T, JoinError> {
        // SAFETY: it stays in the task's allocation.
        let result = unsafe { self.as_ptr().byte_add(self.vtable.result) };
        // SAFETY: as the caller promises.
        self.access.with_mut(|_| unsafe { result.cast().read() })
    }

    /// Like [`take_result`](Self::take_result), for a handle that gives up its reference. Outlined, so that the rest of
    /// the handle's poll inlines into the code that awaits it.
    ///
    /// # Safety
    ///
    /// As for [`take_result`](Self::take_result).
    #[inline(never)]
    unsafe fn into_result<T>(self) -> Result<T, JoinError> {
        // SAFETY: as the caller promises.
        let result = unsafe { self.take_result() };
        if self.has_left_joiner() {
            self.drop_joiner();
        }
        result
    }

    /// Drops the reference and the joiner, if that is the handle's. The reference first: the joiner's drop is foreign
    /// code.
    #[cold]
    fn drop_joiner(self) {
        let joiner = self.take_joiner();
        drop(self);
        discard(joiner);
    }
}
