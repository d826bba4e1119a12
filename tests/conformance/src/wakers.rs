//! W: what a waker owes.
//!
//! Clauses whose id ends in `r` ask the same of `block_on`'s own future, the root, which many executors wake by other
//! means than their tasks. They are all that can be asked of an executor without tasks.
//!
//! Wakes are placed by gates and by joining threads, never by sleeping. One place cannot be hit from outside: the
//! moment between an executor's last look at its queue and its sleep. Where a wake is to meet an executor that sleeps
//! or is about to, the wake is repeated in many rounds, at a different moment in each; that the moment is safe, a model
//! checker has to show.

#![expect(clippy::waker_clone_wake, reason = "what a clone does when it is woken is what is tested")]

use std::cell::Cell;
use std::future::poll_fn;
use std::hint::{black_box, spin_loop};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Barrier, LazyLock, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;

use executor::{BlockOn, Described, Executor, Idle, JoinHandle, WakeNames, yield_now};

use crate::clause::clause;
use crate::probe::{Gate, Log, WakeCount, on_another_thread, poll_once};
use crate::{Allocations, Outcome};

clause! {
    "W1" Std "`clone` gives a waker that wakes the same task and keeps alive everything it needs."
    guards "rust-lang/rust#52640, unicycle#30 and glommio#379: a clone that counted too little."
    pub fn w01_clone_wakes_the_same_task<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let task = executor.spawn(log.ready_once(&woken));
        // Polls once, so that the task leaves its waker; then only a clone of a clone is left, on another thread.
        let value = executor.block_on({
            let log = log.clone();
            async move {
                while log.polls() == 0 {
                    yield_now().await;
                }
                let clone = log.waker().clone();
                log.forget_waker();
                thread::spawn(move || {
                    woken.open();
                    clone.clone().wake();
                });
                task.await
            }
        });
        assert!(value.is_ok(), "the task ended with {value:?}");
        log.assert_sound();
        unless_polled_anyway::<E>()
    }
}

clause! {
    "W2" Std "`wake` wakes the task and releases what the waker held."
    guards "tokio#5295 and DataDog/glommio#379: a wake by value that kept its count, or gave it back twice."
    pub fn w02_wake_wakes_and_releases<E: Executor>() -> Outcome {
        balanced(|| {
            let executor = E::default();
            let (log, woken) = (Log::new(), Gate::new());
            let task = executor.spawn(log.ready_once(&woken));
            for polls in 1..=50 {
                drive_until(&executor, "a poll after a wake by value", || log.polls() >= polls);
                log.waker().wake();
            }
            woken.open();
            log.waker().wake();
            finish(&executor, task);
            // The task is done; now the wakers alone hold its memory, and give it back, the last one by waking.
            let wakers = [log.waker(), log.waker()];
            log.forget_waker();
            drop(executor);
            wakers.into_iter().for_each(Waker::wake);
            log.assert_sound();
        });
        measured(unless_polled_anyway::<E>())
    }
}

