#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod executor;
mod spinning;
mod task;
mod waker;

pub use crate::executor::{ParkExecutor, ParkSpawner};
pub use crate::spinning::SpinningExecutor;

// So that a program needs no other dependency.
pub use ::executor::{
    AbortHandle, AbortOnDrop, BlockOn, Executor, JoinError, JoinHandle, JoinSet, PanicPayload, RemoteSpawn, Spawn,
    Spawner, prelude, yield_now,
};
