//! A value of any type in a thread-local.

#![expect(unsafe_code, reason = "dropping in place without freeing needs a pointer")]

use std::any::Any;
use std::cell::OnceCell;
use std::ptr;

/// Holds a value as a thread-local of its type would: its destructor drops the value in place and keeps the memory. So
/// a borrow that outlives `exit`'s destructors points to a dropped value, and not to freed memory.
pub(crate) struct Kept {
    value: OnceCell<Box<dyn Any>>,
}

impl Kept {
    pub(crate) const fn new() -> Self {
        Self { value: OnceCell::new() }
    }

    /// The value, made by `make` if there is none yet.
    ///
    /// # Panics
    ///
    /// When it is of another type.
    pub(crate) fn get_or_make<T: 'static>(&self, make: impl FnOnce() -> T) -> &T {
        self.value.get_or_init(|| Box::new(make())).downcast_ref().expect("nothing else is kept")
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            let value = Box::into_raw(value);
            // SAFETY: the value was in a box until now, which is leaked: this is its only drop.
            unsafe { ptr::drop_in_place(value) };
        }
    }
}
