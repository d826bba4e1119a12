//! The run loop: polls every task in turn, once, whenever the thread was woken. With nothing woken it parks.

use std::fmt;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use executor::support::{BoxedFuture, Driver, Join, RunWaiters, TaskCount, TaskHandle, UNPOISONED};
use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::{Mutex, MutexGuard, hint};

use crate::task::Task;
use crate::waker::ThreadWaker;

/// The executor itself, which its spawners share.
#[derive(Default)]
pub(crate) struct Shared {
    driver: Driver,
    run_waiters: RunWaiters,
    pub(crate) count: TaskCount,
    tasks: Mutex<Tasks>,
    /// There may be tasks under the lock. While false, the driving thread need not take it.
    populated: AtomicBool,
    /// A task was spawned or aborted: a reason for a round that comes from no future's waker.
    changed: AtomicBool,
    /// How often to check for a wake before parking.
    spins: u32,
}

#[derive(Default)]
struct Tasks {
    /// All tasks, in the order in which they were spawned, but for those that a driving thread has taken over.
    all: Vec<Task>,
    /// The executor is gone and accepts nothing any more.
    closed: bool,
}

impl Shared {
    pub(crate) fn spinning(spins: u32) -> Self {
        Self { spins, ..Self::default() }
    }

    /// Polls `future`, and the tasks too if it is not ready at once.
    #[inline]
    pub(crate) fn block_on<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        self.driver.assert_not_nested();
        ThreadWaker::with(|thread| match future.as_mut().poll(&mut Context::from_waker(thread.waker())) {
            Poll::Ready(output) => output,
            Poll::Pending => self.drive(thread, future.as_mut()),
        })
    }

    pub(crate) fn run(&self) {
        self.block_on(pin!(self.run_waiters.wait(&self.driver)));
    }

    /// Accepts a future, or drops it at once if the executor is gone.
    pub(crate) fn spawn<T>(self: &Arc<Self>, (future, join): (BoxedFuture, Join<T>)) -> TaskHandle<T> {
        let task = Task::new(future);
        // Dropped here, outside the lock, if the executor is gone.
        let _rejected = self.accept(task);
        join.into_handle(Waker::from(self.clone()))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.tasks().closed
    }

    /// Ends all tasks, for the executor's drop.
    pub(crate) fn close(self: &Arc<Self>) {
        if !self.driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            return mem::forget(self.clone());
        }
        // In the order in which they were spawned, and outside the lock.
        let tasks = self.tasks().close();
        drop(tasks);
    }

    /// Polls the tasks and `future`, whenever any of them is woken, until `future` is ready.
    ///
    /// Outlined: a future that is ready at once pays for one poll.
    #[inline(never)]
    fn drive<F: Future>(&self, thread: &ThreadWaker, mut future: Pin<&mut F>) -> F::Output {
        let entered = self.driver.enter();
        let mut driven = Driven::new(self);
        loop {
            let drove = entered.drives();
            if drove {
                driven.poll_tasks(thread.waker());
            }
            // Having just taken over is a reason too: the tasks hold the waker of the thread that drove before.
            let ready = || thread.is_woken() || (entered.drives() && (!drove || driven.has_work()));
            while !ready() {
                // A follower does not spin: it is unparked when it is its turn to drive.
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

    /// Returns the task if the executor is closed.
    fn accept(self: &Arc<Self>, task: Task) -> Option<Task> {
        let mut tasks = self.tasks();
        if tasks.closed {
            return Some(task);
        }
        tasks.all.push(task);
        self.count.spawned(self.driver.drives_here());
        // Relaxed: the driving thread reads it after `changed`, which says that there is something to read.
        self.populated.store(true, Relaxed);
        drop(tasks);
        self.wake_by_ref();
        None
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().expect(UNPOISONED)
    }
}

/// Wakes the thread that drives, whichever it is: for spawning and aborting, which know no future's waker.
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

impl Tasks {
    fn close(&mut self) -> Vec<Task> {
        self.closed = true;
        mem::take(&mut self.all)
    }
}

/// The tasks of a thread while it drives. No other thread polls them, so they are kept outside the lock. They go back
/// when the thread stops driving, also by unwinding.
struct Driven<'a> {
    shared: &'a Shared,
    tasks: Vec<Task>,
}

impl<'a> Driven<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, tasks: Vec::new() }
    }

    /// Polls every task once, in the order in which they were spawned.
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
            // Each task gets its own context, which its future may overwrite.
            let pending = task.poll(&mut Context::from_waker(waker)).is_pending();
            if !pending {
                self.shared.count.ended();
            }
            pending
        });
        self.shared.run_waiters.notify_if_empty(|| self.is_empty());
    }

    /// Takes the tasks that were spawned since, or left by the thread that drove before.
    fn take_over(&mut self) {
        let mut tasks = self.shared.tasks();
        self.shared.populated.store(false, Relaxed);
        if self.tasks.is_empty() {
            mem::swap(&mut self.tasks, &mut tasks.all);
        } else {
            self.tasks.append(&mut tasks.all);
        }
    }

    /// Whether there is a reason for a round that is not a wake.
    fn has_work(&self) -> bool {
        self.shared.changed.load(Relaxed) || (self.shared.run_waiters.any() && self.is_empty())
    }

    /// Whether the executor has no task left.
    fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.shared.tasks().all.is_empty()
    }
}

impl Drop for Driven<'_> {
    fn drop(&mut self) {
        // A list that became empty goes back as well, for its capacity.
        if self.tasks.capacity() == 0 {
            return;
        }
        let mut tasks = self.shared.tasks();
        // The tasks that were spawned since come after these.
        self.tasks.append(&mut tasks.all);
        mem::swap(&mut self.tasks, &mut tasks.all);
        self.shared.populated.store(!tasks.all.is_empty(), Relaxed);
    }
}

impl fmt::Debug for Shared {
    /// Shows nothing: a writer is foreign code, and must not run under a lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
