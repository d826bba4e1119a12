//! Two tasks that wake each other.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Context, Poll, Waker};

use executor::{Described, Executor};
use futures::task::AtomicWaker;

use crate::check::{Check, Tally};
use crate::{Iteration, Needs, Workload};

/// Spawns two tasks that send a number back and forth, 500 times each way, and joins both.
///
/// The channel has room for one number and allocates nothing: it is an atomic and an `AtomicWaker`, the least that a
/// published channel needs. The floor includes it. There are two spawns in 1,000 operations.
pub static PING_PONG: Workload = Workload {
    id: "ping_pong",
    title: "two tasks send each other messages",
    operation: "a message put down by one task, the other one woken and polled",
    operations: 1_000,
    needs: Needs::Executor,
    threads: 1,
    pass: 1,
    floor: ping_pong_floor,
};

const ROUNDS: usize = PING_PONG.operations / 2;

/// Sets up [`PING_PONG`].
pub fn ping_pong<E: Executor + Described + 'static>() -> Iteration {
    let check = Check::contender::<E>(&PING_PONG);
    let executor = E::default();
    let table = Arc::new(Table::default());
    Box::new(move || {
        let received = executor.block_on(async {
            let first = executor.spawn(play(table.clone(), 0));
            let second = executor.spawn(play(table.clone(), 1));
            first.await.expect("the task ends") + second.await.expect("the task ends")
        });
        table.check(check, received)
    })
}

/// Polls the same two futures, boxed, alternately. The channel is included; its wakes go to [`Waker::noop`].
pub fn ping_pong_floor() -> Iteration {
    let check = Check::floor(&PING_PONG);
    let table = Arc::new(Table::default());
    Box::new(move || {
        let [mut first, mut second]: [Pin<Box<dyn Future<Output = usize>>>; 2] =
            [0, 1].map(|player| black_box(Box::pin(play(table.clone(), player)) as _));
        let mut cx = Context::from_waker(Waker::noop());
        let mut received = 0;
        // The player that opens is the last to end.
        loop {
            if let Poll::Ready(sum) = first.as_mut().poll(&mut cx) {
                received += sum;
                break;
            }
            if let Poll::Ready(sum) = second.as_mut().poll(&mut cx) {
                received += sum;
            }
        }
        table.check(check, received)
    })
}

#[derive(Debug, Default)]
struct Table {
    /// What each player finds on its side.
    sides: [Side; 2],
    /// Polls that ended pending.
    waits: Tally,
}

#[derive(Debug, Default)]
struct Side {
    /// The message, or 0 for none.
    message: AtomicUsize,
    waker: AtomicWaker,
}

/// Plays a match and returns the sum of what it received. Player 0 opens and answers all messages but the last.
async fn play(table: Arc<Table>, player: usize) -> usize {
    let (own, other) = (&table.sides[player], &table.sides[1 - player]);
    let mut received = 0;
    if player == 0 {
        other.send(1);
    }
    for _ in 0..ROUNDS {
        let message = poll_fn(|cx| own.poll_receive(cx, &table.waits)).await;
        received += message;
        if message < PING_PONG.operations {
            other.send(message + 1);
        }
    }
    received
}

impl Side {
    fn send(&self, message: usize) {
        // Release: pairs with the Acquire in `take`.
        self.message.store(message, Release);
        self.waker.wake();
    }

    fn poll_receive(&self, cx: &mut Context<'_>, waits: &Tally) -> Poll<usize> {
        if let Some(message) = self.take() {
            return Poll::Ready(message);
        }
        self.waker.register(cx.waker());
        // Again: the message may have come before the waker was registered.
        if let Some(message) = self.take() {
            return Poll::Ready(message);
        }
        waits.add();
        Poll::Pending
    }

    fn take(&self) -> Option<usize> {
        // Acquire: pairs with the Release in `send`.
        let message = self.message.load(Acquire);
        if message == 0 {
            return None;
        }
        // No message is sent before this one is answered, so this needs no read-modify-write.
        self.message.store(0, Relaxed);
        Some(message)
    }
}

impl Table {
    fn check(&self, check: Check, received: usize) -> usize {
        let messages = PING_PONG.operations;
        check.result(received, messages * (messages + 1) / 2);
        // Each message causes a poll, and the player that opens has a first one. If the other player is polled before
        // there is a message, that is one more. Both ended without waiting.
        check.polls(self.waits.take() + 2, messages + 1..=messages + 2)
    }
}
