//! The life of a task: spawned and joined, one at a time and many at once, and aborted.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use executor::{Described, Executor, JoinHandle, yield_now};
use futures::stream::{FuturesUnordered, Stream, StreamExt};
use futures::task::AtomicWaker;

use crate::check::{Check, Tally};
use crate::{Iteration, Needs, Workload};

/// Spawns a task that is ready at its first poll, awaits its handle, and only then spawns the next.
///
/// So each operation also wakes and polls the joining future. A second poll of a finished `async` block would panic;
/// the results show that each had one poll.
pub static SPAWN_JOIN: Workload = Workload {
    id: "spawn_join",
    title: "spawn and join, one at a time",
    operation: "a task spawned, polled to its end and joined before the next one is spawned",
    operations: 100,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: spawn_join_floor,
};

/// Spawns 1,000 tasks that are ready at their first poll, then awaits their handles in the same order.
///
/// The joining future is rarely woken; instead, 1,000 tasks are in memory at once.
pub static SPAWN_JOIN_MANY: Workload = Workload {
    id: "spawn_join_many",
    title: "spawn 1,000, then join all",
    operation: "a task spawned with 999 others, polled to its end and joined",
    operations: 1_000,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: spawn_join_many_floor,
};

/// Like [`SPAWN_JOIN_MANY`], but the root has been pending once before it spawns.
pub static SPAWN_JOIN_MANY_LATER: Workload = Workload {
    id: "spawn_join_many_later",
    title: "spawn 1,000 when the root has been pending, then join all",
    operation: "a task spawned with 999 others, polled to its end and joined, after the root's first poll",
    floor: spawn_join_many_later_floor,
    ..SPAWN_JOIN_MANY
};

/// Spawns 10,000 tasks that are ready at their first poll, after the root has been pending once, and awaits their
/// handles in the order in which they become ready.
///
/// Every handle is polled before its task has ended, and waits with a waker of its own, which the end of the task
/// wakes. So each operation has one wake more than in [`SPAWN_JOIN_MANY`], and the set's share, which is in the floor,
/// too.
pub static SPAWN_JOIN_UNORDERED: Workload = Workload {
    id: "spawn_join_unordered",
    title: "spawn 10,000, then join them in a FuturesUnordered",
    operation: "a task spawned with 9,999 others, polled to its end and joined in a `FuturesUnordered`",
    operations: 10_000,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: spawn_join_unordered_floor,
};

/// Like [`SPAWN_JOIN`], with futures of 64 KiB. The additional cost is to write the future, and to copy it as often as
/// it is moved on its way into the task.
pub static SPAWN_LARGE: Workload = Workload {
    id: "spawn_large",
    title: "spawn and join a future of 64 KiB, one at a time",
    operation: "a task whose future has 64 KiB spawned, polled to its end and joined before the next one is spawned",
    operations: 100,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: spawn_large_floor,
};

/// Makes an executor, spawns 100,000 tasks that wait forever, after the root has been pending once, lets each be
/// polled, and drops the executor with all of them.
///
/// This is the only workload whose timed part makes an executor, because each can be dropped only once: one in 100,000
/// operations. An allocator may take so much memory from the system and give it back, here and in the floor alike.
pub static DROP_WAITING: Workload = Workload {
    id: "drop_waiting",
    title: "spawn 100,000 that wait, then drop the executor",
    operation: "a task spawned, polled once, and dropped with its executor and 99,999 others while it waits",
    operations: 100_000,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: drop_waiting_floor,
};

/// Spawns 100 tasks that wait forever, lets each be polled, aborts all, and waits until their futures are dropped.
///
/// The handles are not awaited, because not every executor wakes the joiner of a cancelled task. The drop of each
/// future is awaited, which no executor may omit. Subtract `spawn_join_many` for the abort alone.
pub static ABORT: Workload = Workload {
    id: "abort",
    title: "spawn 100 that wait, then abort all",
    operation: "a task spawned, polled once, aborted while it waits, and its future dropped",
    operations: 100,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: abort_floor,
};

/// Like [`ABORT`], but the root has been pending once before it spawns.
pub static ABORT_LATER: Workload = Workload {
    id: "abort_later",
    title: "spawn 100 that wait when the root has been pending, then abort all",
    operation: "a task spawned, polled once, aborted while it waits, and its future dropped, after the root's first poll",
    floor: abort_later_floor,
    ..ABORT
};

/// Sets up [`SPAWN_JOIN`].
pub fn spawn_join<E: Executor + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&SPAWN_JOIN);
    let executor = E::default();
    Box::new(move || {
        let sum = executor.block_on(async {
            let mut sum = 0;
            for number in 0..SPAWN_JOIN.operations {
                sum += executor.spawn(async move { black_box(number) }).await.expect("the task ends");
            }
            sum
        });
        check.result(sum, sum_below(SPAWN_JOIN.operations));
        SPAWN_JOIN.operations
    })
}

