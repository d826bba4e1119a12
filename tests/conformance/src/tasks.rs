//! T: what a task goes through.

use std::cell::Cell;
use std::fmt;
use std::marker::{PhantomData, PhantomPinned};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;

use executor::{AbortHandle, BlockOn, Described, Executor, JoinError, JoinHandle, RemoteSpawn, Spawn, yield_now};

use crate::clause::clause;
use crate::probe::{
    DropCount, Gate, Hook, Log, WakeCount, case, hooked_waker, on_another_thread, poll_once, quiet_panic, wait_for,
    waker_fn,
};
use crate::{Allocations, Outcome};

/// What every task of a [`Subject`] returns.
const VALUE: u32 = 7;

/// What every task of a [`Subject`] panics with.
const PAYLOAD: &str = "in poll";

/// Lets `count` turns pass. In each, everything that is ready is polled.
async fn turns(count: usize) {
    for _ in 0..count {
        yield_now().await;
    }
}

/// Drives the executor until everything that is ready was polled, and what that made ready, too.
fn settle<E: Executor>(executor: &E) {
    executor.block_on(turns(16));
}

/// Fails unless the executor still runs tasks to their end, to `block_on`'s and to `run`'s.
fn assert_usable<E: Executor>(executor: &E) {
    let log = Log::new();
    let task = executor.spawn(log.future(|poll, cx| {
        cx.waker().wake_by_ref();
        if poll < 3 { Poll::Pending } else { Poll::Ready(poll) }
    }));
    assert!(executor.block_on(task).is_ok_and(|polls| polls >= 3), "another task runs no more");
    log.assert_sound();
}

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Returns,
    Panics,
    Aborted,
    ExecutorDropped,
}

/// All ends that an executor survives in good order, and its own.
fn ends<E: BlockOn + Described>() -> impl Iterator<Item = End> {
    [End::Returns, End::Panics, End::Aborted, End::ExecutorDropped]
        .into_iter()
        .filter(|&end| end != End::Panics || E::CAPABILITIES.catches_panics)
}

/// Where a subject's handle is. Its own future can reach it.
type Slot<E> = Arc<Mutex<Option<<E as Spawn>::JoinHandle<u32>>>>;

/// A task, alone on its executor, that is pending until the test makes it end.
struct Subject<E: Executor + Described + 'static> {
    executor: Option<E>,
    end: End,
    log: Arc<Log>,
    slot: Slot<E>,
    go: Arc<Gate>,
}

impl<E: Executor + Described + 'static> Subject<E> {
    /// Spawns the task.
    fn spawn(end: End) -> Self {
        Self::acting(end, |_| {}, || {})
    }

    /// Spawns a task that acts in every poll, before it may end, and in its drop.
    fn acting(
        end: End,
        mut in_poll: impl FnMut(&mut Context<'_>) + Unpin + Send + 'static,
        in_drop: impl FnOnce() + Send + 'static,
    ) -> Self {
        let (executor, log, go) = (E::default(), Log::new(), Gate::new());
        let going = go.clone();
        let task = executor.spawn(
            log.future(move |_, cx| {
                in_poll(cx);
                match end {
                    _ if !going.is_open() => Poll::Pending,
                    End::Panics => quiet_panic(PAYLOAD),
                    _ => Poll::Ready(VALUE),
                }
            })
            .on_drop(in_drop),
        );
        Self { executor: Some(executor), end, log, slot: Arc::new(Mutex::new(Some(task))), go }
    }

    fn executor(&self) -> &E {
        self.executor.as_ref().expect("the executor was not dropped yet")
    }

    fn settle(&self) {
        settle(self.executor());
    }

    /// Of the task whose handle was not taken.
    fn abort_handle(&self) -> E::AbortHandle {
        let slot = self.slot.lock().unwrap();
        slot.as_ref().expect("the handle was not dropped yet").abort_handle()
    }

    fn take_task(&self) -> E::JoinHandle<u32> {
        self.slot.lock().unwrap().take().expect("the handle was not dropped yet")
    }

    /// Ends the task. It was polled before, so that it left a waker.
    fn end(&mut self) {
        match self.end {
            End::Returns | End::Panics => {
                self.go.open();
                if let Some(waker) = self.log.take_waker() {
                    waker.wake();
                }
            }
            End::Aborted => {
                let task = self.slot.lock().unwrap().take();
                if let Some(task) = task {
                    task.abort();
                    *self.slot.lock().unwrap() = Some(task);
                }
            }
            End::ExecutorDropped => drop(self.executor.take()),
        }
        if self.executor.is_some() {
            self.settle();
        }
    }

    fn assert_ended(&self) {
        self.log.assert_sound();
        assert_eq!(self.log.drops(), 1, "the future was not dropped once at its end");
        assert_eq!(
            self.log.dropped_on(),
            Some(thread::current().id()),
            "it was dropped by a thread that does not drive"
        );
    }
}

/// Fails unless a handle reports the end that its task had.
fn assert_reports(end: End, result: Result<u32, JoinError>) {
    match (end, result) {
        (End::Returns, Ok(VALUE)) => {}
        (End::Panics, Err(JoinError::Panicked(payload))) => {
            assert_eq!(payload.into_inner().downcast_ref(), Some(&PAYLOAD), "the handle lost the panic's payload");
        }
        (End::Aborted | End::ExecutorDropped, Err(JoinError::Cancelled)) => {}
        (end, result) => panic!("the end was {end:?} and the handle reports {result:?}"),
    }
}

clause! {
    "T1" Std "A task is never polled by two threads at once, however many threads wake it."
    guards "nginx/ngx-rust#294: a wake that ran the task inline."
    pub fn t01_a_task_is_polled_by_one_thread_at_a_time<E: Executor>() -> Outcome {
        const POLLS: usize = 200;
        let executor = E::default();
        let log = Log::new();
        let task = executor.spawn(log.future(|poll, cx| {
            cx.waker().wake_by_ref();
            linger(poll);
            if poll < POLLS { Poll::Pending } else { Poll::Ready(poll) }
        }));
        settle(&executor);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| while log.drops() == 0 {
                    log.waker().wake();
                    thread::yield_now();
                });
            }
            assert_eq!(executor.block_on(task).ok(), Some(POLLS));
        });
        log.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "T1d" Std "A task is never polled by two threads at once, with two threads inside `block_on` or `run`."
    guards "nothing known: the clause behind `Pin<&mut Self>`, where a lock or a bit has to keep it."
    pub fn t01d_two_drivers_poll_no_task_at_once<E: RemoteSpawn>() -> Outcome {
        if !E::CAPABILITIES.concurrent_drivers {
            return show_that_drivers_exclude_each_other::<E>();
        }
        for stays in [false, true] {
            case(format_args!("one comes and goes, the other {}", if stays { "stays" } else { "too" }), || {
                poll_with_two_drivers::<E>(stays);
            });
        }
        Outcome::Pass
    }
}

/// Stays inside a poll for as long as others need to come by, and now and then for as long as they need to get going.
fn linger(poll: usize) {
    (0..50).for_each(|_| std::hint::spin_loop());
    if poll % 16 == 0 {
        thread::yield_now();
    }
}

fn poll_with_two_drivers<E: RemoteSpawn + Described>(stays: bool) {
    const POLLS: usize = 100;
    let executor = E::default();
    let logs = [(); 4].map(|()| Log::new());
    for log in &logs {
        drop(executor.spawn(log.future(|poll, cx| {
            cx.waker().wake_by_ref();
            linger(poll);
            if poll < POLLS { Poll::Pending } else { Poll::Ready(()) }
        })));
    }
    let left = || logs.iter().any(|log| log.drops() == 0);
    let come_and_go = || {
        while left() {
            executor.block_on(turns(3));
        }
    };
    thread::scope(|scope| {
        scope.spawn(come_and_go);
        scope.spawn(|| {
            while left() {
                logs.iter().filter(|log| log.polls() > 0).for_each(|log| log.waker().wake());
                thread::yield_now();
            }
        });
        if !stays {
            come_and_go();
        }
        executor.run();
    });
    for log in &logs {
        log.assert_sound();
        assert_eq!((log.polls(), log.drops()), (POLLS, 1), "polls and drops");
    }
}

fn show_that_drivers_exclude_each_other<E: RemoteSpawn + Described>() -> Outcome {
    let executor = E::default();
    let (entered, tried, inside) = (Gate::new(), Gate::new(), AtomicBool::new(true));
    let second = thread::scope(|scope| {
        let second = scope.spawn(|| {
            entered.wait("the first thread's `block_on`");
            let second = catch_unwind(AssertUnwindSafe(|| executor.block_on(async { inside.load(SeqCst) })));
            tried.open();
            second
        });
        executor.block_on(async {
            entered.open();
            // The second thread may have to wait until this one leaves.
            for _ in 0..10_000 {
                if tried.is_open() {
                    break;
                }
                yield_now().await;
                thread::yield_now();
            }
            inside.store(false, SeqCst);
        });
        second.join().expect("panics are caught inside")
    });
    assert!(!second.is_ok_and(|both| both), "says that two threads cannot drive, yet both were inside `block_on`");
    Outcome::NotApplicable { capability: "concurrent_drivers", why: "a second thread cannot enter `block_on`" }
}

clause! {
    "T2" House "A task is queued at most once: any number of wakes before a poll lead to one poll."
    guards "ros2_rust#669, embassy#3573 and compio#856: a task that was in the queue twice."
    pub fn t02_a_task_is_queued_at_most_once<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, done) = (Log::new(), Gate::new());
        let task = executor.spawn(log.future({
            let done = done.clone();
            move |poll, cx| {
                // In the second poll and in the last.
                if poll == 2 || done.is_open() {
                    wake_from_everywhere(cx.waker());
                }
                if done.is_open() { Poll::Ready(()) } else { Poll::Pending }
            }
        }));
        settle(&executor);
        if !E::CAPABILITIES.polls_only_woken {
            let before = log.polls();
            settle(&executor);
            assert!(log.polls() > before, "says that it polls what nobody woke, and did not");
            return Outcome::NotApplicable { capability: "polls_only_woken", why: "a task that nobody woke was polled" };
        }
        assert_eq!(log.polls(), 1, "polls without a wake");
        wake_from_everywhere(&log.waker());
        settle(&executor);
        assert_eq!(log.polls(), 3, "polls: the first, one for all wakes while idle, one for all wakes during that one");
        done.open();
        wake_from_everywhere(&log.waker());
        assert!(executor.block_on(task).is_ok());
        settle(&executor);
        assert_eq!(log.polls(), 4, "polls after the last, during which it was woken");
        log.assert_sound();
        assert_usable(&executor);
        Outcome::Pass
    }
}

