//! Every executor that is compared, in one list: this workspace's strategies and the published ones.
#![forbid(unsafe_code)]

/// Hands every executor, with the strongest of the traits that it implements, to the macro `$then`, in the order of the
/// columns. To add one is to add a line.
#[macro_export]
macro_rules! for_each_executor {
    ($then:ident) => {
        $then! {
            RemoteSpawn $crate::noop_waker::NoopExecutor,
            RemoteSpawn $crate::park_waker::ParkExecutor,
            RemoteSpawn $crate::park_waker::SpinningExecutor,
            RemoteSpawn $crate::arc_waker::ArcExecutor,
            RemoteSpawn $crate::raw_waker::RawExecutor,
            RemoteSpawn $crate::biased_waker::BiasedExecutor,
            Executor $crate::peers::AsyncTaskExecutor,
            Executor $crate::peers::CompioExecutor,
            Executor $crate::peers::LocalAsyncExecutor,
            RemoteSpawn $crate::peers::AsyncExecutor,
            RemoteSpawn $crate::peers::TokioExecutor,
            Executor $crate::peers::FuturesExecutor,
            BlockOn $crate::peers::Pollster,
            BlockOn $crate::peers::FuturesLite,
            BlockOn $crate::peers::FuturesBlockOn,
        }
    };
}

#[doc(hidden)]
pub use {arc_waker, biased_waker, noop_waker, park_waker, peers, raw_waker};
