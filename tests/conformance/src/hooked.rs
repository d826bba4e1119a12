//! A waker whose clone, wake and drop run the test's own code.

#![expect(unsafe_code, reason = "std's `Wake` has no place for what a clone or a drop does")]

use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// What is done to a [hooked waker](hooked_waker).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// It is about to be cloned. A panic unwinds out of the clone, which then was not made.
    Clone,
    /// It is woken, by value or by reference.
    Wake,
    /// It is dropped, and not woken by value. A panic unwinds out of the drop; what the waker owns is released all the
    /// same.
    Drop,
}

struct Hooks {
    act: Box<dyn Fn(Hook) + Send + Sync>,
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

/// A waker that calls `act` for whatever is done to it and to its clones.
pub fn hooked_waker(act: impl Fn(Hook) + Send + Sync + 'static) -> Waker {
    let hooks = Arc::new(Hooks { act: Box::new(act) });
    // SAFETY: the functions of `VTABLE` keep the contract of `RawWakerVTable`: the pointer is that of an `Arc`, whose
    // counts are the wakers'; what it points to may be used by any thread.
    unsafe { Waker::from_raw(raw_waker(hooks)) }
}

fn raw_waker(hooks: Arc<Hooks>) -> RawWaker {
    RawWaker::new(Arc::into_raw(hooks).cast(), &VTABLE)
}

/// # Safety
///
/// `data` is the pointer of an `Arc<Hooks>` of which a count passes to this function, or stays the caller's where the
/// result is not dropped.
unsafe fn owned(data: *const ()) -> Arc<Hooks> {
    // SAFETY: as the caller promises.
    unsafe { Arc::from_raw(data.cast::<Hooks>()) }
}

/// # Safety
///
/// The waker's own, in all four: `data` is what [`raw_waker`] gave it.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker's count, which it keeps.
    let hooks = ManuallyDrop::new(unsafe { owned(data) });
    (hooks.act)(Hook::Clone);
    raw_waker(Arc::clone(&hooks))
}

/// # Safety
///
/// As for [`clone()`].
unsafe fn wake(data: *const ()) {
    // SAFETY: the waker's count, which it gives up.
    let hooks = unsafe { owned(data) };
    (hooks.act)(Hook::Wake);
}

/// # Safety
///
/// As for [`clone()`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker's count, which it keeps.
    let hooks = ManuallyDrop::new(unsafe { owned(data) });
    (hooks.act)(Hook::Wake);
}

/// # Safety
///
/// As for [`clone()`].
unsafe fn drop(data: *const ()) {
    // SAFETY: the waker's count, which it gives up.
    let hooks = unsafe { owned(data) };
    (hooks.act)(Hook::Drop);
    mem::drop(hooks);
}
