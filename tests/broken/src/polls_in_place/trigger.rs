use executor::{Executor, JoinHandle, yield_now};

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    let task = async {
        loop {
            yield_now().await;
        }
    };
    executor.spawn(task).detach();
    executor.block_on(yield_now());
}
