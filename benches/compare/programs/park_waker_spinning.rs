use executor::{BlockOn, Spawn};
use park_waker::SpinningExecutor;

mod turn;

fn main() {
    let executor = SpinningExecutor::default();
    let task = executor.spawn(turn::turn());
    assert!(executor.block_on(task).is_ok_and(|output| output == 1));
}
