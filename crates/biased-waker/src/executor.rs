//! The run loop: polls the tasks in the ready queue, in turn. With nothing ready it parks.

use std::fmt;
use std::iter;
use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use executor::JoinError;
use executor::support::{Driver, RunWaiters, TaskCount};
use executor::sync::Arc;

use crate::owner::{Local, Owner};
use crate::queue::RemoteQueue;
use crate::root::RootWaker;
use crate::round::Round;
use crate::task::LocalTask;

/// The executor itself, which its spawners share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) driver: Driver,
    run_waiters: RunWaiters,
    pub(crate) count: TaskCount,
    /// Where other threads push the tasks that they make ready.
    pub(crate) remote: RemoteQueue,
    pub(crate) local: Local,
}

impl Shared {
    /// Polls `future`, and the tasks too if it is not ready at once.
    #[inline]
    pub(crate) fn block_on<F: Future>(this: &Arc<Self>, mut future: Pin<&mut F>) -> F::Output {
        RootWaker::with(|root| {
            let first_poll = FirstPoll::new(this, root);
            match future.as_mut().poll(&mut Context::from_waker(root.waker())) {
                Poll::Ready(output) => {
                    first_poll.leave();
                    output
                }
                Poll::Pending => this.drive(first_poll, root, future.as_mut()),
            }
        })
    }

    pub(crate) fn run(this: &Arc<Self>) {
        Self::block_on(this, pin!(this.run_waiters.wait(&this.driver)));
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.remote.is_closed()
    }

    /// Ends all tasks, for the executor's drop.
    pub(crate) fn close(this: &Arc<Self>) {
        if !this.driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            return mem::forget(this.clone());
        }
        // First of all: what the tasks spawn while they are dropped is rejected.
        let Self { local, remote, count, .. } = &**this;
        remote.close(local);
        while let Some(task) = local.all.first() {
            task.fail(JoinError::Cancelled);
            local.retire(task, count);
        }
        iter::successors(local.queue.take(), |task| task.next_in_chain()).for_each(LocalTask::leave_queue);
        local.reclaim();
        local.spare.clear();
    }

    /// Polls the tasks that are ready, and `future` when it is woken, until `future` is ready.
    ///
    /// Outlined: a future that is ready at once pays for one poll.
    #[inline(never)]
    fn drive<F: Future>(&self, first_poll: FirstPoll<'_>, root: &RootWaker, mut future: Pin<&mut F>) -> F::Output {
        let entered = first_poll.enter();
        let mut cx = Context::from_waker(root.waker());
        loop {
            if entered.drives() {
                // The ends of these tasks are reported, and the root, which may await them, has been polled since.
                self.local.reclaim();
                if self.has_work() {
                    self.poll_ready();
                }
            }
            if root.take_woken() {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
                continue;
            }
            let ready = || root.is_woken() || (entered.drives() && self.has_work());
            if !ready() {
                entered.park_unless(ready);
            }
        }
    }

    /// Polls the tasks that are ready now, in turn. Tasks that become ready during the round wait for the next one,
    /// unless this round is short: so none of them keeps `block_on`'s own future waiting for long.
    fn poll_ready(&self) {
        self.remote.take(&self.local);
        let mut round = Round::new();
        // Around the round and not around each poll: to set up even an unused catch costs something.
        while let Err(payload) = catch_unwind(AssertUnwindSafe(|| round.run(self))) {
            let task = round.current.expect("nothing panics but the poll of a task");
            task.fail(JoinError::panicked(payload));
            self.local.retire(task, &self.count);
        }
        self.run_waiters.notify_if_empty(|| self.is_empty());
    }

    /// Whether there is something to do. Only for the driving thread.
    fn has_work(&self) -> bool {
        let Self { local, remote, .. } = self;
        !local.queue.is_empty() || !remote.is_empty() || (self.run_waiters.any() && self.is_empty())
    }

    /// Whether no task is left. Only for the driving thread.
    fn is_empty(&self) -> bool {
        self.local.all.first().is_none() && self.remote.is_empty()
    }
}

/// A call of `block_on` whose future is in its first poll. Dropped only by unwinding.
struct FirstPoll<'a> {
    shared: &'a Arc<Shared>,
    call: usize,
}

impl<'a> FirstPoll<'a> {
    #[inline]
    fn new(shared: &'a Arc<Shared>, root: &RootWaker) -> Self {
        let call = root.address();
        shared.driver.begin_first_poll(call);
        Self { shared, call }
    }

    /// Returns the call if it drives already.
    #[inline]
    fn end(self) -> Option<Owner<'a>> {
        let Self { shared, call } = *ManuallyDrop::new(self);
        shared.driver.end_first_poll(call).map(|entered| Owner::new(shared, entered, true))
    }

    /// For a future that was ready in its first poll, or has panicked.
    #[inline]
    fn leave(self) {
        if let Some(owner) = self.end() {
            owner.leave();
        }
    }

    /// For a future that was not ready at once.
    fn enter(self) -> Owner<'a> {
        let shared = self.shared;
        self.end().unwrap_or_else(|| Owner::new(shared, shared.driver.enter(), false))
    }

    /// Takes no reference to the guard, which would force it into memory.
    #[cold]
    #[inline(never)]
    fn unwind(shared: &'a Arc<Shared>, call: usize) {
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

#[cfg(test)]
mod tests;
