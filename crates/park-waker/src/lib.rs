#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod executor;
mod task;
mod waker;

pub use crate::executor::{ParkExecutor, ParkSpawner};
