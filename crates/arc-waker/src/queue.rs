//! The ready queue of the thread that drives, which that thread reaches from anywhere without a lock.

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use executor::support::BoxedFuture;
use executor::sync::thread_local;

use crate::task::Task;

/// A task that is not listed yet.
pub(crate) type Spawned = (Arc<Task>, BoxedFuture);

/// Stands in a queue for a task that is not listed yet: the place of no task.
pub(crate) const SPAWNED: usize = usize::MAX;

/// What is ready, first in, first out.
#[derive(Default)]
pub(crate) struct LocalQueue {
    /// Whose it is: the address of its `Shared`. Set while a thread has it at home.
    executor: usize,
    /// Where the tasks are listed. A word each: what is larger would be written in parts and read as a whole soon
    /// after, which takes a processor longer than all the rest of a wake.
    keys: VecDeque<usize>,
    /// As many as there are [`SPAWNED`] among the keys, in the same order.
    spawned: VecDeque<Spawned>,
    /// That of another executor, which this thread drives, too: one of its tasks is in the middle of a nested call.
    outer: Option<Box<LocalQueue>>,
}

type Home = ManuallyDrop<Option<Box<LocalQueue>>>;

thread_local! {
    /// The queues of the executors that this thread drives, the innermost call's first. Taken out while one of them is
    /// in use, which nothing that belongs to the user is part of.
    ///
    /// They are not dropped with the thread. If a call is still under way then, as `exit` runs the destructors of
    /// thread-locals, all is leaked that it reaches: see [`Driver::close`](executor::support::Driver::close).
    static HOME: Cell<Home> = const { Cell::new(ManuallyDrop::new(None)) };
}

impl LocalQueue {
    /// Calls `f` with the queue of that executor, if this thread drives it.
    #[inline]
    pub(crate) fn with<R>(executor: usize, f: impl FnOnce(&mut Self) -> R) -> Option<R> {
        Self::at_home(|home| {
            let mut queue = home.as_deref_mut()?;
            while queue.executor != executor {
                queue = queue.outer.as_deref_mut()?;
            }
            Some(f(queue))
        })
        // There may be no thread-locals any more, in the destructor of one.
        .flatten()
    }

    /// Makes the calling thread, which drives that executor, the one that reaches the queue.
    pub(crate) fn settle(mut self: Box<Self>, executor: usize) {
        self.executor = executor;
        let settled = Self::at_home(|home| {
            self.outer = home.take();
            **home = Some(self);
        });
        settled.expect("a thread that has a number has thread-locals");
    }

    /// The opposite of [`settle`](Self::settle). Nested calls end in the order of a stack, but for those on stacks that
    /// a program switches between.
    pub(crate) fn unsettle(executor: usize) -> Option<Box<Self>> {
        Self::at_home(|home| {
            let mut place = &mut **home;
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
    fn at_home<R>(f: impl FnOnce(&mut Home) -> R) -> Option<R> {
        let here = HOME.try_with(|here| {
            let mut home = here.replace(ManuallyDrop::new(None));
            let result = f(&mut home);
            here.set(home);
            result
        });
        here.ok()
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

    /// What the [`SPAWNED`] stands for that was taken out last.
    #[inline]
    pub(crate) fn pop_spawned(&mut self) -> Option<Spawned> {
        self.spawned.pop_front()
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}
