//! The front door, `cargo bench`, and what runs over all contenders.
//!
//! The benchmark is `wakers.rs`; `race.rs` is the program that drops executors while other threads wake. `tables.rs`
//! and `unsafe_sites.rs` are the tests that keep the repository's pages current, `links.rs` and `lines.rs` those that
//! read all its comments. [`harness`] says who is measured, and how.
#![forbid(unsafe_code)]

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
