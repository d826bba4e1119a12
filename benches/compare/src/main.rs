//! `cargo compare`
#![forbid(unsafe_code)]

use std::process::ExitCode;

use compare::{Comparison, CountingAllocator};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    Comparison::new().main()
}
