//! A wake from another thread, and how long until it is heard.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::task::Poll;
use std::thread;

use executor::{Described, Executor};
use futures::task::AtomicWaker;

use crate::check::{Check, Tally};
use crate::helper::Helper;
use crate::{Iteration, Needs, Workload};

/// See [`foreign_wake_one`].
pub static FOREIGN_WAKE_ONE: Workload = Workload {
    id: "foreign_wake_one",
    title: "another thread wakes a task, there and back",
    operation: "a task unparks a sleeping thread, which wakes the task, which is polled",
    operations: 10,
    needs: Needs::Executor,
    threads: 2,
    pass: 1,
    floor: foreign_wake_one_floor,
};

/// Spawns one task that asks a second thread for a wake, ten times, one after the other.
///
/// Latency, there and back. The second thread sleeps when it is asked, and getting up takes it longer, as a rule, than
/// an executor needs to park; nothing enforces that the wake finds it parked. It is a distribution with a long tail:
/// for a ranking look at percentiles, never at one number.
pub fn foreign_wake_one<E: Executor + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&FOREIGN_WAKE_ONE);
    let executor = E::default();
    let friend = Arc::new(Friend::new());
    Box::new(move || {
        let trips = executor
            .block_on(async { executor.spawn(round_trips(friend.clone(), FOREIGN_WAKE_ONE.operations)).await })
            .expect("the task ends");
        friend.check(check, trips, FOREIGN_WAKE_ONE.operations)
    })
}

/// Parks and unparks two threads by turns, with a flag each against waking up for nothing.
pub fn foreign_wake_one_floor() -> Iteration {
    round_trips_by_hand(&FOREIGN_WAKE_ONE)
}

pub(crate) fn round_trips_by_hand(workload: &'static Workload) -> Iteration {
    let answered = Arc::new(AtomicBool::new(false));
    let helper = Helper::new({
        let (answered, caller) = (answered.clone(), thread::current());
        move || {
            // Release: pairs with the Acquire below.
            answered.store(true, Release);
            caller.unpark();
        }
    });
    Box::new(move || {
        for _ in 0..workload.operations {
            helper.ask();
            // Acquire: pairs with the Release above.
            while !answered.swap(false, Acquire) {
                thread::park();
            }
        }
        // No future is polled.
        0
    })
}

/// A second thread that wakes whoever asks it to.
#[derive(Debug)]
pub(crate) struct Friend {
    answer: Arc<Answer>,
    helper: Helper,
    pub(crate) polls: Tally,
}

#[derive(Debug, Default)]
struct Answer {
    given: AtomicBool,
    waker: AtomicWaker,
}

impl Friend {
    pub(crate) fn new() -> Self {
        let answer = Arc::new(Answer::default());
        let helper = Helper::new({
            let answer = answer.clone();
            move || {
                // Release: pairs with the Acquire in `round_trips`.
                answer.given.store(true, Release);
                answer.waker.wake();
            }
        });
        Self { answer, helper, polls: Tally::default() }
    }

    pub(crate) fn check(&self, check: Check, trips: usize, expected: usize) -> usize {
        check.result(trips, expected);
        check.polls(self.polls.take(), expected + 1..=expected + 1)
    }
}

/// Asks the friend for a wake, so many times, one after the other, and returns how many came.
pub(crate) fn round_trips(friend: Arc<Friend>, times: usize) -> impl Future<Output = usize> + Send + 'static {
    let (mut asked, mut trips) = (false, 0);
    poll_fn(move |cx| {
        friend.polls.add();
        // Before the question, so that the answer finds it; and before the look, or an answer in between would be lost.
        friend.answer.waker.register(cx.waker());
        if asked {
            // Acquire: pairs with the Release in `new`.
            if !friend.answer.given.swap(false, Acquire) {
                return Poll::Pending;
            }
            asked = false;
            trips += 1;
        }
        if trips == times {
            // Not kept: the waker of a task that ended must not stand in the way of the next one.
            drop(friend.answer.waker.take());
            return Poll::Ready(trips);
        }
        asked = true;
        friend.helper.ask();
        Poll::Pending
    })
}
