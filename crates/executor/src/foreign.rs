use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use crate::JoinError;

/// Why a lock of ours is never poisoned, for `expect`.
pub const UNPOISONED: &str = "no code that can panic runs under this lock";

/// Runs foreign code. If it panics, there is nobody to tell, and the panic is discarded.
#[inline]
pub fn discard_panic(action: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(action)) {
        // The payload may panic when it is dropped. The payload of that panic is leaked.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(payload);
        }
    }
}

/// Drops a join waker that is no longer needed. Its drop is foreign code, whose panic must cost neither a result nor
/// another task's wake.
#[inline]
pub fn discard(joiner: Option<Waker>) {
    if let Some(joiner) = joiner {
        discard_panic(|| drop(joiner));
    }
}

/// Drops a task's future with `drop_future`, and returns what the task's handle reports: `result`, or a panic of that
/// drop. Of two panics it reports the first: the other is its consequence.
#[inline]
pub fn drop_future_before<T>(result: Result<T, JoinError>, drop_future: impl FnOnce()) -> Result<T, JoinError> {
    match catch_unwind(AssertUnwindSafe(drop_future)) {
        Ok(()) => result,
        Err(payload) => report_first(result, JoinError::panicked(payload)),
    }
}

#[cold]
fn report_first<T>(result: Result<T, JoinError>, panic: JoinError) -> Result<T, JoinError> {
    let (reported, dropped) = match result {
        Err(JoinError::Panicked(_)) => (result, Err(panic)),
        _ => (Err(panic), result),
    };
    discard_panic(|| drop(dropped));
    reported
}
