#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod async_executor;
mod async_executor_local;
mod async_task;
mod compio_executor;
mod futures_executor;
mod futures_lite;
mod owner;
mod pollster;
mod sharing;
mod task_handle;
mod tokio;
mod waiting;

pub use crate::async_executor::{AsyncExecutor, AsyncSpawner};
pub use crate::async_executor_local::LocalAsyncExecutor;
pub use crate::async_task::{AsyncTaskExecutor, Inbox};
pub use crate::compio_executor::{CompioExecutor, CompioJoinHandle};
pub use crate::futures_executor::{FuturesBlockOn, FuturesExecutor, FuturesJoinHandle};
pub use crate::futures_lite::FuturesLite;
pub use crate::pollster::Pollster;
pub use crate::sharing::AbortHandle;
pub use crate::task_handle::TaskHandle;
pub use crate::tokio::{TokioAbortHandle, TokioExecutor, TokioJoinHandle, TokioSpawner};