/// Wakes a task many times, from this thread and from others at once.
fn wake_from_everywhere(waker: &Waker) {
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..20).for_each(|_| waker.wake_by_ref()));
        }
        waker.wake_by_ref();
    });
}

clause! {
    "T3" Std "A future is never polled after it was ready, after it panicked, or after its cancellation took effect."
    guards "awslabs/shuttle#12 and embassy#3622: a stale waker brought a finished task back."
    pub fn t03_a_future_is_not_polled_after_its_end<E: Executor>() -> Outcome {
        for end in ends::<E>() {
            for wakes_itself in [false, true] {
                case(format_args!("{end:?}, wakes itself: {wakes_itself}"), || {
                    let in_poll = move |cx: &mut Context<'_>| if wakes_itself { cx.waker().wake_by_ref() };
                    let mut subject = Subject::<E>::acting(end, in_poll, || {});
                    subject.settle();
                    let (polls, waker) = (subject.log.polls(), subject.log.waker());
                    subject.end();
                    let last = if matches!(end, End::Returns | End::Panics) { polls + 1 } else { polls };
                    assert_eq!(subject.log.polls(), last, "polls at the end");
                    let clone = waker.clone();
                    clone.wake_by_ref();
                    clone.wake();
                    on_another_thread(move || waker.wake());
                    if let Some(executor) = &subject.executor {
                        settle(executor);
                        assert_usable(executor);
                    }
                    assert_eq!(subject.log.polls(), last, "polls after the end");
                    subject.assert_ended();
                });
            }
        }
        Outcome::Pass
    }
}

clause! {
    "T4" Std "A future stays where it was first polled, and is dropped there."
    guards "what `Pin` is for; futures tests it as `futures_not_moved_after_poll`."
    pub fn t04_a_future_stays_where_it_was_first_polled<E: Executor>() -> Outcome {
        for end in ends::<E>() {
            case(format_args!("{end:?}"), || {
                let (moved, dropped) = (Arc::new(AtomicBool::new(false)), Gate::new());
                let (log, done) = (Log::new(), Gate::new());
                let executor = E::default();
                let watched = StaysPut {
                    address: AtomicUsize::new(0),
                    moved: moved.clone(),
                    dropped: dropped.clone(),
                    log: log.clone(),
                    done: (end, done.clone()),
                    _pinned: PhantomPinned,
                };
                let task = executor.spawn(watched);
                settle(&executor);
                // What could make it move: other tasks come and go, and the executor itself moves.
                let others: Vec<_> = (0..200).map(|_| executor.spawn(turns(2))).collect();
                let executor = Box::new(executor);
                others.into_iter().for_each(|other| assert!(executor.block_on(other).is_ok(), "another task"));
                let waker = log.waker();
                match end {
                    End::Returns | End::Panics => done.open(),
                    End::Aborted => task.abort(),
                    End::ExecutorDropped => {}
                }
                waker.wake();
                if end != End::ExecutorDropped {
                    settle(&*executor);
                    assert!(dropped.is_open(), "the future was not dropped at its end");
                }
                drop(executor);
                assert!(dropped.is_open(), "the future was not dropped with the executor");
                assert!(!moved.load(SeqCst), "the future was moved between its first poll and its drop");
            });
        }
        Outcome::Pass
    }
}

/// Notices when it is moved between its first poll and its drop. Too large for a small-size optimisation.
struct StaysPut {
    address: AtomicUsize,
    moved: Arc<AtomicBool>,
    dropped: Arc<Gate>,
    log: Arc<Log>,
    done: (End, Arc<Gate>),
    _pinned: PhantomPinned,
}

impl StaysPut {
    fn look(&self) {
        let here = ptr::from_ref(self).addr();
        let known = self.address.swap(here, SeqCst);
        if known != 0 && known != here {
            self.moved.store(true, SeqCst);
        }
    }
}

impl Future for StaysPut {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.look();
        self.log.keep_waker(cx.waker());
        match &self.done {
            (_, done) if !done.is_open() => Poll::Pending,
            (End::Panics, _) => quiet_panic(PAYLOAD),
            _ => Poll::Ready(()),
        }
    }
}

impl Drop for StaysPut {
    fn drop(&mut self) {
        self.look();
        self.dropped.open();
    }
}

clause! {
    "T5" House "A future is dropped exactly once, at its completion, and only then does the handle report it."
    guards "async-task before 2.1.0 and rust-lang/futures-rs#1401: a result that arrived before its future was gone."
    pub fn t05_a_future_is_dropped_before_the_handle_reports<E: Executor>() -> Outcome {
        for end in ends::<E>().filter(|end| matches!(end, End::Returns | End::Panics)) {
            case(format_args!("{end:?}, the join waker looks"), || {
                let mut subject = Subject::<E>::spawn(end);
                subject.settle();
                let seen = Arc::new(Mutex::new(Vec::new()));
                let waker = waker_fn({
                    let (seen, log, slot) = (seen.clone(), subject.log.clone(), subject.slot.clone());
                    move || {
                        let finished = slot.lock().unwrap().as_ref().is_some_and(JoinHandle::is_finished);
                        seen.lock().unwrap().push((log.drops(), finished));
                    }
                });
                let mut task = subject.take_task();
                assert!(poll_once(&mut task, &waker).is_pending());
                *subject.slot.lock().unwrap() = Some(task);
                subject.end();
                assert_eq!(seen.lock().unwrap().first(), Some(&(1, true)), "drops and `is_finished` when it was woken");
                subject.assert_ended();
                let Poll::Ready(result) = poll_once(&mut subject.take_task(), &waker) else {
                    panic!("the handle does not report the end that it woke for")
                };
                assert_reports(end, result);
            });
            case(format_args!("{end:?}, the future's drop looks"), || {
                let early = Arc::new(Mutex::new(None));
                let (handle, looking) = (Slot::<E>::default(), early.clone());
                let mut subject = Subject::<E>::acting(end, |_| {}, {
                    let handle = handle.clone();
                    move || *looking.lock().unwrap() = handle.lock().unwrap().as_ref().map(JoinHandle::is_finished)
                });
                *handle.lock().unwrap() = Some(subject.take_task());
                subject.settle();
                subject.end();
                subject.assert_ended();
                assert_eq!(*early.lock().unwrap(), Some(false), "`is_finished` while the future was being dropped");
            });
            case(format_args!("{end:?}, the awaiter looks"), || {
                let subject = Subject::<E>::spawn(end);
                subject.go.open();
                let task = subject.take_task();
                let (result, drops) = subject.executor().block_on(async { (task.await, subject.log.drops()) });
                assert_reports(end, result);
                assert_eq!(drops, 1, "drops of the future when its result arrived");
                subject.assert_ended();
            });
        }
        Outcome::Pass
    }
}

/// What becomes of a join handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Awaited,
    AwaitedElsewhere,
    DroppedBefore,
    DroppedBeforeElsewhere,
    DroppedInPoll,
    DroppedInPollElsewhere,
    DroppedAfter,
    DroppedAfterElsewhere,
}

clause! {
    "T6" House "A result is delivered or dropped, once; one that nobody will take is dropped at completion, where it is made."
    guards "what tokio tests as `task_combinations` and async-task as `ready.rs`."
    pub fn t06_a_result_is_delivered_or_dropped_once<E: Executor>() -> Outcome {
        use Fate::*;
        for panics in [false, true].into_iter().filter(|panics| !panics || E::CAPABILITIES.catches_panics) {
            for fate in [
                Awaited,
                AwaitedElsewhere,
                DroppedBefore,
                DroppedBeforeElsewhere,
                DroppedInPoll,
                DroppedInPollElsewhere,
                DroppedAfter,
                DroppedAfterElsewhere,
            ] {
                let result = if panics { "payload" } else { "value" };
                case(format_args!("{result}, handle {fate:?}"), || follow_result::<E>(fate, panics));
            }
        }
        Outcome::Pass
    }
}

fn follow_result<E: Executor + Described + 'static>(fate: Fate, panics: bool) {
    let executor = E::default();
    let (log, result) = (Log::new(), Log::new());
    let slot = Arc::new(Mutex::new(None::<E::JoinHandle<DropCount>>));
    let task = executor.spawn(log.future({
        let (result, slot) = (result.clone(), slot.clone());
        move |poll, cx| {
            if poll == 1 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let handle = slot.lock().unwrap().take();
            match fate {
                Fate::DroppedInPollElsewhere => on_another_thread(|| drop(handle)),
                _ => drop(handle),
            }
            let result = DropCount::new(&result);
            if panics { quiet_panic(result) } else { Poll::Ready(result) }
        }
    }));
    let is_delivered = |outcome: &Result<DropCount, JoinError>| match outcome {
        Ok(_) => !panics,
        Err(JoinError::Panicked(payload)) => panics && payload.is::<DropCount>(),
        Err(JoinError::Cancelled) => false,
    };
    let here = thread::current().id();
    let mut task = Some(task);
    match fate {
        Fate::Awaited | Fate::AwaitedElsewhere => {}
        Fate::DroppedBefore => task = None,
        Fate::DroppedBeforeElsewhere => on_another_thread({
            let task = task.take();
            || drop(task)
        }),
        Fate::DroppedInPoll | Fate::DroppedInPollElsewhere => *slot.lock().unwrap() = task.take(),
        Fate::DroppedAfter | Fate::DroppedAfterElsewhere => {}
    }
    if fate == Fate::Awaited {
        let outcome = executor.block_on(task.take().expect("not dropped"));
        assert!(is_delivered(&outcome), "the handle reports something else");
        assert_eq!(result.drops(), 0, "drops of the result that was delivered");
        drop(outcome);
    }
    settle(&executor);
    assert_eq!(log.drops(), 1, "the task did not complete");
    // The executor, a waker of the task and, in some cases, its handle are still there.
    let waker = log.waker();
    let Some(mut task) = task else {
        assert_eq!(result.drops(), 1, "drops of the result");
        assert_eq!(result.dropped_on(), Some(here), "the result was dropped on another thread than it was made");
        drop((executor, waker));
        assert_eq!(result.drops(), 1, "drops of the result, with the executor gone");
        return;
    };
    assert_eq!(result.drops(), 0, "drops of the result that the handle still owns");
    match fate {
        Fate::AwaitedElsewhere => on_another_thread(move || {
            let outcome = wait_for(&mut task, "the end of a finished task");
            assert!(matches!(outcome, Ok(_) | Err(JoinError::Panicked(_))), "the handle reports something else");
        }),
        Fate::DroppedAfterElsewhere => on_another_thread(|| drop(task)),
        _ => drop(task),
    }
    assert_eq!(result.drops(), 1, "drops of the result, with the handle gone");
    drop((executor, waker));
    assert_eq!(result.drops(), 1, "drops of the result, with everything gone");
    log.assert_sound();
}

