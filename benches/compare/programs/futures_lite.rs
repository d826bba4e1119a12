mod turn;

fn main() {
    assert!(futures_lite::future::block_on(turn::turn()) == 1);
}
