//! Programs: what tasks do, and what is done to them from outside. They are data, so that they can be drawn at random,
//! shrunk and printed.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;

/// How many gates every program has.
pub(crate) const GATES: usize = 3;

/// What both tasks and threads can do. Numbers name tasks and gates, modulo how many there are, so that a program stays
/// valid whatever is removed from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    /// Spawns the task, unless it was spawned already: each is spawned at most once.
    Spawn(usize),
    /// Opens the gate and wakes all tasks that wait for it.
    Open(usize),
    /// Wakes the task by value, with a waker that is kept from its first poll, or a clone of it, if one is left.
    Wake(usize),
    WakeByRef(usize),
    CloneWaker(usize),
    DropWaker(usize),
    Abort(usize),
    /// Drops the handle.
    Detach(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Do(Action),
    /// Waits for the gate.
    Await(usize),
    /// Wakes itself and lets the other tasks run.
    Yield,
    Panic,
}

/// What a future does when it is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OnDrop {
    Nothing,
    Do(Action),
    Panic,
}

#[derive(Clone, PartialEq)]
pub(crate) struct Task {
    pub(crate) steps: Vec<Step>,
    pub(crate) on_drop: OnDrop,
}

pub(crate) fn task<const N: usize>(steps: [Step; N], on_drop: OnDrop) -> Task {
    Task { steps: steps.to_vec(), on_drop }
}

/// What the one thread of a [`Program`] does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    Do(Action),
    /// Drives the executor until nothing moves any more.
    Drive,
    /// Drives the executor in the same way, from the handle's `.await`.
    Join(usize),
    /// Polls the handle once, with a joiner of its own.
    PollHandle(usize),
    DropExecutor,
}

/// A program of one thread: its whole outcome is certain.
#[derive(Clone, PartialEq)]
pub(crate) struct Program {
    pub(crate) tasks: Vec<Task>,
    pub(crate) ops: Vec<Op>,
}

impl Program {
    pub(crate) fn new<const T: usize, const N: usize>(tasks: [Task; T], ops: [Op; N]) -> Self {
        Self { tasks: tasks.to_vec(), ops: ops.to_vec() }
    }
}

/// What one of the other threads of a [`Crowd`] does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    Do(Action),
    /// Drives the executor for a while, and shares its ownership: the last owner drops it.
    Drive,
}

/// What the first thread of a [`Crowd`] does at the same time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Finish {
    /// Awaits the tasks that must end by themselves, then drops its share of the executor.
    Join,
    /// Drives for a while, then drops its share.
    Drive,
    Drop,
}

/// A program of several threads: only its possible outcomes are known.
#[derive(Clone, PartialEq)]
pub(crate) struct Crowd {
    pub(crate) tasks: Vec<Task>,
    /// What the first thread does before the others start.
    pub(crate) setup: Vec<Action>,
    pub(crate) threads: Vec<Vec<Act>>,
    pub(crate) finish: Finish,
}

impl Crowd {
    pub(crate) fn new<const T: usize, const S: usize, const N: usize>(
        tasks: [Task; T],
        setup: [Action; S],
        threads: [&[Act]; N],
        finish: Finish,
    ) -> Self {
        let threads = threads.map(<[Act]>::to_vec).to_vec();
        Self { tasks: tasks.to_vec(), setup: setup.to_vec(), threads, finish }
    }
}

// As Rust, to be pasted into `programs.rs`.

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task({:?}, OnDrop::{:?})", self.steps, self.on_drop)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program::new({:?}, {:?})", self.tasks, self.ops)
    }
}

impl fmt::Debug for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crowd::new({:?}, {:?}, [", self.tasks, self.setup)?;
        for thread in &self.threads {
            write!(f, "&{thread:?}, ")?;
        }
        write!(f, "], Finish::{:?})", self.finish)
    }
}

/// Simple ones first, because programs shrink towards them.
fn action() -> impl Strategy<Value = Action> {
    let task = || 0..MOST_TASKS;
    prop_oneof![
        4 => task().prop_map(Action::Spawn),
        4 => (0..GATES).prop_map(Action::Open),
        2 => task().prop_map(Action::Wake),
        2 => task().prop_map(Action::WakeByRef),
        1 => task().prop_map(Action::CloneWaker),
        1 => task().prop_map(Action::DropWaker),
        2 => task().prop_map(Action::Abort),
        1 => task().prop_map(Action::Detach),
    ]
}

const MOST_TASKS: usize = 5;

fn a_task() -> impl Strategy<Value = Task> {
    let step = prop_oneof![
        3 => Just(Step::Yield),
        4 => (0..GATES).prop_map(Step::Await),
        4 => action().prop_map(Step::Do),
        1 => Just(Step::Panic),
    ];
    let on_drop = prop_oneof![
        6 => Just(OnDrop::Nothing),
        3 => action().prop_map(OnDrop::Do),
        1 => Just(OnDrop::Panic),
    ];
    (vec(step, 0..5), on_drop).prop_map(|(steps, on_drop)| Task { steps, on_drop })
}

pub(crate) fn programs() -> impl Strategy<Value = Program> {
    let op = prop_oneof![
        10 => action().prop_map(Op::Do),
        4 => Just(Op::Drive),
        2 => (0..MOST_TASKS).prop_map(Op::Join),
        2 => (0..MOST_TASKS).prop_map(Op::PollHandle),
        1 => Just(Op::DropExecutor),
    ];
    (vec(a_task(), 1..=MOST_TASKS), vec(op, 0..24)).prop_map(|(tasks, ops)| Program { tasks, ops })
}

pub(crate) fn crowds() -> impl Strategy<Value = Crowd> {
    let act = prop_oneof![8 => action().prop_map(Act::Do), 1 => Just(Act::Drive)];
    let finish = prop_oneof![4 => Just(Finish::Join), 1 => Just(Finish::Drive), 1 => Just(Finish::Drop)];
    (vec(a_task(), 1..=MOST_TASKS), vec(action(), 0..8), vec(vec(act, 0..8), 1..=2), finish)
        .prop_map(|(tasks, setup, threads, finish)| Crowd { tasks, setup, threads, finish })
}