/// What keeps a task's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeper {
    Executor,
    Waker,
    Handle,
}

clause! {
    "T7" House "A task's memory is freed once, after the last of queue entry, wakers and handle; its future goes before."
    guards "unicycle#30 and tokio-rs/tokio#4724: counts that missed a reference, and a future kept by its own waker."
    pub fn t07_a_task_is_freed_after_its_last_reference<E: Executor>() -> Outcome {
        use Keeper::*;
        for order in [
            [Executor, Waker, Handle],
            [Executor, Handle, Waker],
            [Waker, Executor, Handle],
            [Waker, Handle, Executor],
            [Handle, Executor, Waker],
            [Handle, Waker, Executor],
        ] {
            for completes in [true, false] {
                case(format_args!("completes: {completes}, dropped in the order {order:?}"), || {
                    assert_balanced(|| drop_in_order::<E>(order, completes));
                });
            }
        }
        case("many tasks on one executor, each with its own waker inside", finished_tasks_leave_nothing::<E>);
        if !Allocations::are_counted() {
            return Outcome::Vacuous("this program does not count allocations; the futures were dropped");
        }
        Outcome::Pass
    }
}

/// Fails if `action` leaves memory behind, other than what it needed the first time.
fn assert_balanced(action: impl Fn()) {
    action();
    let before = Allocations::now();
    action();
    let after = Allocations::now();
    assert_eq!(after.blocks - before.blocks, 0, "blocks that were not freed");
    assert_eq!(after.bytes - before.bytes, 0, "bytes that were not freed");
}

fn drop_in_order<E: Executor + Described + 'static>(order: [Keeper; 3], completes: bool) {
    let executor = E::default();
    let log = Log::new();
    let own_waker = Cell::new(None);
    let task = executor.spawn(log.future(move |_, cx| {
        own_waker.set(Some(cx.waker().clone()));
        if completes { Poll::Ready(VALUE) } else { Poll::Pending }
    }));
    settle(&executor);
    assert_eq!(log.drops(), usize::from(completes), "drops of a future that holds its own waker");
    let (mut executor, mut waker, mut task) = (Some(executor), log.take_waker(), Some(task));
    for keeper in order {
        match keeper {
            Keeper::Executor => executor = None,
            Keeper::Waker => waker = None,
            Keeper::Handle => task = None,
        }
        // What is left must still be there to be used: a sanitizer looks on.
        if let Some(waker) = &waker {
            let clone = waker.clone();
            clone.wake();
        }
        if let Some(task) = &task {
            let finished = task.is_finished();
            assert!(
                finished || executor.is_some(),
                "the handle of a task whose future is gone says it is not finished"
            );
        }
        assert!(executor.is_some() || log.drops() == 1, "the future is still there, and its executor is gone");
    }
    log.assert_sound();
}

fn finished_tasks_leave_nothing<E: Executor + Described + 'static>() {
    const TASKS: usize = 256;
    let executor = E::default();
    let round = || {
        let logs: Vec<_> = (0..TASKS).map(|_| Log::new()).collect();
        for log in &logs {
            let own_waker = Cell::new(None);
            drop(executor.spawn(log.future(move |poll, cx| {
                own_waker.set(Some(cx.waker().clone()));
                cx.waker().wake_by_ref();
                if poll == 1 { Poll::Pending } else { Poll::Ready(()) }
            })));
        }
        executor.run();
        assert!(logs.iter().all(|log| log.drops() == 1), "a future that holds its own waker was not dropped");
    };
    round();
    round();
    let before = Allocations::now();
    round();
    // A queue may have got a block more or less.
    let left = Allocations::now().blocks - before.blocks;
    assert!(left < 32, "{left} blocks are left of {TASKS} finished tasks");
}

clause! {
    "T7b" House "A task that has ended and been joined leaves no memory behind, also where its executor never comes to rest."
    guards "what a task leaves is let go of before the sleep only, or when `block_on` returns: an executor that is busy grows."
    pub fn t07b_ended_tasks_leave_nothing_in_a_busy_executor<E: Executor>() -> Outcome {
        const TASKS: isize = 100_000;
        if !Allocations::are_counted() {
            return Outcome::Vacuous("this program does not count allocations");
        }
        let executor = E::default();
        let join = async |tasks| {
            for _ in 0..tasks {
                assert!(executor.spawn(async {}).await.is_ok());
            }
        };
        let grown = executor.block_on(async {
            join(1_000).await;
            let before = Allocations::now().bytes;
            join(TASKS).await;
            Allocations::now().bytes - before
        });
        // A queue may have got a block more or less.
        assert!(grown < TASKS, "{TASKS} tasks that have ended left {grown} bytes");
        let busy = executor.block_on(async {
            let handles: Vec<_> = (0..TASKS).map(|_| executor.spawn(async {})).collect();
            for handle in handles {
                assert!(handle.await.is_ok());
            }
            // From here on nothing is ready but the root.
            for _ in 0..3 {
                yield_now().await;
            }
            Allocations::now().bytes
        });
        let kept = busy - Allocations::now().bytes;
        // A queue may keep the room that it had for them.
        let room = 48 * TASKS;
        assert!(kept < room, "of {TASKS} tasks that have ended, {kept} bytes were left while the root was busy");
        Outcome::Pass
    }
}

clause! {
    "T8" House "A pending future that only its own waker knows is dropped with the executor."
    guards "tokio's loom_local.rs and tokio-rs/tokio#3978: a cycle that nobody breaks."
    pub fn t08_a_cycle_through_a_waker_is_dropped_with_the_executor<E: Executor>() -> Outcome {
        for tasks in [1, 3] {
            case(format_args!("a ring of {tasks}"), || assert_balanced(|| drop_ring::<E>(tasks)));
        }
        Outcome::Pass
    }
}

/// Drops an executor with tasks of which each holds the next one's waker, and nobody else any.
fn drop_ring<E: Executor + Described + 'static>(tasks: usize) {
    let executor = E::default();
    let logs: Vec<_> = (0..tasks).map(|_| Log::new()).collect();
    let wakers: Vec<_> = (0..tasks).map(|_| Arc::new(Mutex::new(None))).collect();
    for (index, log) in logs.iter().enumerate() {
        let (before, own) = (wakers[(index + tasks - 1) % tasks].clone(), wakers[index].clone());
        drop(executor.spawn(log.future(move |_, cx| {
            // The slot is shared with the future before this one, and dropped with the two.
            let replaced = before.lock().unwrap().replace(cx.waker().clone());
            drop((replaced, own.lock()));
            Poll::<()>::Pending
        })));
    }
    drop(wakers);
    settle(&executor);
    logs.iter().for_each(|log| log.forget_waker());
    assert!(logs.iter().all(|log| log.polls() > 0 && log.drops() == 0), "a detached task is polled, and kept");
    drop(executor);
    for log in &logs {
        assert_eq!(log.drops(), 1, "drops of a future whose executor is gone");
        assert_eq!(log.dropped_on(), Some(thread::current().id()), "dropped by another thread than its executor");
        log.assert_sound();
    }
}

clause! {
    "T9" House "The latest waker that a join handle was polled with is woken when the task ends, and no waker is kept longer."
    guards "tokio-rs/tokio#2087, #4724, #6505 and #6986, compio#850: join wakers that were lost, or never dropped."
    pub fn t09_the_latest_join_waker_is_woken_at_the_end<E: Executor>() -> Outcome {
        for end in ends::<E>() {
            case(format_args!("{end:?}"), || wake_joiner::<E>(end));
        }
        case("handle dropped while the task is pending", || {
            let (mut subject, count) = drop_polled_handle::<E>();
            let task_waker = subject.log.waker();
            subject.end();
            assert_eq!(Arc::strong_count(&count), 1, "the join waker outlives task and handle, kept by a waker of the task");
            drop(task_waker);
        });
        case("handle moved to another awaiter", || {
            let mut subject = Subject::<E>::spawn(End::Returns);
            subject.settle();
            let (executor, mut task) = (subject.executor(), subject.take_task());
            assert!(poll_once(&mut task, Waker::noop()).is_pending());
            let (log, go) = (subject.log.clone(), subject.go.clone());
            let result = executor.block_on(async {
                assert!(poll_once(&mut task, Waker::noop()).is_pending());
                let joined = std::future::poll_fn(|cx| poll_once(&mut task, cx.waker()));
                let mut joined = std::pin::pin!(joined);
                let first = std::future::poll_fn(|cx| Poll::Ready(joined.as_mut().poll(cx)));
                assert!(first.await.is_pending());
                go.open();
                log.waker().wake();
                joined.await
            });
            assert_reports(End::Returns, result);
            subject.executor = None;
            subject.assert_ended();
        });
        Outcome::Pass
    }
}

