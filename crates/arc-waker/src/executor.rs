//! The run loop: it polls the tasks that are in the ready queue, in turn. Nothing ready: it parks.

use std::fmt;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::support::{BoxedFuture, Driver, Emptied, Join, RootWaker, TaskAbortHandle, TaskHandle, joinable};
use executor::sync::{Mutex, MutexGuard};
use executor::{
    BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, RemoteSpawn, Spawn, Spawner, WakeNames,
};
use slab::Slab;

use crate::channel::{Receiver, Sender, unbounded};
use crate::task::Task;

/// The least number of turns in a round. To look after every turn whether there is other work would be a good part of
/// what a turn costs.
const SHORT: usize = 32;

/// Polls the tasks that were woken, and parks while there are none.
pub struct ArcExecutor {
    shared: Arc<Shared>,
    /// The one receiver: with it the ready queue closes, and drops what is in it.
    queue: Receiver<Arc<Task>>,
}

/// Spawns onto an [`ArcExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct ArcSpawner {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    driver: Driver,
    emptied: Emptied,
    tasks: Mutex<Tasks>,
    queue: Sender<Arc<Task>>,
}

/// All tasks that have not ended, woken or not: what dropping the executor has to end.
#[derive(Default)]
struct Tasks {
    list: Slab<Arc<Task>>,
    /// The executor is gone: nothing is accepted any more.
    closed: bool,
}

impl Default for ArcExecutor {
    fn default() -> Self {
        let (sender, queue) = unbounded();
        let shared = Shared { driver: Driver::new(), emptied: Emptied::new(), tasks: Mutex::default(), queue: sender };
        Self { shared: Arc::new(shared), queue }
    }
}

impl Described for ArcExecutor {
    const NAME: &'static str = "arc-waker";

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

impl BlockOn for ArcExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.shared.driver.assert_not_nested();
        let mut future = pin!(future.into_future());
        RootWaker::with(|root| match future.as_mut().poll(&mut Context::from_waker(root.waker())) {
            Poll::Ready(output) => output,
            Poll::Pending => self.drive(root, future.as_mut()),
        })
    }
}

impl Spawn for ArcExecutor {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(joinable(future))
    }
}

impl Executor for ArcExecutor {
    fn run(&self) {
        self.block_on(self.shared.emptied.wait(&self.shared.driver));
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.tasks().list.len())
    }
}

impl RemoteSpawn for ArcExecutor {
    type Spawner = ArcSpawner;

    fn spawner(&self) -> ArcSpawner {
        ArcSpawner { shared: self.shared.clone() }
    }
}

impl Spawn for ArcSpawner {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.spawn(joinable(future))
    }
}

impl Spawner for ArcSpawner {
    fn is_closed(&self) -> bool {
        self.shared.tasks().closed
    }
}

impl Drop for ArcExecutor {
    fn drop(&mut self) {
        if !self.shared.driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            return mem::forget((self.shared.clone(), self.queue.clone()));
        }
        let tasks = self.shared.tasks().close();
        for (_, task) in tasks {
            task.cancel();
        }
    }
}

impl ArcExecutor {
    /// Polls the tasks that are ready, and `future` when it is woken, until that is ready. Kept out of `block_on`, so
    /// that a future that is ready at once costs little more than its poll.
    #[inline(never)]
    fn drive<F: Future>(&self, root: &RootWaker, mut future: Pin<&mut F>) -> F::Output {
        let entered = self.shared.driver.enter();
        loop {
            if entered.drives() {
                self.poll_ready();
            }
            let ready = || root.is_woken() || (entered.drives() && self.has_work());
            while !ready() {
                entered.park_unless(ready);
            }
            if root.take_woken() {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(root.waker())) {
                    return output;
                }
            }
        }
    }

    /// Polls the tasks that are ready now, in turn. Those that become ready meanwhile wait for the next round, unless
    /// this one is short: so none of them keeps `block_on`'s own future waiting for long.
    fn poll_ready(&self) {
        for _ in 0..self.queue.len().max(SHORT) {
            let Ok(task) = self.queue.try_recv() else { break };
            if task.poll().is_ready() {
                let _listed = self.shared.tasks().list.remove(task.key);
            }
        }
        self.shared.emptied.announce_if(|| self.shared.is_empty());
    }

    /// Whether there is something to do. Only for the driving thread.
    fn has_work(&self) -> bool {
        !self.queue.is_empty() || (self.shared.emptied.is_awaited() && self.shared.is_empty())
    }
}

impl Shared {
    /// Accepts a future, or drops it at once where the executor is gone.
    fn spawn<T>(self: &Arc<Self>, (future, join): (BoxedFuture, Join<T>)) -> TaskHandle<T> {
        match self.accept(future) {
            Some(task) => {
                self.push(task.clone());
                join.into_handle(Waker::from(task))
            }
            None => join.into_handle(Waker::noop().clone()),
        }
    }

    /// Drops the future if the executor is closed.
    fn accept(self: &Arc<Self>, future: BoxedFuture) -> Option<Arc<Task>> {
        let mut tasks = self.tasks();
        if tasks.closed {
            // Before the future is: nothing that belongs to the user runs under the lock.
            drop(tasks);
            return None;
        }
        let entry = tasks.list.vacant_entry();
        let task = Task::new(entry.key(), future, self.clone());
        entry.insert(task.clone());
        Some(task)
    }

    /// Puts a task into the ready queue and wakes the thread that drives. The queue of an executor that is gone drops
    /// it.
    pub(crate) fn push(&self, task: Arc<Task>) {
        let _ = self.queue.send(task);
        self.driver.unpark();
    }

    /// Whether no task is left. Only for the driving thread.
    fn is_empty(&self) -> bool {
        self.tasks().list.is_empty()
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().expect("no code that can panic runs under this lock")
    }
}

impl Tasks {
    fn close(&mut self) -> Slab<Arc<Task>> {
        self.closed = true;
        mem::take(&mut self.list)
    }
}

impl fmt::Debug for ArcExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArcExecutor").field("shared", &self.shared).finish()
    }
}

impl fmt::Debug for Shared {
    /// Shows nothing: a writer is foreign code, and must not run under a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
