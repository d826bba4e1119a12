//! What an executor does while all its tasks wait, and what it then costs to wake one of them.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};
use std::{fs, io};

use conformance::Allocations;
use executor::{Described, Executor};
use futures::task::AtomicWaker;
use serde::{Deserialize, Serialize};

use crate::contender::{self, Contender};
use crate::observation::Observation;
use crate::statistics;
use crate::worker::{self, Failure, Work};

/// What a process measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The contender's name.
    pub executor: String,
    /// How many tasks wait.
    pub tasks: usize,
    /// For how long nothing happens.
    pub milliseconds: u64,
    /// Which process it is, from 0.
    pub process: u32,
}

/// The verb of these observations.
pub const VERB: &str = "idle";

/// How many tasks wait.
pub const TASKS: &[usize] = &[1, 100, 10_000, 100_000];

/// Polls of tasks that were not woken.
pub const POLLS: &str = "polls per second";
/// Seconds of processor time of the driving thread in a second.
pub const PROCESSOR: &str = "processor seconds per second";
/// How often the driving thread went to sleep.
pub const SWITCHES: &str = "voluntary context switches per second";
/// The time from a wake by the future that waits until that future is polled with the task's answer.
pub const WAKE: &str = "ns to wake one and hear from it, median";

/// Makes a fresh process measure.
///
/// # Errors
///
/// When the process fails.
pub fn measure_one(plan: &Plan) -> Result<Vec<Observation>, Failure> {
    worker::run(&Work::Idle(plan.clone()), Duration::from_millis(plan.milliseconds) + Duration::from_secs(60))
}

/// Lets that many tasks wait.
pub(crate) type Probe = fn(&Plan) -> Found;

/// What a probe found.
#[derive(Debug)]
pub(crate) struct Found {
    quiet: Quiet,
    wakes: Vec<f64>,
}

/// A period in which nothing was woken.
#[derive(Debug)]
struct Quiet {
    seconds: f64,
    polls: u64,
    /// `None` where the system does not tell.
    thread: Option<Activity>,
}

/// In the process: runs the probe.
pub(crate) fn measure(plan: &Plan, contenders: &[Contender]) -> Result<Vec<Observation>, String> {
    Allocations::suspend();
    let contender = contender::find(&plan.executor, contenders)?;
    let probe = contender.probes.idle.ok_or_else(|| format!("{} owns no tasks", plan.executor))?;
    let Found { quiet: Quiet { seconds, polls, thread }, wakes } = probe(plan);
    let row = |quantity: &str, value| {
        let observation = Observation::new(VERB, &plan.executor, "waiting", quantity, value);
        Observation { process: plan.process, ..observation.at(plan.tasks as f64) }
    };
    let mut observations = vec![row(POLLS, polls as f64 / seconds)];
    if let Some(Activity { processor, switches }) = thread {
        observations.push(row(PROCESSOR, processor.as_secs_f64() / seconds));
        observations.push(row(SWITCHES, switches as f64 / seconds));
    }
    observations.extend(statistics::median(&wakes).map(|median| row(WAKE, median)));
    Ok(observations)
}

#[derive(Debug, Default)]
struct Room {
    polls: AtomicU64,
    /// Which task is called, if any.
    called: AtomicUsize,
    answered: AtomicBool,
    wakers: Box<[AtomicWaker]>,
    root: AtomicWaker,
    /// Whether the quiet period is over.
    over: AtomicBool,
}

const NOBODY: usize = usize::MAX;

impl Room {
    fn new(tasks: usize) -> Arc<Self> {
        let wakers = (0..tasks).map(|_| AtomicWaker::new()).collect();
        Arc::new(Self { wakers, called: AtomicUsize::new(NOBODY), ..Self::default() })
    }

