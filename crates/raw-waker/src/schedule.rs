//! How a task gets into the ready queue: by its spawn and by each wake.

use std::pin::Pin;
use std::sync::Arc;

use executor::support::is_large;

use crate::executor::Shared;
use crate::join::JoinHandle;
use crate::owner::Local;
use crate::task::TaskRef;

impl Shared {
    #[inline]
    pub(crate) fn spawn<F>(self: &Arc<Self>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if is_large::<F>() { self.accept_boxed(Box::pin(future)) } else { self.accept(future) }
    }

    /// Outlined, so that the code that makes the future inlines here and writes it into its box.
    #[inline(never)]
    fn accept_boxed<F>(self: &Arc<Self>, future: Pin<Box<F>>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.accept(future)
    }

    /// Accepts a future, or drops it at once if the executor is gone.
    fn accept<F>(self: &Arc<Self>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let local = self.local().or_else(|| self.drive_early());
        let (task, handle) = TaskRef::new(future, self.clone(), local.map(|local| &local.spare));
        match local {
            Some(Local { queue, all, .. }) => {
                self.count.spawned(true);
                task.unlisted().into_iter().for_each(|task| all.insert(task));
                queue.push(task);
            }
            None => {
                self.count.spawned(false);
                match self.remote.push(task) {
                    Ok(true) => self.driver.unpark(),
                    Ok(false) => {}
                    Err(task) => {
                        let _unlisted = task.unlisted();
                        task.cancel();
                    }
                }
            }
        }
        handle
    }

    /// Puts a task into the ready queue and wakes the thread that drives. Drops it once the executor is gone.
    #[inline]
    pub(crate) fn push(&self, task: TaskRef) {
        match self.local() {
            Some(local) => local.queue.push(task),
            None => self.push_remotely(task),
        }
    }

    /// Outlined so that the fast path inlines.
    #[inline(never)]
    fn push_remotely(&self, task: TaskRef) {
        if let Ok(true) = self.remote.push(task) {
            // The stack was empty: somebody must look at it, this thread if it comes to drive, or the one that does.
            if self.drive_early().is_none() {
                self.driver.unpark();
            }
        }
    }
}
