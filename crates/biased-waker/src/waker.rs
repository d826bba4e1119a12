//! A wake names the task, and the waker knows whether it is at home: there, on the thread that drives, waking, cloning
//! and dropping change plain memory; anywhere else they change atomics.
//!
//! The four functions are those of raw-waker. What differs is behind them: the question and the two answers.
//!
//! | function | called by | at home | elsewhere |
//! |---|---|---|---|
//! | [`clone`] | `Waker::clone` | `here` counts one more | `away` counts one more |
//! | [`wake`] | `Waker::wake` | queued here; `here` counts one less | as `wake_by_ref`, then as `drop` |
//! | [`wake_by_ref`] | `Waker::wake_by_ref` | queued here, unless it is | pushed onto the stack, unless it is there |
//! | [`drop`] | `Waker::drop`, not after `wake` | `here` counts one less | `away` counts one less; the last one frees |
//!
//! The question is asked at each call, and never answered in advance: between two calls the waker may have gone to
//! another thread, and so may the right to drive.

#![expect(unsafe_code, reason = "a vtable deals in untyped pointers and in counts that the compiler does not see")]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::task::{Header, Kept, TaskRef};

/// A named `static`, and not generic: `will_wake` compares the addresses of vtables. One that is made in place, or one
/// for each type of future, may exist several times, and then a waker and its clone count as different.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

/// The waker to poll `task` with. It borrows the executor's own reference: nothing is counted until somebody clones it.
#[inline]
pub(crate) fn borrow(task: Kept) -> ManuallyDrop<Waker> {
    // SAFETY: the functions of `VTABLE` expect a pointer to the header of a task on which a reference is held. The
    // executor holds its own until the task has had its last turn, and as this waker is never dropped, no reference is
    // given back by it.
    ManuallyDrop::new(unsafe { Waker::new(task.as_ptr().as_ptr().cast(), &VTABLE) })
}

/// # Safety
///
/// `data` points to the header of a task on which the waker holds a reference, as [`borrow`] and [`clone`] make it.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the caller's waker holds a reference.
    let task = unsafe { borrowed(data) };
    let clone = TaskRef::clone(&task);
    RawWaker::new(clone.into_raw().as_ptr().cast(), &VTABLE)
}

/// # Safety
///
/// As for [`clone()`]; the reference passes to this function.
unsafe fn wake(data: *const ()) {
    // SAFETY: the caller's waker holds a reference and hands it over.
    let task = unsafe { owned(data) };
    task.wake();
}

/// # Safety
///
/// As for [`clone()`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the caller's waker holds a reference.
    let task = unsafe { borrowed(data) };
    task.wake_by_ref();
}

/// # Safety
///
/// As for [`clone()`]; the reference passes to this function.
unsafe fn drop(data: *const ()) {
    // SAFETY: the caller's waker holds a reference and hands it over.
    let task = unsafe { owned(data) };
    std::mem::drop(task);
}

/// # Safety
///
/// `data` points to the header of a task, and its owner keeps a reference to it while the result is used.
unsafe fn borrowed(data: *const ()) -> ManuallyDrop<TaskRef> {
    // SAFETY: the caller keeps the reference, and the result does not give it back.
    ManuallyDrop::new(unsafe { owned(data) })
}

/// # Safety
///
/// `data` points to the header of a task, and its owner hands a reference to it over, or keeps it as [`borrowed`] says.
unsafe fn owned(data: *const ()) -> TaskRef {
    // SAFETY: a pointer to a header is not null.
    let header = unsafe { NonNull::new_unchecked(data.cast_mut().cast::<Header>()) };
    // SAFETY: as the caller promises.
    unsafe { TaskRef::from_raw(header) }
}
