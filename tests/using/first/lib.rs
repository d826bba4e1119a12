//! A first executor: woken, it polls everything once; not woken, it sleeps. See docs/bring-your-own.md.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use executor::support::{BoxedFuture, Driver, TaskAbortHandle, TaskHandle, joinable};
use executor::{BlockOn, Capabilities, Described, Executor, Idle, NestedBlockOn, Spawn, WakeNames};

#[derive(Default)]
pub struct Sleeper {
    signal: Arc<Signal>,
    tasks: RefCell<Vec<BoxedFuture>>,
}

/// What every waker points to: a wake names the executor, and no task.
#[derive(Default)]
struct Signal {
    woken: AtomicBool,
    driver: Driver,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.woken.swap(true, SeqCst);
        self.driver.unpark();
    }
}

impl Spawn for Sleeper {
    type JoinHandle<T: Send + 'static> = TaskHandle<T>;
    type AbortHandle = TaskAbortHandle;

    fn spawn<F: Future<Output: Send> + Send + 'static>(&self, future: F) -> TaskHandle<F::Output> {
        let (task, join) = joinable(future);
        self.tasks.borrow_mut().push(task);
        let waker = Waker::from(self.signal.clone());
        waker.wake_by_ref();
        join.into_handle(waker)
    }
}

impl BlockOn for Sleeper {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let entered = self.signal.driver.enter();
        assert!(entered.drives(), "one thread has the executor, so no other drives");
        let (waker, mut root) = (Waker::from(self.signal.clone()), pin!(future.into_future()));
        loop {
            // Before the polls: a wake during one of them asks for another round.
            self.signal.woken.swap(false, SeqCst);
            let mut round = self.tasks.take();
            round.retain_mut(|task| task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            // What was spawned during the round comes after it.
            round.append(&mut self.tasks.borrow_mut());
            self.tasks.replace(round);
            if let Poll::Ready(output) = root.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            while !self.signal.woken.load(SeqCst) {
                entered.park_unless(|| self.signal.woken.load(SeqCst));
            }
        }
    }
}

impl Executor for Sleeper {
    fn run(&self) {
        self.block_on(poll_fn(|_| if self.tasks.borrow().is_empty() { Poll::Ready(()) } else { Poll::Pending }));
    }
}

impl Described for Sleeper {
    const NAME: &'static str = "sleeper";
    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Thread,
        idle: Idle::Parks,
        polls_only_woken: false,
        remote_spawn: false,
        concurrent_drivers: false,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
}
