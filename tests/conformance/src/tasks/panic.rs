//! Panics: in a task's poll, in its future's drop, in its result's drop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use executor::{Described, Executor, JoinError, JoinHandle};

use super::join::Fate;
use super::subject::{
    Bomb, End, PAYLOAD, Subject, VALUE, assert_reports, ends, forgive, panic_unless_panicking, panicking_at,
};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Hook, Log, assert_usable, case, poll_once, quiet_panic, settle, wait_for, yield_times};

clause! {
    "T12" Contract "A panic in a task's poll ends that task, is reported by its handle, and harms nothing else."
    guards "rust-lang/futures-rs#1468, tokio-rs/tokio#209, crux#397, glommio#37: a panic that killed the worker or \
            the queue."
    pub fn t12_a_panic_in_poll_ends_only_its_task<E: Executor>() -> Outcome {
        if !E::CAPABILITIES.catches_panics {
            let executor = E::default();
            drop(executor.spawn(async { quiet_panic(PAYLOAD) }));
            return show_that_it_unwinds(&executor);
        }
        for last in [1, 3] {
            for wakes_itself in [false, true] {
                for fate in [Fate::Awaited, Fate::DroppedBefore, Fate::DroppedAfter] {
                    case(format_args!("in poll {last}, wakes itself: {wakes_itself}, handle {fate:?}"), || {
                        panic_in_poll::<E>(last, wakes_itself, fate);
                    });
                }
            }
        }
        Outcome::Pass
    }
}

fn panic_in_poll<E: Executor + Described + 'static>(last: usize, wakes_itself: bool, fate: Fate) {
    let (executor, log) = (E::default(), Log::new());
    let neighbour = || {
        executor.spawn(async {
            yield_times(3).await;
            VALUE
        })
    };
    let before = neighbour();
    let mut task = Some(executor.spawn(log.future(move |poll, cx| {
        if poll < last || wakes_itself {
            cx.waker().wake_by_ref();
        }
        if poll < last { Poll::<u32>::Pending } else { quiet_panic(PAYLOAD) }
    })));
    let after = neighbour();
    if fate == Fate::DroppedBefore {
        task = None;
    }
    assert!(executor.block_on(before).is_ok_and(|value| value == VALUE), "a task that was spawned before it");
    assert!(executor.block_on(after).is_ok_and(|value| value == VALUE), "a task that was spawned after it");
    executor.run();
    assert_eq!((log.polls(), log.drops()), (last, 1), "polls and drops of the future");
    if fate == Fate::DroppedAfter {
        task = None;
    }
    if let Some(task) = task {
        assert!(task.is_finished());
        assert_reports(End::Panics, executor.block_on(task));
    }
    log.assert_sound();
    assert_usable(&executor);
}

/// For executors that do not claim to catch panics: the panic of the spawned task reaches the caller.
fn show_that_it_unwinds<E: Executor>(executor: &E) -> Outcome {
    let unwound = catch_unwind(AssertUnwindSafe(|| executor.run()));
    assert!(unwound.is_err(), "it claims not to catch panics, but this one did not unwind out of `run`");
    Outcome::NotApplicable { capability: "catches_panics", why: "a panic in a task unwinds out of `run`" }
}

clause! {
    "T12d" Contract "A panic in the drop of a task's future is caught like one in its poll, whatever ended the task."
    guards "rust-lang/futures-rs#2863 and #2886: a use after free when a dropped future panicked."
    pub fn t12d_a_panic_in_a_futures_drop_ends_only_its_task<E: Executor>() -> Outcome {
        if !E::CAPABILITIES.catches_panics {
            let (executor, bomb) = (E::default(), Bomb::new(&Log::new()));
            let _detached = executor.spawn(async move {
                let _owned = &bomb;
            });
            return show_that_it_unwinds(&executor);
        }
        for end in ends::<E>() {
            for detached in [false, true] {
                case(format_args!("{end:?}, detached: {detached}"), || panic_in_drop::<E>(end, detached));
            }
        }
        Outcome::Pass
    }
}

