#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]
// See `BiasedCount`. Where words are smaller, the workspace does without.
#![cfg(target_pointer_width = "64")]

mod abort;
mod count;
mod executor;
mod join;
mod joiner;
mod queue;
mod root;
mod stage;
mod task;
mod waker;

pub use crate::abort::AbortHandle as BiasedAbortHandle;
pub use crate::executor::{BiasedExecutor, BiasedSpawner};
pub use crate::join::JoinHandle as BiasedJoinHandle;

// So that a program needs no other dependency.
pub use ::executor::{
    AbortHandle, AbortOnDrop, BlockOn, Executor, JoinError, JoinHandle, JoinSet, PanicPayload, RemoteSpawn, Spawn,
    Spawner, prelude, yield_now,
};
