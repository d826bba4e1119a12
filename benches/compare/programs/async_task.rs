//! A task and a queue, as in the crate's documentation.

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

mod turn;

fn main() {
    let (sender, ready) = mpsc::channel();
    let schedule = move |runnable| sender.send(runnable).expect("the queue is alive");
    let (runnable, task) = async_task::spawn(turn::turn(), schedule);
    runnable.schedule();
    // A program whose wakes come from elsewhere would wait here, for as long as a task is left.
    while let Ok(runnable) = ready.try_recv() {
        runnable.run();
    }
    let joined = pin!(task).poll(&mut Context::from_waker(Waker::noop()));
    assert!(joined == Poll::Ready(1));
}
