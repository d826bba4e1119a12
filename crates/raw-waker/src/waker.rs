//! A wake names the task: the waker is a counted pointer to it, and waking puts the task into the ready queue, once.
//!
//! What `Arc` and `std::task::Wake` do for arc-waker is written out here: four functions, and references counted by
//! hand.
//!
//! | function | called by | references |
//! |---|---|---|
//! | [`clone_waker`] | `Waker::clone` | adds one, which the new waker owns |
//! | [`wake_by_val`] | `Waker::wake` | uses up the waker's own: it moves into the queue or is given back |
//! | [`wake_by_ref`] | `Waker::wake_by_ref` | the waker keeps its own; the queue gets one if the task was not in it |
//! | [`drop_waker`] | `Waker::drop`, not after `wake` | gives back the waker's own; the last one frees the task's memory |
//!
//! Each may be called on any thread, by several threads at once through one `&Waker`, during a poll, after the task has
//! ended, and after the executor is gone.

#![expect(unsafe_code, reason = "a vtable deals in untyped pointers and in references that the compiler does not see")]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::task::{Header, TaskRef};

/// A named `static`, and not generic: `will_wake` compares the addresses of vtables. One that is made in place, or one
/// for each type of future, may exist several times, and then a waker and its clone count as different.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone_waker, wake_by_val, wake_by_ref, drop_waker);

/// The waker to poll `task` with. It borrows the reference that `task` stands for: none is added until somebody clones
/// the waker.
pub(crate) fn waker_ref(task: &TaskRef) -> ManuallyDrop<Waker> {
    // SAFETY: the functions of `VTABLE` require a pointer to the header of a task on which a reference is held. `task`
    // stands for one (its own, or the list's while the task has not ended), and as this waker is never dropped, it does
    // not give that reference back.
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
    task.wake();
}

/// # Safety
///
/// As for [`clone_waker`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the caller's waker holds a reference.
    let task = unsafe { borrow_raw(data) };
    task.wake_by_ref();
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
