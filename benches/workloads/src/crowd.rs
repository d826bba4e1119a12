//! Many tasks: all of them ready, or one of them, or woken by another thread.
//!
//! All workloads here have one form: a crowd of tasks that wait, spawned before the clock starts, and *turns*, in which
//! some of them are called and answer. They differ in how many tasks wait, how many are called and by which thread, and
//! what each does before it answers.
//!
//! A member waits as a receiver of a published channel does: it leaves a clone of its waker in an `AtomicWaker`, and
//! the wake takes it out. The floor does that, too, so it also says what share of a figure this is.

use std::future::poll_fn;
use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Context, Poll, Waker};
use std::thread;

use executor::{Described, Executor, yield_now};
use futures::future::BoxFuture;
use futures::task::AtomicWaker;

use crate::check::{Check, Tally};
use crate::helper::Helper;
use crate::{Iteration, Needs, Workload};

/// Calls 1,000 tasks, each of which wakes itself ten times before it answers.
///
/// The queue always holds every task, and the task that is polled was last touched 1,000 polls ago. One operation in
/// ten includes the call.
pub static YIELD_MANY: Workload = Workload {
    id: "yield_many",
    title: "yield in 1,000 tasks, 10 times each",
    operation: "one of 1,000 tasks wakes itself and is polled again when its turn comes",
    operations: 10_000,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: yield_many_floor,
};

/// Calls all of 1,000 waiting tasks, and waits until all have answered. An executor that polls everything polls nothing
/// in vain here.
pub static ALL_READY: Workload = Workload {
    id: "all_ready",
    title: "1,000 of 1,000 tasks are ready",
    operation: "a waiting task woken and polled, together with all the others",
    operations: 1_000,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: all_ready_floor,
};

/// Like [`ALL_READY`], but the root has been pending once before it calls. In the root's first poll, on the way into
/// `block_on`, some executors have not begun to run tasks yet; a program that runs for a while wakes from later polls.
pub static ALL_READY_LATER: Workload = Workload {
    id: "all_ready_later",
    title: "1,000 of 1,000 tasks are ready, called when the root has been pending",
    operation: "a waiting task woken and polled, together with all the others, after the root's first poll",
    floor: all_ready_later_floor,
    ..ALL_READY
};

/// Like [`ALL_READY_LATER`], with a hundred times as many tasks, which are called in another order than they lie in
/// memory: a fixed one that looks random.
///
/// They are more than a second-level cache holds, and no prefetcher predicts which is next. So what counts is how often
/// an executor touches a task between the wake and the poll, and how many cache lines of it.
pub static ALL_READY_SHUFFLED: Workload = Workload {
    id: "all_ready_shuffled",
    title: "100,000 of 100,000 tasks are ready, called in random order when the root has been pending",
    operation: "a waiting task woken and polled, together with 99,999 others, in random order",
    operations: 100_000,
    floor: all_ready_shuffled_floor,
    ..ALL_READY
};

/// Calls one of 2 waiting tasks, another one each time, and waits for its answer before the next call.
pub static ONE_READY_1: Workload = one_ready("one_ready_1", "1 task is ready, 1 is idle", 100, 1, one_ready_1_floor);

/// Calls one of 101 waiting tasks, another one each time, and waits for its answer before the next call.
pub static ONE_READY_100: Workload =
    one_ready("one_ready_100", "1 task is ready, 100 are idle", 100, 100, one_ready_100_floor);

/// Calls one of 10,001 waiting tasks, another one each time, and waits for its answer before the next call.
///
/// A strategy that knows which task was woken takes as long as with 2, except for two things: the task that it polls
/// was last touched 10,000 operations ago, and it enters `block_on` once in 20 operations here, but once in 100 there.
pub static ONE_READY_10000: Workload =
    // Few operations, so that an iteration takes only milliseconds where each of them polls every task.
    one_ready("one_ready_10000", "1 task is ready, 10,000 are idle", 20, 10_000, one_ready_10000_floor);

