use tokio::runtime::Builder;

mod turn;

fn main() {
    let runtime = Builder::new_current_thread().build().expect("without drivers there is nothing to fail");
    let task = runtime.spawn(turn::turn());
    assert!(runtime.block_on(task).is_ok_and(|output| output == 1));
}
