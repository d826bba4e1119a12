//! Identity: which task a waker is for, and which of its wakers must work.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::thread;

use executor::{BlockOn, Executor, WakeNames, yield_now};

use super::own_waker;
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Log, WakeCount, drive, drive_until, finish, poll_once};

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
            WakeNames::Nobody => "all wakers are equal: none wakes anything",
            WakeNames::Thread => "all wakers of a `block_on` are equal: each wakes the thread",
        };
        let names = E::CAPABILITIES.wake_names;
        assert!(one.will_wake(&two), "it claims that a wake names {names}, but its wakers tell tasks apart");
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
    "W19" Std "Wakers of earlier polls and spurious polls do no harm; the waker of the latest poll works."
    guards "BVE-Reborn/switchyard#4 and cfsamson/books-futures-explained#2: the first waker was kept forever."
    pub fn w19_only_the_latest_waker_must_work<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, woken) = (Log::new(), Gate::new());
        let mut task = executor.spawn(log.ready_once(&woken));
        // The handle is polled by hand, spuriously and with a waker of no task, and then moves to a task.
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
        // The joiner registers its own waker, and waits.
        drive(&executor, 10);
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
    "W23" Contract "Each poll of a task gets the task's waker, whatever a future did to the `Context` of another poll."
    guards "one `Context` for several polls, which safe code may overwrite; found here, by reading."
    pub fn w23_an_overwritten_context_is_gone_with_its_poll<E: Executor>() -> Outcome {
        /// The waker of no task: an executor has no reason to poll anything with it.
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
