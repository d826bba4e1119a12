use executor::{RemoteSpawn, Spawn};

pub(crate) fn trigger<E: RemoteSpawn + Default>() {
    let executor = E::default();
    let spawner = executor.spawner();
    drop(executor);
    let task = spawner.spawn(async {});
    // Any executor can wait for the handle.
    assert!(E::default().block_on(task).is_err(), "nobody is there who could run it");
}
