//! The thread that drives, and what belongs to it: the owner of the executor's tasks.
//!
//! raw-waker asks the driver which thread that is. Here a thread-local of this crate says which executor a thread owns,
//! so the question costs one comparison.

#![expect(unsafe_code, reason = "what belongs to the owner is reached without a lock")]

use std::panic::RefUnwindSafe;
use std::ptr::{self, NonNull};

use executor::support::{Entered, SpareMemory, TaskCount};
use executor::sync::cell::Cell;
use executor::sync::{Arc, thread_local};

use crate::executor::Shared;
use crate::queue::{LocalQueue, Retired, TaskList};
use crate::task::LocalTask;

/// What belongs to the thread that drives the executor or, once none can any more, drops it.
#[derive(Default)]
pub(crate) struct Local {
    pub(crate) queue: LocalQueue,
    /// All tasks that have not ended, woken or not: dropping the executor ends these.
    pub(crate) all: TaskList,
    /// The tasks that have ended, until the executor gives up its references to them.
    retired: Retired,
    /// The memory of tasks that were freed, for new ones.
    pub(crate) spare: SpareMemory,
    /// The executor that this thread owned before it came to drive this one. A reference to it, since nested calls need
    /// not end in the order of a stack: a program may switch between stacks.
    outer: Cell<Option<Arc<Shared>>>,
}

// SAFETY: `Local` is reached in four ways: through `Shared::local_at`, which asks whether this thread is the owner;
// through `Shared::drive_early`, once `Driver::drive_early` has said that this thread drives from now on; in `drive`,
// `poll_ready`, `has_work` and `Owner`, and what they call, once `Entered::drives` or `Driver::drives_here` has said
// that this thread does; and in `Shared::close`, once `Driver::close` has said that no thread does or ever will. At
// most one thread drives at a time, and the right to drive passes from thread to thread with a Release and an Acquire,
// in `Driver`.
unsafe impl Sync for Local {}
// SAFETY: as above; and what `Local` holds are tasks, which any thread may be the one to drive.
unsafe impl Send for Local {}
// Only a panic that the tasks do not catch could leave it inconsistent, and there is none.
impl RefUnwindSafe for Local {}

impl Local {
    /// Unlinks a task whose result is in its place, and reports its end. It is freed later, by
    /// [`reclaim`](Self::reclaim), or at once if nobody else refers to it.
    #[inline]
    pub(crate) fn retire(&self, task: LocalTask, count: &TaskCount) {
        self.all.remove(task);
        count.ended();
        if task.complete(Some(&self.spare)) {
            self.retired.push(task);
        }
    }

    /// Gives up the executor's references to the tasks that have ended.
    #[inline]
    pub(crate) fn reclaim(&self) {
        self.retired.reclaim(&self.spare);
    }
}

thread_local! {
    /// The executor that this thread owns, if any: the one it drives, with nested calls the innermost. To the tasks of
    /// the outer ones the thread is remote until the inner call ends, though it drives them too.
    static OWNED: Cell<*const Shared> = const { Cell::new(ptr::null()) };
}

/// The executor that this thread owns, or null.
#[inline]
fn owned() -> *const Shared {
    // In a thread-local's destructor, on platforms where thread-locals are made of keys: then none.
    OWNED.try_with(Cell::get).unwrap_or(ptr::null())
}

/// A call of `block_on` whose future was not ready at once: makes its thread the owner once that drives.
pub(crate) struct Owner<'a> {
    shared: &'a Arc<Shared>,
    entered: Entered<'a>,
    /// This call has made its thread the owner. What runs on that thread inside this call may have another owner for a
    /// while.
    settled: Cell<bool>,
}

impl<'a> Owner<'a> {
    /// `settled`: `Shared::drive_early` has made the thread the owner already.
    #[inline]
    pub(crate) fn new(shared: &'a Arc<Shared>, entered: Entered<'a>, settled: bool) -> Self {
        Self { shared, entered, settled: Cell::new(settled) }
    }

    /// Whether this call drives. See [`Entered::drives`].
    #[inline]
    pub(crate) fn drives(&self) -> bool {
        self.settled.get() || self.settle()
    }

