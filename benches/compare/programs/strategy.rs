use executor::{BlockOn, Spawn};

mod turn;

fn main() {
    let executor = Strategy::default();
    let task = executor.spawn(turn::turn());
    assert!(executor.block_on(task).is_ok_and(|output| output == 1));
}
