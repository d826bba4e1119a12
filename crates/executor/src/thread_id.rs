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

/// The calling thread's number: unique per thread, never 0, never reused. `usize::MAX` while the thread has none.
/// [`assign`] gives it one.
#[cfg(not(wakers_loom))]
#[inline]
pub fn current() -> usize {
    // Fails in a thread-local's destructor, on platforms where thread-locals are made of keys: then no thread's number.
    ID.try_with(Cell::get).unwrap_or(usize::MAX)
}

/// Returns the calling thread's number, and gives it one first if it has none.
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
        // Two threads with one number would both drive.
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