fn panic_in_drop<E: Executor + Described + 'static>(end: End, detached: bool) {
    let bombs = Log::new();
    let bomb = Bomb::new(&bombs);
    let mut subject = Subject::<E>::acting(end, move |_| _ = &bomb, || {});
    let neighbours = [Log::new(), Log::new()];
    let handles = neighbours.each_ref().map(|log| subject.executor().spawn(log.pending()));
    subject.settle();
    if detached && end != End::Aborted {
        drop(subject.take_task());
    }
    let ended = catch_unwind(AssertUnwindSafe(|| subject.end()));
    assert!(ended.is_ok(), "the panic unwound out of what drives or drops the executor");
    subject.assert_ended();
    assert_eq!(bombs.drops(), 1, "drops of what panics in its drop");
    let task = subject.slot.lock().unwrap().take().filter(|_| !detached);
    if let Some(mut task) = task {
        assert!(task.is_finished());
        match wait_for(&mut task, "the end of a task whose future panicked in its drop") {
            Err(JoinError::Panicked(_)) => {}
            // The executor was dropped, too: both are true.
            Err(JoinError::Cancelled) if end == End::ExecutorDropped => {}
            result => panic!("the handle reports {result:?}"),
        }
    }
    if let Some(executor) = &subject.executor {
        assert_usable(executor);
        assert!(neighbours.iter().all(|log| log.drops() == 0), "another task's future was dropped, too");
    }
    subject.executor = None;
    assert!(neighbours.iter().all(|log| log.drops() == 1), "another task's future was not dropped");
    drop(handles);
}

clause! {
    "T12f" Contract "Of a task that panics in its poll and again in its drop, the handle reports the first panic."
    guards "a cause that is lost behind its consequence; tokio, too, reports the panic of the poll."
    pub fn t12f_the_first_panic_is_reported<E: Executor>() -> Outcome {
        let (executor, bombs) = (E::default(), Log::new());
        if !E::CAPABILITIES.catches_panics {
            let _detached = executor.spawn(async { quiet_panic(PAYLOAD) });
            return show_that_it_unwinds(&executor);
        }
        let task = executor.spawn(bombs.future(|_, _| quiet_panic(PAYLOAD)).on_drop(panic_unless_panicking));
        assert_reports(End::Panics, executor.block_on(task));
        assert_usable(&executor);
        Outcome::Pass
    }
}

clause! {
    "T12o" Contract "A panic in the drop of a result that is never taken harms nothing else."
    guards "what tokio tests as `task_combinations`: an output that panics on drop."
    pub fn t12o_a_panic_in_a_results_drop_harms_nothing<E: Executor>() -> Outcome {
        if !E::CAPABILITIES.catches_panics {
            let (executor, bombs) = (E::default(), Log::new());
            drop(executor.spawn(async move { Bomb::new(&bombs) }));
            return show_that_it_unwinds(&executor);
        }
        for payload in [false, true] {
            let what = if payload { "a panic's payload" } else { "an output" };
            for after in [false, true] {
                case(format_args!("{what}, handle dropped {}", if after { "after" } else { "before" }), || {
                    panic_in_results_drop::<E>(payload, after);
                });
            }
        }
        Outcome::Pass
    }
}

fn panic_in_results_drop<E: Executor + Described + 'static>(payload: bool, after: bool) {
    let (executor, bombs) = (E::default(), Log::new());
    let bomb = Bomb::new(&bombs);
    let task = executor.spawn(async move { if payload { quiet_panic(bomb) } else { bomb } });
    if after {
        settle(&executor);
        assert_eq!(bombs.drops(), 0, "drops of the result that the handle still owns");
        // T12h judges whether this unwinds.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(task)));
    } else {
        drop(task);
        let settled = catch_unwind(AssertUnwindSafe(|| settle(&executor)));
        assert!(settled.is_ok(), "the panic unwound out of `block_on`");
    }
    assert_eq!(bombs.drops(), 1, "drops of the result");
    assert_usable(&executor);
    executor.run();
}

clause! {
    "T12h" Quality
        "A result or join waker that panics when dropped with its handle does not make the handle's drop panic."
    guards "tokio-rs/tokio#4412: a handle is often dropped with much else, and a panic there skips the other drops."
    pub fn t12h_dropping_a_handle_does_not_panic<E: Executor>() -> Outcome {
        for end in ends::<E>() {
            case(format_args!("a join waker, then {end:?}"), || panic_with_the_handle::<E>(end));
        }
        let (executor, bombs) = (E::default(), Log::new());
        let bomb = Bomb::new(&bombs);
        let task = executor.spawn(async move { bomb });
        settle(&executor);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(task)));
        assert!(dropped.is_ok(), "the panic of an output unwound out of the handle's drop");
        assert_eq!(bombs.drops(), 1, "drops of the output");
        assert_usable(&executor);
        Outcome::Pass
    }
}

fn panic_with_the_handle<E: Executor + Described + 'static>(end: End) {
    let mut subject = Subject::<E>::spawn(end);
    subject.settle();
    let mut task = subject.take_task();
    let waker = panicking_at(Hook::Drop);
    assert!(poll_once(&mut task, &waker).is_pending());
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(task)));
    assert!(dropped.is_ok(), "the panic unwound out of the handle's drop");
    forgive(waker);
    // Without the handle nothing can abort the task.
    subject.end = if end == End::Aborted { End::Returns } else { end };
    subject.end();
    subject.executor = None;
    subject.log.assert_sound();
    assert_eq!(subject.log.drops(), 1, "drops of the future");
}
