//! A wake names the task: the waker is a counted pointer to it, and waking puts the task into the ready queue, once.
//!
//! What `Arc` and `std::task::Wake` do for arc-waker is written out here: four functions, and a count kept by hand.
//!
//! | function | called by | the count |
//! |---|---|---|
//! | [`clone`] | `Waker::clone` | one more, which the new waker owns |
//! | [`wake`] | `Waker::wake` | the waker's own is used up: it moves into the queue or is given back |
//! | [`wake_by_ref`] | `Waker::wake_by_ref` | the waker keeps its own; the queue gets one if the task was not in it |
//! | [`drop`] | `Waker::drop`, not after `wake` | the waker's own is given back; the last one frees the task's memory |
//!
//! Each may be called on any thread, by several threads at once through one `&Waker`, during a poll, after the task has
//! ended, and after the executor is gone.

#![expect(unsafe_code, reason = "a vtable deals in untyped pointers and in counts that the compiler does not see")]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::task::{Header, TaskRef};

/// A named `static`, and not generic: `will_wake` compares the addresses of vtables. One that is made in place, or one
/// for each type of future, may exist several times, and then a waker and its clone count as different.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

/// The waker to poll `task` with. It borrows the count that `task` stands for: nothing is counted until somebody clones
/// it.
pub(crate) fn borrow(task: &TaskRef) -> ManuallyDrop<Waker> {
    // SAFETY: the functions of `VTABLE` expect a pointer to the header of a task on which a count is held. `task`
    // stands for one (of its own, or of the list, while the task has not ended), and as this waker is never dropped,
    // that count is not given back by it.
    ManuallyDrop::new(unsafe { Waker::new(task.as_ptr().as_ptr().cast(), &VTABLE) })
}

/// # Safety
///
/// `data` points to the header of a task on which the waker holds a count, as [`borrow`] and [`clone`] make it.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the caller's waker holds a count.
    let task = unsafe { borrowed(data) };
    let clone = TaskRef::clone(&task);
    RawWaker::new(clone.into_raw().as_ptr().cast(), &VTABLE)
}

/// # Safety
///
/// As for [`clone()`]; the count passes to this function.
unsafe fn wake(data: *const ()) {
    // SAFETY: the caller's waker holds a count and hands it over.
    let task = unsafe { owned(data) };
    task.wake();
}

/// # Safety
///
/// As for [`clone()`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the caller's waker holds a count.
    let task = unsafe { borrowed(data) };
    task.wake_by_ref();
}

/// # Safety
///
/// As for [`clone()`]; the count passes to this function.
unsafe fn drop(data: *const ()) {
    // SAFETY: the caller's waker holds a count and hands it over.
    let task = unsafe { owned(data) };
    std::mem::drop(task);
}

/// # Safety
///
/// `data` points to the header of a task, and its owner keeps a count on it while the result is used.
unsafe fn borrowed(data: *const ()) -> ManuallyDrop<TaskRef> {
    // SAFETY: the caller keeps the count, and the result does not give it back.
    ManuallyDrop::new(unsafe { owned(data) })
}

/// # Safety
///
/// `data` points to the header of a task, and its owner hands a count on it over, or keeps it as [`borrowed`] says.
unsafe fn owned(data: *const ()) -> TaskRef {
    // SAFETY: a pointer to a header is not null.
    let header = unsafe { NonNull::new_unchecked(data.cast_mut().cast::<Header>()) };
    // SAFETY: as the caller promises.
    unsafe { TaskRef::from_raw(header) }
}
