//! A waker whose clone, wake and drop run the test's own code.

#![expect(unsafe_code, reason = "std's `Wake` has no hook for clones and drops")]

use std::mem::{self, ManuallyDrop};
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// An operation on a [hooked waker](hooked_waker).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// It is about to be cloned. A panic unwinds out of the clone, and no clone is made.
    Clone,
    /// It is woken, by value or by reference.
    Wake,
    /// It is dropped without having been woken by value. A panic unwinds out of the drop; what the waker owns is
    /// released all the same.
    Drop,
}

struct Hooks {
    act: Box<dyn Fn(Hook) + Send + Sync>,
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

/// A waker that calls `act` for every operation on it and on its clones.
pub fn hooked_waker(act: impl Fn(Hook) + Send + Sync + 'static) -> Waker {
    let hooks = Arc::new(Hooks { act: Box::new(act) });
    // SAFETY: the functions of `VTABLE` keep the contract of `RawWakerVTable`: the pointer is that of an `Arc` of which
    // each waker owns one reference; what it points to may be used by any thread.
    unsafe { Waker::from_raw(raw_waker(hooks)) }
}

fn raw_waker(hooks: Arc<Hooks>) -> RawWaker {
    RawWaker::new(Arc::into_raw(hooks).cast(), &VTABLE)
}

/// # Safety
///
/// `data` must be the pointer of an `Arc<Hooks>` of which a reference passes to this function; the caller may keep the
/// reference if the result is never dropped.
unsafe fn owned(data: *const ()) -> Arc<Hooks> {
    // SAFETY: as the caller promises.
    unsafe { Arc::from_raw(data.cast::<Hooks>()) }
}

/// # Safety
///
/// As for all four functions of the table: `data` is what [`raw_waker`] gave the waker, which still holds its
/// reference.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker's reference, which it keeps: `ManuallyDrop`.
    let hooks = ManuallyDrop::new(unsafe { owned(data) });
    (hooks.act)(Hook::Clone);
    raw_waker(Arc::clone(&hooks))
}

/// # Safety
///
/// As for [`clone()`].
unsafe fn wake(data: *const ()) {
    // SAFETY: the waker's reference, which it gives up.
    let hooks = unsafe { owned(data) };
    (hooks.act)(Hook::Wake);
}

/// # Safety
///
/// As for [`clone()`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker's reference, which it keeps: `ManuallyDrop`.
    let hooks = ManuallyDrop::new(unsafe { owned(data) });
    (hooks.act)(Hook::Wake);
}

/// # Safety
///
/// As for [`clone()`].
unsafe fn drop(data: *const ()) {
    // SAFETY: the waker's reference, which it gives up.
    let hooks = unsafe { owned(data) };
    (hooks.act)(Hook::Drop);
    mem::drop(hooks);
}
