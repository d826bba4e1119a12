//! X: what an executor does with its tasks.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::process;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use executor::{
    BlockOn, Described, Executor, Idle, JoinError, JoinHandle, NestedBlockOn, RemoteSpawn, Spawn, Spawner, WakeNames,
    yield_now,
};

use crate::child::{is_child, run_in_child};
use crate::clause::clause;
use crate::kept::Kept;
use crate::probe::{Gate, Log, Waits, WakeCount, on_another_thread, poll_once, processor_time, quiet_panic, wait_for};
use crate::suite::message;
use crate::{Allocations, Outcome};

/// How long a clause that repeats a race goes on, on a machine too busy for all its rounds.
const BUDGET: Duration = Duration::from_millis(400);

/// The rounds of a clause that repeats a race: `most`, or as many as there is time for.
fn rounds(most: usize) -> impl Iterator<Item = usize> {
    let begun = Instant::now();
    (0..most).take_while(move |round| *round < 20 || begun.elapsed() < BUDGET)
}

/// Drives the executor, its root yielding, until `condition` holds.
fn drive_until(executor: &impl BlockOn, condition: impl Fn() -> bool) {
    executor.block_on(async {
        while !condition() {
            yield_now().await;
        }
    });
}

/// Drives the executor while its root yields `times`.
fn drive(executor: &impl BlockOn, times: usize) {
    executor.block_on(async {
        for _ in 0..times {
            yield_now().await;
        }
    });
}

/// Whether the executor still does everything: a root, a new task, `run`.
fn assert_usable(executor: &impl Executor) {
    assert_eq!(executor.block_on(async { 7 }), 7, "`block_on` does not work afterwards");
    let task = executor.spawn(async {
        yield_now().await;
        8
    });
    assert_eq!(executor.block_on(task).ok(), Some(8), "a new task does not work afterwards");
}

/// Calls `action`; `Err` holds the text of its panic.
fn caught<R>(action: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(action)).map_err(|payload| message(payload.as_ref()))
}

/// The future of a gate inside a log's script.
fn opened(gate: &Arc<Gate>) -> impl FnMut(usize, &mut Context<'_>) -> Poll<()> + Send + Unpin + 'static {
    let mut opened = Box::pin(gate.opened());
    move |_, cx| opened.as_mut().poll(cx)
}

/// Wakes itself on every poll and never ends.
fn restless(_: usize, cx: &mut Context<'_>) -> Poll<()> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

clause! {
    "X1" House "`spawn` never polls: the first poll belongs to whoever drives the executor."
    guards "a spawn under a lock that the future takes too, and recursion as deep as tasks that spawn tasks."
    pub fn x01_spawn_never_polls_inline<E: Executor>() -> Outcome {
        let executor = E::default();
        let (outside, inside) = (Log::new(), Log::new());
        drop(executor.spawn(outside.pending()));
        assert_eq!(outside.polls(), 0, "`spawn` polled the future");
        executor.block_on(async {
            drop(executor.spawn(inside.pending()));
            assert_eq!(inside.polls(), 0, "`spawn` inside `block_on` polled the future");
        });
        Outcome::Pass
    }
}

clause! {
    "X2" House "A spawned task gets its first poll without a wake."
    guards "async-executor 1.9.0 and switchyard#5: tasks pushed where nobody looks."
    pub fn x02_a_spawned_task_is_polled_without_a_wake<E: Executor>() -> Outcome {
        let executor = E::default();
        let (before, during) = (Log::new(), Log::new());
        drop(executor.spawn(before.future(|_, _| Poll::Ready(()))));
        executor.block_on(async {
            let task = executor.spawn(during.future(|_, _| Poll::Ready(7)));
            assert_eq!(task.await.ok(), Some(7));
        });
        executor.run();
        assert_eq!((before.polls(), before.drops()), (1, 1), "polls and drops of a task spawned before `block_on`");
        assert_eq!((during.polls(), during.drops()), (1, 1), "polls and drops of a task spawned inside `block_on`");
        Outcome::Pass
    }
}

clause! {
    "X2r" House "What the root spawns or wakes in its poll is polled, though nothing else was ready."
    guards "a look for ready tasks that comes before the root's poll, and none before the sleep."
    pub fn x02r_what_the_root_makes_ready_runs<E: Executor>() -> Outcome {
        let (executor, log) = (E::default(), Log::new());
        executor.block_on(async {
            let root = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
            // Every poll of the task's wakes the root, which waits for nothing else.
            let task = executor.spawn(log.future(move |poll, _| {
                root.wake_by_ref();
                if poll > 1 { Poll::Ready(7) } else { Poll::Pending }
            }));
            poll_fn(|_| if log.polls() > 0 { Poll::Ready(()) } else { Poll::Pending }).await;
            log.waker().wake();
            poll_fn(|_| if log.polls() > 1 { Poll::Ready(()) } else { Poll::Pending }).await;
            assert_eq!(task.await.ok(), Some(7));
        });
        log.assert_sound();
        Outcome::Pass
    }
}

/// A task that spawns the next, `left` times.
fn chain<S>(spawner: S, left: usize, ran: Arc<AtomicUsize>) -> Pin<Box<dyn Future<Output = ()> + Send>>
where
    S: Spawn + Clone + Send + 'static,
{
    Box::pin(async move {
        ran.fetch_add(1, SeqCst);
        if left > 1 {
            drop(spawner.spawn(chain(spawner.clone(), left - 1, ran)));
        }
    })
}

clause! {
    "X3" House "Tasks spawn tasks, which run in the same `run`."
    guards "rust-lang/futures-rs#1737: newly spawned tasks that nobody polled."
    pub fn x03_a_task_spawns_a_task<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let (inner, spawner) = (Log::new(), executor.spawner());
        let outer = executor.spawn({
            let inner = inner.clone();
            async move {
                let task = spawner.spawn(inner.future(|_, _| Poll::Ready(7)));
                assert_eq!(inner.polls(), 0, "`spawn` inside a task polled the future");
                task.await.ok()
            }
        });
        assert_eq!(executor.block_on(outer).ok(), Some(Some(7)));
        inner.assert_sound();

        let ran = Arc::new(AtomicUsize::new(0));
        drop(executor.spawn(chain(executor.spawner(), 100, ran.clone())));
        executor.run();
        assert_eq!(ran.load(SeqCst), 100, "`run` returned before the tasks that tasks had spawned");
        Outcome::Pass
    }
}

clause! {
    "X3d" House "A future's drop spawns a task, which runs in the same `run`."
    guards "rust-lang/futures-rs#1737; a list of tasks that is borrowed while a future is dropped."
    pub fn x03d_a_drop_spawns_a_task<E: RemoteSpawn>() -> Outcome {
        for aborted in [false, true] {
            let executor = E::default();
            let (log, spawned, spawner) = (Log::new(), Log::new(), executor.spawner());
            let inner = spawned.clone();
            let ends = move |_: usize, _: &mut Context<'_>| if aborted { Poll::Pending } else { Poll::Ready(()) };
            let task = executor.spawn(log.future(ends).on_drop(move || {
                drop(spawner.spawn(inner.future(|_, _| Poll::Ready(()))));
            }));
            if aborted {
                drive_until(&executor, || log.polls() > 0);
                task.abort();
            }
            executor.run();
            assert_eq!(log.drops(), 1);
            assert_eq!((spawned.polls(), spawned.drops()), (1, 1), "the task that a drop had spawned did not run");
        }
        Outcome::Pass
    }
}

clause! {
    "X3o" House "Another thread spawns a task, which runs also if the executor sleeps."
    guards "tokio's `spawn_from_other_thread_idle`; async-executor#102 to #106: a task pushed onto a sleeping executor."
    pub fn x03o_another_thread_spawns_onto_a_sleeping_executor<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let (root, spawner) = (Log::new(), executor.spawner());
        executor.block_on(asking(&root, move |answer| drop(spawner.spawn(async move { answer() }))));
        root.assert_sound();
        Outcome::Pass
    }
}

