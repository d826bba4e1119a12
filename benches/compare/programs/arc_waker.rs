use executor::{BlockOn, Spawn};
use arc_waker::ArcExecutor;

mod turn;

fn main() {
    let executor = ArcExecutor::default();
    let task = executor.spawn(turn::turn());
    assert!(executor.block_on(task).is_ok_and(|output| output == 1));
}