fn wake_joiner<E: Executor + Described + 'static>(end: End) {
    let mut subject = Subject::<E>::spawn(end);
    subject.settle();
    let task_waker = subject.log.waker();
    let mut task = subject.take_task();
    let (replaced, first) = WakeCount::new();
    let (count, latest) = WakeCount::new();
    for waker in [&first, &latest, &latest] {
        assert!(poll_once(&mut task, waker).is_pending());
    }
    drop((first, latest));
    assert_eq!(Arc::strong_count(&replaced), 1, "the join waker that was replaced was not dropped");
    subject.settle();
    assert_eq!(count.wakes(), 0, "wakes before the end");
    *subject.slot.lock().unwrap() = Some(task);
    subject.end();
    assert!(count.wakes() > 0, "the latest join waker was not woken");
    assert_eq!(replaced.wakes(), 0, "a join waker that was replaced was woken");
    drop(subject.take_task());
    assert_eq!(Arc::strong_count(&count), 1, "the join waker outlives task and handle, kept by a waker of the task");
    drop(task_waker);
    subject.assert_ended();
}

clause! {
    "T9r" House "A join waker that is registered while the task completes is woken."
    guards "tokio-rs/tokio#2087 and #2096: a waker set blindly after the task had looked for one."
    pub fn t09r_registering_a_join_waker_races_completion<E: Executor>() -> Outcome {
        let executor = E::default();
        let started = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = (0..4_000)
            .map(|index| {
                let started = started.clone();
                executor.spawn(async move {
                    while !started.load(SeqCst) {
                        thread::yield_now();
                    }
                    // Long enough for the other thread to be there, which then polls all the time: the end comes at
                    // different moments of a poll.
                    (0..50 + index % 16).for_each(|_| std::hint::spin_loop());
                })
            })
            .collect();
        let joiner = thread::spawn(move || {
            started.store(true, SeqCst);
            tasks.into_iter().for_each(poll_until_finished);
        });
        executor.run();
        assert!(joiner.join().is_ok(), "a join waker was lost");
        Outcome::Pass
    }
}

/// Registers one of two wakers after the other until the task has finished. Where the last poll did not say so, its
/// waker must be woken.
fn poll_until_finished(mut task: impl JoinHandle<()>) {
    let wakers = [Gate::new(), Gate::new()].map(|woken| (Waker::from(woken.clone()), woken));
    for (waker, woken) in wakers.iter().cycle() {
        if poll_once(&mut task, waker).is_ready() {
            return;
        }
        if task.is_finished() {
            return woken.wait("the join waker that was registered last, while the task completed");
        }
    }
}

clause! {
    "T9a" House "A join waker may drive the executor when it is cloned or dropped; then and when it is woken it may spawn and abort."
    guards "foreign code under a lock: what it does with the executor waits for that lock. tokio-rs/tokio#3689 is a relative."
    pub fn t09a_a_join_waker_may_use_the_executor<E: Executor>() -> Outcome {
        use Moment::*;
        for (moment, drives) in [
            (Cloned, false),
            (Cloned, true),
            (Replaced, false),
            (Replaced, true),
            (Left, false),
            (Left, true),
            (Woken, false),
        ] {
            case(format_args!("{moment:?}, drives: {drives}"), || act_in_join_waker::<E>(moment, drives));
        }
        Outcome::Pass
    }
}

/// When a join waker acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Cloned,
    /// The handle is polled with another.
    Replaced,
    /// The handle is dropped.
    Left,
    Woken,
}

/// What a join waker does, once.
type Act = Box<dyn FnOnce()>;

fn act_in_join_waker<E: Executor + Described + 'static>(moment: Moment, drives: bool) {
    thread_local! {
        static ACT: Cell<Option<(Hook, Act)>> = const { Cell::new(None) };
    }
    let executor = Rc::new(E::default());
    let (go, log, aborted, new) = (Gate::new(), Log::new(), Log::new(), Log::new());
    let opened = go.clone();
    let mut task =
        executor.spawn(log.future(move |_, _| if opened.is_open() { Poll::Ready(VALUE) } else { Poll::Pending }));
    let victim = executor.spawn(aborted.pending());
    settle(&*executor);
    let waker = hooked_waker(|done| match ACT.take() {
        Some((hook, act)) if hook == done => act(),
        other => ACT.set(other),
    });
    let end = {
        let (executor, go, log) = (executor.clone(), go.clone(), log.clone());
        move || {
            go.open();
            log.waker().wake();
            settle(&*executor);
        }
    };
    let act = {
        let (executor, new, end) = (executor.clone(), new.clone(), end.clone());
        move || {
            victim.abort();
            drop(executor.spawn(new.future(|_, _| Poll::Ready(()))));
            if drives {
                end();
            }
        }
    };
    let act_at = |hook| ACT.set(Some((hook, Box::new(act))));

    if moment != Moment::Cloned {
        assert!(poll_once(&mut task, &waker).is_pending());
    }
    let mut task = Some(task);
    match moment {
        Moment::Cloned => {
            act_at(Hook::Clone);
            // Ready, if it has ended meanwhile.
            task = task.and_then(|mut task| poll_once(&mut task, &waker).is_pending().then_some(task));
        }
        Moment::Replaced => {
            act_at(Hook::Drop);
            task = task.and_then(|mut task| poll_once(&mut task, Waker::noop()).is_pending().then_some(task));
        }
        Moment::Left => {
            act_at(Hook::Drop);
            task = None;
        }
        Moment::Woken => act_at(Hook::Wake),
    }
    if moment != Moment::Woken {
        // One that is kept longer, which is for T9 and T9k to say, does nothing.
        drop(ACT.take());
    }
    end();
    assert_eq!(log.drops(), 1, "drops of the task's future");
    settle(&*executor);
    assert!(ACT.take().is_none(), "the join waker was not woken");
    if let Some(mut task) = task {
        assert!(matches!(poll_once(&mut task, Waker::noop()), Poll::Ready(Ok(VALUE))), "the handle has no result");
    }
    [&log, &aborted, &new].into_iter().for_each(|log| log.assert_sound());
    assert_usable(&*executor);
}

clause! {
    "T9k" Quality "A join waker is dropped with its handle, and not kept until the task ends."
    guards "tokio-rs/tokio#6505 and #6986: a waker, and all that it keeps, for as long as a detached task runs."
    pub fn t09k_a_join_waker_is_dropped_with_its_handle<E: Executor>() -> Outcome {
        let (subject, count) = drop_polled_handle::<E>();
        assert_eq!(Arc::strong_count(&count), 1, "the join waker was not dropped with the handle");
        drop(subject);
        Outcome::Pass
    }
}

/// A pending task whose handle was polled with the waker of the count, and dropped.
fn drop_polled_handle<E: Executor + Described + 'static>() -> (Subject<E>, Arc<WakeCount>) {
    let subject = Subject::<E>::spawn(End::Returns);
    subject.settle();
    let mut task = subject.take_task();
    let (count, waker) = WakeCount::new();
    assert!(poll_once(&mut task, &waker).is_pending());
    drop((waker, task));
    assert_eq!(count.wakes(), 0, "wakes of a join waker whose handle was dropped");
    (subject, count)
}

clause! {
    "T9p" Quality "A join waker that panics breaks neither the executor nor its own task."
    guards "tokio-rs/tokio#3689 and #4069: foreign wakers that panic while a state is half updated."
    pub fn t09p_a_panicking_join_waker_breaks_nothing<E: Executor>() -> Outcome {
        for end in ends::<E>().filter(|&end| end != End::ExecutorDropped) {
            case(format_args!("{end:?}"), || {
                let mut subject = Subject::<E>::spawn(end);
                subject.settle();
                let mut task = subject.take_task();
                assert!(poll_once(&mut task, &waker_fn(|| quiet_panic("in a join waker"))).is_pending());
                *subject.slot.lock().unwrap() = Some(task);
                let ended = catch_unwind(AssertUnwindSafe(|| subject.end()));
                assert!(ended.is_ok() || !E::CAPABILITIES.catches_panics, "the panic unwound through the executor");
                assert_usable(subject.executor());
                subject.assert_ended();
                if end != End::Aborted || E::CAPABILITIES.reports_cancellation {
                    let task = subject.take_task();
                    assert_reports(end, subject.executor().block_on(task));
                }
            });
        }
        Outcome::Pass
    }
}

clause! {
    "T9c" House "A join waker that panics when it is cloned or dropped costs neither the result nor the wake of another."
    guards "tokio-rs/tokio#8107 and apache/asyncband#259: foreign code between taking a result and handing it over. Also found \
            here: a join waker given up before the clone of the next."
    pub fn t09c_a_join_waker_that_panics_in_clone_or_drop_costs_nothing<E: Executor>() -> Outcome {
        for end in ends::<E>() {
            case(format_args!("{end:?}, the next one panics when cloned"), || panic_in_the_clone::<E>(end));
            case(format_args!("{end:?}, panics when replaced"), || panic_when_replaced::<E>(end));
            case(format_args!("{end:?}, panics when dropped after the end"), || panic_after_the_end::<E>(end));
        }
        case("cloned while the task ends", panic_while_it_ends::<E>);
        Outcome::Pass
    }
}

/// Panics at one of the things that are done to a waker.
fn panicking_at(hook: Hook) -> Waker {
    hooked_waker(move |done| {
        if done == hook {
            panic_unless_panicking();
        }
    })
}

/// While a failed assertion unwinds, another panic would abort.
fn panic_unless_panicking() {
    if !thread::panicking() {
        quiet_panic("on purpose");
    }
}

/// Drops a waker of the test's own, whose drop may panic.
fn forgive(waker: Waker) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(waker)));
}

fn panic_in_the_clone<E: Executor + Described + 'static>(end: End) {
    let mut subject = Subject::<E>::spawn(end);
    subject.settle();
    let mut task = subject.take_task();
    let (count, waker) = WakeCount::new();
    assert!(poll_once(&mut task, &waker).is_pending());
    let next = panicking_at(Hook::Clone);
    let polled = catch_unwind(AssertUnwindSafe(|| poll_once(&mut task, &next).is_pending()));
    assert_ne!(polled.ok(), Some(false), "a pending task's handle was ready");
    *subject.slot.lock().unwrap() = Some(task);
    subject.end();
    assert_eq!(count.wakes(), 1, "wakes of the join waker that was there before");
    let mut task = subject.take_task();
    assert_result_of(end, poll_once(&mut task, Waker::noop()));
}

