//! Runs the models over an exhibit without its fault.

#[cfg(wakers_loom)]
use std::cell::Cell;
#[cfg(wakers_loom)]
use std::sync::Arc;

#[cfg(wakers_loom)]
use crate::frame::{Choice, Core};

/// Makes a test of each model that fits the exhibit.
macro_rules! tests {
    ($module:ident) => {
        models::tests!(
            crate::frame::Frame<crate::modelled::Chosen>,
            crate::modelled::choose(|| std::sync::Arc::new(crate::$module::fixed::Core::default()))
        );
    };
    ($module:ident $executor:ident) => {
        models::tests!(BlockOn: crate::$module::fixed::$executor);
    };
}
pub(crate) use tests;

#[cfg(wakers_loom)]
std::thread_local! {
    /// Makes the core of every executor in the model that runs on this thread: all threads of a model are one to std.
    static CHOSEN: Cell<Option<fn() -> Arc<dyn Core>>> = const { Cell::new(None) };
}

#[cfg(wakers_loom)]
pub(crate) struct Chosen;

#[cfg(wakers_loom)]
pub(crate) fn choose(core: fn() -> Arc<dyn Core>) {
    CHOSEN.set(Some(core));
}

#[cfg(wakers_loom)]
impl Choice for Chosen {
    fn core() -> Arc<dyn Core> {
        CHOSEN.get().expect("it is chosen before a model runs")()
    }
}
