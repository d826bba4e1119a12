//! The thread that drives, and what belongs to it.

#![expect(unsafe_code, reason = "what belongs to the driving thread is reached without a lock")]

use std::panic::RefUnwindSafe;

use executor::support::SpareMemory;

use crate::executor::Shared;
use crate::queue::{LocalQueue, TaskList};

/// What belongs to the thread that drives the executor or, once none can any more, drops it.
#[derive(Default)]
pub(crate) struct Local {
    pub(crate) queue: LocalQueue,
    /// All tasks that have not ended, woken or not: dropping the executor ends these.
    pub(crate) all: TaskList,
    /// The memory of tasks that were freed, for new ones.
    pub(crate) spare: SpareMemory,
}

// SAFETY: `Local` is reached in four ways: through `Shared::local`, which asks whether this thread drives; through
// `Shared::drive_early`, once `Driver::drive_early` has said that it does from now on; in `poll_ready`, `has_work` and
// what they call, which `drive` calls once `Entered::drives` has said that this thread does; and in `Shared::close`,
// once `Driver::close` has said that no thread does or ever will. At most one thread drives at a time, and the right to
// drive passes from thread to thread with a Release and an Acquire, in `Driver`.
unsafe impl Sync for Local {}
// SAFETY: as above; and what `Local` holds are references to tasks, which any thread may give back.
unsafe impl Send for Local {}
// Only a panic that the tasks do not catch could leave it inconsistent, and there is none.
impl RefUnwindSafe for Local {}

impl Shared {
    /// What belongs to the driving thread, if this is the one.
    #[inline]
    pub(crate) fn local(&self) -> Option<&Local> {
        self.drives_here().then_some(&self.local)
    }

    /// Makes this thread drive, if it is in the first poll of a `block_on`, and returns what then belongs to it. See
    /// `Driver::drive_early`.
    #[cold]
    pub(crate) fn drive_early(&self) -> Option<&Local> {
        if !self.driver.drive_early() {
            return None;
        }
        // What this thread made ready before it drove comes before what it makes ready from now on.
        let Self { local, remote, .. } = self;
        remote.take(&local.queue, &local.all);
        Some(local)
    }

    #[inline]
    pub(crate) fn drives_here(&self) -> bool {
        self.driver.drives_here()
    }

    /// Where the driving thread leaves the memory of tasks, if this is the one.
    pub(crate) fn spare_memory(&self) -> Option<&SpareMemory> {
        self.local().map(|local| &local.spare)
    }
}
