//! Panics: those that a test makes, and those that it catches.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs one row of a clause's table, and names it if it fails.
///
/// # Panics
///
/// When `body` does, with `name` before its message.
pub fn case<R>(name: impl fmt::Display, body: impl FnOnce() -> R) -> R {
    caught(body).unwrap_or_else(|message| panic!("{name}: {message}"))
}

/// Calls `action`; `Err` holds the text of its panic.
pub(crate) fn caught<R>(action: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(action)).map_err(|payload| message(payload.as_ref()))
}

/// The text of a panic.
pub fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "it panicked with a non-string payload".to_owned()
    }
}

/// Panics with `payload`, without a message from the panic hook.
pub fn quiet_panic(payload: impl Send + 'static) -> ! {
    resume_unwind(Box::new(payload))
}
