//! Every executor that is compared, in one list: this workspace's strategies and the published ones.
#![forbid(unsafe_code)]

/// Hands every executor, with the strongest of the traits that it implements, to the macro `$then`, in the order of the
/// columns. To add one is to add a line.
#[macro_export]
macro_rules! for_each_executor {
    ($then:ident) => {
        $crate::__where_there_are_64_bits! { $then RemoteSpawn $crate::biased_waker::BiasedExecutor, }
    };
    (@ $then:ident $($wide:tt)*) => {
        $then! {
            RemoteSpawn $crate::noop_waker::NoopExecutor,
            RemoteSpawn $crate::park_waker::ParkExecutor,
            RemoteSpawn $crate::park_waker::SpinningExecutor,
            RemoteSpawn $crate::arc_waker::ArcExecutor,
            RemoteSpawn $crate::raw_waker::RawExecutor,
            $($wide)*
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

/// Puts what counts in words of 64 bits into the list, where there are such.
#[cfg(target_pointer_width = "64")]
#[doc(hidden)]
#[macro_export]
macro_rules! __where_there_are_64_bits {
    ($then:ident $($wide:tt)*) => {
        $crate::for_each_executor! { @ $then $($wide)* }
    };
}

/// Leaves it out, where there are none.
#[cfg(not(target_pointer_width = "64"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __where_there_are_64_bits {
    ($then:ident $($wide:tt)*) => {
        $crate::for_each_executor! { @ $then }
    };
}

#[cfg(target_pointer_width = "64")]
#[doc(hidden)]
pub use biased_waker;
#[doc(hidden)]
pub use {arc_waker, noop_waker, park_waker, peers, raw_waker};
