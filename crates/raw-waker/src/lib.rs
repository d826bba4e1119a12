#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod abort;
mod executor;
mod join;
mod joiner;
mod queue;
mod stage;
mod task;
mod waker;

pub use crate::abort::AbortHandle as RawAbortHandle;
pub use crate::executor::{RawExecutor, RawSpawner};
pub use crate::join::JoinHandle as RawJoinHandle;

// So that a program needs no other dependency.
pub use ::executor::{
    AbortHandle, AbortOnDrop, BlockOn, Executor, JoinError, JoinHandle, JoinSet, PanicPayload, RemoteSpawn, Spawn,
    Spawner, prelude, yield_now,
};
