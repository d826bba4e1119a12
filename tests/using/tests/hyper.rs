//! hyper's `Executor`, over any spawner of this workspace. See docs/using.md.

use executor::Spawn;

/// Runs what hyper spawns: the streams of an HTTP/2 connection, an upgrade.
#[derive(Clone, Debug)]
struct HyperExecutor<S>(S);

impl<S, F> hyper::rt::Executor<F> for HyperExecutor<S>
where
    S: Spawn,
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        drop(self.0.spawn(future));
    }
}

#[test]
fn hyper_spawns() {
    use hyper::rt::Executor as _;
    use raw_waker::prelude::*;

    let executor = raw_waker::RawExecutor::default();
    let (sender, receiver) = std::sync::mpsc::channel();
    HyperExecutor(executor.spawner()).execute(async move { sender.send(7) });
    executor.run();
    assert_eq!(receiver.try_recv(), Ok(7));
}
