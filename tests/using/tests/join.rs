//! The end of a task, passed on with `?`.

use std::error::Error;
use std::io;

use executor::{Described, Executor, yield_now};

/// Counts to `n` in a task. What the caller makes of an error is for the caller to say.
fn count<E: Executor>(executor: &E, n: u32) -> Result<u32, executor::JoinError> {
    let task = executor.spawn(async move {
        for turn in 0..n {
            assert!(turn < 3, "counted too far");
            yield_now().await;
        }
        n
    });
    executor.block_on(task)
}

fn boxed<E: Executor>(executor: &E, n: u32) -> Result<u32, Box<dyn Error + Send + Sync>> {
    Ok(count(executor, n)?)
}

fn with_anyhow<E: Executor>(executor: &E, n: u32) -> anyhow::Result<u32> {
    Ok(count(executor, n)?)
}

fn with_eyre<E: Executor>(executor: &E, n: u32) -> eyre::Result<u32> {
    Ok(count(executor, n)?)
}

fn with_io<E: Executor>(executor: &E, n: u32) -> io::Result<u32> {
    count(executor, n).map_err(io::Error::other)
}

fn passes_on<E: Executor + Described>() {
    let executor = E::default();
    assert_eq!(boxed(&executor, 3).unwrap(), 3);
    assert_eq!(with_anyhow(&executor, 3).unwrap(), 3);
    assert_eq!(with_eyre(&executor, 3).unwrap(), 3);
    assert_eq!(with_io(&executor, 3).unwrap(), 3);
    let message = "the task panicked: counted too far";
    assert_eq!(boxed(&executor, 4).unwrap_err().to_string(), message);
    assert_eq!(with_anyhow(&executor, 4).unwrap_err().to_string(), message);
    assert_eq!(with_eyre(&executor, 4).unwrap_err().to_string(), message);
    assert_eq!(with_io(&executor, 4).unwrap_err().to_string(), message);
}

macro_rules! pass_on {
    (@ BlockOn $executor:ty) => {};
    (@ $kind:ident $executor:ty) => {
        passes_on::<$executor>();
    };
    ($($kind:ident $executor:ty,)*) => {
        $(pass_on!(@ $kind $executor);)*
    };
}

#[test]
fn the_end_of_a_task_passes_on_with_a_question_mark() {
    lineup::for_each_executor!(pass_on);
}