clause! {
    "W2d" Std "`wake` releases what the waker held also inside a poll, whether the task is idle, queued or running, or has ended."
    guards "a shorter way for wakes on the driving thread, which forgets the count of a waker that changes nothing."
    pub fn w02d_wake_releases_on_the_driving_thread_too<E: Executor>() -> Outcome {
        balanced(|| {
            let executor = E::default();
            let (woken, waking) = (Log::new(), Log::new());
            let first = executor.spawn(woken.future(|poll, cx| {
                if poll > 1 {
                    (0..3).for_each(|_| cx.waker().clone().wake());
                }
                if poll > 20 { Poll::Ready(()) } else { Poll::Pending }
            }));
            drive_until(&executor, "the first poll", || woken.polls() >= 1);
            let target = woken.clone();
            let second = executor.spawn(waking.future(move |_, cx| {
                (0..3).for_each(|_| target.waker().wake());
                if target.drops() > 0 {
                    // Ended.
                    (0..3).for_each(|_| target.waker().wake());
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            }));
            finish(&executor, first);
            finish(&executor, second);
            woken.forget_waker();
            waking.forget_waker();
            woken.assert_sound();
        });
        measured(Outcome::Pass)
    }
}

clause! {
    "W3" Std "`wake_by_ref` wakes the task and does not consume the waker."
    guards "a `wake_by_ref` written like `wake`: each call gives back a count that the waker still holds."
    pub fn w03_wake_by_ref_does_not_consume<E: Executor>() -> Outcome {
        balanced(|| {
            let executor = E::default();
            let (log, woken) = (Log::new(), Gate::new());
            let task = executor.spawn(log.ready_once(&woken));
            drive_until(&executor, "the first poll", || log.polls() >= 1);
            for _ in 0..20 {
                let (waker, polls) = (log.waker(), log.polls());
                (0..3).for_each(|_| waker.wake_by_ref());
                drive_until(&executor, "a poll after a wake by reference", || log.polls() > polls);
                waker.wake_by_ref();
                waker.wake();
            }
            assert_eq!(log.drops(), 0, "the future was dropped though it had not ended");
            woken.open();
            log.waker().wake_by_ref();
            finish(&executor, task);
            let waker = log.waker();
            log.forget_waker();
            drop(executor);
            (0..3).for_each(|_| waker.wake_by_ref());
            log.assert_sound();
        });
        measured(unless_polled_anyway::<E>())
    }
}

clause! {
    "W4" Std "`drop` releases what the waker held; nothing leaks and nothing is freed early."
    guards "tokio#4724 and #6986: wakers that nobody dropped; rust-lang/rust#52640: dropped once too often."
    pub fn w04_wakers_leak_nothing<E: Executor>() -> Outcome {
        balanced(|| {
            let executor = E::default();
            let (log, woken) = (Log::new(), Gate::new());
            let task = executor.spawn(log.ready_once(&woken));
            drive_until(&executor, "the first poll", || log.polls() >= 1);
            // Three portions: dropped while the task lives, once it is done, and once the executor is gone.
            let clones = |count| (0..count).map(|_| log.waker()).collect::<Vec<_>>();
            let (early, late, last) = (clones(1000), clones(100), clones(100));
            drop(early);
            assert_eq!(log.drops(), 0, "dropping wakers dropped the future");
            woken.open();
            log.waker().wake();
            finish(&executor, task);
            drop(late);
            log.forget_waker();
            drop(executor);
            drop(last);
            assert_eq!(log.drops(), 1, "the future is dropped once, at its end");
            log.assert_sound();
        });
        measured(Outcome::Pass)
    }
}

clause! {
    "W4r" Std "The root's wakers release what they held; nothing leaks."
    guards "a waker of the thread that is cloned on every poll and counted too often."
    pub fn w04r_wakers_of_the_root_leak_nothing<E: BlockOn>() -> Outcome {
        balanced(|| {
            let executor = E::default();
            let log = Log::new();
            executor.block_on(log.future(|poll, cx| {
                drop((0..100).map(|_| cx.waker().clone()).collect::<Vec<_>>());
                (0..3).for_each(|_| cx.waker().clone().wake());
                if poll > 20 { Poll::Ready(()) } else { Poll::Pending }
            }));
            let last = log.waker();
            log.forget_waker();
            drop(executor);
            last.wake();
        });
        measured(Outcome::Pass)
    }
}

clause! {
    "W5" Std "Clone, wake, wake_by_ref and drop may run on many threads at once, also through one `&Waker`."
    guards "glommio#194 and monoio#120: counts that were not atomic."
    pub fn w05_wakers_are_used_by_many_threads_at_once<E: Executor>() -> Outcome {
        // The blocks that the last waker frees, after so many threads have used and cloned it.
        let freed_after = |crowd: usize| {
            let executor = E::default();
            let log = Log::new();
            let (start, left) = (Arc::new(Barrier::new(crowd)), Arc::new(AtomicUsize::new(crowd)));
            let task = executor.spawn(log.future({
                let left = left.clone();
                move |_, _| if left.load(SeqCst) == 0 { Poll::Ready(()) } else { Poll::Pending }
            }));
            drive_until(&executor, "the first poll", || log.polls() >= 1);
            let shared = Arc::new(log.waker());
            let threads = Vec::from_iter((0..crowd).map(|_| {
                let (shared, log, start, left) = (shared.clone(), log.clone(), start.clone(), left.clone());
                thread::spawn(move || {
                    start.wait();
                    for _ in 0..20 * many::<E>() {
                        shared.wake_by_ref();
                        let clone = Waker::clone(&shared);
                        clone.wake_by_ref();
                        clone.clone().wake();
                        drop(clone);
                    }
                    if left.fetch_sub(1, SeqCst) == 1 {
                        log.waker().wake();
                    }
                })
            }));
            finish(&executor, task);
            for thread in threads {
                thread.join().expect("no function of the vtable panics");
            }
            log.assert_sound();
            assert_eq!(log.drops(), 1, "the future is dropped once");
            log.forget_waker();
            drop(executor);
            let last = Arc::into_inner(shared).expect("the threads have ended");
            let before = Allocations::now().blocks;
            drop(last);
            before - Allocations::now().blocks
        };
        let (alone, crowd) = (freed_after(1), freed_after(4));
        assert_eq!(crowd, alone, "blocks that the last waker frees after four threads, and after one");
        Outcome::Pass
    }
}

clause! {
    "W6" Std "While the executor runs and the task is unfinished, each wake is followed by a poll."
    guards "tokio#525, async-executor#102 and zesterer/pollster#1: a wake that met the executor falling asleep was lost."
    pub fn w06_each_wake_is_followed_by_a_poll<E: Executor>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        finish(&executor, executor.spawn(woken_by_a_thread(&log, many::<E>())));
        assert!(log.polls() > many::<E>(), "{} polls are too few", log.polls());
        log.assert_sound();
        // From a future's drop as well, on the thread that drives.
        let (log, woken) = (Log::new(), Gate::new());
        let task = executor.spawn(log.ready_once(&woken));
        drive_until(&executor, "the first poll", || log.polls() >= 1);
        let dropped = Log::new();
        let waking = dropped.future(|_, _| Poll::Ready(())).on_drop({
            let log = log.clone();
            move || {
                woken.open();
                log.waker().wake();
            }
        });
        drop(executor.spawn(waking));
        finish(&executor, task);
        assert_eq!(dropped.drops(), 1, "the future that wakes in its drop is dropped");
        unless_polled_anyway::<E>()
    }
}

clause! {
    "W6r" Std "While `block_on` runs, each wake of its own future is followed by a poll."
    guards "zesterer/pollster#1 and futures-rs#2010: the thread slept through the wake of its own future."
    pub fn w06r_each_wake_of_the_root_is_followed_by_a_poll<E: BlockOn>() -> Outcome {
        let log = Log::new();
        E::default().block_on(woken_by_a_thread(&log, many::<E>()));
        assert!(log.polls() > many::<E>(), "{} polls are too few", log.polls());
        log.assert_sound();
        unless_polled_anyway::<E>()
    }
}

