use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use crate::abort::{Abort, TaskAbortHandle};
use crate::foreign::{UNPOISONED, discard, discard_panic, drop_future_before};
use crate::support::is_large;
use crate::sync::atomic::{AtomicBool, Ordering::*};
use crate::sync::{Mutex, MutexGuard};
use crate::{JoinError, JoinHandle};

/// What an executor polls: a future that ends without a result and does not panic.
pub type BoxedFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Splits a future into what an executor polls and what its spawner awaits.
///
/// The first half ends without a result and never panics; the second becomes a [`TaskHandle`] once the task has a
/// waker. One allocation with a lock in it connects them. That is the plain way; raw-waker shows how the future, its
/// result and the join state share a single allocation.
///
/// Source: `remote_handle` of futures-util.
///
/// The first half comes in a box. An unoptimised build keeps a copy of a future for each function that takes it by
/// value, so `spawn` calls this directly.
#[inline]
pub fn joinable<F>(future: F) -> (BoxedFuture, Join<F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    if is_large::<F>() { split(Box::pin(future)) } else { split(future) }
}

fn split<F>(future: F) -> (BoxedFuture, Join<F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // Boxed while it is empty, and then filled: if it was boxed afterwards, the future would be moved twice, even in an
    // optimised build.
    let mut task = Box::<Joinable<F>>::default();
    let join = Join { shared: task.join.clone() };
    let _future = task.future.insert(future);
    (Box::into_pin(task), join)
}

/// As [`joinable`], for an executor that has a place of its own for the first half: there is no box around it.
pub fn joinable_unboxed<F>(future: F) -> (impl Future<Output = ()> + Send + 'static, Join<F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let join = Arc::default();
    (Joinable { future: Some(future), join: Arc::clone(&join) }, Join { shared: join })
}

pin_project! {
    /// The half that is polled. Completes when the future has returned, panicked or been aborted, and is dropped.
    ///
    /// Dropped earlier, it drops the future and reports [`JoinError::Cancelled`].
    struct Joinable<F: Future> {
        #[pin]
        future: Option<F>,
        join: Arc<Shared<F::Output>>,
    }

    impl<F: Future> PinnedDrop for Joinable<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.future.is_some() {
                finish(this.future, this.join, Err(JoinError::Cancelled));
            }
        }
    }
}

impl<F: Future> Default for Joinable<F> {
    fn default() -> Self {
        Self { future: None, join: Arc::default() }
    }
}

impl<F: Future> Future for Joinable<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        // Acquire: pairs with the Release in `abort`; the future's drop sees what was done before the abort.
        let result = if this.join.aborted.load(Acquire) {
            Err(JoinError::Cancelled)
        } else {
            let future = this.future.as_mut().as_pin_mut().expect("not polled after it completed");
            match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(value)) => Ok(value),
                Err(payload) => Err(JoinError::panicked(payload)),
            }
        };
        finish(this.future, this.join, result);
        Poll::Ready(())
    }
}

/// Drops the future, and only then reports: code that sees the result may rely on the future being gone.
fn finish<F: Future>(mut future: Pin<&mut Option<F>>, join: &Shared<F::Output>, result: Result<F::Output, JoinError>) {
    join.complete(drop_future_before(result, || future.set(None)));
}

/// What the two halves share.
struct Shared<T> {
    aborted: AtomicBool,
    /// `complete` was called. Set under the lock, and read without it.
    ended: AtomicBool,
    state: Mutex<State<T>>,
}

/// ```text
///           complete (1)              take (3)
///  Running ────────────▶ Finished ───────────────▶ Over
///     │                                             ▲ ▲
///     └──── detach (2) ──▶ Detached ── complete ────┘ │
///                          Finished ── detach (4) ────┘
/// ```
///
/// (1) The task ends, and the joiner is woken. (2) The handle is dropped first: the result will be dropped where it is
/// made. (3) The handle is polled. (4) The handle is dropped with the result in it.
///
/// No code of the user's runs under the lock: wakers and results are moved out, then woken or dropped.
enum State<T> {
    Running { joiner: Option<Waker> },
    Finished(Result<T, JoinError>),
    Detached,
    Over,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        let state = Mutex::new(State::Running { joiner: None });
        Self { aborted: AtomicBool::new(false), ended: AtomicBool::new(false), state }
    }
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect(UNPOISONED)
    }

    /// Whether the task has ended, for its handle's poll.
    fn has_ended(&self) -> bool {
        // Relaxed: it is set before the joiner is woken, so a poll that comes after the wake sees it; and the lock
        // orders the rest.
        self.ended.load(Relaxed)
    }

    fn complete(&self, result: Result<T, JoinError>) {
        let mut state = self.state();
        // Release: pairs with the Acquire in `is_finished`, whose caller sees that the future is gone. Set before the
        // joiner is woken: its poll looks here first.
        self.ended.store(true, Release);
        match mem::replace(&mut *state, State::Over) {
            State::Running { joiner } => {
                *state = State::Finished(result);
                drop(state);
                if let Some(waker) = joiner {
                    // A joiner's waker is foreign code: a panic in it must not reach the run loop.
                    discard_panic(|| waker.wake());
                }
            }
            State::Detached => {
                drop(state);
                discard_panic(|| drop(result));
            }
            State::Finished(_) | State::Over => unreachable!("a task completes once"),
        }
    }
}

