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
    "T15" House "Futures and results may have any size and any alignment."
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
    /// The stack is that of a thread which nobody gave another. It has room for six copies of the future, and two are
    /// the test's own.
    "T15f" Quality "A thread with a stack of 2 MiB spawns, runs and drops a future of 320 KiB, in a debug build, too."
    guards "tokio-rs/tokio#2055 and #6057: an unoptimised build keeps a copy of a future for each function that takes it by \
            value, and the stack overflows."
    pub fn t15f_a_large_future_takes_little_stack<E: Executor>() -> Outcome {
        on_a_small_stack("T15f", || {
            let executor = E::default();
            let [awaited, aborted] = [(); 2].map(|()| spawn_large(&executor));
            drop(spawn_large(&executor));
            aborted.abort();
            assert!(executor.block_on(awaited).is_ok(), "a task that was spawned before did not return");
            let joined = executor.block_on(async {
                // From its second poll on, the thread drives.
                yield_now().await;
                spawn_large(&executor).await
            });
            assert!(joined.is_ok(), "a task that the root spawned did not return");
            executor.run();
            drop(aborted);
            // One more, never polled, for the executor's drop.
            drop(spawn_large(&executor));
        });
        Outcome::Pass
    }
}

clause! {
    "T15s" Quality "So does a spawner: inside a task, on another thread, and after its executor."
    guards "as T15f; a way for other threads that is one function longer."
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

/// What no more than six copies of fit into 2 MiB.
const LARGE: usize = 320 << 10;

fn spawn_large<S: Spawn>(spawner: &S) -> S::JoinHandle<Shape<Align1, 0>> {
    spawner.spawn(Shaped::<Align1, LARGE, Align1, 0> { shape: Shape::new(), output: PhantomData })
}

/// Runs `action` on a thread of its own. Where the stack does not suffice, the process ends, and says the name.
fn on_a_small_stack(name: &str, action: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(2 << 20).spawn(action);
    if let Err(payload) = thread.expect("a thread can be started").join() {
        resume_unwind(payload);
    }
}

/// Has an alignment, and is otherwise nothing.
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

/// As many bytes, aligned so. Looks at its own address and content when it is used and dropped.
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
        // Both ends: the middle of a MiB takes long to look at in an unoptimised build.
        let ends = self.bytes.iter().take(64).chain(self.bytes.iter().rev().take(64));
        assert!(ends.copied().all(|byte| byte == 0xA5), "bytes that something else was written over");
    }
}

impl<A, const N: usize> Drop for Shape<A, N> {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.look();
        }
    }
}

/// A future of one shape for an output of another. As small as its shape: it is pending as often as it was woken by
/// itself, which is once if it has a byte to note it in.
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
                // The mark that it was polled once, away from the ends.
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
        // Spawned in one place only: an unoptimised build gives each place room on the stack for all its copies.
        let spawn = || executor.spawn(Shaped::<A, N, B, M> { shape: Shape::new(), output: PhantomData });
        let (awaited, aborted) = (spawn(), spawn());
        drop(spawn());
        aborted.abort();
        // Looked at by its drop.
        assert!(executor.block_on(awaited).is_ok(), "the task did not return");
        executor.run();
        drop(aborted);
        // One more, never polled, for the executor's drop.
        drop(spawn());
    });
}
