#![doc = include_str!("../README.md")]

use std::fmt::Debug;

mod abort;
mod abort_on_drop;
mod cached;
mod capabilities;
mod driver;
mod foreign;
mod join_error;
mod join_set;
mod joinable;
mod pointers;
mod root_waker;
mod run_waiters;
mod spare_memory;
pub mod sync;
mod task_count;
mod thread_id;
mod yield_now;

pub use abort_on_drop::AbortOnDrop;
pub use capabilities::{Capabilities, Idle, NestedBlockOn, WakeNames};
pub use join_error::{JoinError, PanicPayload};
pub use join_set::JoinSet;
pub use yield_now::{YieldNow, yield_now};

/// The traits, for their methods: `use executor::prelude::*;`. Each strategy has it, too: `use raw_waker::prelude::*;`.
pub mod prelude {
    pub use crate::{AbortHandle, BlockOn, Executor, JoinHandle, RemoteSpawn, Spawn, Spawner};
}

/// What the strategies share because it holds no waking decision. Users of an executor need none of it.
pub mod support {
    pub use crate::abort::TaskAbortHandle;
    pub use crate::cached::{Cached, Renew};
    pub use crate::driver::{Driver, Entered};
    pub use crate::foreign::{UNPOISONED, discard, discard_panic, drop_future_before};
    pub use crate::joinable::{BoxedFuture, Join, TaskHandle, joinable, joinable_unboxed};
    pub use crate::root_waker::RootWaker;
    pub use crate::run_waiters::{RunWait, RunWaiters};
    pub use crate::spare_memory::SpareMemory;
    pub use crate::task_count::TaskCount;

    /// Which thread is this?
    pub mod thread_id {
        pub use crate::thread_id::{assign, current};
    }

    /// Whether `spawn` should box a future before it does anything else with it. Then the future is made in its box and
    /// not moved there. That takes one more allocation, which is little for a future of this size.
    ///
    /// Source: tokio's `BOX_FUTURE_THRESHOLD`.
    pub const fn is_large<F>() -> bool {
        size_of::<F>() > 16 << 10
    }
}

/// Accepts futures. Implemented by executors and by their spawners.
pub trait Spawn {
    /// What [`spawn`](Self::spawn) returns for a future with output `T`.
    type JoinHandle<T: Send + 'static>: JoinHandle<T, AbortHandle = Self::AbortHandle>;

    /// Cancels a task that is awaited somewhere else. One type for all tasks, whatever they return.
    type AbortHandle: AbortHandle;

    /// Makes a task of `future`. It is polled first when the executor is next driven, never inside this call.
    ///
    /// Callable from any thread, inside polls and inside drops; never blocks on user code. On a spawner whose executor
    /// is gone, or is being dropped, the future is dropped before this returns and the handle yields
    /// [`JoinError::Cancelled`].
    ///
    /// Future and output must be `Send`: another thread may drive or drop the executor. A future that may not leave its
    /// thread can be `block_on`'s own future, but is not accepted as a task (clause X21 of the contract):
    ///
    /// ```compile_fail,E0277
    /// fn spawn_local(spawner: &impl executor::Spawn) {
    ///     let local = std::rc::Rc::new(1);
    ///     spawner.spawn(async move {
    ///         executor::yield_now().await;
    ///         drop(local);
    ///     });
    /// }
    /// ```
    fn spawn<F>(&self, future: F) -> Self::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;
}

/// Drives one future on the calling thread. This is all that pollster and the like do.
pub trait BlockOn {
    /// Polls `future` on the calling thread until it is ready, and spawned tasks too, if there are any.
    ///
    /// The future may borrow and need not be `Send`. It is dropped before the call returns, possibly after the thread
    /// has stopped driving. Tasks that are left when it is ready stay for the next call.
    ///
    /// # Panics
    ///
    /// When the future panics: the panic unwinds to the caller and the executor stays usable. When called inside a
    /// task of the same executor, unless its capabilities say that it works. Inside the future of another `block_on` of
    /// the same executor on the same thread it may panic, and does not hang: that call may drive once its future has
    /// been pending, or has woken or spawned a task.
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output;
}

