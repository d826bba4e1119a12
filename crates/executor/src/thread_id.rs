//! Which thread is this?

#[cfg(not(wakers_loom))]
use std::cell::Cell;
#[cfg(not(wakers_loom))]
use std::process;
#[cfg(not(wakers_loom))]
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[cfg(not(wakers_loom))]
std::thread_local! {
    static ID: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The calling thread's number, which no other thread ever has, nor any thread 0; or `usize::MAX` if it has never asked
/// for one with [`assign`].
#[cfg(not(wakers_loom))]
#[inline]
pub fn current() -> usize {
    // In a thread-local's destructor, where thread-locals are made of keys: then no thread's number.
    ID.try_with(Cell::get).unwrap_or(usize::MAX)
}

/// The calling thread's number, from now on.
#[cfg(not(wakers_loom))]
#[inline]
pub fn assign() -> usize {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    let id = ID.get();
    if id != usize::MAX {
        return id;
    }
    // Relaxed: all that matters is that no two are the same.
    let new = LAST.fetch_add(1, Relaxed) + 1;
    if new > usize::MAX / 2 {
        // No two threads may have the same.
        process::abort();
    }
    ID.set(new);
    new
}

/// In a model each thread has a number from its start.
#[cfg(wakers_loom)]
pub fn current() -> usize {
    crate::sync::thread::current().id().0
}

/// See [`current`].
#[cfg(wakers_loom)]
pub fn assign() -> usize {
    current()
}
