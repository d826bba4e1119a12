//! X: what an executor does with its tasks and its threads.

mod after_drop;
mod block_on;
mod drivers;
mod drop;
mod drop_race;
mod exit;
mod idle;
mod nesting;
mod order;
mod panic;
mod run;
mod spawn;

pub use after_drop::*;
pub use block_on::*;
pub use drivers::*;
pub use drop::*;
pub use drop_race::*;
pub use exit::*;
pub use idle::*;
pub use nesting::*;
pub use order::*;
pub use panic::*;
pub use run::*;
pub use spawn::*;

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::probe::{Gate, yield_times};

/// How long a clause repeats a race if the machine is too busy for all rounds.
const BUDGET: Duration = Duration::from_millis(400);

/// The rounds of a clause that repeats a race: `most`, or as many as [`BUDGET`] allows, but at least 20.
fn rounds(most: usize) -> impl Iterator<Item = usize> {
    let begun = Instant::now();
    (0..most).take_while(move |round| *round < 20 || begun.elapsed() < BUDGET)
}

/// A script for a log's future that awaits a gate.
fn opened(gate: &Arc<Gate>) -> impl FnMut(usize, &mut Context<'_>) -> Poll<()> + Send + Unpin + 'static {
    let mut opened = Box::pin(gate.opened());
    move |_, cx| opened.as_mut().poll(cx)
}

/// A script for a log's future that wakes itself on every poll and never ends.
fn restless(_: usize, cx: &mut Context<'_>) -> Poll<()> {
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Yields until this thread certainly drives: `block_on` may poll its root before that.
async fn drive_here() {
    yield_times(3).await;
}