const fn one_ready(
    id: &'static str,
    title: &'static str,
    operations: usize,
    idle: usize,
    floor: fn() -> Iteration,
) -> Workload {
    let pass = (idle + 1).div_ceil(operations);
    let operation = "a waiting task woken and polled, and the future that waits for its answer as well";
    Workload { id, title, operation, operations, needs: Needs::Executor, threads: 1, pass, floor }
}

/// Lets another thread call 1,000 waiting tasks while the executor polls those called so far, and waits until all have
/// answered.
///
/// This is throughput, not latency: the executor may park and be unparked many times in a turn or only once.
pub static FOREIGN_WAKE_MANY: Workload = Workload {
    id: "foreign_wake_many",
    title: "another thread wakes 1,000 waiting tasks",
    operation: "a waiting task woken by another thread and polled, one of 1,000 in a row",
    operations: 1_000,
    needs: Needs::Executor,
    threads: 2,
    pass: 1,
    floor: foreign_wake_many_floor,
};

/// Like [`FOREIGN_WAKE_MANY`], with ten times as many tasks: the time to the first wake and the parks count for less,
/// the caches for more.
pub static FOREIGN_WAKE_10000: Workload = Workload {
    id: "foreign_wake_10000",
    title: "another thread wakes 10,000 waiting tasks",
    operation: "a waiting task woken by another thread and polled, one of 10,000 in a row",
    operations: 10_000,
    needs: Needs::Executor,
    threads: 2,
    pass: 1,
    floor: foreign_wake_10000_floor,
};

/// Lets two other threads call 5,000 waiting tasks each, at the same time, and waits until all have answered.
///
/// What the wakes of two threads share is contended here, if there are as many processors as threads. With fewer, the
/// threads take turns.
pub static FOREIGN_WAKE_BY_TWO: Workload = Workload {
    id: "foreign_wake_by_two",
    title: "two other threads wake 10,000 waiting tasks",
    operation: "a waiting task woken by one of two other threads and polled, one of 10,000",
    operations: 10_000,
    needs: Needs::Executor,
    threads: 3,
    pass: 1,
    floor: foreign_wake_by_two_floor,
};

/// How many members there are, and what each turn asks of them.
#[derive(Clone, Copy, Debug)]
struct Plan {
    workload: &'static Workload,
    /// Members that are not called in a turn.
    idle: usize,
    /// Members that are called in a turn.
    ready: usize,
    /// How often a member that is called wakes itself before it answers.
    yields: usize,
    turns: usize,
    /// Whether the root has been pending before it calls for the first time.
    later: bool,
    /// Whether members are spawned in another order than they are called in.
    shuffled: bool,
}

const YIELD_PLAN: Plan = Plan { ready: 1_000, yields: 10, ..all_of(&YIELD_MANY) };
const ALL_PLAN: Plan = all_of(&ALL_READY);
const ALL_LATER_PLAN: Plan = Plan { later: true, ..all_of(&ALL_READY_LATER) };
const ALL_SHUFFLED_PLAN: Plan = Plan { later: true, shuffled: true, ..all_of(&ALL_READY_SHUFFLED) };
const FOREIGN_PLAN: Plan = all_of(&FOREIGN_WAKE_MANY);
const FOREIGN_10000_PLAN: Plan = all_of(&FOREIGN_WAKE_10000);
const FOREIGN_BY_TWO_PLAN: Plan = all_of(&FOREIGN_WAKE_BY_TWO);
const ONE_OF_2: Plan = one_of(&ONE_READY_1, 1);
const ONE_OF_101: Plan = one_of(&ONE_READY_100, 100);
const ONE_OF_10001: Plan = one_of(&ONE_READY_10000, 10_000);

const fn one_of(workload: &'static Workload, idle: usize) -> Plan {
    Plan { idle, ready: 1, turns: workload.operations, ..all_of(workload) }
}

const fn all_of(workload: &'static Workload) -> Plan {
    Plan { workload, idle: 0, ready: workload.operations, yields: 0, turns: 1, later: false, shuffled: false }
}

/// Sets up [`YIELD_MANY`].
pub fn yield_many<E: Executor + Described + 'static>() -> Iteration {
    called_by_root::<E>(YIELD_PLAN)
}