/// The half that becomes a handle.
pub struct Join<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Join<T> {
    /// Makes the handle. [`abort`](JoinHandle::abort) wakes `task`, so that the executor gives the task its last turn.
    pub fn into_handle(self, task: Waker) -> TaskHandle<T> {
        TaskHandle { shared: self.shared, task, joining: Joining::Unpolled }
    }
}

impl<T> fmt::Debug for Join<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").finish_non_exhaustive()
    }
}

/// The join handle of the strategies that keep a task's future and its result apart.
pub struct TaskHandle<T> {
    shared: Arc<Shared<T>>,
    task: Waker,
    joining: Joining,
}

/// How far the handle has come, as far as this is known without the lock.
#[derive(PartialEq, Eq)]
enum Joining {
    Unpolled,
    /// The joiner in the shared state is the one with these addresses, or the task has ended. While the joiner is
    /// there, what it points to is; so no other waker has the same.
    Left {
        data: usize,
        vtable: usize,
    },
    /// The result is taken: the state is `Over`.
    Taken,
}

impl Joining {
    /// Keeps what [`Waker::will_wake`] compares. A clone of the waker would outlive the task's end.
    fn left(waker: &Waker) -> Self {
        Self::Left { data: waker.data().addr(), vtable: ptr::from_ref(waker.vtable()).addr() }
    }
}

impl<T: Send + 'static> JoinHandle<T> for TaskHandle<T> {
    type AbortHandle = TaskAbortHandle;

    fn abort(&self) {
        if self.shared.abort() {
            self.task.wake_by_ref();
        }
    }

    fn is_finished(&self) -> bool {
        self.shared.is_finished()
    }

    fn abort_handle(&self) -> TaskAbortHandle {
        TaskAbortHandle::new(self.shared.clone(), self.task.clone())
    }
}

impl<T: Send> Abort for Shared<T> {
    fn abort(&self) -> bool {
        let runs = !self.is_finished();
        if runs {
            // Release: pairs with the Acquire in `Joinable::poll`. A swap, as a store would hide an earlier abort from
            // it.
            self.aborted.swap(true, Release);
        }
        runs
    }

    fn is_finished(&self) -> bool {
        // Acquire: pairs with the Release in `complete`.
        self.ended.load(Acquire)
    }
}

impl<T> Future for TaskHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.joining == Joining::left(cx.waker()) && !this.shared.has_ended() {
            return Poll::Pending;
        }
        this.poll_locked(cx)
    }
}

impl<T> TaskHandle<T> {
    #[inline(never)]
    fn poll_locked(&mut self, cx: &Context<'_>) -> Poll<Result<T, JoinError>> {
        let Self { shared, joining, .. } = self;
        // Cloned outside the lock, as cloning runs foreign code, and only if it may be needed.
        let mut fresh = (!shared.has_ended()).then(|| cx.waker().clone());
        let mut state = shared.state();
        let polled = match &mut *state {
            State::Running { joiner } => {
                // `fresh` is the replaced waker now.
                mem::swap(joiner, &mut fresh);
                *joining = joiner.as_ref().map_or(Joining::Unpolled, Joining::left);
                Poll::Pending
            }
            State::Finished(_) => {
                let State::Finished(result) = mem::replace(&mut *state, State::Over) else { unreachable!() };
                *joining = Joining::Taken;
                Poll::Ready(result)
            }
            State::Over => {
                drop(state);
                panic!("a join handle was polled after it had yielded its result");
            }
            State::Detached => unreachable!("a handle detaches only when it is dropped"),
        };
        drop(state);
        // Outside the lock, too.
        discard(fresh);
        polled
    }
}

impl<T> Drop for TaskHandle<T> {
    fn drop(&mut self) {
        if self.joining == Joining::Taken {
            return;
        }
        let mut state = self.shared.state();
        let left = match &*state {
            State::Running { .. } => mem::replace(&mut *state, State::Detached),
            _ => mem::replace(&mut *state, State::Over),
        };
        drop(state);
        // Foreign code. The thread that drops a handle asks for no result, and so is told of no panic.
        discard_panic(|| drop(left));
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").finish_non_exhaustive()
    }
}
