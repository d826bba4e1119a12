//! What the exhibits that own tasks have in common. No fault is in here.
//!
//! The exhibits' own parts are arc-waker's, with a lock around the queue instead of the channel. Their orderings are
//! those of arc-waker, and explained there.

use std::any::Any;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::task::{Context, Poll, Waker};

pub use executor::support::BoxedFuture;
use executor::support::{Driver, RootWaker, RunWaiters, TaskAbortHandle, TaskHandle, joinable};
use executor::{
    BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, RemoteSpawn, Spawn, Spawner, WakeNames,
};

/// What a panic carries.
pub type Payload = Box<dyn Any + Send>;

/// What an exhibit is made of: its tasks, their wakers and its ready queue.
///
/// A [`Frame`] around it is the executor.
pub trait Core: Send + Sync + 'static {
    /// The right to drive, and who waits in `run`.
    fn base(&self) -> &Base;

    /// Makes a task that is ready, or drops the future if the executor is gone. Returns the task's waker.
    fn spawn(self: Arc<Self>, future: BoxedFuture) -> Waker;

    /// Polls the tasks that are ready now, in turn. Only for the driving thread.
    fn poll_ready(&self);

    /// Whether a task is ready. Only for the driving thread.
    fn has_ready(&self) -> bool;

    /// Whether no task is left. Only for the driving thread.
    fn is_empty(&self) -> bool;

    /// Ends all tasks, for the thread that drops the executor.
    fn close(&self);

    /// What becomes of a panic in a task: the task's handle reports what this returns.
    fn on_panic(&self) -> fn(Payload) -> Option<Payload> {
        Some
    }

    /// Polls `root` and the tasks until `root` is ready.
    fn block_on(&self, mut root: Pin<&mut dyn Future<Output = ()>>) {
        let Base { driver, run_waiters, .. } = self.base();
        let entered = driver.enter();
        RootWaker::with(|waker| {
            let mut cx = Context::from_waker(waker.waker());
            // For its first poll.
            cx.waker().wake_by_ref();
            loop {
                if waker.take_woken() && root.as_mut().poll(&mut cx).is_ready() {
                    return;
                }
                if entered.drives() {
                    self.poll_ready();
                    run_waiters.notify_if_empty(|| self.is_empty());
                }
                let ready = || waker.is_woken() || (entered.drives() && self.has_work());
                while !ready() {
                    entered.park_unless(ready);
                }
            }
        });
    }

    /// Whether the driving thread has something to do.
    fn has_work(&self) -> bool {
        self.has_ready() || (self.base().run_waiters.any() && self.is_empty())
    }
}

/// What [`Frame`] needs in every [`Core`].
#[derive(Debug, Default)]
pub struct Base {
    /// Who drives.
    pub driver: Driver,
    /// Who waits for the last task's end.
    pub run_waiters: RunWaiters,
    /// The executor is gone, or is being dropped.
    closed: AtomicBool,
}

/// The executor around the [`Core`] that `C` chooses.
///
/// The choice is made at run time: so suite and models are compiled once for all exhibits, in a thirtieth of the time.
pub struct Frame<C: Choice> {
    core: Arc<dyn Core>,
    choice: PhantomData<fn() -> C>,
}

/// Chooses what a [`Frame`] is made around.
pub trait Choice: 'static {
    /// Makes the core.
    fn core() -> Arc<dyn Core>;
}

/// Chooses the core `C`.
#[derive(Debug)]
pub struct Of<C>(PhantomData<fn() -> C>);

impl<C: Core + Default> Choice for Of<C> {
    fn core() -> Arc<dyn Core> {
        Arc::new(C::default())
    }
}

/// Spawns onto a [`Frame`] from its tasks and from other threads.
#[derive(Clone)]
pub struct FrameSpawner {
    core: Arc<dyn Core>,
}

impl<C: Choice> Default for Frame<C> {
    fn default() -> Self {
        Self { core: C::core(), choice: PhantomData }
    }
}

impl<C: Choice> Described for Frame<C> {
    const NAME: &'static str = "broken";

    /// As arc-waker's: nobody told the users what an exhibit lacks.
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

impl<C: Choice> BlockOn for Frame<C> {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let mut output = None;
        self.core.block_on(pin!(async { output = Some(future.into_future().await) }));
        output.expect("`Core::block_on` returns when the root is ready")
    }
}

impl<C: Choice> Spawn for Frame<C> {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn(&self.core, future)
    }
}

impl<C: Choice> Executor for Frame<C> {
    fn run(&self) {
        let Base { driver, run_waiters, .. } = self.core.base();
        self.core.block_on(pin!(run_waiters.wait(driver)));
    }
}

impl<C: Choice> RemoteSpawn for Frame<C> {
    type Spawner = FrameSpawner;

    fn spawner(&self) -> FrameSpawner {
        FrameSpawner { core: self.core.clone() }
    }
}

impl Spawn for FrameSpawner {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F>(&self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn(&self.core, future)
    }
}

impl Spawner for FrameSpawner {
    fn is_closed(&self) -> bool {
        self.core.base().closed.load(Relaxed)
    }
}

impl<C: Choice> Drop for Frame<C> {
    fn drop(&mut self) {
        if !self.core.base().driver.close() {
            // A poll is under way, as `Driver::close` explains. All that it reaches is leaked.
            return mem::forget(self.core.clone());
        }
        self.core.base().closed.store(true, Relaxed);
        self.core.close();
    }
}

fn spawn<F>(core: &Arc<dyn Core>, future: F) -> TaskHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // Boxed before it is guarded: an async function keeps room for its argument, and more for what it pins.
    let (future, join) = joinable(guarded(Box::pin(future), core.on_panic()));
    join.into_handle(core.clone().spawn(future))
}

/// Shows a panic of `future` to `on_panic` before it is reported. Where that returns `None`, the task stays pending.
async fn guarded<F: Future>(future: F, on_panic: fn(Payload) -> Option<Payload>) -> F::Output {
    let mut future = pin!(future);
    let mut lost = false;
    poll_fn(move |cx| {
        if lost {
            return Poll::Pending;
        }
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))).unwrap_or_else(|payload| {
            lost = true;
            on_panic(payload).map_or(Poll::Pending, |payload| resume_unwind(payload))
        })
    })
    .await
}

impl<C: Choice> fmt::Debug for Frame<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("base", self.core.base()).finish_non_exhaustive()
    }
}

impl fmt::Debug for FrameSpawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameSpawner").finish_non_exhaustive()
    }
}
