use futures::task::LocalSpawnExt;
use futures_executor::LocalPool;

mod turn;

fn main() {
    let mut pool = LocalPool::new();
    let task = pool.spawner().spawn_local_with_handle(turn::turn()).expect("the pool is alive");
    assert!(pool.run_until(task) == 1);
}
