//! Runs programs and compares what happens with what must happen.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use conformance::probe::{WakeCount, poll_once};
use executor::{Described, JoinError, RemoteSpawn, Spawn, yield_now};

use crate::model::{Discipline, End, Handle, Model};
use crate::program::{Act, Action, Crowd, Finish, GATES, OnDrop, Op, Program, Step};
use crate::world::World;

/// How long a program may take before it counts as hung. It needs microseconds; the rest is for busy machines.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the first thread of a [`Crowd`] and its drivers yield: enough for some tasks to end, but not for all.
const SHORT_DRIVE: usize = 3;

macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

/// Runs `program` on `E` and says in which way the outcome is not what it must be.
pub(crate) fn check<E>(program: &Program) -> Result<(), String>
where
    E: RemoteSpawn + Described + 'static,
    <E::Spawner as Spawn>::JoinHandle<usize>: 'static,
{
    let program = program.clone();
    in_time(move || carry_out::<E>(&program))
}

/// Runs `crowd` on `E` and says in which way the outcome is impossible.
pub(crate) fn check_crowd<E>(crowd: &Crowd) -> Result<(), String>
where
    E: RemoteSpawn + Described + 'static,
    <E::Spawner as Spawn>::JoinHandle<usize>: 'static,
{
    let crowd = crowd.clone();
    in_time(move || carry_out_crowd::<E>(&crowd))
}

/// A program that hangs leaves its thread behind.
fn in_time(action: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(action));
        // The receiver is gone if this came too late.
        let _ = sender.send(result.unwrap_or_else(|payload| Err(format!("it panics: {}", text(payload.as_ref())))));
    });
    receiver
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| Err(format!("it hangs: not done after {} s", PATIENCE.as_secs())))
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("with a non-string payload")
}

fn end_of(index: usize, result: Result<usize, JoinError>) -> Result<End, String> {
    match result {
        Ok(value) => {
            ensure!(value == index, "the handle of task {index} yields the value of task {value}");
            Ok(End::Value)
        }
        Err(JoinError::Cancelled) => Ok(End::Cancelled),
        Err(JoinError::Panicked(_)) => Ok(End::Panicked),
    }
}

fn carry_out<E>(program: &Program) -> Result<(), String>
where
    E: RemoteSpawn + Described + 'static,
    <E::Spawner as Spawn>::JoinHandle<usize>: 'static,
{
    let discipline = if E::CAPABILITIES.polls_only_woken { Discipline::Woken } else { Discipline::All };
    let mut model = Model::new(program, discipline);
    let mut executor = Some(E::default());
    let world = World::new(executor.as_ref().expect("it was just made"), &program.tasks);
    for (number, op) in program.ops.iter().chain(&[Op::DropExecutor]).enumerate() {
        follow(*op, &mut executor, &world, &mut model)
            .and_then(|()| compare(&world, &model))
            .map_err(|difference| format!("after op {number}, {op:?}: {difference}"))?;
    }
    for index in 0..program.tasks.len() {
        poll_handle(&world, &mut model, index)?;
    }
    ensure!(world.live() == 0, "{} futures live at the end", world.live());
    world.clear();
    Ok(())
}

fn follow<E: RemoteSpawn>(
    op: Op,
    executor: &mut Option<E>,
    world: &Arc<World>,
    model: &mut Model<'_>,
) -> Result<(), String> {
    match op {
        Op::Do(action) => {
            world.perform(action);
            model.perform(action);
        }
        Op::Drive => {
            if let Some(executor) = executor {
                world.drive(executor, None);
                model.drive();
            }
        }
        Op::Join(index) => {
            let index = index % world.slots.len();
            let Some(executor) = executor else { return poll_handle(world, model, index) };
            let Some(mut handle) = world.slots[index].take_handle() else { return Ok(()) };
            let result = world.drive(executor, Some(&mut handle));
            model.entries[index].handle = Handle::Away;
            model.drive();
            let yielded = result.map(|result| end_of(index, result)).transpose()?;
            let expected = model.entries[index].end;
            ensure!(yielded == expected, "awaiting task {index} yields {yielded:?}, not {expected:?}");
            model.entries[index].joiner = None;
            model.entries[index].handle = match expected {
                Some(_) => Handle::Gone,
                None => {
                    world.slots[index].put_handle(handle);
                    Handle::Held
                }
            };
        }
        Op::PollHandle(index) => poll_handle(world, model, index % world.slots.len())?,
        Op::DropExecutor => {
            drop(executor.take());
            model.drop_executor();
        }
    }
    Ok(())
}

