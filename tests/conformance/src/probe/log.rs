//! Futures that record what is done to them.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

/// What was done to a future. Shared by the future, the threads that wake it, and the test.
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

    /// A future that records into this log and does what `script` says, which is given the number of the poll, from 1.
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
    /// When the future was not polled yet, or the waker was taken or forgotten since.
    pub fn waker(&self) -> Waker {
        self.waker.lock().unwrap().clone().expect("the future was polled, and so left its waker")
    }

    /// Keeps a clone of `waker` in place of the previous one, as [`future`](Self::future) does on every poll.
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
        // Ended unless the script says otherwise: it may panic.
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

/// Records how often it is dropped, and on which thread: a payload for outputs and futures.
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