clause! {
    "W7" Quality "Any number of wakes before a poll lead to one poll."
    guards "ros2_rust#669 and blog_os: a ready queue that takes a task once per wake."
    pub fn w07_wakes_before_a_poll_are_one<E: Executor>() -> Outcome {
        let precise = E::CAPABILITIES.polls_only_woken;
        match E::CAPABILITIES.wake_names {
            WakeNames::Nobody => return unless_only_woken_are_polled::<E>("wake_names"),
            WakeNames::Task if !precise => return unless_only_woken_are_polled::<E>("polls_only_woken"),
            _ => {}
        }
        let executor = E::default();
        let log = Log::new();
        let (first, second) = (Gate::new(), Gate::new());
        let _task = executor.spawn(log.future({
            let gates = [first.clone(), second.clone()];
            move |poll, _| {
                if let Some(gate) = gates.get(poll - 1) {
                    gate.open();
                }
                Poll::<()>::Pending
            }
        }));
        // The root waits instead of yielding, since a wake of the thread would poll every task.
        executor.block_on(first.opened());
        let before = log.polls();
        for _ in 0..50 {
            log.waker().wake();
        }
        on_another_thread({
            let waker = log.waker();
            move || (0..50).for_each(|_| waker.wake_by_ref())
        });
        assert_eq!(log.polls(), before, "a wake that meets nobody driving polls nothing");
        if before == 1 {
            executor.block_on(second.opened());
        }
        if precise {
            drive_rounds(&executor, 100);
            assert_eq!(log.polls(), 2, "the first poll, and one for 100 wakes");
        } else {
            // A round for entering `block_on`, and one for the gate that ends it.
            assert!(log.polls() <= 4, "{} polls, though 100 wakes came at once", log.polls());
        }
        Outcome::Pass
    }
}

clause! {
    "W8" Std "A wake during the task's own poll leads to another poll."
    guards "camshaft/bach#48, bertptrs/beul#1 and richardanaya/executor#4: the poll's end wiped the wake away."
    pub fn w08_a_wake_from_inside_the_poll_leads_to_another<E: Executor>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        // Nothing else is ready, and the root waits: if the wake is lost, all sleep.
        finish(&executor, executor.spawn(woken_by_itself(&log, 100)));
        assert_one_poll_per_wake::<E>(&log, 100);
        unless_polled_anyway::<E>()
    }
}

clause! {
    "W8r" Std "A wake of `block_on`'s own future during its poll leads to another poll."
    guards "richardanaya/executor#4: the flag was cleared after the poll, and the wake with it."
    pub fn w08r_a_wake_from_inside_the_roots_poll_leads_to_another<E: BlockOn>() -> Outcome {
        let log = Log::new();
        E::default().block_on(woken_by_itself(&log, 100));
        assert!(log.polls() > 100, "{} polls are too few", log.polls());
        log.assert_sound();
        unless_polled_anyway::<E>()
    }
}

clause! {
    "W9" Std "A wake by another thread, made while the poll is under way, leads to another poll."
    guards "awslabs/shuttle#54 and compio-rs/compio#856: a wake that met a running task was taken for done."
    pub fn w09_a_wake_from_a_thread_during_the_poll_leads_to_another<E: Executor>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        finish(&executor, executor.spawn(woken_by_a_thread_during_the_poll(&log, 50)));
        assert_one_poll_per_wake::<E>(&log, 50);
        unless_polled_anyway::<E>()
    }
}

clause! {
    "W9r" Std "A wake of `block_on`'s own future by another thread, made during its poll, leads to another poll."
    guards "zesterer/pollster#1: a wake before the thread slept was no reason not to sleep."
    pub fn w09r_a_wake_from_a_thread_during_the_roots_poll_leads_to_another<E: BlockOn>() -> Outcome {
        let log = Log::new();
        E::default().block_on(woken_by_a_thread_during_the_poll(&log, 50));
        assert!(log.polls() > 50, "{} polls are too few", log.polls());
        log.assert_sound();
        unless_polled_anyway::<E>()
    }
}

clause! {
    /// Processors that reorder little, x86 among them, hide most violations: the model checker of a strategy proves
    /// this, and here many rounds make it likely.
    "W10" House "A wake happens-before the poll that it causes, also when the task was scheduled already."
    guards "a wake that only looks whether the task is scheduled: the poll need not see what the waking thread wrote."
    pub fn w10_a_wake_publishes_what_was_written_before_it<E: Executor>() -> Outcome {
        if E::CAPABILITIES.wake_names == WakeNames::Nobody {
            return unless_only_woken_are_polled::<E>("wake_names");
        }
        let executor = E::default();
        finish(&executor, executor.spawn(two_relaxed_flags(many::<E>())));
        Outcome::Pass
    }
}

clause! {
    "W10r" House "A wake of `block_on`'s own future happens-before the poll that it causes."
    guards "a root waker that skips its write when the flag is set already."
    pub fn w10r_a_wake_of_the_root_publishes_what_was_written_before_it<E: BlockOn>() -> Outcome {
        if E::CAPABILITIES.wake_names == WakeNames::Nobody {
            // The opposite: the root is polled again though its waker was never touched.
            let mut polls = 0;
            E::default().block_on(poll_fn(|_| {
                polls += 1;
                if polls > 100 { Poll::Ready(()) } else { Poll::Pending }
            }));
            return Outcome::NotApplicable { capability: "wake_names", why: POLLED_UNWOKEN };
        }
        E::default().block_on(two_relaxed_flags(many::<E>()));
        Outcome::Pass
    }
}

clause! {
    "W11" Std "A wake after the task's completion polls nothing and does no harm."
    guards "awslabs/shuttle#12 and embassy#3622: a stale waker brought a completed task back."
    pub fn w11_a_wake_after_completion_polls_nothing<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let other = Log::new();
        let other_task = executor.spawn(other.ready_once(&woken));
        // It completes with a wake pending: scheduled once more, and polled no more.
        let task = executor.spawn(log.future(|poll, cx| {
            cx.waker().wake_by_ref();
            if poll == 2 { Poll::Ready(()) } else { Poll::Pending }
        }));
        drop(executor.spawn(task));
        drive_until(&executor, "the end of the task", || log.drops() == 1);
        for _ in 0..3 {
            log.waker().wake_by_ref();
            on_another_thread(spend(log.waker()));
            drive_rounds(&executor, 10);
        }
        assert_eq!(log.polls(), 2, "polls of a task that completes in its second");
        log.assert_sound();
        woken.open();
        other.waker().wake();
        finish(&executor, other_task);
        Outcome::Pass
    }
}

