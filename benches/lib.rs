//! Where contenders and workloads meet, and what `cargo bench` prints of it.
//!
//! [`contenders`] is the list, [`figures`] reads what criterion left, [`table`] puts it side by side, and [`pages`] knows
//! which tables stand where in the repository. The benchmark itself is `wakers.rs`; `conform.rs` is the program that runs
//! the conformance suite over all contenders, and `tables.rs` the test that keeps the pages current.
#![forbid(unsafe_code)]

pub mod contenders;
pub mod figures;
pub mod pages;
pub mod provenance;
pub mod table;
pub mod trial;

/// The pages, so that their examples are compiled and run.
#[cfg(doctest)]
mod examples {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/model.md")]
    mod model {}
    #[doc = include_str!("../docs/strategies.md")]
    mod strategies {}
}
