//! A spawned future in a box. It has no state of its own: it is in the queue until it is done.

use std::pin::Pin;
use std::task::{Context, Poll};

/// A spawned future.
pub(crate) struct Task {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Task {
    pub(crate) fn new(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { future: Box::pin(future) }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.future.as_mut().poll(cx)
    }
}
