use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::thread::{self, Thread};
use executor::{BlockOn, Capabilities, Described, Idle, NestedBlockOn, WakeNames};

/// Drives one future, and sleeps while it was not woken.
#[derive(Debug, Default)]
pub(crate) struct ClearsLate;

struct Signal {
    woken: AtomicBool,
    thread: Thread,
}

impl Described for ClearsLate {
    const NAME: &'static str = "clears-late";

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

impl BlockOn for ClearsLate {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        let signal = Arc::new(Signal { woken: AtomicBool::new(false), thread: thread::current() });
        let waker = Waker::from(signal.clone());
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future.into_future());
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            // WRONG: wipes away a wake that came during the poll.
            signal.woken.swap(false, Acquire);
            while !signal.woken.load(Acquire) {
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
