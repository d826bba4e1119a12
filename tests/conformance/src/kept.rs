//! A value of any type in a thread-local.

#![expect(unsafe_code, reason = "what is dropped in place and not freed is a matter of pointers")]

use std::any::Any;
use std::cell::OnceCell;
use std::ptr;

/// Holds a value as a thread-local of its type would: where its destructor runs, the value is dropped in place, and its
/// memory stays. So a borrow that `exit` has not waited for points to a value that is dropped, and not to memory that
/// is freed.
pub(crate) struct Kept {
    value: OnceCell<Box<dyn Any>>,
}

impl Kept {
    pub(crate) const fn new() -> Self {
        Self { value: OnceCell::new() }
    }

    /// The value, made by `make` if there is none.
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
            // SAFETY: it was in a box until now, and is never used again as one: this is its only drop.
            unsafe { ptr::drop_in_place(value) };
        }
    }
}
