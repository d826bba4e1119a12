//! futures' `Spawn`, over any spawner of this workspace. See docs/using.md.

use executor::Spawner;
use futures::task::{FutureObj, Spawn, SpawnError};

/// For libraries that take futures' trait.
#[derive(Clone, Debug)]
struct FuturesSpawn<S>(S);

impl<S: Spawner> Spawn for FuturesSpawn<S> {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.status()?;
        drop(self.0.spawn(future));
        Ok(())
    }

    fn status(&self) -> Result<(), SpawnError> {
        if self.0.is_closed() { Err(SpawnError::shutdown()) } else { Ok(()) }
    }
}

#[test]
fn futures_spawns() {
    use futures::task::SpawnExt as _;
    use raw_waker::prelude::{BlockOn as _, RemoteSpawn as _};

    let executor = raw_waker::RawExecutor::default();
    let spawner = FuturesSpawn(executor.spawner());
    let (sender, receiver) = futures::channel::oneshot::channel();
    spawner.spawn(async { sender.send(7).expect("somebody receives it") }).expect("the executor is there");
    assert_eq!(executor.block_on(receiver), Ok(7));
    drop(executor);
    assert!(spawner.spawn(async {}).expect_err("the executor is gone").is_shutdown());
}
