//! Every table in the pages is what the programs print now. `UPDATE_TABLES=1` writes them anew.

use std::path::Path;

use conformance::Allocations;
use executor::{Described, Executor, yield_now};
use harness::contenders;
use harness::pages::{capabilities, check_table, page, strategies};

#[global_allocator]
static ALLOCATOR: conformance::CountingAllocator = conformance::CountingAllocator;

#[test]
fn the_table_of_strategies_is_current() {
    let table = strategies(&contenders(), allocations_of);
    check(&page("README.md"), "strategies", &table);
}

macro_rules! allocations_of {
    ($($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
        /// `None` for what is no strategy, and for a variant of one, which its crate's row stands for.
        fn allocations_of(name: &str) -> Option<(usize, usize)> {
            let crate_name = name.replace('-', "_");
            $(if name == <lineup::$executor>::NAME && crate_name == stringify!($library) {
                return allocations!($kind lineup::$executor);
            })*
            None
        }
    };
}

/// What owns no tasks has none to spawn.
macro_rules! allocations {
    (BlockOn $executor:ty) => {
        None
    };
    ($kind:ident $executor:ty) => {
        Some(allocations::<$executor>())
    };
}

lineup::for_each_strategy!(allocations_of);

#[test]
fn the_table_of_capabilities_is_current() {
    check(&page("docs/strategies.md"), "capabilities", &capabilities(&contenders()));
}

#[track_caller]
fn check(page: &Path, name: &str, table: &str) {
    if let Err(difference) = check_table(page, name, table) {
        panic!("{difference}");
    }
}

/// How often this thread allocates for one spawn, and for 1,000 wakes of a task by itself.
fn allocations<E: Executor + Described>() -> (usize, usize) {
    let executor = E::default();
    let count = |wakes| {
        let before = Allocations::now().calls;
        executor
            .block_on(executor.spawn(async move {
                for _ in 0..wakes {
                    yield_now().await;
                }
            }))
            .expect("the task ends");
        Allocations::now().calls - before
    };
    // What only the first tasks cause, such as letting a buffer grow.
    count(1_000);
    let spawn = count(0);
    (spawn, count(1_000) - spawn)
}
