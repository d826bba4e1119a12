//! The run loop: it polls the tasks that are in the ready queue, in turn. Nothing ready: it parks.

#![expect(unsafe_code, reason = "what belongs to the driving thread is reached without a lock")]

use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::panic::RefUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use executor::support::{Driver, Emptied, Entered, RootWaker, SpareMemory, TaskCount, is_large};
use executor::{
    BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, RemoteSpawn, Spawn, Spawner, WakeNames,
};

use crate::abort::AbortHandle;
use crate::join::JoinHandle;
use crate::queue::{LocalQueue, RemoteQueue, TaskList};
use crate::task::TaskRef;

/// The least number of turns in a round. To look after every turn whether there is other work would be a good part of
/// what a turn costs.
const SHORT: usize = 32;

/// Polls the tasks that were woken, and parks while there are none.
#[derive(Debug, Default)]
pub struct RawExecutor {
    shared: Arc<Shared>,
}

/// Spawns onto a [`RawExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct RawSpawner {
    shared: Arc<Shared>,
}

#[derive(Default)]
pub(crate) struct Shared {
    driver: Driver,
    emptied: Emptied,
    count: TaskCount,
    remote: RemoteQueue,
    local: Local,
}

/// What belongs to the thread that drives the executor or, when nobody can any more, drops it.
#[derive(Default)]
struct Local {
    queue: LocalQueue,
    /// All tasks that have not ended, woken or not: what dropping the executor has to end.
    list: TaskList,
    /// The memory of those that are gone, for the next.
    spare: SpareMemory,
}

// SAFETY: `Local` is reached in four ways: through `Shared::local`, which asks whether this thread drives; through
// `Shared::arrive`, once `Driver::arrive` has said that it does from now on; in `poll_ready`, `has_work` and what they
// call, which `drive` calls once `Entered::drives` has said that this thread does; and in the executor's drop, once
// `Driver::close` has said that nobody does nor ever will. At most one thread drives at a time, and the right passes
// from thread to thread with a Release and an Acquire, in `Driver`.
unsafe impl Sync for Local {}
// SAFETY: as above; and what `Local` holds are counts of tasks, which any thread may give back.
unsafe impl Send for Local {}
// Only a panic that the tasks do not catch could leave it inconsistent, and there is none.
impl RefUnwindSafe for Local {}

impl Described for RawExecutor {
    const NAME: &'static str = "raw-waker";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Task,
        idle: Idle::Parks,
        polls_only_woken: true,
        remote_spawn: true,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for RawExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let mut future = pin!(future.into_future());
        RootWaker::with(|root| {
            let coming = Coming::new(&self.shared, root);
            match future.as_mut().poll(&mut Context::from_waker(root.waker())) {
                Poll::Ready(output) => {
                    drop(coming.end());
                    output
                }
                Poll::Pending => self.drive(coming, root, future.as_mut()),
            }
        })
    }
}

impl Spawn for RawExecutor {
    type JoinHandle<T: Send + 'static> = JoinHandle<T>;
    type AbortHandle = AbortHandle;

    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(future)
    }
}

impl Executor for RawExecutor {
    fn run(&self) {
        self.block_on(self.shared.emptied.wait(&self.shared.driver));
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.count.get())
    }
}

impl RemoteSpawn for RawExecutor {
    type Spawner = RawSpawner;

    fn spawner(&self) -> RawSpawner {
        RawSpawner { shared: self.shared.clone() }
    }
}

impl Spawn for RawSpawner {
    type JoinHandle<T: Send + 'static> = JoinHandle<T>;
    type AbortHandle = AbortHandle;

    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(future)
    }
}

impl Spawner for RawSpawner {
    fn is_closed(&self) -> bool {
        self.shared.remote.is_closed()
    }
}

impl Drop for RawExecutor {
    fn drop(&mut self) {
        if !self.shared.driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            return mem::forget(self.shared.clone());
        }
        let Local { queue, list, spare } = &self.shared.local;
        self.shared.remote.close(queue, list);
        while let Some(task) = list.first() {
            // SAFETY: it is the list's first.
            let task = unsafe { list.remove(task) };
            task.cancel();
        }
        while let Some(task) = queue.pop() {
            drop(task);
        }
        spare.clear();
    }
}

impl RawExecutor {
    /// Polls the tasks that are ready, and `future` when it is woken, until that is ready. Kept out of `block_on`, so
    /// that a future that is ready at once costs little more than its poll.
    #[inline(never)]
    fn drive<F: Future>(&self, coming: Coming<'_>, root: &RootWaker, mut future: Pin<&mut F>) -> F::Output {
        let entered = coming.enter();
        let mut cx = Context::from_waker(root.waker());
        loop {
            if entered.drives() && self.has_work() {
                self.poll_ready();
            }
            if root.take_woken() {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return output;
                }
                continue;
            }
            let ready = || root.is_woken() || (entered.drives() && self.has_work());
            if !ready() {
                entered.park_unless(ready);
            }
        }
    }

    /// Polls the tasks that are ready now, in turn. Those that become ready meanwhile wait for the next round, unless
    /// this one is short: so none of them keeps `block_on`'s own future waiting for long.
    fn poll_ready(&self) {
        let Local { queue, list, .. } = &self.shared.local;
        self.shared.remote.take(queue, list);
        for _ in 0..queue.len().max(SHORT) {
            let Some(task) = queue.pop() else { break };
            if let Poll::Ready(task) = task.poll() {
                // SAFETY: a task is in the list until it has ended, which it has just now.
                let _listed = unsafe { list.remove(task) };
                self.shared.count.ended();
            }
        }
        self.shared.emptied.announce_if(|| self.shared.is_empty());
    }

    /// Whether there is something to do. Only for the driving thread.
    fn has_work(&self) -> bool {
        let Shared { local, remote, .. } = &*self.shared;
        local.queue.len() > 0 || !remote.is_empty() || (self.shared.emptied.is_awaited() && self.shared.is_empty())
    }
}

