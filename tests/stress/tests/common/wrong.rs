//! arc-waker with deliberate faults, which show that the detectors detect.

use std::fmt;
use std::hint;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use arc_waker::{ArcExecutor, ArcSpawner};
use executor::{BlockOn, Capabilities, Described, Executor, JoinError, JoinHandle, RemoteSpawn, Spawn, Spawner};

/// What is wrong; by default, nothing.
pub(crate) trait Fault: Default + Send + Sync + 'static {
    /// One wake in so many is forgotten.
    const FORGETS_EVERY: usize = usize::MAX;
    /// Aborts do nothing.
    const IGNORES_ABORTS: bool = false;
    /// An unfinished future is leaked when its executor is dropped.
    const LEAKS_FUTURES: bool = false;
    /// Each task leaks a byte.
    const LEAKS_BYTES: bool = false;
    /// Each poll is made twice.
    const POLLS_TWICE: bool = false;
    /// The last poll is made twice, too: the second one comes after the end.
    const POLLS_AFTER_END: bool = false;
    /// Handles do not keep the joiner's waker.
    const WAKES_NO_JOINER: bool = false;
    /// Handles yield nothing.
    const RESOLVES_NOTHING: bool = false;
    /// Handles yield `Cancelled` as soon as they are told to abort.
    const REPORTS_EARLY: bool = false;
    /// Handles always yield `Panicked`.
    const REPORTS_PANICS: bool = false;
}

/// Makes types that have one fault each.
macro_rules! faults {
    ($($name:ident: $($constant:ident = $value:expr)?,)*) => {
        $(
            #[derive(Default)]
            struct $name;

            impl $crate::wrong::Fault for $name {
                $($crate::wrong::faults!(@ $constant = $value);)?
            }
        )*
    };
    (@ FORGETS_EVERY = $value:expr) => {
        const FORGETS_EVERY: usize = $value;
    };
    (@ $constant:ident = $value:expr) => {
        const $constant: bool = $value;
    };
}

pub(crate) use faults;

/// arc-waker with a fault.
#[derive(Default)]
pub(crate) struct Wrong<F> {
    executor: ArcExecutor,
    wakes: Arc<AtomicUsize>,
    fault: PhantomData<F>,
}

pub(crate) struct WrongSpawner<F> {
    spawner: ArcSpawner,
    wakes: Arc<AtomicUsize>,
    fault: PhantomData<F>,
}

impl<F> Clone for WrongSpawner<F> {
    fn clone(&self) -> Self {
        Self { spawner: self.spawner.clone(), wakes: self.wakes.clone(), fault: PhantomData }
    }
}

impl<F: Fault> Described for Wrong<F> {
    const NAME: &'static str = "wrong";
    const CAPABILITIES: Capabilities = ArcExecutor::CAPABILITIES;
}

impl<F: Fault> BlockOn for Wrong<F> {
    fn block_on<T: IntoFuture>(&self, future: T) -> T::Output {
        self.executor.block_on(future)
    }
}

impl<F: Fault> Spawn for Wrong<F> {
    type JoinHandle<T: Send + 'static> = WrongHandle<T, F>;
    type AbortHandle = <ArcExecutor as Spawn>::AbortHandle;

    fn spawn<T>(&self, future: T) -> WrongHandle<T::Output, F>
    where
        T: Future + Send + 'static,
        T::Output: Send + 'static,
    {
        self.spawner().spawn(future)
    }
}

impl<F: Fault> Spawn for WrongSpawner<F> {
    type JoinHandle<T: Send + 'static> = WrongHandle<T, F>;
    type AbortHandle = <ArcExecutor as Spawn>::AbortHandle;

    fn spawn<T>(&self, future: T) -> WrongHandle<T::Output, F>
    where
        T: Future + Send + 'static,
        T::Output: Send + 'static,
    {
        let future = Tampered::<T, F> { future: Some(Box::pin(future)), wakes: self.wakes.clone(), fault: PhantomData };
        if F::LEAKS_BYTES {
            // Otherwise an optimised build removes the allocation.
            mem::forget(hint::black_box(Box::new(0_u8)));
        }
        WrongHandle { handle: self.spawner.spawn(future), aborted: AtomicBool::new(false), fault: PhantomData }
    }
}

