#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

use std::pin::pin;
use std::sync::Arc;

use ::executor::support::{TaskAbortHandle, TaskHandle, joinable};
use ::executor::{Capabilities, Described, Idle, NestedBlockOn, WakeNames};

use crate::executor::Shared;

mod executor;
mod task;
mod waker;

// So that a program needs no other dependency.
pub use ::executor::{
    AbortHandle, AbortOnDrop, BlockOn, Executor, JoinError, JoinHandle, JoinSet, PanicPayload, RemoteSpawn, Spawn,
    Spawner, prelude, yield_now,
};

/// Polls every task in turn, whether or not it was woken.
#[derive(Debug, Default)]
pub struct NoopExecutor {
    shared: Arc<Shared>,
}

/// Spawns onto a [`NoopExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct NoopSpawner {
    shared: Arc<Shared>,
}

impl Described for NoopExecutor {
    const NAME: &'static str = "noop-waker";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Nobody,
        idle: Idle::Spins,
        polls_only_woken: false,
        remote_spawn: true,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for NoopExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.shared.block_on(pin!(future.into_future()))
    }
}

impl Spawn for NoopExecutor {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(joinable(future))
    }
}

impl Executor for NoopExecutor {
    fn run(&self) {
        self.shared.run();
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.count.get())
    }
}

impl RemoteSpawn for NoopExecutor {
    type Spawner = NoopSpawner;

    fn spawner(&self) -> NoopSpawner {
        NoopSpawner { shared: self.shared.clone() }
    }
}

impl Drop for NoopExecutor {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Spawn for NoopSpawner {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(joinable(future))
    }
}

impl Spawner for NoopSpawner {
    fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }
}
