//! tokio's `current_thread` runtime, without its drivers for I/O and time.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{Ordering::*, fence};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use executor::{
    AbortHandle, BlockOn, Capabilities, Described, Executor, Idle, JoinError, JoinHandle, NestedBlockOn, RemoteSpawn,
    Spawn, Spawner, WakeNames,
};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::waiting::Waiting;

/// tokio's runtime for one thread.
#[derive(Debug)]
pub struct TokioExecutor {
    /// Says whether the runtime is gone, which tokio's handle cannot. This field comes first so that it is dropped
    /// first.
    alive: Arc<()>,
    runtime: Runtime,
    waiting: Arc<Waiting>,
}

/// Spawns onto a [`TokioExecutor`]. tokio's own handle, which keeps the runtime's queues allocated, but no task alive.
#[derive(Clone, Debug)]
pub struct TokioSpawner {
    handle: Handle,
    executor: Weak<()>,
}

/// tokio's own join handle, with this workspace's errors.
pub struct TokioJoinHandle<T>(tokio::task::JoinHandle<T>);

/// tokio's own abort handle.
#[derive(Clone, Debug)]
pub struct TokioAbortHandle(tokio::task::AbortHandle);

impl Default for TokioExecutor {
    fn default() -> Self {
        let waiting = Arc::new(Waiting::default());
        let sees = waiting.clone();
        // The runtime counts its tasks, but does not say when none is left. It says when it has nothing to do, which is
        // after the last task's end: to check then costs the tasks nothing.
        let about_to_park = move || {
            // Pairs with the fence in `Waiting::add`: either this thread sees the waiter, or the waiter sees the count.
            fence(SeqCst);
            sees.wake_if(|| Handle::current().metrics().num_alive_tasks() == 0);
        };
        let runtime = Builder::new_current_thread().on_thread_park(about_to_park).build();
        Self { alive: Arc::new(()), runtime: runtime.expect("without drivers there is nothing to fail"), waiting }
    }
}

impl Described for TokioExecutor {
    const NAME: &'static str = "tokio";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Task,
        idle: Idle::Parks,
        polls_only_woken: true,
        remote_spawn: true,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for TokioExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.runtime.block_on(future.into_future())
    }
}

impl Spawn for TokioExecutor {
    type JoinHandle<T: Send + 'static> = TokioJoinHandle<T>;
    type AbortHandle = TokioAbortHandle;

    fn spawn<F>(&self, future: F) -> TokioJoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        TokioJoinHandle(self.runtime.spawn(future))
    }
}

impl Executor for TokioExecutor {
    fn run(&self) {
        let metrics = self.runtime.metrics();
        self.block_on(poll_fn(|cx| {
            self.waiting.add(cx.waker());
            if metrics.num_alive_tasks() == 0 { Poll::Ready(()) } else { Poll::Pending }
        }));
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.runtime.metrics().num_alive_tasks())
    }
}

impl RemoteSpawn for TokioExecutor {
    type Spawner = TokioSpawner;

    fn spawner(&self) -> TokioSpawner {
        TokioSpawner { handle: self.runtime.handle().clone(), executor: Arc::downgrade(&self.alive) }
    }
}

impl Spawn for TokioSpawner {
    type JoinHandle<T: Send + 'static> = TokioJoinHandle<T>;
    type AbortHandle = TokioAbortHandle;

    fn spawn<F>(&self, future: F) -> TokioJoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        TokioJoinHandle(self.handle.spawn(future))
    }
}

impl Spawner for TokioSpawner {
    fn is_closed(&self) -> bool {
        self.executor.strong_count() == 0
    }
}

impl<T: Send + 'static> JoinHandle<T> for TokioJoinHandle<T> {
    type AbortHandle = TokioAbortHandle;

    fn abort(&self) {
        self.0.abort();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    fn abort_handle(&self) -> TokioAbortHandle {
        TokioAbortHandle(self.0.abort_handle())
    }
}

impl AbortHandle for TokioAbortHandle {
    fn abort(&self) {
        self.0.abort();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for TokioJoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_err(|error| match error.try_into_panic() {
            Ok(payload) => JoinError::panicked(payload),
            Err(_) => JoinError::Cancelled,
        })
    }
}

impl<T> fmt::Debug for TokioJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioJoinHandle").finish_non_exhaustive()
    }
}
