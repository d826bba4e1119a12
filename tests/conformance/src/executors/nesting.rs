//! Two executors on one thread: nested, or in turn.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::thread;

use executor::{BlockOn, Described, Executor, NestedBlockOn, RemoteSpawn, yield_now};

use super::restless;
use crate::Outcome;
use crate::clause::clause;
use crate::probe::{Log, assert_usable, caught, drive_until, on_another_thread};

/// Blocks on a second executor inside a poll of the first, whose waker is `outer`. Both are woken during that call:
/// inside the inner future's first poll or, if `asleep`, perhaps after it.
fn nested<E: BlockOn + Described>(outer: Waker, asleep: bool) {
    let mut outer = Some(outer);
    E::default().block_on(std::future::poll_fn(|cx| {
        let Some(outer) = outer.take() else { return Poll::Ready(()) };
        let inner = cx.waker().clone();
        let wakes = move || {
            outer.wake();
            inner.wake();
        };
        if asleep {
            thread::spawn(wakes);
        } else {
            on_another_thread(wakes);
        }
        Poll::Pending
    }));
}

clause! {
    /// An executor whose threads accept no second executor must claim that a nested `block_on` panics.
    "X9" Contract
        "`block_on` of another executor inside a poll completes or panics, and never costs the outer executor a wake."
    guards "async-std#358, rust-lang/futures-rs#2386, Materialize#13776, pollster 1.0.1: the inner call took the \
            outer's wake."
    pub fn x09_block_on_of_another_executor_costs_no_wake<E: BlockOn>() -> Outcome {
        for asleep in [false, true] {
            let outer = E::default();
            let log = Log::new();
            let result = caught(|| {
                outer.block_on(log.future(|poll, cx| {
                    if poll > 1 {
                        return Poll::Ready(());
                    }
                    nested::<E>(cx.waker().clone(), asleep);
                    Poll::Pending
                }));
            });
            assert_eq!(outer.block_on(async { 7 }), 7, "`block_on` does not work afterwards");
            if let Err(message) = result {
                assert_eq!(E::CAPABILITIES.nested_block_on, NestedBlockOn::Panics, "it panicked: {message}");
                assert_says_nested(&message);
                return Outcome::NotApplicable {
                    capability: "nested_block_on",
                    why: "it panicked, with a message about nesting",
                };
            }
            log.assert_sound();
        }
        Outcome::Pass
    }
}

/// Fails unless a panic's message says that the call is nested.
fn assert_says_nested(message: &str) {
    let says_so = ["inside", "within", "nested", "already"].iter().any(|word| message.contains(word));
    assert!(says_so, "the panic should say that the call is nested, but says: {message:?}");
}

clause! {
    "X9s" Contract "`block_on` and `run` of an executor inside one of its own tasks do what it claims, and never hang."
    guards "rust-lang/futures-rs#2386, delta-kernel-rs#1605: a task that waits for itself."
    pub fn x09s_block_on_of_the_same_executor_inside_its_task_never_hangs<E: RemoteSpawn>() -> Outcome {
        let claims = E::CAPABILITIES.nested_block_on;
        let executor = Arc::new(E::default());
        let inner = executor.clone();
        let other = executor.spawn(async {
            yield_now().await;
            7
        });
        let task = executor.spawn(async move { caught(|| inner.block_on(other).ok()) });
        let result = executor.block_on(task).expect("the task caught the panic");
        match (claims, result) {
            (NestedBlockOn::Works, Ok(value)) => assert_eq!(value, Some(7), "another task's value"),
            (NestedBlockOn::Panics, Err(message)) => assert_says_nested(&message),
            (_, result) => panic!("it claims that a nested `block_on` {claims}, but returned {result:?}"),
        }
        if claims == NestedBlockOn::Panics {
            // Where nesting works, `run` inside a task waits for that task itself: nothing can be promised.
            let inner = executor.clone();
            let task = executor.spawn(async move { caught(|| inner.run()) });
            let result = executor.block_on(task).expect("the task caught the panic");
            assert_says_nested(&result.expect_err("a nested `run` panics, too"));
        }
        assert_usable(&*executor);
        Outcome::Pass
    }
}

clause! {
    "X20" Contract "Two executors that one thread drives in turn do not exchange tasks."
    guards "async-executor#61 and #103 to #106: one queue for a thread where each executor needs its own."
    pub fn x20_two_executors_do_not_exchange_tasks<E: Executor>() -> Outcome {
        let executors = [E::default(), E::default()];
        let [busy, idle]: [[Arc<Log>; 2]; 2] = std::array::from_fn(|_| std::array::from_fn(|_| Log::new()));
        for (index, executor) in executors.iter().enumerate() {
            drop(executor.spawn(busy[index].future(restless)));
            drop(executor.spawn(idle[index].pending()));
        }
        for turn in 0..10 {
            let (this, other) = (turn % 2, (turn + 1) % 2);
            let before = [busy[other].polls(), idle[other].polls()];
            let polls = busy[this].polls();
            executors[this].block_on(async {
                while busy[this].polls() < polls + 3 || idle[this].polls() == 0 {
                    // The other executor's task becomes ready while this one's tasks are polled.
                    if idle[other].polls() > 0 {
                        idle[other].waker().wake();
                    }
                    yield_now().await;
                }
            });
            let after = [busy[other].polls(), idle[other].polls()];
            assert_eq!(after, before, "polls of an executor's tasks while another executor was driven");
        }
        let [first, second] = executors;
        drop(first);
        assert_eq!([&busy, &idle].map(|logs| [logs[0].drops(), logs[1].drops()]), [[1, 0]; 2], "drops with the first");
        let polls = idle[1].polls();
        idle[1].waker().wake();
        drive_until(&second, "a poll after a wake", || idle[1].polls() > polls);
        drop(second);
        assert_eq!([&busy, &idle].map(|logs| [logs[0].drops(), logs[1].drops()]), [[1, 1]; 2], "drops with both");
        busy.iter().chain(&idle).for_each(|log| log.assert_sound());
        Outcome::Pass
    }
}
