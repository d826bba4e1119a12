#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod executor;
mod queue;
mod task;
mod waker;

#[cfg(wakers_loom)]
use ::executor::sync::channel;
#[cfg(not(wakers_loom))]
use crossbeam_channel as channel;

pub use crate::executor::{ArcExecutor, ArcSpawner};

// So that a program needs no other dependency.
pub use ::executor::{
    AbortHandle, AbortOnDrop, BlockOn, Executor, JoinError, JoinHandle, JoinSet, PanicPayload, RemoteSpawn, Spawn,
    Spawner, prelude, yield_now,
};
