//! async-executor's `LocalExecutor`: the same executor, confined to the thread that made it.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;

use async_executor::LocalExecutor;
use executor::{BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, Spawn, WakeNames};
use futures_lite::future;

use crate::sharing::AbortHandle;
use crate::task_handle::TaskHandle;

/// async-executor's executor for the thread that made it.
#[derive(Debug, Default)]
pub struct LocalAsyncExecutor {
    executor: LocalExecutor<'static>,
}

impl Described for LocalAsyncExecutor {
    const NAME: &'static str = "async-executor-local";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Task,
        idle: Idle::Parks,
        polls_only_woken: true,
        remote_spawn: false,
        concurrent_drivers: false,
        nested_block_on: NestedBlockOn::Works,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for LocalAsyncExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        future::block_on(self.executor.run(future.into_future()))
    }
}

impl Spawn for LocalAsyncExecutor {
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

impl Executor for LocalAsyncExecutor {
    fn run(&self) {
        let mut running = pin!(self.executor.run(pending::<()>()));
        future::block_on(poll_fn(|cx| {
            // Never ready. It is pending when it has nothing to do, or to let others run, and has then arranged its
            // wake.
            let _ = running.as_mut().poll(cx);
            if self.executor.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        }));
    }
}
