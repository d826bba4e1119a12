use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;
use std::thread;

use executor::{BlockOn, Executor, JoinHandle, Spawn, yield_now};

use super::*;
use crate::ArcExecutor;

type Order = Arc<std::sync::Mutex<Vec<usize>>>;

/// Spawns tasks that are pending once and note when they are polled again. Returns their wakers.
fn tasks<const N: usize>(executor: &ArcExecutor, order: &Order) -> [Waker; N] {
    let wakers: [_; N] = std::array::from_fn(|index| {
        let (slot, order, mut polls) = (Arc::new(std::sync::Mutex::new(None)), order.clone(), 0);
        let waker = slot.clone();
        drop(executor.spawn(poll_fn(move |cx| {
            polls += 1;
            if polls == 1 {
                *waker.lock().unwrap() = Some(cx.waker().clone());
                return Poll::Pending;
            }
            order.lock().unwrap().push(index);
            Poll::Ready(())
        })));
        slot
    });
    executor.block_on(yield_now());
    wakers.map(|slot| slot.lock().unwrap().take().expect("each task was polled"))
}

#[test]
fn a_nested_call_does_not_change_the_order_of_wakes() {
    let (executor, inner, order) = (ArcExecutor::default(), ArcExecutor::default(), Order::default());
    let [first, second, third] = tasks(&executor, &order);
    executor.block_on(async {
        yield_now().await;
        first.wake();
        inner.block_on(async {
            yield_now().await;
            second.wake();
        });
        third.wake();
    });
    executor.run();
    assert_eq!(*order.lock().unwrap(), [0, 1, 2]);
}

#[test]
fn what_was_sent_before_a_call_drove_comes_first() {
    let (executor, order) = (ArcExecutor::default(), Order::default());
    let [first, second] = tasks(&executor, &order);
    first.wake();
    assert!(!executor.shared.driver.drives_here());
    executor.block_on(async {
        second.wake();
        assert!(executor.shared.driver.drives_here());
    });
    executor.run();
    assert_eq!(*order.lock().unwrap(), [0, 1]);
}

#[test]
fn a_call_that_drives_early_leaves_with_its_first_poll() {
    let executor = ArcExecutor::default();
    executor.block_on(async { drop(executor.spawn(async {})) });
    let panic = catch_unwind(AssertUnwindSafe(|| {
        executor.block_on(async {
            drop(executor.spawn(async {}));
            panic!("the root's")
        })
    }));
    assert!(panic.is_err());
    thread::scope(|scope| scope.spawn(|| executor.run()).join()).expect("another thread drives");
    assert_eq!(executor.tasks(), Some(0));
}

#[test]
fn a_slot_is_not_reused_while_its_key_is_queued() {
    let executor = ArcExecutor::default();
    let mut polls = 0;
    executor.block_on(async {
        executor
            .spawn(poll_fn(|cx| {
                cx.waker().wake_by_ref();
                Poll::Ready(())
            }))
            .await
            .expect("it does not panic");
        let polled = executor.spawn(poll_fn(move |_| {
            polls += 1;
            if polls == 1 { Poll::<()>::Pending } else { panic!("polled without a wake") }
        }));
        for _ in 0..3 {
            yield_now().await;
        }
        assert!(!polled.is_finished(), "it waits");
    });
    assert_eq!(executor.shared.local().all.len(), 1, "slots that are taken");
}
