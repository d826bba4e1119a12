use std::future::poll_fn;
use std::sync::mpsc;
use std::task::Waker;

use executor::{BlockOn, Spawn, yield_now};

use super::*;
use crate::BiasedExecutor;

/// Apart from a sanitizer, nothing else notices a count that is not taken, in the window of model m07.
#[test]
fn a_task_keeps_what_its_wakers_reach_from_the_merge_until_it_is_freed() {
    let executor = BiasedExecutor::default();
    let shared = Arc::downgrade(&executor.shared);
    let (ended, pending) = executor.block_on(async {
        // From its second poll on, the thread drives.
        yield_now().await;
        let ended = waker_of_a_task(&executor, Poll::Ready(()));
        let pending = waker_of_a_task(&executor, Poll::Pending);
        yield_now().await;
        assert_eq!(shared.strong_count(), 1, "the executor keeps it for all of its tasks");
        (ended, pending)
    });
    let [ended, pending] = [ended, pending].map(|waker| waker.recv().expect("each task was polled"));
    assert_eq!(shared.strong_count(), 2, "the task that has ended keeps it, too");
    drop(executor);
    assert_eq!(shared.strong_count(), 2, "each of the two tasks keeps it");
    ended.wake();
    assert_eq!(shared.strong_count(), 1);
    drop(pending);
    assert_eq!(shared.strong_count(), 0);
}

fn waker_of_a_task(executor: &BiasedExecutor, poll: Poll<()>) -> mpsc::Receiver<Waker> {
    let (sender, receiver) = mpsc::channel();
    let _detached = executor.spawn(poll_fn(move |cx| {
        sender.send(cx.waker().clone()).expect("somebody receives it");
        poll
    }));
    receiver
}
