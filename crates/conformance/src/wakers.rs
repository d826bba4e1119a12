//! W: what a waker owes.

use std::sync::Arc;
use std::task::Poll;

use executor::{BlockOn, Executor, Idle, JoinHandle, WakeNames, yield_now};

use crate::clause::clause;
use crate::probe::{Gate, Log, on_another_thread};
use crate::{Allocations, Outcome};

clause! {
    "W1" Std "`clone` gives a waker that wakes the same task and keeps alive everything it needs."
    guards "rust-lang/rust#52640, unicycle#30 and glommio#379: a clone that counted too little."
    pub fn w01_clone_wakes_the_same_task<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let task = executor.spawn(log.future({
            let woken = woken.clone();
            move |_, _| if woken.is_open() { Poll::Ready(7) } else { Poll::Pending }
        }));
        let polled = log.clone();
        let waking = woken.clone();
        // Polls once, so that the task leaves its waker; then only a clone of a clone is left, on another thread.
        let value = executor.block_on(async move {
            while polled.polls() == 0 {
                yield_now().await;
            }
            let clone = polled.waker().clone();
            polled.forget_waker();
            std::thread::spawn(move || {
                waking.open();
                clone.clone().wake();
            });
            task.await
        });
        assert_eq!(value.ok(), Some(7));
        log.assert_sound();
        if E::CAPABILITIES.wake_names == WakeNames::Nobody {
            return Outcome::Vacuous("it polls the task whether or not the clone wakes it");
        }
        Outcome::Pass
    }
}
