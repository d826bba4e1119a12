mod turn;

fn main() {
    assert!(pollster::block_on(turn::turn()) == 1);
}
