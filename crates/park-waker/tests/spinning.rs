//! What the spin may not do.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use conformance::probe::processor_time;
use executor::{BlockOn, Executor, RemoteSpawn, Spawn};
use park_waker::SpinningExecutor;

/// As clause X6 for one that drives: there is no other way to see idleness than to look at the processor time.
#[test]
fn a_thread_that_waits_for_the_right_to_drive_sleeps() {
    let executor = Arc::new(SpinningExecutor::default());
    let (entered, enters) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let follower = executor.clone();
    let spawner = executor.spawner();
    drop(executor.spawn(async move {
        // Spawned, and not polled as long as this poll lasts.
        drop(spawner.spawn(async {}));
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        let waits = thread::spawn(move || {
            let mut before = None;
            follower.block_on(poll_fn(move |cx| match before {
                None => {
                    before = Some((Instant::now(), processor_time()));
                    entered.send(cx.waker().clone()).expect("somebody waits for it");
                    Poll::Pending
                }
                Some(_) if !over.load(Acquire) => Poll::Pending,
                Some((begin, used)) => Poll::Ready((begin.elapsed(), used.zip(processor_time()))),
            }))
        });
        let waker = enters.recv().expect("the other thread polls");
        thread::sleep(Duration::from_millis(100));
        // Release: pairs with the Acquire in the poll.
        ends.store(true, Release);
        waker.wake();
        release.send(waits.join().expect("the other thread does not panic")).expect("somebody waits for it");
    }));
    executor.run();
    let (time, used) = released.recv().expect("the task has ended");
    if let Some((before, after)) = used {
        assert!(after - before < time / 2, "{:?} of processor time in {time:?}", after - before);
    }
}