/// A future that asks another thread, goes to sleep, gets its answer through `send`, and asks again, many times. The
/// answers come after shorter and longer delays, so that some arrive just when the executor is about to sleep.
fn asking(
    log: &Arc<Log>,
    send: impl Fn(Box<dyn FnOnce() + Send>) + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    const QUESTIONS: usize = 3_000;
    let (asked, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let over = Arc::new(AtomicBool::new(false));
    thread::spawn({
        let (asked, answered, over, log) = (asked.clone(), answered.clone(), over.clone(), log.clone());
        move || {
            let begun = Instant::now();
            for question in 1..=QUESTIONS {
                while asked.load(SeqCst) < question {
                    thread::yield_now();
                }
                if question == 1 {
                    // Long enough to be asleep. If it is not, this question proves less.
                    thread::sleep(Duration::from_millis(20));
                }
                (0..question % 64 * 8).for_each(|_| std::hint::spin_loop());
                let (answered, over, log) = (answered.clone(), over.clone(), log.clone());
                let last = question == QUESTIONS || begun.elapsed() > BUDGET;
                send(Box::new(move || {
                    over.store(last, SeqCst);
                    answered.store(question, SeqCst);
                    log.waker().wake();
                }));
                if last {
                    break;
                }
            }
        }
    });
    let mut question = 1;
    log.future(move |_, _| {
        loop {
            // The log has the waker already: it registers, asks, and only then looks.
            asked.store(question, SeqCst);
            if answered.load(SeqCst) < question {
                return Poll::Pending;
            }
            if over.load(SeqCst) {
                return Poll::Ready(());
            }
            question += 1;
        }
    })
}

clause! {
    "X4" House "`block_on` drives its future to the end, which may borrow and need not be `Send`."
    guards "a root in a box with more bounds than the caller's: it is what `block_on` is for."
    pub fn x04_block_on_returns_the_output<E: BlockOn>() -> Outcome {
        let executor = E::default();
        let (here, shared) = (Cell::new(0), Rc::new(Cell::new(0)));
        let output = executor.block_on(async {
            for _ in 0..3 {
                yield_now().await;
                here.set(here.get() + 1);
                shared.set(here.get());
            }
            &here
        });
        assert_eq!((output.get(), shared.get()), (3, 3));
        assert_eq!(executor.block_on(std::future::ready(7)), 7);
        let (log, gate) = (Log::new(), Gate::new());
        let opens = gate.clone();
        let helper = thread::spawn(move || opens.open());
        executor.block_on(log.future(opened(&gate)));
        helper.join().expect("the other thread does not panic");
        assert_eq!(log.drops(), 1, "the future is dropped before `block_on` returns");
        log.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "X4d" House "What the future of `block_on` keeps goes with it before the call returns; it may wake tasks as it goes."
    guards "our own: this may be after the thread has stopped to drive."
    pub fn x04d_the_root_goes_with_what_it_keeps<E: Executor>() -> Outcome {
        let executor = E::default();
        let (root, task, gate) = (Log::new(), Log::new(), Gate::new());
        let mut handle = executor.spawn(task.future(opened(&gate)));
        let opens = gate.clone();
        let joins = move |poll, cx: &mut Context<'_>| {
            assert!(Pin::new(&mut handle).poll(cx).is_pending(), "a task ended that waits");
            if poll > 2 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        };
        executor.block_on(root.future(joins).on_drop(move || opens.open()));
        assert_eq!(root.drops(), 1, "the future is dropped before `block_on` returns");
        drive_until(&executor, || task.drops() > 0);
        root.assert_sound();
        task.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "X4t" House "`block_on` drives the tasks meanwhile and keeps the unfinished ones for the next call."
    guards "tokio's and futures' `run_until`: tasks dropped, or forgotten, at the end of a call."
    pub fn x04t_block_on_drives_tasks_and_keeps_unfinished_ones<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, gate) = (Log::new(), Gate::new());
        let unfinished = executor.spawn(log.future(opened(&gate)));
        let finished = executor.spawn(async {
            for _ in 0..3 {
                yield_now().await;
            }
            7
        });
        assert_eq!(executor.block_on(finished).ok(), Some(7));
        drive_until(&executor, || log.polls() > 0);
        executor.block_on(async {});
        assert_eq!(log.drops(), 0, "an unfinished task was dropped at the end of `block_on`");
        assert!(!unfinished.is_finished());
        gate.open();
        assert!(executor.block_on(unfinished).is_ok(), "an unfinished task did not go on in the next `block_on`");
        log.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "X5" Quality "A task that nobody woke is not polled, and neither is the root; many wakes lead to one poll."
    guards "tokio#3475 and #3582: the root was polled on every wake of a task."
    pub fn x05_only_woken_tasks_are_polled<E: Executor>() -> Outcome {
        let executor = E::default();
        let (idle, busy, root) = (Log::new(), Log::new(), Log::new());
        drop(executor.spawn(idle.pending()));
        let mut task = executor.spawn(busy.future(|poll, cx| {
            cx.waker().wake_by_ref();
            if poll > 10 { Poll::Ready(()) } else { Poll::Pending }
        }));
        let joined = executor.block_on(root.future(|_, cx| Pin::new(&mut task).poll(cx)));
        assert!(joined.is_ok());
        drive_until(&executor, || idle.polls() > 0);
        let counts = (busy.polls(), idle.polls(), root.polls());
        if !E::CAPABILITIES.polls_only_woken {
            drive(&executor, 10);
            assert!(idle.polls() > 1 || counts.2 > 2, "it says that it polls what nobody woke, and did not");
            return Outcome::NotApplicable {
                capability: "polls_only_woken",
                why: "a future was polled because another was woken",
            };
        }
        assert_eq!(counts.0, 11, "polls of a task that woke itself 10 times");
        assert_eq!(counts.1, 1, "polls of a task that nobody woke");
        // One if the task ended first.
        assert!(counts.2 <= 2, "the root was woken once, by its join handle, and polled {} times", counts.2);
        (0..100).for_each(|_| idle.waker().wake_by_ref());
        drive_until(&executor, || idle.polls() > 1);
        drive(&executor, 10);
        assert_eq!(idle.polls(), 2, "polls of a task that was woken 100 times between two of them");
        Outcome::Pass
    }
}

clause! {
    "X5r" Quality "The future of `block_on` is polled only when woken; many wakes during a poll lead to one."
    guards "tokio's loom test `block_on_num_polls`; park tokens of others taken for wakes."
    pub fn x05r_only_a_woken_root_is_polled<E: BlockOn>() -> Outcome {
        let executor = E::default();
        let (log, gate) = (Log::new(), Gate::new());
        let (polled, mut opened) = (log.clone(), opened(&gate));
        let needless = Arc::new(AtomicUsize::new(0));
        let seen = needless.clone();
        // Silence for as long as a needless poll may take, and then a wake.
        let after_silence = move |poll, wake: Box<dyn FnOnce() + Send>| {
            let (polled, seen) = (polled.clone(), seen.clone());
            thread::spawn(move || {
                let needless = || polled.polls() > poll;
                (0..25).take_while(|_| !needless()).for_each(|_| thread::sleep(Duration::from_millis(1)));
                seen.fetch_add(usize::from(needless()), Relaxed);
                wake();
            });
        };
        executor.block_on(log.future(|poll, cx| {
            let waker = cx.waker().clone();
            match poll {
                1 => after_silence(poll, Box::new(move || waker.wake())),
                2 => on_another_thread(move || (0..100).for_each(|_| waker.wake_by_ref())),
                3 => (0..100).for_each(|_| waker.wake_by_ref()),
                4 => {
                    // A park token that means nothing.
                    thread::current().unpark();
                    let gate = gate.clone();
                    after_silence(poll, Box::new(move || gate.open()));
                    return opened(poll, cx);
                }
                _ => return opened(poll, cx),
            }
            Poll::Pending
        }));
        log.assert_sound();
        let needless = needless.load(Relaxed);
        if E::CAPABILITIES.polls_only_woken {
            assert_eq!((log.polls(), needless), (5, 0), "polls of a root that was woken four times, and needless ones");
        } else if log.polls() > 5 || needless > 0 {
            return Outcome::NotApplicable {
                capability: "polls_only_woken",
                why: "its root was polled more often than it was woken",
            };
        }
        Outcome::Pass
    }
}

/// How long an executor is left without anything to do.
const IDLE: Duration = Duration::from_millis(200);

/// What an idle thread may use of [`IDLE`] for going to sleep and waking up.
const IDLE_PROCESSOR_TIME: Duration = Duration::from_millis(10);

/// Polls of a future before its executor finds out that there is nothing to do.
const IDLE_POLLS: usize = 3;

/// Drives the executor with nothing to do for [`IDLE`] and fails if the thread uses its processor meanwhile, or polls
/// one of the futures that are logged in `tasks`, or its root.
fn assert_sleeps(executor: &impl BlockOn, tasks: &[Arc<Log>]) {
    let (root, gate) = (Log::new(), Gate::new());
    let ends = gate.clone();
    let before = processor_time();
    let helper = thread::spawn(move || {
        thread::sleep(IDLE);
        ends.open();
    });
    executor.block_on(root.future(opened(&gate)));
    if let (Some(before), Some(after)) = (before, processor_time()) {
        let used = after - before;
        assert!(used < IDLE_PROCESSOR_TIME, "of {IDLE:?} with nothing to do, its thread was busy for {used:?}");
    }
    helper.join().expect("the other thread does not panic");
    for log in tasks.iter().chain([&root]) {
        assert!(log.polls() <= IDLE_POLLS, "a future that nobody woke was polled {} times", log.polls());
    }
}

/// What an executor that spins shows: polls, without any wake.
const SPINS: Outcome =
    Outcome::NotApplicable { capability: "idle", why: "it spins: it made 1,000 polls that nobody asked for" };

clause! {
    "X6" Quality "With nothing ready, the driving thread sleeps: no task is polled and no processor time is used."
    guards "blog_os's `sleep_if_idle`, vexide/pros-rs#26: idle loops."
    pub fn x06_an_idle_executor_sleeps<E: Executor>() -> Outcome {
        let executor = E::default();
        if E::CAPABILITIES.idle == Idle::Spins {
            let (log, spun) = (Log::new(), Gate::new());
            let spins = spun.clone();
            drop(executor.spawn(log.future::<(), _>(move |poll, _| {
                if poll == 1_000 {
                    spins.open();
                }
                Poll::Pending
            })));
            executor.block_on(spun.opened());
            return SPINS;
        }
        let tasks: Vec<_> = (0..10).map(|_| Log::new()).collect();
        tasks.iter().for_each(|log| drop(executor.spawn(log.pending())));
        assert_sleeps(&executor, &tasks);
        Outcome::Pass
    }
}

clause! {
    "X6r" Quality "While the future of `block_on` waits, its thread sleeps: no poll, and no processor time."
    guards "vexide/pros-rs#26: a `block_on` that spins."
    pub fn x06r_an_idle_block_on_sleeps<E: BlockOn>() -> Outcome {
        let executor = E::default();
        if E::CAPABILITIES.idle == Idle::Spins {
            executor.block_on(Log::new().future(|poll, _| if poll > 1_000 { Poll::Ready(()) } else { Poll::Pending }));
            return SPINS;
        }
        assert_sleeps(&executor, &[]);
        Outcome::Pass
    }
}

/// The outcome of a clause about wakes, which an executor that polls everything anyway cannot break.
fn pass_if_wakes_matter<E: BlockOn + Described>() -> Outcome {
    if E::CAPABILITIES.wake_names == WakeNames::Nobody {
        return Outcome::Vacuous("it polls everything anyway, whether or not a wake is lost");
    }
    Outcome::Pass
}

clause! {
    "X7" Std "A wake that comes between the last look into the queue and the sleep is not lost."
    guards "tokio#525, async-executor#102 to #106, blog_os's `enable_and_hlt`: asleep with a task in the queue."
    pub fn x07_a_task_woken_just_before_the_sleep_is_polled<E: Executor>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        let task = executor.spawn(asking(&log, |answer| answer()));
        assert!(executor.block_on(task).is_ok());
        log.assert_sound();
        pass_if_wakes_matter::<E>()
    }
}

