#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod executor;
mod spinning;
mod task;
mod waker;

pub use crate::executor::{ParkExecutor, ParkSpawner};
pub use crate::spinning::SpinningExecutor;
