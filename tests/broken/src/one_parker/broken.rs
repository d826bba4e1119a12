use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::thread::{self, Thread};
use executor::sync::thread_local;
use executor::{BlockOn, Capabilities, Described, Idle, NestedBlockOn, WakeNames};

/// Drives one future, with a signal that its thread keeps.
#[derive(Debug, Default)]
pub(crate) struct OneParker;

struct Signal {
    woken: AtomicBool,
    thread: Thread,
}

thread_local! {
    /// Made once for each thread: to make one for each call costs an allocation.
    static SIGNAL: Arc<Signal> = Arc::new(Signal::new());
}

impl Signal {
    fn new() -> Self {
        Self { woken: AtomicBool::new(false), thread: thread::current() }
    }
}

impl Described for OneParker {
    const NAME: &'static str = "one-parker";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Thread,
        idle: Idle::Parks,
        polls_only_woken: true,
        remote_spawn: false,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Works,
        catches_panics: false,
        reports_cancellation: false,
    };
}

impl BlockOn for OneParker {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        // WRONG: a nested call takes the wakes of the call that it is nested in.
        let signal = SIGNAL.with(Arc::clone);
        let waker = Waker::from(signal.clone());
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future.into_future());
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            while !signal.woken.swap(false, Acquire) {
                thread::park();
            }
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // A swap, as a store would hide an earlier wake, and what was written before it, from the poll.
        self.woken.swap(true, Release);
        self.thread.unpark();
    }
}
