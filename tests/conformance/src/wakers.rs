//! W: what a waker owes.
//!
//! A clause whose id ends in `r` asks the same of the root, the future of `block_on` itself, which many executors wake
//! by other means than their tasks. These clauses are all that can be asked of an executor without tasks.
//!
//! Wakes are ordered by gates and by joining threads, never by sleeping. One moment cannot be hit from outside: the one
//! between an executor's last look at its queue and its sleep. A clause that needs a wake there repeats it for many
//! rounds, each at a different moment. Only a model checker can show that this moment is safe.

#![expect(clippy::waker_clone_wake, reason = "what a clone does when it is woken is what is tested")]

mod delivery;
mod identity;
mod lifetime;
mod ordering;
mod refcount;
mod side_effects;

pub use delivery::*;
pub use identity::*;
pub use lifetime::*;
pub use ordering::*;
pub use refcount::*;
pub use side_effects::*;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use executor::{BlockOn, Described, Executor, Idle};

use crate::Outcome;
use crate::probe::{Gate, Log, drive_until};

const POLLED_UNWOKEN: &str = "it polls again what was not woken";

/// How many rounds with another thread. A spinning executor takes processor time that the other thread needs.
fn many<E: BlockOn + Described>() -> usize {
    match E::CAPABILITIES.idle {
        Idle::Spins => 100,
        Idle::Parks => 2_000,
    }
}

/// Excuses an executor that polls what was not woken, once it was seen to do so.
fn unless_only_woken_are_polled<E: Executor + Described>(capability: &'static str) -> Outcome {
    let executor = E::default();
    let log = Log::new();
    let _task = executor.spawn(log.pending());
    drive_until(&executor, "polls of a task that is not woken, which it claims to make", || {
        if log.polls() > 0 {
            log.forget_waker();
        }
        log.polls() > 3
    });
    Outcome::NotApplicable { capability, why: POLLED_UNWOKEN }
}

/// The waker of the task, or of the root, that awaits this.
fn own_waker() -> impl Future<Output = Waker> {
    poll_fn(|cx| Poll::Ready(cx.waker().clone()))
}

/// Uses a waker in every way, and consumes it.
fn spend(waker: Waker) -> impl FnOnce() + Send + 'static {
    move || {
        waker.wake_by_ref();
        drop(waker.clone());
        waker.clone().wake();
        waker.wake_by_ref();
        drop(waker.clone());
        waker.wake();
    }
}

impl Log {
    /// A future that ends at its first poll after `woken` was opened. The gate does not wake it.
    fn ready_once(self: &Arc<Self>, woken: &Arc<Gate>) -> impl Future<Output = ()> + Send + 'static + use<> {
        let woken = woken.clone();
        self.future(move |_, _| if woken.is_open() { Poll::Ready(()) } else { Poll::Pending })
    }
}