fn panic_when_replaced<E: Executor + Described + 'static>(end: End) {
    let mut subject = Subject::<E>::spawn(end);
    subject.settle();
    let mut task = subject.take_task();
    let replaced = panicking_at(Hook::Drop);
    assert!(poll_once(&mut task, &replaced).is_pending());
    let (count, waker) = WakeCount::new();
    let polled = catch_unwind(AssertUnwindSafe(|| poll_once(&mut task, &waker).is_pending()));
    assert_ne!(polled.ok(), Some(false), "a pending task's handle was ready");
    *subject.slot.lock().unwrap() = Some(task);
    subject.end();
    assert_eq!(count.wakes(), 1, "wakes of the join waker that took its place");
    let mut task = subject.take_task();
    assert_result_of(end, poll_once(&mut task, Waker::noop()));
    forgive(replaced);
}

fn panic_after_the_end<E: Executor + Described + 'static>(end: End) {
    let mut subject = Subject::<E>::spawn(end);
    subject.settle();
    let mut task = subject.take_task();
    let waker = panicking_at(Hook::Drop);
    assert!(poll_once(&mut task, &waker).is_pending());
    *subject.slot.lock().unwrap() = Some(task);
    let ended = catch_unwind(AssertUnwindSafe(|| subject.end()));
    assert!(ended.is_ok() || !E::CAPABILITIES.catches_panics, "the panic unwound through the executor");
    let mut task = subject.take_task();
    assert_result_of(end, poll_once(&mut task, &waker));
    forgive(waker);
}

/// The clone that the handle keeps is made, and while it is made the task ends: so the handle has no use for it.
fn panic_while_it_ends<E: Executor + Described + 'static>() {
    thread_local! {
        static IN_CLONE: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
    }
    let (executor, go) = (Rc::new(E::default()), Gate::new());
    let mut task = executor.spawn({
        let opened = go.opened();
        async {
            opened.await;
            VALUE
        }
    });
    settle(&*executor);
    let waker = hooked_waker(|hook| match hook {
        Hook::Clone => IN_CLONE.take().into_iter().for_each(|act| act()),
        Hook::Wake => {}
        Hook::Drop => panic_unless_panicking(),
    });
    IN_CLONE.set(Some(Box::new({
        let executor = executor.clone();
        move || {
            go.open();
            settle(&*executor);
        }
    })));
    let mut polled = poll_once(&mut task, &waker);
    assert!(IN_CLONE.take().is_none(), "the waker was not cloned");
    if polled.is_pending() {
        polled = poll_once(&mut task, &waker);
    }
    assert_result_of(End::Returns, polled);
    forgive(waker);
}

/// Fails unless the handle, polled once after the end, yields what that was.
fn assert_result_of(end: End, polled: Poll<Result<u32, JoinError>>) {
    match polled {
        Poll::Ready(_) if end == End::Aborted || end == End::ExecutorDropped => {}
        Poll::Ready(result) => assert_reports(end, result),
        Poll::Pending => panic!("the task has ended and its handle is pending"),
    }
}

/// A way to abort a task: it is told the executor, the task's log and the handle, which it may keep.
type Abort<E> = fn(&E, &Log, <E as Spawn>::JoinHandle<()>) -> Option<<E as Spawn>::JoinHandle<()>>;

/// All the ways to abort a pending task from outside.
fn aborts<E: Executor + 'static>() -> [(&'static str, Abort<E>); 11] {
    [
        ("before the first poll", |_, _, task| {
            task.abort();
            Some(task)
        }),
        ("while idle", |executor, _, task| {
            settle(executor);
            task.abort();
            Some(task)
        }),
        ("while idle, woken after it", |executor, log, task| {
            settle(executor);
            task.abort();
            log.waker().wake();
            Some(task)
        }),
        ("while queued", |executor, log, task| {
            settle(executor);
            log.waker().wake();
            task.abort();
            Some(task)
        }),
        ("twice", |executor, _, task| {
            settle(executor);
            task.abort();
            task.abort();
            Some(task)
        }),
        ("before the first poll, from another thread", |_, _, task| {
            Some(on_another_thread(move || {
                task.abort();
                task
            }))
        }),
        ("while idle, from another thread", |executor, _, task| {
            settle(executor);
            Some(on_another_thread(move || {
                task.abort();
                task
            }))
        }),
        ("before the first poll, then the handle dropped", |_, _, task| {
            task.abort();
            None
        }),
        ("while idle, then the handle dropped", |executor, _, task| {
            settle(executor);
            task.abort();
            None
        }),
        ("while queued, then the handle dropped", |executor, log, task| {
            settle(executor);
            log.waker().wake();
            task.abort();
            None
        }),
        ("while idle, then the handle dropped, all on another thread", |executor, _, task| {
            settle(executor);
            on_another_thread(move || task.abort());
            None
        }),
    ]
}

clause! {
    "T10" House "An aborted future is polled no more and dropped once, by the driving thread, at its next turn, woken or not."
    guards "tokio-rs/tokio#3929, #3934 and #3964, zed#21020, compio#494: aborts that dropped elsewhere, late or never."
    pub fn t10_an_aborted_future_is_dropped_once_by_the_driving_thread<E: Executor>() -> Outcome {
        for (when, abort) in aborts::<E>() {
            case(when, || {
                let (executor, log) = (E::default(), Log::new());
                let task = executor.spawn(log.pending());
                let task = abort(&executor, &log, task);
                let polls = log.polls();
                assert_eq!(log.drops(), 0, "drops before the executor's next turn, by a thread that does not drive");
                assert_gone(&executor, &log);
                assert_eq!(log.polls(), polls, "polls after the abort");
                drop(task);
                executor.run();
                drop(executor);
                log.assert_sound();
            });
        }
        for elsewhere in [false, true] {
            for keeps in [true, false] {
                for ready in [false, true] {
                    case(format_args!("in its poll, from another thread: {elsewhere}, keeps its handle: {keeps}, ready: {ready}"), || {
                        abort_in_poll::<E>(elsewhere, keeps, ready);
                    });
                }
            }
        }
        case("by another thread, while the executor has nothing to do", || {
            let (executor, log) = (E::default(), Log::new());
            let (polled, dropped) = (Gate::new(), Gate::new());
            let open = (polled.clone(), dropped.clone());
            let future = log.future(move |_, _| {
                open.0.open();
                Poll::<()>::Pending
            });
            let task = executor.spawn(future.on_drop(move || open.1.open()));
            let aborting = thread::spawn(move || {
                polled.wait("the first poll");
                task.abort();
            });
            executor.block_on(dropped.opened());
            aborting.join().expect("aborting does not panic");
            assert_gone(&executor, &log);
        });
        case("after it returned", || {
            let mut subject = Subject::<E>::spawn(End::Returns);
            subject.settle();
            subject.end();
            let task = subject.take_task();
            task.abort();
            task.abort();
            subject.settle();
            assert_reports(End::Returns, subject.executor().block_on(task));
            subject.assert_ended();
        });
        Outcome::Pass
    }
}

/// Fails unless the executor's next turns drop the future, here and once, and the executor goes on.
fn assert_gone<E: Executor>(executor: &E, log: &Log) {
    settle(executor);
    assert_eq!(log.drops(), 1, "drops after the executor's next turns");
    assert_eq!(log.dropped_on(), Some(thread::current().id()), "dropped by a thread that does not drive");
    log.assert_sound();
    assert_usable(executor);
}

fn abort_in_poll<E: Executor + Described + 'static>(elsewhere: bool, keeps: bool, ready: bool) {
    let (executor, log) = (E::default(), Log::new());
    let slot = Arc::new(Mutex::new(None::<E::JoinHandle<()>>));
    let task = executor.spawn(log.future({
        let slot = slot.clone();
        move |_, _| {
            let task = slot.lock().unwrap().take();
            if let Some(task) = task {
                let abort = move || {
                    task.abort();
                    keeps.then_some(task)
                };
                let kept = if elsewhere { on_another_thread(abort) } else { abort() };
                *slot.lock().unwrap() = kept;
            }
            if ready { Poll::Ready(()) } else { Poll::Pending }
        }
    }));
    *slot.lock().unwrap() = Some(task);
    assert_gone(&executor, &log);
    assert_eq!(log.polls(), 1, "polls");
    executor.run();
}

clause! {
    "T10c" House "The handle of an aborted task says so, no earlier than the future is dropped."
    guards "zed#21020: a cancelled task that looked finished while its future lived."
    pub fn t10c_the_handle_of_an_aborted_task_yields_cancelled<E: Executor>() -> Outcome {
        for (when, abort) in aborts::<E>() {
            case(when, || {
                let (executor, log) = (E::default(), Log::new());
                let task = executor.spawn(log.pending());
                let Some(mut task) = abort(&executor, &log, task) else { return };
                if !E::CAPABILITIES.reports_cancellation {
                    settle(&executor);
                    let result = catch_unwind(AssertUnwindSafe(|| executor.block_on(task)));
                    assert!(result.is_err(), "says that polling the handle panics, and it does not");
                    return;
                }
                assert!(!task.is_finished(), "`is_finished`, and the future is not dropped");
                let (count, waker) = WakeCount::new();
                assert!(poll_once(&mut task, &waker).is_pending(), "the handle reports, and the future is not dropped");
                let drops = executor.block_on(async {
                    let result = (&mut task).await;
                    assert!(matches!(result, Err(JoinError::Cancelled)), "the handle reports {result:?}");
                    log.drops()
                });
                assert_eq!(drops, 1, "drops of the future when its handle reported");
                // None where the root is polled, and replaces it, before the task has its turn.
                assert!(count.wakes() <= 1, "the first join waker was woken {} times", count.wakes());
                assert!(task.is_finished());
            });
        }
        if !E::CAPABILITIES.reports_cancellation {
            return Outcome::NotApplicable {
                capability: "reports_cancellation",
                why: "polling the handle of an aborted task panics",
            };
        }
        Outcome::Pass
    }
}

