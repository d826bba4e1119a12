use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::{Clause, Outcome};

/// How long a case may take before it counts as hung. Every case takes milliseconds; the rest is for busy machines.
const PATIENCE: Duration = Duration::from_secs(60);

/// Enough for a future of 1 MiB that an unoptimised build moves through several stack frames.
const STACK: usize = 64 << 20;

/// A clause, made ready for one executor.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is promised.
    pub clause: Clause,
    /// The clause's function for the executor. Panics, which count as [`Outcome::Fail`], and hangs where the
    /// executor loses a wake: call it through [`run`].
    pub test: fn() -> Outcome,
}

/// Runs a case on a thread of its own. A case that panics or hangs has failed.
///
/// The thread of a case that hangs is left behind; it ends with the process. A case that aborts takes the process with
/// it: whoever runs cases of executors that may do that runs each in a process of its own.
pub fn run(case: Case) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    let spawned = thread::Builder::new().name(case.clause.id.to_owned()).stack_size(STACK).spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(case.test));
        let outcome = outcome.unwrap_or_else(|payload| Outcome::Fail(message(payload.as_ref())));
        // The receiver is gone only after it has given this thread up.
        let _ = sender.send(outcome);
    });
    if let Err(error) = spawned {
        return Outcome::Fail(format!("the case could not be started: {error}"));
    }
    receiver
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| Outcome::Fail(format!("hangs: not done after {} s", PATIENCE.as_secs())))
}

/// Runs a case as a test: panics if it failed, and prints why if it did not apply.
///
/// # Panics
///
/// With the clause's id and promise, when the case failed.
pub fn check(case: Case) {
    let Clause { id, promise, guards, .. } = case.clause;
    match run(case) {
        Outcome::Fail(why) => panic!("{id} {promise}\n  broken: {why}\n  guards against: {guards}"),
        outcome => println!("{id} {outcome}"),
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "it panicked with a value that is no text".to_owned()
    }
}

/// The suite's one list: hands every clause, with the trait that it asks for, to the macro `$then`.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_each_clause {
    ($then:path, $($arguments:tt)*) => {
        $then! { [$($arguments)*]
            Executor wakers::w01_clone_wakes_the_same_task,
            Executor tasks::t01_never_two_polls_at_once,
            BlockOn executors::x04_block_on_returns_the_output,
        }
    };
}

/// Makes one `#[test]` per clause for an executor, and counts its allocations.
///
/// ```text
/// conformance::tests!(RawExecutor);           // implements RemoteSpawn
/// conformance::tests!(Executor: LocalPool);   // owns tasks, but takes none from other threads
/// conformance::tests!(BlockOn: Pollster);     // owns no tasks
/// ```
#[macro_export]
macro_rules! tests {
    (Executor: $executor:ty) => {
        $crate::__tests! { Executor $executor }
    };
    (BlockOn: $executor:ty) => {
        $crate::__tests! { BlockOn $executor }
    };
    ($executor:ty) => {
        $crate::__tests! { RemoteSpawn $executor }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ($kind:ident $executor:ty) => {
        #[global_allocator]
        static ALLOCATOR: $crate::CountingAllocator = $crate::CountingAllocator;

        $crate::__for_each_clause! { $crate::__test, $kind $executor }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __test {
    ([$kind:ident $executor:ty] $($needs:ident $module:ident::$name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                $crate::check($crate::__case!($kind $needs $executor, $module::$name));
            }
        )*
    };
}

/// The whole suite for an executor, as a `Vec<Case>`: see [`tests!`] for the forms.
#[macro_export]
macro_rules! suite {
    (Executor: $executor:ty) => {
        $crate::__for_each_clause! { $crate::__cases, Executor $executor }
    };
    (BlockOn: $executor:ty) => {
        $crate::__for_each_clause! { $crate::__cases, BlockOn $executor }
    };
    ($executor:ty) => {
        $crate::__for_each_clause! { $crate::__cases, RemoteSpawn $executor }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __cases {
    ([$kind:ident $executor:ty] $($needs:ident $module:ident::$name:ident,)*) => {
        ::std::vec![$($crate::__case!($kind $needs $executor, $module::$name)),*]
    };
}

/// A case of one clause, or a case that says why the executor's kind has none.
#[doc(hidden)]
#[macro_export]
macro_rules! __case {
    (BlockOn Executor $executor:ty, $module:ident::$name:ident) => {
        $crate::__not_applicable!("Executor", "it owns no tasks: it does not implement the trait", $module::$name)
    };
    (BlockOn RemoteSpawn $executor:ty, $module:ident::$name:ident) => {
        $crate::__not_applicable!("Executor", "it owns no tasks: it does not implement the trait", $module::$name)
    };
    (Executor RemoteSpawn $executor:ty, $module:ident::$name:ident) => {
        $crate::__not_applicable!(
            "RemoteSpawn",
            "it takes no tasks from other threads: it does not implement the trait",
            $module::$name
        )
    };
    ($kind:ident $needs:ident $executor:ty, $module:ident::$name:ident) => {
        $crate::Case { clause: $crate::$module::$name::CLAUSE, test: $crate::$module::$name::<$executor> }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __not_applicable {
    ($capability:literal, $why:literal, $module:ident::$name:ident) => {
        $crate::Case {
            clause: $crate::$module::$name::CLAUSE,
            test: || $crate::Outcome::NotApplicable { capability: $capability, why: $why },
        }
    };
}
