//! The run loop: woken, it polls every task in turn, once. Nothing woken: it parks.

use std::fmt;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use executor::support::{BoxedFuture, Driver, Emptied, Join, TaskAbortHandle, TaskCount, TaskHandle, joinable};
use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::{Mutex, MutexGuard, hint};
use executor::{
    BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, RemoteSpawn, Spawn, Spawner, WakeNames,
};

use crate::task::Task;
use crate::waker::ThreadWaker;

/// Polls every task in turn whenever the thread was woken, and parks it otherwise.
#[derive(Debug, Default)]
pub struct ParkExecutor {
    pub(crate) shared: Arc<Shared>,
    spins: u32,
}

/// Spawns onto a [`ParkExecutor`] from its tasks and from other threads. Keeps no task alive: once the executor is
/// dropped, what it shares with its spawners is empty and closed.
#[derive(Clone, Debug)]
pub struct ParkSpawner {
    shared: Arc<Shared>,
}

#[derive(Default)]
pub(crate) struct Shared {
    driver: Driver,
    emptied: Emptied,
    count: TaskCount,
    tasks: Mutex<Tasks>,
    /// There may be tasks under the lock: otherwise the driving thread need not ask it.
    populated: AtomicBool,
    /// A task was spawned or aborted: a reason for a round that comes from no future's waker.
    changed: AtomicBool,
}

#[derive(Default)]
struct Tasks {
    /// Those that no thread has taken over to drive them, in the order in which they came.
    queue: Vec<Task>,
    /// The executor is gone: nothing is accepted any more.
    closed: bool,
}

impl Described for ParkExecutor {
    const NAME: &'static str = "park-waker";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Thread,
        idle: Idle::Parks,
        polls_only_woken: false,
        remote_spawn: true,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for ParkExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        self.shared.driver.assert_not_nested();
        let mut future = pin!(future.into_future());
        ThreadWaker::with(|thread| match future.as_mut().poll(&mut Context::from_waker(thread.waker())) {
            Poll::Ready(output) => output,
            Poll::Pending => self.drive(thread, future.as_mut()),
        })
    }
}

impl Spawn for ParkExecutor {
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

impl Executor for ParkExecutor {
    fn run(&self) {
        self.block_on(self.shared.emptied.wait(&self.shared.driver));
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.shared.count.get())
    }
}

impl RemoteSpawn for ParkExecutor {
    type Spawner = ParkSpawner;

    fn spawner(&self) -> ParkSpawner {
        ParkSpawner { shared: self.shared.clone() }
    }
}

impl Spawn for ParkSpawner {
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

impl Spawner for ParkSpawner {
    fn is_closed(&self) -> bool {
        self.shared.tasks().closed
    }
}

impl Drop for ParkExecutor {
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

impl ParkExecutor {
    /// One that looks so many times whether there was a wake before it parks.
    ///
    /// To park and to be unparked takes the operating system some microseconds, or some ten in a virtual machine. Where
    /// the next wake mostly comes sooner, looking out for it is faster; where it does not, the processor's time is
    /// spent and the thread parks after all. A look takes about as long as [`spin_loop`](std::hint::spin_loop): some
    /// ten nanoseconds.
    pub fn spinning(spins: u32) -> Self {
        Self { shared: Arc::default(), spins }
    }

    /// Polls the tasks and `future` when any of them is woken, until that is ready. Kept out of `block_on`, so that a
    /// future that is ready at once costs little more than its poll.
    #[inline(never)]
    fn drive<F: Future>(&self, thread: &ThreadWaker, mut future: Pin<&mut F>) -> F::Output {
        let entered = self.shared.driver.enter();
        let mut driven = Driven::new(&self.shared);
        loop {
            let drove = entered.drives();
            if drove {
                driven.poll_tasks(thread.waker());
            }
            // Having just taken over is a reason too: the tasks hold the waker of the thread that drove before.
            let ready = || thread.is_woken() || (entered.drives() && (!drove || driven.has_work()));
            while !ready() {
                // Whoever follows is unparked when it is to drive.
                if !(drove && self.spin_until(ready)) {
                    entered.park_unless(ready);
                }
            }
            thread.take_woken();
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(thread.waker())) {
                return output;
            }
        }
    }

    fn spin_until(&self, ready: impl Fn() -> bool) -> bool {
        (0..self.spins).any(|_| {
            hint::spin_loop();
            ready()
        })
    }
}

/// Names the thread that drives, whichever it is: for spawning and aborting, which know no future's waker.
impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the Acquire in `poll_tasks`. A swap, as a store would hide an earlier change from it.
        self.changed.swap(true, Release);
        self.driver.unpark();
    }
}

impl Shared {
    /// Accepts a future, or drops it at once where the executor is gone.
    pub(crate) fn spawn<T>(self: &Arc<Self>, (future, join): (BoxedFuture, Join<T>)) -> TaskHandle<T> {
        let task = Task::new(future);
        // Dropped here if the executor is gone, outside the lock.
        let _rejected = self.accept(task);
        join.into_handle(Waker::from(self.clone()))
    }

    /// Hands the task back if the executor is closed.
    fn accept(self: &Arc<Self>, task: Task) -> Option<Task> {
        let mut tasks = self.tasks();
        if tasks.closed {
            return Some(task);
        }
        tasks.queue.push(task);
        self.count.spawned(self.driver.is_here());
        // Relaxed: the driving thread reads it after `changed`, which says that there is something to read.
        self.populated.store(true, Relaxed);
        drop(tasks);
        self.wake_by_ref();
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
        if self.shared.changed.load(Relaxed) {
            // Acquire: pairs with the Release in `wake_by_ref`. Before the polls: what changes during them asks for
            // another round.
            self.shared.changed.swap(false, Acquire);
        }
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

    /// Whether there is a reason for a round that is not a wake.
    fn has_work(&self) -> bool {
        self.shared.changed.load(Relaxed) || (self.shared.emptied.is_awaited() && self.is_empty())
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
