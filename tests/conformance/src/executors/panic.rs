//! Panics of a task and of the root, and the executor afterwards.

use std::task::Poll;

use executor::{BlockOn, Executor, JoinError, yield_now};

use super::{opened, restless};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Log, assert_usable, caught, drive, drive_until, quiet_panic};

clause! {
    "X12" Contract "A task that panics, even after waking itself, leaves the executor and its other tasks working."
    guards "rust-lang/futures-rs#1468, redbadger/crux#397, glommio#37: a pool that dies, a poisoned queue, a hang."
    pub fn x12_a_panicking_task_leaves_the_executor_usable<E: Executor>() -> Outcome {
        for woken in [false, true] {
            let executor = E::default();
            let (log, others) = (Log::new(), Log::new());
            let other = executor.spawn(others.future(|poll, cx| {
                if poll > 3 { Poll::Ready(7) } else { restless(poll, cx).map(|()| 0) }
            }));
            let panicking = executor.spawn(log.future::<(), _>(move |_, cx| {
                if woken {
                    cx.waker().wake_by_ref();
                }
                quiet_panic("on purpose")
            }));
            if !E::CAPABILITIES.catches_panics {
                let both_ended = || others.drops() > 0 && log.drops() > 0;
                let unwound = caught(|| drive_until(&executor, "the ends of both tasks", both_ended));
                assert_eq!(unwound, Err("on purpose".to_owned()), "an uncaught panic unwinds out of `block_on`");
                return Outcome::NotApplicable {
                    capability: "catches_panics",
                    why: "a task's panic unwound out of `block_on`",
                };
            }
            let result = executor.block_on(panicking);
            assert!(matches!(result, Err(JoinError::Panicked(_))), "the handle does not report the panic");
            assert_eq!(executor.block_on(other).ok(), Some(7), "another task did not survive a panic");
            assert_usable(&executor);
            executor.run();
            assert_eq!((log.polls(), log.drops()), (1, 1), "polls and drops of the task that panicked");
        }
        Outcome::Pass
    }
}

clause! {
    "X19" Contract "A panic of the root unwinds to the caller of `block_on` and leaves the executor working."
    guards "tokio's `shutdown_on_panic`: a right to drive that was never given back."
    pub fn x19_a_panic_of_the_root_unwinds_to_the_caller<E: BlockOn>() -> Outcome {
        let executor = E::default();
        for _ in 0..3 {
            let log = Log::new();
            let result = caught(|| {
                executor.block_on(log.future(|poll, cx| {
                    if poll > 1 { quiet_panic("on purpose") } else { restless(poll, cx) }
                }))
            });
            assert_eq!(result, Err("on purpose".to_owned()));
            assert_eq!(log.drops(), 1, "drops of the future that panicked");
            log.waker().wake();
            drive(&executor, 3);
            log.assert_sound();
        }
        Outcome::Pass
    }
}

clause! {
    "X19t" Contract "After a panic of the root, the tasks continue in the next call."
    guards "tokio's `wake_in_drop_after_panic`: tasks that were out of the queue at the moment of the panic."
    pub fn x19t_tasks_survive_a_panic_of_the_root<E: Executor>() -> Outcome {
        let executor = E::default();
        for in_the_first_poll in [false, true] {
            let (log, gate) = (Log::new(), Gate::new());
            let waiting = executor.spawn(log.future(opened(&gate)));
            let mut queued = None;
            if in_the_first_poll {
                drive(&executor, 3);
            }
            let result = caught(|| {
                executor.block_on(async {
                    while log.polls() == 0 {
                        yield_now().await;
                    }
                    gate.open();
                    queued = Some(executor.spawn(async { 7 }));
                    quiet_panic("on purpose")
                })
            });
            assert_eq!(result, Err("on purpose".to_owned()));
            executor.run();
            let case = if in_the_first_poll { "in the first poll" } else { "in a later poll" };
            assert!(executor.block_on(waiting).is_ok(), "{case}: a task that waited did not survive");
            let queued = queued.expect("it was spawned");
            assert_eq!(executor.block_on(queued).ok(), Some(7), "{case}: a task in the queue did not survive");
            log.assert_sound();
        }
        assert_usable(&executor);
        Outcome::Pass
    }
}
