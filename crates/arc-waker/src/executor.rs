//! The run loop: polls the tasks in the ready queue, in turn. With nothing ready it parks.

use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use executor::support::{Driver, Entered, RootWaker, RunWaiters, TaskCount};
use executor::sync::Mutex;

use crate::channel::{Sender, unbounded};
use crate::owner::{Local, Owner};
use crate::queue::{LocalQueue, SPAWNED};
use crate::schedule::NewTasks;

/// A round polls at least this many tasks, if there are as many: checking for other work after every poll costs about
/// as much as the poll.
const MIN_ROUND: usize = 32;

/// The executor itself, which its spawners share.
pub(crate) struct Shared {
    pub(crate) driver: Driver,
    run_waiters: RunWaiters,
    pub(crate) count: TaskCount,
    /// Where other threads send the tasks that they make ready. As in the [`LocalQueue`]: keys, and [`SPAWNED`].
    pub(crate) remote: Sender<usize>,
    pub(crate) new_tasks: Mutex<NewTasks>,
    /// Locked by the driving thread for as long as its call takes, so no thread ever waits for it.
    pub(crate) local: Mutex<Local>,
}

impl Default for Shared {
    fn default() -> Self {
        let (remote, receiver) = unbounded();
        Self {
            driver: Driver::new(),
            run_waiters: RunWaiters::new(),
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
        self.block_on(pin!(self.run_waiters.wait(&self.driver)));
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
                self.poll_ready(owner.get_or_insert_with(|| Owner::new(self)));
            }
            if root.take_woken() {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
                continue;
            }
            // A thread that has just taken over must become the owner before anything else.
            let has_work = || owner.as_ref().is_none_or(|owner| self.has_work(owner));
            let ready = || root.is_woken() || (entered.drives() && has_work());
            if !ready() {
                entered.park_unless(ready);
            }
        }
    }

    /// Polls the tasks that are ready now, in turn. Tasks that become ready during the round wait for the next one,
    /// unless this round is short: so none of them keeps `block_on`'s own future waiting for long.
    fn poll_ready(&self, Owner { local, .. }: &mut Owner<'_>) {
        for _ in 0..self.receive(local).max(MIN_ROUND) {
            let Some(mut key) = self.queue(LocalQueue::pop).flatten() else { break };
            if key == SPAWNED {
                let spawned = self.queue(LocalQueue::pop_spawned).flatten();
                key = local.insert(spawned.expect("there is one for each `SPAWNED`"));
            }
            if local.poll(key) {
                self.count.ended();
            }
        }
        self.run_waiters.notify_if_empty(|| self.is_empty());
    }

    /// Whether there is something to do. Only for the driving thread.
    fn has_work(&self, Owner { local, .. }: &Owner<'_>) -> bool {
        let ready = self.queue(|queue| queue.len() > 0).unwrap_or(false);
        ready || !local.remote.is_empty() || (self.run_waiters.any() && self.is_empty())
    }

    /// Whether no task is left. Only for the driving thread.
    fn is_empty(&self) -> bool {
        self.count.get() == 0
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

impl fmt::Debug for Shared {
    /// Shows nothing: a writer is foreign code, and must not run under a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(wakers_loom)))]
mod tests;
