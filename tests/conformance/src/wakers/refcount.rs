//! References: what a clone acquires, and what `wake`, `wake_by_ref` and `drop` give back.

use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Barrier};
use std::task::{Poll, Waker};
use std::thread;

use executor::{BlockOn, Executor, yield_now};

use super::many;
use crate::clause::clause;
use crate::probe::{Gate, Log, assert_balanced, drive_until, finish, if_counted, pass_if_wakes_matter};
use crate::{Allocations, Outcome};

clause! {
    "W1" Std "`clone` gives a waker that wakes the same task and keeps alive everything it needs."
    guards "rust-lang/rust#52640, unicycle#30 and glommio#379: a clone that counted one reference too few."
    pub fn w01_clone_wakes_the_same_task<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let task = executor.spawn(log.ready_once(&woken));
        // After its first poll the task has left its waker; then only a clone of a clone is left, on another thread.
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
        pass_if_wakes_matter::<E>()
    }
}

clause! {
    "W2" Std "`wake` wakes the task and releases what the waker held."
    guards "tokio#5295 and DataDog/glommio#379: a wake by value that kept its reference, or released it twice."
    pub fn w02_wake_wakes_and_releases<E: Executor>() -> Outcome {
        assert_balanced(|| {
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
            // The task is done: only the wakers hold its memory now, and the last one releases it by waking.
            let wakers = [log.waker(), log.waker()];
            log.forget_waker();
            drop(executor);
            wakers.into_iter().for_each(Waker::wake);
            log.assert_sound();
        });
        if_counted(pass_if_wakes_matter::<E>())
    }
}

clause! {
    "W2d" Std
        "Inside a poll, too, `wake` releases what the waker held, whether the task is idle, queued, running or ended."
    guards "a fast path for wakes on the driving thread that forgets the reference of a waker which changes nothing."
    pub fn w02d_wake_releases_on_the_driving_thread_too<E: Executor>() -> Outcome {
        assert_balanced(|| {
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
        if_counted(Outcome::Pass)
    }
}

clause! {
    "W3" Std "`wake_by_ref` wakes the task and does not consume the waker."
    guards "a `wake_by_ref` written like `wake`: each call releases a reference that the waker still holds."
    pub fn w03_wake_by_ref_does_not_consume<E: Executor>() -> Outcome {
        assert_balanced(|| {
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
        if_counted(pass_if_wakes_matter::<E>())
    }
}

clause! {
    "W4" Std "`drop` releases what the waker held; nothing leaks and nothing is freed early."
    guards "tokio#4724 and #6986: wakers that were never dropped; rust-lang/rust#52640: dropped once too often."
    pub fn w04_wakers_leak_nothing<E: Executor>() -> Outcome {
        assert_balanced(|| {
            let executor = E::default();
            let (log, woken) = (Log::new(), Gate::new());
            let task = executor.spawn(log.ready_once(&woken));
            drive_until(&executor, "the first poll", || log.polls() >= 1);
            // Dropped in three portions: while the task lives, once it is done, and once the executor is gone.
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
            assert_eq!(log.drops(), 1, "drops of the future, at its end");
            log.assert_sound();
        });
        if_counted(Outcome::Pass)
    }
}

clause! {
    "W4r" Std "The root's wakers release what they held; nothing leaks."
    guards "a waker of the thread that is cloned on every poll and counted too often."
    pub fn w04r_wakers_of_the_root_leak_nothing<E: BlockOn>() -> Outcome {
        assert_balanced(|| {
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
        if_counted(Outcome::Pass)
    }
}

clause! {
    "W5" Std "Clone, wake, wake_by_ref and drop may run on many threads at once, even through one `&Waker`."
    guards "glommio#194 and monoio#120: reference counts that were not atomic."
    pub fn w05_wakers_are_used_by_many_threads_at_once<E: Executor>() -> Outcome {
        // How many blocks the last waker frees after `crowd` threads have used and cloned it.
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
            assert_eq!(log.drops(), 1, "drops of the future");
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
