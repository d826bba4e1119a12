//! The run loop: polls the tasks in the ready queue, in turn. With nothing ready it parks.

#![expect(unsafe_code, reason = "the list holds references that the compiler does not see")]

use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use executor::support::{Driver, Entered, RootWaker, RunWaiters, TaskCount};

use crate::owner::Local;
use crate::queue::RemoteQueue;

/// A round polls at least this many tasks, if there are as many: checking for other work after every poll costs about
/// as much as the poll.
const MIN_ROUND: usize = 32;

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
        self.remote.is_closed()
    }

    /// Ends all tasks, for the executor's drop.
    pub(crate) fn close(self: &Arc<Self>) {
        if !self.driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            return mem::forget(self.clone());
        }
        // First of all: what the tasks spawn while they are dropped is rejected.
        let Local { queue, all, spare } = &self.local;
        self.remote.close(queue, all);
        while let Some(task) = all.first() {
            // SAFETY: it is the list's first.
            let task = unsafe { all.remove(task) };
            task.cancel();
        }
        while let Some(task) = queue.pop() {
            drop(task);
        }
        spare.clear();
    }

    /// Polls the tasks that are ready, and `future` when it is woken, until `future` is ready.
    ///
    /// Outlined: a future that is ready at once pays for one poll.
    #[inline(never)]
    fn drive<F: Future>(&self, first_poll: FirstPoll<'_>, root: &RootWaker, mut future: Pin<&mut F>) -> F::Output {
        let entered = first_poll.enter();
        let mut cx = Context::from_waker(root.waker());
        loop {
            if entered.drives() && self.has_work() {
                self.poll_ready();
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
        let Local { queue, all, .. } = &self.local;
        self.remote.take(queue, all);
        for _ in 0..queue.len().max(MIN_ROUND) {
            let Some(task) = queue.pop() else { break };
            if let Poll::Ready(task) = task.poll() {
                // SAFETY: a task is in the list until it has ended, which it has just now.
                let _listed = unsafe { all.remove(task) };
                self.count.ended();
            }
        }
        self.run_waiters.notify_if_empty(|| self.is_empty());
    }

    /// Whether there is something to do. Only for the driving thread.
    fn has_work(&self) -> bool {
        let Self { local, remote, .. } = self;
        local.queue.len() > 0 || !remote.is_empty() || (self.run_waiters.any() && self.is_empty())
    }

    /// Whether no task is left. Only for the driving thread.
    fn is_empty(&self) -> bool {
        self.local.all.first().is_none() && self.remote.is_empty()
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
        drop(self.end());
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