fn poll_handle(world: &World, model: &mut Model<'_>, index: usize) -> Result<(), String> {
    let slot = &world.slots[index];
    let Some(mut handle) = slot.take_handle() else {
        let there = model.entries[index].handle == Handle::Held && !model.gone;
        ensure!(!there, "the handle of task {index} is gone");
        return Ok(());
    };
    let ended = model.entries[index].end.is_some();
    ensure!(handle.is_finished() == ended, "`is_finished` of task {index} is not {ended}");
    if let (Some(joiner), Some(woken)) = (&*slot.joiner.lock().unwrap(), model.entries[index].joiner) {
        ensure!((joiner.wakes() > 0) == woken, "the joiner of task {index} was woken {} times", joiner.wakes());
    }
    let (count, waker) = WakeCount::new();
    *slot.joiner.lock().unwrap() = Some(count);
    let yielded = match poll_once(&mut handle, &waker) {
        Poll::Ready(result) => Some(end_of(index, result)?),
        Poll::Pending => {
            slot.put_handle(handle);
            None
        }
    };
    let expected = model.poll_handle(index);
    ensure!(yielded == expected, "the handle of task {index} yields {yielded:?}, not {expected:?}");
    Ok(())
}

/// What can be observed without changing anything.
fn compare(world: &World, model: &Model<'_>) -> Result<(), String> {
    let woken_only = model.discipline == Discipline::Woken;
    for (index, (slot, expected)) in world.slots.iter().zip(&model.entries).enumerate() {
        sound(world, index)?;
        let spawned = world.was_spawned(index);
        ensure!(spawned == expected.spawned, "task {index} was spawned: {spawned}");
        let polls = slot.polls.load(SeqCst);
        let right = if woken_only { polls == expected.polls } else { (polls > 0) == (expected.polls > 0) };
        ensure!(right, "task {index} was polled {polls} times, not {}", expected.polls);
        let (drops, dropped) = (slot.drops.load(SeqCst), usize::from(expected.end.is_some()));
        ensure!(drops == dropped, "the future of task {index} was dropped {drops} times, not {dropped}");
    }
    Ok(())
}

fn sound(world: &World, index: usize) -> Result<(), String> {
    let slot = &world.slots[index];
    ensure!(!slot.polled_after_end.load(SeqCst), "task {index} was polled after its end");
    ensure!(!slot.touched_at_once.load(SeqCst), "task {index} was polled or dropped by two at once");
    Ok(())
}

fn carry_out_crowd<E>(crowd: &Crowd) -> Result<(), String>
where
    E: RemoteSpawn + Described + 'static,
    <E::Spawner as Spawn>::JoinHandle<usize>: 'static,
{
    let outlook = Outlook::new(crowd);
    let executor = Arc::new(E::default());
    let world = World::new(&*executor, &crowd.tasks);
    crowd.setup.iter().for_each(|action| world.perform(*action));

    let waiting = Arc::new(AtomicUsize::new(crowd.threads.len() + 1));
    let threads: Vec<_> = crowd
        .threads
        .iter()
        .map(|acts| {
            let (acts, world, waiting) = (acts.clone(), world.clone(), waiting.clone());
            let executor = acts.contains(&Act::Drive).then(|| executor.clone());
            thread::spawn(move || {
                meet(&waiting);
                for act in acts {
                    match act {
                        Act::Do(action) => world.perform(action),
                        Act::Drive => drive_shortly(&**executor.as_ref().expect("who drives has one")),
                    }
                }
            })
        })
        .collect();
    meet(&waiting);
    let mut joined = BTreeSet::new();
    match crowd.finish {
        Finish::Join => {
            // Tasks that will be spawned later are awaited below.
            let there = outlook.certain.iter().filter_map(|index| Some((*index, world.slots[*index].take_handle()?)));
            for (index, handle) in there.collect::<Vec<_>>() {
                outlook.accept(index, end_of(index, executor.block_on(handle))?)?;
                joined.insert(index);
            }
        }
        Finish::Drive => drive_shortly(&*executor),
        Finish::Drop => {}
    }
    // Dropped here, while the threads still act, unless it has to wait for them.
    let late = (crowd.finish == Finish::Join).then_some(executor);
    let panicked = threads.into_iter().any(|thread| thread.join().is_err());
    ensure!(!panicked, "a thread panicked");
    if let Some(executor) = late {
        // All threads have acted: now all that is certain ends by itself, and spawns what else is certain.
        while let Some(left) = outlook.certain.iter().find(|index| !joined.contains(*index)) {
            let before = joined.len();
            for index in &outlook.certain {
                if let Some(handle) = world.slots[*index].take_handle() {
                    outlook.accept(*index, end_of(*index, executor.block_on(handle))?)?;
                    joined.insert(*index);
                }
            }
            ensure!(joined.len() > before, "task {left} was not spawned");
        }
        drop(executor);
    }

    for (index, slot) in world.slots.iter().enumerate() {
        sound(&world, index)?;
        let (drops, spawned) = (slot.drops.load(SeqCst), world.was_spawned(index));
        ensure!(
            drops == usize::from(spawned),
            "the future of task {index} was dropped {drops} times; spawned: {spawned}"
        );
        if let Some(mut handle) = slot.take_handle() {
            ensure!(handle.is_finished(), "`is_finished` of task {index} is false after the executor is gone");
            let (_, waker) = WakeCount::new();
            let Poll::Ready(result) = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)) else {
                return Err(format!("the handle of task {index} yields nothing after the executor is gone"));
            };
            outlook.accept(index, end_of(index, result)?)?;
        }
    }
    ensure!(world.live() == 0, "{} futures live at the end", world.live());
    world.clear();
    Ok(())
}

