//! Idleness: the thread sleeps, and no wake is lost on its way there.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use executor::{BlockOn, Executor, Idle};

use super::{BUDGET, opened};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Log, on_another_thread, pass_if_wakes_matter, processor_time};

/// How long an executor is left without anything to do.
const IDLE: Duration = Duration::from_millis(200);

/// How much processor time an idle thread may use during [`IDLE`], to fall asleep and to wake up.
const IDLE_PROCESSOR_TIME: Duration = Duration::from_millis(10);

/// How often a future may be polled before its executor finds that there is nothing to do.
const IDLE_POLLS: usize = 3;

/// Has the executor driven with nothing to do for [`IDLE`], until `gate` opens. Fails if the thread uses its processor
/// during that time, or polls one of `futures` without a wake.
fn assert_sleeps(gate: &Arc<Gate>, futures: &[Arc<Log>], drive: impl FnOnce()) {
    let ends = gate.clone();
    let before = processor_time();
    let helper = thread::spawn(move || {
        thread::sleep(IDLE);
        ends.open();
    });
    drive();
    if let (Some(before), Some(after)) = (before, processor_time()) {
        let used = after - before;
        assert!(used < IDLE_PROCESSOR_TIME, "of {IDLE:?} with nothing to do, the thread was busy for {used:?}");
    }
    helper.join().expect("the other thread does not panic");
    for log in futures {
        assert!(log.polls() <= IDLE_POLLS, "a future that was not woken was polled {} times", log.polls());
    }
}

/// The same, while the root of a `block_on` waits beside these tasks.
fn assert_block_on_sleeps(executor: &impl BlockOn, tasks: &[Arc<Log>]) {
    let (root, gate) = (Log::new(), Gate::new());
    let futures: Vec<_> = tasks.iter().chain([&root]).cloned().collect();
    assert_sleeps(&gate, &futures, || executor.block_on(root.future(opened(&gate))));
}

/// The outcome for an executor that spins, once it has made 1,000 polls without a wake.
const SPINS: Outcome =
    Outcome::NotApplicable { capability: "idle", why: "it spins: it made 1,000 polls without a wake" };

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
        assert_block_on_sleeps(&executor, &tasks);
        // In `run` as well, where there is no root.
        let (executor, log, gate) = (E::default(), Log::new(), Gate::new());
        drop(executor.spawn(log.future(opened(&gate))));
        assert_sleeps(&gate, &[log], || executor.run());
        Outcome::Pass
    }
}

clause! {
    "X6r" Quality "While the root waits, its thread sleeps: no polls and no processor time."
    guards "vexide/pros-rs#26: a `block_on` that spins."
    pub fn x06r_an_idle_block_on_sleeps<E: BlockOn>() -> Outcome {
        let executor = E::default();
        if E::CAPABILITIES.idle == Idle::Spins {
            executor.block_on(Log::new().future(|poll, _| if poll > 1_000 { Poll::Ready(()) } else { Poll::Pending }));
            return SPINS;
        }
        assert_block_on_sleeps(&executor, &[]);
        Outcome::Pass
    }
}

clause! {
    "X7" Std "A wake between the last look at the queue and the sleep is not lost."
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
    "X7r" Std "A wake of the root just before its thread sleeps is not lost."
    guards "zesterer/pollster#1, tokio#525 and #528: a notification between the check and the wait."
    pub fn x07r_a_root_woken_just_before_the_sleep_is_polled<E: BlockOn>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        executor.block_on(asking(&log, |answer| answer()));
        log.assert_sound();
        pass_if_wakes_matter::<E>()
    }
}

/// A future that asks another thread, waits for the answer, which comes through `send`, and asks again, many times. The
/// answers come after various delays, so that some arrive just when the executor is about to sleep.
pub(super) fn asking(
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
                    // Long enough for the executor to be asleep. If it is not, this question proves less.
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
            // The log has the waker already: the future registers, asks, and only then checks.
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

/// A future that is woken and then, in the same poll, consumes or leaves a token of `thread::park`, as user code and
/// the channels of std do.
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
