use executor::Executor;

pub(crate) fn trigger<E: Executor + Default>() {
    let executor = E::default();
    executor.block_on(async { executor.spawn(async {}).await.unwrap() });
}
