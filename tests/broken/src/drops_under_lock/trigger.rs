use std::future;

use executor::{JoinHandle, RemoteSpawn, Spawn};

/// Says goodbye when it is dropped, by a task of its own.
struct Connection<S: Spawn>(S);

impl<S: Spawn> Drop for Connection<S> {
    fn drop(&mut self) {
        self.0.spawn(async {}).detach();
    }
}

pub(crate) fn trigger<E: RemoteSpawn + Default>() {
    let executor = E::default();
    let connection = Connection(executor.spawner());
    let task = async move {
        future::pending::<()>().await;
        drop(connection);
    };
    executor.spawn(task).detach();
    drop(executor);
}
