//! The state with which programs run on a real executor.

use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use conformance::probe::WakeCount;
use executor::{Executor, JoinHandle, RemoteSpawn, Spawn};

use crate::program::{Action, GATES, OnDrop, Step, Task};

pub(crate) type Handle = Box<dyn JoinHandle<usize>>;
type SpawnFn = Box<dyn Fn(Scripted) -> Handle + Send + Sync>;

/// After how many yields without a move there will be none: between two of them all that is ready is polled.
const IDLE_TURNS: usize = 4;

pub(crate) struct World {
    spawn: SpawnFn,
    pub(crate) slots: Vec<Slot>,
    gates: [Mutex<Gate>; GATES],
    /// Counts all that tasks do.
    moves: AtomicUsize,
    /// Futures that exist.
    live: AtomicUsize,
}

/// What is known about a task, and what is kept of it.
pub(crate) struct Slot {
    task: Task,
    spawned: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
    handle: Mutex<Option<Handle>>,
    pub(crate) joiner: Mutex<Option<Arc<WakeCount>>>,
    pub(crate) polls: AtomicUsize,
    pub(crate) drops: AtomicUsize,
    polling: AtomicBool,
    ended: AtomicBool,
    pub(crate) polled_after_end: AtomicBool,
    pub(crate) touched_at_once: AtomicBool,
}

#[derive(Default)]
struct Gate {
    open: bool,
    waiting: Vec<(usize, Waker)>,
}

impl World {
    pub(crate) fn new<E: RemoteSpawn>(executor: &E, tasks: &[Task]) -> Arc<Self>
    where
        <E::Spawner as Spawn>::JoinHandle<usize>: 'static,
    {
        let spawner = executor.spawner();
        let slot = |task: &Task| Slot {
            task: task.clone(),
            spawned: AtomicBool::new(false),
            wakers: Mutex::default(),
            handle: Mutex::default(),
            joiner: Mutex::default(),
            polls: AtomicUsize::new(0),
            drops: AtomicUsize::new(0),
            polling: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            polled_after_end: AtomicBool::new(false),
            touched_at_once: AtomicBool::new(false),
        };
        Arc::new(Self {
            spawn: Box::new(move |future| Box::new(spawner.spawn(future))),
            slots: tasks.iter().map(slot).collect(),
            gates: Default::default(),
            moves: AtomicUsize::new(0),
            live: AtomicUsize::new(0),
        })
    }

    /// No lock is held while the executor's code is called, because its wakes may run anything.
    pub(crate) fn perform(self: &Arc<Self>, action: Action) {
        let slot = |index: usize| &self.slots[index % self.slots.len()];
        match action {
            Action::Spawn(index) => {
                if !slot(index).spawned.swap(true, SeqCst) {
                    let handle = (self.spawn)(Scripted::new(self.clone(), index % self.slots.len()));
                    slot(index).put_handle(handle);
                }
            }
            Action::Open(index) => {
                let waiting = {
                    let mut gate = self.gates[index % GATES].lock().unwrap();
                    gate.open = true;
                    std::mem::take(&mut gate.waiting)
                };
                waiting.into_iter().for_each(|(_, waker)| waker.wake());
            }
            Action::Wake(index) => slot(index).with_waker(|waker| {
                waker.wake();
                []
            }),
            Action::WakeByRef(index) => slot(index).with_waker(|waker| {
                waker.wake_by_ref();
                [waker]
            }),
            Action::CloneWaker(index) => slot(index).with_waker(|waker| [waker.clone(), waker]),
            Action::DropWaker(index) => slot(index).with_waker(|waker| {
                drop(waker);
                []
            }),
            Action::Abort(index) => {
                if let Some(handle) = slot(index).take_handle() {
                    handle.abort();
                    slot(index).put_handle(handle);
                }
            }
            Action::Detach(index) => {
                let handle = slot(index).take_handle();
                drop(handle);
            }
        }
    }

    pub(crate) fn was_spawned(&self, index: usize) -> bool {
        self.slots[index].spawned.load(SeqCst)
    }

    pub(crate) fn live(&self) -> usize {
        self.live.load(SeqCst)
    }

