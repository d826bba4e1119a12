//! Join handles: what they report, when, and where the result is dropped.

use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

use executor::{Described, Executor, JoinError, JoinHandle};

use super::subject::{End, Slot, Subject, assert_reports, ends};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{DropCount, Log, case, on_another_thread, poll_once, quiet_panic, settle, wait_for, waker_fn};

clause! {
    "T5" Contract "A future is dropped exactly once, at its completion, and only then does the handle report it."
    guards "async-task before 2.1.0 and rust-lang/futures-rs#1401: a result that arrived before its future was dropped."
    pub fn t05_a_future_is_dropped_before_the_handle_reports<E: Executor>() -> Outcome {
        for end in ends::<E>().filter(|end| matches!(end, End::Returns | End::Panics)) {
            case(format_args!("{end:?}, the join waker looks"), || {
                let mut subject = Subject::<E>::spawn(end);
                subject.settle();
                let seen = Arc::new(Mutex::new(Vec::new()));
                let waker = waker_fn({
                    let (seen, log, slot) = (seen.clone(), subject.log.clone(), subject.slot.clone());
                    move || {
                        let finished = slot.lock().unwrap().as_ref().is_some_and(JoinHandle::is_finished);
                        seen.lock().unwrap().push((log.drops(), finished));
                    }
                });
                let mut task = subject.take_task();
                assert!(poll_once(&mut task, &waker).is_pending());
                *subject.slot.lock().unwrap() = Some(task);
                subject.end();
                assert_eq!(seen.lock().unwrap().first(), Some(&(1, true)), "drops and `is_finished` when it was woken");
                subject.assert_ended();
                let Poll::Ready(result) = poll_once(&mut subject.take_task(), &waker) else {
                    panic!("the handle was woken for the end, but does not report it")
                };
                assert_reports(end, result);
            });
            case(format_args!("{end:?}, the future's drop looks"), || {
                let early = Arc::new(Mutex::new(None));
                let (handle, looking) = (Slot::<E>::default(), early.clone());
                let mut subject = Subject::<E>::acting(end, |_| {}, {
                    let handle = handle.clone();
                    move || *looking.lock().unwrap() = handle.lock().unwrap().as_ref().map(JoinHandle::is_finished)
                });
                *handle.lock().unwrap() = Some(subject.take_task());
                subject.settle();
                subject.end();
                subject.assert_ended();
                assert_eq!(*early.lock().unwrap(), Some(false), "`is_finished` while the future was being dropped");
            });
            case(format_args!("{end:?}, the awaiter looks"), || {
                let subject = Subject::<E>::spawn(end);
                subject.go.open();
                let task = subject.take_task();
                let (result, drops) = subject.executor().block_on(async { (task.await, subject.log.drops()) });
                assert_reports(end, result);
                assert_eq!(drops, 1, "drops of the future when its result arrived");
                subject.assert_ended();
            });
        }
        Outcome::Pass
    }
}

/// What happens to a join handle, and when; `Elsewhere` means on another thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Awaited,
    AwaitedElsewhere,
    DroppedBefore,
    DroppedBeforeElsewhere,
    DroppedInPoll,
    DroppedInPollElsewhere,
    DroppedAfter,
    DroppedAfterElsewhere,
}

clause! {
    "T6" Contract
        "A result is delivered or dropped once; without a handle it is dropped at completion, where it was made."
    guards "what tokio tests as `task_combinations` and async-task as `ready.rs`."
    pub fn t06_a_result_is_delivered_or_dropped_once<E: Executor>() -> Outcome {
        use Fate::*;
        for panics in [false, true].into_iter().filter(|panics| !panics || E::CAPABILITIES.catches_panics) {
            for fate in [
                Awaited,
                AwaitedElsewhere,
                DroppedBefore,
                DroppedBeforeElsewhere,
                DroppedInPoll,
                DroppedInPollElsewhere,
                DroppedAfter,
                DroppedAfterElsewhere,
            ] {
                let result = if panics { "payload" } else { "value" };
                case(format_args!("{result}, handle {fate:?}"), || follow_result::<E>(fate, panics));
            }
        }
        Outcome::Pass
    }
}

fn follow_result<E: Executor + Described + 'static>(fate: Fate, panics: bool) {
    let executor = E::default();
    let (log, result) = (Log::new(), Log::new());
    let slot = Arc::new(Mutex::new(None::<E::JoinHandle<DropCount>>));
    let task = executor.spawn(log.future({
        let (result, slot) = (result.clone(), slot.clone());
        move |poll, cx| {
            if poll == 1 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let handle = slot.lock().unwrap().take();
            match fate {
                Fate::DroppedInPollElsewhere => on_another_thread(|| drop(handle)),
                _ => drop(handle),
            }
            let result = DropCount::new(&result);
            if panics { quiet_panic(result) } else { Poll::Ready(result) }
        }
    }));
    let is_delivered = |outcome: &Result<DropCount, JoinError>| match outcome {
        Ok(_) => !panics,
        Err(JoinError::Panicked(payload)) => panics && payload.is::<DropCount>(),
        Err(JoinError::Cancelled) => false,
    };
    let here = thread::current().id();
    let mut task = Some(task);
    match fate {
        Fate::Awaited | Fate::AwaitedElsewhere => {}
        Fate::DroppedBefore => task = None,
        Fate::DroppedBeforeElsewhere => on_another_thread({
            let task = task.take();
            || drop(task)
        }),
        Fate::DroppedInPoll | Fate::DroppedInPollElsewhere => *slot.lock().unwrap() = task.take(),
        Fate::DroppedAfter | Fate::DroppedAfterElsewhere => {}
    }
    if fate == Fate::Awaited {
        let outcome = executor.block_on(task.take().expect("not dropped"));
        assert!(is_delivered(&outcome), "the handle reports something else");
        assert_eq!(result.drops(), 0, "drops of the result that was delivered");
        drop(outcome);
    }
    settle(&executor);
    assert_eq!(log.drops(), 1, "the task did not complete");
    // The executor, a waker of the task and, in some cases, its handle still exist.
    let waker = log.waker();
    let Some(mut task) = task else {
        assert_eq!(result.drops(), 1, "drops of the result");
        assert_eq!(result.dropped_on(), Some(here), "the result was dropped by a thread that did not make it");
        drop((executor, waker));
        assert_eq!(result.drops(), 1, "drops of the result, with the executor gone");
        return;
    };
    assert_eq!(result.drops(), 0, "drops of the result that the handle still owns");
    match fate {
        Fate::AwaitedElsewhere => on_another_thread(move || {
            let outcome = wait_for(&mut task, "the end of a finished task");
            assert!(matches!(outcome, Ok(_) | Err(JoinError::Panicked(_))), "the handle reports something else");
        }),
        Fate::DroppedAfterElsewhere => on_another_thread(|| drop(task)),
        _ => drop(task),
    }
    assert_eq!(result.drops(), 1, "drops of the result, with the handle gone");
    drop((executor, waker));
    assert_eq!(result.drops(), 1, "drops of the result, with everything gone");
    log.assert_sound();
}
