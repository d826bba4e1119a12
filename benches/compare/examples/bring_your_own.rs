//! An executor and a workload of your own, compared with everybody else's. See docs/bring-your-own.md.

use std::process::ExitCode;

use compare::{Comparison, Contender, CountingAllocator, Scenario, scenario, suite};
use executor::{BlockOn, Capabilities, Described, Executor, Spawn};
use raw_waker::{RawAbortHandle, RawExecutor, RawJoinHandle};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Yours. This one only passes on what it is asked.
#[derive(Debug, Default)]
struct Mine(RawExecutor);

impl Spawn for Mine {
    type JoinHandle<T: Send + 'static> = RawJoinHandle<T>;
    type AbortHandle = RawAbortHandle;

    fn spawn<F: Future<Output: Send> + Send + 'static>(&self, future: F) -> RawJoinHandle<F::Output> {
        self.0.spawn(future)
    }
}

impl Described for Mine {
    const NAME: &'static str = "mine";
    const CAPABILITIES: Capabilities = Capabilities { remote_spawn: false, ..RawExecutor::CAPABILITIES };
}

impl BlockOn for Mine {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

impl Executor for Mine {
    fn run(&self) {
        self.0.run();
    }
}

/// What your program does: a hundred tasks at once.
struct FanOut;

impl Scenario for FanOut {
    const ID: &'static str = "fan_out";
    const OPERATION: &'static str = "one of 100 tasks spawned, ended and joined";
    const OPERATIONS: usize = 100;

    async fn run<E: Executor>(executor: &E) {
        let tasks: Vec<_> = (0..100).map(|number| executor.spawn(async move { number })).collect();
        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.expect("the task ends"), number);
        }
    }
}

fn main() -> ExitCode {
    let mine =
        Contender::executor::<Mine>().with_suite(suite!(Executor: Mine)).with_case(scenario::on::<FanOut, Mine>());
    Comparison::new().with_scenario::<FanOut>().with(mine).main()
}
