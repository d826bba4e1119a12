//! A `block_on` of another executor inside a task or root: during that call the thread is not the owner of the outer
//! tasks.
#![cfg(target_pointer_width = "64")]

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use biased_waker::BiasedExecutor;
use executor::{BlockOn, Spawn, yield_now};

#[test]
fn tasks_run_in_the_order_of_their_wakes_also_if_some_were_woken_inside() {
    let (outer, order) = (BiasedExecutor::default(), Arc::new(Mutex::new(Vec::new())));
    let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
    let tasks = [0, 1].map(|number| {
        let (order, wakers) = (order.clone(), wakers.clone());
        let mut polled = false;
        outer.spawn(poll_fn(move |cx| {
            if polled {
                order.lock().expect("nobody panics").push(number);
                return Poll::Ready(());
            }
            polled = true;
            wakers.lock().expect("nobody panics").push(cx.waker().clone());
            Poll::Pending
        }))
    });
    outer.block_on(async {
        yield_now().await;
        let [first, second] = wakers.lock().expect("nobody panics").split_off(0).try_into().expect("both were polled");
        let inner = BiasedExecutor::default();
        inner.block_on(async {
            yield_now().await;
            first.wake();
        });
        second.wake();
        for task in tasks {
            task.await.expect("it ends");
        }
    });
    assert_eq!(*order.lock().expect("nobody panics"), [0, 1]);
}
