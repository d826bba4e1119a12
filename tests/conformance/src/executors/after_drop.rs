//! After the drop: handles and spawners that outlive their executor.

use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::thread;

use executor::{Executor, JoinError, JoinHandle, RemoteSpawn, Spawn, Spawner};

use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Log, WakeCount, caught, drive_until, on_another_thread, poll_once, wait_for};

clause! {
    "X15" Contract "A handle whose executor is gone yields `Cancelled`, and a task that awaits it is woken."
    guards "async-task and futures panic there; elsewhere a handle waits forever."
    pub fn x15_a_handle_outlives_its_executor<E: Executor>() -> Outcome {
        let executor = E::default();
        let log = Log::new();
        let (mut waited_for, mut fresh) = (executor.spawn(log.pending()), executor.spawn(log.pending()));
        let (count, waker) = WakeCount::new();
        assert!(poll_once(&mut waited_for, &waker).is_pending());
        drive_until(&executor, "the first poll", || log.polls() > 0);
        drop(executor);
        for handle in [&mut waited_for, &mut fresh] {
            if !E::CAPABILITIES.reports_cancellation {
                let polled = caught(|| poll_once(handle, &waker));
                assert!(polled.is_err(), "it claims that polling such a handle panics, but it did not");
                continue;
            }
            assert!(handle.is_finished(), "not `is_finished`, but executor and future are gone");
            let result = wait_for(handle, "a handle whose executor is gone");
            assert!(matches!(result, Err(JoinError::Cancelled)), "the handle yields {result:?}");
        }
        if !E::CAPABILITIES.reports_cancellation {
            return Outcome::NotApplicable { capability: "reports_cancellation", why: "polling the handle panicked" };
        }
        assert!(count.wakes() > 0, "the waker that waited for the handle was not woken");
        Outcome::Pass
    }
}

/// Spawns onto an executor that is gone or being dropped, and says whether the future was gone when `spawn` returned.
fn spawn_too_late<S: Spawn>(spawner: &S) -> (bool, S::JoinHandle<()>) {
    let log = Log::new();
    let handle = spawner.spawn(log.pending());
    let dropped_here = log.drops() == 1 && log.dropped_on() == Some(thread::current().id());
    (dropped_here && log.polls() == 0, handle)
}

clause! {
    "X16" Contract
        "A future spawned during or after the executor's drop is dropped at once, and its handle yields `Cancelled`."
    guards "tokio's `spawn_during_shutdown`: a task in a queue that is no longer drained."
    pub fn x16_spawning_after_the_executor_drops_the_future<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let spawner = executor.spawner();
        let during = Arc::new(Mutex::new(None));
        drop(executor.spawn(Log::new().pending().on_drop({
            let (spawner, during) = (spawner.clone(), during.clone());
            move || *during.lock().unwrap() = Some(spawn_too_late(&spawner))
        })));
        drop(executor);
        let during = during.lock().unwrap().take().expect("the task was dropped with its executor");
        let from_elsewhere = spawner.clone();
        let elsewhere = thread::spawn(move || spawn_too_late(&from_elsewhere)).join().expect("`spawn` does not panic");
        for (when, (dropped, mut handle)) in
            [("during", during), ("after", spawn_too_late(&spawner)), ("on another thread after", elsewhere)]
        {
            assert!(dropped, "a future spawned {when} the executor's drop was still there when `spawn` returned");
            if !E::CAPABILITIES.reports_cancellation {
                let polled = caught(|| poll_once(&mut handle, Waker::noop()));
                assert!(polled.is_err(), "it claims that polling such a handle panics, but it did not");
                continue;
            }
            let result = wait_for(&mut handle, "a handle whose executor is gone");
            assert!(matches!(result, Err(JoinError::Cancelled)), "{when} the drop: the handle yields {result:?}");
        }
        Outcome::Pass
    }
}

clause! {
    "X16c" Contract "A spawner says that it is closed once its executor is being dropped, and not before."
    guards "a service that goes on accepting requests whose tasks will never run."
    pub fn x16c_a_spawner_says_when_its_executor_is_gone<E: RemoteSpawn>() -> Outcome {
        let executor = E::default();
        let spawner = executor.spawner();
        assert!(!spawner.is_closed(), "closed, but the executor is new");
        drop(spawner.spawn(async {}));
        executor.run();
        let during = Arc::new(Mutex::new(None));
        drop(executor.spawn(Log::new().pending().on_drop({
            let (spawner, during) = (spawner.clone(), during.clone());
            move || *during.lock().unwrap() = Some(spawner.is_closed())
        })));
        let inside = spawner.clone();
        assert!(!executor.block_on(async move { inside.is_closed() }), "closed, but the executor is being driven");
        let elsewhere = spawner.clone();
        assert!(!on_another_thread(move || elsewhere.is_closed()), "closed, but the executor is alive");
        drop(executor);
        assert_eq!(*during.lock().unwrap(), Some(true), "`is_closed` while the executor drops its tasks");
        assert!(spawner.is_closed() && spawner.clone().is_closed(), "open, but the executor is gone");
        assert!(on_another_thread(move || spawner.is_closed()), "open, but the executor is gone");
        Outcome::Pass
    }
}
