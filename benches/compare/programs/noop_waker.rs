use executor::{BlockOn, Spawn};
use noop_waker::NoopExecutor;

mod turn;

fn main() {
    let executor = NoopExecutor::default();
    let task = executor.spawn(turn::turn());
    assert!(executor.block_on(task).is_ok_and(|output| output == 1));
}
