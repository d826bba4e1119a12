//! One pass over the ready queue.

use crate::executor::Shared;
use crate::owner::Local;
use crate::task::{LocalTask, PollResult};
use crate::waker;

/// A round polls at least this many tasks, if there are as many: checking for other work after every poll costs about
/// as much as the poll.
const MIN_ROUND: usize = 32;

/// A round that is under way. A panic may interrupt it; then [`run`](Self::run) goes on with the next task.
pub(crate) struct Round {
    /// How many polls are left until no more tasks are taken out of the queue.
    left: usize,
    /// The task that is polled. After the poll it may be gone, and nobody looks at it.
    pub(crate) current: Option<LocalTask>,
    /// The task after it among those that were taken out of the queue.
    next: Option<LocalTask>,
}

impl Round {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { left: MIN_ROUND, current: None, next: None }
    }

    #[inline]
    pub(crate) fn run(&mut self, Shared { local, remote, count, .. }: &Shared) {
        while let Some(task) = self.advance(local) {
            let waker = waker::waker_ref(task);
            loop {
                self.left = self.left.saturating_sub(1);
                match task.poll(&waker, || remote.take(local)) {
                    PollResult::Pending => {}
                    PollResult::Ended => break local.retire(task, count),
                    PollResult::Gone => break,
                }
                // A task that is alone in the queue again is polled again at once: to look for the next one would cost
                // as much as the rest of the poll.
                if self.next.is_some() || self.left == 0 || !local.queue.take_only(task) {
                    break;
                }
            }
        }
    }

    /// The next task to poll: of those that were taken out of the queue, or once all of these were polled and they were
    /// few, of those that are in it now.
    #[inline]
    fn advance(&mut self, local: &Local) -> Option<LocalTask> {
        self.current = match self.next {
            None if self.left > 0 => local.queue.take(),
            next => next,
        };
        self.next = self.current?.next_in_chain();
        self.current
    }
}
