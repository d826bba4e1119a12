//! The join handle of the executors that are built on async-task.

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use async_task::{FallibleTask, Task};
use executor::{JoinError, JoinHandle};

use crate::sharing::{AbortHandle, Cancel, Sharing};

/// async-task's own handle, made fallible, so that it reports cancellation as a value.
///
/// It reports a panic by unwinding; to catch that here costs nothing until there is one. The crate cancels by consuming
/// the handle, in an async function whose future has no name: so to abort a task allocates, and nothing else does.
pub struct TaskHandle<T, M = ()> {
    state: Sharing<State<T, M>>,
}

/// Dropping it detaches the task.
enum State<T, M> {
    Joining(Joining<T, M>),
    /// Aborted. The waker is the joiner's, kept so that a check for the end does not make the joiner miss it.
    Cancelling(Pin<Box<dyn Future<Output = Option<T>> + Send>>, Waker),
    Ended(Result<T, JoinError>),
    /// The result was taken, or for a moment the state itself.
    Over,
}

/// async-task's own handle, which cancels when it is dropped. `None` once it was consumed.
struct Joining<T, M>(Option<FallibleTask<T, M>>);

impl<T, M> Joining<T, M> {
    fn is_finished(&self) -> bool {
        self.0.as_ref().is_none_or(FallibleTask::is_finished)
    }
}

impl<T, M> Drop for Joining<T, M> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.detach();
        }
    }
}

impl<T, M> TaskHandle<T, M> {
    pub(crate) fn new(task: Task<T, M>) -> Self {
        Self { state: Sharing::new(State::Joining(Joining(Some(task.fallible())))) }
    }

    /// A handle to a task that was not accepted.
    pub(crate) fn cancelled() -> Self {
        Self { state: Sharing::new(State::Ended(Err(JoinError::Cancelled))) }
    }
}

impl<T: Send + 'static, M: Send + Sync + 'static> JoinHandle<T> for TaskHandle<T, M> {
    type AbortHandle = AbortHandle;

    fn abort(&self) {
        self.state.with(State::abort);
    }

    fn is_finished(&self) -> bool {
        self.state.with(State::is_finished)
    }

    fn abort_handle(&self) -> AbortHandle {
        self.state.abort_handle()
    }
}

impl<T: Send + 'static, M: Send + Sync + 'static> Cancel for State<T, M> {
    fn abort(&mut self) {
        if let State::Joining(joining) = self
            && let Some(task) = joining.0.take_if(|task| !task.is_finished())
        {
            // The first poll cancels.
            *self = State::Cancelling(Box::pin(task.cancel()), Waker::noop().clone()).advance();
        }
    }

    fn is_finished(&mut self) -> bool {
        *self = mem::replace(self, State::Over).advance();
        match self {
            State::Joining(task) => task.is_finished(),
            State::Cancelling(..) => false,
            State::Ended(_) | State::Over => true,
        }
    }
}

impl<T, M> State<T, M> {
    /// Checks whether a task that is being cancelled has ended.
    fn advance(mut self) -> Self {
        if let Self::Cancelling(cancelling, joiner) = &mut self
            && let Poll::Ready(result) = join(cancelling.as_mut(), &mut Context::from_waker(joiner))
        {
            return Self::Ended(result);
        }
        self
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let polled = match self {
            State::Joining(joining) => join(Pin::new(joining.0.as_mut().expect("only cancelling uses it up")), cx),
            State::Cancelling(cancelling, joiner) => {
                joiner.clone_from(cx.waker());
                join(cancelling.as_mut(), cx)
            }
            State::Ended(_) | State::Over => match mem::replace(self, State::Over) {
                State::Ended(result) => return Poll::Ready(result),
                _ => panic!("a join handle was polled after it had yielded its result"),
            },
        };
        if polled.is_ready() {
            *self = State::Over;
        }
        polled
    }
}

/// The output of an async-task future: nothing for a cancelled task, a panic for one that panicked.
fn join<T, F>(task: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>>
where
    F: Future<Output = Option<T>> + ?Sized,
{
    match catch_unwind(AssertUnwindSafe(|| task.poll(cx))) {
        Ok(polled) => polled.map(|output| output.ok_or(JoinError::Cancelled)),
        Err(payload) => Poll::Ready(Err(JoinError::panicked(payload))),
    }
}

impl<T, M> Future for TaskHandle<T, M> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.state.with_mut(|state| state.poll(cx))
    }
}

/// The output is only moved, never pinned.
impl<T, M> Unpin for TaskHandle<T, M> {}

impl<T, M> fmt::Debug for TaskHandle<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").finish_non_exhaustive()
    }
}
