//! The run loop: polls the tasks in the ready queue, in turn. With nothing ready it parks.

use std::collections::VecDeque;
use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::pin::{Pin, pin};
use std::ptr;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use executor::support::{BoxedFuture, Driver, Emptied, Entered, Join, RootWaker, TaskCount, TaskHandle, UNPOISONED};
use executor::sync::atomic::Ordering::*;
use executor::sync::{Mutex, MutexGuard};
use slab::Slab;

use crate::channel::{Receiver, Sender, unbounded};
use crate::queue::{LocalQueue, SPAWNED, Spawned};
use crate::task::{Running, Task};

/// A round polls at least this many tasks, if there are as many: checking for other work after every poll costs about
/// as much as the poll.
const MIN_ROUND: usize = 32;

/// The executor itself, which its spawners share.
pub(crate) struct Shared {
    driver: Driver,
    emptied: Emptied,
    pub(crate) count: TaskCount,
    /// Where other threads send the tasks that they make ready. As in the [`LocalQueue`]: keys, and [`SPAWNED`].
    remote: Sender<usize>,
    new_tasks: Mutex<NewTasks>,
    /// Locked by the driving thread for as long as its call takes, so no thread ever waits for it.
    local: Mutex<Local>,
}

/// The tasks that other threads have spawned.
#[derive(Default)]
struct NewTasks {
    /// At least as many as there are [`SPAWNED`] in the channel. A thread puts its task in here first and sends
    /// afterwards. So the tasks of one thread keep their order, whichever of them is taken out for what was sent.
    queue: VecDeque<Spawned>,
    /// The executor is gone and accepts nothing any more.
    closed: bool,
}

/// What belongs to the thread that drives the executor or, once none can any more, drops it.
struct Local {
    /// Here while no thread drives. The thread that drives has it in a thread-local.
    queue: Option<Box<LocalQueue>>,
    remote: Receiver<usize>,
    /// All tasks that have not ended, woken or not: dropping the executor ends these. A slot is empty if its task has
    /// ended while its key is on the way into the queue. No other task may have the slot until the key is there.
    all: Slab<Option<Running>>,
}

impl Default for Shared {
    fn default() -> Self {
        let (remote, receiver) = unbounded();
        Self {
            driver: Driver::new(),
            emptied: Emptied::new(),
            count: TaskCount::new(),
            remote,
            new_tasks: Mutex::default(),
            local: Mutex::new(Local::new(receiver)),
        }
    }
}

impl Shared {
    /// Polls `future`, and the tasks too if it is not ready at once.
    #[inline]
    pub(crate) fn block_on<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        RootWaker::with(|root| {
            let first_poll = FirstPoll::new(self, root);
            match future.as_mut().poll(&mut Context::from_waker(root.waker())) {
                Poll::Ready(output) => {
                    first_poll.leave();
                    output
                }
                Poll::Pending => self.drive(first_poll, root, future.as_mut()),
            }
        })
    }

    pub(crate) fn run(&self) {
        self.block_on(pin!(self.emptied.wait(&self.driver)));
    }

    /// Accepts a future, or drops it at once if the executor is gone.
    pub(crate) fn spawn<T>(self: &Arc<Self>, (future, join): (BoxedFuture, Join<T>)) -> TaskHandle<T> {
        let task = Task::new(self.clone());
        let handle = join.into_handle(Waker::from(task.clone()));
        if self.queue(|_| ()).is_some() || self.arrive() {
            self.count.spawned(true);
            self.queue(|queue| queue.push_spawned((task, future)));
        } else {
            self.spawn_remotely((task, future));
        }
        handle
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.new_tasks().closed
    }

    /// Ends all tasks, for the executor's drop.
    pub(crate) fn close(self: &Arc<Self>) {
        if !self.driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            return mem::forget(self.clone());
        }
        // First of all: what the tasks spawn while they are dropped is rejected.
        let new_tasks = self.new_tasks().close();
        let Local { all, queue, .. } = self.local().close();
        drop((all, queue, new_tasks));
    }

    /// Polls the tasks that are ready, and `future` when it is woken, until `future` is ready.
    ///
    /// Outlined: a future that is ready at once pays for one poll.
    #[inline(never)]
    fn drive<F: Future>(&self, first_poll: FirstPoll<'_>, root: &RootWaker, mut future: Pin<&mut F>) -> F::Output {
        let entered = first_poll.enter();
        let mut cx = Context::from_waker(root.waker());
        let mut owner = None;
        loop {
            if entered.drives() {
                owner.get_or_insert_with(|| Owner::new(self)).poll_ready();
            }
            if root.take_woken() {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
                continue;
            }
            // A thread that has just taken over must become the owner before anything else.
            let ready =
                || root.is_woken() || (entered.drives() && owner.as_ref().is_none_or(|owner: &Owner| owner.has_work()));
            if !ready() {
                entered.park_unless(ready);
            }
        }
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

    /// The ready queue, if this thread drives.
    #[inline]
    fn queue<R>(&self, f: impl FnOnce(&mut LocalQueue) -> R) -> Option<R> {
        LocalQueue::with(self.address(), f)
    }

    /// Makes this thread drive, if it is in the first poll of a `block_on`. See [`Driver::arrive`].
    fn arrive(&self) -> bool {
        let arrived = self.driver.arrive();
        if arrived {
            drop(self.settle());
        }
        arrived
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
    fn receive(&self, Local { remote, .. }: &Local) -> usize {
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

    /// Whether no task is left. Only for the driving thread.
    fn is_empty(&self) -> bool {
        self.count.get() == 0
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
        if self.arrive() {
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

    /// Identifies the executor: no other has this address while it lives.
    #[inline]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    fn new_tasks(&self) -> MutexGuard<'_, NewTasks> {
        self.new_tasks.lock().expect(UNPOISONED)
    }

    fn local(&self) -> MutexGuard<'_, Local> {
        // Poisoned by a panic of a root, which leaves nothing half done.
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call of `block_on` whose future is in its first poll. Dropped only by unwinding.
struct FirstPoll<'a> {
    shared: &'a Shared,
    call: usize,
}

impl<'a> FirstPoll<'a> {
    #[inline]
    fn new(shared: &'a Shared, root: &RootWaker) -> Self {
        let call = root.address();
        shared.driver.begin_first_poll(call);
        Self { shared, call }
    }

    /// Returns the call if it drives already.
    #[inline]
    fn end(self) -> Option<Entered<'a>> {
        let Self { shared, call } = *ManuallyDrop::new(self);
        shared.driver.end_first_poll(call)
    }

    /// For a future that was ready in its first poll, or has panicked.
    #[inline]
    fn leave(self) {
        let shared = self.shared;
        if let Some(_entered) = self.end() {
            drop(Owner::new(shared));
        }
    }

    /// For a future that was not ready at once.
    fn enter(self) -> Entered<'a> {
        let shared = self.shared;
        self.end().unwrap_or_else(|| shared.driver.enter())
    }

    /// Takes no reference to the guard, which would force it into memory.
    #[cold]
    #[inline(never)]
    fn unwind(shared: &'a Shared, call: usize) {
        Self { shared, call }.leave();
    }
}

impl Drop for FirstPoll<'_> {
    #[inline]
    fn drop(&mut self) {
        Self::unwind(self.shared, self.call);
    }
}