    /// Drives the executor until nothing moves any more, while `handle`, if there is one, is awaited. Returns what
    /// it yields.
    pub(crate) fn drive<E: Executor>(
        &self,
        executor: &E,
        mut handle: Option<&mut Handle>,
    ) -> Option<Result<usize, executor::JoinError>> {
        let (mut seen, mut idle, mut result) = (usize::MAX, 0, None);
        executor.block_on(std::future::poll_fn(|cx| {
            if let Some(awaited) = handle.as_mut() {
                if let Poll::Ready(yielded) = Pin::new(&mut **awaited).poll(cx) {
                    result = Some(yielded);
                    handle = None;
                }
            }
            let moves = self.moves.load(SeqCst);
            idle = if moves == seen { idle + 1 } else { 0 };
            seen = moves;
            if idle == IDLE_TURNS {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        result
    }

    /// Drops all that may hold a task's memory.
    pub(crate) fn clear(&self) {
        for slot in &self.slots {
            drop(std::mem::take(&mut *slot.wakers.lock().unwrap()));
        }
        for gate in &self.gates {
            drop(std::mem::take(&mut *gate.lock().unwrap()));
        }
    }

    fn moved(&self) {
        self.moves.fetch_add(1, SeqCst);
    }
}

impl Slot {
    pub(crate) fn take_handle(&self) -> Option<Handle> {
        self.handle.lock().unwrap().take()
    }

    pub(crate) fn put_handle(&self, handle: Handle) {
        *self.handle.lock().unwrap() = Some(handle);
    }

    /// Lends out a kept waker, if there is one, and keeps what is returned.
    fn with_waker<const N: usize>(&self, action: impl FnOnce(Waker) -> [Waker; N]) {
        let waker = self.wakers.lock().unwrap().pop();
        if let Some(waker) = waker {
            let back = action(waker);
            self.wakers.lock().unwrap().extend(back);
        }
    }
}

/// A future that follows its task's script.
pub(crate) struct Scripted {
    world: Arc<World>,
    index: usize,
    at: usize,
    yielded: bool,
}

impl Scripted {
    fn new(world: Arc<World>, index: usize) -> Self {
        world.live.fetch_add(1, SeqCst);
        Self { world, index, at: 0, yielded: false }
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let world = self.world.clone();
        let slot = &world.slots[self.index];
        while let Some(step) = slot.task.steps.get(self.at) {
            match *step {
                Step::Do(action) => {
                    self.at += 1;
                    world.moved();
                    world.perform(action);
                }
                Step::Await(index) => {
                    let waker = cx.waker().clone();
                    let mut gate = world.gates[index % GATES].lock().unwrap();
                    if !gate.open {
                        match gate.waiting.iter_mut().find(|(waiting, _)| *waiting == self.index) {
                            Some((_, stale)) => {
                                let stale = std::mem::replace(stale, waker);
                                drop(gate);
                                drop(stale);
                            }
                            None => gate.waiting.push((self.index, waker)),
                        }
                        return Poll::Pending;
                    }
                    self.at += 1;
                }
                Step::Yield if self.yielded => {
                    self.yielded = false;
                    self.at += 1;
                }
                Step::Yield => {
                    self.yielded = true;
                    world.moved();
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // Without a message from the panic hook.
                Step::Panic => resume_unwind(Box::new("a step of the program")),
            }
        }
        Poll::Ready(self.index)
    }
}

impl Future for Scripted {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let world = self.world.clone();
        let slot = &world.slots[self.index];
        if slot.polls.fetch_add(1, SeqCst) == 0 {
            slot.wakers.lock().unwrap().push(cx.waker().clone());
        }
        slot.touched_at_once.fetch_or(slot.polling.swap(true, SeqCst), SeqCst);
        // Ended unless the step says otherwise: it may panic.
        slot.polled_after_end.fetch_or(slot.ended.swap(true, SeqCst), SeqCst);
        let _polling = Polling(slot);
        let polled = self.step(cx);
        slot.ended.store(polled.is_ready(), SeqCst);
        polled
    }
}

struct Polling<'a>(&'a Slot);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.polling.store(false, SeqCst);
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let slot = &self.world.slots[self.index];
        slot.drops.fetch_add(1, SeqCst);
        slot.touched_at_once.fetch_or(slot.polling.load(SeqCst), SeqCst);
        self.world.live.fetch_sub(1, SeqCst);
        self.world.moved();
        match slot.task.on_drop {
            OnDrop::Nothing => {}
            OnDrop::Do(action) => self.world.perform(action),
            OnDrop::Panic => resume_unwind(Box::new("a drop of the program")),
        }
    }
}