clause! {
    "T10s" House "A task that another thread has just spawned can be aborted at once: its future is dropped, once."
    guards "a task that the executor's list does not know yet, when its turn comes or when the executor goes."
    pub fn t10s_a_task_is_aborted_as_soon_as_it_is_spawned<E: RemoteSpawn>() -> Outcome {
        for driven in [true, false] {
            case(if driven { "the executor goes on" } else { "the executor is dropped" }, || {
                let (executor, log) = (E::default(), Log::new());
                executor.block_on(async {
                    // The executor may treat its first turn in another way than those that follow.
                    yield_now().await;
                    let (spawner, future, spawned) = (executor.spawner(), log.pending(), Mutex::new(None));
                    let spawn = || *spawned.lock().expect("nobody panics") = Some(spawner.spawn(future));
                    thread::scope(|scope| scope.spawn(spawn).join()).expect("spawning does not panic");
                    let task = spawned.into_inner().expect("nobody panics");
                    task.expect("it was spawned").abort();
                });
                if driven {
                    executor.run();
                }
                drop(executor);
                assert_eq!(log.drops(), 1, "drops of the future");
                log.assert_sound();
            });
        }
        Outcome::Pass
    }
}

clause! {
    "T10h" House "An abort handle aborts as the join handle does, wherever that is, and keeps no future alive."
    guards "an abort handle that needs the join handle, aborts inline, or keeps what the task held."
    pub fn t10h_an_abort_handle_aborts_as_the_join_handle_does<E: Executor>() -> Outcome {
        for awaited in [true, false] {
            case(if awaited { "while the handle is awaited" } else { "after the handle is dropped" }, || {
                let (executor, log) = (E::default(), Log::new());
                let mut task = executor.spawn(log.pending());
                let (count, waker) = WakeCount::new();
                settle(&executor);
                let abort = task.abort_handle();
                let task = awaited.then(|| {
                    assert!(poll_once(&mut task, &waker).is_pending());
                    task
                });
                assert!(!abort.is_finished(), "`is_finished`, and nobody aborted the task");
                abort.abort();
                assert_eq!(log.drops(), 0, "drops inside the call");
                assert!(!abort.is_finished(), "`is_finished`, and the future is not dropped");
                assert_gone(&executor, &log);
                assert!(abort.is_finished(), "it is not finished, and the future is dropped");
                assert_eq!(count.wakes(), usize::from(awaited), "wakes of the join waker");
                match task {
                    Some(task) if E::CAPABILITIES.reports_cancellation => {
                        let result = executor.block_on(task);
                        assert!(matches!(result, Err(JoinError::Cancelled)), "the handle reports {result:?}");
                    }
                    _ => {}
                }
            });
        }
        case("a clone, before the first poll, from another thread", || {
            let (executor, log) = (E::default(), Log::new());
            let task = executor.spawn(log.pending());
            let abort = task.abort_handle().clone();
            drop(task);
            on_another_thread(move || abort.abort());
            assert_gone(&executor, &log);
            assert_eq!(log.polls(), 0, "polls after the abort");
        });
        case("in the task's own poll", || {
            let (executor, log) = (E::default(), Log::new());
            let slot = Arc::new(Mutex::new(None::<E::AbortHandle>));
            let task = executor.spawn(log.future({
                let slot = slot.clone();
                move |_, _| {
                    let abort = slot.lock().unwrap().take();
                    abort.expect("it was left before the first poll").abort();
                    Poll::<()>::Pending
                }
            }));
            *slot.lock().unwrap() = Some(task.abort_handle());
            drop(task);
            assert_gone(&executor, &log);
            assert_eq!(log.polls(), 1, "polls");
        });
        case("the other of two tasks", || {
            let (executor, log, other) = (E::default(), Log::new(), Log::new());
            let (task, kept) = (executor.spawn(log.pending()), executor.spawn(other.pending()));
            let aborts = [&task, &kept].map(JoinHandle::abort_handle);
            settle(&executor);
            aborts[0].abort();
            assert_gone(&executor, &log);
            assert_eq!(other.drops(), 0, "drops of a future that nobody aborted");
            assert_eq!(aborts.each_ref().map(AbortHandle::is_finished), [true, false], "who has finished");
        });
        case("dropped, it changes nothing", || {
            let mut subject = Subject::<E>::spawn(End::Returns);
            drop(subject.abort_handle());
            subject.settle();
            drop(subject.abort_handle());
            subject.settle();
            subject.end();
            let task = subject.take_task();
            assert_reports(End::Returns, subject.executor().block_on(task));
        });
        for end in ends::<E>() {
            case(format_args!("after the end: {end:?}"), || {
                let mut subject = Subject::<E>::spawn(end);
                let abort = subject.abort_handle();
                subject.settle();
                assert!(!abort.is_finished(), "`is_finished`, and nothing has ended the task");
                subject.end();
                subject.assert_ended();
                assert!(abort.is_finished(), "it is not finished, and the future is dropped");
                abort.abort();
                assert!(abort.is_finished());
                subject.assert_ended();
                let task = subject.take_task();
                if matches!(end, End::Returns | End::Panics) {
                    assert_reports(end, subject.executor().block_on(task));
                }
            });
        }
        Outcome::Pass
    }
}

/// What a task may do to itself and to others, inside its own poll or drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    WakeItself,
    DropItsLastWaker,
    DropItsHandle,
    AbortItself,
    WakeAnother,
    AbortAnother,
}

clause! {
    "T11" House "Inside its own poll and drop a task may wake and abort itself and others, and drop its wakers and its handle."
    guards "DataDog/glommio#379 and tokio-rs/tokio#8391: a task that was freed, or locked, under itself."
    pub fn t11_a_task_may_touch_itself_in_poll_and_drop<E: Executor>() -> Outcome {
        use Deed::*;
        for deed in [WakeItself, DropItsLastWaker, DropItsHandle, AbortItself, WakeAnother, AbortAnother] {
            for in_drop in [false, true] {
                for end in ends::<E>() {
                    let place = if in_drop { "drop" } else { "poll" };
                    case(format_args!("{deed:?} in {place}, {end:?}"), || do_inside::<E>(deed, in_drop, end));
                }
            }
        }
        case("a future that owns its own handle", || {
            for end in ends::<E>().filter(|&end| end != End::Aborted) {
                let handle = Slot::<E>::default();
                let owned = handle.clone();
                let mut subject = Subject::<E>::acting(end, move |_| drop(owned.lock()), || {});
                *handle.lock().unwrap() = Some(subject.take_task());
                drop(handle);
                subject.settle();
                subject.end();
                subject.assert_ended();
            }
        });
        Outcome::Pass
    }
}

fn do_inside<E: Executor + Described + 'static>(deed: Deed, in_drop: bool, end: End) {
    // The subject knows its log and its handle only after it was spawned.
    let me = Arc::new(Mutex::new(None::<(Arc<Log>, Slot<E>)>));
    let other = Log::new();
    let other_task = Arc::new(Mutex::new(None::<E::JoinHandle<()>>));
    let act = {
        let (me, other, other_task) = (me.clone(), other.clone(), other_task.clone());
        move |cx: Option<&mut Context<'_>>| {
            let Some((log, slot)) = me.lock().unwrap().clone() else { return };
            match deed {
                Deed::WakeItself => log.take_waker().into_iter().for_each(|waker| {
                    waker.wake_by_ref();
                    waker.wake();
                }),
                Deed::DropItsLastWaker => {
                    if let Some(cx) = cx {
                        // Queued, so that it can end: nobody else has a waker.
                        cx.waker().wake_by_ref();
                        drop(cx.waker().clone());
                    }
                    log.forget_waker();
                }
                Deed::DropItsHandle => {
                    let task = slot.lock().unwrap().take();
                    drop(task);
                }
                Deed::AbortItself => {
                    let task = slot.lock().unwrap().take();
                    if let Some(task) = task {
                        task.abort();
                        *slot.lock().unwrap() = Some(task);
                    }
                }
                Deed::WakeAnother => other.waker().wake(),
                Deed::AbortAnother => {
                    let task = other_task.lock().unwrap().take();
                    task.iter().for_each(JoinHandle::abort);
                }
            }
        }
    };
    let (in_poll, act_in_drop) = (act.clone(), act);
    let mut subject = Subject::<E>::acting(
        end,
        move |cx| {
            if !in_drop {
                in_poll(Some(cx))
            }
        },
        move || {
            if in_drop {
                act_in_drop(None)
            }
        },
    );
    *other_task.lock().unwrap() = Some(subject.executor().spawn(other.pending()));
    subject.settle();
    *me.lock().unwrap() = Some((subject.log.clone(), subject.slot.clone()));
    if let Some(waker) = subject.log.take_waker() {
        waker.wake();
    }
    subject.settle();
    subject.end();
    if let Some(executor) = &subject.executor {
        settle(executor);
        assert_usable(executor);
    }
    // Where its own deed kept the task from ending as planned, the executor's drop ends it.
    subject.executor = None;
    subject.assert_ended();
    other.assert_sound();
    assert_eq!(other.drops(), 1, "drops of the other future");
    let cycle = me.lock().unwrap().take();
    drop(cycle);
}

clause! {
    "T11s" House "Inside its own poll and drop a task may spawn; what it spawns when the executor is dropped is dropped at once."
    guards "rust-lang/futures-rs#1737 and tokio's `SpawnOnDrop`."
    pub fn t11s_a_task_may_spawn_in_poll_and_drop<E: RemoteSpawn>() -> Outcome {
        for end in ends::<E>() {
            for in_drop in [false, true] {
                case(format_args!("{end:?}, in {}", if in_drop { "drop" } else { "poll" }), || {
                    spawn_inside::<E>(end, in_drop);
                });
            }
        }
        Outcome::Pass
    }
}

