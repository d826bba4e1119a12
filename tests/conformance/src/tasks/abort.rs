//! Aborts, through the join handle.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

use executor::{Described, Executor, JoinError, JoinHandle, RemoteSpawn, Spawn, yield_now};

use super::subject::{End, Subject, assert_reports};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Log, WakeCount, assert_usable, case, on_another_thread, poll_once, settle};

/// A way to abort a task, given the executor, the task's log and its handle, which it returns or drops.
type Abort<E> = fn(&E, &Log, <E as Spawn>::JoinHandle<()>) -> Option<<E as Spawn>::JoinHandle<()>>;

/// All ways to abort a pending task from outside.
fn aborts<E: Executor + 'static>() -> [(&'static str, Abort<E>); 11] {
    [
        ("before the first poll", |_, _, task| {
            task.abort();
            Some(task)
        }),
        ("while idle", |executor, _, task| {
            settle(executor);
            task.abort();
            Some(task)
        }),
        ("while idle, woken after it", |executor, log, task| {
            settle(executor);
            task.abort();
            log.waker().wake();
            Some(task)
        }),
        ("while queued", |executor, log, task| {
            settle(executor);
            log.waker().wake();
            task.abort();
            Some(task)
        }),
        ("twice", |executor, _, task| {
            settle(executor);
            task.abort();
            task.abort();
            Some(task)
        }),
        ("before the first poll, from another thread", |_, _, task| {
            Some(on_another_thread(move || {
                task.abort();
                task
            }))
        }),
        ("while idle, from another thread", |executor, _, task| {
            settle(executor);
            Some(on_another_thread(move || {
                task.abort();
                task
            }))
        }),
        ("before the first poll, then the handle dropped", |_, _, task| {
            task.abort();
            None
        }),
        ("while idle, then the handle dropped", |executor, _, task| {
            settle(executor);
            task.abort();
            None
        }),
        ("while queued, then the handle dropped", |executor, log, task| {
            settle(executor);
            log.waker().wake();
            task.abort();
            None
        }),
        ("while idle, then the handle dropped, all on another thread", |executor, _, task| {
            settle(executor);
            on_another_thread(move || task.abort());
            None
        }),
    ]
}

clause! {
    "T10" Contract
        "An aborted future is not polled again; the driving thread drops it, once, and without waiting for a wake."
    guards "tokio-rs/tokio#3929, #3934 and #3964, zed#21020, compio#494: drops on another thread, late or never."
    pub fn t10_an_aborted_future_is_dropped_once_by_the_driving_thread<E: Executor>() -> Outcome {
        for (when, abort) in aborts::<E>() {
            case(when, || {
                let (executor, log) = (E::default(), Log::new());
                let task = executor.spawn(log.pending());
                let task = abort(&executor, &log, task);
                let polls = log.polls();
                assert_eq!(log.drops(), 0, "drops before the executor was driven, by a thread that does not drive");
                assert_gone(&executor, &log);
                assert_eq!(log.polls(), polls, "polls after the abort");
                drop(task);
                executor.run();
                drop(executor);
                log.assert_sound();
            });
        }
        for elsewhere in [false, true] {
            for keeps in [true, false] {
                for ready in [false, true] {
                    let how = format!("from another thread: {elsewhere}, keeps its handle: {keeps}, ready: {ready}");
                    case(format_args!("in its poll, {how}"), || {
                        abort_in_poll::<E>(elsewhere, keeps, ready);
                    });
                }
            }
        }
        case("by another thread, while the executor has nothing to do", || {
            let (executor, log) = (E::default(), Log::new());
            let (polled, dropped) = (Gate::new(), Gate::new());
            let open = (polled.clone(), dropped.clone());
            let future = log.future(move |_, _| {
                open.0.open();
                Poll::<()>::Pending
            });
            let task = executor.spawn(future.on_drop(move || open.1.open()));
            let aborting = thread::spawn(move || {
                polled.wait("the first poll");
                task.abort();
            });
            executor.block_on(dropped.opened());
            aborting.join().expect("aborting does not panic");
            assert_gone(&executor, &log);
        });
        case("after it returned", || {
            let mut subject = Subject::<E>::spawn(End::Returns);
            subject.settle();
            subject.end();
            let task = subject.take_task();
            task.abort();
            task.abort();
            subject.settle();
            assert_reports(End::Returns, subject.executor().block_on(task));
            subject.assert_ended();
        });
        Outcome::Pass
    }
}

