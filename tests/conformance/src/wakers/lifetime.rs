//! Lifetime: wakers that outlive the poll, the executor, the thread and its thread-locals.

use std::cell::Cell;
use std::hint::black_box;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::task::{Poll, Waker};
use std::thread;

use executor::{BlockOn, Executor, yield_now};

use super::delivery::woken_by_a_thread_during_the_poll;
use super::{own_waker, spend};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Log, drive_until, finish, on_another_thread};

clause! {
    "W12" Contract "Wakers that outlive the executor do nothing, whatever is done to them, on any thread."
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
    "W12r" Contract "The root's wakers outlive the executor and the thread that was in `block_on`."
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
    "W18" Std "A waker still works after the poll, the `block_on` and the stack frames that it came from."
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
    "W18r" Std "The root's waker may be used after its `block_on` has returned, and does not cost the next call a wake."
    guards "futures-rs#2795: a waker that pointed into a stack frame; pollster 1.0.1: two calls that share one signal."
    pub fn w18r_wakers_of_the_root_outlive_block_on<E: BlockOn>() -> Outcome {
        let executor = E::default();
        let stale = executor.block_on(own_waker());
        overwrite_the_stack();
        spend(stale.clone())();
        on_another_thread(spend(stale.clone()));
        // Woken during the next call, it may cause polls there, but must not cost any.
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
    "W22" Contract "Wakers may be used and dropped in the destructor of a thread-local."
    guards "tokio#6148 and #593: the executor's own thread-locals were already gone, and the wake panicked."
    pub fn w22_a_wake_from_a_thread_locals_destructor_works<E: Executor>() -> Outcome {
        let panicked = Arc::new(AtomicBool::new(false));
        // On a thread that has used no executor, while this one sleeps.
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
        // On the thread that drove, before and after the executor's own thread-locals are destroyed.
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
    "W22r" Contract "The root's wakers may be used and dropped in the destructor of a thread-local."
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

/// Overwrites what `block_on` and the polls have left on the stack below this frame.
#[inline(never)]
fn overwrite_the_stack() {
    black_box(&mut [0xA5_u8; 64 << 10]);
}

thread_local! {
    /// Touched before the executor, and so destroyed after the executor's own thread-locals, if the platform destroys
    /// them in reverse order.
    static EARLY: Cell<Option<AtThreadsEnd>> = const { Cell::new(None) };
    /// Touched after the executor.
    static LATE: Cell<Option<AtThreadsEnd>> = const { Cell::new(None) };
}

/// Uses a waker in every way when the thread ends, and records whether that panics: uncaught, such a panic aborts.
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
