//! Memory: what keeps a task, and what is freed when.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;

use executor::{Described, Executor, JoinHandle, yield_now};

use super::subject::{Subject, VALUE, ends};
use crate::clause::clause;
use crate::probe::{DropCount, Log, UNCOUNTED, assert_balanced, case, on_another_thread, settle};
use crate::{Allocations, Outcome};

/// What holds a reference to a task, and so keeps its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeper {
    Executor,
    Waker,
    Handle,
}

clause! {
    "T7" Contract
        "A task's memory is freed once, after its queue entry, wakers and handle; its future is dropped earlier."
    guards "unicycle#30 and tokio-rs/tokio#4724: counts that missed a reference, and a future kept by its own waker."
    pub fn t07_a_task_is_freed_after_its_last_reference<E: Executor>() -> Outcome {
        use Keeper::*;
        for order in [
            [Executor, Waker, Handle],
            [Executor, Handle, Waker],
            [Waker, Executor, Handle],
            [Waker, Handle, Executor],
            [Handle, Executor, Waker],
            [Handle, Waker, Executor],
        ] {
            for completes in [true, false] {
                case(format_args!("completes: {completes}, dropped in the order {order:?}"), || {
                    assert_balanced(|| drop_in_order::<E>(order, completes));
                });
            }
        }
        case("many tasks on one executor, each with its own waker inside", finished_tasks_leave_nothing::<E>);
        if !Allocations::are_counted() {
            return UNCOUNTED;
        }
        Outcome::Pass
    }
}

fn drop_in_order<E: Executor + Described + 'static>(order: [Keeper; 3], completes: bool) {
    let executor = E::default();
    let log = Log::new();
    let own_waker = Cell::new(None);
    let task = executor.spawn(log.future(move |_, cx| {
        own_waker.set(Some(cx.waker().clone()));
        if completes { Poll::Ready(VALUE) } else { Poll::Pending }
    }));
    settle(&executor);
    assert_eq!(log.drops(), usize::from(completes), "drops of a future that holds its own waker");
    let (mut executor, mut waker, mut task) = (Some(executor), log.take_waker(), Some(task));
    for keeper in order {
        match keeper {
            Keeper::Executor => executor = None,
            Keeper::Waker => waker = None,
            Keeper::Handle => task = None,
        }
        // What is left must still be usable: a sanitizer notices if it is not.
        if let Some(waker) = &waker {
            let clone = waker.clone();
            clone.wake();
        }
        if let Some(task) = &task {
            let finished = task.is_finished();
            assert!(
                finished || executor.is_some(),
                "the future is gone, but its handle says that the task is not finished"
            );
        }
        assert!(executor.is_some() || log.drops() == 1, "the executor is gone, but the future is still there");
    }
    log.assert_sound();
}

fn finished_tasks_leave_nothing<E: Executor + Described + 'static>() {
    const TASKS: usize = 256;
    let executor = E::default();
    let round = || {
        let logs: Vec<_> = (0..TASKS).map(|_| Log::new()).collect();
        for log in &logs {
            let own_waker = Cell::new(None);
            drop(executor.spawn(log.future(move |poll, cx| {
                own_waker.set(Some(cx.waker().clone()));
                cx.waker().wake_by_ref();
                if poll == 1 { Poll::Pending } else { Poll::Ready(()) }
            })));
        }
        executor.run();
        assert!(logs.iter().all(|log| log.drops() == 1), "a future that holds its own waker was not dropped");
    };
    round();
    round();
    let before = Allocations::now();
    round();
    // A queue may hold a block more or less than before.
    let left = Allocations::now().blocks - before.blocks;
    assert!(left < 32, "{left} blocks are left of {TASKS} finished tasks");
}

clause! {
    "T7b" Contract
        "A task that has ended and been joined leaves no memory behind, even in an executor that is never idle."
    guards "an executor that frees ended tasks only before it sleeps, or when `block_on` returns: while busy, it grows."
    pub fn t07b_ended_tasks_leave_nothing_in_a_busy_executor<E: Executor>() -> Outcome {
        const TASKS: isize = 100_000;
        if !Allocations::are_counted() {
            return UNCOUNTED;
        }
        let executor = E::default();
        let join = async |tasks| {
            for _ in 0..tasks {
                assert!(executor.spawn(async {}).await.is_ok());
            }
        };
        let grown = executor.block_on(async {
            join(1_000).await;
            let before = Allocations::now().bytes;
            join(TASKS).await;
            Allocations::now().bytes - before
        });
        // A queue may hold a block more or less than before.
        assert!(grown < TASKS, "{TASKS} tasks that have ended left {grown} bytes");
        let busy = executor.block_on(async {
            let handles: Vec<_> = (0..TASKS).map(|_| executor.spawn(async {})).collect();
            for handle in handles {
                assert!(handle.await.is_ok());
            }
            // From here on only the root is ready.
            for _ in 0..3 {
                yield_now().await;
            }
            Allocations::now().bytes
        });
        let kept = busy - Allocations::now().bytes;
        // A queue may keep its capacity for them.
        let room = 48 * TASKS;
        assert!(kept < room, "of {TASKS} tasks that have ended, {kept} bytes were left while the root was busy");
        Outcome::Pass
    }
}

