//! async-executor's `Executor`, which smol uses, for any number of threads.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;

use executor::{
    BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, RemoteSpawn, Spawn, Spawner, WakeNames,
};
use futures_lite::future;

use crate::sharing::AbortHandle;
use crate::task_handle::TaskHandle;
use crate::waiting::Waiting;

/// async-executor's executor for any number of threads.
#[derive(Debug, Default)]
pub struct AsyncExecutor {
    executor: Arc<async_executor::Executor<'static>>,
    waiting: Waiting,
}

/// Spawns onto an [`AsyncExecutor`] as long as it exists.
#[derive(Clone, Debug)]
pub struct AsyncSpawner {
    executor: Weak<async_executor::Executor<'static>>,
}

impl Described for AsyncExecutor {
    const NAME: &'static str = "async-executor";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Task,
        idle: Idle::Parks,
        polls_only_woken: true,
        remote_spawn: true,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Works,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for AsyncExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let mut running = pin!(self.executor.run(future.into_future()));
        future::block_on(poll_fn(|cx| {
            let polled = running.as_mut().poll(cx);
            // The last task's end comes before the end of the poll that ended it.
            self.waiting.wake_if(|| self.executor.is_empty());
            polled
        }))
    }
}

impl Spawn for AsyncExecutor {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = AbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        TaskHandle::new(self.executor.spawn(future))
    }
}

impl Executor for AsyncExecutor {
    fn run(&self) {
        self.block_on(poll_fn(|cx| {
            self.waiting.add(cx.waker());
            if self.executor.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        }));
    }
}

impl RemoteSpawn for AsyncExecutor {
    type Spawner = AsyncSpawner;

    fn spawner(&self) -> AsyncSpawner {
        AsyncSpawner { executor: Arc::downgrade(&self.executor) }
    }
}

impl Spawn for AsyncSpawner {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = AbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self.executor.upgrade() {
            Some(executor) => TaskHandle::new(executor.spawn(future)),
            None => {
                drop(future);
                TaskHandle::cancelled()
            }
        }
    }
}

impl Spawner for AsyncSpawner {
    fn is_closed(&self) -> bool {
        self.executor.strong_count() == 0
    }
}
