#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod executor;
mod task;
mod waker;

pub use crate::executor::{NoopExecutor, NoopSpawner};
