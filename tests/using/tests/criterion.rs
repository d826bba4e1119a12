//! criterion's `AsyncExecutor`, over any executor of this workspace. See docs/using.md.

use criterion::async_executor::AsyncExecutor;
use executor::BlockOn;

/// For `bencher.to_async(Async(&executor))`.
#[derive(Clone, Copy, Debug)]
struct Async<E>(E);

impl<E: BlockOn> AsyncExecutor for Async<E> {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }
}

#[test]
fn criterion_drives() {
    let executor = raw_waker::RawExecutor::default();
    let executor = Async(&executor);
    let output = AsyncExecutor::block_on(&executor, async {
        raw_waker::yield_now().await;
        7
    });
    assert_eq!(output, 7);
}
