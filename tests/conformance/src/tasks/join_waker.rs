//! Join wakers: which of them is woken, and when each is dropped.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::task::{Poll, Waker};
use std::thread;

use executor::{Described, Executor, JoinHandle};

use super::subject::{End, Subject, VALUE, assert_reports, ends};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Hook, Log, WakeCount, assert_usable, case, hooked_waker, poll_once, settle};

clause! {
    "T9" Contract
        "The end of a task wakes the latest waker that its handle was polled with; no join waker is kept longer."
    guards "tokio-rs/tokio#2087, #4724, #6505 and #6986, compio#850: join wakers that were lost, or never dropped."
    pub fn t09_the_latest_join_waker_is_woken_at_the_end<E: Executor>() -> Outcome {
        for end in ends::<E>() {
            case(format_args!("{end:?}"), || wake_joiner::<E>(end));
        }
        case("handle dropped while the task is pending", || {
            let (mut subject, count) = drop_polled_handle::<E>();
            let task_waker = subject.log.waker();
            subject.end();
            assert_eq!(Arc::strong_count(&count), 1, "references to the count: a waker of the task keeps it");
            drop(task_waker);
        });
        case("handle moved to another awaiter", || {
            let mut subject = Subject::<E>::spawn(End::Returns);
            subject.settle();
            let (executor, mut task) = (subject.executor(), subject.take_task());
            assert!(poll_once(&mut task, Waker::noop()).is_pending());
            let (log, go) = (subject.log.clone(), subject.go.clone());
            let result = executor.block_on(async {
                assert!(poll_once(&mut task, Waker::noop()).is_pending());
                let joined = std::future::poll_fn(|cx| poll_once(&mut task, cx.waker()));
                let mut joined = std::pin::pin!(joined);
                let first = std::future::poll_fn(|cx| Poll::Ready(joined.as_mut().poll(cx)));
                assert!(first.await.is_pending());
                go.open();
                log.waker().wake();
                joined.await
            });
            assert_reports(End::Returns, result);
            subject.executor = None;
            subject.assert_ended();
        });
        Outcome::Pass
    }
}

fn wake_joiner<E: Executor + Described + 'static>(end: End) {
    let mut subject = Subject::<E>::spawn(end);
    subject.settle();
    let task_waker = subject.log.waker();
    let mut task = subject.take_task();
    let (replaced, first) = WakeCount::new();
    let (count, latest) = WakeCount::new();
    for waker in [&first, &latest, &latest] {
        assert!(poll_once(&mut task, waker).is_pending());
    }
    drop((first, latest));
    assert_eq!(Arc::strong_count(&replaced), 1, "the join waker that was replaced was not dropped");
    subject.settle();
    assert_eq!(count.wakes(), 0, "wakes before the end");
    *subject.slot.lock().unwrap() = Some(task);
    subject.end();
    assert!(count.wakes() > 0, "the latest join waker was not woken");
    assert_eq!(replaced.wakes(), 0, "a join waker that was replaced was woken");
    drop(subject.take_task());
    assert_eq!(Arc::strong_count(&count), 1, "references to the count: a waker of the task keeps it");
    drop(task_waker);
    subject.assert_ended();
}

clause! {
    "T9r" Contract "A join waker that is registered while the task completes is woken."
    guards "tokio-rs/tokio#2087 and #2096: a waker set blindly after the task had looked for one."
    pub fn t09r_registering_a_join_waker_races_completion<E: Executor>() -> Outcome {
        let executor = E::default();
        let started = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = (0..4_000)
            .map(|index| {
                let started = started.clone();
                executor.spawn(async move {
                    while !started.load(SeqCst) {
                        thread::yield_now();
                    }
                    // Long enough for the other thread to arrive, which then polls all the time: the end falls into
                    // different moments of a poll.
                    (0..50 + index % 16).for_each(|_| std::hint::spin_loop());
                })
            })
            .collect();
        let joiner = thread::spawn(move || {
            started.store(true, SeqCst);
            tasks.into_iter().for_each(poll_until_finished);
        });
        executor.run();
        assert!(joiner.join().is_ok(), "a join waker was lost");
        Outcome::Pass
    }
}

/// Registers two wakers alternately until the task has finished. Unless the last poll reported that, its waker must be
/// woken.
fn poll_until_finished(mut task: impl JoinHandle<()>) {
    let wakers = [Gate::new(), Gate::new()].map(|woken| (Waker::from(woken.clone()), woken));
    for (waker, woken) in wakers.iter().cycle() {
        if poll_once(&mut task, waker).is_ready() {
            return;
        }
        if task.is_finished() {
            return woken.wait("the join waker that was registered last, while the task completed");
        }
    }
}