/// The thread that drives, with what belongs to it. Dropping it, also by unwinding, leaves that for the next owner.
struct Owner<'a> {
    shared: &'a Shared,
    local: MutexGuard<'a, Local>,
}

impl<'a> Owner<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, local: shared.settle() }
    }

    /// Polls the tasks that are ready now, in turn. Tasks that become ready during the round wait for the next one,
    /// unless this round is short: so none of them keeps `block_on`'s own future waiting for long.
    fn poll_ready(&mut self) {
        let Self { shared, local } = self;
        for _ in 0..shared.receive(local).max(MIN_ROUND) {
            let Some(mut key) = shared.queue(LocalQueue::pop).flatten() else { break };
            if key == SPAWNED {
                let spawned = shared.queue(LocalQueue::pop_spawned).flatten();
                key = local.insert(spawned.expect("there is one for each `SPAWNED`"));
            }
            if local.poll(key) {
                shared.count.ended();
            }
        }
        shared.emptied.announce_if(|| shared.is_empty());
    }

    /// Whether there is something to do.
    fn has_work(&self) -> bool {
        let Self { shared, local } = self;
        let ready = shared.queue(|queue| queue.len() > 0).unwrap_or(false) || !local.remote.is_empty();
        ready || (shared.emptied.is_awaited() && shared.is_empty())
    }
}

impl Drop for Owner<'_> {
    /// Before the right to drive is passed on.
    fn drop(&mut self) {
        self.local.queue = LocalQueue::unsettle(self.shared.address());
    }
}

impl NewTasks {
    fn close(&mut self) -> VecDeque<Spawned> {
        self.closed = true;
        mem::take(&mut self.queue)
    }
}

impl Local {
    fn new(remote: Receiver<usize>) -> Self {
        Self { queue: Some(Box::default()), remote, all: Slab::new() }
    }

    /// Polls a task, or frees the slot of one that has ended before. True if the task has ended with this poll.
    #[inline]
    fn poll(&mut self, key: usize) -> bool {
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
    fn insert(&mut self, (task, future): Spawned) -> usize {
        let slot = self.all.vacant_entry();
        let key = slot.key();
        // Relaxed: published with the first swap of `Running::poll`.
        task.key.store(key, Relaxed);
        slot.insert(Some(Running::new(task, future)));
        key
    }

    /// Takes everything out.
    fn close(&mut self) -> Self {
        let (_, remote) = unbounded();
        mem::replace(self, Self::new(remote))
    }
}

impl fmt::Debug for Shared {
    /// Shows nothing: a writer is foreign code, and must not run under a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(wakers_loom)))]
mod tests;
