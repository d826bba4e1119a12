//! Layout: futures and results of any size and alignment, and the stack that a large one takes.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll};
use std::thread;

use executor::{Described, Executor, JoinHandle, RemoteSpawn, Spawn, yield_now};

use crate::Outcome;
use crate::clause::clause;
use crate::probe::case;

clause! {
    "T15" Contract "Futures and results may have any size and any alignment."
    guards "tokio-rs/tokio#6729 and hand-made layouts in general: a header that shifts what comes after it."
    pub fn t15_futures_and_results_have_any_layout<E: Executor>() -> Outcome {
        const MIB: usize = 1 << 20;
        lay_out::<E, Align1, 0, Align1, 0>("nothing, for nothing");
        lay_out::<E, Align1, 1, Align1, 0>("a byte, for nothing");
        lay_out::<E, Align1, 0, Align1, 1>("nothing, for a byte");
        lay_out::<E, Align64, 0, Align64, 0>("aligned to 64");
        lay_out::<E, Align64, 0, Align1, 3>("aligned to 64, for 3 bytes");
        lay_out::<E, Align1, 3, Align64, 0>("3 bytes, for something aligned to 64");
        lay_out::<E, Align4096, 0, Align1, 0>("aligned to 4096");
        lay_out::<E, Align1, 1, Align4096, 1>("a byte, for something aligned to 4096");
        lay_out::<E, Align4096, 1, Align64, 1>("aligned to 4096, for something aligned to 64");
        lay_out::<E, Align1, MIB, Align1, 0>("1 MiB, for nothing");
        lay_out::<E, Align1, 0, Align1, MIB>("nothing, for 1 MiB");
        lay_out::<E, Align64, 0x1_0000, Align64, 0x1_0000>("64 KiB, for as much, both aligned to 64");
        Outcome::Pass
    }
}

clause! {
    /// 2 MiB is std's default stack for threads. It has room for six copies of the future, of which the test itself
    /// needs two.
    "T15f" Quality "A thread with a stack of 2 MiB spawns, runs and drops a future of 320 KiB, even in a debug build."
    guards "tokio-rs/tokio#2055 and #6057: an unoptimised build keeps a copy of the future for each function that \
            takes it by value, and the stack overflows."
    pub fn t15f_a_large_future_takes_little_stack<E: Executor>() -> Outcome {
        on_a_small_stack("T15f", || {
            let executor = E::default();
            let [awaited, aborted] = [(); 2].map(|()| spawn_large(&executor));
            drop(spawn_large(&executor));
            aborted.abort();
            assert!(executor.block_on(awaited).is_ok(), "a task that was spawned before did not return");
            let joined = executor.block_on(async {
                // The thread may begin to drive only after the root's first poll.
                yield_now().await;
                spawn_large(&executor).await
            });
            assert!(joined.is_ok(), "a task that the root spawned did not return");
            executor.run();
            drop(aborted);
            // One more, never polled, which the executor's drop drops.
            drop(spawn_large(&executor));
        });
        Outcome::Pass
    }
}

clause! {
    "T15s" Quality
        "A spawner spawns such a future from a stack of 2 MiB: in a task, on another thread, and after its executor."
    guards "as T15f; the path for other threads is one function longer."
    pub fn t15s_a_large_future_takes_a_spawner_little_stack<E: RemoteSpawn>() -> Outcome {
        on_a_small_stack("T15s", || {
            let executor = E::default();
            let spawner = executor.spawner();
            let task = executor.spawn(async move { spawn_large(&spawner).await.is_ok() });
            assert!(executor.block_on(task).is_ok_and(|returned| returned), "a task's task did not return");
            let spawner = executor.spawner();
            on_a_small_stack("T15s", {
                let spawner = spawner.clone();
                move || drop(spawn_large(&spawner))
            });
            executor.run();
            drop(executor);
            drop(spawn_large(&spawner));
        });
        Outcome::Pass
    }
}

/// Six copies of it fit into 2 MiB, and no more.
const LARGE: usize = 320 << 10;

fn spawn_large<S: Spawn>(spawner: &S) -> S::JoinHandle<Shape<Align1, 0>> {
    spawner.spawn(Shaped::<Align1, LARGE, Align1, 0> { shape: Shape::new(), output: PhantomData })
}

/// Runs `action` on a thread of its own. If the stack overflows, the process aborts with a message that has this name.
fn on_a_small_stack(name: &str, action: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(2 << 20).spawn(action);
    if let Err(payload) = thread.expect("a thread can be started").join() {
        resume_unwind(payload);
    }
}

/// A type that has an alignment and no content.
trait Alignment: Default + Send + Unpin + 'static {}

#[derive(Default)]
struct Align1;
#[derive(Default)]
#[repr(align(64))]
struct Align64;
#[derive(Default)]
#[repr(align(4096))]
struct Align4096;

impl Alignment for Align1 {}
impl Alignment for Align64 {}
impl Alignment for Align4096 {}

/// `N` bytes with the alignment of `A`. Checks its own address and content when it is used and when it is dropped.
struct Shape<A, const N: usize> {
    _align: A,
    bytes: [u8; N],
}

impl<A: Alignment, const N: usize> Shape<A, N> {
    fn new() -> Self {
        Self { _align: A::default(), bytes: [0xA5; N] }
    }
}

impl<A, const N: usize> Shape<A, N> {
    fn look(&self) {
        let address = ptr::from_ref(self).addr();
        assert_eq!(address % align_of::<Self>(), 0, "an address that is not aligned to {}", align_of::<Self>());
        // Only both ends: all of a MiB takes long in an unoptimised build.
        let ends = self.bytes.iter().take(64).chain(self.bytes.iter().rev().take(64));
        assert!(ends.copied().all(|byte| byte == 0xA5), "its bytes were overwritten");
    }
}

impl<A, const N: usize> Drop for Shape<A, N> {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.look();
        }
    }
}

/// A future of one shape whose output has another. It has no room for state besides its shape: if the shape is large
/// enough to mark a byte away from its ends, the future wakes itself once and is pending.
struct Shaped<A, const N: usize, B, const M: usize> {
    shape: Shape<A, N>,
    output: PhantomData<fn() -> Shape<B, M>>,
}

impl<A: Alignment, const N: usize, B: Alignment, const M: usize> Future for Shaped<A, N, B, M> {
    type Output = Shape<B, M>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Shape<B, M>> {
        let middle = N / 2;
        if let Some(byte) = self.shape.bytes.get_mut(middle) {
            if mem::replace(byte, 0xA5) == 0xA5 && N > 128 {
                // Marks that it was polled once.
                *byte = 0;
                cx.waker().wake_by_ref();
                self.shape.look();
                return Poll::Pending;
            }
        }
        self.shape.look();
        Poll::Ready(Shape::new())
    }
}

fn lay_out<E: Executor + Described + 'static, A: Alignment, const N: usize, B: Alignment, const M: usize>(
    name: impl fmt::Display,
) {
    case(name, || {
        let executor = E::default();
        // Spawned in one place only: an unoptimised build reserves stack for the copies of every place.
        let spawn = || executor.spawn(Shaped::<A, N, B, M> { shape: Shape::new(), output: PhantomData });
        let (awaited, aborted) = (spawn(), spawn());
        drop(spawn());
        aborted.abort();
        // The output checks itself when it is dropped.
        assert!(executor.block_on(awaited).is_ok(), "the task did not return");
        executor.run();
        drop(aborted);
        // One more, never polled, which the executor's drop drops.
        drop(spawn());
    });
}
