//! Programs with a name: those that failed once, and those that make something happen that random ones rarely do.

use crate::program::Action::*;
use crate::program::{Act, Crowd, Finish, OnDrop, Op, Program, Step, task};

/// How often each of the [`crowds`] is run: several threads do not do the same each time.
pub(crate) const TIMES: usize = 100;

pub(crate) fn programs() -> Vec<(&'static str, Program)> {
    vec![
        (
            "an aborted task that is never woken again is dropped at the executor's next turn",
            Program::new(
                [task([Step::Await(0)], OnDrop::Nothing)],
                [Op::Do(Spawn(0)), Op::Drive, Op::Do(Abort(0)), Op::Join(0)],
            ),
        ),
        (
            "a task that aborts itself and then returns has a value",
            Program::new([task([Step::Do(Abort(0))], OnDrop::Nothing)], [Op::Do(Spawn(0)), Op::Join(0)]),
        ),
        (
            "a task that aborts itself and then waits is cancelled",
            Program::new(
                [task([Step::Do(Abort(0)), Step::Await(0)], OnDrop::Nothing)],
                [Op::Do(Spawn(0)), Op::Join(0)],
            ),
        ),
        (
            "a future that is dropped with its executor and spawns has spawned a cancelled task",
            Program::new(
                [
                    task([Step::Await(0)], OnDrop::Do(Spawn(1))),
                    task([Step::Yield], OnDrop::Do(Spawn(2))),
                    task([], OnDrop::Panic),
                ],
                [Op::Do(Spawn(0)), Op::Drive, Op::DropExecutor, Op::PollHandle(1), Op::PollHandle(2)],
            ),
        ),
        (
            "a future that spawns when it is dropped after its end has spawned a task that runs",
            Program::new(
                [task([], OnDrop::Do(Spawn(1))), task([Step::Yield], OnDrop::Nothing)],
                [Op::Do(Spawn(0)), Op::Join(0), Op::Join(1)],
            ),
        ),
        (
            "a future that wakes and aborts its own task when it is dropped does no harm",
            Program::new(
                [task([Step::Yield], OnDrop::Do(Wake(0))), task([Step::Yield], OnDrop::Do(Abort(1)))],
                [Op::Do(Spawn(0)), Op::Do(Spawn(1)), Op::Drive, Op::Join(0), Op::Join(1)],
            ),
        ),
        (
            "wakers may be used after the executor is gone",
            Program::new(
                [task([Step::Await(0)], OnDrop::Nothing)],
                [
                    Op::Do(Spawn(0)),
                    Op::Drive,
                    Op::Do(CloneWaker(0)),
                    Op::Do(CloneWaker(0)),
                    Op::DropExecutor,
                    Op::Do(WakeByRef(0)),
                    Op::Do(Wake(0)),
                    Op::Do(DropWaker(0)),
                    Op::Do(Open(0)),
                    Op::PollHandle(0),
                ],
            ),
        ),
    ]
}

pub(crate) fn crowds() -> Vec<(&'static str, Crowd)> {
    vec![
        (
            "a task is woken by another thread while its executor sleeps",
            Crowd::new(
                [task([Step::Await(0), Step::Await(1)], OnDrop::Nothing)],
                [Spawn(0)],
                [&[Act::Do(Open(0))], &[Act::Do(Open(1))]],
                Finish::Join,
            ),
        ),
        (
            "a task whose end is certain is spawned by a task that a thread spawns",
            Crowd::new(
                [task([], OnDrop::Nothing), task([Step::Yield, Step::Do(Spawn(0))], OnDrop::Nothing)],
                [],
                [&[Act::Drive, Act::Do(Spawn(1))]],
                Finish::Join,
            ),
        ),
        (
            "an executor is dropped while one thread wakes and another spawns",
            Crowd::new(
                [
                    task([Step::Yield, Step::Await(0)], OnDrop::Do(Wake(1))),
                    task([Step::Await(0)], OnDrop::Do(Open(1))),
                    task([Step::Await(1)], OnDrop::Do(Spawn(3))),
                    task([], OnDrop::Nothing),
                ],
                [Spawn(0), Spawn(1)],
                [&[Act::Do(Wake(0)), Act::Do(Open(0))], &[Act::Do(Spawn(2)), Act::Do(Abort(1))]],
                Finish::Drive,
            ),
        ),
        (
            "several threads drive, and the last of them drops the executor",
            Crowd::new(
                [task([Step::Yield, Step::Await(0)], OnDrop::Nothing), task([Step::Await(1)], OnDrop::Nothing)],
                [Spawn(0), Spawn(1)],
                [&[Act::Drive, Act::Do(Open(0)), Act::Drive], &[Act::Do(Abort(1)), Act::Drive]],
                Finish::Drive,
            ),
        ),
    ]
}
