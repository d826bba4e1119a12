mod turn;

fn main() {
    assert!(futures_executor::block_on(turn::turn()) == 1);
}
