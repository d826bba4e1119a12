//! The executor's drop: every future is dropped, once, whatever the drops do.

use std::sync::{Arc, Mutex};
use std::thread;

use executor::{Executor, JoinHandle, RemoteSpawn, Spawn};

use super::restless;
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Log, caught, drive_until, on_another_thread, quiet_panic};

/// Tasks in every state in which a shutdown may find them.
fn unfinished(executor: &impl Executor) -> [(&'static str, Arc<Log>); 4] {
    let [fresh, pending, queued, restless_] = std::array::from_fn(|_| Log::new());
    drop(executor.spawn(pending.pending()));
    drop(executor.spawn(queued.pending()));
    drop(executor.spawn(restless_.future(restless)));
    drive_until(executor, "a poll of each task", || [&pending, &queued, &restless_].iter().all(|log| log.polls() > 0));
    queued.waker().wake();
    drop(executor.spawn(fresh.pending()));
    [("never polled", fresh), ("pending", pending), ("woken", queued), ("woken by itself", restless_)]
}

/// Fails unless each of the futures is dropped, once, by the calling thread.
fn assert_dropped_here(tasks: &[(&str, Arc<Log>)]) {
    for (state, log) in tasks {
        assert_eq!(log.drops(), 1, "drops of a task that was {state} when its executor was dropped");
        assert_eq!(
            log.dropped_on(),
            Some(thread::current().id()),
            "the task that was {state} was dropped by another thread"
        );
        log.assert_sound();
    }
}

clause! {
    "X13" Contract
        "Dropping an executor drops every unfinished future exactly once, on that thread, before the drop returns."
    guards "tokio's `eagerly_drops_futures_on_shutdown`, async-executor's `executor_cancels_everything`."
    pub fn x13_dropping_the_executor_drops_every_future<E: Executor>() -> Outcome {
        let executor = E::default();
        let tasks = unfinished(&executor);
        drop(executor);
        assert_dropped_here(&tasks);
        assert_eq!(tasks[0].1.polls(), 0, "a task was polled while its executor was dropped");
        Outcome::Pass
    }
}

clause! {
    "X13s" Contract "An executor dropped by a thread that never drove it drops its futures on that thread."
    guards "compio#494, zed#21020: futures dropped by the thread that has the last waker."
    pub fn x13s_another_thread_drops_the_executor<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let tasks = unfinished(&executor);
        on_another_thread(move || {
            drop(executor);
            assert_dropped_here(&tasks);
        });
        Outcome::Pass
    }
}

clause! {
    "X14" Contract "An executor can be dropped although its futures wake and abort one another in their drops."
    guards "tokio#2046, #1886 and #1929, compio#936, nexosim's `task_drop_cycle`: a drop under the queue's lock."
    pub fn x14_drops_at_shutdown_wake_and_abort_other_tasks<E: Executor>() -> Outcome {
        let executor = E::default();
        let ring: [Arc<Log>; 3] = std::array::from_fn(|_| Log::new());
        let handles = Arc::new([(); 3].map(|()| Mutex::new(None::<E::JoinHandle<()>>)));
        for (index, log) in ring.iter().enumerate() {
            let next = (index + 1) % 3;
            let (other, others) = (ring[next].clone(), handles.clone());
            let future = log.pending().on_drop(move || {
                other.waker().wake_by_ref();
                let handle = others[next].lock().unwrap().take();
                if let Some(handle) = handle {
                    handle.abort();
                }
                other.waker().wake();
            });
            *handles[index].lock().unwrap() = Some(executor.spawn(future));
        }
        drive_until(&executor, "a poll of each task", || ring.iter().all(|log| log.polls() > 0));
        let polls = ring.each_ref().map(|log| log.polls());
        drop(executor);
        assert_eq!(ring.each_ref().map(|log| log.drops()), [1; 3], "drops of tasks that wake one another");
        assert_eq!(ring.each_ref().map(|log| log.polls()), polls, "a task was polled while its executor was dropped");
        ring.iter().for_each(|log| log.assert_sound());
        Outcome::Pass
    }
}

clause! {
    "X14s" Contract "A future that spawns in its drop resurrects nothing: what it spawns at shutdown is dropped, too."
    guards "tokio's `spawn_during_shutdown`, madsim#125: a list of tasks that grows while it is drained."
    pub fn x14s_drops_at_shutdown_spawn_other_tasks<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let [first, second, third] = std::array::from_fn(|_| Log::new());
        let spawner = executor.spawner();
        let (inner, innermost) = (second.clone(), third.clone());
        drop(executor.spawn(first.pending().on_drop(move || {
            let again = spawner.clone();
            let future = inner.pending().on_drop(move || drop(again.spawn(innermost.pending())));
            drop(spawner.spawn(future));
        })));
        drive_until(&executor, "the first poll", || first.polls() > 0);
        drop(executor);
        assert_eq!(first.drops(), 1);
        for log in [second, third] {
            assert_eq!(log.drops(), 1, "drops of a future that was spawned by a drop at shutdown");
            assert_eq!(log.polls(), 0, "polls of a future that was spawned by a drop at shutdown");
        }
        Outcome::Pass
    }
}

clause! {
    "X14p" Contract "A future whose drop panics at shutdown does not keep the others from being dropped."
    guards "rust-lang/futures-rs#2863 and #2886: siblings that leaked, or were used after they were freed."
    pub fn x14p_a_panicking_drop_at_shutdown_keeps_no_other_from_being_dropped<E: Executor>() -> Outcome {
        let executor = E::default();
        let tasks: [Arc<Log>; 3] = std::array::from_fn(|_| Log::new());
        for (index, log) in tasks.iter().enumerate() {
            drop(executor.spawn(log.pending().on_drop(move || {
                if index == 1 {
                    quiet_panic("on purpose");
                }
            })));
        }
        drive_until(&executor, "a poll of each task", || tasks.iter().all(|log| log.polls() > 0));
        let result = caught(|| drop(executor));
        if !E::CAPABILITIES.catches_panics {
            assert!(result.is_err(), "it claims to catch no panics, but swallowed one");
            return Outcome::NotApplicable {
                capability: "catches_panics",
                why: "the panic unwound out of the executor's drop",
            };
        }
        assert_eq!(result, Ok(()), "a panic in a task unwound out of the executor's drop");
        // The future that panicked did so before its drop was recorded.
        assert_eq!(tasks.each_ref().map(|log| log.drops()), [1, 0, 1], "drops, where the second panicked");
        Outcome::Pass
    }
}
