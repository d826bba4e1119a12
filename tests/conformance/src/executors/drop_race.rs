//! Races with the executor's drop.

use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, mpsc};
use std::thread;

use executor::{Executor, JoinError, JoinHandle, RemoteSpawn, Spawn};

use super::rounds;
use crate::clause::clause;
use crate::probe::{Log, caught, drive_until, wait_for};
use crate::{Allocations, Outcome};

clause! {
    "X17" Contract "Wakes and aborts may race the executor's drop: nothing leaks, and that drop drops each future."
    guards "async-executor#163 (use after free), and 1.14.1 (a task left in a queue), tokio#3978."
    pub fn x17_wakes_race_the_drop_of_the_executor<E: Executor>() -> Outcome {
        race(
            || {
                let (executor, log) = (E::default(), Log::new());
                let handle = executor.spawn(log.pending());
                drive_until(&executor, "the first poll", || log.polls() > 0);
                ((log.waker(), handle), executor, log)
            },
            |(waker, handle)| {
                waker.wake_by_ref();
                let clone = waker.clone();
                drop(waker);
                clone.wake();
                handle.abort();
            },
            drop,
            |log, ()| {
                assert_eq!(log.drops(), 1, "drops of a future that was woken while its executor was dropped");
                assert_eq!(log.dropped_on(), Some(thread::current().id()), "the future was dropped by another thread");
                log.assert_sound();
            },
        );
        Outcome::Pass
    }
}

clause! {
    "X17s" Contract
        "Spawning may race the executor's drop: each future is dropped once, and its handle says `Cancelled`."
    guards "tokio#3978: a task that enters the queue after it was drained."
    pub fn x17s_spawns_race_the_drop_of_the_executor<E: RemoteSpawn>() -> Outcome {
        race(
            || {
                let (executor, logs) = (E::default(), [Log::new(), Log::new()]);
                ((executor.spawner(), logs.clone()), executor, logs)
            },
            |(spawner, logs)| logs.map(|log| spawner.spawn(log.pending())),
            drop,
            |logs, handles| {
                for (log, mut handle) in logs.into_iter().zip(handles) {
                    assert_eq!(log.drops(), 1, "drops of a future that was spawned while its executor was dropped");
                    assert_eq!(log.polls(), 0);
                    if E::CAPABILITIES.reports_cancellation {
                        let result = wait_for(&mut handle, "a handle whose executor is gone");
                        assert!(matches!(result, Err(JoinError::Cancelled)), "the handle yields {result:?}");
                    }
                }
            },
        );
        Outcome::Pass
    }
}

/// Fewer blocks than a leak leaves in that many rounds, and more than a thread allocates that first waits in a late
/// round.
const LEAKED_BLOCKS: isize = 16;

/// Runs `theirs` on another thread and `ours` on this one at the same time, each with its part of what `prepare` makes,
/// and then `check`, again and again. Fails if the rounds leak memory.
fn race<A: Send + 'static, B, C, R: Send + 'static>(
    prepare: impl Fn() -> (A, B, C),
    theirs: impl Fn(A) -> R + Send + 'static,
    ours: impl Fn(B),
    check: impl Fn(C, R),
) {
    // Bounded, so that the channels allocate nothing in the rounds.
    let (sender, inputs) = mpsc::sync_channel::<A>(1);
    let (outputs, receiver) = mpsc::sync_channel(1);
    let start = Arc::new(AtomicUsize::new(0));
    let meet = |start: &AtomicUsize| {
        let both = (start.fetch_add(1, SeqCst) / 2 + 1) * 2;
        while start.load(SeqCst) < both {
            thread::yield_now();
        }
    };
    let met = start.clone();
    thread::spawn(move || {
        for input in inputs {
            meet(&met);
            let output = caught(|| theirs(input));
            // The receiver is gone if the test has failed.
            let _ = outputs.send((output, Allocations::now().blocks));
        }
    });
    let mut first = None;
    let mut last = 0;
    for round in rounds(2_000) {
        let (input, mine, checked) = prepare();
        sender.send(input).expect("the other thread still runs");
        meet(&start);
        (0..round % 32 * 4).for_each(|_| std::hint::spin_loop());
        ours(mine);
        let (output, blocks) = receiver.recv().expect("the other thread still runs");
        check(checked, output.expect("the other thread does not panic"));
        last = blocks + Allocations::now().blocks;
        // What the threads allocate for themselves, they allocate in the first rounds.
        if round == 10 {
            first = Some(last);
        }
    }
    let leaked = last - first.unwrap_or(last);
    assert!(leaked < LEAKED_BLOCKS, "{leaked} allocated blocks were never freed");
}
