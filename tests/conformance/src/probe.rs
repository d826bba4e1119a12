//! What the clauses look with: futures that record what is done to them, wakers that count, gates that order threads.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

pub use crate::hooked::{Hook, hooked_waker};

/// How long a thread waits at a [`Gate`] before it says that nobody came. Shorter than the suite's own patience, so
/// that the message names the gate.
const PATIENCE: Duration = Duration::from_secs(30);

/// What threads of this process wait for. No vector, which would allocate on a thread whose allocations a clause
/// counts; the few who find no room are not named.
static WAITED_FOR: Mutex<[Option<&str>; 16]> = Mutex::new([None; 16]);

/// What threads of this process wait for now, where they have said it.
pub(crate) fn waited_for() -> impl Iterator<Item = &'static str> {
    let waited_for = *WAITED_FOR.lock().unwrap();
    waited_for.into_iter().flatten()
}

/// As long as it lives, a thread waits for something.
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

/// What was done to a future. Shared by the future, its wakers' threads and the test.
#[derive(Debug, Default)]
pub struct Log {
    polls: AtomicUsize,
    drops: AtomicUsize,
    polled_after_end: AtomicBool,
    polled_at_once: AtomicBool,
    moved: AtomicBool,
    polling: AtomicBool,
    address: AtomicUsize,
    dropped_on: Mutex<Option<ThreadId>>,
    waker: Mutex<Option<Waker>>,
}

impl Log {
    /// An empty log.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A future that records into this log and is scripted by `script`, which is told the number of the poll, from 1.
    pub fn future<T, F>(self: &Arc<Self>, script: F) -> Logged<F>
    where
        F: FnMut(usize, &mut Context<'_>) -> Poll<T>,
    {
        Logged { log: self.clone(), script, ended: false, on_drop: None }
    }

    /// A future that keeps its waker in the log on every poll and never completes.
    pub fn pending(self: &Arc<Self>) -> Logged<impl FnMut(usize, &mut Context<'_>) -> Poll<()> + Send + 'static> {
        self.future(|_, _| Poll::Pending)
    }

    /// How often the future was polled.
    pub fn polls(&self) -> usize {
        self.polls.load(SeqCst)
    }

    /// How often the future was dropped. More than 1 is a double free.
    pub fn drops(&self) -> usize {
        self.drops.load(SeqCst)
    }

    /// The thread that dropped the future.
    pub fn dropped_on(&self) -> Option<ThreadId> {
        *self.dropped_on.lock().unwrap()
    }

    /// A clone of the waker that the latest poll was given.
    ///
    /// # Panics
    ///
    /// When the future was not polled yet, or [`forget_waker`](Self::forget_waker) was called since.
    pub fn waker(&self) -> Waker {
        self.waker.lock().unwrap().clone().expect("the future was polled, and so left its waker")
    }

    /// Keeps a clone of `waker` in the place of the one before: what [`future`](Self::future) does on every poll.
    pub fn keep_waker(&self, waker: &Waker) {
        let replaced = self.waker.lock().unwrap().replace(waker.clone());
        drop(replaced);
    }

    /// Takes the kept waker, if there is one.
    pub fn take_waker(&self) -> Option<Waker> {
        self.waker.lock().unwrap().take()
    }

    /// Drops the kept waker.
    pub fn forget_waker(&self) {
        let waker = self.waker.lock().unwrap().take();
        drop(waker);
    }

    /// Fails if the future was polled after its end, by two threads at once, or at two addresses, or dropped twice.
    pub fn assert_sound(&self) {
        assert!(!self.polled_after_end.load(SeqCst), "a future was polled after it had ended");
        assert!(!self.polled_at_once.load(SeqCst), "a future was polled by two threads at once");
        assert!(!self.moved.load(SeqCst), "a future was moved after its first poll");
        assert!(self.drops() <= 1, "a future was dropped {} times", self.drops());
    }
}

/// A future that records what is done to it: see [`Log::future`].
pub struct Logged<F> {
    log: Arc<Log>,
    script: F,
    ended: bool,
    on_drop: Option<Box<dyn FnOnce() + Send>>,
}

impl<F> Logged<F> {
    /// Runs `action` when the future is dropped, before the drop is recorded.
    pub fn on_drop(mut self, action: impl FnOnce() + Send + 'static) -> Self {
        self.on_drop = Some(Box::new(action));
        self
    }
}

impl<T, F> Future for Logged<F>
where
    F: FnMut(usize, &mut Context<'_>) -> Poll<T> + Unpin,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        let address = std::ptr::from_mut(this).addr();
        let log = this.log.clone();
        let known = log.address.swap(address, SeqCst);
        if known != 0 && known != address {
            log.moved.store(true, SeqCst);
        }
        if log.polling.swap(true, SeqCst) {
            log.polled_at_once.store(true, SeqCst);
        }
        if this.ended {
            log.polled_after_end.store(true, SeqCst);
        }
        log.keep_waker(cx.waker());
        let poll = log.polls.fetch_add(1, SeqCst) + 1;
        // Ended unless the script returns and says otherwise: it may panic.
        this.ended = true;
        let outcome = {
            let _polling = Polling(&log);
            (this.script)(poll, cx)
        };
        this.ended = outcome.is_ready();
        outcome
    }
}

struct Polling<'a>(&'a Log);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.polling.store(false, SeqCst);
    }
}

