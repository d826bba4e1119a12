//! A spawned future in a box. It has no state of its own: it is in the list until it has ended.

use std::task::{Context, Poll};

use executor::support::BoxedFuture;

/// A spawned future.
pub(crate) struct Task {
    future: BoxedFuture,
}

impl Task {
    pub(crate) fn new(future: BoxedFuture) -> Self {
        Self { future }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.future.as_mut().poll(cx)
    }
}
