use executor::{Executor, JoinHandle};

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    for _ in 0..10_001 {
        executor.spawn(async {}).detach();
    }
    executor.run();
}
