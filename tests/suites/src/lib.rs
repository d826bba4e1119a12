#![doc = include_str!("../README.md")]
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
