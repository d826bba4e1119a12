//! Events that order threads, and what threads say that they wait for.

use std::sync::{Arc, Condvar, Mutex};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

/// How long a thread waits at a [`Gate`] before it panics. Shorter than the suite's own patience, so that the message
/// names the gate.
const PATIENCE: Duration = Duration::from_secs(30);

/// An event that happens once. Threads [`wait`](Self::wait) for it; tasks await [`opened`](Self::opened).
#[derive(Debug, Default)]
pub struct Gate {
    open: Mutex<Open>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    open: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Opens the gate and wakes all threads and tasks that wait.
    pub fn open(&self) {
        let waiting = {
            let mut open = self.open.lock().unwrap();
            open.open = true;
            std::mem::take(&mut open.waiting)
        };
        self.changed.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Whether the gate is open.
    pub fn is_open(&self) -> bool {
        self.open.lock().unwrap().open
    }

    /// Blocks the thread until the gate is open.
    ///
    /// # Panics
    ///
    /// When it is not opened in time: `what` says what was waited for.
    #[track_caller]
    pub fn wait(&self, what: &'static str) {
        let _waits = Waits::for_this(what);
        let open = self.open.lock().unwrap();
        let (_open, timeout) = self.changed.wait_timeout_while(open, PATIENCE, |open| !open.open).unwrap();
        assert!(!timeout.timed_out(), "waited {} s in vain for: {what}", PATIENCE.as_secs());
    }

    /// A future that is ready once the gate is open.
    pub fn opened(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let gate = self.clone();
        std::future::poll_fn(move |cx| {
            let waker = cx.waker().clone();
            let mut open = gate.open.lock().unwrap();
            if open.open {
                return Poll::Ready(());
            }
            if !open.waiting.iter().any(|known| known.will_wake(&waker)) {
                open.waiting.push(waker);
            }
            Poll::Pending
        })
    }
}

impl Wake for Gate {
    fn wake(self: Arc<Self>) {
        self.open();
    }
}

/// What threads of this process wait for. Not a vector, which would allocate on a thread whose allocations a clause
/// counts; threads for which there is no room are not named.
static WAITED_FOR: Mutex<[Option<&str>; 16]> = Mutex::new([None; 16]);

/// What threads of this process are waiting for, as far as they have said so.
pub(crate) fn waited_for() -> impl Iterator<Item = &'static str> {
    let waited_for = *WAITED_FOR.lock().unwrap();
    waited_for.into_iter().flatten()
}

/// Says what a thread waits for, as long as it lives.
pub(crate) struct Waits {
    place: Option<usize>,
}

impl Waits {
    pub(crate) fn for_this(what: &'static str) -> Self {
        let mut waited_for = WAITED_FOR.lock().unwrap();
        let place = waited_for.iter().position(Option::is_none);
        if let Some(place) = place {
            waited_for[place] = Some(what);
        }
        Self { place }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            WAITED_FOR.lock().unwrap()[place] = None;
        }
    }
}
