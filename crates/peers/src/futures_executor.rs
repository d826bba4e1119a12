//! futures' `LocalPool`, with handles made from parts of the futures crates, and futures' bare `block_on`.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use executor::{
    BlockOn, Capabilities, Described, Executor, Idle, JoinError, JoinHandle, NestedBlockOn, Spawn, WakeNames,
};
use futures::channel::oneshot::{self, Canceled, Receiver};
use futures::future::{Abortable, Aborted, FutureExt};
use futures::task::LocalSpawnExt;
use futures_executor::{LocalPool, LocalSpawner};

use crate::sharing::{AbortHandle, Cancel, Sharing};

/// futures' pool of tasks for one thread.
#[derive(Debug)]
pub struct FuturesExecutor {
    pool: RefCell<LocalPool>,
    spawner: LocalSpawner,
}

/// futures' `block_on`, for one future and no tasks.
#[derive(Clone, Copy, Debug, Default)]
pub struct FuturesBlockOn;

/// Made of futures' own parts: its [`AbortHandle`](futures::future::AbortHandle) and a oneshot channel.
///
/// Its ready-made `RemoteHandle` has the same channel and a flag, but cannot say whether the task has finished, and
/// aborts only by being dropped; to work around that would take more than these parts.
pub struct FuturesJoinHandle<T>(Sharing<Joining<T>>);

struct Joining<T> {
    receiver: Receiver<Ended<T>>,
    /// The result, received by `is_finished`.
    early: Option<Result<T, JoinError>>,
    /// The result was received and taken.
    over: bool,
    task: futures::future::AbortHandle,
}

/// How a task ended: aborted, panicked or with a value.
type Ended<T> = Result<Result<T, Box<dyn Any + Send>>, Aborted>;

impl Default for FuturesExecutor {
    fn default() -> Self {
        let pool = LocalPool::new();
        Self { spawner: pool.spawner(), pool: RefCell::new(pool) }
    }
}

impl Described for FuturesExecutor {
    const NAME: &'static str = "futures-local-pool";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Task,
        idle: Idle::Parks,
        polls_only_woken: true,
        remote_spawn: false,
        concurrent_drivers: false,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for FuturesExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.pool.try_borrow_mut().expect(NESTED).run_until(future.into_future())
    }
}

impl Spawn for FuturesExecutor {
    type JoinHandle<T: Send + 'static> = FuturesJoinHandle<T>;
    type AbortHandle = AbortHandle;

    fn spawn<F>(&self, future: F) -> FuturesJoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let (task, registration) = futures::future::AbortHandle::new_pair();
        let future = Abortable::new(AssertUnwindSafe(future).catch_unwind(), registration);
        // The future is dropped before its result is sent. Without a receiver the result is dropped.
        let spawned = self.spawner.spawn_local(future.map(|ended| drop(sender.send(ended))));
        spawned.expect("the pool is alive: it belongs to this executor");
        FuturesJoinHandle(Sharing::new(Joining { receiver, early: None, over: false, task }))
    }
}

impl Executor for FuturesExecutor {
    fn run(&self) {
        self.pool.try_borrow_mut().expect(NESTED).run();
    }
}

const NESTED: &str = "`block_on` or `run` was called inside a task of the same executor";

impl Described for FuturesBlockOn {
    const NAME: &'static str = "futures-executor";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Thread,
        idle: Idle::Parks,
        polls_only_woken: false,
        remote_spawn: false,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: false,
        reports_cancellation: false,
    };
}

impl BlockOn for FuturesBlockOn {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        futures_executor::block_on(future.into_future())
    }
}

fn result<T>(received: Result<Ended<T>, Canceled>) -> Result<T, JoinError> {
    match received {
        Ok(Ok(ended)) => ended.map_err(JoinError::panicked),
        // Its sender is dropped with the pool.
        Ok(Err(Aborted)) | Err(Canceled) => Err(JoinError::Cancelled),
    }
}

impl<T: Send + 'static> JoinHandle<T> for FuturesJoinHandle<T> {
    type AbortHandle = AbortHandle;

    fn abort(&self) {
        self.0.with(Joining::abort);
    }

    fn is_finished(&self) -> bool {
        self.0.with(Joining::is_finished)
    }

    fn abort_handle(&self) -> AbortHandle {
        self.0.abort_handle()
    }
}

impl<T: Send + 'static> Cancel for Joining<T> {
    fn abort(&mut self) {
        self.task.abort();
    }

    fn is_finished(&mut self) -> bool {
        if !self.over && self.early.is_none() {
            self.early = self.receiver.try_recv().transpose().map(result);
        }
        self.over || self.early.is_some()
    }
}

impl<T> Future for FuturesJoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.with_mut(|joining| {
            let polled = match joining.early.take() {
                Some(result) => Poll::Ready(result),
                None => joining.receiver.poll_unpin(cx).map(result),
            };
            joining.over |= polled.is_ready();
            polled
        })
    }
}

/// The result is only moved, never pinned.
impl<T> Unpin for FuturesJoinHandle<T> {}

impl<T> fmt::Debug for FuturesJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FuturesJoinHandle").finish_non_exhaustive()
    }
}
