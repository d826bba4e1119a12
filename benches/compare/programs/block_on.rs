use executor::BlockOn;

mod turn;

fn main() {
    assert!(Strategy::default().block_on(turn::turn()) == 1);
}
