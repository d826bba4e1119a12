//! Cancels a task that somebody else awaits, through a reference such as a waker has.

#![expect(unsafe_code, reason = "what holds a pointer has to say that it may go to other threads")]

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::task::TaskRef;

/// Cancels a task of a [`BiasedExecutor`](crate::BiasedExecutor). Its memory is kept until this is dropped; future and
/// result are not.
#[derive(Clone)]
pub struct AbortHandle {
    /// None where the result had been taken.
    task: Option<TaskRef>,
}

// SAFETY: the handle does to a task what wakers do, which may be on any thread: it holds a reference, and queues the
// task. Besides that it loads the task's state, which is atomic.
unsafe impl Send for AbortHandle {}
// SAFETY: as above.
unsafe impl Sync for AbortHandle {}
// As for wakers: what a panic leaves behind is a task that has ended.
impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl AbortHandle {
    pub(crate) fn new(task: Option<TaskRef>) -> Self {
        Self { task }
    }
}

impl executor::AbortHandle for AbortHandle {
    fn abort(&self) {
        self.task.iter().for_each(TaskRef::abort);
    }

    fn is_finished(&self) -> bool {
        self.task.as_ref().is_none_or(TaskRef::is_finished)
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BiasedAbortHandle").finish_non_exhaustive()
    }
}
