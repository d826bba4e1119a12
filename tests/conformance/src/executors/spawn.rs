//! Spawning: from outside, from the root, from tasks, from drops and from other threads.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Context, Poll};

use executor::{Executor, JoinHandle, RemoteSpawn, Spawn};

use super::idle::asking;
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Log, drive_until};

clause! {
    "X1" Contract "`spawn` never polls: the thread that drives the executor makes the first poll."
    guards "a spawn under a lock that the future takes, too, and recursion as deep as tasks that spawn tasks."
    pub fn x01_spawn_never_polls_inline<E: Executor>() -> Outcome {
        let executor = E::default();
        let (outside, inside) = (Log::new(), Log::new());
        drop(executor.spawn(outside.pending()));
        assert_eq!(outside.polls(), 0, "`spawn` polled the future");
        executor.block_on(async {
            drop(executor.spawn(inside.pending()));
            assert_eq!(inside.polls(), 0, "`spawn` inside `block_on` polled the future");
        });
        Outcome::Pass
    }
}

clause! {
    "X2" Contract "A spawned task gets its first poll without a wake."
    guards "async-executor 1.9.0 and switchyard#5: tasks pushed onto a queue that was never looked at."
    pub fn x02_a_spawned_task_is_polled_without_a_wake<E: Executor>() -> Outcome {
        let executor = E::default();
        let (before, during) = (Log::new(), Log::new());
        drop(executor.spawn(before.future(|_, _| Poll::Ready(()))));
        executor.block_on(async {
            let task = executor.spawn(during.future(|_, _| Poll::Ready(7)));
            assert_eq!(task.await.ok(), Some(7));
        });
        executor.run();
        assert_eq!((before.polls(), before.drops()), (1, 1), "polls and drops of a task spawned before `block_on`");
        assert_eq!((during.polls(), during.drops()), (1, 1), "polls and drops of a task spawned inside `block_on`");
        Outcome::Pass
    }
}

clause! {
    "X2r" Contract "What the root spawns or wakes in its poll is polled, even if nothing else was ready."
    guards "an executor that looks for ready tasks before the root's poll, and not again before it sleeps."
    pub fn x02r_what_the_root_makes_ready_runs<E: Executor>() -> Outcome {
        let (executor, log) = (E::default(), Log::new());
        executor.block_on(async {
            let root = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
            // Every poll of the task wakes the root, which waits for nothing else.
            let task = executor.spawn(log.future(move |poll, _| {
                root.wake_by_ref();
                if poll > 1 { Poll::Ready(7) } else { Poll::Pending }
            }));
            poll_fn(|_| if log.polls() > 0 { Poll::Ready(()) } else { Poll::Pending }).await;
            log.waker().wake();
            poll_fn(|_| if log.polls() > 1 { Poll::Ready(()) } else { Poll::Pending }).await;
            assert_eq!(task.await.ok(), Some(7));
        });
        log.assert_sound();
        Outcome::Pass
    }
}

/// A task that spawns the next one, `left` tasks in all.
fn chain<S>(spawner: S, left: usize, ran: Arc<AtomicUsize>) -> Pin<Box<dyn Future<Output = ()> + Send>>
where
    S: Spawn + Clone + Send + 'static,
{
    Box::pin(async move {
        ran.fetch_add(1, SeqCst);
        if left > 1 {
            drop(spawner.spawn(chain(spawner.clone(), left - 1, ran)));
        }
    })
}

clause! {
    "X3" Contract "Tasks may spawn tasks, which run within the same `run`."
    guards "rust-lang/futures-rs#1737: newly spawned tasks that were never polled."
    pub fn x03_a_task_spawns_a_task<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let (inner, spawner) = (Log::new(), executor.spawner());
        let outer = executor.spawn({
            let inner = inner.clone();
            async move {
                let task = spawner.spawn(inner.future(|_, _| Poll::Ready(7)));
                assert_eq!(inner.polls(), 0, "`spawn` inside a task polled the future");
                task.await.ok()
            }
        });
        assert_eq!(executor.block_on(outer).ok(), Some(Some(7)));
        inner.assert_sound();

        let ran = Arc::new(AtomicUsize::new(0));
        drop(executor.spawn(chain(executor.spawner(), 100, ran.clone())));
        executor.run();
        assert_eq!(ran.load(SeqCst), 100, "`run` returned before the tasks that tasks had spawned");
        Outcome::Pass
    }
}

clause! {
    "X3d" Contract "A future's drop may spawn a task, which runs within the same `run`."
    guards "rust-lang/futures-rs#1737; a list of tasks that stays borrowed while a future is dropped."
    pub fn x03d_a_drop_spawns_a_task<E: RemoteSpawn>() -> Outcome {
        for aborted in [false, true] {
            let executor = E::default();
            let (log, spawned, spawner) = (Log::new(), Log::new(), executor.spawner());
            let inner = spawned.clone();
            let ends = move |_: usize, _: &mut Context<'_>| if aborted { Poll::Pending } else { Poll::Ready(()) };
            let task = executor.spawn(log.future(ends).on_drop(move || {
                drop(spawner.spawn(inner.future(|_, _| Poll::Ready(()))));
            }));
            if aborted {
                drive_until(&executor, "the first poll", || log.polls() > 0);
                task.abort();
            }
            executor.run();
            assert_eq!(log.drops(), 1);
            assert_eq!((spawned.polls(), spawned.drops()), (1, 1), "the task that a drop had spawned did not run");
        }
        Outcome::Pass
    }
}

clause! {
    "X3o" Contract "A task that another thread spawns runs, even if the executor was asleep."
    guards "tokio's `spawn_from_other_thread_idle`; async-executor#102 to #106: a task pushed onto a sleeping executor."
    pub fn x03o_another_thread_spawns_onto_a_sleeping_executor<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let (root, spawner) = (Log::new(), executor.spawner());
        executor.block_on(asking(&root, move |answer| drop(spawner.spawn(async move { answer() }))));
        root.assert_sound();
        Outcome::Pass
    }
}

clause! {
    "X24" Contract "There is no limit on the number of tasks: 100,000 run to completion."
    guards "blog_os's queue of 100 tasks, rust-lang/async-book#78, tokio#4069."
    pub fn x24_a_hundred_thousand_tasks_complete<E: Executor>() -> Outcome {
        let executor = E::default();
        let ran = Arc::new(AtomicUsize::new(0));
        for _ in 0..100_000 {
            let ran = ran.clone();
            drop(executor.spawn(async move {
                ran.fetch_add(1, Relaxed);
            }));
        }
        executor.run();
        assert_eq!(ran.load(Relaxed), 100_000);
        Outcome::Pass
    }
}
