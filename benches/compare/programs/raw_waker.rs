use executor::{BlockOn, Spawn};
use raw_waker::RawExecutor;

mod turn;

fn main() {
    let executor = RawExecutor::default();
    let task = executor.spawn(turn::turn());
    assert!(executor.block_on(task).is_ok_and(|output| output == 1));
}