    fn wait(self: &Arc<Self>, number: usize) -> impl Future<Output = ()> + Send + 'static {
        let room = self.clone();
        poll_fn(move |cx| {
            // Relaxed, and no read-modify-write: one thread polls, and another only reads the count.
            room.polls.store(room.polls.load(Relaxed) + 1, Relaxed);
            room.wakers[number].register(cx.waker());
            // Acquire: pairs with the Release in `call`. The store below is for this thread only.
            if room.called.load(Acquire) == number {
                room.called.store(NOBODY, Relaxed);
                // Release: pairs with the Acquire in `call`.
                room.answered.store(true, Release);
                room.root.wake();
            }
            Poll::Pending
        })
    }

    /// Waits until `done`, and checks whenever the root is woken.
    async fn until(&self, done: impl Fn() -> bool) {
        poll_fn(|cx| {
            self.root.register(cx.waker());
            if done() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    async fn call(&self, number: usize) {
        // Release: pairs with the Acquire in `wait`.
        self.called.store(number, Release);
        self.wakers[number].wake();
        // Acquire: pairs with the Release in `wait`.
        self.until(|| self.answered.swap(false, Acquire)).await;
    }
}

pub(crate) fn of_tasks<E: Executor + Described>(plan: &Plan) -> Found {
    let room = Room::new(plan.tasks);
    let executor = E::default();
    for number in 0..plan.tasks {
        drop(executor.spawn(room.wait(number)));
    }
    // Until every task has been polled. An executor that polls in the order of spawning, or in reverse, has done so
    // when the first and the last task have answered; any other not before there were as many polls as tasks.
    executor.block_on(async {
        for number in [0, plan.tasks - 1] {
            room.call(number).await;
        }
        while room.polls.load(Relaxed) < plan.tasks as u64 {
            executor::yield_now().await;
        }
    });
    let quiet = quiet(plan, &room, |room| {
        // Acquire: pairs with the Release of the watching thread.
        executor.block_on(room.until(|| room.over.load(Acquire)));
    });
    let begun = Instant::now();
    let mut wakes = Vec::new();
    executor.block_on(async {
        // Far apart, so that the next task is not in the cache because its neighbour is.
        let mut number = 0;
        while wakes.len() < 5 || (wakes.len() < 10_000 && begun.elapsed() < Duration::from_millis(200)) {
            number = (number + plan.tasks * 618 / 1_000 + 1) % plan.tasks;
            let called = Instant::now();
            room.call(number).await;
            wakes.push(called.elapsed().as_nanos() as f64);
        }
    });
    Found { quiet, wakes }
}

/// Watches from a second thread what the calling thread does until the period is over.
fn quiet(plan: &Plan, room: &Arc<Room>, wait: impl FnOnce(&Room)) -> Quiet {
    let thread = Watched::this();
    let shared = room.clone();
    let time = Duration::from_millis(plan.milliseconds);
    let watcher = thread::spawn(move || {
        // Time for the thread to fall asleep, if it does. Nothing depends on it: later work is in the figure.
        thread::sleep(time / 10);
        let begun = Instant::now();
        let before = (shared.polls.load(Relaxed), thread.activity());
        thread::sleep(time);
        let after = (shared.polls.load(Relaxed), thread.activity());
        let seconds = begun.elapsed().as_secs_f64();
        let thread = before.1.ok().zip(after.1.ok()).map(|(before, after)| Activity {
            processor: after.processor.saturating_sub(before.processor),
            switches: after.switches - before.switches,
        });
        // Release: pairs with the Acquire of the waiting future.
        shared.over.store(true, Release);
        shared.root.wake();
        Quiet { seconds, polls: after.0 - before.0, thread }
    });
    wait(room);
    watcher.join().expect("the watching thread does not panic")
}

/// What a thread has done so far.
#[derive(Clone, Copy, Debug)]
struct Activity {
    processor: Duration,
    switches: u64,
}

/// A thread of this process, watched from another through files that Linux offers.
#[derive(Debug)]
struct Watched(String);

impl Watched {
    fn this() -> Self {
        #[cfg(target_os = "linux")]
        return Self(format!("/proc/self/task/{}", rustix::thread::gettid().as_raw_nonzero()));
        #[cfg(not(target_os = "linux"))]
        Self(String::new())
    }

    fn activity(&self) -> io::Result<Activity> {
        let schedule = fs::read_to_string(format!("{}/schedstat", self.0))?;
        let status = fs::read_to_string(format!("{}/status", self.0))?;
        let nanoseconds = schedule.split(' ').next().and_then(|field| field.parse().ok());
        let switches = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        let switches = switches.and_then(|field| field.trim().parse().ok());
        let unknown = || io::Error::other("the files of /proc are not as expected");
        Ok(Activity {
            processor: Duration::from_nanos(nanoseconds.ok_or_else(unknown)?),
            switches: switches.ok_or_else(unknown)?,
        })
    }
}
