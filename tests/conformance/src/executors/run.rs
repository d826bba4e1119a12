//! `run`, and the number of tasks that it waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::task::Poll;
use std::thread;

use executor::{Executor, JoinHandle, RemoteSpawn, Spawn, yield_now};

use super::drivers::{ONE_DRIVER, apart, returned};
use super::{opened, restless, rounds};
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Gate, Log, drive_until, on_another_thread, quiet_panic};

clause! {
    "X23" Contract "`run` returns when no task is left, and at once if there is none."
    guards "rust-lang/futures-rs#2593 and #1737: a `run` that ends too early, or never."
    pub fn x23_run_returns_when_no_task_is_left<E: Executor>() -> Outcome {
        let executor = E::default();
        executor.run();
        let (yields, waits, gate) = (Log::new(), Log::new(), Gate::new());
        for _ in 0..2 {
            drop(executor.spawn(async {}));
        }
        drop(executor.spawn(yields.future(|poll, cx| if poll > 3 { Poll::Ready(()) } else { restless(poll, cx) })));
        drop(executor.spawn(waits.future(opened(&gate))));
        let (polled, opens) = (waits.clone(), gate.clone());
        let helper = thread::spawn(move || {
            while polled.polls() == 0 {
                thread::yield_now();
            }
            opens.open();
        });
        executor.run();
        assert_eq!((yields.drops(), waits.drops()), (1, 1), "`run` returned before the tasks had ended");
        helper.join().expect("the other thread does not panic");
        executor.run();
        let aborted = executor.spawn(Log::new().pending());
        aborted.abort();
        executor.run();
        assert!(aborted.is_finished(), "`run` returned before an aborted task had ended");
        Outcome::Pass
    }
}

/// Fails unless the executor has that many unfinished tasks.
fn assert_tasks(executor: &impl Executor, tasks: usize, when: &str) {
    assert_eq!(executor.tasks(), Some(tasks), "tasks {when}");
}

const UNCOUNTED: Outcome =
    Outcome::NotApplicable { capability: "Executor::tasks", why: "it does not count its tasks: it says `None`" };

clause! {
    "X23n" Contract "The number of unfinished tasks is exact for the thread that drives."
    guards "programs that count their own tasks, and forget those that panic or are aborted."
    pub fn x23n_the_number_of_tasks_is_exact_for_the_driving_thread<E: Executor>() -> Outcome {
        let executor = E::default();
        if executor.tasks().is_none() {
            drop(executor.spawn(async {}));
            assert_eq!(executor.tasks(), None, "it says `None` at first, and a number later");
            return UNCOUNTED;
        }
        assert_tasks(&executor, 0, "of a new executor");
        let gate = Gate::new();
        let ends = executor.spawn(gate.opened());
        let (detached, cancelled) = (Log::new(), Log::new());
        drop(executor.spawn(detached.future(opened(&gate))));
        let aborted = executor.spawn(cancelled.pending());
        assert_tasks(&executor, 3, "that were spawned before any thread drove");
        executor.block_on(async {
            yield_now().await;
            assert_tasks(&executor, 3, "that wait");
            let inside = executor.spawn(yield_now());
            assert_tasks(&executor, 4, "with one that the root has spawned");
            assert!(inside.await.is_ok());
            assert_tasks(&executor, 3, "when it has ended");
            aborted.abort();
            while cancelled.drops() == 0 {
                yield_now().await;
            }
            assert_tasks(&executor, 2, "when one was aborted");
            gate.open();
            assert!(ends.await.is_ok());
            while detached.drops() == 0 {
                yield_now().await;
            }
            assert_tasks(&executor, 0, "when all have ended, and one of them without a handle");
        });
        if E::CAPABILITIES.catches_panics {
            let panics = executor.spawn(async { quiet_panic("in a task") });
            assert!(executor.block_on(panics).is_err());
            assert_tasks(&executor, 0, "when one has panicked");
        }
        let yields = executor.spawn(yield_now());
        assert_tasks(&executor, 1, "before `run`");
        executor.run();
        assert_tasks(&executor, 0, "after `run`");
        assert!(yields.is_finished());
        Outcome::Pass
    }
}

