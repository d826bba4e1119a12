#![doc = include_str!("../README.md")]
#![expect(missing_debug_implementations, reason = "a rung is seen through its `Frame`, which shows its name")]

use std::fmt;
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Waker;

use executor::support::{Driver, TaskAbortHandle, TaskHandle, is_large, joinable_unboxed};
use executor::{BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, Spawn, WakeNames};

pub mod arc;
pub mod biased;
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

/// What makes a rung differ from the others: how its tasks are kept, what a wake does, and how its loop waits.
///
/// All of it happens on one thread; only the wakers that it hands out may go to others.
pub trait Rung: Default + 'static {
    /// The executor's name.
    const NAME: &'static str;

    /// What a waker points at.
    const WAKE_NAMES: WakeNames;

    /// Makes a task that is ready, of a future that never panics. Returns the waker by which the task is aborted.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Waker;

    /// Polls `root`, and the tasks in between, until `root` is ready.
    fn block_on<F: Future>(&self, root: Pin<&mut F>) -> F::Output;

    /// Polls the tasks until none is left.
    fn run(&self);

    /// How many tasks have not ended.
    fn tasks(&self) -> usize;
}

/// The executor around a rung. It holds what no rung decides: join handles, panics, nested calls and the drop.
///
/// It stays on the thread that made it, and takes tasks from nobody else: so a rung has one thread to think of that
/// drives, and any number that wake.
pub struct Frame<R: Rung> {
    driver: Driver,
    rung: Rc<R>,
}

impl<R: Rung> Default for Frame<R> {
    fn default() -> Self {
        Self { driver: Driver::new(), rung: Rc::default() }
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

impl<R: Rung> BlockOn for Frame<R> {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let entered = self.driver.enter();
        assert!(entered.drives(), "an executor that stays on its thread is driven by nobody else");
        self.rung.block_on(pin!(future.into_future()))
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
        let entered = self.driver.enter();
        assert!(entered.drives(), "an executor that stays on its thread is driven by nobody else");
        self.rung.run();
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.rung.tasks())
    }
}

impl<R: Rung> Frame<R> {
    fn accept<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (task, join) = joinable_unboxed(future);
        join.into_handle(self.rung.spawn(task))
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
