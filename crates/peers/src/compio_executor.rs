//! compio's executor without its I/O: driven as compio's runtime drives it, with thread parking in place of its driver.

use std::cell::Cell;
use std::fmt;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use compio_executor::ExecutorConfig;
use executor::support::RootWaker;
use executor::{
    BlockOn, Capabilities, Described, Executor, Idle, JoinError, JoinHandle, NestedBlockOn, Spawn, WakeNames,
};
use pin_project_lite::pin_project;

use crate::owner::Owner;
use crate::sharing::{AbortHandle, Cancel, Sharing};

/// compio's executor, for the thread that made it.
#[derive(Debug)]
pub struct CompioExecutor {
    executor: compio_executor::Executor,
    owner: Arc<Owner>,
    /// The number of unfinished tasks, which the crate does not count.
    live: Rc<Cell<usize>>,
}

/// compio's own join handle. To abort a task consumes it, as the crate intends.
pub struct CompioJoinHandle<T>(Sharing<Joining<T>>);

/// The crate's own handle, which cancels when it is dropped; to drop this one detaches. `None` after an abort.
struct Joining<T>(Option<compio_executor::JoinHandle<T>>);

impl Default for CompioExecutor {
    fn default() -> Self {
        let owner = Arc::new(Owner::new());
        let config = ExecutorConfig { waker: Some(Waker::from(owner.clone())), ..ExecutorConfig::default() };
        Self { executor: compio_executor::Executor::with_config(config), owner, live: Rc::default() }
    }
}

impl Described for CompioExecutor {
    const NAME: &'static str = "compio-executor";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Task,
        idle: Idle::Parks,
        polls_only_woken: true,
        remote_spawn: false,
        concurrent_drivers: false,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}

impl BlockOn for CompioExecutor {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let mut future = pin!(future.into_future());
        RootWaker::with(|root| {
            let _entered = self.owner.enter();
            let mut cx = Context::from_waker(root.waker());
            match future.as_mut().poll(&mut cx) {
                Poll::Ready(output) => output,
                Poll::Pending => self.drive(
                    || if root.take_woken() { future.as_mut().poll(&mut cx) } else { Poll::Pending },
                    || root.is_woken(),
                ),
            }
        })
    }
}

impl Spawn for CompioExecutor {
    type JoinHandle<T: Send + 'static> = CompioJoinHandle<T>;
    type AbortHandle = AbortHandle;

    fn spawn<F>(&self, future: F) -> CompioJoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.live.set(self.live.get() + 1);
        let live = Live(self.live.clone());
        CompioJoinHandle(Sharing::new(Joining(Some(self.executor.spawn(Counted { future, live })))))
    }
}

impl Executor for CompioExecutor {
    fn run(&self) {
        let _entered = self.owner.enter();
        self.drive(|| if self.live.get() == 0 { Poll::Ready(()) } else { Poll::Pending }, || self.live.get() == 0);
    }

    fn tasks(&self) -> Option<usize> {
        Some(self.live.get())
    }
}

impl CompioExecutor {
    /// Ticks until `root` is ready. Before it parks, it asks whether to poll the root again.
    #[inline(never)]
    fn drive<T>(&self, mut root: impl FnMut() -> Poll<T>, root_is_woken: impl Fn() -> bool) -> T {
        loop {
            self.owner.take_notified();
            if !self.executor.tick() {
                self.owner.park_unless(&root_is_woken);
            }
            if let Poll::Ready(output) = root() {
                return output;
            }
        }
    }
}

impl<T: Send + 'static> JoinHandle<T> for CompioJoinHandle<T> {
    type AbortHandle = AbortHandle;

    fn abort(&self) {
        self.0.with(Joining::abort);
    }

    fn is_finished(&self) -> bool {
        self.0.with(Joining::is_finished)
    }

    fn abort_handle(&self) -> AbortHandle {
        self.0.abort_handle()
    }
}

impl<T: Send + 'static> Cancel for Joining<T> {
    fn abort(&mut self) {
        drop(self.0.take_if(|handle| !handle.is_finished()));
    }

    fn is_finished(&mut self) -> bool {
        self.0.as_ref().is_none_or(|handle| handle.is_finished())
    }
}

impl<T> Future for CompioJoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.with_mut(|Joining(handle)| {
            let Some(handle) = handle else { return Poll::Ready(Err(JoinError::Cancelled)) };
            Pin::new(handle).poll(cx).map_err(|error| match error {
                compio_executor::JoinError::Panicked(payload) => JoinError::panicked(payload),
                compio_executor::JoinError::Cancelled => JoinError::Cancelled,
            })
        })
    }
}

impl<T> Drop for Joining<T> {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            handle.detach();
        }
    }
}

impl<T> fmt::Debug for CompioJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompioJoinHandle").finish_non_exhaustive()
    }
}

pin_project! {
    /// A future that is counted until it is dropped, which happens on the owner thread.
    struct Counted<F> {
        #[pin]
        future: F,
        live: Live,
    }
}

struct Live(Rc<Cell<usize>>);

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
