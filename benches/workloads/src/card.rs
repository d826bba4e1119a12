//! The operations of the wake cost card: one thing each, done a given number of times.
//!
//! A [`Workload`](crate::Workload) does what a program does, and its figure holds a little of everything. An operation
//! here is done n times and then 2n times, and the difference is n times the operation and nothing else: the executor,
//! the spawn of the tasks that take part and the cost of a first call all cancel out. So nothing here may cost what a
//! wake costs: tasks share thread-locals, and plain loads and stores, without a single atomic read-modify-write. That
//! is why some of this repeats a workload without its channel or its counters.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

use executor::{BlockOn, Described, Executor, yield_now};

use crate::Needs;
use crate::check::Tally;
use crate::foreign::{Friend, round_trips};
use crate::spawn::{Large, Small, poll_in_place};
use crate::wakers::yields;

/// What is counted, on any contender.
#[derive(Debug)]
pub struct Operation {
    /// Its name in ids and tables, such as `self_wake`.
    pub id: &'static str,
    /// What happens, in a few words.
    pub title: &'static str,
    /// Which executors can run it.
    pub needs: Needs,
    /// Whether nothing else runs while it is counted, so that it costs the same each time.
    pub exact: bool,
    /// By which fraction a count may differ between runs of one program. Not 0 for a long copy, whose loop depends on
    /// the addresses of its ends: on the stack they move with the length of the environment and of the program's path.
    pub tolerance: f64,
    /// How many threads there are. If it is exact, all but one may only sleep.
    pub threads: usize,
    /// n: it is done n times and 2n times. Less than a thousand where each takes long under valgrind.
    pub times: usize,
    /// The same by hand, where that is meaningful.
    pub floor: Option<fn(usize) -> Job>,
}

/// An operation that is set up to be done a number of times.
pub struct Job {
    /// Does it: the part that is counted. Call it once.
    pub run: Box<dyn FnOnce()>,
    /// Checks what was done and returns how often futures were polled for it. Call it after `run`.
    ///
    /// # Panics
    ///
    /// When something was not done.
    pub finish: Box<dyn FnOnce() -> usize>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

/// An operation for one contender.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// What is counted.
    pub operation: &'static Operation,
    prepare: fn(usize) -> Job,
}

impl Count {
    /// Makes everything that is not counted, for that many operations.
    pub fn prepare(&self, times: usize) -> Job {
        (self.prepare)(times)
    }
}

/// A task calls `wake_by_ref` on the waker of its poll and is pending, again and again.
pub static SELF_WAKE: Operation = Operation {
    id: "self_wake",
    title: "a task wakes itself by reference and is polled again",
    needs: Needs::Executor,
    exact: true,
    tolerance: 0.0,
    threads: 1,
    times: 1_000,
    floor: Some(self_wake_floor),
};

/// A task clones the waker of its poll, calls `wake` on the clone and is pending, again and again.
pub static WAKE_BY_VALUE: Operation = Operation {
    id: "wake_by_value",
    title: "a task clones its waker, wakes with the clone and is polled again",
    needs: Needs::Executor,
    exact: true,
    tolerance: 0.0,
    threads: 1,
    times: 1_000,
    floor: Some(wake_by_value_floor),
};

/// A task clones the waker of its only poll and drops the clone, again and again.
pub static CLONE_DROP: Operation = Operation {
    id: "clone_drop",
    title: "a task's waker is cloned and the clone dropped, on the thread that drives",
    needs: Needs::Executor,
    exact: true,
    tolerance: 0.0,
    threads: 1,
    times: 1_000,
    floor: Some(clone_drop_floor),
};

/// Spawns a task that is ready at its first poll, awaits its handle, and only then spawns the next.
pub static SPAWN_JOIN: Operation = Operation {
    id: "spawn_join",
    title: "a task that is ready at once is spawned, polled, joined and freed",
    needs: Needs::Executor,
    exact: true,
    tolerance: 0.0,
    threads: 1,
    times: 1_000,
    floor: Some(spawn_join_floor),
};