/// Boxes a future behind a `dyn` pointer, polls it once and frees it: an executor must erase the type of a future and
/// keep it somewhere.
///
/// Most of that is the allocator's work, so a ratio to this floor says less about an executor than it seems to: see
/// [`spawn_join_in_place`].
pub fn spawn_join_floor() -> Iteration {
    let check = Check::floor(&SPAWN_JOIN);
    Box::new(move || {
        let sum = (0..SPAWN_JOIN.operations).map(|number| poll_ready(number_future(number).as_mut())).sum();
        check.result(sum, sum_below(SPAWN_JOIN.operations));
        SPAWN_JOIN.operations
    })
}

/// The same in memory that exists already: writes the future, and polls it once behind a `dyn` pointer. What
/// [`spawn_join_floor`] takes beyond that is `malloc` and `free`.
pub fn spawn_join_in_place() -> Iteration {
    let check = Check::floor(&SPAWN_JOIN);
    Box::new(move || {
        let sum = (0..SPAWN_JOIN.operations).map(|number| poll_in_place(&mut Small(number))).sum();
        check.result(sum, sum_below(SPAWN_JOIN.operations));
        SPAWN_JOIN.operations
    })
}

/// Sets up [`SPAWN_JOIN_MANY`].
pub fn spawn_join_many<E: Executor + Described + 'static>() -> Iteration {
    join_many::<E>(&SPAWN_JOIN_MANY, false)
}

/// Sets up [`SPAWN_JOIN_MANY_LATER`].
pub fn spawn_join_many_later<E: Executor + Described + 'static>() -> Iteration {
    join_many::<E>(&SPAWN_JOIN_MANY_LATER, true)
}

fn join_many<E: Executor + Described + 'static>(workload: &'static Workload, later: bool) -> Iteration {
    let check = Check::contender::<E>(workload);
    let executor = E::default();
    let mut handles = Vec::with_capacity(workload.operations);
    Box::new(move || {
        let sum = executor.block_on(async {
            if later {
                yield_now().await;
            }
            handles.extend((0..workload.operations).map(|number| executor.spawn(async move { black_box(number) })));
            let mut sum = 0;
            for handle in handles.drain(..) {
                sum += handle.await.expect("the task ends");
            }
            sum
        });
        check.result(sum, sum_below(workload.operations));
        workload.operations
    })
}

/// Boxes 1,000 futures, then polls and frees them in the same order.
pub fn spawn_join_many_floor() -> Iteration {
    join_many_by_hand(&SPAWN_JOIN_MANY)
}

/// See [`spawn_join_many_floor`]: by hand there is no root that could be pending.
pub fn spawn_join_many_later_floor() -> Iteration {
    join_many_by_hand(&SPAWN_JOIN_MANY_LATER)
}

fn join_many_by_hand(workload: &'static Workload) -> Iteration {
    let check = Check::floor(workload);
    let mut futures = Vec::with_capacity(workload.operations);
    Box::new(move || {
        futures.extend((0..workload.operations).map(number_future));
        let sum = futures.drain(..).map(|mut future| poll_ready(future.as_mut())).sum();
        check.result(sum, sum_below(workload.operations));
        workload.operations
    })
}

/// Writes 1,000 futures into memory that exists already, then polls them in the same order.
pub(crate) fn spawn_join_many_in_place(workload: &'static Workload) -> Iteration {
    let check = Check::floor(workload);
    let mut futures = Vec::with_capacity(workload.operations);
    Box::new(move || {
        futures.extend((0..workload.operations).map(Small));
        let sum = futures.iter_mut().map(poll_in_place).sum();
        futures.clear();
        check.result(sum, sum_below(workload.operations));
        workload.operations
    })
}

/// Sets up [`SPAWN_JOIN_UNORDERED`].
pub fn spawn_join_unordered<E: Executor + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&SPAWN_JOIN_UNORDERED);
    let executor = E::default();
    Box::new(move || {
        let sum = executor.block_on(async {
            yield_now().await;
            let numbers = 0..SPAWN_JOIN_UNORDERED.operations;
            let mut handles: FuturesUnordered<_> =
                numbers.map(|number| executor.spawn(async move { black_box(number) })).collect();
            let mut sum = 0;
            while let Some(number) = handles.next().await {
                sum += number.expect("the task ends");
            }
            sum
        });
        check.result(sum, sum_below(SPAWN_JOIN_UNORDERED.operations));
        SPAWN_JOIN_UNORDERED.operations
    })
}

