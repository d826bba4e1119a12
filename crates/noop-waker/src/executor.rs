//! The run loop: polls every task in turn, over and over, until all have ended. With nothing ready it spins.

use std::fmt;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::support::{BoxedFuture, Driver, Join, RunWaiters, TaskCount, TaskHandle, UNPOISONED};
use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::{Mutex, MutexGuard, hint, thread};

use crate::task::Task;
use crate::waker;

/// Once in this many rounds the thread offers its processor to others: the thread that makes a task ready may need it.
const ROUNDS_PER_YIELD: u32 = 64;

/// The executor itself, which its spawners share.
#[derive(Default)]
pub(crate) struct Shared {
    driver: Driver,
    run_waiters: RunWaiters,
    pub(crate) count: TaskCount,
    tasks: Mutex<Tasks>,
    /// There may be tasks under the lock. While false, the driving thread need not take it.
    populated: AtomicBool,
}

#[derive(Default)]
struct Tasks {
    /// All tasks, in the order in which they were spawned, but for those that a driving thread has taken over.
    all: Vec<Task>,
    /// The executor is gone and accepts nothing any more.
    closed: bool,
}

impl Shared {
    /// Polls `future`, and the tasks too if it is not ready at once.
    #[inline]
    pub(crate) fn block_on<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        self.driver.assert_not_nested();
        let waker = waker::waker();
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => output,
            Poll::Pending => self.drive(&waker, future),
        }
    }

    pub(crate) fn run(&self) {
        self.block_on(pin!(self.run_waiters.wait(&self.driver)));
    }

    /// Accepts a future, or drops it at once if the executor is gone.
    pub(crate) fn spawn<T>(&self, (future, join): (BoxedFuture, Join<T>)) -> TaskHandle<T> {
        let task = Task::new(future);
        // Dropped here, outside the lock, if the executor is gone.
        let _rejected = self.accept(task);
        join.into_handle(waker::waker())
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

    /// Polls the tasks and `future`, in turn, until `future` is ready.
    ///
    /// Outlined: a future that is ready at once pays for one poll.
    #[inline(never)]
    fn drive<F: Future>(&self, waker: &Waker, mut future: Pin<&mut F>) -> F::Output {
        let entered = self.driver.enter();
        let mut driven = Driven::new(self);
        let mut rounds = 0_u32;
        loop {
            if entered.drives() {
                driven.poll_tasks(waker);
            }
            rounds = rounds.wrapping_add(1);
            if rounds % ROUNDS_PER_YIELD == 0 {
                thread::yield_now();
            } else {
                hint::spin_loop();
            }
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(waker)) {
                return output;
            }
        }
    }

    /// Returns the task if the executor is closed.
    fn accept(&self, task: Task) -> Option<Task> {
        let mut tasks = self.tasks();
        if tasks.closed {
            return Some(task);
        }
        tasks.all.push(task);
        self.count.spawned(self.driver.drives_here());
        // Relaxed: the driving thread reads it again and again.
        self.populated.store(true, Relaxed);
        None
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().expect(UNPOISONED)
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