/// Like [`SPAWN_JOIN`], with futures of 64 KiB.
pub static SPAWN_LARGE: Operation = Operation {
    id: "spawn_large",
    title: "the same with a future of 64 KiB, which is written and may be moved",
    needs: Needs::Executor,
    exact: true,
    tolerance: 0.001,
    threads: 1,
    times: 100,
    floor: Some(spawn_large_floor),
};

/// Calls `block_on` with the same boxed future, which is ready whenever it is polled.
pub static BLOCK_ON_READY: Operation = Operation {
    id: "block_on_ready",
    title: "block_on of a future that is ready at once",
    needs: Needs::BlockOn,
    exact: true,
    tolerance: 0.0,
    threads: 1,
    times: 1_000,
    floor: Some(block_on_ready_floor),
};

/// Two tasks wake each other alternately. Each waits, unwoken, while the other is polled.
pub static LOCAL_WAKE: Operation = Operation {
    id: "local_wake",
    title: "a task wakes an idle one, which is polled",
    needs: Needs::Executor,
    exact: true,
    tolerance: 0.0,
    threads: 1,
    times: 1_000,
    floor: Some(local_wake_floor),
};

/// Spawns that many tasks on another thread, lets them wait there, and wakes them all from this one. The executor's
/// thread waits outside the executor during that time, so the count is what the waking thread does for a driver that is
/// awake.
pub static FOREIGN_WAKE: Operation = Operation {
    id: "foreign_wake",
    title: "another thread wakes an idle task: that thread's part",
    needs: Needs::Executor,
    exact: true,
    tolerance: 0.0,
    threads: 2,
    times: 1_000,
    floor: None,
};

/// Spawns that many tasks, lets them wait, and lets another thread wake them and end. The count is what the executor
/// does to find them and poll them.
pub static FOREIGN_POLL: Operation = Operation {
    id: "foreign_poll",
    title: "a task that another thread woke is polled: the driving thread's part",
    needs: Needs::Executor,
    exact: true,
    tolerance: 0.0,
    threads: 2,
    times: 1_000,
    floor: None,
};

/// A task asks a second thread for a wake, again and again. Each sleeps until the other wakes it.
pub static ROUND_TRIP: Operation = Operation {
    id: "round_trip",
    title: "a task and a thread wake each other, both asleep in between: the driving thread's part",
    needs: Needs::Executor,
    exact: false,
    tolerance: 0.0,
    threads: 2,
    times: 100,
    floor: None,
};

/// Every operation, in the order of the card.
pub static OPERATIONS: &[&Operation] = &[
    &SELF_WAKE,
    &WAKE_BY_VALUE,
    &CLONE_DROP,
    &LOCAL_WAKE,
    &FOREIGN_WAKE,
    &FOREIGN_POLL,
    &SPAWN_JOIN,
    &SPAWN_LARGE,
    &BLOCK_ON_READY,
    &ROUND_TRIP,
];

/// Every operation, for an executor that owns tasks.
pub fn executor_counts<E: Executor + Described + 'static>() -> Vec<Count> {
    vec![
        Count { operation: &SELF_WAKE, prepare: self_wake::<E> },
        Count { operation: &WAKE_BY_VALUE, prepare: wake_by_value::<E> },
        Count { operation: &CLONE_DROP, prepare: clone_drop::<E> },
        Count { operation: &LOCAL_WAKE, prepare: local_wake::<E> },
        Count { operation: &FOREIGN_WAKE, prepare: foreign_wake::<E> },
        Count { operation: &FOREIGN_POLL, prepare: foreign_poll::<E> },
        Count { operation: &SPAWN_JOIN, prepare: spawn_join::<E> },
        Count { operation: &SPAWN_LARGE, prepare: spawn_large::<E> },
        Count { operation: &BLOCK_ON_READY, prepare: block_on_ready::<E> },
        Count { operation: &ROUND_TRIP, prepare: round_trip::<E> },
    ]
}