clause! {
    "W12" House "Wakers that outlive the executor do nothing, whatever is done to them, on any thread."
    guards "async-executor#163: a wake of a task whose executor was gone used its memory."
    pub fn w12_wakers_outlive_the_executor<E: Executor>() -> Outcome {
        let executor = E::default();
        let (idle, queued, ended, unjoined) = (Log::new(), Log::new(), Log::new(), Log::new());
        let _idle_task = executor.spawn(idle.pending());
        drop(executor.spawn(queued.pending()));
        finish(&executor, executor.spawn(ended.future(|_, _| Poll::Ready(()))));
        let unjoined_task = executor.spawn(unjoined.future(|_, _| Poll::Ready(())));
        drive_until(&executor, "a poll of each task", || {
            [&idle, &queued, &unjoined].iter().all(|log| log.polls() >= 1)
        });
        queued.waker().wake();
        drop(executor);
        for log in [&idle, &queued, &ended, &unjoined] {
            let polls = log.polls();
            let (here, there) = (log.waker(), log.waker());
            log.forget_waker();
            spend(here)();
            on_another_thread(spend(there));
            assert_eq!(log.polls(), polls, "a task was polled after its executor was dropped");
            assert_eq!(log.drops(), 1, "drops of a future whose executor is gone");
            log.assert_sound();
        }
        drop(unjoined_task);
        Outcome::Pass
    }
}

clause! {
    "W12r" House "The root's wakers outlive the executor and the thread that was in `block_on`."
    guards "sammhicks/nostd_async#4: a waker that pointed into what had been left."
    pub fn w12r_wakers_of_the_root_outlive_executor_and_thread<E: BlockOn>() -> Outcome {
        let [here, there] = on_another_thread(|| {
            let executor = E::default();
            let wakers = executor.block_on(async { [own_waker().await, own_waker().await] });
            drop(executor);
            on_another_thread(spend(wakers[0].clone()));
            wakers
        });
        spend(here)();
        on_another_thread(spend(there));
        Outcome::Pass
    }
}

