//! raw-waker under another name: all that a strategy needs besides a run loop. See docs/add-a-strategy.md.
#![forbid(unsafe_code)]

use executor::{BlockOn, Capabilities, Described, Executor, RemoteSpawn, Spawn};
use raw_waker::{RawAbortHandle, RawExecutor, RawJoinHandle, RawSpawner};

/// A strategy of its own would have its run loop here, and a task and a waker in the files beside this one.
#[derive(Debug, Default)]
pub struct LateExecutor(RawExecutor);

impl Described for LateExecutor {
    const NAME: &'static str = "late-waker";
    const CAPABILITIES: Capabilities = RawExecutor::CAPABILITIES;
}

impl BlockOn for LateExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl Spawn for LateExecutor {
    type JoinHandle<T: Send + 'static> = RawJoinHandle<T>;
    type AbortHandle = RawAbortHandle;

    fn spawn<F>(&self, future: F) -> RawJoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn(future)
    }
}

impl Executor for LateExecutor {
    fn run(&self) {
        self.0.run();
    }

    fn tasks(&self) -> Option<usize> {
        self.0.tasks()
    }
}

impl RemoteSpawn for LateExecutor {
    type Spawner = RawSpawner;

    fn spawner(&self) -> RawSpawner {
        self.0.spawner()
    }
}
