//! Aborts, through an abort handle.

use std::sync::{Arc, Mutex};
use std::task::Poll;

use executor::{AbortHandle, Executor, JoinError, JoinHandle};

use super::abort::assert_gone;
use super::subject::{End, Subject, assert_reports, ends};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Log, WakeCount, case, on_another_thread, poll_once, settle};

clause! {
    "T10h" Contract
        "An abort handle aborts as the join handle does, wherever the join handle is, and keeps no future alive."
    guards "an abort handle that needs the join handle, aborts inline, or keeps what the task held."
    pub fn t10h_an_abort_handle_aborts_as_the_join_handle_does<E: Executor>() -> Outcome {
        for awaited in [true, false] {
            case(if awaited { "while the handle is awaited" } else { "after the handle is dropped" }, || {
                let (executor, log) = (E::default(), Log::new());
                let mut task = executor.spawn(log.pending());
                let (count, waker) = WakeCount::new();
                settle(&executor);
                let abort = task.abort_handle();
                let task = awaited.then(|| {
                    assert!(poll_once(&mut task, &waker).is_pending());
                    task
                });
                assert!(!abort.is_finished(), "`is_finished`, but the task was not aborted");
                abort.abort();
                assert_eq!(log.drops(), 0, "drops inside the call");
                assert!(!abort.is_finished(), "`is_finished`, but the future is not dropped");
                assert_gone(&executor, &log);
                assert!(abort.is_finished(), "not `is_finished`, but the future is dropped");
                assert_eq!(count.wakes(), usize::from(awaited), "wakes of the join waker");
                match task {
                    Some(task) if E::CAPABILITIES.reports_cancellation => {
                        let result = executor.block_on(task);
                        assert!(matches!(result, Err(JoinError::Cancelled)), "the handle reports {result:?}");
                    }
                    _ => {}
                }
            });
        }
        case("a clone, before the first poll, from another thread", || {
            let (executor, log) = (E::default(), Log::new());
            let task = executor.spawn(log.pending());
            let abort = task.abort_handle().clone();
            drop(task);
            on_another_thread(move || abort.abort());
            assert_gone(&executor, &log);
            assert_eq!(log.polls(), 0, "polls after the abort");
        });
        case("in the task's own poll", || {
            let (executor, log) = (E::default(), Log::new());
            let slot = Arc::new(Mutex::new(None::<E::AbortHandle>));
            let task = executor.spawn(log.future({
                let slot = slot.clone();
                move |_, _| {
                    let abort = slot.lock().unwrap().take();
                    abort.expect("the test left it before the first poll").abort();
                    Poll::<()>::Pending
                }
            }));
            *slot.lock().unwrap() = Some(task.abort_handle());
            drop(task);
            assert_gone(&executor, &log);
            assert_eq!(log.polls(), 1, "polls");
        });
        case("the other of two tasks", || {
            let (executor, log, other) = (E::default(), Log::new(), Log::new());
            let (task, kept) = (executor.spawn(log.pending()), executor.spawn(other.pending()));
            let aborts = [&task, &kept].map(JoinHandle::abort_handle);
            settle(&executor);
            aborts[0].abort();
            assert_gone(&executor, &log);
            assert_eq!(other.drops(), 0, "drops of a future that was not aborted");
            assert_eq!(aborts.each_ref().map(AbortHandle::is_finished), [true, false], "`is_finished` of the two");
        });
        case("dropped, it changes nothing", || {
            let mut subject = Subject::<E>::spawn(End::Returns);
            drop(subject.abort_handle());
            subject.settle();
            drop(subject.abort_handle());
            subject.settle();
            subject.end();
            let task = subject.take_task();
            assert_reports(End::Returns, subject.executor().block_on(task));
        });
        for end in ends::<E>() {
            case(format_args!("after the end: {end:?}"), || {
                let mut subject = Subject::<E>::spawn(end);
                let abort = subject.abort_handle();
                subject.settle();
                assert!(!abort.is_finished(), "`is_finished`, but nothing has ended the task");
                subject.end();
                subject.assert_ended();
                assert!(abort.is_finished(), "not `is_finished`, but the future is dropped");
                abort.abort();
                assert!(abort.is_finished());
                subject.assert_ended();
                let task = subject.take_task();
                if matches!(end, End::Returns | End::Panics) {
                    assert_reports(end, subject.executor().block_on(task));
                }
            });
        }
        Outcome::Pass
    }
}