impl<F> Drop for Logged<F> {
    fn drop(&mut self) {
        if self.log.polling.load(SeqCst) {
            self.log.polled_at_once.store(true, SeqCst);
        }
        if let Some(action) = self.on_drop.take() {
            action();
        }
        *self.log.dropped_on.lock().unwrap() = Some(thread::current().id());
        self.log.drops.fetch_add(1, SeqCst);
    }
}

impl<F> fmt::Debug for Logged<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logged").field("log", &self.log).finish_non_exhaustive()
    }
}

/// An event that happens once. Threads [`wait`](Self::wait) for it; tasks `.await` [`opened`](Self::opened).
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

    /// Opens the gate and wakes all that wait.
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
    /// When nobody opens it in time: `what` says what was waited for.
    #[track_caller]
    pub fn wait(&self, what: &'static str) {
        let _waits = Waits::for_this(what);
        let open = self.open.lock().unwrap();
        let (_open, timeout) = self.changed.wait_timeout_while(open, PATIENCE, |open| !open.open).unwrap();
        assert!(!timeout.timed_out(), "waited {} s in vain for: {what}", PATIENCE.as_secs());
    }

    /// A future that is ready once the gate is open. It registers first and then checks.
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

/// A waker that counts: for join handles, and for futures polled by hand.
#[derive(Debug, Default)]
pub struct WakeCount {
    wakes: AtomicUsize,
}

impl WakeCount {
    /// A count and its waker. The waker and its clones hold counts on the `Arc`: `Arc::strong_count` less 1 is how
    /// many exist.
    pub fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        let waker = Waker::from(count.clone());
        (count, waker)
    }

    /// How often it was woken.
    pub fn wakes(&self) -> usize {
        self.wakes.load(SeqCst)
    }
}

impl Wake for WakeCount {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.fetch_add(1, SeqCst);
    }
}

/// Counts how often it is dropped, and on which thread: a payload for outputs and futures.
#[derive(Debug)]
pub struct DropCount {
    log: Arc<Log>,
}

impl DropCount {
    /// Records its drop in `log`.
    pub fn new(log: &Arc<Log>) -> Self {
        Self { log: log.clone() }
    }
}

impl Drop for DropCount {
    fn drop(&mut self) {
        *self.log.dropped_on.lock().unwrap() = Some(thread::current().id());
        self.log.drops.fetch_add(1, SeqCst);
    }
}

/// Runs `action` on another thread and waits for its end.
pub fn on_another_thread<R: Send + 'static>(action: impl FnOnce() -> R + Send + 'static) -> R {
    thread::spawn(action).join().expect("the other thread does not panic")
}

/// A waker that runs `action` on every wake.
pub fn waker_fn(action: impl Fn() + Send + Sync + 'static) -> Waker {
    struct Action<F>(F);

    impl<F: Fn() + Send + Sync + 'static> Wake for Action<F> {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }

        fn wake_by_ref(self: &Arc<Self>) {
            (self.0)();
        }
    }

    Waker::from(Arc::new(Action(action)))
}

/// Polls a future once, by hand, with a waker of the test's.
pub fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Awaits `future` on the calling thread, without any of the executors under test: polls it when its waker was woken.
///
/// # Panics
///
/// When it is not woken in time: `what` says what was waited for.
#[track_caller]
pub fn wait_for<F: Future + Unpin>(future: &mut F, what: &'static str) -> F::Output {
    loop {
        let woken = Gate::new();
        let waker = Waker::from(woken.clone());
        if let Poll::Ready(output) = poll_once(future, &waker) {
            return output;
        }
        woken.wait(what);
    }
}

impl Wake for Gate {
    fn wake(self: Arc<Self>) {
        self.open();
    }
}

/// Runs one case of a table, and names it if it fails.
///
/// # Panics
///
/// When `body` does, with its message behind `name`.
pub fn case<R>(name: impl fmt::Display, body: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|payload| panic!("{name}: {}", crate::suite::message(payload.as_ref())))
}

/// Panics with `payload` and without the message that the panic hook prints.
pub fn quiet_panic(payload: impl Send + 'static) -> ! {
    resume_unwind(Box::new(payload))
}

/// The processor time that the calling thread has used, where the system says so in a file: on Linux.
pub fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
