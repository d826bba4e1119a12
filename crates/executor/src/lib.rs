#![doc = include_str!("../README.md")]

use std::fmt::Debug;

mod abort;
mod abort_on_drop;
mod capabilities;
mod driver;
mod emptied;
mod foreign;
mod here;
mod join_error;
mod join_set;
mod joinable;
mod pointers;
mod root_waker;
mod spare_memory;
pub mod sync;
mod task_count;
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
    pub use crate::driver::{Driver, Entered};
    pub use crate::emptied::{Emptied, UntilEmptied};
    pub use crate::foreign::{discard, drop_future_before, quietly};
    pub use crate::here::{here, number};
    pub use crate::joinable::{BoxedFuture, Join, TaskHandle, joinable, joinable_unboxed};
    pub use crate::root_waker::RootWaker;
    pub use crate::spare_memory::SpareMemory;
    pub use crate::task_count::TaskCount;

    /// Whether a future had better be boxed as the first thing that `spawn` does with it: then it is made in its box and
    /// not moved there. That takes an allocation more, which is little for what is so large.
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

    /// What cancels a task that somebody else awaits. One type for all tasks, whatever they return.
    type AbortHandle: AbortHandle;

    /// Makes a task of `future`. It is polled first when the executor is next driven, never inside this call.
    ///
    /// Callable from any thread, inside polls and inside drops; never blocks on user code. On a spawner whose executor
    /// is gone, or is being dropped, the future is dropped before this returns and the handle yields
    /// [`JoinError::Cancelled`].
    ///
    /// Future and output must be `Send`: the thread that drives, or drops the executor, may be another one. What may
    /// not leave its thread can be `block_on`'s own future, and is not accepted as a task (clause X21 of the contract):
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

/// Drives one future on the calling thread. All that pollster and its like do.
pub trait BlockOn {
    /// Polls `future` on the calling thread until it is ready, and spawned tasks too, where there are any.
    ///
    /// The future may borrow and need not be `Send`. It is dropped before the call returns, possibly after the thread
    /// has stopped driving. Tasks that are left when it is ready stay for the next call.
    ///
    /// # Panics
    ///
    /// When the future panics: the panic unwinds to the caller and the executor stays usable. When called inside a
    /// task of the same executor, unless its capabilities say that it works. It may panic,
    /// and does not hang, inside the future of another `block_on` of the same executor on the same thread: that call
    /// may drive once its future has been pending, or has woken or spawned a task.
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output;
}

/// Owns tasks and polls them. Dropping it ends them.
///
/// The semantics stand in the documentation of the crate `executor`.
pub trait Executor: BlockOn + Spawn {
    /// Drives the tasks on the calling thread and returns when no spawned task is left. While another thread drives,
    /// that thread checks, between two polls, whether any is left.
    ///
    /// A task counts until it has ended: one that nobody can wake any more, detached or not, keeps `run` waiting.
    ///
    /// # Panics
    ///
    /// When called inside a task of the same executor, or inside the future of the `block_on` that drives it.
    fn run(&self);

    /// How many tasks have not ended, or `None` where the executor does not count them.
    ///
    /// Exact on the thread that drives, and while no other thread uses the executor; but a task whose end is being
    /// reported, to its joiner for example, may still be in it. On other threads it is that of some moment.
    fn tasks(&self) -> Option<usize> {
        None
    }
}

/// What the conformance suite and the measurements ask of an executor besides: what it is called, what it claims, and
/// that it can be made by those who know nothing else of it.
///
/// A program that uses an executor needs none of it; so a wrapper, or an executor that takes arguments, need not have
/// it.
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
    /// A spawner's abort handles are of the executor's type. Its join handles are, too, in every strategy of this
    /// workspace, but a trait cannot say so for all `T` at once. Generic code that keeps both kinds in one list asks
    /// for it where it needs it, or spawns through a spawner only:
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

/// A handle to an executor, for its tasks and for other threads, which keeps no executor alive.
pub trait Spawner: Spawn + Clone + Debug + Send + Sync + 'static {
    /// Whether the executor is gone, or is being dropped: what is spawned from now on is never polled. `false` may have
    /// become `true` by the time that it is looked at.
    fn is_closed(&self) -> bool;
}

/// Awaits a task's end. Dropping it detaches the task, as with `std::thread::JoinHandle`.
///
/// The result arrives after the future was dropped. Polling it again after that panics.
pub trait JoinHandle<T>: Future<Output = Result<T, JoinError>> + Send + Sync + Unpin + Debug + 'static {
    /// What [`abort_handle`](Self::abort_handle) returns.
    type AbortHandle: AbortHandle
    where
        Self: Sized;

    /// Cancels the task: its future is dropped, once, by the thread that drives or drops the executor, no later than
    /// the executor's next turn for it. Does nothing to a finished task, nor to one that is in its last poll: the
    /// handle then yields the value. Returns at once; await the handle to know that it is done.
    fn abort(&self);

    /// Whether the task has ended and its future is dropped.
    fn is_finished(&self) -> bool;

    /// A handle that cancels the task while this one is somewhere else, where it is awaited.
    fn abort_handle(&self) -> Self::AbortHandle
    where
        Self: Sized;

    /// Lets the task go on without anybody who awaits it: what dropping the handle does, for code that says so.
    fn detach(self)
    where
        Self: Sized,
    {
        drop(self);
    }
}

/// Cancels a task that somebody else awaits, or nobody. Dropping it changes nothing.
///
/// A strategy's may keep the task's memory allocated, as a waker does, but neither its future nor its result. That of
/// some published executors keeps the result, where the join handle went before it: see the README of `peers`.
pub trait AbortHandle: Clone + Send + Sync + Debug + 'static {
    /// As [`JoinHandle::abort`].
    fn abort(&self);

    /// As [`JoinHandle::is_finished`].
    fn is_finished(&self) -> bool;
}
