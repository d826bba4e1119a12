#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod count;
mod executor;
mod queue;
mod root;
mod task;
mod waker;

pub use crate::executor::{BiasedExecutor, BiasedSpawner};
pub use crate::task::BiasedJoinHandle;
