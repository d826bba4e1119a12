use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why a task has no value.
///
/// `Send`, `Sync` and `'static`, so that `?` turns it into whatever error a program uses:
///
/// ```
/// use std::error::Error;
///
/// use executor::Executor;
///
/// fn sum<E: Executor>(executor: &E) -> Result<u32, Box<dyn Error + Send + Sync>> {
///     let task = executor.spawn(async { 1 });
///     Ok(executor.block_on(task)? + 2)
/// }
/// ```
#[derive(Debug)]
pub enum JoinError {
    /// It was aborted, or its executor was dropped.
    Cancelled,
    /// Its future panicked, while it was polled or while it was dropped.
    Panicked(PanicPayload),
}

/// What a panic carried.
///
/// A payload is `Send` but need not be `Sync`. So only the owner, or an exclusive borrow, gets at the payload itself. A
/// shared reference shows no more than its type and its text.
pub struct PanicPayload {
    /// In a box, so that a result without a panic needs no space for it.
    payload: Box<Mutex<Box<dyn Any + Send>>>,
}

impl JoinError {
    /// For a future that panicked with `payload`, as `catch_unwind` returns it.
    #[cold]
    pub fn panicked(payload: Box<dyn Any + Send>) -> Self {
        Self::Panicked(PanicPayload::new(payload))
    }

    /// Whether the task was aborted, or its executor dropped.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self, Self::Panicked(_))
    }

    /// What the panic carried: `resume_unwind(error.into_panic())` goes on with it.
    ///
    /// # Panics
    ///
    /// When the task did not panic. [`try_into_panic`](Self::try_into_panic) does not.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        self.try_into_panic().expect("`into_panic` was called on the error of a task that did not panic")
    }

    /// What the panic carried, or the error itself if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self {
            Self::Panicked(payload) => Ok(payload.into_inner()),
            Self::Cancelled => Err(self),
        }
    }
}

impl PanicPayload {
    /// Wraps what `catch_unwind` returns.
    pub fn new(payload: Box<dyn Any + Send>) -> Self {
        Self { payload: Box::new(Mutex::new(payload)) }
    }

    /// The payload itself, for `resume_unwind` or to be downcast.
    pub fn into_inner(self) -> Box<dyn Any + Send> {
        self.payload.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The payload, to be looked at: `payload.get_mut().downcast_ref::<MyError>()`.
    pub fn get_mut(&mut self) -> &mut (dyn Any + Send) {
        &mut **self.payload.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the payload is a `T`.
    pub fn is<T: Any>(&self) -> bool {
        self.lock().is::<T>()
    }

    /// The text of the panic, if it has one: if the payload is a string, as that of `panic!` is.
    pub fn text(&self) -> Option<String> {
        let payload = self.lock();
        let text = payload.downcast_ref::<&str>().copied();
        text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).map(str::to_owned)
    }

    /// No code that can panic runs under this lock, and no code of the user's.
    fn lock(&self) -> MutexGuard<'_, Box<dyn Any + Send>> {
        self.payload.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the task was cancelled"),
            Self::Panicked(payload) => match payload.text() {
                Some(text) => write!(f, "the task panicked: {text}"),
                None => f.write_str("the task panicked with a non-string payload"),
            },
        }
    }
}

impl Error for JoinError {}

impl fmt::Debug for PanicPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => write!(f, "{text:?}"),
            None => f.write_str("a non-string payload"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::panic::{catch_unwind, resume_unwind};

    use super::*;

    fn errors() -> [JoinError; 4] {
        let payload = |payload: Box<dyn Any + Send>| JoinError::panicked(payload);
        [
            JoinError::Cancelled,
            payload(Box::new("a")),
            payload(Box::new("b".to_owned())),
            payload(Box::new(Cell::new(7))),
        ]
    }

    #[test]
    fn an_error_says_what_happened() {
        let expected = [
            ("the task was cancelled", "Cancelled"),
            ("the task panicked: a", "Panicked(\"a\")"),
            ("the task panicked: b", "Panicked(\"b\")"),
            ("the task panicked with a non-string payload", "Panicked(a non-string payload)"),
        ];
        let said = errors().map(|error| (error.to_string(), format!("{error:?}")));
        assert_eq!(said.each_ref().map(|(display, debug)| (display.as_str(), debug.as_str())), expected);
        assert_eq!(errors().map(|error| error.is_panic()), [false, true, true, true]);
        assert_eq!(errors().map(|error| error.is_cancelled()), [true, false, false, false]);
    }

    #[test]
    fn the_payload_comes_out_as_it_went_in() {
        let [cancelled, borrowed, owned, cell] = errors();
        assert!(matches!(cancelled.try_into_panic(), Err(JoinError::Cancelled)));
        assert_eq!(borrowed.into_panic().downcast_ref(), Some(&"a"));
        assert_eq!(owned.try_into_panic().unwrap().downcast_ref(), Some(&"b".to_owned()));
        let JoinError::Panicked(mut payload) = cell else { unreachable!() };
        assert!(payload.is::<Cell<i32>>() && !payload.is::<i32>());
        payload.get_mut().downcast_mut::<Cell<i32>>().expect("it was one").set(8);
        let unwound = catch_unwind(|| resume_unwind(payload.into_inner())).unwrap_err();
        assert_eq!(unwound.downcast_ref(), Some(&Cell::new(8)));
    }

    #[test]
    #[should_panic(expected = "did not panic")]
    fn into_panic_of_another_end_panics() {
        let _ = JoinError::Cancelled.into_panic();
    }

    #[test]
    fn an_error_takes_no_more_than_a_pointer() {
        assert_eq!(size_of::<JoinError>(), size_of::<usize>());
    }
}
