//! Join wakers that panic.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Waker;

use executor::{Described, Executor};

use super::subject::{
    End, Subject, VALUE, assert_reports, assert_result_of, ends, forgive, panic_unless_panicking, panicking_at,
};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{
    Gate, Hook, WakeCount, assert_usable, case, hooked_waker, poll_once, quiet_panic, settle, waker_fn,
};

clause! {
    "T9p" Quality "A join waker that panics breaks neither the executor nor its own task."
    guards "tokio-rs/tokio#3689 and #4069: foreign wakers that panic while the state is half updated."
    pub fn t09p_a_panicking_join_waker_breaks_nothing<E: Executor>() -> Outcome {
        for end in ends::<E>().filter(|&end| end != End::ExecutorDropped) {
            case(format_args!("{end:?}"), || {
                let mut subject = Subject::<E>::spawn(end);
                subject.settle();
                let mut task = subject.take_task();
                assert!(poll_once(&mut task, &waker_fn(|| quiet_panic("in a join waker"))).is_pending());
                *subject.slot.lock().unwrap() = Some(task);
                let ended = catch_unwind(AssertUnwindSafe(|| subject.end()));
                assert!(ended.is_ok() || !E::CAPABILITIES.catches_panics, "the panic unwound through the executor");
                assert_usable(subject.executor());
                subject.assert_ended();
                if end != End::Aborted || E::CAPABILITIES.reports_cancellation {
                    let task = subject.take_task();
                    assert_reports(end, subject.executor().block_on(task));
                }
            });
        }
        Outcome::Pass
    }
}

clause! {
    "T9c" Contract "A join waker that panics when cloned or dropped costs neither the result nor another waker's wake."
    guards "tokio-rs/tokio#8107, apache/asyncband#259: foreign code between taking a result and handing it over. Also \
            found \
            here: a join waker released before the next one was cloned."
    pub fn t09c_a_join_waker_that_panics_in_clone_or_drop_costs_nothing<E: Executor>() -> Outcome {
        for end in ends::<E>() {
            case(format_args!("{end:?}, the next one panics when cloned"), || panic_in_the_clone::<E>(end));
            case(format_args!("{end:?}, panics when replaced"), || panic_when_replaced::<E>(end));
            case(format_args!("{end:?}, panics when dropped after the end"), || panic_after_the_end::<E>(end));
        }
        case("cloned while the task ends", panic_while_it_ends::<E>);
        Outcome::Pass
    }
}

fn panic_in_the_clone<E: Executor + Described + 'static>(end: End) {
    let mut subject = Subject::<E>::spawn(end);
    subject.settle();
    let mut task = subject.take_task();
    let (count, waker) = WakeCount::new();
    assert!(poll_once(&mut task, &waker).is_pending());
    let next = panicking_at(Hook::Clone);
    let polled = catch_unwind(AssertUnwindSafe(|| poll_once(&mut task, &next).is_pending()));
    assert_ne!(polled.ok(), Some(false), "a pending task's handle was ready");
    *subject.slot.lock().unwrap() = Some(task);
    subject.end();
    assert_eq!(count.wakes(), 1, "wakes of the join waker that was there before");
    let mut task = subject.take_task();
    assert_result_of(end, poll_once(&mut task, Waker::noop()));
}

fn panic_when_replaced<E: Executor + Described + 'static>(end: End) {
    let mut subject = Subject::<E>::spawn(end);
    subject.settle();
    let mut task = subject.take_task();
    let replaced = panicking_at(Hook::Drop);
    assert!(poll_once(&mut task, &replaced).is_pending());
    let (count, waker) = WakeCount::new();
    let polled = catch_unwind(AssertUnwindSafe(|| poll_once(&mut task, &waker).is_pending()));
    assert_ne!(polled.ok(), Some(false), "a pending task's handle was ready");
    *subject.slot.lock().unwrap() = Some(task);
    subject.end();
    assert_eq!(count.wakes(), 1, "wakes of the join waker that took its place");
    let mut task = subject.take_task();
    assert_result_of(end, poll_once(&mut task, Waker::noop()));
    forgive(replaced);
}

fn panic_after_the_end<E: Executor + Described + 'static>(end: End) {
    let mut subject = Subject::<E>::spawn(end);
    subject.settle();
    let mut task = subject.take_task();
    let waker = panicking_at(Hook::Drop);
    assert!(poll_once(&mut task, &waker).is_pending());
    *subject.slot.lock().unwrap() = Some(task);
    let ended = catch_unwind(AssertUnwindSafe(|| subject.end()));
    assert!(ended.is_ok() || !E::CAPABILITIES.catches_panics, "the panic unwound through the executor");
    let mut task = subject.take_task();
    assert_result_of(end, poll_once(&mut task, &waker));
    forgive(waker);
}

/// The task ends while the handle clones its waker, so that the handle has no use for the clone.
fn panic_while_it_ends<E: Executor + Described + 'static>() {
    thread_local! {
        static IN_CLONE: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
    }
    let (executor, go) = (Rc::new(E::default()), Gate::new());
    let mut task = executor.spawn({
        let opened = go.opened();
        async {
            opened.await;
            VALUE
        }
    });
    settle(&*executor);
    let waker = hooked_waker(|hook| match hook {
        Hook::Clone => IN_CLONE.take().into_iter().for_each(|act| act()),
        Hook::Wake => {}
        Hook::Drop => panic_unless_panicking(),
    });
    IN_CLONE.set(Some(Box::new({
        let executor = executor.clone();
        move || {
            go.open();
            settle(&*executor);
        }
    })));
    let mut polled = poll_once(&mut task, &waker);
    assert!(IN_CLONE.take().is_none(), "the waker was not cloned");
    if polled.is_pending() {
        polled = poll_once(&mut task, &waker);
    }
    assert_result_of(End::Returns, polled);
    forgive(waker);
}
