use std::fmt;

/// What a caller may rely on, fact by fact.
///
/// The conformance suite tests exactly what is claimed here. A fact that excuses an executor from a clause is tested in
/// the other direction: an executor that says [`Idle::Spins`] is shown to spin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What a waker points at, and so what a wake can make ready.
    pub wake_names: WakeNames,
    /// What the driving thread does while nothing is ready.
    pub idle: Idle,
    /// Whether a future that was not woken stays unpolled. Otherwise any wake, or none, may cause a poll.
    pub polls_only_woken: bool,
    /// Whether tasks and other threads may spawn, through [`RemoteSpawn`](crate::RemoteSpawn).
    pub remote_spawn: bool,
    /// Whether several threads may be inside `block_on` or `run` of one executor at once.
    pub concurrent_drivers: bool,
    /// What `block_on` does inside a task of the same executor.
    pub nested_block_on: NestedBlockOn,
    /// Whether a panic in a task is caught at the task's edge and reported by its handle. Otherwise it unwinds out of
    /// the call that drives the executor.
    pub catches_panics: bool,
    /// Whether a handle whose task was cancelled, or whose executor is gone, yields
    /// [`JoinError::Cancelled`](crate::JoinError::Cancelled). Otherwise polling such a handle panics.
    pub reports_cancellation: bool,
}

/// What a waker points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeNames {
    /// A wake does nothing: the executor polls everything anyway.
    Nobody,
    /// A wake makes a thread poll all that it drives.
    Thread,
    /// A wake makes one task ready.
    Task,
}

/// What the driving thread does while nothing is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Polls on, and uses a processor for it.
    Spins,
    /// Sleeps until a wake.
    Parks,
}

/// What `block_on` does inside a task of the same executor. It never hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NestedBlockOn {
    /// Panics, with a message that says what is wrong.
    Panics,
    /// Drives the inner future to its end while the outer task waits.
    Works,
}

impl fmt::Display for WakeNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Nobody => "nobody",
            Self::Thread => "the thread",
            Self::Task => "the task",
        })
    }
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Spins => "spins",
            Self::Parks => "parks",
        })
    }
}

impl fmt::Display for NestedBlockOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Panics => "panics",
            Self::Works => "works",
        })
    }
}
