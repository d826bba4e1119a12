//! The executor that docs/bring-your-own.md begins with keeps every clause that applies to it.

#[path = "../first/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own on the page")]
mod first;

conformance::tests!(Executor: crate::first::Sleeper);