/// Fails unless driving the executor drops the future, once and on this thread, and leaves the executor usable.
pub(super) fn assert_gone<E: Executor>(executor: &E, log: &Log) {
    settle(executor);
    assert_eq!(log.drops(), 1, "drops after the executor was driven");
    assert_eq!(log.dropped_on(), Some(thread::current().id()), "dropped by a thread that does not drive");
    log.assert_sound();
    assert_usable(executor);
}

fn abort_in_poll<E: Executor + Described + 'static>(elsewhere: bool, keeps: bool, ready: bool) {
    let (executor, log) = (E::default(), Log::new());
    let slot = Arc::new(Mutex::new(None::<E::JoinHandle<()>>));
    let task = executor.spawn(log.future({
        let slot = slot.clone();
        move |_, _| {
            let task = slot.lock().unwrap().take();
            if let Some(task) = task {
                let abort = move || {
                    task.abort();
                    keeps.then_some(task)
                };
                let kept = if elsewhere { on_another_thread(abort) } else { abort() };
                *slot.lock().unwrap() = kept;
            }
            if ready { Poll::Ready(()) } else { Poll::Pending }
        }
    }));
    *slot.lock().unwrap() = Some(task);
    assert_gone(&executor, &log);
    assert_eq!(log.polls(), 1, "polls");
    executor.run();
}

clause! {
    "T10c" Contract "The handle of an aborted task yields `Cancelled`, and not before the future is dropped."
    guards "zed#21020: a cancelled task that looked finished while its future lived."
    pub fn t10c_the_handle_of_an_aborted_task_yields_cancelled<E: Executor>() -> Outcome {
        for (when, abort) in aborts::<E>() {
            case(when, || {
                let (executor, log) = (E::default(), Log::new());
                let task = executor.spawn(log.pending());
                let Some(mut task) = abort(&executor, &log, task) else { return };
                if !E::CAPABILITIES.reports_cancellation {
                    settle(&executor);
                    let result = catch_unwind(AssertUnwindSafe(|| executor.block_on(task)));
                    assert!(result.is_err(), "it claims that polling the handle panics, but it does not");
                    return;
                }
                assert!(!task.is_finished(), "`is_finished`, but the future is not dropped");
                let (count, waker) = WakeCount::new();
                assert!(poll_once(&mut task, &waker).is_pending(), "the handle is ready before the drop");
                let drops = executor.block_on(async {
                    let result = (&mut task).await;
                    assert!(matches!(result, Err(JoinError::Cancelled)), "the handle reports {result:?}");
                    log.drops()
                });
                assert_eq!(drops, 1, "drops of the future when its handle reported");
                // Not woken if the root is polled, and replaces it, before the task is dropped.
                assert!(count.wakes() <= 1, "the first join waker was woken {} times", count.wakes());
                assert!(task.is_finished());
            });
        }
        if !E::CAPABILITIES.reports_cancellation {
            return Outcome::NotApplicable {
                capability: "reports_cancellation",
                why: "polling the handle of an aborted task panics",
            };
        }
        Outcome::Pass
    }
}

clause! {
    "T10s" Contract "A task that another thread has just spawned can be aborted at once; its future is dropped once."
    guards "a task that is aborted, or dropped with its executor, before the executor has it in its list."
    pub fn t10s_a_task_is_aborted_as_soon_as_it_is_spawned<E: RemoteSpawn>() -> Outcome {
        for driven in [true, false] {
            case(if driven { "the executor goes on" } else { "the executor is dropped" }, || {
                let (executor, log) = (E::default(), Log::new());
                executor.block_on(async {
                    // The executor may treat its first round differently from later ones.
                    yield_now().await;
                    let (spawner, future, spawned) = (executor.spawner(), log.pending(), Mutex::new(None));
                    let spawn = || *spawned.lock().expect("no thread panics") = Some(spawner.spawn(future));
                    thread::scope(|scope| scope.spawn(spawn).join()).expect("spawning does not panic");
                    let task = spawned.into_inner().expect("no thread panics");
                    task.expect("it was spawned").abort();
                });
                if driven {
                    executor.run();
                }
                drop(executor);
                assert_eq!(log.drops(), 1, "drops of the future");
                log.assert_sound();
            });
        }
        Outcome::Pass
    }
}