/// The operations without tasks, for executors that have only `block_on`.
pub fn block_on_counts<E: BlockOn + Described + 'static>() -> Vec<Count> {
    vec![Count { operation: &BLOCK_ON_READY, prepare: block_on_ready::<E> }]
}

/// The operations by hand.
pub fn floor_counts() -> Vec<Count> {
    let by_hand = OPERATIONS.iter().filter_map(|&operation| Some((operation, operation.floor?)));
    by_hand.map(|(operation, prepare)| Count { operation, prepare }).collect()
}

/// The floor without an allocator, for the operations whose floor is little else than one.
pub fn in_place_counts() -> Vec<Count> {
    vec![
        Count { operation: &SPAWN_JOIN, prepare: spawn_join_in_place },
        Count { operation: &SPAWN_LARGE, prepare: spawn_large_in_place },
    ]
}

/// Sets up [`SELF_WAKE`].
pub fn self_wake<E: Executor + Described + 'static>(times: usize) -> Job {
    in_one_task::<E, _>(times, yields)
}

/// The same future, boxed behind a `dyn` pointer, polled by hand.
pub fn self_wake_floor(times: usize) -> Job {
    by_hand(times, |times, polls| Box::pin(yields(times, polls)))
}

/// Sets up [`WAKE_BY_VALUE`].
pub fn wake_by_value<E: Executor + Described + 'static>(times: usize) -> Job {
    in_one_task::<E, _>(times, wakes_by_value)
}

/// The same future, boxed behind a `dyn` pointer, polled by hand. Its waker is [`Waker::noop`].
pub fn wake_by_value_floor(times: usize) -> Job {
    by_hand(times, |times, polls| Box::pin(wakes_by_value(times, polls)))
}

fn wakes_by_value(times: usize, polls: Arc<Tally>) -> impl Future<Output = ()> + Send + 'static {
    let mut left = times;
    poll_fn(move |cx| {
        polls.add();
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        let waker = cx.waker().clone();
        waker.wake();
        Poll::Pending
    })
}

/// Sets up [`CLONE_DROP`].
pub fn clone_drop<E: Executor + Described + 'static>(times: usize) -> Job {
    let executor = E::default();
    let job = move || {
        let task = executor.spawn(poll_fn(move |cx| {
            for _ in 0..times {
                drop(black_box(cx.waker().clone()));
            }
            Poll::Ready(times)
        }));
        let clones = executor.block_on(task).expect("the task ends");
        assert_eq!(clones, times);
    };
    Job { run: Box::new(job), finish: Box::new(|| 0) }
}

/// Clones and drops an `Arc`: what most wakers are, without the call through a vtable.
pub fn clone_drop_floor(times: usize) -> Job {
    let arc = Arc::new(());
    let job = move || {
        for _ in 0..times {
            drop(black_box(Arc::clone(black_box(&arc))));
        }
    };
    Job { run: Box::new(job), finish: Box::new(|| 0) }
}

fn in_one_task<E, F>(times: usize, future: impl FnOnce(usize, Arc<Tally>) -> F) -> Job
where
    E: Executor + Described + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let polls = Arc::new(Tally::default());
    let executor = E::default();
    let task = executor.spawn(future(times, polls.clone()));
    let run = move || executor.block_on(task).expect("the task ends");
    Job { run: Box::new(run), finish: Box::new(move || at_least(times + 1, polls.take())) }
}

fn by_hand(times: usize, future: impl FnOnce(usize, Arc<Tally>) -> Pin<Box<dyn Future<Output = ()>>>) -> Job {
    let polls = Arc::new(Tally::default());
    let mut future = black_box(future(times, polls.clone()));
    let run = move || {
        let mut cx = Context::from_waker(Waker::noop());
        while future.as_mut().poll(&mut cx).is_pending() {}
    };
    Job { run: Box::new(run), finish: Box::new(move || at_least(times + 1, polls.take())) }
}