/// Calls 1,000 boxed futures by hand and polls them in turn, eleven times.
pub fn yield_many_floor() -> Iteration {
    called_by_hand(YIELD_PLAN)
}

/// Sets up [`ALL_READY`].
pub fn all_ready<E: Executor + Described + 'static>() -> Iteration {
    called_by_root::<E>(ALL_PLAN)
}

/// Calls 1,000 boxed futures by hand and polls each.
pub fn all_ready_floor() -> Iteration {
    called_by_hand(ALL_PLAN)
}

/// Sets up [`ALL_READY_LATER`].
pub fn all_ready_later<E: Executor + Described + 'static>() -> Iteration {
    called_by_root::<E>(ALL_LATER_PLAN)
}

/// See [`all_ready_floor`]: by hand there is no root that could be pending.
pub fn all_ready_later_floor() -> Iteration {
    called_by_hand(ALL_LATER_PLAN)
}

/// Sets up [`ALL_READY_SHUFFLED`].
pub fn all_ready_shuffled<E: Executor + Described + 'static>() -> Iteration {
    called_by_root::<E>(ALL_SHUFFLED_PLAN)
}

/// Calls 100,000 boxed futures by hand and polls each, in another order than they lie in memory.
pub fn all_ready_shuffled_floor() -> Iteration {
    called_by_hand(ALL_SHUFFLED_PLAN)
}

/// Sets up [`ONE_READY_1`].
pub fn one_ready_1<E: Executor + Described + 'static>() -> Iteration {
    called_by_root::<E>(ONE_OF_2)
}

/// Polls the future that was called, by hand.
pub fn one_ready_1_floor() -> Iteration {
    called_by_hand(ONE_OF_2)
}

/// Sets up [`ONE_READY_100`].
pub fn one_ready_100<E: Executor + Described + 'static>() -> Iteration {
    called_by_root::<E>(ONE_OF_101)
}

/// Polls the future that was called, by hand.
pub fn one_ready_100_floor() -> Iteration {
    called_by_hand(ONE_OF_101)
}

/// Sets up [`ONE_READY_10000`].
pub fn one_ready_10000<E: Executor + Described + 'static>() -> Iteration {
    called_by_root::<E>(ONE_OF_10001)
}

/// Polls the future that was called, one of 10,001 in boxes, by hand.
pub fn one_ready_10000_floor() -> Iteration {
    called_by_hand(ONE_OF_10001)
}

/// Sets up [`FOREIGN_WAKE_MANY`].
pub fn foreign_wake_many<E: Executor + Described + 'static>() -> Iteration {
    called_by_others::<E>(FOREIGN_PLAN, 1)
}

/// Lets another thread call 1,000 boxed futures, sleeps until it has called all, and polls them.
///
/// The two threads do not overlap here. With an executor they may, so an executor can be faster than this floor.
pub fn foreign_wake_many_floor() -> Iteration {
    called_by_others_by_hand(FOREIGN_PLAN, 1)
}

/// Sets up [`FOREIGN_WAKE_10000`].
pub fn foreign_wake_10000<E: Executor + Described + 'static>() -> Iteration {
    called_by_others::<E>(FOREIGN_10000_PLAN, 1)
}

/// See [`foreign_wake_many_floor`].
pub fn foreign_wake_10000_floor() -> Iteration {
    called_by_others_by_hand(FOREIGN_10000_PLAN, 1)
}

/// Sets up [`FOREIGN_WAKE_BY_TWO`].
pub fn foreign_wake_by_two<E: Executor + Described + 'static>() -> Iteration {
    called_by_others::<E>(FOREIGN_BY_TWO_PLAN, 2)
}

/// Lets two other threads call 5,000 boxed futures each, sleeps until both have called theirs, and polls them.
pub fn foreign_wake_by_two_floor() -> Iteration {
    called_by_others_by_hand(FOREIGN_BY_TWO_PLAN, 2)
}

fn called_by_others<E: Executor + Described + 'static>(plan: Plan, callers: usize) -> Iteration {
    let crowd = Crowd::new(plan);
    let helpers = callers_of(&crowd, callers, || {});
    turns::<E>(crowd, move |_, _| helpers.iter().for_each(Helper::ask))
}

