pub use std::sync::{Arc, Condvar, Mutex, MutexGuard, atomic};
pub use std::{hint, thread, thread_local};

pub mod cell {
    //! `std::cell`, with an [`UnsafeCell`] whose accesses have a beginning and an end.

    pub use std::cell::Cell;

    /// `std::cell::UnsafeCell`, which hands its pointer to a closure.
    #[derive(Debug)]
    #[repr(transparent)]
    pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        /// A cell with `value` in it.
        pub const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        /// Calls `f` with a pointer that it may read through, if no other access writes during the call.
        #[inline]
        pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        /// Calls `f` with a pointer that it may read and write through, if there is no other access during the call.
        #[inline]
        pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

/// A liveness marker for allocations that are counted by hand. Zero-sized outside the models.
#[derive(Debug)]
pub struct Alive;

impl Alive {
    /// Begins the life of an allocation. It ends when this is dropped.
    #[expect(clippy::new_without_default, reason = "the beginning of a life is not a default")]
    #[inline]
    pub fn new() -> Self {
        Self
    }

    /// Asserts that the allocation is alive, and that it ends after this.
    #[inline]
    pub fn check(&self) {}
}

/// Drops the value and frees its memory.
#[inline]
pub fn free<T>(value: Box<T>) {
    drop(value);
}
