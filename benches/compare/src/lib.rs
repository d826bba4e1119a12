#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod baseline;
pub mod choose;
pub mod cli;
pub mod conform;
pub mod count;
pub mod crossover;
pub mod diff;
pub mod duel;
pub mod footprint;
pub mod idle;
pub mod latency;
pub mod matrix;
pub mod memory;
pub mod newer;
pub mod overview;
pub mod pictures;
pub mod programs;
pub mod record;
pub mod remembered;
pub mod report;
pub mod scenario;
pub mod session;

mod called;
mod junit;
mod options;
mod select;

use std::process::ExitCode;

pub use conformance::{CountingAllocator, suite};
pub use harness::Contender;
pub use scenario::Scenario;

/// Who is compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    contenders: Vec<Contender>,
}

impl Default for Comparison {
    fn default() -> Self {
        Self::new()
    }
}

impl Comparison {
    /// The strategies of this workspace and the published executors, with the suite that each has to pass.
    pub fn new() -> Self {
        #[cfg(feature = "suites")]
        let mut suites = suites::suites();
        #[cfg(not(feature = "suites"))]
        let mut suites: Vec<(&str, Vec<conformance::Check>)> = Vec::new();
        let mut contenders = harness::contenders();
        for contender in &mut contenders {
            if let Some((_, suite)) = suites.iter_mut().find(|(name, _)| *name == contender.name) {
                contender.suite = std::mem::take(suite);
            }
        }
        Self { contenders }
    }

    /// With one executor more: `Contender::executor::<MyExecutor>().with_suite(suite!(RemoteSpawn: MyExecutor))`.
    ///
    /// # Panics
    ///
    /// When there is an executor of that name already.
    pub fn with(mut self, contender: Contender) -> Self {
        let taken = self.contenders.iter().any(|other| other.name == contender.name);
        assert!(!taken, "there is an executor `{}` already: its NAME must be another one", contender.name);
        self.contenders.push(contender);
        self
    }

    /// With one workload more, on all that are listed here; for an executor of your own add [`scenario::on`] to its
    /// contender.
    pub fn with_scenario<S: Scenario>(mut self) -> Self {
        scenario::add::<S>(&mut self.contenders);
        self
    }

    /// Everybody.
    pub fn contenders(&self) -> &[Contender] {
        &self.contenders
    }

    /// Does what the command line says: the whole of `cargo compare`.
    pub fn main(self) -> ExitCode {
        cli::main(&self.contenders)
    }
}