/// A call of `block_on` under way, whose future is in its first poll. Dropped only by unwinding.
struct Coming<'a> {
    shared: &'a Shared,
    call: usize,
}

impl<'a> Coming<'a> {
    #[inline]
    fn new(shared: &'a Shared, root: &RootWaker) -> Self {
        let call = root.address();
        shared.driver.begin_first_poll(call);
        Self { shared, call }
    }

    /// The call, if it drives already.
    #[inline]
    fn end(self) -> Option<Entered<'a>> {
        let Self { shared, call } = *ManuallyDrop::new(self);
        shared.driver.end_first_poll(call)
    }

    /// The call, whose future was not ready at once.
    fn enter(self) -> Entered<'a> {
        let shared = self.shared;
        self.end().unwrap_or_else(|| shared.driver.enter())
    }

    /// Takes no reference to the guard, which would have to be in memory for it.
    #[cold]
    #[inline(never)]
    fn unwind(shared: &'a Shared, call: usize) {
        drop(Self { shared, call }.end());
    }
}

impl Drop for Coming<'_> {
    #[inline]
    fn drop(&mut self) {
        Self::unwind(self.shared, self.call);
    }
}

impl Shared {
    #[inline]
    fn spawn<F>(self: &Arc<Self>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if is_large::<F>() { self.accept_boxed(Box::pin(future)) } else { self.accept(future) }
    }

    /// Kept out of what makes the future, so that this becomes part of that and the box is its place from the start.
    #[inline(never)]
    fn accept_boxed<F>(self: &Arc<Self>, future: Pin<Box<F>>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.accept(future)
    }

    /// Accepts a future, or drops it at once where the executor is gone.
    fn accept<F>(self: &Arc<Self>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let local = self.local().or_else(|| self.arrive());
        let (task, handle) = TaskRef::new(future, self.clone(), local.map(|local| &local.spare));
        match local {
            Some(Local { queue, list, .. }) => {
                self.count.spawned(true);
                task.unlisted().into_iter().for_each(|task| list.insert(task));
                queue.push(task);
            }
            None => {
                self.count.spawned(false);
                match self.remote.push(task) {
                    Ok(true) => self.driver.unpark(),
                    Ok(false) => {}
                    Err(task) => {
                        let _unlisted = task.unlisted();
                        task.cancel();
                    }
                }
            }
        }
        handle
    }

    /// What belongs to the driving thread, if this is the one.
    #[inline]
    fn local(&self) -> Option<&Local> {
        self.driver.is_here().then_some(&self.local)
    }

    /// What belongs to the driving thread, if this one comes to drive, as it is in the first poll of a `block_on`. See
    /// [`Driver::arrive`].
    #[cold]
    fn arrive(&self) -> Option<&Local> {
        if !self.driver.arrive() {
            return None;
        }
        // What this thread made ready before it drove comes before what it wakes now.
        let Self { local, remote, .. } = self;
        remote.take(&local.queue, &local.list);
        Some(local)
    }

    /// Where the driving thread leaves the memory of tasks, if this is the one.
    pub(crate) fn spare_memory(&self) -> Option<&SpareMemory> {
        self.local().map(|local| &local.spare)
    }

    /// Whether no task is left. Only for the driving thread.
    fn is_empty(&self) -> bool {
        self.local.list.first().is_none() && self.remote.is_empty()
    }

    pub(crate) fn is_driven_here(&self) -> bool {
        self.driver.is_here()
    }

    /// Puts a task into the ready queue and wakes the thread that drives. The queue of an executor that is gone drops
    /// it.
    #[inline]
    pub(crate) fn push(&self, task: TaskRef) {
        match self.local() {
            Some(local) => local.queue.push(task),
            None => self.push_from_elsewhere(task),
        }
    }

    /// Kept out of the short way, which is to stay short.
    #[inline(never)]
    fn push_from_elsewhere(&self, task: TaskRef) {
        if let Ok(true) = self.remote.push(task) {
            self.call();
        }
    }

    /// Makes somebody look at the stack: this thread, if it comes to drive, or the one that does.
    fn call(&self) {
        if self.arrive().is_none() {
            self.driver.unpark();
        }
    }
}

impl fmt::Debug for Shared {
    /// Shows nothing: a writer is foreign code, and must not run under a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
