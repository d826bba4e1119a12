//! Six bare executors, one file each. Each differs from the one before it by one decision about wakes.
//!
//! | rung | a wake | with nothing ready it |
//! |---|---|---|
//! | [`noop`] | does nothing | polls on |
//! | [`park`] | sets a flag and unparks the thread | sleeps |
//! | [`arc`] | puts the task into the ready queue | sleeps |
//! | [`vtable`] | the same, with the four functions of a waker written by hand | sleeps |
//! | [`raw`] | the same, with the task in one allocation that is counted by hand | sleeps |
//! | [`biased`] | the same, counted without atomic operations on the thread that polls | sleeps |
//!
//! The package's README is the tour. A rung leaves out what its full crate has: it stays on one thread, and neither its
//! tasks nor other threads spawn. What is left is complete, and passes the conformance suite.
//!
//! ```
//! use executor::{BlockOn, Executor, Spawn, yield_now};
//!
//! let executor = ladder::Arc::default();
//! let sum = executor.spawn(async {
//!     yield_now().await;
//!     1
//! });
//! assert_eq!(executor.block_on(async { sum.await.unwrap() + 1 }), 2);
//! executor.run();
//! ```

#![expect(missing_debug_implementations, reason = "a rung is seen through its `Frame`, which shows its name")]

use std::fmt;
use std::mem;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use executor::support::{Driver, RootWaker, TaskAbortHandle, TaskHandle, is_large, joinable_unboxed};
use executor::{BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, Spawn, WakeNames};

pub mod arc;
pub mod biased;
mod joint;
pub mod noop;
pub mod park;
pub mod raw;
pub mod vtable;

/// Rung 1: a wake names nobody.
pub type Noop = Frame<noop::Core>;
/// Rung 2: a wake names the thread.
pub type Park = Frame<park::Core>;
/// Rung 3: a wake names the task.
pub type Arc = Frame<arc::Core>;
/// Rung 4: the same, with a vtable written by hand.
pub type Vtable = Frame<vtable::Core>;
/// Rung 5: the same, in one allocation that is counted by hand.
pub type Raw = Frame<raw::Core>;
/// Rung 6: the same, counted in two words.
pub type Biased = Frame<biased::Core>;

/// What makes a rung differ from the others: how it keeps its tasks, what a wake does, and how it waits for one.
///
/// All of it is called on the thread that made it. Only the wakers go to other threads.
pub trait Rung: Default + 'static {
    /// The executor's name.
    const NAME: &'static str;

    /// What a waker points at.
    const WAKE_NAMES: WakeNames;

    /// The one waker for the root and for all tasks. `None` where each has its own.
    fn waker(&self) -> Option<&Waker> {
        None
    }

    /// Makes a task, which is ready, of a future that never panics. Returns a waker of the task: to abort, the frame
    /// leaves a mark in the future and wakes the task.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker;

    /// How many tasks have not ended.
    fn tasks(&self) -> usize;

    /// Polls each task that is ready, once. First in, first out.
    fn poll_tasks(&self);

    /// Returns when a task may be ready, or the root is woken.
    fn wait(&self, root: &RootWaker);
}

/// The executor around a rung: the loop, and what no rung decides, which is join handles, panics, nested calls and the
/// drop.
///
/// It stays on the thread that made it, and takes tasks from nobody else. So one thread drives and any number wake,
/// which is all that a rung has to think of.
///
/// ```compile_fail,E0277
/// fn send<T: Send>(_: T) {}
/// send(ladder::Biased::default());
/// ```
pub struct Frame<R: Rung> {
    driver: Driver,
    rung: Rc<R>,
}

impl<R: Rung> Frame<R> {
    /// The loop: a step, then a wait, until a step says that it was the last.
    fn drive<T>(&self, mut step: impl FnMut(&RootWaker) -> Poll<T>) -> T {
        let entered = self.driver.enter();
        assert!(entered.drives(), "an executor that stays on its thread is driven by no other");
        RootWaker::with(|root| {
            // The first poll comes without a wake.
            root.waker().wake_by_ref();
            loop {
                if let Poll::Ready(output) = step(root) {
                    return output;
                }
                self.rung.wait(root);
            }
        })
    }

    fn accept<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, join) = joinable_unboxed(future);
        join.into_handle(self.rung.spawn(task))
    }
}

impl<R: Rung> BlockOn for Frame<R> {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let mut future = pin!(future.into_future());
        self.drive(|root| {
            // A waker that names no task cannot say whether the root was woken: so that is polled in every step.
            if root.take_woken() || self.rung.waker().is_some() {
                let waker = self.rung.waker().unwrap_or(root.waker());
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(waker)) {
                    return Poll::Ready(output);
                }
            }
            self.rung.poll_tasks();
            Poll::Pending
        })
    }
}

impl<R: Rung> Spawn for Frame<R> {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if is_large::<F>() { self.accept(Box::pin(future)) } else { self.accept(future) }
    }
}

impl<R: Rung> Executor for Frame<R> {
    fn run(&self) {
        self.drive(|root| {
            // There is no root to be polled.
            root.take_woken();
            self.rung.poll_tasks();
            if self.rung.tasks() == 0 { Poll::Ready(()) } else { Poll::Pending }
        });
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.rung.tasks())
    }
}

impl<R: Rung> Described for Frame<R> {
    const NAME: &'static str = R::NAME;

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: R::WAKE_NAMES,
        idle: match R::WAKE_NAMES {
            WakeNames::Nobody => Idle::Spins,
            WakeNames::Thread | WakeNames::Task => Idle::Parks,
        },
        polls_only_woken: matches!(R::WAKE_NAMES, WakeNames::Task),
        remote_spawn: false,
        concurrent_drivers: false,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl<R: Rung> Default for Frame<R> {
    fn default() -> Self {
        Self { driver: Driver::new(), rung: Rc::default() }
    }
}

impl<R: Rung> Drop for Frame<R> {
    fn drop(&mut self) {
        if !self.driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            mem::forget(self.rung.clone());
        }
    }
}

impl<R: Rung> fmt::Debug for Frame<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("rung", &R::NAME).finish_non_exhaustive()
    }
}