fn called_by_others_by_hand(plan: Plan, callers: usize) -> Iteration {
    let crowd = Crowd::new(plan);
    let called = Arc::new(AtomicUsize::new(0));
    let helpers = callers_of(&crowd, callers, {
        let (called, caller) = (called.clone(), thread::current());
        move || {
            // Release: pairs with the Acquire of the thread that sleeps.
            called.fetch_add(1, Release);
            caller.unpark();
        }
    });
    turns_by_hand(crowd, move |_, _| {
        helpers.iter().for_each(Helper::ask);
        // Acquire: pairs with the Release of the threads that call.
        while called.load(Acquire) < callers {
            thread::park();
        }
        called.store(0, Relaxed);
    })
}

/// `callers` threads, each of which calls its part of the crowd and then does `then`.
fn callers_of(crowd: &Arc<Crowd>, callers: usize, then: impl Fn() + Clone + Send + 'static) -> Vec<Helper> {
    let part = crowd.members.len() / callers;
    let caller = |index| {
        let (crowd, then) = (crowd.clone(), then.clone());
        Helper::new(move || {
            crowd.call(index * part..(index + 1) * part);
            then();
        })
    };
    (0..callers).map(caller).collect()
}

fn called_by_root<E: Executor + Described + 'static>(plan: Plan) -> Iteration {
    turns::<E>(Crowd::new(plan), Crowd::call)
}

fn called_by_hand(plan: Plan) -> Iteration {
    turns_by_hand(Crowd::new(plan), Crowd::call)
}

/// Spawns the crowd and lets it wait. The iteration calls members and awaits their answers, turn by turn.
fn turns<E: Executor + Described + 'static>(
    crowd: Arc<Crowd>,
    call: impl Fn(&Crowd, Range<usize>) + 'static,
) -> Iteration {
    let plan = crowd.plan;
    let check = Check::contender::<E>(plan.workload);
    let executor = E::default();
    for index in plan.spawned() {
        // Dropping the handle detaches: members wait until the executor is dropped.
        drop(executor.spawn(crowd.member(index)));
    }
    executor.block_on(crowd.answers(crowd.members.len(), |crowd| crowd.call(0..crowd.members.len())));
    crowd.polls.take();
    let mut first = 0;
    Box::new(move || {
        executor.block_on(async {
            if plan.later {
                yield_now().await;
            }
            for _ in 0..plan.turns {
                first = crowd.next(first);
                crowd.answers(plan.ready, |crowd| call(crowd, first..first + plan.ready)).await;
            }
        });
        drop(crowd.root.take());
        crowd.check(check)
    })
}