/// Boxes 10,000 futures and polls them in the same kind of set, which also allocates.
pub fn spawn_join_unordered_floor() -> Iteration {
    let check = Check::floor(&SPAWN_JOIN_UNORDERED);
    Box::new(move || {
        let futures = (0..SPAWN_JOIN_UNORDERED.operations).map(number_future);
        let mut set = pin!(futures.collect::<FuturesUnordered<_>>());
        let mut cx = Context::from_waker(Waker::noop());
        let mut sum = 0;
        loop {
            match set.as_mut().poll_next(&mut cx) {
                Poll::Ready(Some(number)) => sum += number,
                Poll::Ready(None) => break,
                // The set yields now and then, and wakes itself before it does.
                Poll::Pending => {}
            }
        }
        check.result(sum, sum_below(SPAWN_JOIN_UNORDERED.operations));
        SPAWN_JOIN_UNORDERED.operations
    })
}

/// Sets up [`SPAWN_LARGE`].
pub fn spawn_large<E: Executor + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&SPAWN_LARGE);
    let executor = E::default();
    Box::new(move || {
        let sum = executor.block_on(async {
            let mut sum = 0;
            for number in 0..SPAWN_LARGE.operations {
                sum += executor.spawn(Large::new(number)).await.expect("the task ends");
            }
            sum
        });
        check.result(sum, sum_below(SPAWN_LARGE.operations));
        SPAWN_LARGE.operations
    })
}

/// Boxes such a future behind a `dyn` pointer, polls it once and frees it. It is written into its box and never copied.
pub fn spawn_large_floor() -> Iteration {
    let check = Check::floor(&SPAWN_LARGE);
    Box::new(move || {
        let sum = (0..SPAWN_LARGE.operations).map(|number| poll_ready(Large::boxed(number).as_mut())).sum();
        check.result(sum, sum_below(SPAWN_LARGE.operations));
        SPAWN_LARGE.operations
    })
}

/// Writes such a future into memory that exists already, and polls it once behind a `dyn` pointer.
pub fn spawn_large_in_place() -> Iteration {
    let check = Check::floor(&SPAWN_LARGE);
    Box::new(move || {
        let sum = (0..SPAWN_LARGE.operations).map(|number| poll_in_place(&mut Large::new(number))).sum();
        check.result(sum, sum_below(SPAWN_LARGE.operations));
        SPAWN_LARGE.operations
    })
}

/// Sets up [`DROP_WAITING`].
pub fn drop_waiting<E: Executor + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&DROP_WAITING);
    let ward = Arc::new(Ward::new(&DROP_WAITING));
    Box::new(move || {
        let executor = E::default();
        executor.block_on(async {
            yield_now().await;
            for _ in 0..DROP_WAITING.operations {
                // Dropping the handle detaches.
                drop(executor.spawn(wait_for_ever(&ward)));
            }
            ward.until_all(&ward.begun).await;
        });
        drop(executor);
        ward.check(check)
    })
}

/// Boxes 100,000 such futures, polls each once, and frees them.
pub fn drop_waiting_floor() -> Iteration {
    wait_by_hand(&DROP_WAITING)
}

/// Writes 100,000 such futures into memory that exists already, polls each once, and drops them.
pub(crate) fn drop_waiting_in_place() -> Iteration {
    let check = Check::floor(&DROP_WAITING);
    let ward = Arc::new(Ward::new(&DROP_WAITING));
    let mut futures = Vec::with_capacity(DROP_WAITING.operations);
    Box::new(move || {
        futures.extend((0..DROP_WAITING.operations).map(|_| wait_for_ever(&ward)));
        let mut cx = Context::from_waker(Waker::noop());
        for future in &mut futures {
            assert!(opaque(future).poll(&mut cx).is_pending(), "the future waits forever");
        }
        futures.clear();
        ward.check(check)
    })
}

/// Sets up [`ABORT`].
pub fn abort<E: Executor + Described + 'static>() -> Iteration {
    abort_all::<E>(&ABORT, false)
}

/// Sets up [`ABORT_LATER`].
pub fn abort_later<E: Executor + Described + 'static>() -> Iteration {
    abort_all::<E>(&ABORT_LATER, true)
}

fn abort_all<E: Executor + Described + 'static>(workload: &'static Workload, later: bool) -> Iteration {
    let check = Check::contender::<E>(workload);
    let executor = E::default();
    let ward = Arc::new(Ward::new(workload));
    let mut handles = Vec::with_capacity(workload.operations);
    Box::new(move || {
        executor.block_on(async {
            if later {
                yield_now().await;
            }
            handles.extend((0..workload.operations).map(|_| executor.spawn(wait_for_ever(&ward))));
            ward.until_all(&ward.begun).await;
            handles.iter().for_each(JoinHandle::abort);
            ward.until_all(&ward.dropped).await;
            handles.clear();
        });
        ward.check(check)
    })
}

