//! The ready queue of the thread that drives, which that thread reaches without a lock, wherever it is.

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use executor::support::BoxedFuture;
use executor::sync::thread_local;

use crate::task::Task;

/// A task that is not listed yet.
pub(crate) type Spawned = (Arc<Task>, BoxedFuture);

/// In a queue: a task that is not listed yet. The key of no task.
pub(crate) const SPAWNED: usize = usize::MAX;

/// The tasks that are ready, first in, first out.
#[derive(Default)]
pub(crate) struct LocalQueue {
    /// The address of the executor's `Shared`. Set while a thread owns the queue.
    executor: usize,
    /// The tasks' slots in the executor's list. One word each: a larger entry would be written in parts and read as a
    /// whole soon after, which takes a processor longer than all the rest of a wake.
    keys: VecDeque<usize>,
    /// One for each [`SPAWNED`] among the keys, in the same order.
    spawned: VecDeque<Spawned>,
    /// The queue of another executor that this thread drives too: one of its tasks is in the middle of a nested call.
    outer: Option<Box<LocalQueue>>,
}

type Owned = ManuallyDrop<Option<Box<LocalQueue>>>;

thread_local! {
    /// The queues of the executors that this thread drives, the innermost call's first. Taken out while one of them is
    /// in use, during which no code of the user's runs.
    ///
    /// They are not dropped with the thread. If a call is still under way then, as `exit` runs the destructors of
    /// thread-locals, all that it reaches is leaked: see [`Driver::close`](executor::support::Driver::close).
    static OWNED: Cell<Owned> = const { Cell::new(ManuallyDrop::new(None)) };
}

impl LocalQueue {
    /// Calls `f` with the queue of that executor, if this thread drives it.
    #[inline]
    pub(crate) fn with<R>(executor: usize, f: impl FnOnce(&mut Self) -> R) -> Option<R> {
        Self::with_owned(|owned| {
            let mut queue = owned.as_deref_mut()?;
            while queue.executor != executor {
                queue = queue.outer.as_deref_mut()?;
            }
            Some(f(queue))
        })
        // In the destructor of another thread-local this one may be gone.
        .flatten()
    }

    /// Makes the calling thread, which drives that executor, the owner of the queue.
    pub(crate) fn settle(mut self: Box<Self>, executor: usize) {
        self.executor = executor;
        let settled = Self::with_owned(|owned| {
            self.outer = owned.take();
            **owned = Some(self);
        });
        settled.expect("a thread that has a number has thread-locals");
    }

    /// The opposite of [`settle`](Self::settle). Nested calls end in the order of a stack, unless a program switches
    /// between stacks.
    pub(crate) fn unsettle(executor: usize) -> Option<Box<Self>> {
        Self::with_owned(|owned| {
            let mut place = &mut **owned;
            while place.as_ref()?.executor != executor {
                place = &mut place.as_mut()?.outer;
            }
            let mut queue = place.take()?;
            *place = queue.outer.take();
            Some(queue)
        })
        .flatten()
    }

    #[inline]
    fn with_owned<R>(f: impl FnOnce(&mut Owned) -> R) -> Option<R> {
        let result = OWNED.try_with(|cell| {
            let mut owned = cell.replace(ManuallyDrop::new(None));
            let result = f(&mut owned);
            cell.set(owned);
            result
        });
        result.ok()
    }

    #[inline]
    pub(crate) fn push(&mut self, key: usize) {
        self.keys.push_back(key);
    }

    #[inline]
    pub(crate) fn push_spawned(&mut self, spawned: Spawned) {
        self.spawned.push_back(spawned);
        self.keys.push_back(SPAWNED);
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<usize> {
        self.keys.pop_front()
    }

    /// The task that the [`SPAWNED`] that was taken out last stands for.
    #[inline]
    pub(crate) fn pop_spawned(&mut self) -> Option<Spawned> {
        self.spawned.pop_front()
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}
