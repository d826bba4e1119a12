#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod executor;
mod task;
mod waker;

pub use crate::executor::{NoopExecutor, NoopSpawner};

// So that a program needs no other dependency.
pub use ::executor::{
    AbortHandle, AbortOnDrop, BlockOn, Executor, JoinError, JoinHandle, JoinSet, PanicPayload, RemoteSpawn, Spawn,
    Spawner, prelude, yield_now,
};