    #[cold]
    fn settle(&self) -> bool {
        let drives = self.entered.drives();
        if drives {
            self.settled.set(true);
            // SAFETY: the pointer is that of an `Arc` that is borrowed for as long as the call is under way.
            unsafe { Shared::settle(Arc::as_ptr(self.shared)) };
        }
        drives
    }

    /// Outlined: a first poll seldom makes its thread the owner and ends the call, too.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave(self) {
        drop(self);
    }

    #[inline]
    pub(crate) fn park_unless(&self, ready: impl FnOnce() -> bool) {
        self.shared.reclaim();
        self.entered.park_unless(ready);
    }

    /// Makes the thread the owner of the executor that it owned before, if it still drives that.
    #[inline(never)]
    fn return_to(outer: &Arc<Shared>) {
        if outer.driver.drives_here() {
            OWNED.with(|owned| owned.set(Arc::as_ptr(outer)));
            // What this thread woke during the inner call comes before what it wakes from now on.
            outer.remote.take(&outer.local);
        }
    }
}

impl Drop for Owner<'_> {
    /// Before `entered` passes on the right to drive.
    #[inline]
    fn drop(&mut self) {
        if self.settled.get() {
            self.shared.reclaim();
            OWNED.with(|owned| owned.set(ptr::null()));
            if let Some(outer) = self.shared.local.outer.take() {
                Self::return_to(&outer);
            }
        }
    }
}

impl Shared {
    /// What belongs to the owner, if this thread is the one.
    #[inline]
    pub(crate) fn local(&self) -> Option<&Local> {
        // SAFETY: it is alive, as it is borrowed.
        unsafe { Self::local_at(|| NonNull::from(self)) }
    }

    /// Like [`local`](Self::local), for a wake: the thread-local is read before anything else, while no register is in
    /// use.
    ///
    /// # Safety
    ///
    /// What `shared` returns is alive for as long as the result is used.
    #[inline]
    pub(crate) unsafe fn local_at<'a>(shared: impl FnOnce() -> NonNull<Self>) -> Option<&'a Local> {
        let owned = owned();
        let shared = shared();
        if !ptr::eq(owned, shared.as_ptr()) {
            return None;
        }
        // SAFETY: as the caller promises.
        let shared = unsafe { shared.as_ref() };
        Some(&shared.local)
    }

    /// Makes this thread drive, if it is in the first poll of a `block_on`, and returns what then belongs to it. See
    /// [`Driver::drive_early`](executor::support::Driver::drive_early).
    ///
    /// # Safety
    ///
    /// `this` is the pointer of an `Arc`, and what it points to is alive for as long as the result is used.
    #[cold]
    pub(crate) unsafe fn drive_early<'a>(this: *const Self) -> Option<&'a Local> {
        // SAFETY: as the caller promises.
        let shared = unsafe { &*this };
        if !shared.driver.drive_early() {
            return None;
        }
        // SAFETY: as the caller promises; and the call that drives now borrows the executor, which keeps the `Arc`.
        unsafe { Self::settle(this) };
        Some(&shared.local)
    }

    /// Makes this thread, which has come to drive, the owner of the executor's tasks.
    ///
    /// # Safety
    ///
    /// `this` is the pointer of an `Arc` that is kept until the call under way ends.
    unsafe fn settle(this: *const Self) {
        // SAFETY: as the caller promises.
        let Self { local, remote, .. } = unsafe { &*this };
        let outer = OWNED.with(|owned| owned.replace(this));
        if !outer.is_null() {
            // SAFETY: `OWNED` has the pointer of an `Arc` that the executor holds while a call drives it. It is cleared
            // when that call ends, and an executor that is dropped earlier, as the call's stack was forgotten, leaks
            // its `Arc`.
            unsafe { Arc::increment_strong_count(outer) };
            // SAFETY: the count was taken in the line above.
            local.outer.set(Some(unsafe { Arc::from_raw(outer) }));
        }
        // What this thread woke before it drove comes before what it wakes from now on.
        remote.take(local);
    }

    /// Gives up the executor's references to the tasks that have ended, if this thread is the owner.
    #[inline]
    fn reclaim(&self) {
        self.local().into_iter().for_each(Local::reclaim);
    }
}
