use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::task::Waker;

use crate::AbortHandle;

/// The abort handle of the strategies that keep a task's future and its result apart. It has what the task shares with
/// its join handle, without the type of the result.
#[derive(Clone)]
pub struct TaskAbortHandle {
    task: Arc<dyn Abort>,
    /// Gives the task its last turn.
    waker: Waker,
}

/// What abort handles see of a task.
pub(crate) trait Abort: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Makes the task's next turn drop its future. Returns false if the task has ended, so that it has no other turn.
    fn abort(&self) -> bool;

    /// Whether the task has ended and its future is dropped.
    fn is_finished(&self) -> bool;
}

impl TaskAbortHandle {
    pub(crate) fn new(task: Arc<dyn Abort>, waker: Waker) -> Self {
        Self { task, waker }
    }
}

impl AbortHandle for TaskAbortHandle {
    fn abort(&self) {
        if self.task.abort() {
            self.waker.wake_by_ref();
        }
    }

    fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

impl fmt::Debug for TaskAbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskAbortHandle").finish_non_exhaustive()
    }
}
