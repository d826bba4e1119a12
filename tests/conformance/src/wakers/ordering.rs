//! Ordering: the poll sees what was written before the wake.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use executor::{BlockOn, Executor, WakeNames};

use super::{POLLED_UNWOKEN, many, unless_only_woken_are_polled};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::finish;

clause! {
    /// Processors that reorder little, such as x86, hide most violations: many rounds make it likely that one is seen,
    /// and the models of a strategy prove that there is none.
    "W10" Contract "A wake happens-before the poll that it causes, even if the task was already scheduled."
    guards "a wake that only checks whether the task is scheduled: the poll need not see what the waking thread wrote."
    pub fn w10_a_wake_publishes_what_was_written_before_it<E: Executor>() -> Outcome {
        if E::CAPABILITIES.wake_names == WakeNames::Nobody {
            return unless_only_woken_are_polled::<E>("wake_names");
        }
        let executor = E::default();
        finish(&executor, executor.spawn(two_relaxed_flags(many::<E>())));
        Outcome::Pass
    }
}

clause! {
    "W10r" Contract "A wake of the root happens-before the poll that it causes."
    guards "a root waker that skips its write when the flag is set already."
    pub fn w10r_a_wake_of_the_root_publishes_what_was_written_before_it<E: BlockOn>() -> Outcome {
        if E::CAPABILITIES.wake_names == WakeNames::Nobody {
            // The opposite is shown: the root is polled again although its waker was never touched.
            let mut polls = 0;
            E::default().block_on(poll_fn(|_| {
                polls += 1;
                if polls > 100 { Poll::Ready(()) } else { Poll::Pending }
            }));
            return Outcome::NotApplicable { capability: "wake_names", why: POLLED_UNWOKEN };
        }
        E::default().block_on(two_relaxed_flags(many::<E>()));
        Outcome::Pass
    }
}

/// Ends after `rounds` rounds of two threads that each set a flag and wake. Only the wakes order the flags before the
/// poll that reads them: if a poll misses the flag of a wake that caused it, no other poll follows, and the case hangs.
fn two_relaxed_flags(rounds: usize) -> impl Future<Output = ()> + Send + 'static {
    let threads = [(); 2].map(|()| {
        let (starts, started) = mpsc::channel::<(usize, Waker)>();
        let flag = Arc::new(AtomicUsize::new(0));
        let raised = flag.clone();
        thread::spawn(move || {
            for (round, waker) in started {
                // Relaxed, here and below: the clause says that the wake is enough.
                raised.store(round, Relaxed);
                waker.wake_by_ref();
            }
        });
        (starts, flag)
    });
    let mut round = 0;
    poll_fn(move |cx| {
        if threads.iter().all(|(_, flag)| flag.load(Relaxed) == round) {
            if round == rounds {
                return Poll::Ready(());
            }
            round += 1;
            for (starts, _) in &threads {
                starts.send((round, cx.waker().clone())).expect("the thread listens as long as this future lives");
            }
        }
        Poll::Pending
    })
}