fn spawn_inside<E: RemoteSpawn + Described + 'static>(end: End, in_drop: bool) {
    // The subject's executor, and so its spawner, is there only after it was made.
    let spawner = Arc::new(Mutex::new(None::<E::Spawner>));
    let (child, at_once) = (Log::new(), Arc::new(AtomicUsize::new(0)));
    let spawn = {
        let (spawner, child, at_once) = (spawner.clone(), child.clone(), at_once.clone());
        move || {
            let spawner = spawner.lock().unwrap().take();
            if let Some(spawner) = spawner {
                drop(spawner.spawn(child.future(|poll, cx| {
                    cx.waker().wake_by_ref();
                    if poll < 3 { Poll::Pending } else { Poll::Ready(()) }
                })));
                at_once.store(child.drops(), SeqCst);
            }
        }
    };
    let (in_poll, act_in_drop) = (spawn.clone(), spawn);
    let mut subject = Subject::<E>::acting(
        end,
        move |_| {
            if !in_drop {
                in_poll()
            }
        },
        move || {
            if in_drop {
                act_in_drop()
            }
        },
    );
    *spawner.lock().unwrap() = Some(subject.executor().spawner());
    subject.settle();
    subject.end();
    subject.assert_ended();
    if in_drop && end == End::ExecutorDropped {
        assert_eq!((child.polls(), child.drops()), (0, 1), "polls and drops of what was spawned too late");
        assert_eq!(at_once.load(SeqCst), 1, "drops of what was spawned too late, when `spawn` returned");
    } else {
        assert_eq!((child.polls(), child.drops()), (3, 1), "polls and drops of what was spawned");
    }
    child.assert_sound();
    if let Some(executor) = &subject.executor {
        assert_usable(executor);
    }
}

clause! {
    "T12" House "A panic in a task's poll ends that task, is what its handle reports, and harms nothing else."
    guards "rust-lang/futures-rs#1468, tokio-rs/tokio#209, crux#397 and glommio#37: a panic that killed the worker or the queue."
    pub fn t12_a_panic_in_poll_ends_only_its_task<E: Executor>() -> Outcome {
        if !E::CAPABILITIES.catches_panics {
            let executor = E::default();
            drop(executor.spawn(async { quiet_panic(PAYLOAD) }));
            return show_that_it_unwinds(&executor);
        }
        for last in [1, 3] {
            for wakes_itself in [false, true] {
                for fate in [Fate::Awaited, Fate::DroppedBefore, Fate::DroppedAfter] {
                    case(format_args!("in poll {last}, wakes itself: {wakes_itself}, handle {fate:?}"), || {
                        panic_in_poll::<E>(last, wakes_itself, fate);
                    });
                }
            }
        }
        Outcome::Pass
    }
}

fn panic_in_poll<E: Executor + Described + 'static>(last: usize, wakes_itself: bool, fate: Fate) {
    let (executor, log) = (E::default(), Log::new());
    let neighbour = || {
        executor.spawn(async {
            turns(3).await;
            VALUE
        })
    };
    let before = neighbour();
    let mut task = Some(executor.spawn(log.future(move |poll, cx| {
        if poll < last || wakes_itself {
            cx.waker().wake_by_ref();
        }
        if poll < last { Poll::<u32>::Pending } else { quiet_panic(PAYLOAD) }
    })));
    let after = neighbour();
    if fate == Fate::DroppedBefore {
        task = None;
    }
    assert!(executor.block_on(before).is_ok_and(|value| value == VALUE), "a task that was spawned before it");
    assert!(executor.block_on(after).is_ok_and(|value| value == VALUE), "a task that was spawned after it");
    executor.run();
    assert_eq!((log.polls(), log.drops()), (last, 1), "polls and drops of the future");
    if fate == Fate::DroppedAfter {
        task = None;
    }
    if let Some(task) = task {
        assert!(task.is_finished());
        assert_reports(End::Panics, executor.block_on(task));
    }
    log.assert_sound();
    assert_usable(&executor);
}

/// For executors that do not claim to catch panics: the one in the task that was spawned reaches the caller.
fn show_that_it_unwinds<E: Executor>(executor: &E) -> Outcome {
    let unwound = catch_unwind(AssertUnwindSafe(|| executor.run()));
    assert!(unwound.is_err(), "says that it does not catch panics, and this one did not unwind out of `run`");
    Outcome::NotApplicable { capability: "catches_panics", why: "a panic in a task unwinds out of `run`" }
}

/// Panics when it is dropped, unless the thread is unwinding already: that would abort the process by std's rules.
struct Bomb {
    _count: DropCount,
}

impl Bomb {
    fn new(log: &Arc<Log>) -> Self {
        Self { _count: DropCount::new(log) }
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            quiet_panic("in drop");
        }
    }
}

clause! {
    "T12d" House "A panic in the drop of a task's future is caught like one in its poll, whatever ended the task."
    guards "rust-lang/futures-rs#2863 and #2886: a use after free when a dropped future panicked."
    pub fn t12d_a_panic_in_a_futures_drop_ends_only_its_task<E: Executor>() -> Outcome {
        if !E::CAPABILITIES.catches_panics {
            let (executor, bomb) = (E::default(), Bomb::new(&Log::new()));
            let _detached = executor.spawn(async move {
                let _owned = &bomb;
            });
            return show_that_it_unwinds(&executor);
        }
        for end in ends::<E>() {
            for detached in [false, true] {
                case(format_args!("{end:?}, detached: {detached}"), || panic_in_drop::<E>(end, detached));
            }
        }
        Outcome::Pass
    }
}

fn panic_in_drop<E: Executor + Described + 'static>(end: End, detached: bool) {
    let bombs = Log::new();
    let bomb = Bomb::new(&bombs);
    let mut subject = Subject::<E>::acting(end, move |_| _ = &bomb, || {});
    let neighbours = [Log::new(), Log::new()];
    let handles = neighbours.each_ref().map(|log| subject.executor().spawn(log.pending()));
    subject.settle();
    if detached && end != End::Aborted {
        drop(subject.take_task());
    }
    let ended = catch_unwind(AssertUnwindSafe(|| subject.end()));
    assert!(ended.is_ok(), "the panic unwound out of what drives or drops the executor");
    subject.assert_ended();
    assert_eq!(bombs.drops(), 1, "drops of what panics in its drop");
    let task = subject.slot.lock().unwrap().take().filter(|_| !detached);
    if let Some(mut task) = task {
        assert!(task.is_finished());
        match wait_for(&mut task, "the end of a task whose future panicked in its drop") {
            Err(JoinError::Panicked(_)) => {}
            // The executor was gone, too: both are true.
            Err(JoinError::Cancelled) if end == End::ExecutorDropped => {}
            result => panic!("the handle reports {result:?}"),
        }
    }
    if let Some(executor) = &subject.executor {
        assert_usable(executor);
        assert!(neighbours.iter().all(|log| log.drops() == 0), "another task's future was dropped, too");
    }
    subject.executor = None;
    assert!(neighbours.iter().all(|log| log.drops() == 1), "another task's future was not dropped");
    drop(handles);
}

clause! {
    "T12f" House "Of a task that panics in its poll and again in its drop, the handle reports the first panic."
    guards "a cause that is lost behind its consequence; tokio reports the poll's, too."
    pub fn t12f_the_first_panic_is_reported<E: Executor>() -> Outcome {
        let (executor, bombs) = (E::default(), Log::new());
        if !E::CAPABILITIES.catches_panics {
            let _detached = executor.spawn(async { quiet_panic(PAYLOAD) });
            return show_that_it_unwinds(&executor);
        }
        let task = executor.spawn(bombs.future(|_, _| quiet_panic(PAYLOAD)).on_drop(panic_unless_panicking));
        assert_reports(End::Panics, executor.block_on(task));
        assert_usable(&executor);
        Outcome::Pass
    }
}

clause! {
    "T12o" House "A panic in the drop of a result that nobody takes harms nothing else."
    guards "what tokio tests as `task_combinations`: an output that panics on drop."
    pub fn t12o_a_panic_in_a_results_drop_harms_nothing<E: Executor>() -> Outcome {
        if !E::CAPABILITIES.catches_panics {
            let (executor, bombs) = (E::default(), Log::new());
            drop(executor.spawn(async move { Bomb::new(&bombs) }));
            return show_that_it_unwinds(&executor);
        }
        for payload in [false, true] {
            let what = if payload { "a panic's payload" } else { "an output" };
            for after in [false, true] {
                case(format_args!("{what}, handle dropped {}", if after { "after" } else { "before" }), || {
                    panic_in_results_drop::<E>(payload, after);
                });
            }
        }
        Outcome::Pass
    }
}

fn panic_in_results_drop<E: Executor + Described + 'static>(payload: bool, after: bool) {
    let (executor, bombs) = (E::default(), Log::new());
    let bomb = Bomb::new(&bombs);
    let task = executor.spawn(async move { if payload { quiet_panic(bomb) } else { bomb } });
    if after {
        settle(&executor);
        assert_eq!(bombs.drops(), 0, "drops of the result that the handle still owns");
        // Whether this unwinds is for T12h.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(task)));
    } else {
        drop(task);
        let settled = catch_unwind(AssertUnwindSafe(|| settle(&executor)));
        assert!(settled.is_ok(), "the panic unwound out of `block_on`");
    }
    assert_eq!(bombs.drops(), 1, "drops of the result");
    assert_usable(&executor);
    executor.run();
}

clause! {
    "T12h" Quality "A result or a join waker that panics when it is dropped with its handle does not make that drop panic."
    guards "tokio-rs/tokio#4412: a handle is often dropped with much else, where a panic keeps the rest from being dropped."
    pub fn t12h_dropping_a_handle_does_not_panic<E: Executor>() -> Outcome {
        for end in ends::<E>() {
            case(format_args!("a join waker, then {end:?}"), || panic_with_the_handle::<E>(end));
        }
        let (executor, bombs) = (E::default(), Log::new());
        let bomb = Bomb::new(&bombs);
        let task = executor.spawn(async move { bomb });
        settle(&executor);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(task)));
        assert!(dropped.is_ok(), "the panic of an output unwound out of the handle's drop");
        assert_eq!(bombs.drops(), 1, "drops of the output");
        assert_usable(&executor);
        Outcome::Pass
    }
}