clause! {
    "X7r" Std "A wake of the root that comes just before its thread sleeps is not lost."
    guards "zesterer/pollster#1, tokio#525 and #528: a notification between the check and the wait."
    pub fn x07r_a_root_woken_just_before_the_sleep_is_polled<E: BlockOn>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        executor.block_on(asking(&log, |answer| answer()));
        log.assert_sound();
        pass_if_wakes_matter::<E>()
    }
}

/// A future that is woken and then consumes, or leaves, a token of `thread::park` inside the same poll, as user code
/// and the channels of std do.
fn parking(log: &Arc<Log>) -> impl Future<Output = usize> + Send + 'static {
    const A_MOMENT: Duration = Duration::from_millis(1);
    log.future(|poll, cx| {
        let waker = cx.waker().clone();
        match poll {
            1 => {
                waker.wake();
                thread::park_timeout(A_MOMENT);
            }
            2 => {
                on_another_thread(|| waker.wake());
                thread::park_timeout(A_MOMENT);
            }
            3 => {
                let (_sender, receiver) = mpsc::channel::<()>();
                on_another_thread(|| waker.wake());
                assert!(receiver.recv_timeout(A_MOMENT).is_err());
            }
            4 => {
                thread::current().unpark();
                waker.wake();
                thread::park_timeout(A_MOMENT);
                thread::park_timeout(A_MOMENT);
            }
            _ => return Poll::Ready(poll),
        }
        Poll::Pending
    })
}

clause! {
    "X8" Std "A wake of the root survives user code that parks the thread inside a poll."
    guards "rust-lang/futures-rs#2010, reqwest#1132, pollster 1.0.1: one park token for two purposes."
    pub fn x08_a_wake_of_the_root_survives_foreign_parking<E: BlockOn>() -> Outcome {
        let log = Log::new();
        assert_eq!(E::default().block_on(parking(&log)), 5);
        log.assert_sound();
        pass_if_wakes_matter::<E>()
    }
}

clause! {
    "X8t" Std "A wake of a task survives user code that parks the thread inside a poll."
    guards "rust-lang/futures-rs#2010: `park_unpark_independence`."
    pub fn x08t_a_wake_of_a_task_survives_foreign_parking<E: Executor>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        let task = executor.spawn(parking(&log));
        assert_eq!(executor.block_on(task).ok(), Some(5));
        log.assert_sound();
        pass_if_wakes_matter::<E>()
    }
}

/// Blocks on a second executor inside a poll of the first, whose waker is `outer`. Both are woken meanwhile: `asleep`
/// says whether during the inner future's own poll or after it.
fn nested<E: BlockOn + Described>(outer: Waker, asleep: bool) {
    let mut outer = Some(outer);
    E::default().block_on(std::future::poll_fn(|cx| {
        let Some(outer) = outer.take() else { return Poll::Ready(()) };
        let inner = cx.waker().clone();
        let wakes = move || {
            outer.wake();
            inner.wake();
        };
        if asleep {
            thread::spawn(wakes);
        } else {
            on_another_thread(wakes);
        }
        Poll::Pending
    }));
}

clause! {
    /// An executor whose threads refuse a second executor says that a nested `block_on` panics, too.
    "X9" House "`block_on` of another executor inside a poll completes, or panics, and costs the outer one no wake."
    guards "async-std#358, rust-lang/futures-rs#2386, Materialize#13776, pollster 1.0.1: the inner took the outer's wake."
    pub fn x09_block_on_of_another_executor_costs_no_wake<E: BlockOn>() -> Outcome {
        for asleep in [false, true] {
            let outer = E::default();
            let log = Log::new();
            let result = caught(|| {
                outer.block_on(log.future(|poll, cx| {
                    if poll > 1 {
                        return Poll::Ready(());
                    }
                    nested::<E>(cx.waker().clone(), asleep);
                    Poll::Pending
                }));
            });
            assert_eq!(outer.block_on(async { 7 }), 7, "`block_on` does not work afterwards");
            if let Err(message) = result {
                assert_eq!(E::CAPABILITIES.nested_block_on, NestedBlockOn::Panics, "it panicked: {message}");
                assert_says_nested(&message);
                return Outcome::NotApplicable {
                    capability: "nested_block_on",
                    why: "it panicked: one executor a thread, says its message",
                };
            }
            log.assert_sound();
        }
        Outcome::Pass
    }
}

/// Fails if a panic's message leaves its reader in the dark about nesting.
fn assert_says_nested(message: &str) {
    let says_so = ["inside", "within", "nested", "already"].iter().any(|word| message.contains(word));
    assert!(says_so, "the panic should say that the call is nested, but says: {message:?}");
}

clause! {
    "X9s" House "`block_on` and `run` of the same executor inside one of its tasks do what it claims, and never hang."
    guards "rust-lang/futures-rs#2386, delta-kernel-rs#1605: a task that waits for itself."
    pub fn x09s_block_on_of_the_same_executor_inside_its_task_never_hangs<E: RemoteSpawn>() -> Outcome {
        let claims = E::CAPABILITIES.nested_block_on;
        let executor = Arc::new(E::default());
        let inner = executor.clone();
        let other = executor.spawn(async {
            yield_now().await;
            7
        });
        let task = executor.spawn(async move { caught(|| inner.block_on(other).ok()) });
        let result = executor.block_on(task).expect("the task caught the panic");
        match (claims, result) {
            (NestedBlockOn::Works, Ok(value)) => assert_eq!(value, Some(7), "another task's value"),
            (NestedBlockOn::Panics, Err(message)) => assert_says_nested(&message),
            (_, result) => panic!("it says that a nested `block_on` {claims}, and returned {result:?}"),
        }
        if claims == NestedBlockOn::Panics {
            // Where nesting works, `run` inside a task waits for the task itself, and nothing can be promised.
            let inner = executor.clone();
            let task = executor.spawn(async move { caught(|| inner.run()) });
            let result = executor.block_on(task).expect("the task caught the panic");
            assert_says_nested(&result.expect_err("a nested `run` panics, too"));
        }
        assert_usable(&*executor);
        Outcome::Pass
    }
}

clause! {
    "X10" Quality "A task that wakes itself on every poll starves neither other tasks nor the root."
    guards "smol#171, rust-lang/futures-rs#2047 and #2551: a loop that polls one task for ever."
    pub fn x10_a_task_that_wakes_itself_starves_nobody<E: Executor>() -> Outcome {
        const YIELDS: usize = 100;
        /// A first-in-first-out queue makes it 1. Published executors poll their root every 61 or 200 polls.
        const POLLS_PER_YIELD: usize = 1_000;
        let executor = E::default();
        let greedy = Log::new();
        // Gives up in the end, so that starving is a failure and not a hang.
        drop(executor.spawn(greedy.future(|poll, cx| {
            if poll > 3 * YIELDS * POLLS_PER_YIELD { Poll::Ready(()) } else { restless(poll, cx) }
        })));
        let meek = executor.spawn(async {
            for _ in 0..YIELDS {
                yield_now().await;
            }
        });
        assert!(executor.block_on(meek).is_ok());
        let polls = greedy.polls();
        assert!(polls < YIELDS * POLLS_PER_YIELD, "it was polled {polls} times while a task yielded {YIELDS} times");
        drive(&executor, YIELDS);
        let polls = greedy.polls() - polls;
        assert!(polls < YIELDS * POLLS_PER_YIELD, "it was polled {polls} times while the root yielded {YIELDS} times");
        assert!(polls > 0, "a root that yields starves the tasks");
        Outcome::Pass
    }
}

clause! {
    "X10o" Quality "Tasks that one thread made ready are polled in the order in which it did."
    guards "a stack in the place of a queue, and new tasks before old ones."
    pub fn x10o_tasks_are_polled_in_the_order_in_which_they_became_ready<E: Executor>() -> Outcome {
        let executor = E::default();
        let order = Order::default();
        let logs = [(); 3].map(|()| Log::new());
        let _tasks = [0, 1, 2].map(|index| executor.spawn(order.of(&logs[index], index)));
        drive(&executor, 3);
        assert_eq!(order.take(), [0, 1, 2], "the order of the polls after the order [0, 1, 2] of the spawns");
        let wakes: &[_] = match E::CAPABILITIES.wake_names {
            WakeNames::Task => &[[0, 1, 2], [1, 2, 0]],
            WakeNames::Thread | WakeNames::Nobody => &[[0, 1, 2]],
        };
        for wakes in wakes {
            let wakers = wakes.map(|index| logs[index].waker());
            on_another_thread(|| wakers.into_iter().for_each(Waker::wake));
            order.take();
            drive(&executor, 3);
            assert_eq!(order.take(), *wakes, "the order of the polls after another thread's wakes");
        }
        for wakes in wakes {
            let fourth = Log::new();
            executor.block_on(async {
                drive_here().await;
                order.take();
                wakes.iter().for_each(|&index| logs[index].waker().wake());
                let task = executor.spawn(order.of(&fourth, 3));
                for _ in 0..3 {
                    yield_now().await;
                }
                task.abort();
            });
            let expected: Vec<_> = wakes.iter().copied().chain([3]).collect();
            assert_eq!(order.take(), expected, "the order of the polls after the root's wakes, and a spawn");
            drive(&executor, 3);
        }
        Outcome::Pass
    }
}

