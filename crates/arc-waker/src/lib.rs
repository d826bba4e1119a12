#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::pin::pin;
use std::sync::Arc;

use ::executor::support::{TaskAbortHandle, TaskHandle, joinable};
use ::executor::{Capabilities, Described, Idle, NestedBlockOn, WakeNames};

use crate::executor::Shared;

mod executor;
mod owner;
mod queue;
mod schedule;
mod task;
mod waker;

#[cfg(wakers_loom)]
use ::executor::sync::channel;
#[cfg(not(wakers_loom))]
use crossbeam_channel as channel;

// So that a program needs no other dependency.
pub use ::executor::{
    AbortHandle, AbortOnDrop, BlockOn, Executor, JoinError, JoinHandle, JoinSet, PanicPayload, RemoteSpawn, Spawn,
    Spawner, prelude, yield_now,
};

/// Polls the tasks that were woken, and parks while there are none.
#[derive(Debug, Default)]
pub struct ArcExecutor {
    shared: Arc<Shared>,
}

/// Spawns onto an [`ArcExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct ArcSpawner {
    shared: Arc<Shared>,
}

impl Described for ArcExecutor {
    const NAME: &'static str = "arc-waker";

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

impl BlockOn for ArcExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.shared.block_on(pin!(future.into_future()))
    }
}

impl Spawn for ArcExecutor {
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

impl Executor for ArcExecutor {
    fn run(&self) {
        self.shared.run();
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.count.get())
    }
}

impl RemoteSpawn for ArcExecutor {
    type Spawner = ArcSpawner;

    fn spawner(&self) -> ArcSpawner {
        ArcSpawner { shared: self.shared.clone() }
    }
}

impl Drop for ArcExecutor {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Spawn for ArcSpawner {
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

impl Spawner for ArcSpawner {
    fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }
}
