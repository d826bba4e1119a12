#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use executor::{BlockOn, Capabilities, Described, Executor};

pub mod block_on;
pub mod card;
pub mod crowd;
pub mod foreign;
pub mod ping_pong;
pub mod spawn;
pub mod wakers;
pub mod work;

mod check;
mod helper;

use block_on::{BLOCK_ON_FOREIGN_WAKE, BLOCK_ON_READY, BLOCK_ON_YIELD};
use crowd::{
    ALL_READY, ALL_READY_LATER, ALL_READY_SHUFFLED, FOREIGN_WAKE_10000, FOREIGN_WAKE_BY_TWO, FOREIGN_WAKE_MANY,
    ONE_READY_1, ONE_READY_100, ONE_READY_10000, YIELD_MANY,
};
use foreign::{FOREIGN_JOIN, FOREIGN_WAKE_ONE, WAKE_STORM};
use ping_pong::PING_PONG;
use spawn::{
    ABORT, ABORT_LATER, DROP_WAITING, SPAWN_JOIN, SPAWN_JOIN_MANY, SPAWN_JOIN_MANY_LATER, SPAWN_JOIN_UNORDERED,
    SPAWN_LARGE,
};
use wakers::{WAKER_CLONE, YIELD_ONE};

/// What is measured, on any contender.
#[derive(Debug)]
pub struct Workload {
    /// Its name in ids, file paths and tables, such as `yield_one`.
    pub id: &'static str,
    /// What happens, in a few words.
    pub title: &'static str,
    /// What is counted: "one operation is" this.
    pub operation: &'static str,
    /// N: how many operations one call of an [`Iteration`] does.
    pub operations: usize,
    /// Which executors can run it.
    pub needs: Needs,
    /// How many threads take part. With one, a disturbance can only make it slower, so the shortest of many times is
    /// what it costs; with two or more, the times are a distribution.
    pub threads: usize,
    /// How many calls of an [`Iteration`] touch all that was set up. Make that many before the first timed one, to
    /// measure the work and not what others left in the caches.
    pub pass: usize,
    /// Sets up the floor: the same work by hand, without an executor. What an executor takes beyond that is its own
    /// price.
    pub floor: fn() -> Iteration,
}

/// The weakest trait that a workload can be run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// [`executor::BlockOn`]
    BlockOn,
    /// [`executor::Executor`]
    Executor,
    /// [`executor::RemoteSpawn`]: an executor that other threads may use.
    RemoteSpawn,
}

impl Needs {
    /// Whether an executor that owns tasks and has these capabilities meets the need.
    fn are_met_by(self, capabilities: Capabilities) -> bool {
        self != Self::RemoteSpawn || capabilities.remote_spawn
    }
}

/// The timed part: does the workload's N operations, awaits all that it started, and returns how often the futures it
/// counts were polled.
///
/// Everything that is not timed (the executor, tasks that wait, helper threads) is made with the iteration and dropped
/// with it. Call it on the thread that made it, any number of times.
///
/// # Panics
///
/// When a result is wrong, or when the futures were polled less often than they were woken; also when they were polled
/// more often, if the executor claims to poll only what was woken.
pub type Iteration = Box<dyn FnMut() -> usize>;

/// A workload for one contender, not yet set up.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is measured.
    pub workload: &'static Workload,
    set_up: fn() -> Iteration,
}

impl Case {
    /// A case that is not in the lists. `set_up` is one of the functions of this crate, or one like them.
    pub const fn new(workload: &'static Workload, set_up: fn() -> Iteration) -> Self {
        Self { workload, set_up }
    }

    /// Makes everything that is not timed.
    pub fn set_up(&self) -> Iteration {
        (self.set_up)()
    }
}