clause! {
    "W13" House "A wake never runs the task inline and never waits."
    guards "nginx/ngx-rust#294, compio#1044 and grpc-rs#395: deadlocks on a lock that the waking code held."
    pub fn w13_a_wake_never_polls_inline<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let lock = Arc::new(Mutex::new(()));
        let home = thread::current().id();
        let task = executor.spawn(log.future({
            let (lock, woken) = (lock.clone(), woken.clone());
            move |_, _| {
                assert!(lock.try_lock().is_ok(), "the task was polled inside the wake");
                assert_eq!(thread::current().id(), home, "the task was polled by a thread that drives nothing");
                if woken.is_open() { Poll::Ready(()) } else { Poll::Pending }
            }
        }));
        drive_until(&executor, "the first poll", || log.polls() >= 1);
        let wake_holding_the_lock = {
            let log = log.clone();
            move || {
                let (waker, polls) = (log.waker(), log.polls());
                let held = lock.lock().expect("polls do not panic under it");
                waker.wake_by_ref();
                waker.wake();
                drop(held);
                assert_eq!(log.polls(), polls, "the task was polled inside the wake");
            }
        };
        // Nobody drives: this thread, then another.
        (0..1000).for_each(|_| wake_holding_the_lock());
        on_another_thread(wake_holding_the_lock.clone());
        executor.block_on(async {
            // Inside the root's poll, here and from a thread that the poll waits for.
            wake_holding_the_lock();
            on_another_thread(wake_holding_the_lock.clone());
            yield_now().await;
            // Inside another task's poll.
            let wakes = executor.spawn(async move { wake_holding_the_lock() }).await;
            wakes.unwrap_or_else(|error| panic!("a wake from another task: {error}"));
            // While the root sleeps.
            let log = log.clone();
            thread::spawn(move || {
                woken.open();
                log.waker().wake();
            });
            task.await.unwrap_or_else(|error| panic!("{error}"));
        });
        log.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "W14" House "A wake never fails, however many there are and however many tasks; wakes alone use no memory."
    guards "blog_os, rust-lang/async-book#78 and futures-rs#318: a ready queue with a capacity."
    pub fn w14_wakes_have_no_capacity<E: Executor>() -> Outcome {
        const WAKES: isize = 10_000;
        const TASKS: usize = 100_000;
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let task = executor.spawn(log.ready_once(&woken));
        drive_until(&executor, "the first poll", || log.polls() >= 1);
        let waker = log.waker();
        let before = Allocations::now().bytes;
        (0..WAKES).for_each(|_| waker.wake_by_ref());
        let grown = Allocations::now().bytes - before;
        assert!(grown < WAKES, "{WAKES} wakes of one task hold {grown} bytes until its poll");
        woken.open();
        waker.wake();
        finish(&executor, task);

        // As many as blog_os has slots, a thousand times over; each is scheduled when spawned, and again when woken.
        let wakers = Arc::new(Mutex::new(Vec::new()));
        let (polled, ended) = (Gate::new(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..TASKS {
            let (wakers, polled, ended) = (wakers.clone(), polled.clone(), ended.clone());
            let mut woken = false;
            drop(executor.spawn(poll_fn(move |cx| {
                if woken {
                    ended.fetch_add(1, Relaxed);
                    return Poll::Ready(());
                }
                woken = true;
                let mut wakers = wakers.lock().unwrap();
                wakers.push(cx.waker().clone());
                if wakers.len() == TASKS {
                    polled.open();
                }
                Poll::Pending
            })));
        }
        executor.block_on(polled.opened());
        let wakers = std::mem::take(&mut *wakers.lock().unwrap());
        wakers.into_iter().for_each(Waker::wake);
        executor.run();
        assert_eq!(ended.load(Relaxed), TASKS, "tasks that ended");
        Outcome::Pass
    }
}

clause! {
    "W15" House "A wake never drops a task's future on the caller's stack while the executor lives."
    guards "tokio#1929 and #1886: a wake during shutdown dropped the task under the caller's borrow."
    pub fn w15_a_wake_never_drops_the_future<E: Executor>() -> Outcome {
        let lock = Arc::new(Mutex::new(()));
        let dropped_in_a_wake = Arc::new(AtomicBool::new(false));
        // A future's drop finds the lock taken if it runs inside a wake: all of this is on one thread at a time.
        let watched = |log: &Arc<Log>, peer: Option<&Arc<Log>>| {
            let (lock, inside, peer) = (lock.clone(), dropped_in_a_wake.clone(), peer.cloned());
            log.future(|_, _| Poll::<()>::Pending).on_drop(move || match lock.try_lock() {
                Err(_) => inside.store(true, SeqCst),
                Ok(_held) => {
                    if let Some(peer) = peer {
                        peer.waker().wake();
                    }
                }
            })
        };
        let wake_holding_the_lock = |waker: Waker| {
            let _held = lock.lock().unwrap();
            waker.wake();
        };

        let executor = E::default();
        let (detached, aborted, stale) = (Log::new(), Log::new(), Log::new());
        drop(executor.spawn(watched(&detached, None)));
        let handles = [executor.spawn(watched(&aborted, None)), executor.spawn(watched(&stale, None))];
        drive_until(&executor, "a poll of each task", || {
            [&detached, &aborted, &stale].iter().all(|log| log.polls() >= 1)
        });
        // The task's last waker outside the executor; tasks that are to end, woken from here and from elsewhere.
        let last = detached.waker();
        detached.forget_waker();
        wake_holding_the_lock(last);
        handles.iter().for_each(JoinHandle::abort);
        wake_holding_the_lock(aborted.waker());
        thread::scope(|scope| {
            scope.spawn(|| wake_holding_the_lock(stale.waker()));
        });
        drive_rounds(&executor, 10);
        assert_eq!([aborted.drops(), stale.drops()], [1, 1], "drops of the aborted tasks");

        // Shutdown: each of two tasks wakes the other in its drop. Whichever goes first, the other one is not dropped
        // by that wake.
        let (left, right) = (Log::new(), Log::new());
        drop(executor.spawn(watched(&left, Some(&right))));
        drop(executor.spawn(watched(&right, Some(&left))));
        drive_until(&executor, "a poll of each task", || left.polls() >= 1 && right.polls() >= 1);
        drop(executor);
        assert_eq!([&detached, &left, &right].map(|log| log.drops()), [1; 3], "drops by the executor's drop");
        assert!(!dropped_in_a_wake.load(SeqCst), "a future was dropped inside a wake, under the caller's lock");
        Outcome::Pass
    }
}

clause! {
    "W16" Std "`will_wake` holds only between wakers of the same task."
    guards "private-attribution/ipa#1037: code that relies on it would wake the wrong task."
    pub fn w16_wakers_of_two_tasks_differ<E: Executor>() -> Outcome {
        let executor = E::default();
        let (one, two) = (Log::new(), Log::new());
        let _tasks = [executor.spawn(one.pending()), executor.spawn(two.pending())];
        let (root, one, two) = executor.block_on(async {
            while one.polls() == 0 || two.polls() == 0 {
                yield_now().await;
            }
            (own_waker().await, one.waker(), two.waker())
        });
        let pairs = [(&one, &two), (&two, &one), (&root, &one), (&one, &root)];
        let why = match E::CAPABILITIES.wake_names {
            WakeNames::Task => {
                for (waker, other) in pairs {
                    assert!(!waker.will_wake(other), "wakers of two tasks claim to wake the same one");
                }
                return Outcome::Pass;
            }
            WakeNames::Nobody => "all wakers are equal: none wakes anybody",
            WakeNames::Thread => "all wakers of a `block_on` are equal: each wakes the thread",
        };
        assert!(one.will_wake(&two), "it says that a wake names {}, but tells tasks apart", E::CAPABILITIES.wake_names);
        Outcome::NotApplicable { capability: "wake_names", why }
    }
}

clause! {
    "W17" Quality "`will_wake` holds between a waker and its clones, from poll to poll of one task."
    guards "rust-lang/rust#66281 and #121600, futures-rs#2864: a vtable with two addresses, in release builds."
    pub fn w17_will_wake_holds_from_poll_to_poll<E: Executor>() -> Outcome {
        let executor = E::default();
        finish(&executor, executor.spawn(same_waker_each_time()));
        Outcome::Pass
    }
}

clause! {
    "W17r" Quality "`will_wake` holds between the root's waker and its clones, from poll to poll."
    guards "rust-lang/rust#121600 and tokio#2045: a vtable with two addresses, in release builds."
    pub fn w17r_will_wake_holds_for_the_root<E: BlockOn>() -> Outcome {
        E::default().block_on(same_waker_each_time());
        Outcome::Pass
    }
}

clause! {
    "W18" Std "A waker works after the poll and the `block_on` that it comes from, and after its stack frames."
    guards "sammhicks/nostd_async#4 and futures-rs#2795: a waker that pointed into a stack frame."
    pub fn w18_wakers_outlive_the_stack<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let task = executor.spawn(log.ready_once(&woken));
        drive_until(&executor, "the first poll", || log.polls() >= 1);
        let waker = log.waker();
        overwrite_the_stack();
        on_another_thread(spend(waker.clone()));
        woken.open();
        waker.wake();
        finish(&executor, task);
        let waker = log.waker();
        overwrite_the_stack();
        spend(waker)();
        log.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "W18r" Std "The root's waker may be used after its `block_on` has returned, and costs the next one no wake."
    guards "futures-rs#2795: a waker that pointed into a stack frame; pollster 1.0.1: two calls that share one signal."
    pub fn w18r_wakers_of_the_root_outlive_block_on<E: BlockOn>() -> Outcome {
        let executor = E::default();
        let stale = executor.block_on(own_waker());
        overwrite_the_stack();
        spend(stale.clone())();
        on_another_thread(spend(stale.clone()));
        // Woken in the next call too, it may cause polls there, but takes none away.
        let log = Log::new();
        executor.block_on(async {
            stale.wake_by_ref();
            yield_now().await;
            woken_by_a_thread_during_the_poll(&log, 5).await;
            stale.wake();
            yield_now().await;
        });
        log.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "W19" Std "Wakers of earlier polls and polls that nobody asked for do no harm; the latest poll's waker works."
    guards "BVE-Reborn/switchyard#4 and cfsamson/books-futures-explained#2: the first waker was kept for good."
    pub fn w19_only_the_latest_waker_must_work<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let mut task = executor.spawn(log.ready_once(&woken));
        // A handle that is polled by hand, for no reason and under a waker of no task, and then moves to a task.
        let (_, foreign) = WakeCount::new();
        let mut poll_by_hand = || {
            let pending = poll_once(&mut task, &foreign).is_pending();
            assert!(pending, "the handle yields a result before the task has ended");
        };
        poll_by_hand();
        drive_until(&executor, "the first poll", || log.polls() >= 1);
        let stale = log.waker();
        for polls in 2..5 {
            poll_by_hand();
            log.waker().wake();
            drive_until(&executor, "a poll after a wake", || log.polls() >= polls);
            stale.wake_by_ref();
        }
        let joiner = executor.spawn(async move { task.await.is_ok() });
        // The joiner registers its own waker, and sleeps.
        drive_rounds(&executor, 10);
        executor.block_on(async {
            thread::spawn(move || {
                woken.open();
                stale.wake();
                log.waker().wake();
            });
            let joined = joiner.await.unwrap_or_else(|error| panic!("{error}"));
            assert!(joined, "the task ended without its value");
        });
        Outcome::Pass
    }
}

clause! {
    "W20" House "Cloning and dropping wakers neither polls nor schedules a live task."
    guards "a drop that wakes, so that whoever replaces a waker on each poll never sleeps again."
    pub fn w20_clone_and_drop_do_not_wake<E: Executor>() -> Outcome {
        let precise = E::CAPABILITIES.polls_only_woken;
        match E::CAPABILITIES.wake_names {
            WakeNames::Nobody => return unless_only_woken_are_polled::<E>("wake_names"),
            WakeNames::Task if !precise => return unless_only_woken_are_polled::<E>("polls_only_woken"),
            _ => {}
        }
        let executor = E::default();
        let (log, first, done) = (Log::new(), Gate::new(), Gate::new());
        let _task = executor.spawn(log.future({
            let first = first.clone();
            move |_, _| {
                first.open();
                Poll::<()>::Pending
            }
        }));
        executor.block_on(first.opened());
        let polls = log.polls();
        let churn = |waker: &Waker| (0..1000).for_each(|_| drop(waker.clone()));
        churn(&log.waker());
        // And while the executor sleeps. The thread's own waker goes before the gate opens.
        thread::spawn({
            let (waker, done) = (log.waker(), done.clone());
            move || {
                (0..10).for_each(|_| churn(&waker));
                drop(waker);
                done.open();
            }
        });
        executor.block_on(done.opened());
        if precise {
            drive_rounds(&executor, 10);
        }
        // Where a wake polls everything, entering `block_on` and the gate's opening are such wakes.
        let allowed = if precise { 0 } else { 10 };
        let extra = log.polls() - polls;
        assert!(extra <= allowed, "{extra} polls of a task whose waker was only cloned and dropped");
        Outcome::Pass
    }
}

clause! {
    "W22" House "Wakers may be used and dropped in the destructor of a thread-local."
    guards "tokio#6148 and #593: the executor's own thread-locals were gone by then, and the wake panicked."
    pub fn w22_a_wake_from_a_thread_locals_destructor_works<E: Executor>() -> Outcome {
        let panicked = Arc::new(AtomicBool::new(false));
        // On a thread that knows no executor, while this one sleeps.
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let task = executor.spawn(log.ready_once(&woken));
        executor.block_on({
            let (log, panicked) = (log.clone(), panicked.clone());
            async move {
                while log.polls() == 0 {
                    yield_now().await;
                }
                thread::spawn(move || {
                    woken.open();
                    EARLY.set(AtThreadsEnd::new(log.waker(), &panicked));
                });
                task.await.unwrap_or_else(|error| panic!("{error}"));
            }
        });
        log.assert_sound();
        // On the thread that drove, before and after what the executor keeps in thread-locals is destroyed.
        on_another_thread({
            let panicked = panicked.clone();
            move || {
                EARLY.set(None);
                let executor = E::default();
                let log = Log::new();
                let _task = executor.spawn(log.pending());
                drive_until(&executor, "the first poll", || log.polls() >= 1);
                EARLY.set(AtThreadsEnd::new(log.waker(), &panicked));
                LATE.set(AtThreadsEnd::new(log.waker(), &panicked));
            }
        });
        assert!(!panicked.load(SeqCst), "a waker panicked in the destructor of a thread-local");
        Outcome::Pass
    }
}

clause! {
    "W22r" House "The root's wakers may be used and dropped in the destructor of a thread-local."
    guards "tokio#5162: a waker of the thread, used when the thread's own data was gone."
    pub fn w22r_a_wake_of_the_root_from_a_thread_locals_destructor_works<E: BlockOn>() -> Outcome {
        let panicked = Arc::new(AtomicBool::new(false));
        let (log, woken) = (Log::new(), Gate::new());
        E::default().block_on(log.future(|poll, _| {
            if poll == 1 {
                let (log, woken, panicked) = (log.clone(), woken.clone(), panicked.clone());
                thread::spawn(move || {
                    woken.open();
                    EARLY.set(AtThreadsEnd::new(log.waker(), &panicked));
                });
            }
            if woken.is_open() { Poll::Ready(()) } else { Poll::Pending }
        }));
        on_another_thread({
            let panicked = panicked.clone();
            move || {
                EARLY.set(None);
                let waker = E::default().block_on(own_waker());
                EARLY.set(AtThreadsEnd::new(waker.clone(), &panicked));
                LATE.set(AtThreadsEnd::new(waker, &panicked));
            }
        });
        assert!(!panicked.load(SeqCst), "a waker panicked in the destructor of a thread-local");
        Outcome::Pass
    }
}

clause! {
    "W23" House "Each poll of a task gets the task's waker, whatever a future did to the `Context` of another poll."
    guards "one `Context` for several polls, which safe code may overwrite; found here, by reading."
    pub fn w23_an_overwritten_context_is_gone_with_its_poll<E: Executor>() -> Outcome {
        /// Nobody's: an executor has no reason to poll anything with it.
        static FOREIGN: LazyLock<Waker> = LazyLock::new(|| WakeCount::new().1);
        let executor = E::default();
        let (vandal, neighbour, woken) = (Log::new(), Log::new(), Gate::new());
        let seen = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
        let [by_vandal, by_neighbour, by_root] = seen.each_ref().map(|seen| {
            let seen = seen.clone();
            move |cx: &Context<'_>| _ = seen.fetch_add(usize::from(cx.waker().will_wake(&FOREIGN)), SeqCst)
        });
        let tasks = [
            executor.spawn(vandal.future({
                let woken = woken.clone();
                move |poll, cx| {
                    by_vandal(cx);
                    if poll <= 3 {
                        cx.waker().wake_by_ref();
                    }
                    *cx = Context::from_waker(&FOREIGN);
                    if woken.is_open() { Poll::Ready(()) } else { Poll::Pending }
                }
            })),
            executor.spawn(neighbour.future({
                let mut opened = Box::pin(woken.opened());
                move |poll, cx| {
                    by_neighbour(cx);
                    if poll <= 3 {
                        cx.waker().wake_by_ref();
                    }
                    opened.as_mut().poll(cx)
                }
            })),
        ];
        executor.block_on(poll_fn(|cx| {
            by_root(cx);
            cx.waker().wake_by_ref();
            if vandal.polls() < 4 || neighbour.polls() < 4 { Poll::Pending } else { Poll::Ready(()) }
        }));
        let seen = seen.map(|seen| seen.load(SeqCst));
        assert_eq!(seen, [0; 3], "polls of the vandal, of its neighbour and of the root with the vandal's waker");
        executor.block_on(async {
            thread::spawn({
                let (vandal, neighbour) = (vandal.clone(), neighbour.clone());
                move || {
                    woken.open();
                    vandal.waker().wake();
                    neighbour.waker().wake();
                }
            });
            for task in tasks {
                task.await.unwrap_or_else(|error| panic!("{error}"));
            }
        });
        Outcome::Pass
    }
}

const POLLED_UNWOKEN: &str = "it polls again what nobody woke";

/// Rounds with another thread. A spinning executor takes part of the processor that the other thread needs.
fn many<E: BlockOn + Described>() -> usize {
    match E::CAPABILITIES.idle {
        Idle::Spins => 100,
        Idle::Parks => 2_000,
    }
}

/// The outcome of a clause about wakes leading to polls: proven only where there would be no poll without the wake.
fn unless_polled_anyway<E: BlockOn + Described>() -> Outcome {
    match E::CAPABILITIES.wake_names {
        WakeNames::Nobody => Outcome::Vacuous("it polls the task whether or not it is woken"),
        WakeNames::Thread | WakeNames::Task => Outcome::Pass,
    }
}

/// Excuses an executor that polls what nobody woke, once it was seen to do so.
fn unless_only_woken_are_polled<E: Executor + Described>(capability: &'static str) -> Outcome {
    let executor = E::default();
    let log = Log::new();
    let _task = executor.spawn(log.pending());
    drive_until(&executor, "polls of a task that nobody wakes, which it claims to make", || {
        if log.polls() > 0 {
            log.forget_waker();
        }
        log.polls() > 3
    });
    Outcome::NotApplicable { capability, why: POLLED_UNWOKEN }
}

/// The outcome of a clause that [`balanced`] decides.
fn measured(outcome: Outcome) -> Outcome {
    if Allocations::are_counted() { outcome } else { Outcome::Vacuous("this program does not count its allocations") }
}

/// Fails if `scenario`, which stays on this thread and leaves nothing behind, keeps memory.
fn balanced(scenario: impl Fn()) {
    // What is cached for good is cached by the first run.
    scenario();
    let before = Allocations::now();
    for _ in 0..3 {
        scenario();
    }
    let after = Allocations::now();
    let (blocks, bytes) = (after.blocks - before.blocks, after.bytes - before.bytes);
    assert!(blocks == 0 && bytes == 0, "3 runs leave {blocks} blocks of {bytes} bytes behind");
}

/// Drives `executor` until `done`: at most a thousand turns, so `done` must depend on no other thread.
fn drive_until<E: BlockOn>(executor: &E, what: &str, done: impl Fn() -> bool) {
    executor.block_on(async {
        for _ in 0..1000 {
            if done() {
                return;
            }
            yield_now().await;
        }
        panic!("waited 1000 turns in vain for: {what}");
    });
}

/// Gives every ready task `rounds` turns.
fn drive_rounds<E: BlockOn>(executor: &E, rounds: usize) {
    executor.block_on(async {
        for _ in 0..rounds {
            yield_now().await;
        }
    });
}

/// Awaits a task that must end by itself. Meanwhile the root sleeps.
fn finish<E: BlockOn, T>(executor: &E, task: impl JoinHandle<T>) -> T {
    executor.block_on(task).unwrap_or_else(|error| panic!("{error}"))
}

/// The waker of the task that awaits this.
fn own_waker() -> impl Future<Output = Waker> {
    poll_fn(|cx| Poll::Ready(cx.waker().clone()))
}

/// Uses a waker in every way, and up.
fn spend(waker: Waker) -> impl FnOnce() + Send + 'static {
    move || {
        waker.wake_by_ref();
        drop(waker.clone());
        waker.clone().wake();
        waker.wake_by_ref();
        drop(waker.clone());
        waker.wake();
    }
}

impl Log {
    /// A future that ends at its first poll after `woken` was opened, which wakes nobody that waits here.
    fn ready_once(self: &Arc<Self>, woken: &Arc<Gate>) -> impl Future<Output = ()> + Send + 'static + use<> {
        let woken = woken.clone();
        self.future(move |_, _| if woken.is_open() { Poll::Ready(()) } else { Poll::Pending })
    }
}