clause! {
    "X10f" Quality "So are those that it made ready before a `block_on` and in the first poll of that."
    guards "a root's first poll, in which the thread comes to drive: what it makes ready then must not overtake."
    pub fn x10f_a_first_poll_overtakes_nothing<E: Executor>() -> Outcome {
        let executor = E::default();
        let order = Order::default();
        let logs = [(); 3].map(|()| Log::new());
        let _tasks = [0, 1, 2].map(|index| executor.spawn(order.of(&logs[index], index)));
        drive(&executor, 3);
        let wakes: &[_] = match E::CAPABILITIES.wake_names {
            WakeNames::Task => &[[0, 1, 2], [1, 2, 0]],
            WakeNames::Thread | WakeNames::Nobody => &[[0, 1, 2]],
        };
        for wakes in wakes {
            let (before, first_poll) = wakes.split_at(1);
            let fourth = Log::new();
            before.iter().for_each(|&index| logs[index].waker().wake());
            let mut task = None;
            executor.block_on(async {
                first_poll.iter().for_each(|&index| logs[index].waker().wake());
                task = Some(executor.spawn(order.of(&fourth, 3)));
            });
            order.take();
            drive(&executor, 3);
            let expected: Vec<_> = wakes.iter().copied().chain([3]).collect();
            assert_eq!(order.take(), expected, "the order of the polls after wakes before and in a first poll, and a spawn");
            task.expect("it was spawned").abort();
            drive(&executor, 3);
        }
        Outcome::Pass
    }
}

clause! {
    "X10s" Quality "So are those that another thread made ready during a poll: one that it woke before one that it spawned after that."
    guards "new tasks that stand before the old ones: a program that spawns all the time keeps the others waiting."
    pub fn x10s_a_new_task_stands_behind_those_that_were_woken_before<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let (old, new) = (Log::new(), Log::new());
        let polls_before = Arc::new(AtomicUsize::new(0));
        drop(executor.spawn(old.future(|poll, _| if poll > 1 { Poll::Ready(()) } else { Poll::Pending })));
        drop(executor.spawn({
            let (spawner, old, new, polls_before) = (executor.spawner(), old.clone(), new.clone(), polls_before.clone());
            async move {
                on_another_thread(move || {
                    old.waker().wake();
                    drop(spawner.spawn(new.future(move |_, _| {
                        polls_before.store(old.polls(), SeqCst);
                        Poll::Ready(())
                    })));
                });
            }
        }));
        executor.run();
        assert_eq!(polls_before.load(SeqCst), 2, "polls of the task that was woken before the one that was spawned was polled");
        [&old, &new].into_iter().for_each(|log| log.assert_sound());
        Outcome::Pass
    }
}

/// The order in which tasks were polled.
#[derive(Clone, Default)]
struct Order {
    polled: Arc<Mutex<Vec<usize>>>,
}

impl Order {
    /// A future that notes each of its polls, and is pending.
    fn of(&self, log: &Arc<Log>, index: usize) -> impl Future<Output = ()> + Send + 'static {
        let polled = self.polled.clone();
        log.future(move |_, _| {
            let mut polled = polled.lock().unwrap();
            // Once each: some executors poll what nobody woke.
            if !polled.contains(&index) {
                polled.push(index);
            }
            Poll::Pending
        })
    }

    /// Those polled since the last call, each once.
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.polled.lock().unwrap())
    }
}

/// Waits until the thread drives: `block_on` may poll its root before that.
async fn drive_here() {
    for _ in 0..3 {
        yield_now().await;
    }
}

clause! {
    "X12" House "A task that panics, also one that woke itself before, leaves the executor and its other tasks working."
    guards "rust-lang/futures-rs#1468, redbadger/crux#397, glommio#37: a pool that dies, a poisoned queue, a hang."
    pub fn x12_a_panicking_task_leaves_the_executor_usable<E: Executor>() -> Outcome {
        for woken in [false, true] {
            let executor = E::default();
            let (log, others) = (Log::new(), Log::new());
            let other = executor.spawn(others.future(|poll, cx| {
                if poll > 3 { Poll::Ready(7) } else { restless(poll, cx).map(|()| 0) }
            }));
            let panicking = executor.spawn(log.future::<(), _>(move |_, cx| {
                if woken {
                    cx.waker().wake_by_ref();
                }
                quiet_panic("on purpose")
            }));
            if !E::CAPABILITIES.catches_panics {
                let unwound = caught(|| drive_until(&executor, || others.drops() > 0 && log.drops() > 0));
                assert_eq!(unwound, Err("on purpose".to_owned()), "an uncaught panic unwinds out of `block_on`");
                return Outcome::NotApplicable {
                    capability: "catches_panics",
                    why: "a task's panic unwound out of `block_on`",
                };
            }
            assert!(matches!(executor.block_on(panicking), Err(JoinError::Panicked(_))), "its handle says so");
            assert_eq!(executor.block_on(other).ok(), Some(7), "another task did not survive a panic");
            assert_usable(&executor);
            executor.run();
            assert_eq!((log.polls(), log.drops()), (1, 1), "polls and drops of the task that panicked");
        }
        Outcome::Pass
    }
}

/// Tasks in every state that a shutdown finds them in.
fn unfinished(executor: &impl Executor) -> [(&'static str, Arc<Log>); 4] {
    let [fresh, pending, queued, restless_] = std::array::from_fn(|_| Log::new());
    drop(executor.spawn(pending.pending()));
    drop(executor.spawn(queued.pending()));
    drop(executor.spawn(restless_.future(restless)));
    drive_until(executor, || [&pending, &queued, &restless_].iter().all(|log| log.polls() > 0));
    queued.waker().wake();
    drop(executor.spawn(fresh.pending()));
    [("never polled", fresh), ("pending", pending), ("woken", queued), ("woken by itself", restless_)]
}

/// Fails unless each of the futures is dropped, once, by the calling thread.
fn assert_dropped_here(tasks: &[(&str, Arc<Log>)]) {
    for (state, log) in tasks {
        assert_eq!(log.drops(), 1, "drops of a task that was {state} when its executor was dropped");
        assert_eq!(log.dropped_on(), Some(thread::current().id()), "the task that was {state}: dropped elsewhere");
        log.assert_sound();
    }
}

clause! {
    "X13" House "Dropping an executor drops every unfinished future, once each, before it returns and on that thread."
    guards "tokio's `eagerly_drops_futures_on_shutdown`, async-executor's `executor_cancels_everything`."
    pub fn x13_dropping_the_executor_drops_every_future<E: Executor>() -> Outcome {
        let executor = E::default();
        let tasks = unfinished(&executor);
        drop(executor);
        assert_dropped_here(&tasks);
        assert_eq!(tasks[0].1.polls(), 0, "a task was polled while its executor was dropped");
        Outcome::Pass
    }
}

clause! {
    "X13s" House "An executor that is dropped by another thread than drove it drops its futures on that other thread."
    guards "compio#494, zed#21020: futures dropped wherever the last waker is."
    pub fn x13s_another_thread_drops_the_executor<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let tasks = unfinished(&executor);
        on_another_thread(move || {
            drop(executor);
            assert_dropped_here(&tasks);
        });
        Outcome::Pass
    }
}

clause! {
    "X14" House "Futures that wake and abort one another when they are dropped get through their executor's drop."
    guards "tokio#2046, #1886 and #1929, compio#936, nexosim's `task_drop_cycle`: a drop under the queue's lock."
    pub fn x14_drops_at_shutdown_wake_and_abort_other_tasks<E: Executor>() -> Outcome {
        let executor = E::default();
        let ring: [Arc<Log>; 3] = std::array::from_fn(|_| Log::new());
        let handles = Arc::new([(); 3].map(|()| Mutex::new(None::<E::JoinHandle<()>>)));
        for (index, log) in ring.iter().enumerate() {
            let next = (index + 1) % 3;
            let (other, others) = (ring[next].clone(), handles.clone());
            let future = log.pending().on_drop(move || {
                other.waker().wake_by_ref();
                let handle = others[next].lock().unwrap().take();
                if let Some(handle) = handle {
                    handle.abort();
                }
                other.waker().wake();
            });
            *handles[index].lock().unwrap() = Some(executor.spawn(future));
        }
        drive_until(&executor, || ring.iter().all(|log| log.polls() > 0));
        let polls = ring.each_ref().map(|log| log.polls());
        drop(executor);
        assert_eq!(ring.each_ref().map(|log| log.drops()), [1; 3], "drops of tasks that wake one another");
        assert_eq!(ring.each_ref().map(|log| log.polls()), polls, "a task was polled while its executor was dropped");
        ring.iter().for_each(|log| log.assert_sound());
        Outcome::Pass
    }
}

clause! {
    "X14s" House "A future that spawns when it is dropped resurrects nothing: what it spawns at shutdown is dropped too."
    guards "tokio's `spawn_during_shutdown`, madsim#125: a list of tasks that grows while it is drained."
    pub fn x14s_drops_at_shutdown_spawn_other_tasks<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let [first, second, third] = std::array::from_fn(|_| Log::new());
        let spawner = executor.spawner();
        let (inner, innermost) = (second.clone(), third.clone());
        drop(executor.spawn(first.pending().on_drop(move || {
            let again = spawner.clone();
            let future = inner.pending().on_drop(move || drop(again.spawn(innermost.pending())));
            drop(spawner.spawn(future));
        })));
        drive_until(&executor, || first.polls() > 0);
        drop(executor);
        assert_eq!(first.drops(), 1);
        for log in [second, third] {
            assert_eq!(log.drops(), 1, "drops of a future that was spawned by a drop at shutdown");
            assert_eq!(log.polls(), 0, "polls of a future that was spawned by a drop at shutdown");
        }
        Outcome::Pass
    }
}