clause! {
    "X23m" Contract "The number of unfinished tasks includes those that other threads spawn, and never underflows."
    guards "a count in two words, read while one of them has changed."
    pub fn x23m_the_number_of_tasks_counts_what_others_spawn<E: RemoteSpawn>() -> Outcome {
        const TASKS: usize = 200;
        let executor = E::default();
        if executor.tasks().is_none() {
            return UNCOUNTED;
        }
        let (spawner, gate) = (executor.spawner(), Gate::new());
        let (inside, opens) = (executor.spawner(), gate.clone());
        on_another_thread(move || (0..TASKS).for_each(|_| drop(spawner.spawn(opens.opened()))));
        assert_tasks(&executor, TASKS, "that another thread has spawned");
        let task = executor.spawn(async move { drop(inside.spawn(yield_now())) });
        assert!(executor.block_on(task).is_ok());
        drive_until(&executor, "the ends of the tasks that wait for nothing", || executor.tasks() == Some(TASKS));
        let many = 10 * TASKS;
        thread::scope(|scope| {
            let spawner = executor.spawner();
            for spawner in [spawner.clone(), spawner] {
                scope.spawn(move || (0..many).for_each(|_| drop(spawner.spawn(async {}))));
            }
        });
        assert_tasks(&executor, TASKS + 2 * many, "with those that two threads have spawned at once");
        drive_until(&executor, "the ends of the tasks that wait for nothing", || executor.tasks() == Some(TASKS));
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let watching = scope.spawn(|| {
                while !done.load(SeqCst) {
                    let tasks = executor.tasks().expect("it counts");
                    assert!(tasks <= 2 * TASKS, "{tasks} tasks of {}", 2 * TASKS);
                }
            });
            let spawner = executor.spawner();
            scope.spawn(move || (0..TASKS).for_each(|_| drop(spawner.spawn(async {}))));
            gate.open();
            executor.run();
            done.store(true, SeqCst);
            assert!(watching.join().is_ok(), "another thread saw an impossible number");
        });
        executor.run();
        assert_tasks(&executor, 0, "after `run`");
        Outcome::Pass
    }
}

clause! {
    "X23s" Contract
        "On a second thread, `run` returns when no task is left, even while another thread is inside `block_on`."
    guards "a count of tasks that includes roots, and a follower that is never notified."
    pub fn x23s_run_returns_beside_a_pending_block_on<E: RemoteSpawn>() -> Outcome {
        if !E::CAPABILITIES.concurrent_drivers {
            return ONE_DRIVER;
        }
        let executor = Arc::new(E::default());
        let [entered, leave, go] = std::array::from_fn(|_| Gate::new());
        let driver = apart({
            let (executor, entered, leave) = (executor.clone(), entered.clone(), leave.clone());
            move || {
                executor.block_on(async {
                    entered.open();
                    leave.opened().await;
                });
            }
        });
        entered.wait("the driving thread's first poll");
        let tasks: [Arc<Log>; 3] = std::array::from_fn(|_| Log::new());
        tasks.iter().for_each(|log| drop(executor.spawn(log.future(opened(&go)))));
        for what in ["`run` of a second thread, with three tasks,", "`run` of a second thread, with no task,"] {
            let runner = executor.clone();
            let run = apart(move || runner.run());
            go.open();
            returned(&run, what);
            assert_eq!(tasks.each_ref().map(|log| log.drops()), [1; 3], "`run` returned too early");
        }
        leave.open();
        returned(&driver, "the thread that drove");
        Outcome::Pass
    }
}

clause! {
    "X23r" Contract "`run` does not return before a task that its thread has just spawned has ended."
    guards "found here: a driver that checked for unfinished tasks before it checked for threads that wait for the \
            answer."
    pub fn x23r_run_waits_for_what_was_spawned_before_it<E: RemoteSpawn>() -> Outcome {
        if !E::CAPABILITIES.concurrent_drivers {
            return ONE_DRIVER;
        }
        let executor = Arc::new(E::default());
        let threads = std::array::from_fn::<_, 4, _>(|_| {
            let executor = executor.clone();
            apart(move || {
                rounds(20_000).find(|_| {
                    let ended = Arc::new(AtomicBool::new(false));
                    let ends = ended.clone();
                    drop(executor.spawn(async move { ends.store(true, Relaxed) }));
                    executor.run();
                    !ended.load(Relaxed)
                })
            })
        });
        for thread in &threads {
            let early = returned(thread, "`run` of one of four threads");
            assert_eq!(early, None, "the round in which `run` returned before the task had ended");
        }
        Outcome::Pass
    }
}
