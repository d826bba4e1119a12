use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Context, Poll, Waker};

const UNPOISONED: &str = "no code that can panic runs under this lock";

/// Somebody waits for the count to reach zero.
const WAITING: usize = 1;
/// One task. The count stands above the flag, so that both change in one operation.
const TASK: usize = 2;

/// Counts the tasks that have not ended, and tells when none is left. That is all `run` waits for.
#[derive(Debug, Default)]
pub struct LiveTasks {
    state: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
}

impl LiveTasks {
    /// A count of zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a task that was accepted.
    #[inline]
    pub fn started(&self) {
        self.state.fetch_add(TASK, Relaxed);
    }

    /// Counts a task that ended: its future is dropped.
    #[inline]
    pub fn ended(&self) {
        // AcqRel: pairs with the fetch_or in `NoneLeft::poll`; whoever sees none left sees what the tasks did.
        if self.state.fetch_sub(TASK, AcqRel) == TASK | WAITING {
            let waiting = {
                let mut waiting = self.waiting.lock().expect(UNPOISONED);
                self.state.fetch_and(!WAITING, Relaxed);
                std::mem::take(&mut *waiting)
            };
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Ready at a moment when no task is left.
    pub fn none_left(&self) -> NoneLeft<'_> {
        NoneLeft { tasks: self }
    }
}

/// The future of [`LiveTasks::none_left`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct NoneLeft<'a> {
    tasks: &'a LiveTasks,
}

impl Future for NoneLeft<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloned before the lock is taken: cloning a waker runs foreign code.
        let waker = cx.waker().clone();
        let mut waiting = self.tasks.waiting.lock().expect(UNPOISONED);
        if self.tasks.state.fetch_or(WAITING, AcqRel) < TASK {
            return Poll::Ready(());
        }
        if !waiting.iter().any(|known| known.will_wake(&waker)) {
            waiting.push(waker);
        }
        Poll::Pending
    }
}
