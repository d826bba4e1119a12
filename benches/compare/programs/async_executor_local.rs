use async_executor::LocalExecutor;
use futures_lite::future::block_on;

mod turn;

fn main() {
    let executor = LocalExecutor::new();
    let task = executor.spawn(turn::turn());
    assert!(block_on(executor.run(task)) == 1);
}