clause! {
    "T8" Contract "A pending future that only its own waker keeps alive is dropped with the executor."
    guards "tokio's loom_local.rs and tokio-rs/tokio#3978: a cycle that was never broken."
    pub fn t08_a_cycle_through_a_waker_is_dropped_with_the_executor<E: Executor>() -> Outcome {
        for tasks in [1, 3] {
            case(format_args!("a ring of {tasks}"), || assert_balanced(|| drop_ring::<E>(tasks)));
        }
        Outcome::Pass
    }
}

/// Drops an executor with tasks that hold one another's wakers in a ring; no other wakers exist.
fn drop_ring<E: Executor + Described + 'static>(tasks: usize) {
    let executor = E::default();
    let logs: Vec<_> = (0..tasks).map(|_| Log::new()).collect();
    let wakers: Vec<_> = (0..tasks).map(|_| Arc::new(Mutex::new(None))).collect();
    for (index, log) in logs.iter().enumerate() {
        let (before, own) = (wakers[(index + tasks - 1) % tasks].clone(), wakers[index].clone());
        drop(executor.spawn(log.future(move |_, cx| {
            // The slot is shared with the previous future, and dropped with both.
            let replaced = before.lock().unwrap().replace(cx.waker().clone());
            drop((replaced, own.lock()));
            Poll::<()>::Pending
        })));
    }
    drop(wakers);
    settle(&executor);
    logs.iter().for_each(|log| log.forget_waker());
    assert!(logs.iter().all(|log| log.polls() > 0 && log.drops() == 0), "a detached task was not polled, or not kept");
    drop(executor);
    for log in &logs {
        assert_eq!(log.drops(), 1, "drops of a future whose executor is gone");
        assert_eq!(log.dropped_on(), Some(thread::current().id()), "dropped by another thread than its executor");
        log.assert_sound();
    }
}

clause! {
    "T13" Contract
        "Dropping the last reference to a task on another thread drops neither its future nor its result there."
    guards "tokio's \"Non-Send futures\" rules, and the last run that async-task schedules to drop a future."
    pub fn t13_the_last_reference_may_be_dropped_anywhere<E: Executor>() -> Outcome {
        for end in ends::<E>() {
            for ended_before in [false, true] {
                case(format_args!("{end:?}, ended before: {ended_before}"), || {
                    let mut subject = Subject::<E>::spawn(end);
                    subject.settle();
                    let waker = subject.log.take_waker();
                    if ended_before {
                        waker.iter().for_each(Waker::wake_by_ref);
                        subject.end();
                        subject.assert_ended();
                    }
                    let task = subject.slot.lock().unwrap().take();
                    on_another_thread(move || drop((task, waker)));
                    assert_eq!(subject.log.drops(), usize::from(ended_before), "drops by the other thread");
                    subject.executor = None;
                    subject.assert_ended();
                });
            }
        }
        case("while the task completes", race_last_reference::<E>);
        Outcome::Pass
    }
}

fn race_last_reference<E: Executor + Described + 'static>() {
    let executor = E::default();
    let (sender, references) = mpsc::channel::<(E::JoinHandle<DropCount>, Arc<Log>, Arc<AtomicBool>)>();
    let dropping = thread::spawn(move || {
        for (task, log, near) in references {
            while !near.load(SeqCst) {
                thread::yield_now();
            }
            let waker = log.take_waker();
            drop((task, waker));
        }
    });
    let rounds: Vec<_> = (0..200)
        .map(|_| {
            let (log, result, near) = (Log::new(), Log::new(), Arc::new(AtomicBool::new(false)));
            let task = executor.spawn(log.future({
                let (result, near) = (result.clone(), near.clone());
                move |_, _| {
                    near.store(true, SeqCst);
                    Poll::Ready(DropCount::new(&result))
                }
            }));
            assert!(sender.send((task, log.clone(), near)).is_ok(), "the dropping thread still runs");
            executor.run();
            (log, result)
        })
        .collect();
    drop(sender);
    dropping.join().expect("dropping a handle and a waker does not panic");
    for (log, result) in rounds {
        assert_eq!(
            log.dropped_on(),
            Some(thread::current().id()),
            "a future was dropped by a thread that does not drive"
        );
        assert_eq!((log.drops(), result.drops()), (1, 1), "drops of the future and of its result");
        log.assert_sound();
    }
}
