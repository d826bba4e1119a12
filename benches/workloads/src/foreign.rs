//! Another thread wakes a task, or joins it: how long until that takes effect, and what it costs when nothing else
//! happens.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use executor::{Described, Executor, JoinHandle, yield_now};
use futures::task::AtomicWaker;

use crate::check::{Check, Tally};
use crate::helper::Helper;
use crate::spawn::{Small, number_future, poll_in_place, poll_ready, sum_below};
use crate::{Iteration, Needs, Workload};

/// Spawns one task that asks a second thread for a wake, ten times in a row.
///
/// This is latency, there and back. The second thread sleeps when it is asked, and to wake up usually takes it longer
/// than an executor needs to park; nothing enforces that the wake finds the executor parked. The times are a
/// distribution with a long tail: for a ranking look at percentiles, never at one number.
pub static FOREIGN_WAKE_ONE: Workload = Workload {
    id: "foreign_wake_one",
    title: "another thread wakes a task, there and back",
    operation: "a task unparks a sleeping thread, which wakes the task, which is polled",
    operations: 10,
    needs: Needs::Executor,
    threads: 2,
    pass: 1,
    floor: foreign_wake_one_floor,
};

/// Lets two other threads wake one task, each 100,000 times by reference, while the executor polls it as often as it
/// likes, and waits until the task has seen what each of them wrote before its last wake.
///
/// How many polls the wakes lead to depends on the executor and on chance. What all wakes share is contended: the
/// task's state, and nothing else where a wake of a queued task ends there.
pub static WAKE_STORM: Workload = Workload {
    id: "wake_storm",
    title: "two other threads wake one task, 100,000 times each",
    operation: "one task woken by one of two other threads, both of which wake it as fast as they can",
    // Many, because the threads take microseconds to wake up.
    operations: 200_000,
    needs: Needs::Executor,
    threads: 3,
    pass: 1,
    floor: wake_storm_floor,
};

/// Spawns 10,000 tasks that are ready at their first poll, hands their handles to another thread, and polls the tasks
/// while that thread awaits the handles one after another.
///
/// The two threads run in parallel: the joining one may find most tasks ended, or sleep for many. Only for executors
/// that other threads may use: of the others, compio-executor may lose the wake of a joiner that is polled on another
/// thread while its task ends.
pub static FOREIGN_JOIN: Workload = Workload {
    id: "foreign_join",
    title: "another thread joins 10,000 tasks",
    operation: "a task spawned with 9,999 others, polled to its end, and joined by another thread",
    operations: 10_000,
    needs: Needs::RemoteSpawn,
    threads: 2,
    pass: 1,
    floor: foreign_join_floor,
};

/// Sets up [`FOREIGN_WAKE_ONE`].
pub fn foreign_wake_one<E: Executor + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&FOREIGN_WAKE_ONE);
    let executor = E::default();
    let friend = Arc::new(Friend::new());
    Box::new(move || {
        let trips = executor
            .block_on(async { executor.spawn(round_trips(friend.clone(), FOREIGN_WAKE_ONE.operations)).await })
            .expect("the task ends");
        friend.check(check, trips, FOREIGN_WAKE_ONE.operations)
    })
}

/// Parks and unparks two threads alternately, with a flag each against spurious wake-ups.
pub fn foreign_wake_one_floor() -> Iteration {
    round_trips_by_hand(&FOREIGN_WAKE_ONE)
}

pub(crate) fn round_trips_by_hand(workload: &'static Workload) -> Iteration {
    let answered = Arc::new(AtomicBool::new(false));
    let helper = Helper::new({
        let (answered, caller) = (answered.clone(), thread::current());
        move || {
            // Release: pairs with the Acquire below.
            answered.store(true, Release);
            caller.unpark();
        }
    });
    Box::new(move || {
        for _ in 0..workload.operations {
            helper.ask();
            // Acquire: pairs with the Release above.
            while !answered.swap(false, Acquire) {
                thread::park();
            }
        }
        // No future is polled.
        0
    })
}

/// A second thread that wakes each future that asks for it.
#[derive(Debug)]
pub(crate) struct Friend {
    answer: Arc<Answer>,
    helper: Helper,
    pub(crate) polls: Tally,
}

#[derive(Debug, Default)]
struct Answer {
    given: AtomicBool,
    waker: AtomicWaker,
}

impl Friend {
    pub(crate) fn new() -> Self {
        let answer = Arc::new(Answer::default());
        let helper = Helper::new({
            let answer = answer.clone();
            move || {
                // Release: pairs with the Acquire in `round_trips`.
                answer.given.store(true, Release);
                answer.waker.wake();
            }
        });
        Self { answer, helper, polls: Tally::default() }
    }

    pub(crate) fn check(&self, check: Check, trips: usize, expected: usize) -> usize {
        check.result(trips, expected);
        check.polls(self.polls.take(), expected + 1..=expected + 1)
    }
}

