use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// The maximum number of futures in a round.
pub(crate) const MOST: usize = 24;

/// What happened to the futures of a round. Reused, so that a round allocates nothing for it.
#[derive(Default)]
pub(crate) struct Tally {
    entries: [Entry; MOST],
    next: AtomicUsize,
    polled_after_end: AtomicUsize,
}

#[derive(Default)]
struct Entry {
    drops: AtomicUsize,
    /// Whether the next poll is the last.
    complete: AtomicBool,
    /// A clone of the waker of the first poll. Filled and emptied by the thread that drives.
    waker: Mutex<Option<Waker>>,
}

impl Tally {
    /// A new future, and its number in this round.
    pub(crate) fn future(self: &Arc<Self>) -> (usize, Held) {
        let index = self.next.fetch_add(1, Relaxed);
        assert!(index < MOST, "a round makes no more than {MOST} futures");
        (index, Held { tally: self.clone(), index, own: None, ended: false })
    }

    pub(crate) fn complete(&self, index: usize) {
        // Release: pairs with the Acquire in `Held::poll`.
        self.entries[index].complete.store(true, Release);
    }

    /// Takes the waker that the future left at its first poll.
    pub(crate) fn take_waker(&self, index: usize) -> Option<Waker> {
        self.entries[index].waker.lock().expect("no code that can panic runs under this lock").take()
    }

    /// How often the future was dropped.
    pub(crate) fn drops(&self, index: usize) -> usize {
        self.entries[index].drops.load(Acquire)
    }

    /// How many futures of this round were not dropped, how many were dropped more than once, and how many polls came
    /// after an end. Begins the next round.
    pub(crate) fn settle(&self) -> (u64, u64, u64) {
        let (mut undropped, mut again) = (0, 0);
        for (index, entry) in self.entries[..self.next.swap(0, Relaxed)].iter().enumerate() {
            // The waker of a task whose first poll came too late for its waker to be taken.
            drop(self.take_waker(index));
            match entry.drops.swap(0, AcqRel) {
                0 => undropped += 1,
                1 => {}
                _ => again += 1,
            }
            entry.complete.store(false, Relaxed);
        }
        (undropped, again, self.polled_after_end.swap(0, Relaxed) as u64)
    }
}

/// A future that only ends by a wake, and that holds its own waker: an executor that drops a future only after its last
/// waker never drops this one.
pub(crate) struct Held {
    tally: Arc<Tally>,
    index: usize,
    own: Option<Waker>,
    ended: bool,
}

impl Future for Held {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let entry = &self.tally.entries[self.index];
        if self.ended {
            self.tally.polled_after_end.fetch_add(1, Relaxed);
        }
        // Acquire: pairs with the Release in `complete`.
        if entry.complete.load(Acquire) {
            self.ended = true;
            return Poll::Ready(self.index);
        }
        if self.own.is_none() {
            *entry.waker.lock().expect("no code that can panic runs under this lock") = Some(cx.waker().clone());
        }
        self.own = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // AcqRel: a thread that sees the drop sees what the polls did.
        self.tally.entries[self.index].drops.fetch_add(1, AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_that_is_dropped_once_is_not_counted() {
        let tally = Arc::new(Tally::default());
        drop(tally.future());
        assert_eq!(tally.settle(), (0, 0, 0));
    }

    #[test]
    fn futures_that_are_not_dropped_or_dropped_twice_are_counted_in_their_round() {
        let tally = Arc::new(Tally::default());
        let (_, undropped) = tally.future();
        let (twice, future) = tally.future();
        drop(future);
        // As a second drop would do, if it were not undefined.
        tally.entries[twice].drops.fetch_add(1, Relaxed);
        assert_eq!(tally.settle(), (1, 1, 0));
        assert_eq!(tally.settle(), (0, 0, 0));
        drop(undropped);
    }
}