/// The list of workloads, in the order of the tables, from which all functions that enumerate them are made.
macro_rules! workloads {
    (Executor { $($task:ident = $run_task:expr,)+ } BlockOn { $($root:ident = $run_root:expr,)+ }) => {
        /// Every workload, in the order of the tables.
        pub static WORKLOADS: &[&Workload] = &[$(&$task,)+ $(&$root,)+];

        /// Every workload that an executor which owns tasks can run.
        pub fn executor_cases<E: Executor + Described + 'static>() -> Vec<Case> {
            let mut cases = vec![$(Case::new(&$task, $run_task),)+ $(Case::new(&$root, $run_root),)+];
            cases.retain(|case| case.workload.needs.are_met_by(E::CAPABILITIES));
            cases
        }

        /// The workloads without tasks, for executors that have only `block_on`.
        pub fn block_on_cases<E: BlockOn + Described + 'static>() -> Vec<Case> {
            vec![$(Case::new(&$root, $run_root),)+]
        }
    };
}

workloads! {
    Executor {
        SPAWN_JOIN = spawn::spawn_join::<E>,
        SPAWN_JOIN_MANY = spawn::spawn_join_many::<E>,
        SPAWN_JOIN_MANY_LATER = spawn::spawn_join_many_later::<E>,
        SPAWN_JOIN_UNORDERED = spawn::spawn_join_unordered::<E>,
        SPAWN_LARGE = spawn::spawn_large::<E>,
        ABORT = spawn::abort::<E>,
        ABORT_LATER = spawn::abort_later::<E>,
        DROP_WAITING = spawn::drop_waiting::<E>,
        YIELD_ONE = wakers::yield_one::<E>,
        YIELD_MANY = crowd::yield_many::<E>,
        ALL_READY = crowd::all_ready::<E>,
        ALL_READY_LATER = crowd::all_ready_later::<E>,
        ALL_READY_SHUFFLED = crowd::all_ready_shuffled::<E>,
        ONE_READY_1 = crowd::one_ready_1::<E>,
        ONE_READY_100 = crowd::one_ready_100::<E>,
        ONE_READY_10000 = crowd::one_ready_10000::<E>,
        PING_PONG = ping_pong::ping_pong::<E>,
        FOREIGN_WAKE_ONE = foreign::foreign_wake_one::<E>,
        FOREIGN_WAKE_MANY = crowd::foreign_wake_many::<E>,
        FOREIGN_WAKE_10000 = crowd::foreign_wake_10000::<E>,
        FOREIGN_WAKE_BY_TWO = crowd::foreign_wake_by_two::<E>,
        WAKE_STORM = foreign::wake_storm::<E>,
        FOREIGN_JOIN = foreign::foreign_join::<E>,
        WAKER_CLONE = wakers::waker_clone::<E>,
    }
    BlockOn {
        BLOCK_ON_READY = block_on::block_on_ready::<E>,
        BLOCK_ON_YIELD = block_on::block_on_yield::<E>,
        BLOCK_ON_FOREIGN_WAKE = block_on::block_on_foreign_wake::<E>,
    }
}

/// The floor of every workload.
pub fn floor_cases() -> Vec<Case> {
    WORKLOADS.iter().map(|&workload| Case::new(workload, workload.floor)).collect()
}

/// The floor without an allocator, for the workloads whose floor is little else than one.
pub fn in_place_cases() -> Vec<Case> {
    vec![
        Case::new(&SPAWN_JOIN, spawn::spawn_join_in_place),
        Case::new(&SPAWN_JOIN_MANY, || spawn::spawn_join_many_in_place(&SPAWN_JOIN_MANY)),
        Case::new(&SPAWN_JOIN_MANY_LATER, || spawn::spawn_join_many_in_place(&SPAWN_JOIN_MANY_LATER)),
        Case::new(&SPAWN_LARGE, spawn::spawn_large_in_place),
        Case::new(&DROP_WAITING, spawn::drop_waiting_in_place),
        Case::new(&FOREIGN_JOIN, foreign::foreign_join_in_place),
    ]
}
