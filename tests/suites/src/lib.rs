//! The conformance suite of every executor in the [line-up](lineup).
//!
//! Compiling it takes minutes, as every clause is compiled for every executor. So it is a crate of its own, which
//! changes when an executor or a clause does, and programs that only measure do without.
#![forbid(unsafe_code)]

use conformance::Check;
use executor::Described as _;

macro_rules! suites {
    ($($kind:ident $executor:ty,)*) => {
        /// Each executor's name and its cases, in the order of the line-up.
        pub fn suites() -> Vec<(&'static str, Vec<Check>)> {
            vec![$((<$executor>::NAME, conformance::suite!($kind: $executor))),*]
        }
    };
}

lineup::for_each_executor!(suites);
