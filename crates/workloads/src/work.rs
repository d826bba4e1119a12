//! One task that wakes itself, and does something each time it is polled: from nothing to a hundred microseconds.
//!
//! What an executor costs is a share of what is done with it. These workloads are a sweep over that share: where it ends,
//! the choice of an executor ends to matter.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::Executor;

use crate::check::{Check, Tally};
use crate::{Case, Iteration, Needs, Workload};

/// The task wakes itself, and takes so many steps before it does.
fn works(times: usize, steps: usize, polls: Arc<Tally>) -> impl Future<Output = ()> + Send + 'static {
    let mut left = times;
    poll_fn(move |cx| {
        polls.add();
        take(steps);
        if left == 0 {
            left = times;
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// A chain of steps, each of which waits for the one before it: a nanosecond or two for each. The shift is there so that
/// several steps cannot be made into one, as those of a linear generator can.
fn take(steps: usize) {
    let mut number = black_box(0x9e37_79b9_7f4a_7c15_u64);
    for _ in 0..steps {
        number = (number ^ (number >> 29)).wrapping_mul(6_364_136_223_846_793_005);
    }
    black_box(number);
}

fn on<E: Executor + 'static>(workload: &'static Workload, steps: usize) -> Iteration {
    let check = Check::contender::<E>(workload);
    let executor = E::default();
    let polls = Arc::new(Tally::default());
    // The poll in which the task ends does the same work, so that there are as many of these as there are operations.
    let times = workload.operations - 1;
    Box::new(move || {
        executor.block_on(async { executor.spawn(works(times, steps, polls.clone())).await }).expect("the task ends");
        check.polls(polls.take(), workload.operations..=workload.operations)
    })
}

fn by_hand(workload: &'static Workload, steps: usize) -> Iteration {
    let check = Check::floor(workload);
    let polls = Arc::new(Tally::default());
    let mut future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(works(workload.operations - 1, steps, polls.clone()));
    Box::new(move || {
        let mut cx = Context::from_waker(Waker::noop());
        let mut future = black_box(future.as_mut());
        while future.as_mut().poll(&mut cx).is_pending() {}
        check.polls(polls.take(), workload.operations..=workload.operations)
    })
}

macro_rules! sweep {
    ($($name:ident $id:literal: $operations:literal polls of $steps:literal steps,)*) => {
        $(
            #[doc = concat!("A task takes ", $steps, " steps in each poll.")]
            pub static $name: Workload = Workload {
                id: $id,
                title: concat!("yield in one task, ", $steps, " steps of work in each poll"),
                operation: concat!("the only task wakes itself, is polled again and takes ", $steps, " steps"),
                operations: $operations,
                needs: Needs::Executor,
                threads: 1,
                floor: || by_hand(&$name, $steps),
            };
        )*

        /// Every workload of the sweep, the least work first.
        pub static SWEEP: &[&Workload] = &[$(&$name),*];

        /// The sweep, for an executor.
        pub fn sweep_cases<E: Executor + 'static>() -> Vec<Case> {
            vec![$(Case::new(&$name, || on::<E>(&$name, $steps))),*]
        }
    };
}

sweep! {
    WORK_0 "work_0": 1000 polls of 0 steps,
    WORK_30 "work_30": 1000 polls of 30 steps,
    WORK_100 "work_100": 300 polls of 100 steps,
    WORK_300 "work_300": 100 polls of 300 steps,
    WORK_1000 "work_1000": 100 polls of 1000 steps,
    WORK_3000 "work_3000": 100 polls of 3000 steps,
    WORK_10000 "work_10000": 30 polls of 10000 steps,
    WORK_30000 "work_30000": 10 polls of 30000 steps,
    WORK_80000 "work_80000": 5 polls of 80000 steps,
}

/// The sweep, by hand.
pub fn sweep_floors() -> Vec<Case> {
    SWEEP.iter().map(|&workload| Case::new(workload, workload.floor)).collect()
}
