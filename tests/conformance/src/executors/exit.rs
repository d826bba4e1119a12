//! A task or a thread that ends the process.

use std::future::poll_fn;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::task::Poll;
use std::thread;

use executor::{Described, Executor, JoinError, RemoteSpawn, yield_now};

use crate::Outcome;
use crate::child::{is_child, run_in_child};
use crate::clause::clause;
use crate::kept::Kept;
use crate::probe::Gate;

clause! {
    "X26" Contract "A task may end the process, even if that drops the executor in the destructor of a thread-local."
    guards "rust-lang/rust#127637: `exit` runs its thread's thread-local destructors. A double free and hangs, found \
            here."
    pub fn x26_a_task_may_end_the_process<E: Executor>() -> Outcome {
        ends_well("X26", 1, || {
            with_kept::<E>(|executor| {
                let task = executor.spawn(async {
                    let alive = Alive::new();
                    yield_now().await;
                    drop(alive);
                    process::exit(0)
                });
                let _: Result<(), JoinError> = executor.block_on(task);
            });
        })
    }
}

clause! {
    "X26d" Contract "A thread may end the process, and so drop the executor, while another thread drives it."
    guards "rust-lang/rust#127637, as X26."
    pub fn x26d_another_thread_may_end_the_process<E: RemoteSpawn>() -> Outcome {
        ends_well("X26d", 20, || {
            with_kept::<E>(|executor| {
                let (running, polls) = (Gate::new(), Arc::new(AtomicUsize::new(0)));
                thread::scope(|scope| {
                    scope.spawn(|| {
                        // These keep the queue from ever being empty.
                        for _ in 0..1_000 {
                            drop(executor.spawn(poll_fn(|cx| {
                                cx.waker().wake_by_ref();
                                Poll::<()>::Pending
                            })));
                        }
                        let task = executor.spawn({
                            let (running, polls) = (running.clone(), polls.clone());
                            async move {
                                loop {
                                    let alive = Alive::new();
                                    yield_now().await;
                                    drop(alive);
                                    if polls.fetch_add(1, SeqCst) == 100 {
                                        running.open();
                                    }
                                }
                            }
                        });
                        let _: Result<(), JoinError> = executor.block_on(task);
                    });
                    running.wait("a hundred rounds by the other thread");
                    process::exit(0)
                })
            });
        })
    }
}

/// Runs `program`, which ends its process, in a child process, as many times as given.
fn ends_well(clause: &str, times: usize, program: impl FnOnce()) -> Outcome {
    if is_child(clause) {
        program();
        unreachable!("the program ends the process");
    }
    for _ in 0..times {
        match run_in_child(clause) {
            Some(ended) => ended.expect("this program can be started").unwrap_or_else(|how| panic!("{how}")),
            None => return Outcome::Vacuous("this program does not say how to run the case in another process"),
        }
    }
    Outcome::Pass
}

/// Calls `action` with an executor that the destructor of a thread-local drops.
fn with_kept<E: Executor + Described + 'static>(action: impl FnOnce(&E)) {
    thread_local! {
        static KEPT: Kept = const { Kept::new() };
    }
    KEPT.with(|kept| action(kept.get_or_make(E::default)));
}

/// A part of a future, of which only one exists at a time. Dropping it twice aborts the process.
struct Alive;

static ALIVE: AtomicBool = AtomicBool::new(false);

impl Alive {
    fn new() -> Self {
        ALIVE.store(true, SeqCst);
        Self
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if !ALIVE.swap(false, SeqCst) {
            process::abort();
        }
    }
}
