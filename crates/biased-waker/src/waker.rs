//! A wake names the task, and the waker knows whether its thread is the task's owner, the thread that drives. There
//! waking, cloning and dropping change plain memory; on any other thread they change atomics.
//!
//! The four functions are those of raw-waker. What differs is one question, `task.local()`, and its two answers.
//!
//! | function | called by | on the owner | remotely |
//! |---|---|---|---|
//! | [`clone_waker`] | `Waker::clone` | `local` counts one more | `remote` counts one more |
//! | [`wake_by_val`] | `Waker::wake` | as `wake_by_ref`, then as `drop_waker` | the same |
//! | [`wake_by_ref`] | `Waker::wake_by_ref` | queued, unless it is | pushed onto the stack, unless it is there |
//! | [`drop_waker`] | `Waker::drop`, not after `wake` | `local` counts one less | `remote` counts one less; the last frees |
//!
//! The question is asked at each call and never answered in advance: between two calls the waker may have gone to
//! another thread, and so may the right to drive.

#![expect(unsafe_code, reason = "a vtable deals in untyped pointers and in references that the compiler does not see")]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::task::{Header, LocalTask, TaskRef};

/// A named `static`, and not generic: `will_wake` compares the addresses of vtables. One that is made in place, or one
/// for each type of future, may exist several times, and then a waker and its clone count as different.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone_waker, wake_by_val, wake_by_ref, drop_waker);

/// The waker to poll `task` with. It borrows the executor's own reference: none is added until somebody clones the
/// waker.
#[inline]
pub(crate) fn waker_ref(task: LocalTask) -> ManuallyDrop<Waker> {
    // SAFETY: the functions of `VTABLE` require a pointer to the header of a task on which a reference is held. The
    // executor holds its own until the task has been polled for the last time, and as this waker is never dropped, it
    // does not give a reference back.
    ManuallyDrop::new(unsafe { Waker::new(task.as_ptr().as_ptr().cast(), &VTABLE) })
}

/// # Safety
///
/// `data` points to the header of a task on which the waker holds a reference, as [`waker_ref`] and [`clone_waker`]
/// make it.
unsafe fn clone_waker(data: *const ()) -> RawWaker {
    // SAFETY: the caller's waker holds a reference.
    let task = unsafe { borrow_raw(data) };
    let clone = TaskRef::clone(&task);
    RawWaker::new(clone.into_raw().as_ptr().cast(), &VTABLE)
}

/// # Safety
///
/// As for [`clone_waker`]; the reference passes to this function.
unsafe fn wake_by_val(data: *const ()) {
    // SAFETY: the caller's waker holds a reference and hands it over.
    let task = unsafe { from_raw(data) };
    match task.local() {
        Some(local) => task.wake_locally(local),
        // Queue and driver are reached through the task: this reference keeps it until the wake is through.
        None => task.wake_remotely(0),
    }
    drop(task);
}

/// # Safety
///
/// As for [`clone_waker`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the caller's waker holds a reference.
    let task = unsafe { borrow_raw(data) };
    match task.local() {
        Some(local) => task.wake_locally(local),
        None => task.wake_remotely(0),
    }
}

/// # Safety
///
/// As for [`clone_waker`]; the reference passes to this function.
unsafe fn drop_waker(data: *const ()) {
    // SAFETY: the caller's waker holds a reference and hands it over.
    let task = unsafe { from_raw(data) };
    drop(task);
}

/// # Safety
///
/// `data` points to the header of a task, and its owner keeps a reference to it while the result is used.
unsafe fn borrow_raw(data: *const ()) -> ManuallyDrop<TaskRef> {
    // SAFETY: the caller keeps the reference, and the result does not give it back.
    ManuallyDrop::new(unsafe { from_raw(data) })
}

/// # Safety
///
/// `data` points to the header of a task, and its owner hands over a reference to it, or keeps it as [`borrow_raw`]
/// says.
unsafe fn from_raw(data: *const ()) -> TaskRef {
    // SAFETY: a pointer to a header is not null.
    let header = unsafe { NonNull::new_unchecked(data.cast_mut().cast::<Header>()) };
    // SAFETY: as the caller promises.
    unsafe { TaskRef::from_raw(header) }
}
