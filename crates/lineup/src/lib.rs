#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use executor::Described;

/// The strategies, in the order of the columns: each with the strongest of the traits that it implements, its type, and
/// the package that it comes from. A line here and a dependency in `Cargo.toml` put one into everything that compares,
/// tests or draws the strategies.
#[doc(hidden)]
#[macro_export]
macro_rules! __strategies {
    ($hand:ident $then:ident) => {
        $crate::__of_this_width! {
            $hand $then
            everywhere {
                RemoteSpawn noop_waker::NoopExecutor from "wakers-noop",
                RemoteSpawn park_waker::ParkExecutor from "wakers-park",
                RemoteSpawn park_waker::SpinningExecutor from "wakers-park",
                RemoteSpawn arc_waker::ArcExecutor from "wakers-arc",
                RemoteSpawn raw_waker::RawExecutor from "wakers-raw",
            }
            where_pointers_have_64_bits {
                RemoteSpawn biased_waker::BiasedExecutor from "wakers-biased",
            }
        }
    };
}

/// Hands every strategy of this workspace to the macro `$then`, as
/// `$($kind:ident $library:ident::$executor:ident from $package:literal,)*`.
///
/// The type is `lineup::$executor`. `$kind` is the strongest of the traits that it implements: `RemoteSpawn`,
/// `Executor` or `BlockOn`.
#[macro_export]
macro_rules! for_each_strategy {
    ($then:ident) => {
        $crate::__strategies! { __hand_on $then }
    };
}

/// Hands every executor, the published ones after the strategies, to the macro `$then`, as
/// `$($kind:ident $executor:ty,)*`.
#[cfg(feature = "peers")]
#[macro_export]
macro_rules! for_each_executor {
    ($then:ident) => {
        $crate::__strategies! { __hand_on_with_peers $then }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __hand_on {
    ($then:ident $($strategies:tt)*) => {
        $then! { $($strategies)* }
    };
}

#[cfg(feature = "peers")]
#[doc(hidden)]
#[macro_export]
macro_rules! __hand_on_with_peers {
    ($then:ident $($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
        $then! {
            $($kind $crate::$executor,)*
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

#[cfg(target_pointer_width = "64")]
#[doc(hidden)]
#[macro_export]
macro_rules! __of_this_width {
    ($hand:ident $then:ident everywhere { $($all:tt)* } where_pointers_have_64_bits { $($wide:tt)* }) => {
        $crate::$hand! { $then $($all)* $($wide)* }
    };
}

#[cfg(not(target_pointer_width = "64"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __of_this_width {
    ($hand:ident $then:ident everywhere { $($all:tt)* } where_pointers_have_64_bits { $($wide:tt)* }) => {
        $crate::$hand! { $then $($all)* }
    };
}

/// A strategy, by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strategy {
    /// What tables and command lines call it, such as `park-waker-spinning`.
    pub name: &'static str,
    /// The package that it comes from, such as `wakers-park`.
    pub package: &'static str,
    /// What programs call that package, such as `park_waker`.
    pub library: &'static str,
    /// The type, such as `SpinningExecutor`.
    pub executor: &'static str,
}

macro_rules! strategies {
    ($($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
        // So that a reader of the list can name what is in it, without a dependency on each.
        $(#[doc(no_inline)]
        pub use $library::$executor;)*

        /// The strategies of this workspace, in the order of the columns.
        pub const STRATEGIES: &[Strategy] = &[$(Strategy {
            name: <$executor as Described>::NAME,
            package: $package,
            library: stringify!($library),
            executor: stringify!($executor),
        }),*];
    };
}

for_each_strategy!(strategies);

/// The strategy of that name, if it is one of this workspace's.
pub fn strategy(name: &str) -> Option<&'static Strategy> {
    STRATEGIES.iter().find(|strategy| strategy.name == name)
}

// So that `for_each_executor` can name them wherever it is used.
#[cfg(feature = "peers")]
#[doc(hidden)]
pub use peers;
