//! Polls: one thread at a time, once for any number of wakes, never after the end, never at another address.

use std::marker::PhantomPinned;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::task::{Context, Poll, Waker};
use std::thread;

use executor::{Described, Executor, JoinHandle, RemoteSpawn, yield_now};

use super::subject::{End, PAYLOAD, Subject, ends};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Log, assert_usable, case, on_another_thread, quiet_panic, settle, yield_times};

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
    guards "nothing known: the promise behind `Pin<&mut Self>`, where a lock or a bit has to keep it."
    pub fn t01d_two_drivers_poll_no_task_at_once<E: RemoteSpawn>() -> Outcome {
        if !E::CAPABILITIES.concurrent_drivers {
            return show_that_drivers_exclude_each_other::<E>();
        }
        for stays in [false, true] {
            case(format_args!("one comes and goes, the other {}", if stays { "stays" } else { "does, too" }), || {
                poll_with_two_drivers::<E>(stays);
            });
        }
        Outcome::Pass
    }
}

/// Stays inside a poll long enough for other threads to interfere, and now and then long enough for them to start.
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
            executor.block_on(yield_times(3));
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
            // The second thread may have to wait until this one leaves `block_on`.
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
    assert!(!second.is_ok_and(|both| both), "it claims that two threads cannot drive, but both were inside `block_on`");
    Outcome::NotApplicable { capability: "concurrent_drivers", why: "a second thread cannot enter `block_on`" }
}

clause! {
    "T2" Contract "A task is queued at most once: any number of wakes before a poll lead to one poll."
    guards "ros2_rust#669, embassy#3573 and compio#856: a task that was in the queue twice."
    pub fn t02_a_task_is_queued_at_most_once<E: Executor>() -> Outcome {
        let executor = E::default();
        let (log, done) = (Log::new(), Gate::new());
        let task = executor.spawn(log.future({
            let done = done.clone();
            move |poll, cx| {
                // Both in the second poll and in the last one.
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
            assert!(log.polls() > before, "it claims to poll what was not woken, but did not");
            let why = "a task that was not woken was polled";
            return Outcome::NotApplicable { capability: "polls_only_woken", why };
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
                // What might move it: other tasks come and go, and the executor itself moves.
                let others: Vec<_> = (0..200).map(|_| executor.spawn(yield_times(2))).collect();
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

/// Notices when it is moved between its first poll and its drop. It is too large for a small-size optimisation.
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
