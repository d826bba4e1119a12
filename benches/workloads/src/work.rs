//! One task that wakes itself, and works in each poll: from nothing to a hundred microseconds.
//!
//! An executor's cost is a share of what a program does. These workloads are a sweep over that share: where it is small
//! enough, the choice of an executor no longer matters.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;

use executor::{Described, Executor};

use crate::check::Tally;
use crate::wakers::{by_hand, in_one_task, yields};
use crate::{Case, Iteration, Needs, Workload};

/// Does `steps` steps in each of `polls` polls, and wakes its own task in all but the last.
fn works(polls: usize, steps: usize, tally: Arc<Tally>) -> impl Future<Output = ()> + Send + 'static {
    let mut yields = yields(polls - 1, tally);
    poll_fn(move |cx| {
        take(steps);
        Pin::new(&mut yields).poll(cx)
    })
}

/// A chain of steps, each of which depends on the previous one: a nanosecond or two each. The shift prevents the
/// compiler from merging several steps into one, as it could with a linear generator.
fn take(steps: usize) {
    let mut number = black_box(0x9e37_79b9_7f4a_7c15_u64);
    for _ in 0..steps {
        number = (number ^ (number >> 29)).wrapping_mul(6_364_136_223_846_793_005);
    }
    black_box(number);
}

fn on<E: Executor + Described + 'static>(workload: &'static Workload, steps: usize) -> Iteration {
    let polls = workload.operations;
    in_one_task::<E, _>(workload, polls, move |tally| works(polls, steps, tally))
}

fn floor(workload: &'static Workload, steps: usize) -> Iteration {
    let polls = workload.operations;
    by_hand(workload, polls, |tally| Box::pin(works(polls, steps, tally)))
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
                pass: 1,
                floor: || floor(&$name, $steps),
            };
        )*

        /// Every workload of the sweep, the least work first.
        pub static SWEEP: &[&Workload] = &[$(&$name),*];

        /// The sweep, for an executor.
        pub fn sweep_cases<E: Executor + Described + 'static>() -> Vec<Case> {
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
