// std's own while the models run, too: nothing is decided by what they say, and each step would multiply the
// interleavings.
use std::sync::atomic::{AtomicUsize, Ordering::*};

/// How many tasks have not ended, for [`Executor::tasks`](crate::Executor::tasks).
///
/// Two words, neither of which means anything alone: the driving thread adds to and subtracts from its own with plain
/// loads and stores, and other threads add to theirs. So a task that is spawned and ends on the thread that drives
/// costs no atomic read-modify-write.
#[derive(Debug, Default)]
pub struct TaskCount {
    /// What the driving thread has spawned, less all that have ended. Written by that thread.
    local: AtomicUsize,
    /// What other threads have spawned.
    remote: AtomicUsize,
}

impl TaskCount {
    /// No task.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more. Call this before the task can end. `local` says whether this thread drives.
    #[inline]
    pub fn spawned(&self, local: bool) {
        if local {
            // Release: pairs with the Acquire in `get`, for the ends that came before this.
            self.local.store(self.local.load(Relaxed).wrapping_add(1), Release);
        } else {
            self.remote.fetch_add(1, Relaxed);
        }
    }

    /// One less. Only for the driving thread.
    #[inline]
    pub fn ended(&self) {
        // Release: pairs with the Acquire in `get`.
        self.local.store(self.local.load(Relaxed).wrapping_sub(1), Release);
    }

    /// Exact for the driving thread. For others, the number at some moment, plus what other threads have spawned since.
    pub fn get(&self) -> usize {
        // Acquire: pairs with the Release in `spawned` and `ended`. A thread that sees a task's
        // end also sees its spawn, so the number is never negative.
        let local = self.local.load(Acquire);
        local.wrapping_add(self.remote.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    const TIMES: usize = 1_000_000;

    /// Closer together than any executor spawns. (With an addition that is torn it fails on a machine that runs both at
    /// once.)
    #[test]
    fn threads_that_spawn_at_once_are_both_counted() {
        let (count, start) = (TaskCount::new(), Barrier::new(2));
        let spawn = |local| {
            start.wait();
            (0..TIMES).for_each(|_| count.spawned(local));
        };
        thread::scope(|scope| {
            [false, false].map(|local| scope.spawn(move || spawn(local))).map(|thread| thread.join().unwrap())
        });
        assert_eq!(count.get(), 2 * TIMES);
        thread::scope(|scope| {
            [true, false].map(|local| scope.spawn(move || spawn(local))).map(|thread| thread.join().unwrap())
        });
        assert_eq!(count.get(), 4 * TIMES);
        (0..4 * TIMES).for_each(|_| count.ended());
        assert_eq!(count.get(), 0);
    }
}
