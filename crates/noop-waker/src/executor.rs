//! The run loop: every task is polled in turn, over and over, until all are done. Nothing ready: it spins.

use std::fmt;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::support::{BoxedFuture, Driver, Emptied, Join, TaskAbortHandle, TaskCount, TaskHandle, joinable};
use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::{Mutex, MutexGuard, hint, thread};
use executor::{
    BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, RemoteSpawn, Spawn, Spawner, WakeNames,
};

use crate::task::Task;
use crate::waker;

/// Rounds after which the thread offers its processor to others: whoever makes the tasks ready may need it.
const ROUNDS: u32 = 64;

/// Polls every task in turn, whether or not it was woken.
#[derive(Debug, Default)]
pub struct NoopExecutor {
    shared: Arc<Shared>,
}

/// Spawns onto a [`NoopExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct NoopSpawner {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    driver: Driver,
    emptied: Emptied,
    count: TaskCount,
    tasks: Mutex<Tasks>,
    /// There may be tasks under the lock: otherwise the driving thread need not ask it.
    populated: AtomicBool,
}

#[derive(Default)]
struct Tasks {
    /// Those that no thread has taken over to drive them, in the order in which they came.
    queue: Vec<Task>,
    /// The executor is gone: nothing is accepted any more.
    closed: bool,
}

impl Described for NoopExecutor {
    const NAME: &'static str = "noop-waker";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Nobody,
        idle: Idle::Spins,
        polls_only_woken: false,
        remote_spawn: true,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for NoopExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.shared.driver.assert_not_nested();
        let mut future = pin!(future.into_future());
        let waker = waker::waker();
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => output,
            Poll::Pending => self.drive(&waker, future),
        }
    }
}

impl Spawn for NoopExecutor {
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

impl Executor for NoopExecutor {
    fn run(&self) {
        self.block_on(self.shared.emptied.wait(&self.shared.driver));
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.count.get())
    }
}

impl RemoteSpawn for NoopExecutor {
    type Spawner = NoopSpawner;

    fn spawner(&self) -> NoopSpawner {
        NoopSpawner { shared: self.shared.clone() }
    }
}

impl Spawn for NoopSpawner {
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

impl Spawner for NoopSpawner {
    fn is_closed(&self) -> bool {
        self.shared.tasks().closed
    }
}

impl Drop for NoopExecutor {
    fn drop(&mut self) {
        if !self.shared.driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            return mem::forget(self.shared.clone());
        }
        let tasks = self.shared.tasks().close();
        for task in tasks {
            drop(task);
        }
    }
}

impl NoopExecutor {
    /// Polls the tasks and `future`, in turn, until that is ready. Kept out of `block_on`, so that a future that is
    /// ready at once costs little more than its poll.
    #[inline(never)]
    fn drive<F: Future>(&self, waker: &Waker, mut future: Pin<&mut F>) -> F::Output {
        let entered = self.shared.driver.enter();
        let mut driven = Driven::new(&self.shared);
        let mut rounds = 0_u32;
        loop {
            if entered.drives() {
                driven.poll_tasks(waker);
            }
            rounds = rounds.wrapping_add(1);
            if rounds % ROUNDS == 0 {
                thread::yield_now();
            } else {
                hint::spin_loop();
            }
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(waker)) {
                return output;
            }
        }
    }
}

impl Shared {
    /// Accepts a future, or drops it at once where the executor is gone.
    fn spawn<T>(&self, (future, join): (BoxedFuture, Join<T>)) -> TaskHandle<T> {
        let task = Task::new(future);
        // Dropped here if the executor is gone, outside the lock.
        let _rejected = self.accept(task);
        join.into_handle(waker::waker())
    }

    /// Hands the task back if the executor is closed.
    fn accept(&self, task: Task) -> Option<Task> {
        let mut tasks = self.tasks();
        if tasks.closed {
            return Some(task);
        }
        tasks.queue.push(task);
        self.count.spawned(self.driver.is_here());
        // Relaxed: the driving thread looks again and again.
        self.populated.store(true, Relaxed);
        None
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().expect("no code that can panic runs under this lock")
    }
}

impl Tasks {
    fn close(&mut self) -> Vec<Task> {
        self.closed = true;
        mem::take(&mut self.queue)
    }
}

/// The tasks of a thread while it drives. Nobody else polls them, so they stand outside the lock, and go back when the
/// thread stops driving, also by unwinding.
struct Driven<'a> {
    shared: &'a Shared,
    tasks: Vec<Task>,
}

impl<'a> Driven<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, tasks: Vec::new() }
    }

    /// Polls every task once, in the order in which they came.
    fn poll_tasks(&mut self, waker: &Waker) {
        if self.shared.populated.load(Relaxed) {
            self.take_over();
        }
        self.tasks.retain_mut(|task| {
            // A context each: a future may overwrite its own.
            let pending = task.poll(&mut Context::from_waker(waker)).is_pending();
            if !pending {
                self.shared.count.ended();
            }
            pending
        });
        self.shared.emptied.announce_if(|| self.is_empty());
    }

    /// Takes what was spawned since, or left by the thread that drove before.
    fn take_over(&mut self) {
        let mut tasks = self.shared.tasks();
        self.shared.populated.store(false, Relaxed);
        if self.tasks.is_empty() {
            mem::swap(&mut self.tasks, &mut tasks.queue);
        } else {
            self.tasks.append(&mut tasks.queue);
        }
    }

    /// Whether the executor has no task left.
    fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.shared.tasks().queue.is_empty()
    }
}

impl Drop for Driven<'_> {
    fn drop(&mut self) {
        // A queue that became empty goes back as well, for the room in it.
        if self.tasks.capacity() == 0 {
            return;
        }
        let mut tasks = self.shared.tasks();
        // Those that were spawned since come after them.
        self.tasks.append(&mut tasks.queue);
        mem::swap(&mut self.tasks, &mut tasks.queue);
        self.shared.populated.store(!tasks.queue.is_empty(), Relaxed);
    }
}

impl fmt::Debug for Shared {
    /// Shows nothing: a writer is foreign code, and must not run under a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
