//! Several threads inside `block_on` or `run` at once, or one after the other.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use executor::{BlockOn, RemoteSpawn, yield_now};

use super::{drive_here, opened, restless, rounds};
use crate::clause::clause;
use crate::probe::{Gate, Log, UNCOUNTED, Waits, caught, quiet_panic};
use crate::{Allocations, Outcome};

/// Runs `action` on a thread that may hang, and returns the channel on which its result will arrive.
pub(super) fn apart<R: Send + 'static>(action: impl FnOnce() -> R + Send + 'static) -> mpsc::Receiver<R> {
    let (sender, receiver) = mpsc::channel();
    // The receiver is gone only if the test has failed.
    thread::spawn(move || drop(sender.send(action())));
    receiver
}

/// Waits for the result of what [`apart`] started.
#[track_caller]
pub(super) fn returned<R>(receiver: &mpsc::Receiver<R>, what: &'static str) -> R {
    let _waits = Waits::for_this(what);
    receiver.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|error| panic!("{what} did not return: {error}"))
}

pub(super) const ONE_DRIVER: Outcome = Outcome::NotApplicable {
    capability: "concurrent_drivers",
    why: "nothing is shown: a second thread may panic, wait or hang",
};

clause! {
    "X22" Contract "All threads inside `block_on` or `run` return: when the driving one leaves, another takes over."
    guards "async-executor#102: a sleeper was notified of work and left; or a thread sleeps while a woken task waits."
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
            // Only the second thread can poll the task now.
            go.open();
            returned(&follower, "the second thread");
            assert_eq!(log.drops(), 1);
            log.assert_sound();
        }
        Outcome::Pass
    }
}

clause! {
    "X22a" Contract
        "However many threads are inside `block_on`, each gets its output, and no task is polled by two at once."
    guards "embassy#3573, compio#856: one task on two threads; a follower that sleeps while no thread drives."
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
    "X22h" Contract "A thread that drove before may wake a task that another thread now drives."
    guards "a waker that remembers its thread: monoio-rs/monoio#117 and DataDog/glommio#194 are related."
    pub fn x22h_who_drove_before_wakes_like_any_other<E: RemoteSpawn>() -> Outcome {
        let executor = Arc::new(E::default());
        let (log, gate, driven) = (Log::new(), Gate::new(), Arc::new(AtomicBool::new(false)));
        drop(executor.spawn(log.future(opened(&gate))));
        while log.polls() == 0 {
            yield_from(&*executor);
        }
        let (driver, drives) = (executor.clone(), driven.clone());
        // Polled by the thread that drives, which this one no longer does.
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

/// Calls `block_on` briefly, so that the right to drive changes hands.
fn yield_from(executor: &impl BlockOn) {
    executor.block_on(yield_now());
}

clause! {
    "X22n" Contract "The right to drive passes from thread to thread each time the driving one leaves."
    guards "async-executor#102: a notified sleeper left. Here: a leaving thread notifies one follower and forgets the \
            others."
    pub fn x22n_the_right_to_drive_passes_on_and_on<E: RemoteSpawn>() -> Outcome {
        const THREADS: usize = 8;
        if !E::CAPABILITIES.concurrent_drivers {
            return ONE_DRIVER;
        }
        let executor = Arc::new(E::default());
        let log = Log::new();
        let (driven, drivers) = mpsc::sync_channel(1);
        let polled = log.future(move |_, _| {
            // The channel is full if its last message was not read yet.
            let _ = driven.try_send(thread::current().id());
            Poll::<()>::Pending
        });
        let (entered, entries) = mpsc::channel();
        let threads = [(); THREADS].map(|()| {
            let (executor, entered, leave) = (executor.clone(), entered.clone(), Gate::new());
            apart(move || {
                executor.block_on(async {
                    // The receiver is gone only if the test has failed.
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
                // The poll may have happened before the last driver left.
                if let Some(leave) = inside.remove(&driver) {
                    break leave;
                }
                log.waker().wake();
            };
            leave.open();
            log.waker().wake();
        }
        threads.iter().for_each(|thread| returned(thread, "a thread that was told to leave"));
        log.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "X22m" Quality "Waiting while another thread drives takes no memory that grows with the wakes or the calls."
    guards "a list of waiting threads in which entries stay, or in which every look makes one."
    pub fn x22m_waiting_for_the_right_to_drive_holds_no_memory<E: RemoteSpawn>() -> Outcome {
        const WAKES: usize = 1_000;
        if !E::CAPABILITIES.concurrent_drivers {
            return ONE_DRIVER;
        }
        if !Allocations::are_counted() {
            return UNCOUNTED;
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

/// By how many bytes a thread's memory grows over `calls` calls of `block_on`, each woken `wakes` times, while another
/// thread drives.
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
                // Then no waker of this call is left, and the next call may reuse it.
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
        // During this pause the other thread goes to sleep, or is about to: at a different moment each time.
        (0..wake % 64 * 16).for_each(|_| std::hint::spin_loop());
        woken.fetch_add(1, SeqCst);
        waker.wake();
        gone.fetch_add(1, SeqCst);
    }
    returned(&follower, "the thread that waits")
}
