#![doc = include_str!("../README.md")]

mod catalogue;
pub mod frame;
#[cfg(test)]
mod modelled;
mod nearest;

pub use catalogue::{EXHIBITS, Exhibit, Kind, Ours, Symptom, Version};
pub use nearest::{Nearest, nearest};

/// In the place of a clause, asks the program `exhibit` to run an exhibit's trigger.
pub const TRIGGER: &str = "trigger";

/// The thread parks, and relies on the park token alone.
mod bare_park {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// All calls of `block_on` on a thread share one signal.
mod one_parker {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// The flag that says "woken" is cleared after the poll.
mod clears_late {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// A wake polls the task on the spot.
mod polls_in_wake {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// The ready queue has a capacity, and a wake waits for room.
mod bounded_queue {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// A task is in the ready queue once for each wake.
mod queued_per_wake {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// The look that decides about sleeping comes before the last chance of a wake.
mod looks_too_early {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// The wakers of one task have two vtables.
mod two_vtables {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// A wake by value keeps the reference that it owns.
mod leaks_in_wake {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// Wakers are counted by an `Rc`.
mod rc_waker {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// A pending future that holds its own waker is never dropped.
mod own_waker_cycle {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// What comes after the executor is accepted.
mod never_closed {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// Futures are dropped under the lock of the task list.
mod drops_under_lock {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// Each wake of a task polls the future of `block_on`.
mod polls_root_always {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// A task that woke itself is polled again at once.
mod polls_in_place {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// A panic is caught, and nobody is told.
mod forgets_panics {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// A waker remembers that the owner thread made it.
mod remembers_owner {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}

/// The owner's local count is added to the remote one twice.
mod merged_twice {
    /// With the fault.
    pub(crate) mod broken;
    /// Without it.
    pub(crate) mod fixed;
    /// What shows it.
    pub(crate) mod trigger;
}