impl<F: Fault> Spawner for WrongSpawner<F> {
    fn is_closed(&self) -> bool {
        self.spawner.is_closed()
    }
}

impl<F: Fault> Executor for Wrong<F> {
    fn run(&self) {
        self.executor.run();
    }
}

impl<F: Fault> RemoteSpawn for Wrong<F> {
    type Spawner = WrongSpawner<F>;

    fn spawner(&self) -> WrongSpawner<F> {
        WrongSpawner { spawner: self.executor.spawner(), wakes: self.wakes.clone(), fault: PhantomData }
    }
}

pub(crate) struct WrongHandle<T: Send + 'static, F> {
    handle: <ArcExecutor as Spawn>::JoinHandle<T>,
    aborted: AtomicBool,
    fault: PhantomData<F>,
}

impl<T: Send + 'static, F> Unpin for WrongHandle<T, F> {}

impl<T: Send + 'static, F: Fault> Future for WrongHandle<T, F> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if F::RESOLVES_NOTHING {
            return Poll::Pending;
        }
        if self.reports_early() {
            return Poll::Ready(Err(JoinError::Cancelled));
        }
        let mut nobody = Context::from_waker(Waker::noop());
        let polled = Pin::new(&mut self.handle).poll(if F::WAKES_NO_JOINER { &mut nobody } else { cx });
        if F::REPORTS_PANICS { polled.map(|_| Err(JoinError::panicked(Box::new("nothing")))) } else { polled }
    }
}

impl<T: Send + 'static, F: Fault> JoinHandle<T> for WrongHandle<T, F> {
    type AbortHandle = <ArcExecutor as Spawn>::AbortHandle;

    fn abort(&self) {
        if !F::IGNORES_ABORTS {
            self.aborted.store(true, SeqCst);
            self.handle.abort();
        }
    }

    fn is_finished(&self) -> bool {
        self.handle.is_finished() || self.reports_early()
    }

    fn abort_handle(&self) -> Self::AbortHandle {
        self.handle.abort_handle()
    }
}

impl<T: Send + 'static, F> fmt::Debug for WrongHandle<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrongHandle").finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for WrongSpawner<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrongSpawner").finish_non_exhaustive()
    }
}

impl<T: Send + 'static, F: Fault> WrongHandle<T, F> {
    fn reports_early(&self) -> bool {
        F::REPORTS_EARLY && self.aborted.load(SeqCst)
    }
}

/// Wraps a task's future, between the task and its executor.
struct Tampered<T, F: Fault> {
    future: Option<Pin<Box<T>>>,
    wakes: Arc<AtomicUsize>,
    fault: PhantomData<F>,
}

impl<T, F: Fault> Unpin for Tampered<T, F> {}

impl<T: Future, F: Fault> Future for Tampered<T, F> {
    type Output = T::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T::Output> {
        let forgetful = Forgetful { waker: cx.waker().clone(), wakes: self.wakes.clone(), every: F::FORGETS_EVERY };
        let waker = Waker::from(Arc::new(forgetful));
        let mut cx = Context::from_waker(&waker);
        let mut future = self.future.as_mut().expect("arc-waker polls nothing after its end").as_mut();
        let mut polled = future.as_mut().poll(&mut cx);
        if F::POLLS_TWICE && polled.is_pending() {
            polled = future.as_mut().poll(&mut cx);
        }
        if F::POLLS_AFTER_END && polled.is_ready() {
            polled = future.as_mut().poll(&mut cx);
        }
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }
}

impl<T, F: Fault> Drop for Tampered<T, F> {
    fn drop(&mut self) {
        if F::LEAKS_FUTURES {
            mem::forget(self.future.take());
        }
    }
}

struct Forgetful {
    waker: Waker,
    wakes: Arc<AtomicUsize>,
    every: usize,
}

impl Wake for Forgetful {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if (self.wakes.fetch_add(1, SeqCst) + 1) % self.every != 0 {
            self.waker.wake_by_ref();
        }
    }
}