clause! {
    "X14p" House "A future whose drop panics at shutdown keeps no other from being dropped."
    guards "rust-lang/futures-rs#2863 and #2886: siblings leaked, or used after they were freed."
    pub fn x14p_a_panicking_drop_at_shutdown_keeps_no_other_from_being_dropped<E: Executor>() -> Outcome {
        let executor = E::default();
        let tasks: [Arc<Log>; 3] = std::array::from_fn(|_| Log::new());
        for (index, log) in tasks.iter().enumerate() {
            drop(executor.spawn(log.pending().on_drop(move || {
                if index == 1 {
                    quiet_panic("on purpose");
                }
            })));
        }
        drive_until(&executor, || tasks.iter().all(|log| log.polls() > 0));
        let result = caught(|| drop(executor));
        if !E::CAPABILITIES.catches_panics {
            assert!(result.is_err(), "a panic was swallowed by an executor that says it catches none");
            return Outcome::NotApplicable {
                capability: "catches_panics",
                why: "the panic unwound out of the executor's drop",
            };
        }
        assert_eq!(result, Ok(()), "a panic in a task unwound out of the executor's drop");
        // The one that panicked did so before it could count itself.
        assert_eq!(tasks.each_ref().map(|log| log.drops()), [1, 0, 1], "drops beside one that panicked");
        Outcome::Pass
    }
}

clause! {
    "X15" House "A handle whose executor is gone yields `Cancelled`, and whoever waits for it is woken."
    guards "async-task and futures panic there; a handle that waits for ever."
    pub fn x15_a_handle_outlives_its_executor<E: Executor>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        let (mut waited_for, mut fresh) = (executor.spawn(log.pending()), executor.spawn(log.pending()));
        let (count, waker) = WakeCount::new();
        assert!(poll_once(&mut waited_for, &waker).is_pending());
        drive_until(&executor, || log.polls() > 0);
        drop(executor);
        for handle in [&mut waited_for, &mut fresh] {
            if !E::CAPABILITIES.reports_cancellation {
                assert!(caught(|| poll_once(handle, &waker)).is_err(), "it says that such a handle panics");
                continue;
            }
            assert!(handle.is_finished(), "the executor is gone, and so is the future");
            let result = wait_for(handle, "a handle whose executor is gone");
            assert!(matches!(result, Err(JoinError::Cancelled)), "the handle yields {result:?}");
        }
        if !E::CAPABILITIES.reports_cancellation {
            return Outcome::NotApplicable { capability: "reports_cancellation", why: "polling the handle panicked" };
        }
        assert!(count.wakes() > 0, "who waited for the handle was not woken");
        Outcome::Pass
    }
}

/// Spawns onto an executor that is gone, or going, and says whether the future was gone when `spawn` returned.
fn spawn_too_late<S: Spawn>(spawner: &S) -> (bool, S::JoinHandle<()>) {
    let log = Log::new();
    let handle = spawner.spawn(log.pending());
    let dropped_here = log.drops() == 1 && log.dropped_on() == Some(thread::current().id());
    (dropped_here && log.polls() == 0, handle)
}

clause! {
    "X16" House "A future that is spawned after or during the executor's drop is dropped at once; its handle: `Cancelled`."
    guards "tokio's `spawn_during_shutdown`: a task in a queue that nobody drains any more."
    pub fn x16_spawning_after_the_executor_drops_the_future<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let spawner = executor.spawner();
        let during = Arc::new(Mutex::new(None));
        drop(executor.spawn(Log::new().pending().on_drop({
            let (spawner, during) = (spawner.clone(), during.clone());
            move || *during.lock().unwrap() = Some(spawn_too_late(&spawner))
        })));
        drop(executor);
        let during = during.lock().unwrap().take().expect("the task was dropped with its executor");
        let from_elsewhere = spawner.clone();
        let elsewhere = thread::spawn(move || spawn_too_late(&from_elsewhere)).join().expect("`spawn` does not panic");
        for (when, (dropped, mut handle)) in
            [("during", during), ("after", spawn_too_late(&spawner)), ("on another thread after", elsewhere)]
        {
            assert!(dropped, "a future spawned {when} the executor's drop was still there when `spawn` returned");
            if !E::CAPABILITIES.reports_cancellation {
                assert!(caught(|| poll_once(&mut handle, Waker::noop())).is_err(), "it says that such a handle panics");
                continue;
            }
            let result = wait_for(&mut handle, "a handle whose executor is gone");
            assert!(matches!(result, Err(JoinError::Cancelled)), "spawned {when} the drop: the handle yields {result:?}");
        }
        Outcome::Pass
    }
}

clause! {
    "X16c" House "A spawner says when its executor is gone or going, and not before."
    guards "a service that goes on taking requests whose tasks nobody will run."
    pub fn x16c_a_spawner_says_when_its_executor_is_gone<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let spawner = executor.spawner();
        assert!(!spawner.is_closed(), "closed, and the executor is new");
        drop(spawner.spawn(async {}));
        executor.run();
        let during = Arc::new(Mutex::new(None));
        drop(executor.spawn(Log::new().pending().on_drop({
            let (spawner, during) = (spawner.clone(), during.clone());
            move || *during.lock().unwrap() = Some(spawner.is_closed())
        })));
        let inside = spawner.clone();
        assert!(!executor.block_on(async move { inside.is_closed() }), "closed, and the executor is being driven");
        let elsewhere = spawner.clone();
        assert!(!on_another_thread(move || elsewhere.is_closed()), "closed, and the executor is alive");
        drop(executor);
        assert_eq!(*during.lock().unwrap(), Some(true), "what it says while the executor drops its tasks");
        assert!(spawner.is_closed() && spawner.clone().is_closed(), "open, and the executor is gone");
        assert!(on_another_thread(move || spawner.is_closed()), "open, and the executor is gone");
        Outcome::Pass
    }
}

/// Fewer blocks than a leak leaves in so many rounds, and more than a thread that first had to wait late in them.
const LEAKED_BLOCKS: isize = 16;

/// Does `theirs` on another thread and `ours` on this one at once, each with its part of what `prepare` makes, and then
/// `check`, again and again. Fails if all that leaks memory.
fn race<A: Send + 'static, B, C, R: Send + 'static>(
    prepare: impl Fn() -> (A, B, C),
    theirs: impl Fn(A) -> R + Send + 'static,
    ours: impl Fn(B),
    check: impl Fn(C, R),
) {
    // Bounded, so that the channels allocate nothing in the rounds.
    let (sender, inputs) = mpsc::sync_channel::<A>(1);
    let (outputs, receiver) = mpsc::sync_channel(1);
    let start = Arc::new(AtomicUsize::new(0));
    let meet = |start: &AtomicUsize| {
        let both = (start.fetch_add(1, SeqCst) / 2 + 1) * 2;
        while start.load(SeqCst) < both {
            thread::yield_now();
        }
    };
    let met = start.clone();
    thread::spawn(move || {
        for input in inputs {
            meet(&met);
            let output = caught(|| theirs(input));
            // Nobody listens when the test has failed meanwhile.
            let _ = outputs.send((output, Allocations::now().blocks));
        }
    });
    let mut first = None;
    let mut last = 0;
    for round in rounds(2_000) {
        let (input, mine, checked) = prepare();
        sender.send(input).expect("the other thread is there");
        meet(&start);
        (0..round % 32 * 4).for_each(|_| std::hint::spin_loop());
        ours(mine);
        let (output, blocks) = receiver.recv().expect("the other thread is there");
        check(checked, output.expect("the other thread does not panic"));
        last = blocks + Allocations::now().blocks;
        // What threads allocate for themselves, they allocate in their first rounds.
        if round == 10 {
            first = Some(last);
        }
    }
    let leaked = last - first.unwrap_or(last);
    assert!(leaked < LEAKED_BLOCKS, "{leaked} allocated blocks were never freed");
}

clause! {
    "X17" House "Wakes and aborts that race the executor's drop are safe and leak nothing: each future is dropped there."
    guards "async-executor#163 (use after free), and 1.14.1 (a task left in a queue), tokio#3978."
    pub fn x17_wakes_race_the_drop_of_the_executor<E: Executor>() -> Outcome {
        race(
            || {
                let (executor, log) = (E::default(), Log::new());
                let handle = executor.spawn(log.pending());
                drive_until(&executor, || log.polls() > 0);
                ((log.waker(), handle), executor, log)
            },
            |(waker, handle)| {
                waker.wake_by_ref();
                let clone = waker.clone();
                drop(waker);
                clone.wake();
                handle.abort();
            },
            drop,
            |log, ()| {
                assert_eq!(log.drops(), 1, "drops of a future that was woken while its executor was dropped");
                assert_eq!(log.dropped_on(), Some(thread::current().id()), "the future was dropped elsewhere");
                log.assert_sound();
            },
        );
        Outcome::Pass
    }
}

clause! {
    "X17s" House "Spawning may race the executor's drop: each future is dropped once, and its handle says `Cancelled`."
    guards "tokio#3978: a task that enters the queue after it was drained."
    pub fn x17s_spawns_race_the_drop_of_the_executor<E: RemoteSpawn>() -> Outcome {
        race(
            || {
                let (executor, logs) = (E::default(), [Log::new(), Log::new()]);
                ((executor.spawner(), logs.clone()), executor, logs)
            },
            |(spawner, logs)| logs.map(|log| spawner.spawn(log.pending())),
            drop,
            |logs, handles| {
                for (log, mut handle) in logs.into_iter().zip(handles) {
                    assert_eq!(log.drops(), 1, "drops of a future that was spawned while its executor was dropped");
                    assert_eq!(log.polls(), 0);
                    if E::CAPABILITIES.reports_cancellation {
                        let result = wait_for(&mut handle, "a handle whose executor is gone");
                        assert!(matches!(result, Err(JoinError::Cancelled)), "the handle yields {result:?}");
                    }
                }
            },
        );
        Outcome::Pass
    }
}

