//! What the executors share memory and wait with: std's own, or loom's while the models run.
//!
//! Everything here has the name and the meaning that it has in std. With the private cfg `wakers_loom` it is replaced
//! by its counterpart in [loom](https://docs.rs/loom), which tries interleavings, and the values that a load may see,
//! one after another. So the models in `tests/models` check the code that is shipped and not a copy of it. Nothing here
//! is meant for other users.
//!
//! Five things go beyond a change of names:
//!
//! - [`cell::UnsafeCell`] hands its pointer to a closure, so that a model sees when an access begins and ends.
//! - [`Alive`] and [`free`] let a model notice memory that is leaked, or used after it was freed.
//! - [`thread::park`] is not loom's own, which loses the token of a thread that is blocked on something else, and
//!   orders more than std promises. It is made of loom's `Notify`, which orders `unpark` before the `park` that it
//!   ends, and may wake a thread for no reason, once in an execution.
//! - The atomics let loom try orders that it would leave out.
//! - [`Arc`] is std's, with a second count that loom sees. It is for code that counts by hand or reads the count.
//!   Everything else has std's `Arc` even while the models run, as `std::task::Wake` and the receivers of methods
//!   require it: its counting is for std to prove.

#[cfg(wakers_loom)]
mod modelled;
#[cfg(not(wakers_loom))]
mod real;

#[cfg(wakers_loom)]
pub use modelled::*;
#[cfg(not(wakers_loom))]
pub use real::*;
