//! How a task gets into the ready queue: by its spawn and by each wake.

#![expect(unsafe_code, reason = "a wake reaches the executor through the task, by a pointer")]

use std::pin::Pin;

use executor::support::is_large;
use executor::sync::Arc;

use crate::executor::Shared;
use crate::join::JoinHandle;
use crate::owner::Local;
use crate::task::{LocalTask, TaskRef};

impl Shared {
    #[inline]
    pub(crate) fn spawn<F>(this: &Arc<Self>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if is_large::<F>() { Self::accept_boxed(this, Box::pin(future)) } else { Self::accept(this, future) }
    }

    /// Outlined, so that the code that makes the future inlines here and writes it into its box.
    #[inline(never)]
    fn accept_boxed<F>(this: &Arc<Self>, future: Pin<Box<F>>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Self::accept(this, future)
    }

    /// Accepts a future, or drops it at once if the executor is gone.
    fn accept<F>(this: &Arc<Self>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // SAFETY: the pointer is that of an `Arc`, which is borrowed.
        let local = this.local().or_else(|| unsafe { Self::drive_early(Arc::as_ptr(this)) });
        this.count.spawned(local.is_some());
        let (task, handle) = LocalTask::new(future, this, local);
        match local {
            Some(Local { queue, all, .. }) => {
                all.insert(task);
                queue.push(task);
            }
            None => match this.remote.push(TaskRef::for_stack(task)) {
                Ok(true) => this.driver.unpark(),
                Ok(false) => {}
                Err(task) => task.reject(),
            },
        }
        handle
    }

    /// Pushes a task onto the stack and wakes the thread that drives. Drops it once the executor is gone.
    ///
    /// # Safety
    ///
    /// `this` is the pointer of an `Arc`, and what it points to is alive until this returns.
    pub(crate) unsafe fn push_remotely(this: *const Self, task: TaskRef) {
        // SAFETY: as the caller promises.
        let shared = unsafe { &*this };
        if let Ok(true) = shared.remote.push(task) {
            // The stack was empty: somebody must look at it, this thread if it comes to drive, or the one that does.
            // SAFETY: as the caller promises.
            if unsafe { Self::drive_early(this) }.is_none() {
                shared.driver.unpark();
            }
        }
    }
}
