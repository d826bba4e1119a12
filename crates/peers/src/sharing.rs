//! Abort handles for peers that have only one handle, which cancelling consumes.

use std::fmt;
use std::mem;
use std::panic::RefUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A join handle's state, which abort handles share once the first of them is made: until then, it costs what the
/// peer's own handle costs.
///
/// The lock is for operations through shared references. It is held while the peer cancels or checks; once there are
/// abort handles, also while it polls.
pub(crate) struct Sharing<S> {
    place: Mutex<Place<S>>,
}

enum Place<S> {
    Own(S),
    Shared(Arc<Mutex<S>>),
    /// Only for a moment, under the lock.
    Moving,
}

/// What an abort handle does to a task. Dropping the last handle of any kind drops the state, which detaches.
pub(crate) trait Cancel: Send + 'static {
    /// Like [`executor::JoinHandle::abort`].
    fn abort(&mut self);

    /// Like [`executor::JoinHandle::is_finished`].
    fn is_finished(&mut self) -> bool;
}

impl<S> Sharing<S> {
    pub(crate) fn new(state: S) -> Self {
        Self { place: Mutex::new(Place::Own(state)) }
    }

    pub(crate) fn with<R>(&self, action: impl FnOnce(&mut S) -> R) -> R {
        lock(&self.place).with(action)
    }

    /// Takes no lock unless there are abort handles.
    pub(crate) fn with_mut<R>(&mut self, action: impl FnOnce(&mut S) -> R) -> R {
        self.place.get_mut().unwrap_or_else(PoisonError::into_inner).with(action)
    }
}

impl<S: Cancel> Sharing<S> {
    pub(crate) fn abort_handle(&self) -> AbortHandle {
        let mut place = lock(&self.place);
        let shared = match mem::replace(&mut *place, Place::Moving) {
            Place::Own(state) => Arc::new(Mutex::new(state)),
            Place::Shared(shared) => shared,
            Place::Moving => unreachable!("moved under the lock"),
        };
        *place = Place::Shared(shared.clone());
        AbortHandle { task: shared }
    }
}

impl<S> Place<S> {
    fn with<R>(&mut self, action: impl FnOnce(&mut S) -> R) -> R {
        match self {
            Self::Own(state) => action(state),
            Self::Shared(shared) => action(&mut lock(shared)),
            Self::Moving => unreachable!("moved under the lock"),
        }
    }
}

/// A handle that is polled after its end may panic, which leaves the state as it was.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cancels a task of a peer that has no abort handle of its own.
///
/// If the join handle is dropped first, the task's result is kept until the last abort handle is dropped, too.
#[derive(Clone)]
pub struct AbortHandle {
    task: Arc<dyn Shared>,
}

trait Shared: Send + Sync + RefUnwindSafe {
    fn abort(&self);

    fn is_finished(&self) -> bool;
}

impl<S: Cancel> Shared for Mutex<S> {
    fn abort(&self) {
        lock(self).abort();
    }

    fn is_finished(&self) -> bool {
        lock(self).is_finished()
    }
}

impl executor::AbortHandle for AbortHandle {
    fn abort(&self) {
        self.task.abort();
    }

    fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").finish_non_exhaustive()
    }
}
