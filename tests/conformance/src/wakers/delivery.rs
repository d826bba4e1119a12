//! Delivery: every wake leads to a poll.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;

use executor::{BlockOn, Described, Executor, WakeNames};

use super::{many, unless_only_woken_are_polled};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Log, drive, drive_until, finish, on_another_thread, pass_if_wakes_matter};

clause! {
    "W6" Std "While the executor runs and the task is unfinished, each wake is followed by a poll."
    guards "tokio#525, async-executor#102 and zesterer/pollster#1: a wake was lost as the executor fell asleep."
    pub fn w06_each_wake_is_followed_by_a_poll<E: Executor>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        finish(&executor, executor.spawn(woken_by_a_thread(&log, many::<E>())));
        assert!(log.polls() > many::<E>(), "{} polls are too few", log.polls());
        log.assert_sound();
        // Also from a future's drop, on the thread that drives.
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
        assert_eq!(dropped.drops(), 1, "drops of the future that wakes in its drop");
        pass_if_wakes_matter::<E>()
    }
}

clause! {
    "W6r" Std "While `block_on` runs, each wake of the root is followed by a poll."
    guards "zesterer/pollster#1 and futures-rs#2010: the thread slept through the wake of its own future."
    pub fn w06r_each_wake_of_the_root_is_followed_by_a_poll<E: BlockOn>() -> Outcome {
        let log = Log::new();
        E::default().block_on(woken_by_a_thread(&log, many::<E>()));
        assert!(log.polls() > many::<E>(), "{} polls are too few", log.polls());
        log.assert_sound();
        pass_if_wakes_matter::<E>()
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
        // The root waits instead of yielding: where a wake names the thread, a yield would poll every task.
        executor.block_on(first.opened());
        let before = log.polls();
        for _ in 0..50 {
            log.waker().wake();
        }
        on_another_thread({
            let waker = log.waker();
            move || (0..50).for_each(|_| waker.wake_by_ref())
        });
        assert_eq!(log.polls(), before, "polls by wakes while no thread drives");
        if before == 1 {
            executor.block_on(second.opened());
        }
        if precise {
            drive(&executor, 100);
            assert_eq!(log.polls(), 2, "the first poll, and one for 100 wakes");
        } else {
            // One round for entering `block_on`, and one for the gate that ends it.
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
        // Nothing else is ready, and the root waits: if the wake is lost, every thread sleeps.
        finish(&executor, executor.spawn(woken_by_itself(&log, 100)));
        assert_one_poll_per_wake::<E>(&log, 100);
        pass_if_wakes_matter::<E>()
    }
}

clause! {
    "W8r" Std "A wake of the root during its own poll leads to another poll."
    guards "richardanaya/executor#4: the flag was cleared after the poll, and the wake with it."
    pub fn w08r_a_wake_from_inside_the_roots_poll_leads_to_another<E: BlockOn>() -> Outcome {
        let log = Log::new();
        E::default().block_on(woken_by_itself(&log, 100));
        assert!(log.polls() > 100, "{} polls are too few", log.polls());
        log.assert_sound();
        pass_if_wakes_matter::<E>()
    }
}

clause! {
    "W9" Std "A wake by another thread during the poll leads to another poll."
    guards "awslabs/shuttle#54 and compio-rs/compio#856: a wake of a running task was ignored."
    pub fn w09_a_wake_from_a_thread_during_the_poll_leads_to_another<E: Executor>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        finish(&executor, executor.spawn(woken_by_a_thread_during_the_poll(&log, 50)));
        assert_one_poll_per_wake::<E>(&log, 50);
        pass_if_wakes_matter::<E>()
    }
}

clause! {
    "W9r" Std "A wake of the root by another thread during its poll leads to another poll."
    guards "zesterer/pollster#1: a wake before the thread slept did not keep it from sleeping."
    pub fn w09r_a_wake_from_a_thread_during_the_roots_poll_leads_to_another<E: BlockOn>() -> Outcome {
        let log = Log::new();
        E::default().block_on(woken_by_a_thread_during_the_poll(&log, 50));
        assert!(log.polls() > 50, "{} polls are too few", log.polls());
        log.assert_sound();
        pass_if_wakes_matter::<E>()
    }
}

/// Ends after `rounds` wakes. Another thread makes each of them after the poll that the previous one has led to.
///
/// The waking thread spins a while before it sleeps, and wakes a little later in each round, so that the wakes meet the
/// executor at every step between the poll and its sleep.
fn woken_by_a_thread(log: &Arc<Log>, rounds: usize) -> impl Future<Output = ()> + Send + 'static + use<> {
    let (asks, asked) = mpsc::channel();
    let woken = Arc::new(AtomicBool::new(true));
    thread::spawn({
        let (log, woken) = (log.clone(), woken.clone());
        move || {
            let next = || (0..2_000).find_map(|_| asked.try_recv().ok()).or_else(|| asked.recv().ok());
            while let Some(round) = next() {
                (0..round % 200).for_each(|_| spin_loop());
                // In this order: a poll in between that replaces the waker sees the flag.
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

/// Ends after `wakes` wakes, each made inside its own poll, alternately by reference and by value.
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

/// Ends after `wakes` wakes, each made by another thread while the poll waits for that thread.
pub(super) fn woken_by_a_thread_during_the_poll(
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

/// For [`woken_by_itself`] and [`woken_by_a_thread_during_the_poll`], once they have ended.
fn assert_one_poll_per_wake<E: BlockOn + Described>(log: &Log, wakes: usize) {
    if E::CAPABILITIES.polls_only_woken {
        assert_eq!(log.polls(), wakes + 1, "the first poll, and one for each of {wakes} wakes");
    } else {
        assert!(log.polls() > wakes, "{} polls are too few for {wakes} wakes", log.polls());
    }
    log.assert_sound();
}