fn drive_shortly<E: RemoteSpawn>(executor: &E) {
    executor.block_on(async {
        for _ in 0..SHORT_DRIVE {
            yield_now().await;
        }
    });
}

/// Waits for the other threads, so that all continue at the same time. Spins, because a lock would order them.
fn meet(waiting: &AtomicUsize) {
    waiting.fetch_sub(1, SeqCst);
    while waiting.load(SeqCst) > 0 {
        thread::yield_now();
    }
}

/// What a [`Crowd`] may lead to, in any order of its threads' steps.
struct Outlook<'a> {
    crowd: &'a Crowd,
    /// Tasks that end by themselves in any case, if they are driven: nothing can abort them or take their handles, and
    /// all that they wait for is opened by steps that are certain.
    certain: BTreeSet<usize>,
    /// Gates that something in the program may open.
    may_open: [bool; GATES],
}

impl<'a> Outlook<'a> {
    fn new(crowd: &'a Crowd) -> Self {
        let tasks = &crowd.tasks;
        let by_threads = || {
            let acts = crowd.threads.iter().flatten().filter_map(|act| match act {
                Act::Do(action) => Some(*action),
                Act::Drive => None,
            });
            crowd.setup.iter().copied().chain(acts)
        };
        let all: Vec<_> = by_threads().chain(tasks.iter().flat_map(actions_of)).collect();
        let mut may_open = [false; GATES];
        let mut spared: BTreeSet<_> = (0..tasks.len()).collect();
        for action in &all {
            match *action {
                Action::Open(gate) => may_open[gate % GATES] = true,
                Action::Abort(task) | Action::Detach(task) => {
                    spared.remove(&(task % tasks.len()));
                }
                _ => {}
            }
        }

        // With each task that certainly ends, more steps are certain.
        let mut happens: Vec<_> = by_threads().collect();
        let mut certain = BTreeSet::new();
        loop {
            let opened = |gate: usize| {
                happens.iter().any(|action| matches!(action, Action::Open(other) if other % GATES == gate % GATES))
            };
            let spawned = |task: usize| {
                happens.iter().any(|action| matches!(action, Action::Spawn(other) if other % tasks.len() == task))
            };
            let next = spared.iter().copied().find(|&index| {
                let before_end = tasks[index].steps.iter().take_while(|step| **step != Step::Panic);
                let mut gates =
                    before_end.filter_map(|step| if let Step::Await(gate) = step { Some(*gate) } else { None });
                !certain.contains(&index) && spawned(index) && gates.all(opened)
            });
            let Some(index) = next else { break };
            certain.insert(index);
            let before_end = tasks[index].steps.iter().take_while(|step| **step != Step::Panic);
            happens
                .extend(before_end.filter_map(|step| if let Step::Do(action) = step { Some(*action) } else { None }));
            happens.extend(if let OnDrop::Do(action) = tasks[index].on_drop { Some(action) } else { None });
        }
        Self { crowd, certain, may_open }
    }

    fn accept(&self, index: usize, end: End) -> Result<(), String> {
        let task = &self.crowd.tasks[index];
        let panics_in_drop = task.on_drop == OnDrop::Panic;
        let panic_at = task.steps.iter().position(|step| *step == Step::Panic);
        let reached = task.steps.iter().take(panic_at.unwrap_or(task.steps.len()));
        let reaches_end =
            reached.into_iter().all(|step| !matches!(step, Step::Await(gate) if !self.may_open[gate % GATES]));
        let is_certain = self.crowd.finish == Finish::Join && self.certain.contains(&index);
        let possible = match end {
            End::Value => !panics_in_drop && panic_at.is_none() && reaches_end,
            End::Panicked => panics_in_drop || (panic_at.is_some() && reaches_end),
            End::Cancelled => !panics_in_drop && !is_certain,
        };
        ensure!(possible, "task {index} ends with {end:?}");
        Ok(())
    }
}

fn actions_of(task: &crate::program::Task) -> impl Iterator<Item = Action> + '_ {
    let steps = task.steps.iter().filter_map(|step| if let Step::Do(action) = step { Some(*action) } else { None });
    steps.chain(if let OnDrop::Do(action) = task.on_drop { Some(action) } else { None })
}
