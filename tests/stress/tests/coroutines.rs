//! Calls of `block_on` on stacks that a program switches between: they do not end in the order of a stack.
#![cfg(unix)]

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use executor::{Described, Executor, yield_now};
use generator::{Gn, done};

/// Two coroutines on one thread, each in a `block_on` of an executor of its own, which is dropped with it. The one that
/// began first ends first, while the other is suspended in a poll.
fn the_first_ends_first<E: Executor + Described + 'static>() {
    let coroutine = || {
        Gn::<()>::new_scoped(|mut scope| {
            let executor = E::default();
            let task = executor.spawn(async {
                yield_now().await;
                7
            });
            let mut polls = 0;
            executor.block_on(poll_fn(|cx| {
                polls += 1;
                if polls == 1 {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                scope.yield_(());
                Poll::Ready(())
            }));
            assert_eq!(executor.block_on(task).ok(), Some(7), "the executor does not run its tasks afterwards");
            done!()
        })
    };
    let mut coroutines = [coroutine(), coroutine()];
    for turn in 0..4 {
        coroutines[turn % 2].resume();
    }
    assert!(coroutines.iter().all(|coroutine| coroutine.is_done()));
}

/// A coroutine is suspended in the first poll of a `block_on`, and ends in the first poll of another call of the same
/// executor, on another stack: it takes nothing along that the other call has.
fn a_first_poll_ends_in_another<E: Executor + Described + Send + Sync + 'static>() {
    let executor = Arc::new(E::default());
    let is_nested = || catch_unwind(AssertUnwindSafe(|| executor.block_on(async {}))).is_err();
    let suspended = executor.clone();
    let mut coroutine = Gn::<()>::new_scoped(move |mut scope| {
        suspended.block_on(poll_fn(|_| {
            scope.yield_(());
            Poll::Ready(())
        }));
        done!()
    });
    coroutine.resume();
    let mut task = None;
    executor.block_on(poll_fn(|_| {
        task = Some(executor.spawn(async { 7 }));
        let before = is_nested();
        coroutine.resume();
        assert!(coroutine.is_done());
        assert_eq!(is_nested(), before, "whether the call drives");
        Poll::Ready(())
    }));
    assert!(!is_nested(), "nobody drives any more");
    assert_eq!(executor.block_on(task.expect("it was spawned")).ok(), Some(7));
}

#[test]
fn noop_waker() {
    the_first_ends_first::<noop_waker::NoopExecutor>();
    a_first_poll_ends_in_another::<noop_waker::NoopExecutor>();
}

#[test]
fn park_waker() {
    the_first_ends_first::<park_waker::ParkExecutor>();
    a_first_poll_ends_in_another::<park_waker::ParkExecutor>();
}

#[test]
fn arc_waker() {
    the_first_ends_first::<arc_waker::ArcExecutor>();
    a_first_poll_ends_in_another::<arc_waker::ArcExecutor>();
}

#[test]
fn raw_waker() {
    the_first_ends_first::<raw_waker::RawExecutor>();
    a_first_poll_ends_in_another::<raw_waker::RawExecutor>();
}

#[cfg(target_pointer_width = "64")]
#[test]
fn biased_waker() {
    the_first_ends_first::<biased_waker::BiasedExecutor>();
    a_first_poll_ends_in_another::<biased_waker::BiasedExecutor>();
}