clause! {
    "T9a" Contract
        "A join waker may spawn and abort when it is cloned, woken or dropped, and drive when it is cloned or dropped."
    guards "foreign code under a lock: what it does with the executor waits for that lock. tokio-rs/tokio#3689 is \
            related."
    pub fn t09a_a_join_waker_may_use_the_executor<E: Executor>() -> Outcome {
        use Moment::*;
        for (moment, drives) in [
            (Cloned, false),
            (Cloned, true),
            (Replaced, false),
            (Replaced, true),
            (Detached, false),
            (Detached, true),
            (Woken, false),
        ] {
            case(format_args!("{moment:?}, drives: {drives}"), || act_in_join_waker::<E>(moment, drives));
        }
        Outcome::Pass
    }
}

/// When a join waker runs code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Cloned,
    /// The handle is polled with another waker.
    Replaced,
    /// The handle is dropped.
    Detached,
    Woken,
}

/// What a join waker does, once.
type Act = Box<dyn FnOnce()>;

fn act_in_join_waker<E: Executor + Described + 'static>(moment: Moment, drives: bool) {
    thread_local! {
        static ACT: Cell<Option<(Hook, Act)>> = const { Cell::new(None) };
    }
    let executor = Rc::new(E::default());
    let (go, log, aborted, new) = (Gate::new(), Log::new(), Log::new(), Log::new());
    let opened = go.clone();
    let mut task =
        executor.spawn(log.future(move |_, _| if opened.is_open() { Poll::Ready(VALUE) } else { Poll::Pending }));
    let victim = executor.spawn(aborted.pending());
    settle(&*executor);
    let waker = hooked_waker(|done| match ACT.take() {
        Some((hook, act)) if hook == done => act(),
        other => ACT.set(other),
    });
    let end = {
        let (executor, go, log) = (executor.clone(), go.clone(), log.clone());
        move || {
            go.open();
            log.waker().wake();
            settle(&*executor);
        }
    };
    let act = {
        let (executor, new, end) = (executor.clone(), new.clone(), end.clone());
        move || {
            victim.abort();
            drop(executor.spawn(new.future(|_, _| Poll::Ready(()))));
            if drives {
                end();
            }
        }
    };
    let act_at = |hook| ACT.set(Some((hook, Box::new(act))));

    if moment != Moment::Cloned {
        assert!(poll_once(&mut task, &waker).is_pending());
    }
    let mut task = Some(task);
    match moment {
        Moment::Cloned => {
            act_at(Hook::Clone);
            // Ready if the task has ended during the clone.
            task = task.and_then(|mut task| poll_once(&mut task, &waker).is_pending().then_some(task));
        }
        Moment::Replaced => {
            act_at(Hook::Drop);
            task = task.and_then(|mut task| poll_once(&mut task, Waker::noop()).is_pending().then_some(task));
        }
        Moment::Detached => {
            act_at(Hook::Drop);
            task = None;
        }
        Moment::Woken => act_at(Hook::Wake),
    }
    if moment != Moment::Woken {
        // If the waker is kept longer, which T9 and T9k judge, it does nothing.
        drop(ACT.take());
    }
    end();
    assert_eq!(log.drops(), 1, "drops of the task's future");
    settle(&*executor);
    assert!(ACT.take().is_none(), "the join waker was not woken");
    if let Some(mut task) = task {
        assert!(matches!(poll_once(&mut task, Waker::noop()), Poll::Ready(Ok(VALUE))), "the handle has no result");
    }
    [&log, &aborted, &new].into_iter().for_each(|log| log.assert_sound());
    assert_usable(&*executor);
}

clause! {
    "T9k" Quality "A join waker is dropped with its handle, and not kept until the task ends."
    guards "tokio-rs/tokio#6505 and #6986: a waker, and all that it keeps, for as long as a detached task runs."
    pub fn t09k_a_join_waker_is_dropped_with_its_handle<E: Executor>() -> Outcome {
        let (subject, count) = drop_polled_handle::<E>();
        assert_eq!(Arc::strong_count(&count), 1, "the join waker was not dropped with the handle");
        drop(subject);
        Outcome::Pass
    }
}

/// A pending task whose handle was polled with a counting waker and then dropped.
fn drop_polled_handle<E: Executor + Described + 'static>() -> (Subject<E>, Arc<WakeCount>) {
    let subject = Subject::<E>::spawn(End::Returns);
    subject.settle();
    let mut task = subject.take_task();
    let (count, waker) = WakeCount::new();
    assert!(poll_once(&mut task, &waker).is_pending());
    drop((waker, task));
    assert_eq!(count.wakes(), 0, "wakes of a join waker whose handle was dropped");
    (subject, count)
}
