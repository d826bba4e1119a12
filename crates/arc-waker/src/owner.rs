//! The thread that drives, and what belongs to it.

use std::mem;
use std::ptr;
use std::sync::PoisonError;
use std::task::Poll;

use executor::sync::MutexGuard;
use executor::sync::atomic::Ordering::*;
use slab::Slab;

use crate::channel::{Receiver, unbounded};
use crate::executor::Shared;
use crate::queue::{LocalQueue, SPAWNED, Spawned};
use crate::task::Running;

/// What belongs to the thread that drives the executor or, once none can any more, drops it.
pub(crate) struct Local {
    /// Here while no thread drives. The thread that drives has it in a thread-local.
    pub(crate) queue: Option<Box<LocalQueue>>,
    pub(crate) remote: Receiver<usize>,
    /// All tasks that have not ended, woken or not: dropping the executor ends these. A slot is empty if its task has
    /// ended while its key is on the way into the queue. No other task may have the slot until the key is there.
    pub(crate) all: Slab<Option<Running>>,
}

impl Local {
    pub(crate) fn new(remote: Receiver<usize>) -> Self {
        Self { queue: Some(Box::default()), remote, all: Slab::new() }
    }

    /// Polls a task, or frees the slot of one that has ended before. True if the task has ended with this poll.
    #[inline]
    pub(crate) fn poll(&mut self, key: usize) -> bool {
        match self.all[key].as_mut().map(Running::poll) {
            Some(Poll::Pending) => false,
            Some(Poll::Ready(())) | None => self.remove(key),
        }
    }

    /// Drops a task that has ended, and frees its slot unless its key is on the way into the queue. True if the task
    /// was there, false if only its slot was left.
    #[inline(never)]
    fn remove(&mut self, key: usize) -> bool {
        let task = self.all[key].take();
        let ended = task.is_some();
        if !task.is_some_and(Running::complete) {
            self.all.remove(key);
        }
        ended
    }

    #[inline(never)]
    pub(crate) fn insert(&mut self, (task, future): Spawned) -> usize {
        let slot = self.all.vacant_entry();
        let key = slot.key();
        // Relaxed: published with the first swap of `Running::poll`.
        task.key.store(key, Relaxed);
        slot.insert(Some(Running::new(task, future)));
        key
    }

    /// Takes everything out.
    pub(crate) fn close(&mut self) -> Self {
        let (_, remote) = unbounded();
        mem::replace(self, Self::new(remote))
    }
}

/// The thread that drives, with what belongs to it. Dropping it, also by unwinding, leaves that for the next owner.
pub(crate) struct Owner<'a> {
    shared: &'a Shared,
    pub(crate) local: MutexGuard<'a, Local>,
}

impl<'a> Owner<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        Self { shared, local: shared.settle() }
    }
}

impl Drop for Owner<'_> {
    /// Before the right to drive is passed on.
    fn drop(&mut self) {
        self.local.queue = LocalQueue::unsettle(self.shared.address());
    }
}

impl Shared {
    /// The ready queue, if this thread drives.
    #[inline]
    pub(crate) fn queue<R>(&self, f: impl FnOnce(&mut LocalQueue) -> R) -> Option<R> {
        LocalQueue::with(self.address(), f)
    }

    /// Makes this thread drive, if it is in the first poll of a `block_on`. See `Driver::drive_early`.
    pub(crate) fn drive_early(&self) -> bool {
        let drives = self.driver.drive_early();
        if drives {
            drop(self.settle());
        }
        drives
    }

    /// Gives the ready queue to the calling thread, which drives, unless that has it already.
    fn settle(&self) -> MutexGuard<'_, Local> {
        let mut local = self.local();
        if let Some(queue) = local.queue.take() {
            queue.settle(self.address());
            // What this thread sent before it drove comes before what it makes ready from now on.
            self.receive(&local);
        }
        local
    }

    /// Moves what other threads have sent into the ready queue, and returns the length of that.
    pub(crate) fn receive(&self, Local { remote, .. }: &Local) -> usize {
        let received = self.queue(|queue| {
            // Asked first, as it is the quickest question.
            if !remote.is_empty() {
                for key in (0..remote.len()).map_while(|_| remote.try_recv().ok()) {
                    if key == SPAWNED {
                        let spawned = self.new_tasks().queue.pop_front();
                        queue.push_spawned(spawned.expect("a task is put there before `SPAWNED` is sent"));
                    } else {
                        queue.push(key);
                    }
                }
            }
            queue.len()
        });
        received.expect("this thread has the queue")
    }

    /// Identifies the executor: no other has this address while it lives.
    #[inline]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    pub(crate) fn local(&self) -> MutexGuard<'_, Local> {
        // Poisoned by a panic of a root, which leaves nothing half done.
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
