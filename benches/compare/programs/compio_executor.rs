//! Driven as compio's runtime drives it, with the thread's parking for a driver.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use compio_executor::{Executor, ExecutorConfig};

mod turn;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn main() {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let config = ExecutorConfig { waker: Some(waker.clone()), ..ExecutorConfig::default() };
    let executor = Executor::with_config(config);
    let mut task = pin!(executor.spawn(turn::turn()));
    let joined = loop {
        if let Poll::Ready(joined) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
            break joined;
        }
        if !executor.tick() {
            thread::park();
        }
    };
    assert!(joined.is_ok_and(|output| output == 1));
}
