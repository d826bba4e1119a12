//! How a task gets into the ready queue: by its spawn and by each wake.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use executor::support::{BoxedFuture, Join, TaskHandle, UNPOISONED};
use executor::sync::MutexGuard;

use crate::executor::Shared;
use crate::queue::{SPAWNED, Spawned};
use crate::task::Task;

/// The tasks that other threads have spawned.
#[derive(Default)]
pub(crate) struct NewTasks {
    /// At least as many as there are [`SPAWNED`] in the channel. A thread puts its task in here first and sends
    /// afterwards. So the tasks of one thread keep their order, whichever of them is taken out for what was sent.
    pub(crate) queue: VecDeque<Spawned>,
    /// The executor is gone and accepts nothing any more.
    pub(crate) closed: bool,
}

impl NewTasks {
    pub(crate) fn close(&mut self) -> VecDeque<Spawned> {
        self.closed = true;
        mem::take(&mut self.queue)
    }
}

impl Shared {
    /// Accepts a future, or drops it at once if the executor is gone.
    pub(crate) fn spawn<T>(self: &Arc<Self>, (future, join): (BoxedFuture, Join<T>)) -> TaskHandle<T> {
        let task = Task::new(self.clone());
        let handle = join.into_handle(Waker::from(task.clone()));
        if self.queue(|_| ()).is_some() || self.drive_early() {
            self.count.spawned(true);
            self.queue(|queue| queue.push_spawned((task, future)));
        } else {
            self.spawn_remotely((task, future));
        }
        handle
    }

    #[inline(never)]
    fn spawn_remotely(&self, spawned: Spawned) {
        let mut new_tasks = self.new_tasks();
        if new_tasks.closed {
            // Before the future is dropped: no code of the user's runs under the lock.
            return drop(new_tasks);
        }
        self.count.spawned(false);
        new_tasks.queue.push_back(spawned);
        drop(new_tasks);
        self.send(SPAWNED);
    }

    /// Puts a task into the ready queue and wakes the thread that drives.
    #[inline]
    pub(crate) fn push(&self, key: usize) {
        if self.queue(|queue| queue.push(key)).is_none() {
            self.push_remotely(key);
        }
    }

    /// Outlined so that the fast path inlines.
    #[inline(never)]
    fn push_remotely(&self, key: usize) {
        if self.drive_early() {
            self.queue(|queue| queue.push(key));
        } else {
            self.send(key);
        }
    }

    /// Sends a key to the driving thread and unparks it. Does nothing once the executor is gone.
    fn send(&self, key: usize) {
        if self.remote.send(key).is_ok() {
            self.driver.unpark();
        }
    }

    pub(crate) fn new_tasks(&self) -> MutexGuard<'_, NewTasks> {
        self.new_tasks.lock().expect(UNPOISONED)
    }
}
