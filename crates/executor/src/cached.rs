use std::cell::Cell;
use std::fmt;

use crate::sync::thread::LocalKey;

/// The waker of a thread's last `block_on`, kept in a thread-local for the next one.
///
/// It is taken out during the call. So a nested `block_on` gets a waker of its own and cannot take the wakes of the
/// outer one.
pub struct Cached<W> {
    last: Cell<Option<W>>,
}

/// A waker that [`Cached`] keeps.
pub trait Renew: Sized {
    /// Makes one for the calling thread, not woken yet.
    fn new() -> Self;

    /// Makes it one that is not woken, unless a clone of it still exists.
    fn renew(self) -> Option<Self>;
}

impl<W: Renew> Cached<W> {
    /// Keeps nothing yet.
    pub const fn new() -> Self {
        Self { last: Cell::new(None) }
    }

    /// Calls `f` with a waker for the calling thread that is not woken yet.
    ///
    /// Allocates where there is nothing to renew. The thread's last call has left no waker if there was none, if this
    /// call is nested in it or if it panicked; and a waker of which a clone still exists is given up: a stale waker
    /// never wakes a later call.
    #[inline]
    pub fn with<R>(cached: &'static LocalKey<Self>, f: impl FnOnce(&W) -> R) -> R {
        // In the destructor of another thread-local the cache may be gone.
        let last = cached.try_with(|cached| cached.last.take()).unwrap_or_default();
        let waker = last.and_then(W::renew).unwrap_or_else(W::new);
        let result = f(&waker);
        // A waker that a nested call has left is dropped.
        let _ = cached.try_with(|cached| cached.last.set(Some(waker)));
        result
    }
}

impl<W: Renew> Default for Cached<W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<W> fmt::Debug for Cached<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").finish_non_exhaustive()
    }
}
