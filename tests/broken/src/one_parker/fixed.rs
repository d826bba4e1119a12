use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use executor::sync::atomic::{AtomicBool, Ordering::*, fence};
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
    /// Made once for each thread, and gone while a call uses it: to make one for each call costs an allocation.
    static SIGNAL: Cell<Option<Arc<Signal>>> = const { Cell::new(None) };
}

impl Signal {
    fn new() -> Self {
        Self { woken: AtomicBool::new(false), thread: thread::current() }
    }

    /// Makes it one that is not woken, unless a waker of an earlier call is left.
    fn renew(self: Arc<Self>) -> Option<Arc<Self>> {
        let unshared = Arc::strong_count(&self) == 1;
        // Acquire: what the wakers that are gone have done comes before what follows.
        fence(Acquire);
        let renewed = unshared.then_some(self)?;
        renewed.woken.store(false, Relaxed);
        Some(renewed)
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
        let signal = SIGNAL.with(Cell::take).and_then(Signal::renew).unwrap_or_else(|| Arc::new(Signal::new()));
        let waker = Waker::from(signal.clone());
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future.into_future());
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                SIGNAL.with(|kept| kept.set(Some(signal)));
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
