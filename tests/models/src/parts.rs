use std::future::poll_fn;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use executor::sync;
use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::thread::{self, Thread};
use loom::alloc::Track;

/// A place for one waker. Loom does not see it: it hands over nothing but the waker.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<Content>>);

#[derive(Default)]
enum Content {
    #[default]
    Empty,
    Waker(Waker),
    Taken,
}

impl Slot {
    /// Keeps a waker, the first time.
    pub(crate) fn keep(&self, cx: &Context<'_>) {
        let mut content = self.0.lock().unwrap();
        if matches!(*content, Content::Empty) {
            *content = Content::Waker(cx.waker().clone());
        }
    }

    /// The waker, once.
    pub(crate) fn take(&self) -> Waker {
        match mem::replace(&mut *self.0.lock().unwrap(), Content::Taken) {
            Content::Waker(waker) => waker,
            Content::Empty => panic!("the future was not polled, and so left no waker"),
            Content::Taken => panic!("the waker was taken before"),
        }
    }
}

/// Something that happens once, for a future whose waker may change from poll to poll. In an `Arc` that loom sees: the
/// last one drops the waker, after everything that the others did.
pub(crate) struct Event {
    set: AtomicBool,
    waker: sync::Mutex<Option<Waker>>,
}

impl Event {
    pub(crate) fn new() -> sync::Arc<Self> {
        sync::Arc::new(Self { set: AtomicBool::new(false), waker: sync::Mutex::new(None) })
    }

    /// Whether it has happened. Otherwise the waker is kept, first.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let kept = self.waker.lock().unwrap().replace(cx.waker().clone());
        drop(kept);
        if self.set.load(Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Makes it happen.
    pub(crate) fn set(&self) {
        self.set.store(true, Relaxed);
        let waker = self.waker.lock().unwrap().take();
        waker.into_iter().for_each(Waker::wake);
    }
}

/// A future that is tracked: the model fails if it is never dropped.
pub(crate) fn tracked<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T> + Send) -> impl Future<Output = T> + Send {
    let track = Track::new(());
    poll_fn(move |cx| {
        let _ = &track;
        poll(cx)
    })
}

/// Polls a future once, with this waker.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Awaits a future on a thread that drives no executor.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let joiner = Joiner::new();
    let waker = Waker::from(joiner.clone());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        // Acquire: pairs with the Release in `wake`.
        while !joiner.woken.swap(false, Acquire) {
            thread::park();
        }
    }
}

/// What is behind the waker of [`wait`]. Tracked.
pub(crate) struct Joiner {
    woken: AtomicBool,
    thread: Thread,
    _track: Track<()>,
}

impl Joiner {
    /// Wakes the calling thread.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { woken: AtomicBool::new(false), thread: thread::current(), _track: Track::new(()) })
    }
}

impl Wake for Joiner {
    fn wake(self: Arc<Self>) {
        // Release: pairs with the Acquire in `wait`.
        self.woken.swap(true, Release);
        self.thread.unpark();
    }
}

/// Does `action` when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