/// Boxes 100 such futures, polls each once, and frees them.
pub fn abort_floor() -> Iteration {
    wait_by_hand(&ABORT)
}

/// See [`abort_floor`]: by hand there is no root that could be pending.
pub fn abort_later_floor() -> Iteration {
    wait_by_hand(&ABORT_LATER)
}

fn wait_by_hand(workload: &'static Workload) -> Iteration {
    let check = Check::floor(workload);
    let ward = Arc::new(Ward::new(workload));
    let mut futures = Vec::with_capacity(workload.operations);
    Box::new(move || {
        futures.extend(
            (0..workload.operations)
                .map(|_| -> Pin<Box<dyn Future<Output = ()> + Send>> { black_box(Box::pin(wait_for_ever(&ward))) }),
        );
        let mut cx = Context::from_waker(Waker::noop());
        for future in &mut futures {
            assert!(future.as_mut().poll(&mut cx).is_pending(), "the future waits forever");
        }
        futures.clear();
        ward.check(check)
    })
}

/// Counts the futures that wait forever.
#[derive(Debug)]
struct Ward {
    /// How many exist.
    futures: usize,
    /// Polled for the first time.
    begun: Tally,
    polls: Tally,
    dropped: Tally,
    watcher: AtomicWaker,
}

impl Ward {
    fn new(workload: &Workload) -> Self {
        Self {
            futures: workload.operations,
            begun: Tally::default(),
            polls: Tally::default(),
            dropped: Tally::default(),
            watcher: AtomicWaker::new(),
        }
    }

    async fn until_all(&self, tally: &Tally) {
        poll_fn(|cx| {
            self.watcher.register(cx.waker());
            if tally.get() < self.futures { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    fn count(&self, tally: &Tally) {
        if tally.add() == self.futures {
            self.watcher.wake();
        }
    }

    fn check(&self, check: Check) -> usize {
        // Dropped here rather than kept: a waker of this iteration must not disturb the next.
        drop(self.watcher.take());
        check.result(self.begun.take(), self.futures);
        check.result(self.dropped.take(), self.futures);
        check.polls(self.polls.take(), self.futures..=self.futures)
    }
}

fn wait_for_ever(ward: &Arc<Ward>) -> impl Future<Output = ()> + Send + Unpin + use<> {
    struct Patient {
        ward: Arc<Ward>,
        begun: bool,
    }

    impl Drop for Patient {
        fn drop(&mut self) {
            self.ward.count(&self.ward.dropped);
        }
    }

    let mut patient = Patient { ward: ward.clone(), begun: false };
    poll_fn(move |_| {
        let patient = &mut patient;
        patient.ward.polls.add();
        if !patient.begun {
            patient.begun = true;
            patient.ward.count(&patient.ward.begun);
        }
        Poll::Pending
    })
}

/// A future of 64 KiB that is ready at its first poll.
pub(crate) struct Large {
    number: usize,
    _room: [u8; Self::ROOM],
}

impl Large {
    const ROOM: usize = (64 << 10) - size_of::<usize>();

    /// Writes all of it, but not with zeros, which fresh memory holds already.
    #[inline]
    pub(crate) fn new(number: usize) -> Self {
        Self { number, _room: [1; Self::ROOM] }
    }

    pub(crate) fn boxed(number: usize) -> Pin<Box<dyn Future<Output = usize>>> {
        black_box(Box::pin(Self::new(number)))
    }
}

impl Future for Large {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<usize> {
        Poll::Ready(black_box(self.number))
    }
}

/// A future of one word that is ready at its first poll, and may be moved.
pub(crate) struct Small(pub(crate) usize);

impl Future for Small {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<usize> {
        Poll::Ready(black_box(self.0))
    }
}

pub(crate) fn number_future(number: usize) -> Pin<Box<dyn Future<Output = usize>>> {
    black_box(Box::pin(async move { black_box(number) }))
}

pub(crate) fn poll_ready(future: Pin<&mut dyn Future<Output = usize>>) -> usize {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(number) => number,
        Poll::Pending => panic!("the future is ready at its first poll"),
    }
}

pub(crate) fn poll_in_place<F: Future<Output = usize> + Unpin>(future: &mut F) -> usize {
    poll_ready(opaque(future))
}

/// Hides from the compiler which future this is.
fn opaque<F: Future + Unpin>(future: &mut F) -> Pin<&mut dyn Future<Output = F::Output>> {
    let pinned: Pin<&mut F> = Pin::new(future);
    let opaque: Pin<&mut dyn Future<Output = F::Output>> = pinned;
    black_box(opaque)
}

pub(crate) fn sum_below(number: usize) -> usize {
    number * (number - 1) / 2
}