/// Asks the friend for a wake, again and again, and returns how many came.
pub(crate) fn round_trips(friend: Arc<Friend>, times: usize) -> impl Future<Output = usize> + Send + 'static {
    let (mut asked, mut trips) = (false, 0);
    poll_fn(move |cx| {
        friend.polls.add();
        // Before the question, so that the answer finds it, and before the check, or an answer in between would be
        // lost.
        friend.answer.waker.register(cx.waker());
        if asked {
            // Acquire: pairs with the Release in `new`.
            if !friend.answer.given.swap(false, Acquire) {
                return Poll::Pending;
            }
            asked = false;
            trips += 1;
        }
        if trips == times {
            // Not kept: the waker of an ended task must not disturb the next one.
            drop(friend.answer.waker.take());
            return Poll::Ready(trips);
        }
        asked = true;
        friend.helper.ask();
        Poll::Pending
    })
}

/// Sets up [`WAKE_STORM`].
pub fn wake_storm<E: Executor + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&WAKE_STORM);
    let executor = E::default();
    let storm = Arc::new(Storm::default());
    // Dropping the handle detaches: the task waits until the executor is dropped.
    drop(executor.spawn(storm.clone().stand()));
    executor.block_on(storm.until(|storm| storm.waker.get().is_some()));
    storm.polls.take();
    let helpers = Storm::helpers(&storm, |storm| storm.waker.get().expect("the task was polled").wake_by_ref());
    Box::new(move || {
        executor.block_on(async {
            storm.begin();
            helpers.iter().for_each(Helper::ask);
            storm.until(Storm::is_over).await;
        });
        storm.check(check)
    })
}

/// The waking threads set a flag by an exchange, and unpark if it was not set; a set flag polls a boxed future.
pub fn wake_storm_floor() -> Iteration {
    let check = Check::floor(&WAKE_STORM);
    let storm = Arc::new(Storm::default());
    let woken = Arc::new(AtomicBool::new(false));
    let helpers = Storm::helpers(&storm, {
        let (woken, caller) = (woken.clone(), thread::current());
        move |_| {
            // Release: pairs with the Acquire below.
            if !woken.swap(true, Release) {
                caller.unpark();
            }
        }
    });
    let mut target: Pin<Box<dyn Future<Output = ()>>> = black_box(Box::pin(storm.clone().stand()));
    Box::new(move || {
        storm.begin();
        helpers.iter().for_each(Helper::ask);
        let mut cx = Context::from_waker(Waker::noop());
        while !storm.is_over() {
            // Acquire: pairs with the Release above; the future sees what the waking thread wrote.
            if woken.swap(false, Acquire) {
                assert!(target.as_mut().poll(&mut cx).is_pending(), "the future waits forever");
            } else if !storm.is_seen() {
                thread::park();
            } else {
                // A thread is still inside its last wake.
                thread::yield_now();
            }
        }
        storm.check(check)
    })
}

/// A task that two threads wake.
#[derive(Debug, Default)]
struct Storm {
    sides: [Side; 2],
    /// The wakes of the threads that the task has seen. Only touched by the thread that drives.
    seen: AtomicUsize,
    /// Threads that have returned from their last wake.
    ended: AtomicUsize,
    /// The task's waker. Each executor here gives a task the same one in each poll.
    waker: OnceLock<Waker>,
    /// The future that waits for the end.
    root: AtomicWaker,
    polls: Tally,
}

/// What one thread writes before it wakes. In cache lines of its own, so that the threads share only the wake.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Side {
    wakes: AtomicUsize,
}

impl Storm {
    /// Two threads, each of which calls `wake` half as often as there are operations.
    fn helpers(storm: &Arc<Self>, wake: impl Fn(&Self) + Clone + Send + 'static) -> [Helper; 2] {
        [0, 1].map(|side| {
            let (storm, wake) = (storm.clone(), wake.clone());
            Helper::new(move || {
                for number in 1..=WAKE_STORM.operations / 2 {
                    // Release: pairs with the Acquire in `stand`.
                    storm.sides[side].wakes.store(number, Release);
                    wake(&storm);
                }
                // Release: pairs with the Acquire in `is_over`.
                storm.ended.fetch_add(1, Release);
                storm.root.wake();
            })
        })
    }

    /// Checks at each poll how often it was woken.
    fn stand(self: Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        poll_fn(move |cx| {
            self.polls.add();
            if self.waker.get().is_none() {
                self.waker.set(cx.waker().clone()).expect("no other task has this storm");
                self.root.wake();
            }
            // Acquire: pairs with the Release in `helpers`.
            self.seen.store(self.sides.iter().map(|side| side.wakes.load(Acquire)).sum(), Relaxed);
            if self.is_seen() {
                self.root.wake();
            }
            Poll::Pending
        })
    }

    /// Only while no thread wakes.
    fn begin(&self) {
        self.sides.iter().for_each(|side| side.wakes.store(0, Relaxed));
        self.seen.store(0, Relaxed);
        self.ended.store(0, Relaxed);
    }

    fn is_seen(&self) -> bool {
        self.seen.load(Relaxed) == WAKE_STORM.operations
    }

