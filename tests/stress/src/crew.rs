use std::fmt;
use std::hint;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex};
use std::thread;

use conformance::Allocations;

/// How often a waiting thread checks before it yields. With more threads than processors, the awaited thread may need
/// this one's processor.
const LOOKS: u32 = 100;

/// Threads that are reused from round to round, because starting one takes longer than the window that must be hit.
///
/// They wait, and are awaited, through atomics only: a lock would order what is meant to race.
#[derive(Debug)]
pub struct Crew {
    shared: Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
}

/// What a thread of a [`Crew`] does in a round.
pub type Job = Box<dyn FnOnce() + Send>;

#[derive(Debug)]
struct Shared {
    /// The number of the current round.
    round: AtomicUsize,
    begun: AtomicUsize,
    done: AtomicUsize,
    over: AtomicBool,
    failed: AtomicBool,
    stations: Vec<Station>,
}

#[derive(Default)]
struct Station {
    /// Filled before a round begins and emptied in it: no thread ever waits for this lock.
    job: Mutex<Option<Job>>,
    /// Bytes that the thread had allocated, less those that it had freed, at the end of its last round.
    bytes: AtomicIsize,
}

impl Crew {
    /// Starts that many threads.
    pub fn new(size: usize) -> Self {
        let shared = Arc::new(Shared {
            round: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            stations: (0..size).map(|_| Station::default()).collect(),
        });
        let threads = (0..size).map(|index| {
            let shared = shared.clone();
            thread::spawn(move || shared.work(index))
        });
        Self { threads: threads.collect(), shared }
    }

    /// How many threads there are.
    pub fn size(&self) -> usize {
        self.threads.len()
    }

    /// Hands a job to each thread, and lets all begin at the same time.
    pub fn begin(&self, jobs: impl Iterator<Item = Job>) {
        for (station, job) in self.shared.stations.iter().zip(jobs) {
            *station.job.lock().expect("no job panics under the lock") = Some(job);
        }
        self.shared.begun.store(0, Relaxed);
        self.shared.done.store(0, Relaxed);
        // Release: pairs with the Acquire in `work`, which sees the jobs and the counts.
        self.shared.round.fetch_add(1, Release);
    }

    /// Waits until that many threads have begun.
    pub fn await_begun(&self, threads: usize) {
        wait_until(|| self.shared.begun.load(Relaxed) >= threads);
    }

    /// Waits for the end of all jobs.
    ///
    /// # Panics
    ///
    /// When one of them panicked.
    pub fn await_done(&self) {
        // Acquire: pairs with the Release in `work`; sees what the jobs did.
        wait_until(|| self.shared.done.load(Acquire) == self.size());
        assert!(!self.shared.failed.load(Relaxed), "a thread that wakes, aborts or joins panicked");
    }

    /// The bytes that this thread and those of the crew have allocated and not freed. Call it between rounds.
    pub fn live_bytes(&self) -> isize {
        let theirs: isize = self.shared.stations.iter().map(|station| station.bytes.load(Relaxed)).sum();
        Allocations::now().bytes + theirs
    }
}

impl fmt::Debug for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Station").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shared.over.store(true, Relaxed);
        self.begin(std::iter::empty());
        for thread in self.threads.drain(..) {
            // Panics of jobs are caught, so joining cannot fail.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn work(&self, index: usize) {
        let station = &self.stations[index];
        for round in 1.. {
            // Acquire: pairs with the Release in `begin`.
            wait_until(|| self.round.load(Acquire) == round);
            if self.over.load(Relaxed) {
                return;
            }
            self.begun.fetch_add(1, Relaxed);
            let job = station.job.lock().expect("no job panics under the lock").take();
            if catch_unwind(AssertUnwindSafe(|| job.into_iter().for_each(|job| job()))).is_err() {
                self.failed.store(true, Relaxed);
            }
            station.bytes.store(Allocations::now().bytes, Relaxed);
            // Release: pairs with the Acquire in `await_done`.
            self.done.fetch_add(1, Release);
        }
    }
}

/// Waits without a lock and without sleeping.
pub fn wait_until(reached: impl Fn() -> bool) {
    let mut looks = 0;
    while !reached() {
        looks += 1;
        if looks % LOOKS == 0 {
            thread::yield_now();
        } else {
            hint::spin_loop();
        }
    }
}

/// Spins for a moment.
pub fn spin(turns: u64) {
    for _ in 0..turns {
        hint::spin_loop();
    }
}