/// Owns tasks and polls them. Dropping it ends them.
///
/// The documentation of the crate `executor` gives the semantics.
pub trait Executor: BlockOn + Spawn {
    /// Drives the tasks on the calling thread and returns once no spawned task is left. While another thread drives,
    /// that thread checks between polls whether any is left.
    ///
    /// A task counts until it has ended: one that can never be woken again, detached or not, keeps `run` waiting.
    ///
    /// # Panics
    ///
    /// When called inside a task of the same executor, or inside the future of the `block_on` that drives it.
    fn run(&self);

    /// How many tasks have not ended, or `None` where the executor does not count them.
    ///
    /// Exact on the thread that drives, and while no other thread uses the executor; but a task whose end is just being
    /// reported, to its joiner for example, may still be included. On other threads it is the number at some moment.
    fn tasks(&self) -> Option<usize> {
        None
    }
}

/// What the conformance suite and the measurements ask of an executor in addition: its name, what it claims, and a way
/// to make one without knowing anything else about it.
///
/// A program that uses an executor needs none of this. So a wrapper, or an executor that takes arguments, need not
/// implement it.
pub trait Described: Default {
    /// The executor's name in ids, tables and messages, such as `raw-waker`.
    const NAME: &'static str;

    /// What a caller may rely on.
    const CAPABILITIES: Capabilities;
}

/// Executors that tasks and other threads can spawn onto.
pub trait RemoteSpawn: Executor + Send + Sync {
    /// A handle to the executor for its tasks and for other threads.
    ///
    /// A spawner's abort handles have the type of the executor's. So do its join handles, in every strategy of this
    /// workspace, but a trait cannot say that for all `T` at once. Generic code that keeps both kinds in one list
    /// states it as a bound, or spawns through a spawner only:
    ///
    /// ```
    /// use executor::{RemoteSpawn, Spawn};
    ///
    /// fn both<E>(executor: &E) -> Vec<E::JoinHandle<u32>>
    /// where
    ///     E: RemoteSpawn<Spawner: Spawn<JoinHandle<u32> = E::JoinHandle<u32>>>,
    /// {
    ///     vec![executor.spawn(async { 1_u32 }), executor.spawner().spawn(async { 2_u32 })]
    /// }
    /// ```
    type Spawner: Spawner<AbortHandle = Self::AbortHandle>;

    /// Makes a spawner.
    fn spawner(&self) -> Self::Spawner;
}

/// A handle to an executor, for its tasks and for other threads. Does not keep the executor alive.
pub trait Spawner: Spawn + Clone + Debug + Send + Sync + 'static {
    /// Whether the executor is gone, or is being dropped: then what is spawned from now on is never polled. By the time
    /// the caller looks at it, `false` may have become `true`.
    fn is_closed(&self) -> bool;
}

/// Awaits a task's end. Dropping it detaches the task, as with `std::thread::JoinHandle`.
///
/// The result arrives after the future was dropped. Polling the handle again after that panics.
pub trait JoinHandle<T>: Future<Output = Result<T, JoinError>> + Send + Sync + Unpin + Debug + 'static {
    /// What [`abort_handle`](Self::abort_handle) returns.
    type AbortHandle: AbortHandle
    where
        Self: Sized;

    /// Cancels the task: its future is dropped, once, by the thread that drives or drops the executor, no later than
    /// the task's next turn. Does nothing to a task that has finished or is in its last poll: the handle then yields
    /// the value. Returns at once; await the handle to know that the task has ended.
    fn abort(&self);

    /// Whether the task has ended and its future is dropped.
    fn is_finished(&self) -> bool;

    /// A handle that cancels the task while this one is being awaited somewhere else.
    fn abort_handle(&self) -> Self::AbortHandle
    where
        Self: Sized;

    /// Lets the task go on although no one awaits it. The same as dropping the handle, for code that says so.
    fn detach(self)
    where
        Self: Sized,
    {
        drop(self);
    }
}

/// Cancels a task, whether it is awaited somewhere else or not at all. Dropping the handle changes nothing.
///
/// In the strategies of this workspace it may keep the task's memory allocated, as a waker does, but neither the future
/// nor the result. In some published executors it keeps the result if the join handle was dropped first: see the README
/// of `peers`.
pub trait AbortHandle: Clone + Send + Sync + Debug + 'static {
    /// As [`JoinHandle::abort`].
    fn abort(&self);

    /// As [`JoinHandle::is_finished`].
    fn is_finished(&self) -> bool;
}