    fn is_over(&self) -> bool {
        // Acquire: pairs with the Release in `helpers`; the next iteration writes after the threads did.
        self.is_seen() && self.ended.load(Acquire) == self.sides.len()
    }

    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        poll_fn(|cx| {
            self.root.register(cx.waker());
            if is_so(self) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        // Not kept: a waker of this iteration must not disturb the next.
        drop(self.root.take());
    }

    fn check(&self, check: Check) -> usize {
        check.result(self.seen.load(Relaxed), WAKE_STORM.operations);
        // The last wake of the previous iteration may lead to a poll in this one.
        check.polls(self.polls.take(), 1..=WAKE_STORM.operations + 1)
    }
}

/// Sets up [`FOREIGN_JOIN`].
pub fn foreign_join<E: Executor + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&FOREIGN_JOIN);
    let executor = E::default();
    let desk = Arc::new(Desk::<E::JoinHandle<usize>>::default());
    let helper = Helper::new({
        let desk = desk.clone();
        move || desk.join_all()
    });
    Box::new(move || {
        let sum = executor.block_on(async {
            yield_now().await;
            let numbers = 0..FOREIGN_JOIN.operations;
            desk.hand_over(numbers.map(|number| executor.spawn(async move { black_box(number) })));
            helper.ask();
            desk.joined().await
        });
        check.result(sum, sum_below(FOREIGN_JOIN.operations));
        FOREIGN_JOIN.operations
    })
}

/// Boxes 10,000 futures, polls them, hands their results to another thread, which adds them up, and sleeps until it
/// has.
///
/// The two threads do not overlap here. With an executor they do, so an executor can be faster than this floor.
pub fn foreign_join_floor() -> Iteration {
    let mut futures = Vec::with_capacity(FOREIGN_JOIN.operations);
    joined_by_hand(move |results| {
        futures.extend((0..FOREIGN_JOIN.operations).map(number_future));
        results.extend(futures.drain(..).map(|mut future| poll_ready(future.as_mut())));
    })
}

/// Does the same with futures that are written into memory that exists already.
pub(crate) fn foreign_join_in_place() -> Iteration {
    let mut futures = Vec::with_capacity(FOREIGN_JOIN.operations);
    joined_by_hand(move |results| {
        futures.extend((0..FOREIGN_JOIN.operations).map(Small));
        results.extend(futures.iter_mut().map(poll_in_place));
        futures.clear();
    })
}

fn joined_by_hand(mut poll_all: impl FnMut(&mut Vec<usize>) + 'static) -> Iteration {
    let check = Check::floor(&FOREIGN_JOIN);
    let desk = Arc::new(Mutex::new(Vec::with_capacity(FOREIGN_JOIN.operations)));
    let sum = Arc::new(AtomicUsize::new(0));
    let helper = Helper::new({
        let (desk, sum, caller) = (desk.clone(), sum.clone(), thread::current());
        move || {
            // Release: pairs with the Acquire of the thread that sleeps.
            sum.store(desk.lock().expect("no poll panics").drain(..).sum(), Release);
            caller.unpark();
        }
    });
    Box::new(move || {
        poll_all(&mut desk.lock().expect("nothing panics under this lock"));
        helper.ask();
        // Acquire: pairs with the Release of the thread that adds up.
        while sum.load(Acquire) == 0 {
            thread::park();
        }
        check.result(sum.swap(0, Relaxed), sum_below(FOREIGN_JOIN.operations));
        FOREIGN_JOIN.operations
    })
}

/// Hands handles over to another thread, and takes the sum of their results back.
#[derive(Debug)]
struct Desk<H> {
    handles: Mutex<Vec<H>>,
    sum: Mutex<Option<usize>>,
    /// The future that waits for the sum.
    root: AtomicWaker,
}

impl<H> Default for Desk<H> {
    fn default() -> Self {
        Self { handles: Mutex::default(), sum: Mutex::default(), root: AtomicWaker::new() }
    }
}

impl<H: JoinHandle<usize>> Desk<H> {
    fn hand_over(&self, handles: impl Iterator<Item = H>) {
        self.handles.lock().expect("no spawn panics").extend(handles);
    }

    /// Awaits the handles, on a thread that drives nothing.
    fn join_all(&self) {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut cx = Context::from_waker(&waker);
        let mut sum = 0;
        for mut handle in self.handles.lock().expect("no spawn panics").drain(..) {
            sum += loop {
                match Pin::new(&mut handle).poll(&mut cx) {
                    Poll::Ready(number) => break number.expect("the task ends"),
                    Poll::Pending => thread::park(),
                }
            };
        }
        *self.sum.lock().expect("nothing panics under this lock") = Some(sum);
        self.root.wake();
    }

    async fn joined(&self) -> usize {
        let sum = poll_fn(|cx| {
            self.root.register(cx.waker());
            match self.sum.lock().expect("nothing panics under this lock").take() {
                Some(sum) => Poll::Ready(sum),
                None => Poll::Pending,
            }
        })
        .await;
        drop(self.root.take());
        sum
    }
}

/// Unparks a thread. All that parks on that thread is a loop that checks again.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