/// Where everything is polled, there may be more polls than were asked for.
fn at_least(asked: usize, polls: usize) -> usize {
    assert!(polls >= asked, "{polls} polls where the wakes ask for {asked}");
    polls
}

/// Sets up [`SPAWN_JOIN`].
pub fn spawn_join<E: Executor + Described + 'static>(times: usize) -> Job {
    let executor = E::default();
    let run = move || {
        let sum = executor.block_on(async {
            let mut sum = 0;
            for _ in 0..times {
                sum += executor.spawn(async { black_box(1) }).await.expect("the task ends");
            }
            sum
        });
        assert_eq!(sum, times);
    };
    Job { run: Box::new(run), finish: Box::new(move || times) }
}

/// Boxes a future behind a `dyn` pointer, polls it once and frees it.
pub fn spawn_join_floor(times: usize) -> Job {
    let run = move || {
        let mut cx = Context::from_waker(Waker::noop());
        let mut sum = 0;
        for _ in 0..times {
            let mut future: Pin<Box<dyn Future<Output = usize>>> = black_box(Box::pin(async { black_box(1) }));
            if let Poll::Ready(one) = future.as_mut().poll(&mut cx) {
                sum += one;
            }
        }
        assert_eq!(sum, times);
    };
    Job { run: Box::new(run), finish: Box::new(move || times) }
}

/// Writes a future into memory that exists already, and polls it once behind a `dyn` pointer. What the floor takes
/// beyond that is `malloc` and `free`.
pub fn spawn_join_in_place(times: usize) -> Job {
    in_place(times, || Small(1))
}

/// Sets up [`SPAWN_LARGE`].
pub fn spawn_large<E: Executor + Described + 'static>(times: usize) -> Job {
    let executor = E::default();
    let run = move || {
        let sum = executor.block_on(async {
            let mut sum = 0;
            for _ in 0..times {
                sum += executor.spawn(Large::new(1)).await.expect("the task ends");
            }
            sum
        });
        assert_eq!(sum, times);
    };
    Job { run: Box::new(run), finish: Box::new(move || times) }
}

/// Boxes such a future behind a `dyn` pointer, polls it once and frees it. It is written into its box and never copied.
pub fn spawn_large_floor(times: usize) -> Job {
    let run = move || {
        let mut cx = Context::from_waker(Waker::noop());
        let mut sum = 0;
        for _ in 0..times {
            if let Poll::Ready(one) = Large::boxed(1).as_mut().poll(&mut cx) {
                sum += one;
            }
        }
        assert_eq!(sum, times);
    };
    Job { run: Box::new(run), finish: Box::new(move || times) }
}

/// Writes such a future into memory that exists already, and polls it once behind a `dyn` pointer.
pub fn spawn_large_in_place(times: usize) -> Job {
    in_place(times, || Large::new(1))
}

fn in_place<F: Future<Output = usize> + Unpin + 'static>(times: usize, future: fn() -> F) -> Job {
    let run = move || {
        let sum: usize = (0..times).map(|_| poll_in_place(&mut future())).sum();
        assert_eq!(sum, times);
    };
    Job { run: Box::new(run), finish: Box::new(move || times) }
}

/// Sets up [`BLOCK_ON_READY`].
pub fn block_on_ready<E: BlockOn + Described + 'static>(times: usize) -> Job {
    let executor = E::default();
    ready_calls(times, move |future| executor.block_on(future))
}

/// Polls the same boxed future.
pub fn block_on_ready_floor(times: usize) -> Job {
    ready_calls(times, |future| {
        assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_ready(), "it is ready at its first poll");
    })
}