clause! {
    "X19" House "A panic of `block_on`'s own future unwinds to the caller and leaves the executor working."
    guards "tokio's `shutdown_on_panic`: a right to drive that nobody gave back."
    pub fn x19_a_panic_of_the_root_unwinds_to_the_caller<E: BlockOn>() -> Outcome {
        let executor = E::default();
        for _ in 0..3 {
            let log = Log::new();
            let result = caught(|| {
                executor.block_on(log.future(|poll, cx| {
                    if poll > 1 { quiet_panic("on purpose") } else { restless(poll, cx) }
                }))
            });
            assert_eq!(result, Err("on purpose".to_owned()));
            assert_eq!(log.drops(), 1, "drops of the future that panicked");
            log.waker().wake();
            drive(&executor, 3);
            log.assert_sound();
        }
        Outcome::Pass
    }
}

clause! {
    "X19t" House "After a panic of the root the tasks go on in the next call."
    guards "tokio's `wake_in_drop_after_panic`: tasks that were out of the queue when the panic came."
    pub fn x19t_tasks_survive_a_panic_of_the_root<E: Executor>() -> Outcome {
        let executor = E::default();
        for in_the_first_poll in [false, true] {
            let (log, gate) = (Log::new(), Gate::new());
            let waiting = executor.spawn(log.future(opened(&gate)));
            let mut queued = None;
            if in_the_first_poll {
                drive(&executor, 3);
            }
            let result = caught(|| {
                executor.block_on(async {
                    while log.polls() == 0 {
                        yield_now().await;
                    }
                    gate.open();
                    queued = Some(executor.spawn(async { 7 }));
                    quiet_panic("on purpose")
                })
            });
            assert_eq!(result, Err("on purpose".to_owned()));
            executor.run();
            let case = if in_the_first_poll { "in the first poll" } else { "in a later poll" };
            assert!(executor.block_on(waiting).is_ok(), "{case}: a task that waited did not survive");
            let queued = queued.expect("it was spawned");
            assert_eq!(executor.block_on(queued).ok(), Some(7), "{case}: a task in the queue did not survive");
            log.assert_sound();
        }
        assert_usable(&executor);
        Outcome::Pass
    }
}

clause! {
    "X20" House "Two executors that one thread drives in turn do not exchange tasks."
    guards "async-executor#61 and #103 to #106: queues of the thread where those of an executor are meant."
    pub fn x20_two_executors_do_not_exchange_tasks<E: Executor>() -> Outcome {
        let executors = [E::default(), E::default()];
        let [busy, idle]: [[Arc<Log>; 2]; 2] = std::array::from_fn(|_| std::array::from_fn(|_| Log::new()));
        for (index, executor) in executors.iter().enumerate() {
            drop(executor.spawn(busy[index].future(restless)));
            drop(executor.spawn(idle[index].pending()));
        }
        for turn in 0..10 {
            let (this, other) = (turn % 2, (turn + 1) % 2);
            let before = [busy[other].polls(), idle[other].polls()];
            let polls = busy[this].polls();
            executors[this].block_on(async {
                while busy[this].polls() < polls + 3 || idle[this].polls() == 0 {
                    // The other's task becomes ready while this one's are polled.
                    if idle[other].polls() > 0 {
                        idle[other].waker().wake();
                    }
                    yield_now().await;
                }
            });
            let after = [busy[other].polls(), idle[other].polls()];
            assert_eq!(after, before, "polls of an executor's tasks while another executor was driven");
        }
        let [first, second] = executors;
        drop(first);
        assert_eq!([&busy, &idle].map(|logs| [logs[0].drops(), logs[1].drops()]), [[1, 0]; 2], "drops with the first");
        let polls = idle[1].polls();
        idle[1].waker().wake();
        drive_until(&second, || idle[1].polls() > polls);
        drop(second);
        assert_eq!([&busy, &idle].map(|logs| [logs[0].drops(), logs[1].drops()]), [[1, 1]; 2], "drops with both");
        busy.iter().chain(&idle).for_each(|log| log.assert_sound());
        Outcome::Pass
    }
}

/// Runs `action` on a thread that may hang, and hands back where its result will arrive.
fn apart<R: Send + 'static>(action: impl FnOnce() -> R + Send + 'static) -> mpsc::Receiver<R> {
    let (sender, receiver) = mpsc::channel();
    // The receiver is gone only when the test has failed.
    thread::spawn(move || drop(sender.send(action())));
    receiver
}

/// Waits for the end of what [`apart`] began.
#[track_caller]
fn returned<R>(receiver: &mpsc::Receiver<R>, what: &'static str) -> R {
    let _waits = Waits::for_this(what);
    receiver.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|error| panic!("{what} did not return: {error}"))
}

const ONE_DRIVER: Outcome = Outcome::NotApplicable {
    capability: "concurrent_drivers",
    why: "nothing is shown: a second thread may panic, wait or hang there",
};

clause! {
    "X22" House "Threads inside `block_on` or `run` at once all return: when the driving one leaves, another takes over."
    guards "async-executor#102: a sleeper that was told of work, and left; a thread that sleeps with a task woken."
    pub fn x22_a_second_thread_takes_over_when_the_driving_one_leaves<E: RemoteSpawn>() -> Outcome {
        if !E::CAPABILITIES.concurrent_drivers {
            return ONE_DRIVER;
        }
        for (panics, runs) in [(false, false), (false, true), (true, false), (true, true)] {
            let executor = Arc::new(E::default());
            let [entered, leave, follows, go] = std::array::from_fn(|_| Gate::new());
            let log = Log::new();
            let task = executor.spawn(log.future(opened(&go)));
            let driver = apart({
                let (executor, entered, leave, log) = (executor.clone(), entered.clone(), leave.clone(), log.clone());
                move || {
                    caught(|| {
                        executor.block_on(async {
                            while log.polls() == 0 {
                                yield_now().await;
                            }
                            entered.open();
                            leave.opened().await;
                            if panics {
                                quiet_panic("on purpose");
                            }
                        });
                    })
                    .is_err()
                }
            });
            entered.wait("the first thread to drive the task");
            let follower = apart({
                let (executor, follows) = (executor.clone(), follows.clone());
                move || {
                    if runs {
                        follows.open();
                        return executor.run();
                    }
                    let joined = executor.block_on(async {
                        follows.open();
                        task.await
                    });
                    assert!(joined.is_ok());
                }
            });
            follows.wait("the second thread's first poll");
            leave.open();
            assert_eq!(returned(&driver, "the thread that drove"), panics);
            // Nobody but the second thread can poll the task now.
            go.open();
            returned(&follower, "the second thread");
            assert_eq!(log.drops(), 1);
            log.assert_sound();
        }
        Outcome::Pass
    }
}

clause! {
    "X22a" House "However many threads are inside `block_on` at once, each gets its output, and no task is polled by two."
    guards "embassy#3573, compio#856: one task in two hands; a follower that sleeps while nobody drives."
    pub fn x22a_many_threads_block_on_one_executor<E: RemoteSpawn>() -> Outcome {
        if !E::CAPABILITIES.concurrent_drivers {
            return ONE_DRIVER;
        }
        let executor = Arc::new(E::default());
        let threads = [(); 4].map(|()| {
            let executor = executor.clone();
            apart(move || {
                for round in rounds(200) {
                    let log = Log::new();
                    let task = executor.spawn(log.future(|poll, cx| {
                        if poll > 5 { Poll::Ready(()) } else { restless(poll, cx) }
                    }));
                    if round % 4 == 0 {
                        yield_from(&*executor);
                    }
                    assert!(executor.block_on(task).is_ok());
                    assert_eq!(log.drops(), 1);
                    log.assert_sound();
                }
            })
        });
        threads.iter().for_each(|thread| returned(thread, "one of four threads"));
        executor.run();
        Outcome::Pass
    }
}

clause! {
    "X22h" House "A thread that drove before, and now wakes a task that another thread drives, is heard."
    guards "a waker that remembers where it is at home: monoio-rs/monoio#117, DataDog/glommio#194 are its relatives."
    pub fn x22h_who_drove_before_wakes_like_any_other<E: RemoteSpawn>() -> Outcome {
        let executor = Arc::new(E::default());
        let (log, gate, driven) = (Log::new(), Gate::new(), Arc::new(AtomicBool::new(false)));
        drop(executor.spawn(log.future(opened(&gate))));
        while log.polls() == 0 {
            yield_from(&*executor);
        }
        let (driver, drives) = (executor.clone(), driven.clone());
        // Polled by whoever drives, and this thread does not any more.
        drop(executor.spawn(async move { drives.store(true, Relaxed) }));
        let thread = apart(move || driver.run());
        while !driven.load(Relaxed) {
            thread::yield_now();
        }
        gate.open();
        returned(&thread, "`run` on the thread that took over");
        assert_eq!(log.drops(), 1);
        log.assert_sound();
        Outcome::Pass
    }
}

/// A `block_on` that is over at once, so that the right to drive changes hands.
fn yield_from(executor: &impl BlockOn) {
    executor.block_on(yield_now());
}

