//! A wake names nobody: the executor polls everything anyway, so there is nothing to tell it.
//!
//! std has had this waker since Rust 1.85, as [`Waker::noop`]. It is written out here to show a vtable and nothing
//! else.

#![expect(unsafe_code, reason = "the one place in this crate that spells out a vtable, for the reader")]

use std::ptr;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// A named `static`, and not `&RawWakerVTable::new(..)` in place: each use of such a constant may get its own copy, and
/// `will_wake`, which compares addresses, would then deny that a waker and its clone are the same.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

/// A waker that does nothing.
pub(crate) fn waker() -> Waker {
    // SAFETY: the functions of `VTABLE` uphold the contract of `RawWakerVTable`: none of them uses the data pointer, so
    // any thread may call any of them at any time, and there is nothing to keep alive or to release.
    unsafe { Waker::from_raw(raw_waker()) }
}

fn raw_waker() -> RawWaker {
    RawWaker::new(ptr::null(), &VTABLE)
}

/// Called by `Waker::clone`. A copy of nothing is as good as the original.
fn clone(_: *const ()) -> RawWaker {
    raw_waker()
}

/// Called by `Waker::wake`, which consumes the waker: `drop` is not called after it.
fn wake(_: *const ()) {}

/// Called by `Waker::wake_by_ref`.
fn wake_by_ref(_: *const ()) {}

/// Called when a waker is dropped.
fn drop(_: *const ()) {}
