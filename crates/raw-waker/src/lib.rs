#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod abort;
mod executor;
mod queue;
mod task;
mod waker;

pub use crate::abort::RawAbortHandle;
pub use crate::executor::{RawExecutor, RawSpawner};
pub use crate::task::RawJoinHandle;