/// Ends after `rounds` wakes, each made by another thread after the poll that the one before has led to.
///
/// The waking thread spins a while before it sleeps, and wakes a little later in each round, so that wakes meet the
/// executor at every step of its way from the poll to its sleep.
fn woken_by_a_thread(log: &Arc<Log>, rounds: usize) -> impl Future<Output = ()> + Send + 'static + use<> {
    let (asks, asked) = mpsc::channel();
    let woken = Arc::new(AtomicBool::new(true));
    thread::spawn({
        let (log, woken) = (log.clone(), woken.clone());
        move || {
            let next = || (0..2_000).find_map(|_| asked.try_recv().ok()).or_else(|| asked.recv().ok());
            while let Some(round) = next() {
                (0..round % 200).for_each(|_| spin_loop());
                // In this order: a poll that changes the waker in between sees the flag.
                woken.store(true, SeqCst);
                log.waker().wake();
            }
        }
    });
    let mut left = rounds;
    log.future(move |_, _| {
        if woken.swap(false, SeqCst) {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            asks.send(left).expect("the thread listens as long as this future lives");
        }
        Poll::Pending
    })
}

/// Ends after `wakes` wakes, each made inside its own poll, by turns by reference and by value.
fn woken_by_itself(log: &Arc<Log>, wakes: usize) -> impl Future<Output = ()> + Send + 'static + use<> {
    log.future(move |poll, cx| {
        if poll > wakes {
            return Poll::Ready(());
        }
        match poll % 3 {
            0 => cx.waker().wake_by_ref(),
            1 => cx.waker().clone().wake(),
            _ => (0..3).for_each(|_| cx.waker().wake_by_ref()),
        }
        Poll::Pending
    })
}

