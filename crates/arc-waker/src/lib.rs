#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod executor;
mod task;
mod waker;

#[cfg(wakers_loom)]
use ::executor::sync::channel;
#[cfg(not(wakers_loom))]
use crossbeam_channel as channel;

pub use crate::executor::{ArcExecutor, ArcSpawner};