fn ready_calls(times: usize, call: impl Fn(Pin<&mut dyn Future<Output = ()>>) + 'static) -> Job {
    let polls = Arc::new(Tally::default());
    let counted = polls.clone();
    let mut future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(poll_fn(move |_| {
        counted.add();
        Poll::Ready(())
    }));
    let run = move || {
        for _ in 0..times {
            call(black_box(future.as_mut()));
        }
    };
    Job { run: Box::new(run), finish: Box::new(move || at_least(times, polls.take())) }
}

thread_local! {
    static TABLE: Table = const {
        Table { wakers: [const { RefCell::new(None) }; 2], turn: Cell::new(0), left: Cell::new(0), polls: Cell::new(0) }
    };
}

/// A table at which two tasks sit and wake each other alternately. A thread-local, as one thread polls both.
struct Table {
    wakers: [RefCell<Option<Waker>>; 2],
    turn: Cell<usize>,
    left: Cell<usize>,
    polls: Cell<usize>,
}

impl Table {
    fn lay(&self, times: usize) {
        self.turn.set(0);
        self.left.set(times);
        self.polls.set(0);
    }

    /// Leaves the waker of the poll, unless the one that was left before wakes the same task.
    fn sit(&self, seat: usize, cx: &Context<'_>) {
        let mut waker = self.wakers[seat].borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
    }

    fn wake(&self, seat: usize) {
        if let Some(waker) = &*self.wakers[seat].borrow() {
            waker.wake_by_ref();
        }
    }

    fn play(&self, seat: usize, cx: &Context<'_>) -> Poll<()> {
        self.polls.set(self.polls.get() + 1);
        self.sit(seat, cx);
        if self.left.get() == 0 {
            self.wake(1 - seat);
            return Poll::Ready(());
        }
        if self.turn.get() == seat {
            self.left.set(self.left.get() - 1);
            self.turn.set(1 - seat);
            self.wake(1 - seat);
        }
        Poll::Pending
    }

    fn clear(&self) -> usize {
        self.wakers.iter().for_each(|waker| drop(waker.take()));
        self.polls.get()
    }
}

fn player(seat: usize) -> impl Future<Output = ()> + Send + 'static {
    poll_fn(move |cx| TABLE.with(|table| table.play(seat, cx)))
}

/// Sets up [`LOCAL_WAKE`].
pub fn local_wake<E: Executor + Described + 'static>(times: usize) -> Job {
    let executor = E::default();
    TABLE.with(|table| table.lay(times));
    let players = [executor.spawn(player(0)), executor.spawn(player(1))];
    let run = move || {
        executor.block_on(async {
            for player in players {
                player.await.expect("the task ends");
            }
        });
    };
    Job { run: Box::new(run), finish: Box::new(move || at_least(times, TABLE.with(Table::clear))) }
}

/// The same futures, boxed behind `dyn` pointers, polled alternately.
pub fn local_wake_floor(times: usize) -> Job {
    TABLE.with(|table| table.lay(times));
    let mut players: [Pin<Box<dyn Future<Output = ()>>>; 2] = [Box::pin(player(0)), Box::pin(player(1))];
    let run = move || {
        let mut cx = Context::from_waker(Waker::noop());
        for turn in 0..times {
            assert!(black_box(players[turn % 2].as_mut()).poll(&mut cx).is_pending(), "it plays on");
        }
    };
    Job { run: Box::new(run), finish: Box::new(move || at_least(times, TABLE.with(Table::clear))) }
}