/// Ends after `wakes` wakes, each made by another thread that its poll waits for.
fn woken_by_a_thread_during_the_poll(
    log: &Arc<Log>,
    wakes: usize,
) -> impl Future<Output = ()> + Send + 'static + use<> {
    log.future(move |poll, cx| {
        if poll > wakes {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        on_another_thread(move || waker.wake());
        Poll::Pending
    })
}

/// For [`woken_by_itself`] and its like, once they have ended.
fn assert_one_poll_per_wake<E: BlockOn + Described>(log: &Log, wakes: usize) {
    if E::CAPABILITIES.polls_only_woken {
        assert_eq!(log.polls(), wakes + 1, "the first poll, and one for each of {wakes} wakes");
    } else {
        assert!(log.polls() > wakes, "{} polls are too few for {wakes} wakes", log.polls());
    }
    log.assert_sound();
}

/// Ends after `rounds` rounds of two threads that each set a flag and wake. Nothing but the wakes orders the flags
/// before the poll that looks at them; a poll that misses a flag whose wake it stands for is the last one.
fn two_relaxed_flags(rounds: usize) -> impl Future<Output = ()> + Send + 'static {
    let threads = [(); 2].map(|()| {
        let (starts, started) = mpsc::channel::<(usize, Waker)>();
        let flag = Arc::new(AtomicUsize::new(0));
        let raised = flag.clone();
        thread::spawn(move || {
            for (round, waker) in started {
                // Relaxed, here and below: the clause is that the wake is enough.
                raised.store(round, Relaxed);
                waker.wake_by_ref();
            }
        });
        (starts, flag)
    });
    let mut round = 0;
    poll_fn(move |cx| {
        if threads.iter().all(|(_, flag)| flag.load(Relaxed) == round) {
            if round == rounds {
                return Poll::Ready(());
            }
            round += 1;
            for (starts, _) in &threads {
                starts.send((round, cx.waker().clone())).expect("the thread listens as long as this future lives");
            }
        }
        Poll::Pending
    })
}