fn turns_by_hand(crowd: Arc<Crowd>, call: impl Fn(&Crowd, Range<usize>) + 'static) -> Iteration {
    let plan = crowd.plan;
    let check = Check::floor(plan.workload);
    let mut cx = Context::from_waker(Waker::noop());
    let mut spawned: Vec<(usize, BoxFuture<'static, ()>)> =
        plan.spawned().into_iter().map(|index| (index, black_box(Box::pin(crowd.member(index)) as _))).collect();
    spawned.sort_unstable_by_key(|(index, _)| *index);
    let mut futures: Vec<_> = spawned.into_iter().map(|(_, future)| future).collect();
    for future in &mut futures {
        assert!(future.as_mut().poll(&mut cx).is_pending(), "a member waits");
    }
    crowd.polls.take();
    let mut first = 0;
    Box::new(move || {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..plan.turns {
            first = crowd.next(first);
            let called = first..first + plan.ready;
            crowd.missing.store(plan.ready, Relaxed);
            call(&crowd, called.clone());
            for _ in 0..=plan.yields {
                for future in &mut futures[called.clone()] {
                    assert!(future.as_mut().poll(&mut cx).is_pending(), "a member never ends");
                }
            }
        }
        crowd.check(check)
    })
}

/// Tasks that wait to be called.
#[derive(Debug)]
struct Crowd {
    plan: Plan,
    members: Box<[Member]>,
    /// Polls of members, not of the future that calls them.
    polls: Tally,
    /// Members that were called and have not answered yet. Only touched by the thread that drives.
    missing: AtomicUsize,
    /// The future that waits for the answers.
    root: AtomicWaker,
}

#[derive(Debug, Default)]
struct Member {
    /// How often it was called.
    calls: AtomicUsize,
    waker: AtomicWaker,
}

impl Plan {
    /// The members, in the order in which they are spawned.
    fn spawned(&self) -> Vec<usize> {
        let mut members: Vec<usize> = (0..self.idle + self.ready).collect();
        if self.shuffled {
            // A linear congruential generator, whose upper bits look random enough.
            let mut state = 0x9e37_79b9_7f4a_7c15_u64;
            for last in (1..members.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                members.swap(last, (state >> 33) as usize % (last + 1));
            }
        }
        members
    }
}

impl Crowd {
    fn new(plan: Plan) -> Arc<Self> {
        Arc::new(Self {
            plan,
            members: (0..plan.idle + plan.ready).map(|_| Member::default()).collect(),
            polls: Tally::default(),
            missing: AtomicUsize::new(0),
            root: AtomicWaker::new(),
        })
    }

    /// Waits to be called, wakes itself as often as the plan says, answers, and waits again.
    fn member(self: &Arc<Self>, index: usize) -> impl Future<Output = ()> + Send + 'static {
        let crowd = self.clone();
        let mut answered = 0;
        let mut yielding = None;
        poll_fn(move |cx| {
            crowd.polls.add();
            if yielding.is_none() {
                let member = &crowd.members[index];
                member.waker.register(cx.waker());
                // Acquire: pairs with the Release in `call`. After `register`, or a call in between would be lost.
                if member.calls.load(Acquire) == answered {
                    return Poll::Pending;
                }
                answered += 1;
                yielding = Some(crowd.plan.yields);
            }
            match yielding {
                Some(left @ 1..) => {
                    yielding = Some(left - 1);
                    cx.waker().wake_by_ref();
                }
                _ => {
                    yielding = None;
                    crowd.answer();
                }
            }
            Poll::Pending
        })
    }

    /// Calls members, from any thread.
    fn call(&self, members: Range<usize>) {
        for member in &self.members[members] {
            // One thread calls this one at a time, so this needs no read-modify-write. Release: pairs with the Acquire
            // in `member`.
            member.calls.store(member.calls.load(Relaxed) + 1, Release);
            member.waker.wake();
        }
    }

    fn answer(&self) {
        let missing = self.missing.load(Relaxed) - 1;
        self.missing.store(missing, Relaxed);
        if missing == 0 {
            self.root.wake();
        }
    }

    /// Calls members through `call`, and waits until as many have answered.
    async fn answers(&self, ready: usize, call: impl FnOnce(&Self)) {
        let mut call = Some(call);
        poll_fn(move |cx| {
            self.root.register(cx.waker());
            if let Some(call) = call.take() {
                self.missing.store(ready, Relaxed);
                call(self);
            }
            if self.missing.load(Relaxed) > 0 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    /// The first member to call in the turn after the one that began with `first`. Far from that one, so that it is not
    /// in the cache because its neighbour is.
    fn next(&self, first: usize) -> usize {
        let choices = self.plan.idle + 1;
        let next = first + choices * 618 / 1_000;
        if next < choices { next } else { next - choices }
    }

    fn check(&self, check: Check) -> usize {
        let Plan { ready, yields, turns, .. } = self.plan;
        check.result(self.missing.load(Relaxed), 0);
        let polls = turns * ready * (yields + 1);
        check.polls(self.polls.take(), polls..=polls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffled_members_are_all_spawned_and_few_after_their_neighbour() {
        let mut spawned = ALL_SHUFFLED_PLAN.spawned();
        let neighbours = spawned.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) == 1).count();
        assert!(neighbours < 20, "{neighbours} of {} lie next to the one called before", spawned.len());
        spawned.sort_unstable();
        assert!(spawned.into_iter().eq(0..ALL_READY_SHUFFLED.operations));
        assert!(ALL_PLAN.spawned().into_iter().eq(0..ALL_READY.operations));
    }
}
