//! A wake names the task: the waker is the `Arc<Task>` itself, and waking puts it into the ready queue, once.

use std::sync::Arc;
use std::task::Wake;

use executor::sync::atomic::Ordering::*;

use crate::task::Task;

// `clone` and `drop` count the `Arc`, as `Waker::from(Arc<impl Wake>)` arranges.
impl Wake for Task {
    // The queue holds keys and not references, so there is no use for the one that came with `self`.
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // AcqRel: pairs with the swap in `Running::poll`, which published the key. A swap even if the task is queued
        // already, so that this wake, too, happens before the poll.
        if !self.queued.swap(true, AcqRel) {
            self.shared.push(self.key.load(Relaxed));
        }
    }
}
