//! The memory of a task that only waits.

use std::cell::Cell;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use conformance::Allocations;
use executor::{Described, Executor, yield_now};
use serde::{Deserialize, Serialize};

use crate::card;
use crate::contender::{self, Contender};
use crate::observation::Observation;
use crate::worker::{self, Failure, Work};

/// What a process measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The contender's name.
    pub executor: String,
}

/// The verb of these observations.
pub const VERB: &str = "memory";

/// Bytes of heap for each task, less the size of its future.
pub const BYTES: &str = "bytes per parked task beyond the future";
/// Blocks of heap for each task.
pub const BLOCKS: &str = "blocks per parked task";

/// How many tasks wait. The blocks that an executor lets grow are divided by this number.
pub const TASKS: usize = 10_000;

/// Makes a fresh process measure.
///
/// # Errors
///
/// When the process fails or does not count allocations.
pub fn measure_one(plan: &Plan) -> Result<Vec<Observation>, Failure> {
    worker::run(&Work::Memory(plan.clone()), Duration::from_secs(60))
}

/// For each size of a future: the bytes of a waiting task less that size, and its blocks.
pub(crate) type Probe = fn() -> Vec<(usize, f64, f64)>;

/// In the process: runs the probe.
pub(crate) fn measure(plan: &Plan, contenders: &[Contender]) -> Result<Vec<Observation>, String> {
    card::allocations_are_counted()?;
    let contender = contender::find(&plan.executor, contenders)?;
    let probe = contender.probes.memory.ok_or_else(|| format!("{} owns no tasks", plan.executor))?;
    let rows = probe().into_iter().flat_map(|(size, bytes, blocks)| {
        [(BYTES, bytes), (BLOCKS, blocks)]
            .map(|(quantity, value)| Observation::new(VERB, &plan.executor, "waiting", quantity, value).at(size as f64))
    });
    Ok(rows.collect())
}

thread_local! {
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

/// A future of that many bytes that is never ready.
struct Waiting<const SIZE: usize>([u8; SIZE]);

impl<const SIZE: usize> Future for Waiting<SIZE> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        black_box(&self.0);
        POLLS.set(POLLS.get() + 1);
        Poll::Pending
    }
}

pub(crate) fn of_tasks<E: Executor + Described>() -> Vec<(usize, f64, f64)> {
    vec![parked::<E, 0>(), parked::<E, 64>(), parked::<E, 256>(), parked::<E, 1024>(), parked::<E, 4096>()]
}

fn parked<E: Executor + Described, const SIZE: usize>() -> (usize, f64, f64) {
    let executor = E::default();
    let spawn = |tasks| {
        POLLS.set(0);
        for _ in 0..tasks {
            drop(executor.spawn(Waiting([0; SIZE])));
        }
        executor.block_on(async {
            while POLLS.get() < tasks {
                yield_now().await;
            }
        });
    };
    // Not counted: what only the first task causes.
    spawn(1);
    let before = Allocations::now();
    spawn(TASKS);
    let after = Allocations::now();
    let per_task = |count: isize| count as f64 / TASKS as f64;
    (SIZE, per_task(after.bytes - before.bytes) - SIZE as f64, per_task(after.blocks - before.blocks))
}
