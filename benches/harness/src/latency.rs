//! From another thread's wake to the poll, and what the waiting costs.
//!
//! A second thread wakes one task again and again, at even intervals, and records when; the task records when it is
//! polled. Each thread is pinned to a processor of its own, if the system allows it. The result is a distribution and
//! stays one: percentiles, never a mean or a minimum. With it comes the processor time that the driving thread used per
//! second, so that the short latency of a spinning executor has its price next to it.
//!
//! If a wake comes late because the previous one took long, its latency still starts with its own call: the time from
//! the call to the poll is measured, not the sender.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};
use std::task::Poll;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use conformance::Allocations;
use executor::{BlockOn, Described, Executor};
use futures::task::AtomicWaker;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::contender::{self, Contender};
use crate::machine::{pin_to, processor_time, processors};
use crate::observation::Observation;
use crate::worker::{self, Failure, Work};

/// What a process measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The contender's name.
    pub executor: String,
    /// Nanoseconds between two wakes.
    pub interval: u64,
    /// How many wakes.
    pub events: usize,
    /// Which process it is, from 0.
    pub process: u32,
}

/// The verb of these observations.
pub const VERB: &str = "latency";

/// The percentiles that are observed, each as a quantity of its own.
pub const PERCENTILES: &[(f64, &str)] = &[
    (0.0, "ns to the poll, shortest"),
    (50.0, P50),
    (90.0, "ns to the poll, p90"),
    (99.0, P99),
    (99.9, "ns to the poll, p99.9"),
    (100.0, MAXIMUM),
];

/// Half of the wakes led to their poll within this time.
pub const P50: &str = "ns to the poll, p50";
/// 99 of 100 wakes led to their poll within this time.
pub const P99: &str = "ns to the poll, p99";
/// The longest that any wake took.
pub const MAXIMUM: &str = "ns to the poll, longest";
/// Seconds of processor time of the driving thread in a second.
pub const PROCESSOR: &str = "processor seconds per second";

/// The interval that was reached: if a wake takes longer than the interval, the next one is late.
pub const SENT: &str = "ns between two wakes, as sent";

/// The intervals that are measured, in nanoseconds.
pub const INTERVALS: &[u64] = &[1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// How many wakes at that interval take about that long, but no fewer than a median needs and no more than p99.9 needs.
pub fn events(interval: u64, about: Duration) -> usize {
    (about.as_nanos() / u128::from(interval)).clamp(25, 20_000) as usize
}

/// Whether this can be measured here.
///
/// # Errors
///
/// When there is only one processor.
pub fn ready() -> Result<(), String> {
    if processors() >= 2 {
        return Ok(());
    }
    Err("a thread that wakes and one that is woken want a processor each, and there is one".to_owned())
}

/// Makes a fresh process measure.
///
/// # Errors
///
/// When the process fails.
pub fn measure_one(plan: &Plan) -> Result<Vec<Observation>, Failure> {
    let expected = Duration::from_nanos(plan.interval) * plan.events as u32;
    worker::run(&Work::Latency(plan.clone()), expected * 3 + Duration::from_secs(20))
}

/// Wakes the waiting future as often and at the intervals that it was told, and learns how long each wake took.
pub(crate) type Probe = fn(&Plan) -> Heard;

/// What a probe found.
#[derive(Debug)]
pub(crate) struct Heard {
    times: Histogram<u64>,
    /// `None` where the system does not tell.
    processor: Option<f64>,
    /// Nanoseconds between two wakes, as measured.
    interval: f64,
}

/// In the process: runs the probe.
pub(crate) fn measure(plan: &Plan, contenders: &[Contender]) -> Result<Vec<Observation>, String> {
    Allocations::suspend();
    let contender = contender::find(&plan.executor, contenders)?;
    let probe = contender.probes.latency.ok_or("it has no latency of its own")?;
    ready()?;
    let Heard { times, processor, interval } = probe(plan);
    let row = |quantity: &str, value| {
        let observation = Observation::new(VERB, &plan.executor, "foreign_wake", quantity, value);
        Observation { process: plan.process, ..observation.at(plan.interval as f64) }
    };
    let mut observations: Vec<_> = processor.map(|share| row(PROCESSOR, share)).into_iter().collect();
    observations.push(row(SENT, interval));
    for &(percentile, quantity) in PERCENTILES {
        // Of 100 values the 99.9th percentile is the longest, which has a name of its own.
        let beyond = plan.events as f64 * (100.0 - percentile) / 100.0;
        if percentile == 100.0 || beyond > 0.999 {
            observations.push(row(quantity, times.value_at_percentile(percentile) as f64));
        }
    }
    Ok(observations)
}

/// Connects the thread that wakes with the future that waits.
#[derive(Debug)]
struct Line {
    started: Instant,
    /// When each wake was called, in nanoseconds after the start.
    called: Box<[AtomicU64]>,
    sent: AtomicUsize,
    waker: AtomicWaker,
}

impl Line {
    fn new(events: usize) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            called: (0..events).map(|_| AtomicU64::new(0)).collect(),
            sent: AtomicUsize::new(0),
            waker: AtomicWaker::new(),
        })
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// Starts the thread that wakes, by `wake`, on a processor of its own.
    fn call(self: &Arc<Self>, interval: u64, wake: impl Fn(&Self) + Send + 'static) -> thread::JoinHandle<()> {
        let line = self.clone();
        thread::spawn(move || {
            pin_to(1);
            let first = line.now() + 1_000_000;
            for (number, called) in line.called.iter().enumerate() {
                let due = first + number as u64 * interval;
                // Spins: to wake up from a sleep would take longer than what is measured.
                while line.now() < due {
                    std::hint::spin_loop();
                }
                // Relaxed: published by the store below.
                called.store(line.now(), Relaxed);
                // Release: pairs with the Acquire in `hear`.
                line.sent.store(number + 1, Release);
                wake(&line);
            }
        })
    }

    /// Records the wakes since the last time, and says whether they were all.
    fn hear(&self, heard: &mut usize, times: &mut Histogram<u64>) -> bool {
        // Acquire: pairs with the Release in `call`; sees when each of these wakes was called.
        let sent = self.sent.load(Acquire);
        let now = self.now();
        for called in &self.called[*heard..sent] {
            times.saturating_record(now.saturating_sub(called.load(Relaxed)));
        }
        *heard = sent;
        sent == self.called.len()
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are in order")
}

