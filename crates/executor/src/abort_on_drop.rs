use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::{JoinError, JoinHandle};

/// A join handle that aborts its task when it is dropped, while the handle alone detaches it. For a task that is of no
/// use unless it is awaited, such as one of the two that a `select` races.
///
/// ```
/// use executor::{AbortOnDrop, Executor};
///
/// async fn request<E: Executor>(executor: &E) -> u32 {
///     // If the caller gives up, and drops this future, the task ends, too.
///     AbortOnDrop::new(executor.spawn(async { 7 })).await.expect("it neither panics nor is aborted")
/// }
/// ```
#[must_use = "it aborts the task when it is dropped"]
pub struct AbortOnDrop<T, H: JoinHandle<T>> {
    /// `Some` until it is detached.
    handle: Option<H>,
    /// Hands a `T` out and holds none of its own.
    result: PhantomData<fn() -> T>,
}

impl<T, H: JoinHandle<T>> AbortOnDrop<T, H> {
    /// Wraps `handle`: its task is aborted when the wrapper is dropped.
    pub fn new(handle: H) -> Self {
        Self { handle: Some(handle), result: PhantomData }
    }

    /// Returns the handle. Its drop aborts nothing.
    pub fn into_inner(mut self) -> H {
        self.handle.take().expect("only this takes it")
    }

    fn handle(&self) -> &H {
        self.handle.as_ref().expect("only `into_inner` takes it")
    }
}

impl<T, H: JoinHandle<T>> Future for AbortOnDrop<T, H> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(self.handle.as_mut().expect("only `into_inner` takes it")).poll(cx)
    }
}

impl<T: 'static, H: JoinHandle<T>> JoinHandle<T> for AbortOnDrop<T, H> {
    type AbortHandle = H::AbortHandle;

    fn abort(&self) {
        self.handle().abort();
    }

    fn is_finished(&self) -> bool {
        self.handle().is_finished()
    }

    fn abort_handle(&self) -> H::AbortHandle {
        self.handle().abort_handle()
    }

    /// Aborts nothing, unlike a mere drop.
    fn detach(self) {
        self.into_inner().detach();
    }
}

impl<T, H: JoinHandle<T>> Drop for AbortOnDrop<T, H> {
    fn drop(&mut self) {
        self.handle.iter().for_each(JoinHandle::abort);
    }
}

impl<T, H: JoinHandle<T>> fmt::Debug for AbortOnDrop<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortOnDrop").field("handle", &self.handle).finish()
    }
}
