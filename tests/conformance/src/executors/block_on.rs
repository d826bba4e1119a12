//! `block_on`: its output, its borrows, and the polls of its root.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::{BlockOn, Executor, JoinHandle, RemoteSpawn, yield_now};

use super::{opened, restless};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Log, drive, drive_until, on_another_thread};

clause! {
    "X4" Contract "`block_on` drives its future to completion; the future may borrow and need not be `Send`."
    guards "a root in a box with more bounds than the caller's future has; such futures are what `block_on` is for."
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
    "X4d" Contract "The root and all that it owns are dropped before `block_on` returns; that drop may wake tasks."
    guards "found here: the drop may come after the thread has stopped driving."
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
        drive_until(&executor, "the end of the task", || task.drops() > 0);
        root.assert_sound();
        task.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "X4t" Contract "`block_on` drives the tasks, too, and keeps the unfinished ones for the next call."
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
        drive_until(&executor, "the first poll", || log.polls() > 0);
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
    "X5" Quality "A task that was not woken is not polled, nor is the root; many wakes lead to one poll."
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
        drive_until(&executor, "the first poll", || idle.polls() > 0);
        let counts = (busy.polls(), idle.polls(), root.polls());
        if !E::CAPABILITIES.polls_only_woken {
            drive(&executor, 10);
            assert!(idle.polls() > 1 || counts.2 > 2, "it claims to poll what was not woken, but did not");
            return Outcome::NotApplicable {
                capability: "polls_only_woken",
                why: "a future was polled because another was woken",
            };
        }
        assert_eq!(counts.0, 11, "polls of a task that woke itself 10 times");
        assert_eq!(counts.1, 1, "polls of a task that was not woken");
        // Polled once if the task ended first.
        assert!(counts.2 <= 2, "the root was woken once, by its join handle, and polled {} times", counts.2);
        (0..100).for_each(|_| idle.waker().wake_by_ref());
        drive_until(&executor, "a poll after 100 wakes", || idle.polls() > 1);
        drive(&executor, 10);
        assert_eq!(idle.polls(), 2, "polls of a task that was woken 100 times between two of them");
        Outcome::Pass
    }
}

clause! {
    "X5r" Quality "The root is polled only when woken; many wakes during a poll lead to one poll."
    guards "tokio's loom test `block_on_num_polls`; park tokens left by other code, taken for wakes."
    pub fn x05r_only_a_woken_root_is_polled<E: BlockOn>() -> Outcome {
        let executor = E::default();
        let (log, gate) = (Log::new(), Gate::new());
        let (polled, mut opened) = (log.clone(), opened(&gate));
        let needless = Arc::new(AtomicUsize::new(0));
        let seen = needless.clone();
        // Silence, long enough for a spurious poll, and then a wake.
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
                    // A park token without a wake.
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
            assert_eq!((log.polls(), needless), (5, 0), "polls of a root woken four times, and spurious polls");
        } else if log.polls() > 5 || needless > 0 {
            return Outcome::NotApplicable {
                capability: "polls_only_woken",
                why: "its root was polled more often than it was woken",
            };
        }
        Outcome::Pass
    }
}

clause! {
    "X25" Contract "One executor serves any number of `block_on` calls; wakers of earlier calls are harmless."
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
    "X25s" Contract "Several threads may drive one executor one after another, and its tasks continue."
    guards "wakers and queues that belong to the first thread that drove."
    pub fn x25s_threads_drive_one_after_the_other<E: RemoteSpawn>() -> Outcome {
        let executor = Arc::new(E::default());
        let (log, gate, mut stale) = (Log::new(), Gate::new(), None::<Waker>);
        let mut task = Some(executor.spawn(log.future(opened(&gate))));
        for turn in 1..=4 {
            let (executor, log, gate, earlier) = (executor.clone(), log.clone(), gate.clone(), stale.take());
            let last = if turn == 4 { task.take() } else { None };
            stale = Some(on_another_thread(move || {
                let root = Log::new();
                drive_until(&*executor, "a poll of the task", || log.polls() > 0);
                // Wakers of threads that left: the task's, and that of the previous thread's root.
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
                // A call that ends with its first poll must not bind anything to its thread either.
                executor.block_on(async { log.waker().wake() });
                root.waker()
            }));
        }
        assert_eq!(log.drops(), 1);
        log.assert_sound();
        Outcome::Pass
    }
}