fn panic_with_the_handle<E: Executor + Described + 'static>(end: End) {
    let mut subject = Subject::<E>::spawn(end);
    subject.settle();
    let mut task = subject.take_task();
    let waker = panicking_at(Hook::Drop);
    assert!(poll_once(&mut task, &waker).is_pending());
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(task)));
    assert!(dropped.is_ok(), "the panic unwound out of the handle's drop");
    forgive(waker);
    // Without its handle nothing aborts it.
    subject.end = if end == End::Aborted { End::Returns } else { end };
    subject.end();
    subject.executor = None;
    subject.log.assert_sound();
    assert_eq!(subject.log.drops(), 1, "drops of the future");
}

clause! {
    "T13" House "Dropping the last reference to a task on another thread drops neither its future nor its result there."
    guards "tokio's \"Non-Send futures\" rules, and what async-task schedules a last run for."
    pub fn t13_the_last_reference_may_be_dropped_anywhere<E: Executor>() -> Outcome {
        for end in ends::<E>() {
            for ended_before in [false, true] {
                case(format_args!("{end:?}, ended before: {ended_before}"), || {
                    let mut subject = Subject::<E>::spawn(end);
                    subject.settle();
                    let waker = subject.log.take_waker();
                    if ended_before {
                        waker.iter().for_each(Waker::wake_by_ref);
                        subject.end();
                        subject.assert_ended();
                    }
                    let task = subject.slot.lock().unwrap().take();
                    on_another_thread(move || drop((task, waker)));
                    assert_eq!(subject.log.drops(), usize::from(ended_before), "drops by the other thread");
                    subject.executor = None;
                    subject.assert_ended();
                });
            }
        }
        case("while the task completes", race_last_reference::<E>);
        Outcome::Pass
    }
}

fn race_last_reference<E: Executor + Described + 'static>() {
    let executor = E::default();
    let (sender, references) = mpsc::channel::<(E::JoinHandle<DropCount>, Arc<Log>, Arc<AtomicBool>)>();
    let dropping = thread::spawn(move || {
        for (task, log, near) in references {
            while !near.load(SeqCst) {
                thread::yield_now();
            }
            let waker = log.take_waker();
            drop((task, waker));
        }
    });
    let rounds: Vec<_> = (0..200)
        .map(|_| {
            let (log, result, near) = (Log::new(), Log::new(), Arc::new(AtomicBool::new(false)));
            let task = executor.spawn(log.future({
                let (result, near) = (result.clone(), near.clone());
                move |_, _| {
                    near.store(true, SeqCst);
                    Poll::Ready(DropCount::new(&result))
                }
            }));
            assert!(sender.send((task, log.clone(), near)).is_ok(), "the dropping thread is there");
            executor.run();
            (log, result)
        })
        .collect();
    drop(sender);
    dropping.join().expect("dropping a handle and a waker does not panic");
    for (log, result) in rounds {
        assert_eq!(
            log.dropped_on(),
            Some(thread::current().id()),
            "a future was dropped by a thread that does not drive"
        );
        assert_eq!((log.drops(), result.drops()), (1, 1), "drops of the future and of its result");
        log.assert_sound();
    }
}

clause! {
    "T15" House "Futures and results may have any size and any alignment."
    guards "tokio-rs/tokio#6729 and hand-made layouts in general: a header that shifts what comes after it."
    pub fn t15_futures_and_results_have_any_layout<E: Executor>() -> Outcome {
        const MIB: usize = 1 << 20;
        lay_out::<E, Align1, 0, Align1, 0>("nothing, for nothing");
        lay_out::<E, Align1, 1, Align1, 0>("a byte, for nothing");
        lay_out::<E, Align1, 0, Align1, 1>("nothing, for a byte");
        lay_out::<E, Align64, 0, Align64, 0>("aligned to 64");
        lay_out::<E, Align64, 0, Align1, 3>("aligned to 64, for 3 bytes");
        lay_out::<E, Align1, 3, Align64, 0>("3 bytes, for something aligned to 64");
        lay_out::<E, Align4096, 0, Align1, 0>("aligned to 4096");
        lay_out::<E, Align1, 1, Align4096, 1>("a byte, for something aligned to 4096");
        lay_out::<E, Align4096, 1, Align64, 1>("aligned to 4096, for something aligned to 64");
        lay_out::<E, Align1, MIB, Align1, 0>("1 MiB, for nothing");
        lay_out::<E, Align1, 0, Align1, MIB>("nothing, for 1 MiB");
        lay_out::<E, Align64, 0x1_0000, Align64, 0x1_0000>("64 KiB, for as much, both aligned to 64");
        Outcome::Pass
    }
}

clause! {
    /// The stack is that of a thread which nobody gave another. It has room for six copies of the future, and two are
    /// the test's own.
    "T15f" Quality "A thread with a stack of 2 MiB spawns, runs and drops a future of 320 KiB, in a debug build, too."
    guards "tokio-rs/tokio#2055 and #6057: an unoptimised build keeps a copy of a future for each function that takes it by \
            value, and the stack overflows."
    pub fn t15f_a_large_future_takes_little_stack<E: Executor>() -> Outcome {
        on_a_small_stack("T15f", || {
            let executor = E::default();
            let [awaited, aborted] = [(); 2].map(|()| spawn_large(&executor));
            drop(spawn_large(&executor));
            aborted.abort();
            assert!(executor.block_on(awaited).is_ok(), "a task that was spawned before did not return");
            let joined = executor.block_on(async {
                // From its second poll on, the thread drives.
                yield_now().await;
                spawn_large(&executor).await
            });
            assert!(joined.is_ok(), "a task that the root spawned did not return");
            executor.run();
            drop(aborted);
            // One more, never polled, for the executor's drop.
            drop(spawn_large(&executor));
        });
        Outcome::Pass
    }
}

clause! {
    "T15s" Quality "So does a spawner: inside a task, on another thread, and after its executor."
    guards "as T15f; a way for other threads that is one function longer."
    pub fn t15s_a_large_future_takes_a_spawner_little_stack<E: RemoteSpawn>() -> Outcome {
        on_a_small_stack("T15s", || {
            let executor = E::default();
            let spawner = executor.spawner();
            let task = executor.spawn(async move { spawn_large(&spawner).await.is_ok() });
            assert!(executor.block_on(task).is_ok_and(|returned| returned), "a task's task did not return");
            let spawner = executor.spawner();
            on_a_small_stack("T15s", {
                let spawner = spawner.clone();
                move || drop(spawn_large(&spawner))
            });
            executor.run();
            drop(executor);
            drop(spawn_large(&spawner));
        });
        Outcome::Pass
    }
}

/// What no more than six copies of fit into 2 MiB.
const LARGE: usize = 320 << 10;

fn spawn_large<S: Spawn>(spawner: &S) -> S::JoinHandle<Shape<Align1, 0>> {
    spawner.spawn(Shaped::<Align1, LARGE, Align1, 0> { shape: Shape::new(), output: PhantomData })
}

/// Runs `action` on a thread of its own. Where the stack does not suffice, the process ends, and says the name.
fn on_a_small_stack(name: &str, action: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(2 << 20).spawn(action);
    if let Err(payload) = thread.expect("a thread can be started").join() {
        resume_unwind(payload);
    }
}

/// Has an alignment, and is otherwise nothing.
trait Alignment: Default + Send + Unpin + 'static {}

#[derive(Default)]
struct Align1;
#[derive(Default)]
#[repr(align(64))]
struct Align64;
#[derive(Default)]
#[repr(align(4096))]
struct Align4096;

impl Alignment for Align1 {}
impl Alignment for Align64 {}
impl Alignment for Align4096 {}

/// As many bytes, aligned so. Looks at its own address and content when it is used and dropped.
struct Shape<A, const N: usize> {
    _align: A,
    bytes: [u8; N],
}

impl<A: Alignment, const N: usize> Shape<A, N> {
    fn new() -> Self {
        Self { _align: A::default(), bytes: [0xA5; N] }
    }
}

impl<A, const N: usize> Shape<A, N> {
    fn look(&self) {
        let address = ptr::from_ref(self).addr();
        assert_eq!(address % align_of::<Self>(), 0, "an address that is not aligned to {}", align_of::<Self>());
        // Both ends: the middle of a MiB takes long to look at in an unoptimised build.
        let ends = self.bytes.iter().take(64).chain(self.bytes.iter().rev().take(64));
        assert!(ends.copied().all(|byte| byte == 0xA5), "bytes that something else was written over");
    }
}

impl<A, const N: usize> Drop for Shape<A, N> {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.look();
        }
    }
}

/// A future of one shape for an output of another. As small as its shape: it is pending as often as it was woken by
/// itself, which is once if it has a byte to note it in.
struct Shaped<A, const N: usize, B, const M: usize> {
    shape: Shape<A, N>,
    output: PhantomData<fn() -> Shape<B, M>>,
}

impl<A: Alignment, const N: usize, B: Alignment, const M: usize> Future for Shaped<A, N, B, M> {
    type Output = Shape<B, M>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Shape<B, M>> {
        let middle = N / 2;
        if let Some(byte) = self.shape.bytes.get_mut(middle) {
            if mem::replace(byte, 0xA5) == 0xA5 && N > 128 {
                // The mark that it was polled once, away from the ends.
                *byte = 0;
                cx.waker().wake_by_ref();
                self.shape.look();
                return Poll::Pending;
            }
        }
        self.shape.look();
        Poll::Ready(Shape::new())
    }
}

fn lay_out<E: Executor + Described + 'static, A: Alignment, const N: usize, B: Alignment, const M: usize>(
    name: impl fmt::Display,
) {
    case(name, || {
        let executor = E::default();
        // Spawned in one place only: an unoptimised build gives each place room on the stack for all its copies.
        let spawn = || executor.spawn(Shaped::<A, N, B, M> { shape: Shape::new(), output: PhantomData });
        let (awaited, aborted) = (spawn(), spawn());
        drop(spawn());
        aborted.abort();
        // Looked at by its drop.
        assert!(executor.block_on(awaited).is_ok(), "the task did not return");
        executor.run();
        drop(aborted);
        // One more, never polled, for the executor's drop.
        drop(spawn());
    });
}
