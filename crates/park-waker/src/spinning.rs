//! The same executor with a spin before each park, as a type of its own so that it can be compared.

use executor::support::{TaskAbortHandle, TaskHandle, joinable};
use executor::{BlockOn, Capabilities, Described, Executor, RemoteSpawn, Spawn};

use crate::{ParkExecutor, ParkSpawner};

/// A [`ParkExecutor`] that [spins](ParkExecutor::spinning) for about a hundred microseconds before it parks.
#[derive(Debug)]
pub struct SpinningExecutor {
    park: ParkExecutor,
}

impl SpinningExecutor {
    /// How often it checks for a wake before it parks.
    pub const SPINS: u32 = 10_000;
}

impl Default for SpinningExecutor {
    fn default() -> Self {
        Self { park: ParkExecutor::spinning(Self::SPINS) }
    }
}

impl Described for SpinningExecutor {
    const NAME: &'static str = "park-waker-spinning";

    const CAPABILITIES: Capabilities = ParkExecutor::CAPABILITIES;
}

impl BlockOn for SpinningExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.park.block_on(future)
    }
}

impl Spawn for SpinningExecutor {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.park.shared.spawn(joinable(future))
    }
}

impl Executor for SpinningExecutor {
    fn run(&self) {
        self.park.run();
    }

    fn tasks(&self) -> Option<usize> {
        self.park.tasks()
    }
}

impl RemoteSpawn for SpinningExecutor {
    type Spawner = ParkSpawner;

    fn spawner(&self) -> ParkSpawner {
        self.park.spawner()
    }
}
