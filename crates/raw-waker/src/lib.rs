#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

use std::pin::pin;
use std::sync::Arc;

use ::executor::{Capabilities, Described, Idle, NestedBlockOn, WakeNames};

use crate::executor::Shared;

mod abort;
mod executor;
mod join;
mod joiner;
mod owner;
mod queue;
mod schedule;
mod stage;
mod task;
mod waker;

pub use crate::abort::AbortHandle as RawAbortHandle;
pub use crate::join::JoinHandle as RawJoinHandle;

// So that a program needs no other dependency.
pub use ::executor::{
    AbortHandle, AbortOnDrop, BlockOn, Executor, JoinError, JoinHandle, JoinSet, PanicPayload, RemoteSpawn, Spawn,
    Spawner, prelude, yield_now,
};

/// Polls the tasks that were woken, and parks while there are none.
#[derive(Debug, Default)]
pub struct RawExecutor {
    shared: Arc<Shared>,
}

/// Spawns onto a [`RawExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct RawSpawner {
    shared: Arc<Shared>,
}

impl Described for RawExecutor {
    const NAME: &'static str = "raw-waker";

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

impl BlockOn for RawExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.shared.block_on(pin!(future.into_future()))
    }
}

impl Spawn for RawExecutor {
    type JoinHandle<T: Send + 'static> = RawJoinHandle<T>;
    type AbortHandle = RawAbortHandle;

    fn spawn<F>(&self, future: F) -> RawJoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(future)
    }
}

impl Executor for RawExecutor {
    fn run(&self) {
        self.shared.run();
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.count.get())
    }
}

impl RemoteSpawn for RawExecutor {
    type Spawner = RawSpawner;

    fn spawner(&self) -> RawSpawner {
        RawSpawner { shared: self.shared.clone() }
    }
}

impl Drop for RawExecutor {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Spawn for RawSpawner {
    type JoinHandle<T: Send + 'static> = RawJoinHandle<T>;
    type AbortHandle = RawAbortHandle;

    fn spawn<F>(&self, future: F) -> RawJoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(future)
    }
}

impl Spawner for RawSpawner {
    fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }
}