/// Sets up [`FOREIGN_WAKE`].
pub fn foreign_wake<E: Executor + Described + 'static>(times: usize) -> Job {
    let (to_waker, wakers) = mpsc::channel();
    let (to_caller, waits) = mpsc::channel();
    let (to_driver, woken) = mpsc::channel();
    let called = Arc::new(AtomicBool::new(false));
    let driver = thread::spawn({
        let called = called.clone();
        move || {
            let executor = E::default();
            let polls = Arc::new(Tally::default());
            for _ in 0..times {
                let (called, polls) = (called.clone(), polls.clone());
                let mut to_waker = Some(to_waker.clone());
                drop(executor.spawn(poll_fn(move |cx| {
                    polls.add();
                    if let Some(to_waker) = to_waker.take() {
                        to_waker.send(cx.waker().clone()).expect("the other thread listens");
                    }
                    // Acquire: pairs with the Release in `run`.
                    if called.load(Acquire) { Poll::Ready(()) } else { Poll::Pending }
                })));
            }
            drop(to_waker);
            executor.block_on(async {
                while polls.get() < times {
                    yield_now().await;
                }
            });
            // So far the tasks were polled without having been woken.
            polls.take();
            to_caller.send(()).expect("the other thread listens");
            // Sent, or disconnected if the job was never run: then the tasks are dropped with their executor.
            if woken.recv().is_ok() {
                executor.run();
            }
            polls.take()
        }
    });
    let wakers: Vec<Waker> = wakers.iter().take(times).collect();
    // A wake in between would lead to a poll that is not counted.
    waits.recv().expect("the driver does not panic");
    let run = move || {
        // Release: pairs with the Acquire in the tasks.
        called.store(true, Release);
        wakers.into_iter().for_each(Waker::wake);
    };
    let finish = move || {
        to_driver.send(()).expect("the driver waits");
        at_least(times, driver.join().expect("the driver's thread does not panic"))
    };
    Job { run: Box::new(run), finish: Box::new(finish) }
}

thread_local! {
    static ROOT: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// Sets up [`FOREIGN_POLL`].
pub fn foreign_poll<E: Executor + Described + 'static>(times: usize) -> Job {
    let executor = Rc::new(E::default());
    let called = Arc::new(AtomicBool::new(false));
    let (polls, answers) = (Arc::new(Tally::default()), Arc::new(Tally::default()));
    let (to_waker, wakers) = mpsc::channel::<Waker>();
    for _ in 0..times {
        let (called, polls, answers) = (called.clone(), polls.clone(), answers.clone());
        let mut to_waker = Some(to_waker.clone());
        let mut answered = false;
        drop(executor.spawn(poll_fn(move |cx| {
            polls.add();
            if let Some(to_waker) = to_waker.take() {
                to_waker.send(cx.waker().clone()).expect("the other thread listens");
            }
            // Acquire: pairs with the Release of the thread that calls.
            if called.load(Acquire) && !answered {
                answered = true;
                if answers.add() == times {
                    ROOT.with_borrow_mut(Option::take).expect("the root waits").wake();
                }
            }
            Poll::<()>::Pending
        })));
    }
    executor.block_on(async {
        while polls.get() < times {
            yield_now().await;
        }
    });
    polls.take();
    let caller = thread::spawn(move || {
        // Release: pairs with the Acquire in the tasks.
        called.store(true, Release);
        wakers.iter().take(times).for_each(Waker::wake);
    });
    caller.join().expect("the calling thread does not panic");
    let run = {
        let (executor, answers) = (executor.clone(), answers.clone());
        move || {
            executor.block_on(poll_fn(|cx| {
                ROOT.set(Some(cx.waker().clone()));
                if answers.get() < times { Poll::Pending } else { Poll::Ready(()) }
            }));
        }
    };
    let finish = move || {
        drop(ROOT.take());
        // Not in `run`: the end of the tasks is another operation.
        drop(executor);
        assert_eq!(answers.take(), times);
        at_least(times, polls.take())
    };
    Job { run: Box::new(run), finish: Box::new(finish) }
}

/// Sets up [`ROUND_TRIP`].
pub fn round_trip<E: Executor + Described + 'static>(times: usize) -> Job {
    let executor = E::default();
    let friend = Arc::new(Friend::new());
    let task = executor.spawn(round_trips(friend.clone(), times));
    let run = move || {
        let trips = executor.block_on(task).expect("the task ends");
        assert_eq!(trips, times);
    };
    Job { run: Box::new(run), finish: Box::new(move || at_least(times, friend.polls.take())) }
}
