//! `cargo compare`, with an executor more.

use std::process::ExitCode;

use compare::{Comparison, Contender, CountingAllocator, suite};
use first::Sleeper;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    Comparison::new().with(Contender::executor::<Sleeper>().with_suite(suite!(Executor: Sleeper))).main()
}
