//! Calls of `block_on` on several stacks between which a program switches: they do not end in the order of a stack.
#![cfg(unix)]

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use executor::{Described, Executor, yield_now};
use generator::{Gn, done};

/// Two coroutines on one thread, each in a `block_on` of its own executor, which is dropped with it. The first one to
/// begin is the first to end, while the other is suspended in a poll.
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
/// executor, on another stack: it must not take anything that the other call owns.
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

macro_rules! coroutines {
    ($($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
        $(
            mod $executor {
                on_coroutines!($kind lineup::$executor);
            }
        )*
    };
}

macro_rules! on_coroutines {
    // It owns no tasks.
    (BlockOn $executor:ty) => {};
    (Executor $executor:ty) => {
        #[test]
        fn the_first_call_ends_first() {
            crate::the_first_ends_first::<$executor>();
        }
    };
    (RemoteSpawn $executor:ty) => {
        on_coroutines!(Executor $executor);

        #[test]
        fn a_first_poll_ends_in_another() {
            crate::a_first_poll_ends_in_another::<$executor>();
        }
    };
}

lineup::for_each_strategy!(coroutines);
