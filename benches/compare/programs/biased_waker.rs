use biased_waker::BiasedExecutor;
use executor::{BlockOn, Spawn};

mod turn;

fn main() {
    let executor = BiasedExecutor::default();
    let task = executor.spawn(turn::turn());
    assert!(executor.block_on(task).is_ok_and(|output| output == 1));
}
