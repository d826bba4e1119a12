//! A future on the calling thread, without a task: all that some executors offer.

use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::{BlockOn, Described};

use crate::check::{Check, Tally};
use crate::foreign::{Friend, round_trips, round_trips_by_hand};
use crate::wakers::{yields, yields_by_hand};
use crate::{Iteration, Needs, Workload};

/// Calls `block_on` 1,000 times with the same boxed future, which is ready whenever it is polled.
///
/// This is what entering and leaving costs: a waker that is made or taken from a cache, a lock, a thread-local.
pub static BLOCK_ON_READY: Workload = Workload {
    id: "block_on_ready",
    title: "block_on of a ready future",
    operation: "a call of block_on whose future is ready at its first poll",
    operations: 1_000,
    needs: Needs::BlockOn,
    threads: 1,
    pass: 1,
    floor: block_on_ready_floor,
};

/// Calls `block_on` once, with a boxed future that wakes itself during 1,000 polls.
pub static BLOCK_ON_YIELD: Workload = Workload {
    id: "block_on_yield",
    title: "yield in the future of block_on",
    operation: "the future of a block_on wakes itself and is polled again",
    operations: 1_000,
    needs: Needs::BlockOn,
    threads: 1,
    pass: 1,
    floor: block_on_yield_floor,
};

/// Calls `block_on` once, with a future that asks a second thread for a wake, ten times in a row.
///
/// Like [`foreign_wake_one`](crate::foreign::FOREIGN_WAKE_ONE), without a task.
pub static BLOCK_ON_FOREIGN_WAKE: Workload = Workload {
    id: "block_on_foreign_wake",
    title: "another thread wakes a block_on, there and back",
    operation: "the future of a block_on unparks a sleeping thread, which wakes it, and it is polled",
    operations: 10,
    needs: Needs::BlockOn,
    threads: 2,
    pass: 1,
    floor: block_on_foreign_wake_floor,
};

/// Sets up [`BLOCK_ON_READY`].
pub fn block_on_ready<E: BlockOn + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&BLOCK_ON_READY);
    let executor = E::default();
    ready_calls(check, move |future| executor.block_on(future))
}

/// Polls the same boxed future once for each call.
pub fn block_on_ready_floor() -> Iteration {
    ready_calls(Check::floor(&BLOCK_ON_READY), |future| {
        let poll = future.poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_ready(), "the future is ready at its first poll");
    })
}

fn ready_calls(check: Check, call: impl Fn(Pin<&mut dyn Future<Output = ()>>) + 'static) -> Iteration {
    let polls = Arc::new(Tally::default());
    let counted = polls.clone();
    let mut future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(std::future::poll_fn(move |_| {
        counted.add();
        Poll::Ready(())
    }));
    Box::new(move || {
        for _ in 0..BLOCK_ON_READY.operations {
            call(black_box(future.as_mut()));
        }
        check.polls(polls.take(), BLOCK_ON_READY.operations..=BLOCK_ON_READY.operations)
    })
}

/// Sets up [`BLOCK_ON_YIELD`].
pub fn block_on_yield<E: BlockOn + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&BLOCK_ON_YIELD);
    let executor = E::default();
    let polls = Arc::new(Tally::default());
    let mut future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(yields(BLOCK_ON_YIELD.operations, polls.clone()));
    Box::new(move || {
        executor.block_on(black_box(future.as_mut()));
        check.polls(polls.take(), BLOCK_ON_YIELD.operations + 1..=BLOCK_ON_YIELD.operations + 1)
    })
}

/// Polls the same boxed future until it is ready. Its wakes go to [`Waker::noop`].
pub fn block_on_yield_floor() -> Iteration {
    yields_by_hand(&BLOCK_ON_YIELD)
}

/// Sets up [`BLOCK_ON_FOREIGN_WAKE`].
pub fn block_on_foreign_wake<E: BlockOn + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&BLOCK_ON_FOREIGN_WAKE);
    let executor = E::default();
    let friend = Arc::new(Friend::new());
    Box::new(move || {
        let trips = executor.block_on(round_trips(friend.clone(), BLOCK_ON_FOREIGN_WAKE.operations));
        friend.check(check, trips, BLOCK_ON_FOREIGN_WAKE.operations)
    })
}

/// Parks and unparks two threads alternately.
pub fn block_on_foreign_wake_floor() -> Iteration {
    round_trips_by_hand(&BLOCK_ON_FOREIGN_WAKE)
}
