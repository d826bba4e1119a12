#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::pin::pin;
use std::sync::Arc;

use ::executor::support::{TaskAbortHandle, TaskHandle, joinable};
use ::executor::{Capabilities, Described, Idle, NestedBlockOn, WakeNames};

use crate::executor::Shared;

mod executor;
mod spinning;
mod task;
mod waker;

pub use crate::spinning::SpinningExecutor;

// So that a program needs no other dependency.
pub use ::executor::{
    AbortHandle, AbortOnDrop, BlockOn, Executor, JoinError, JoinHandle, JoinSet, PanicPayload, RemoteSpawn, Spawn,
    Spawner, prelude, yield_now,
};

/// Polls every task in turn whenever the thread was woken, and parks it otherwise.
#[derive(Debug, Default)]
pub struct ParkExecutor {
    shared: Arc<Shared>,
}

/// Spawns onto a [`ParkExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct ParkSpawner {
    shared: Arc<Shared>,
}

impl ParkExecutor {
    /// Makes an executor that checks for a wake this many times before it parks.
    ///
    /// Parking and being unparked takes the operating system a few microseconds, or a few tens of them in a virtual
    /// machine. Where the next wake usually comes sooner than that, looking out for it is faster; where it does not,
    /// the processor time is spent and the thread parks after all. A check takes about as long as
    /// [`spin_loop`](std::hint::spin_loop): some ten nanoseconds.
    pub fn spinning(spins: u32) -> Self {
        Self { shared: Arc::new(Shared::spinning(spins)) }
    }
}

impl Described for ParkExecutor {
    const NAME: &'static str = "park-waker";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Thread,
        idle: Idle::Parks,
        polls_only_woken: false,
        remote_spawn: true,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for ParkExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.shared.block_on(pin!(future.into_future()))
    }
}

impl Spawn for ParkExecutor {
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

impl Executor for ParkExecutor {
    fn run(&self) {
        self.shared.run();
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.count.get())
    }
}

impl RemoteSpawn for ParkExecutor {
    type Spawner = ParkSpawner;

    fn spawner(&self) -> ParkSpawner {
        ParkSpawner { shared: self.shared.clone() }
    }
}

impl Drop for ParkExecutor {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Spawn for ParkSpawner {
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

impl Spawner for ParkSpawner {
    fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }
}