/// A task that waits for the line.
pub(crate) fn of_a_task<E: Executor + Described>(plan: &Plan) -> Heard {
    let executor = E::default();
    listen(plan, |future| executor.block_on(async { executor.spawn(future).await.expect("the task ends") }))
}

/// The future of a `block_on` that waits for the line.
pub(crate) fn of_the_root<E: BlockOn + Described>(plan: &Plan) -> Heard {
    let executor = E::default();
    listen(plan, |future| executor.block_on(future))
}

type Times = std::pin::Pin<Box<dyn Future<Output = Histogram<u64>> + Send>>;

fn listen(plan: &Plan, drive: impl FnOnce(Times) -> Histogram<u64>) -> Heard {
    pin_to(0);
    let line = Line::new(plan.events);
    let shared = line.clone();
    let (mut heard, mut times) = (0, Some(histogram()));
    let future = poll_fn(move |cx| {
        shared.waker.register(cx.waker());
        let all = shared.hear(&mut heard, times.as_mut().expect("it is not polled again"));
        if all { Poll::Ready(times.take().expect("it is not polled again")) } else { Poll::Pending }
    });
    let caller = line.call(plan.interval, |line| line.waker.wake());
    heard_by(&line, caller, || drive(Box::pin(future)))
}

/// A thread that parks and is unparked.
pub(crate) fn by_hand(plan: &Plan) -> Heard {
    pin_to(0);
    let line = Line::new(plan.events);
    let sleeper: Thread = thread::current();
    let caller = line.call(plan.interval, move |_| sleeper.unpark());
    heard_by(&line, caller, || {
        let (mut heard, mut times) = (0, histogram());
        while !line.hear(&mut heard, &mut times) {
            thread::park();
        }
        times
    })
}

fn heard_by(line: &Line, caller: thread::JoinHandle<()>, wait: impl FnOnce() -> Histogram<u64>) -> Heard {
    let (begun, before) = (Instant::now(), processor_time());
    let times = wait();
    let used = processor_time().zip(before).map(|(after, before)| after.saturating_sub(before));
    let processor = used.map(|used| used.as_secs_f64() / begun.elapsed().as_secs_f64());
    caller.join().expect("the calling thread does not panic");
    // Relaxed: the thread that stored them has ended.
    let [first, last] =
        [line.called.first(), line.called.last()].map(|called| called.map_or(0, |called| called.load(Relaxed)));
    let interval = (last - first) as f64 / (line.called.len() - 1).max(1) as f64;
    Heard { times, processor, interval }
}
