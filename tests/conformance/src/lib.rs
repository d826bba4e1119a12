#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod allocator;
mod child;
mod clause;
pub mod executors;
mod hooked;
pub mod image;
mod kept;
pub mod probe;
pub mod process;
mod suite;
pub mod tasks;
pub mod wakers;
mod watch;

pub use allocator::{Allocations, CountingAllocator};
pub use clause::{Clause, Level, Outcome};
#[doc(hidden)]
pub use suite::assert_kept_named;
pub use suite::{Check, assert_kept, root_clauses, run};
