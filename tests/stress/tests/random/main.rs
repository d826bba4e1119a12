//! Random programs, run on every strategy and compared with what they must lead to.
//!
//! `PROPTEST_CASES=10000 cargo test --release -p stress --test random` draws more. A failing program is shrunk and
//! printed as Rust, to be kept in `programs.rs` under a name that says what went wrong; its seed is added to
//! `regressions.txt` automatically.
#![forbid(unsafe_code)]

mod check;
mod found;
mod model;
mod program;
mod programs;
mod world;
#[path = "../common/wrong.rs"]
mod wrong;

use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};

use crate::check::{check, check_crowd};
use crate::program::{crowds, programs};

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/random/regressions.txt");

fn runner() -> TestRunner {
    let failure_persistence = Some(Box::new(FileFailurePersistence::Direct(REGRESSIONS)) as Box<_>);
    TestRunner::new(Config { failure_persistence, source_file: Some(file!()), ..Config::default() })
}

macro_rules! random {
    ($($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
        $(
            mod $executor {
                random_programs!($kind lineup::$executor);
            }
        )*
    };
}

macro_rules! random_programs {
    (RemoteSpawn $executor:ty) => {
        use super::*;

        #[test]
        fn a_random_program_leads_to_what_it_must() {
            let test = |program| check::<$executor>(&program).map_err(TestCaseError::fail);
            runner().run(&programs(), test).unwrap_or_else(|failure| panic!("{failure}"));
        }

        #[test]
        fn a_random_program_of_several_threads_leads_to_what_it_may() {
            let test = |crowd| check_crowd::<$executor>(&crowd).map_err(TestCaseError::fail);
            runner().run(&crowds(), test).unwrap_or_else(|failure| panic!("{failure}"));
        }

        #[test]
        fn the_programs_with_a_name_lead_to_what_they_must() {
            for (name, program) in crate::programs::programs() {
                check::<$executor>(&program).unwrap_or_else(|why| panic!("{name}: {why}"));
            }
            for (name, crowd) in crate::programs::crowds() {
                for _ in 0..crate::programs::TIMES {
                    check_crowd::<$executor>(&crowd).unwrap_or_else(|why| panic!("{name}: {why}"));
                }
            }
        }
    };
    // The programs spawn from several threads.
    ($kind:ident $executor:ty) => {};
}

lineup::for_each_strategy!(random);