/// Fails if the waker changes from poll to poll, or a clone differs from its original.
fn same_waker_each_time() -> impl Future<Output = ()> + Send + 'static {
    let mut known = Vec::<Waker>::new();
    poll_fn(move |cx| {
        let waker = cx.waker();
        let clone = waker.clone();
        assert!(waker.will_wake(&clone) && clone.will_wake(waker), "a waker and its clone differ");
        assert!(clone.will_wake(&clone.clone()), "a clone and its clone differ");
        assert!(known.iter().all(|known| known.will_wake(waker)), "the waker has changed since an earlier poll");
        known.push(clone);
        if known.len() == 5 {
            return Poll::Ready(());
        }
        waker.wake_by_ref();
        Poll::Pending
    })
}

/// Writes over what `block_on` and the polls have left below this frame.
#[inline(never)]
fn overwrite_the_stack() {
    black_box(&mut [0xA5_u8; 64 << 10]);
}

thread_local! {
    /// Touched before the executor, and so destroyed after the executor's own thread-locals, where the platform
    /// destroys them in reverse.
    static EARLY: Cell<Option<AtThreadsEnd>> = const { Cell::new(None) };
    /// Touched after the executor.
    static LATE: Cell<Option<AtThreadsEnd>> = const { Cell::new(None) };
}

/// Uses a waker in every way when the thread ends, and notes whether that panics: left alone, such a panic aborts.
struct AtThreadsEnd {
    waker: Waker,
    panicked: Arc<AtomicBool>,
}

impl AtThreadsEnd {
    fn new(waker: Waker, panicked: &Arc<AtomicBool>) -> Option<Self> {
        Some(Self { waker, panicked: panicked.clone() })
    }
}

impl Drop for AtThreadsEnd {
    fn drop(&mut self) {
        if catch_unwind(spend(self.waker.clone())).is_err() {
            self.panicked.store(true, SeqCst);
        }
    }
}
