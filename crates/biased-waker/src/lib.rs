#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]
// See `BiasedCount`. Where words are smaller, the workspace does without.
#![cfg(target_pointer_width = "64")]

use std::pin::pin;

use ::executor::sync::Arc;
use ::executor::{Capabilities, Described, Idle, NestedBlockOn, WakeNames};

use crate::executor::Shared;

mod abort;
mod count;
mod executor;
mod join;
mod joiner;
mod owner;
mod queue;
mod root;
mod round;
mod schedule;
mod stage;
mod task;
mod waker;

pub use crate::abort::AbortHandle as BiasedAbortHandle;
pub use crate::join::JoinHandle as BiasedJoinHandle;

// So that a program needs no other dependency.
pub use ::executor::{
    AbortHandle, AbortOnDrop, BlockOn, Executor, JoinError, JoinHandle, JoinSet, PanicPayload, RemoteSpawn, Spawn,
    Spawner, prelude, yield_now,
};

/// Polls the tasks that were woken, and parks while there are none.
#[derive(Debug, Default)]
pub struct BiasedExecutor {
    shared: Arc<Shared>,
}

/// Spawns onto a [`BiasedExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct BiasedSpawner {
    shared: Arc<Shared>,
}

impl Described for BiasedExecutor {
    const NAME: &'static str = "biased-waker";

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

impl BlockOn for BiasedExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        Shared::block_on(&self.shared, pin!(future.into_future()))
    }
}

impl Spawn for BiasedExecutor {
    type JoinHandle<T: Send + 'static> = BiasedJoinHandle<T>;
    type AbortHandle = BiasedAbortHandle;

    fn spawn<F>(&self, future: F) -> BiasedJoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Shared::spawn(&self.shared, future)
    }
}

impl Executor for BiasedExecutor {
    fn run(&self) {
        Shared::run(&self.shared);
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.count.get())
    }
}

impl RemoteSpawn for BiasedExecutor {
    type Spawner = BiasedSpawner;

    fn spawner(&self) -> BiasedSpawner {
        BiasedSpawner { shared: self.shared.clone() }
    }
}

impl Drop for BiasedExecutor {
    fn drop(&mut self) {
        Shared::close(&self.shared);
    }
}

impl Spawn for BiasedSpawner {
    type JoinHandle<T: Send + 'static> = BiasedJoinHandle<T>;
    type AbortHandle = BiasedAbortHandle;

    fn spawn<F>(&self, future: F) -> BiasedJoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Shared::spawn(&self.shared, future)
    }
}

impl Spawner for BiasedSpawner {
    fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }
}