clause! {
    "X22n" House "The right to drive passes from thread to thread as often as the one that drives leaves."
    guards "async-executor#102: a sleeper that was told of work, and left; here whoever leaves tells one, and forgets the others."
    pub fn x22n_the_right_to_drive_passes_on_and_on<E: RemoteSpawn>() -> Outcome {
        const THREADS: usize = 8;
        if !E::CAPABILITIES.concurrent_drivers {
            return ONE_DRIVER;
        }
        let executor = Arc::new(E::default());
        let log = Log::new();
        let (driven, drivers) = mpsc::sync_channel(1);
        let polled = log.future(move |_, _| {
            // Full where nobody has asked since.
            let _ = driven.try_send(thread::current().id());
            Poll::<()>::Pending
        });
        let (entered, entries) = mpsc::channel();
        let threads = [(); THREADS].map(|()| {
            let (executor, entered, leave) = (executor.clone(), entered.clone(), Gate::new());
            apart(move || {
                executor.block_on(async {
                    // The receiver is gone only when the test has failed.
                    let _ = entered.send((thread::current().id(), leave.clone()));
                    leave.opened().await;
                });
            })
        });
        let mut inside: HashMap<_, _> = entries.iter().take(THREADS).collect();
        drop(executor.spawn(polled));
        for _ in 0..THREADS {
            let leave = loop {
                let driver = returned(&drivers, "a poll by the thread that drives");
                // It may have been polled before the last one left.
                if let Some(leave) = inside.remove(&driver) {
                    break leave;
                }
                log.waker().wake();
            };
            leave.open();
            log.waker().wake();
        }
        threads.iter().for_each(|thread| returned(thread, "a thread that was to leave"));
        log.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "X22m" Quality "To wait while another thread drives takes no memory that grows: not with the wakes, and not with the calls."
    guards "a list of those who wait, in which an entry stays, or is made at each look."
    pub fn x22m_waiting_for_the_right_to_drive_holds_no_memory<E: RemoteSpawn>() -> Outcome {
        const WAKES: usize = 1_000;
        if !E::CAPABILITIES.concurrent_drivers {
            return ONE_DRIVER;
        }
        if !Allocations::are_counted() {
            return Outcome::Vacuous("this program does not count allocations");
        }
        let executor = Arc::new(E::default());
        let [driving, leave] = [(); 2].map(|()| Gate::new());
        let driver = apart({
            let (executor, driving, leave) = (executor.clone(), driving.clone(), leave.clone());
            move || {
                executor.block_on(async {
                    drive_here().await;
                    driving.open();
                    leave.opened().await;
                });
            }
        });
        driving.wait("the first thread to drive");
        for (calls, wakes) in [(1, WAKES), (WAKES, 1)] {
            let grown = growth_of_a_follower(&executor, calls, wakes);
            assert!(grown < WAKES as isize, "{calls} calls, each woken {wakes} times, hold {grown} bytes");
        }
        leave.open();
        returned(&driver, "the thread that drove");
        Outcome::Pass
    }
}

/// The bytes that a thread holds more after so many calls of `block_on`, each woken so many times, while another thread
/// drives.
fn growth_of_a_follower<E: RemoteSpawn + 'static>(executor: &Arc<E>, calls: usize, wakes: usize) -> isize {
    let log = Log::new();
    let [woken, gone] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let follower = apart({
        let (executor, log, woken, gone) = (executor.clone(), log.clone(), woken.clone(), gone.clone());
        move || {
            let mut before = None;
            for call in 1..=calls {
                executor.block_on(poll_fn(|cx| {
                    let woken = woken.load(SeqCst);
                    if woken > 0 {
                        before.get_or_insert_with(|| Allocations::now().bytes);
                    }
                    if woken < call * wakes {
                        log.keep_waker(cx.waker());
                        return Poll::Pending;
                    }
                    Poll::Ready(())
                }));
                log.forget_waker();
                // Then no waker of this call is left, and the next may have the same.
                while gone.load(SeqCst) < call * wakes {
                    thread::yield_now();
                }
            }
            Allocations::now().bytes - before.expect("it was polled after a wake")
        }
    });
    for wake in 0..calls * wakes {
        let waker = loop {
            match log.take_waker() {
                Some(waker) => break waker,
                None => thread::yield_now(),
            }
        };
        // The other thread goes to sleep meanwhile, or is about to: at a different moment each time.
        (0..wake % 64 * 16).for_each(|_| std::hint::spin_loop());
        woken.fetch_add(1, SeqCst);
        waker.wake();
        gone.fetch_add(1, SeqCst);
    }
    returned(&follower, "the thread that waits")
}

clause! {
    "X22o" Quality "Tasks that one thread made ready are polled in that order, also where it takes over from another meanwhile."
    guards "found here: what a follower had woken stood behind what it woke as the driver."
    pub fn x22o_the_order_survives_a_hand_over<E: RemoteSpawn>() -> Outcome {
        for round in rounds(2_000) {
            let executor = Arc::new(E::default());
            let order = Order::default();
            let logs = [(); 2].map(|()| Log::new());
            let _tasks = [0, 1].map(|index| executor.spawn(order.of(&logs[index], index)));
            drive(&*executor, 3);
            order.take();
            let (driving, woken) = (Gate::new(), Gate::new());
            let mut wakers = logs.each_ref().map(|log| Some(log.waker()));
            let follower = Log::new();
            let thread = thread::spawn({
                let (executor, driving, woken) = (executor.clone(), driving.clone(), woken.clone());
                let root = follower.future(move |poll, _| {
                    if poll == 1 {
                        driving.wait("the other thread's root");
                        wakers[0].take().into_iter().for_each(Waker::wake);
                        woken.open();
                        return Poll::Pending;
                    }
                    wakers[1].take().into_iter().for_each(Waker::wake);
                    Poll::Ready(())
                });
                move || executor.block_on(root)
            });
            executor.block_on(async {
                drive_here().await;
                driving.open();
                // It leaves without another look at what is ready.
                woken.wait("the wake by the thread that follows");
            });
            // The other thread takes over meanwhile: at a different moment each time.
            (0..round % 64 * 16).for_each(|_| std::hint::spin_loop());
            follower.waker().wake();
            thread.join().expect("it does not panic");
            drive(&*executor, 3);
            assert_eq!(order.take(), [0, 1], "the order of the polls");
        }
        Outcome::Pass
    }
}

clause! {
    "X23" House "`run` returns when no task is left, and at once where there is none."
    guards "rust-lang/futures-rs#2593 and #1737: a `run` that ends too early, or never."
    pub fn x23_run_returns_when_no_task_is_left<E: Executor>() -> Outcome {
        let executor = E::default();
        executor.run();
        let (yields, waits, gate) = (Log::new(), Log::new(), Gate::new());
        for _ in 0..2 {
            drop(executor.spawn(async {}));
        }
        drop(executor.spawn(yields.future(|poll, cx| if poll > 3 { Poll::Ready(()) } else { restless(poll, cx) })));
        drop(executor.spawn(waits.future(opened(&gate))));
        let (polled, opens) = (waits.clone(), gate.clone());
        let helper = thread::spawn(move || {
            while polled.polls() == 0 {
                thread::yield_now();
            }
            opens.open();
        });
        executor.run();
        assert_eq!((yields.drops(), waits.drops()), (1, 1), "`run` returned before the tasks had ended");
        helper.join().expect("the other thread does not panic");
        executor.run();
        let aborted = executor.spawn(Log::new().pending());
        aborted.abort();
        executor.run();
        assert!(aborted.is_finished(), "`run` returned before an aborted task had ended");
        Outcome::Pass
    }
}

/// Fails unless the executor has so many tasks.
fn assert_tasks(executor: &impl Executor, tasks: usize, when: &str) {
    assert_eq!(executor.tasks(), Some(tasks), "tasks {when}");
}

const UNCOUNTED: Outcome =
    Outcome::NotApplicable { capability: "Executor::tasks", why: "it does not count its tasks: it says `None`" };

clause! {
    "X23n" House "The number of tasks that are left is exact for the thread that drives."
    guards "programs that count their own tasks, and forget those that panic or are aborted."
    pub fn x23n_the_number_of_tasks_is_exact_for_the_driving_thread<E: Executor>() -> Outcome {
        let executor = E::default();
        if executor.tasks().is_none() {
            drop(executor.spawn(async {}));
            assert_eq!(executor.tasks(), None, "it counts after all");
            return UNCOUNTED;
        }
        assert_tasks(&executor, 0, "of a new executor");
        let gate = Gate::new();
        let ends = executor.spawn(gate.opened());
        let (detached, cancelled) = (Log::new(), Log::new());
        drop(executor.spawn(detached.future(opened(&gate))));
        let aborted = executor.spawn(cancelled.pending());
        assert_tasks(&executor, 3, "that were spawned before anybody drove");
        executor.block_on(async {
            yield_now().await;
            assert_tasks(&executor, 3, "that wait");
            let inside = executor.spawn(yield_now());
            assert_tasks(&executor, 4, "with one that the root has spawned");
            assert!(inside.await.is_ok());
            assert_tasks(&executor, 3, "when it has ended");
            aborted.abort();
            while cancelled.drops() == 0 {
                yield_now().await;
            }
            assert_tasks(&executor, 2, "when one was aborted");
            gate.open();
            assert!(ends.await.is_ok());
            while detached.drops() == 0 {
                yield_now().await;
            }
            assert_tasks(&executor, 0, "when all have ended, and one of them without a handle");
        });
        if E::CAPABILITIES.catches_panics {
            let panics = executor.spawn(async { quiet_panic("in a task") });
            assert!(executor.block_on(panics).is_err());
            assert_tasks(&executor, 0, "when one has panicked");
        }
        let yields = executor.spawn(yield_now());
        assert_tasks(&executor, 1, "before `run`");
        executor.run();
        assert_tasks(&executor, 0, "after `run`");
        assert!(yields.is_finished());
        Outcome::Pass
    }
}

