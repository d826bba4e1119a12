//! Side effects: what a wake, a clone and a drop must not do.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

use executor::{Executor, JoinHandle, WakeNames, yield_now};

use super::{spend, unless_only_woken_are_polled};
use crate::clause::clause;
use crate::probe::{Gate, Log, drive, drive_until, finish, on_another_thread};
use crate::{Allocations, Outcome};

clause! {
    "W11" Std "A wake after the task's completion polls nothing and does no harm."
    guards "awslabs/shuttle#12 and embassy#3622: a stale waker brought a completed task back."
    pub fn w11_a_wake_after_completion_polls_nothing<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let other = Log::new();
        let other_task = executor.spawn(other.ready_once(&woken));
        // It completes with a wake pending: it is scheduled once more, but not polled again.
        let task = executor.spawn(log.future(|poll, cx| {
            cx.waker().wake_by_ref();
            if poll == 2 { Poll::Ready(()) } else { Poll::Pending }
        }));
        drop(executor.spawn(task));
        drive_until(&executor, "the end of the task", || log.drops() == 1);
        for _ in 0..3 {
            log.waker().wake_by_ref();
            on_another_thread(spend(log.waker()));
            drive(&executor, 10);
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
    "W13" Contract "A wake never runs the task inline and never waits."
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
        // While no thread drives: from this thread, then from another.
        (0..1000).for_each(|_| wake_holding_the_lock());
        on_another_thread(wake_holding_the_lock.clone());
        executor.block_on(async {
            // Inside the root's poll, on this thread and on one that the poll waits for.
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
    "W14" Contract "A wake never fails, however many wakes and tasks there are, and wakes alone use no memory."
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

        // A thousand times as many tasks as blog_os has slots, each scheduled when spawned, and again when woken.
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
    "W15" Contract "A wake never drops a task's future on the caller's stack while the executor lives."
    guards "tokio#1929 and #1886: a wake during shutdown dropped the task under the caller's borrow."
    pub fn w15_a_wake_never_drops_the_future<E: Executor>() -> Outcome {
        let lock = Arc::new(Mutex::new(()));
        let dropped_in_a_wake = Arc::new(AtomicBool::new(false));
        // A future's drop finds the lock taken if it runs inside a wake: only one thread at a time is active here.
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
        // The task's last waker outside the executor; then aborted tasks, woken by this thread and by another.
        let last = detached.waker();
        detached.forget_waker();
        wake_holding_the_lock(last);
        handles.iter().for_each(JoinHandle::abort);
        wake_holding_the_lock(aborted.waker());
        thread::scope(|scope| {
            scope.spawn(|| wake_holding_the_lock(stale.waker()));
        });
        drive(&executor, 10);
        assert_eq!([aborted.drops(), stale.drops()], [1, 1], "drops of the aborted tasks");

        // Shutdown: two tasks wake each other in their drops. Whichever is dropped first, its wake must not drop the
        // other.
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
    "W20" Contract "Cloning and dropping wakers neither polls nor schedules a live task."
    guards "a drop that wakes, so that a thread which replaces its waker on every poll never sleeps again."
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
        // And while the executor sleeps. The thread drops its own waker before it opens the gate.
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
            drive(&executor, 10);
        }
        // Where a wake polls everything, entering `block_on` and opening the gate do so, too.
        let allowed = if precise { 0 } else { 10 };
        let extra = log.polls() - polls;
        assert!(extra <= allowed, "{extra} polls of a task whose waker was only cloned and dropped");
        Outcome::Pass
    }
}
