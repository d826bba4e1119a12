use executor::Executor;

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    let task = executor.spawn(async { "seven".parse::<u32>().unwrap() });
    assert!(executor.block_on(task).is_err(), "the task panicked");
}