clause! {
    "X23m" House "The number of tasks counts those that others spawn, and is never less than none."
    guards "a count of two words that is read while one of them has changed."
    pub fn x23m_the_number_of_tasks_counts_what_others_spawn<E: RemoteSpawn>() -> Outcome {
        const TASKS: usize = 200;
        let executor = E::default();
        if executor.tasks().is_none() {
            return UNCOUNTED;
        }
        let (spawner, gate) = (executor.spawner(), Gate::new());
        let (inside, opens) = (executor.spawner(), gate.clone());
        on_another_thread(move || (0..TASKS).for_each(|_| drop(spawner.spawn(opens.opened()))));
        assert_tasks(&executor, TASKS, "that another thread has spawned");
        let task = executor.spawn(async move { drop(inside.spawn(yield_now())) });
        assert!(executor.block_on(task).is_ok());
        drive_until(&executor, || executor.tasks() == Some(TASKS));
        let many = 10 * TASKS;
        thread::scope(|scope| {
            let spawner = executor.spawner();
            for spawner in [spawner.clone(), spawner] {
                scope.spawn(move || (0..many).for_each(|_| drop(spawner.spawn(async {}))));
            }
        });
        assert_tasks(&executor, TASKS + 2 * many, "with those that two threads have spawned at once");
        drive_until(&executor, || executor.tasks() == Some(TASKS));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let watching = scope.spawn(|| {
                while !done.load(SeqCst) {
                    let tasks = executor.tasks().expect("it counts");
                    assert!(tasks <= 2 * TASKS, "{tasks} tasks of {}", 2 * TASKS);
                }
            });
            let spawner = executor.spawner();
            scope.spawn(move || (0..TASKS).for_each(|_| drop(spawner.spawn(async {}))));
            gate.open();
            executor.run();
            done.store(true, SeqCst);
            assert!(watching.join().is_ok(), "another thread saw a number that cannot be");
        });
        executor.run();
        assert_tasks(&executor, 0, "after `run`");
        Outcome::Pass
    }
}

clause! {
    "X23s" House "`run` of a second thread returns when no task is left, though another thread is inside `block_on`."
    guards "a count of tasks that counts roots, and a follower that nobody tells."
    pub fn x23s_run_returns_beside_a_pending_block_on<E: RemoteSpawn>() -> Outcome {
        if !E::CAPABILITIES.concurrent_drivers {
            return ONE_DRIVER;
        }
        let executor = Arc::new(E::default());
        let [entered, leave, go] = std::array::from_fn(|_| Gate::new());
        let driver = apart({
            let (executor, entered, leave) = (executor.clone(), entered.clone(), leave.clone());
            move || {
                executor.block_on(async {
                    entered.open();
                    leave.opened().await;
                });
            }
        });
        entered.wait("the driving thread's first poll");
        let tasks: [Arc<Log>; 3] = std::array::from_fn(|_| Log::new());
        tasks.iter().for_each(|log| drop(executor.spawn(log.future(opened(&go)))));
        for what in ["`run` of a second thread, with three tasks,", "`run` of a second thread, with no task,"] {
            let runner = executor.clone();
            let run = apart(move || runner.run());
            go.open();
            returned(&run, what);
            assert_eq!(tasks.each_ref().map(|log| log.drops()), [1; 3], "`run` returned too early");
        }
        leave.open();
        returned(&driver, "the thread that drove");
        Outcome::Pass
    }
}

clause! {
    "X23r" House "`run` does not return before a task that its thread spawned just before has ended."
    guards "this workspace: a driver that asked whether a task is left before it looked who waits for the answer."
    pub fn x23r_run_waits_for_what_was_spawned_before_it<E: RemoteSpawn>() -> Outcome {
        if !E::CAPABILITIES.concurrent_drivers {
            return ONE_DRIVER;
        }
        let executor = Arc::new(E::default());
        let threads = std::array::from_fn::<_, 4, _>(|_| {
            let executor = executor.clone();
            apart(move || {
                rounds(20_000).find(|_| {
                    let ended = Arc::new(AtomicBool::new(false));
                    let ends = ended.clone();
                    drop(executor.spawn(async move { ends.store(true, Relaxed) }));
                    executor.run();
                    !ended.load(Relaxed)
                })
            })
        });
        for thread in &threads {
            let early = returned(thread, "`run` of one of four threads");
            assert_eq!(early, None, "the round in which `run` returned before the task had ended");
        }
        Outcome::Pass
    }
}

clause! {
    "X24" House "There is no limit to tasks: 100,000 run to their end."
    guards "blog_os's queue of 100 tasks, rust-lang/async-book#78, tokio#4069."
    pub fn x24_a_hundred_thousand_tasks_complete<E: Executor>() -> Outcome {
        let executor = E::default();
        let ran = Arc::new(AtomicUsize::new(0));
        for _ in 0..100_000 {
            let ran = ran.clone();
            drop(executor.spawn(async move {
                ran.fetch_add(1, Relaxed);
            }));
        }
        executor.run();
        assert_eq!(ran.load(Relaxed), 100_000);
        Outcome::Pass
    }
}

clause! {
    "X25" House "One executor serves any number of `block_on`s; wakers of earlier ones are harmless."
    guards "BVE-Reborn/switchyard#4, async-std#358: a waker cached for a thread that outlives its call."
    pub fn x25_block_on_many_times<E: BlockOn>() -> Outcome {
        let executor = E::default();
        let mut stale: Option<Waker> = None;
        for round in 0..200 {
            let log = Log::new();
            if let Some(waker) = &stale {
                waker.wake_by_ref();
            }
            let output = executor.block_on(log.future(|poll, cx| {
                if poll > 3 {
                    return Poll::Ready(round);
                }
                if let Some(waker) = &stale {
                    waker.wake_by_ref();
                }
                restless(poll, cx).map(|()| 0)
            }));
            assert_eq!(output, round);
            log.assert_sound();
            stale = Some(log.waker());
        }
        Outcome::Pass
    }
}

clause! {
    "X25s" House "Threads drive one executor one after the other, and its tasks go on."
    guards "wakers and queues that belong to the first thread that came."
    pub fn x25s_threads_drive_one_after_the_other<E: RemoteSpawn>() -> Outcome {
        let executor = Arc::new(E::default());
        let (log, gate, mut stale) = (Log::new(), Gate::new(), None::<Waker>);
        let mut task = Some(executor.spawn(log.future(opened(&gate))));
        for turn in 1..=4 {
            let (executor, log, gate, earlier) = (executor.clone(), log.clone(), gate.clone(), stale.take());
            let last = if turn == 4 { task.take() } else { None };
            stale = Some(on_another_thread(move || {
                let root = Log::new();
                drive_until(&*executor, || log.polls() > 0);
                // Wakes of threads that left: the task's, and the root's of the thread before.
                log.waker().wake();
                if let Some(waker) = earlier {
                    waker.wake();
                }
                executor.block_on(root.future(|poll, cx| if poll > 3 { Poll::Ready(()) } else { restless(poll, cx) }));
                if let Some(task) = last {
                    let opens = thread::spawn(move || gate.open());
                    assert!(executor.block_on(task).is_ok());
                    opens.join().expect("the other thread does not panic");
                }
                // A call that is over with its first poll keeps nothing for its thread either.
                executor.block_on(async { log.waker().wake() });
                root.waker()
            }));
        }
        assert_eq!(log.drops(), 1);
        log.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "X26" House "A task may end the process, also where that drops the executor: in the destructor of a thread-local."
    guards "rust-lang/rust#127637: `exit` runs the destructors of its thread's thread-locals. A double free and hangs, found here."
    pub fn x26_a_task_may_end_the_process<E: Executor>() -> Outcome {
        ends_well("X26", 1, || {
            with_kept::<E>(|executor| {
                let task = executor.spawn(async {
                    let alive = Alive::new();
                    yield_now().await;
                    drop(alive);
                    process::exit(0)
                });
                let _: Result<(), JoinError> = executor.block_on(task);
            });
        })
    }
}

clause! {
    "X26d" House "A thread may end the process, and so drop the executor, while another thread drives that."
    guards "rust-lang/rust#127637: as for X26."
    pub fn x26d_another_thread_may_end_the_process<E: RemoteSpawn>() -> Outcome {
        ends_well("X26d", 20, || {
            with_kept::<E>(|executor| {
                let (running, polls) = (Gate::new(), Arc::new(AtomicUsize::new(0)));
                thread::scope(|scope| {
                    scope.spawn(|| {
                        // So that its queue is never empty.
                        for _ in 0..1_000 {
                            drop(executor.spawn(poll_fn(|cx| {
                                cx.waker().wake_by_ref();
                                Poll::<()>::Pending
                            })));
                        }
                        let task = executor.spawn({
                            let (running, polls) = (running.clone(), polls.clone());
                            async move {
                                loop {
                                    let alive = Alive::new();
                                    yield_now().await;
                                    drop(alive);
                                    if polls.fetch_add(1, SeqCst) == 100 {
                                        running.open();
                                    }
                                }
                            }
                        });
                        let _: Result<(), JoinError> = executor.block_on(task);
                    });
                    running.wait("a hundred rounds by the other thread");
                    process::exit(0)
                })
            });
        })
    }
}

/// Runs `program`, which ends its process, in a child, so many times.
fn ends_well(clause: &str, times: usize, program: impl FnOnce()) -> Outcome {
    if is_child(clause) {
        program();
        unreachable!("the program ends the process");
    }
    for _ in 0..times {
        match run_in_child(clause) {
            Some(ended) => ended.expect("this program can be started").unwrap_or_else(|how| panic!("{how}")),
            None => return Outcome::Vacuous("this program does not say how to run the case in another process"),
        }
    }
    Outcome::Pass
}

/// Calls `action` with an executor that the destructor of a thread-local drops.
fn with_kept<E: Executor + Described + 'static>(action: impl FnOnce(&E)) {
    thread_local! {
        static KEPT: Kept = const { Kept::new() };
    }
    KEPT.with(|kept| action(kept.get_or_make(E::default)));
}

/// Part of a future of which there is one. To drop it twice aborts the process.
struct Alive;

static ALIVE: AtomicBool = AtomicBool::new(false);

impl Alive {
    fn new() -> Self {
        ALIVE.store(true, SeqCst);
        Self
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if !ALIVE.swap(false, SeqCst) {
            process::abort();
        }
    }
}
