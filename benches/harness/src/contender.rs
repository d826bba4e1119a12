//! The contenders, and which of them may be timed.

use conformance::Check;
use executor::{BlockOn, Capabilities, Described, Executor, Idle};
use workloads::card::{Count, block_on_counts, executor_counts, floor_counts, in_place_counts};
use workloads::work::{sweep_cases, sweep_floors};
use workloads::{Case, Workload, block_on_cases, executor_cases, floor_cases, in_place_cases};

use crate::verdicts::{self, Row};
use crate::{idle, latency, memory};

/// Everything that can be done to one executor. To measure your own, write `Contender::executor::<MyExecutor>()`.
#[derive(Clone, Debug)]
pub struct Contender {
    /// The executor's name, or `floor`: used in ids, tables and file names.
    pub name: &'static str,
    /// The kind of contender.
    pub kind: Kind,
    /// What it claims. The floor claims nothing.
    pub capabilities: Option<Capabilities>,
    /// The workloads that it is timed with.
    pub cases: Vec<Case>,
    /// The operations that are counted.
    pub counts: Vec<Count>,
    /// Its other measurements, if it can be measured so.
    pub probes: Probes,
    /// The suite that it must pass, if this program contains it.
    pub suite: Vec<Check>,
}

/// Measurements that are generic functions over the executor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Probes {
    pub(crate) latency: Option<latency::Probe>,
    pub(crate) idle: Option<idle::Probe>,
    pub(crate) memory: Option<memory::Probe>,
}

/// What a contender can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The same work by hand.
    Floor,
    /// Owns tasks.
    Executor,
    /// Drives one future.
    BlockOn,
}

impl Contender {
    /// An executor that owns tasks.
    pub fn executor<E: Executor + Described + 'static>() -> Self {
        Self {
            name: E::NAME,
            kind: Kind::Executor,
            capabilities: Some(E::CAPABILITIES),
            cases: [executor_cases::<E>(), sweep_cases::<E>()].concat(),
            counts: executor_counts::<E>(),
            probes: Probes {
                latency: Some(latency::of_a_task::<E>),
                idle: Some(idle::of_tasks::<E>),
                memory: Some(memory::of_tasks::<E>),
            },
            suite: Vec::new(),
        }
    }

    /// An executor that drives one future and owns no tasks.
    pub fn block_on<E: BlockOn + Described + 'static>() -> Self {
        Self {
            name: E::NAME,
            kind: Kind::BlockOn,
            capabilities: Some(E::CAPABILITIES),
            cases: block_on_cases::<E>(),
            counts: block_on_counts::<E>(),
            probes: Probes { latency: Some(latency::of_the_root::<E>), ..Probes::default() },
            suite: Vec::new(),
        }
    }

    /// The same work by hand.
    pub fn floor() -> Self {
        Self {
            name: FLOOR,
            kind: Kind::Floor,
            capabilities: None,
            cases: [floor_cases(), sweep_floors()].concat(),
            counts: floor_counts(),
            probes: Probes { latency: Some(latency::by_hand), ..Probes::default() },
            suite: Vec::new(),
        }
    }

    /// The same work by hand and without an allocator, where the floor is little else than one.
    pub fn floor_without_allocator() -> Self {
        Self {
            name: FLOOR_WITHOUT_ALLOCATOR,
            kind: Kind::Floor,
            capabilities: None,
            cases: in_place_cases(),
            counts: in_place_counts(),
            probes: Probes::default(),
            suite: Vec::new(),
        }
    }

    /// Adds the suite that it must pass: `conformance::suite!(RemoteSpawn: MyExecutor)`. An executor that is not in
    /// `docs/conformance.jsonl` is measured only if it passes.
    pub fn with_suite(self, suite: Vec<Check>) -> Self {
        Self { suite, ..self }
    }

    /// Adds a workload.
    pub fn with_case(mut self, case: Case) -> Self {
        self.cases.push(case);
        self
    }

    /// Its case of that workload.
    pub fn case(&self, workload: &Workload) -> Option<Case> {
        self.case_named(workload.id)
    }

    /// Like [`case`](Self::case), by the workload's name.
    pub fn case_named(&self, id: &str) -> Option<Case> {
        self.cases.iter().find(|case| case.workload.id == id).copied()
    }

    /// Whether its thread sleeps while nothing is ready.
    pub fn parks(&self) -> bool {
        self.capabilities.is_none_or(|capabilities| capabilities.idle == Idle::Parks)
    }
}

/// The name of the floor: the work done by hand.
pub const FLOOR: &str = "floor";

/// The name of the floor without an allocator.
pub const FLOOR_WITHOUT_ALLOCATOR: &str = "floor-no-malloc";

/// Whether that is the name of a floor.
pub fn is_floor(name: &str) -> bool {
    [FLOOR, FLOOR_WITHOUT_ALLOCATOR].contains(&name)
}

/// The contender of an executor's strongest trait.
#[doc(hidden)]
#[macro_export]
macro_rules! __contender {
    (BlockOn $executor:ty) => {
        $crate::Contender::block_on::<$executor>()
    };
    ($kind:ident $executor:ty) => {
        $crate::Contender::executor::<$executor>()
    };
}

macro_rules! contenders {
    ($($kind:ident $executor:ty,)*) => {
        /// Every contender, in the order of the columns, the floors first. Without the suites, which take minutes to
        /// compile.
        pub fn contenders() -> Vec<Contender> {
            vec![Contender::floor(), Contender::floor_without_allocator(), $(crate::__contender!($kind $executor)),*]
        }
    };
}

lineup::for_each_executor!(contenders);

/// The rungs of the ladder. They are counted, and take part in nothing else: what a rung leaves out has its price, too.
pub fn rungs() -> Vec<Contender> {
    vec![
        rung::<ladder::Noop>(),
        rung::<ladder::Park>(),
        rung::<ladder::Arc>(),
        rung::<ladder::Vtable>(),
        rung::<ladder::Raw>(),
        rung::<ladder::Biased>(),
    ]
}

fn rung<E: Executor + Described + 'static>() -> Contender {
    Contender { cases: Vec::new(), probes: Probes::default(), ..Contender::executor::<E>() }
}

/// The contender of that name.
pub(crate) fn find<'a>(name: &str, contenders: &'a [Contender]) -> Result<&'a Contender, String> {
    contenders.iter().find(|contender| contender.name == name).ok_or_else(|| format!("there is no executor `{name}`"))
}

/// Why the contender of that name is not to be timed: the table shows the reason in place of its figures.
///
/// An executor that breaks what std demands of it does less work than the others; a table that ranked it would praise
/// the fault. Breaking a clause that only we and other executors demand does not shut it out. What it breaks is read
/// from `docs/conformance.jsonl`, which a test keeps current.
pub fn gate(name: &str) -> Option<String> {
    refusal(&verdicts::committed().broken(name))
}

/// What is said of those clauses, if std demands one of them.
fn refusal(broken: &[&Row]) -> Option<String> {
    let mut broken = broken.iter().filter(|row| row.level == "std");
    let Row { clause, promise, .. } = broken.next()?;
    let others = match broken.count() {
        0 => String::new(),
        others => format!(", and {others} more"),
    };
    Some(format!("breaks {clause} ({}){others}: see docs/conformance.md", promise.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn names_are_unique_and_make_directories() {
        let mut names: Vec<_> = contenders().iter().map(|contender| contender.name).collect();
        for name in &names {
            assert!(name.len() < 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{name}");
        }
        let listed = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), listed);
    }

    #[test]
    fn only_what_std_demands_is_a_reason_not_to_measure() {
        let row = |clause: &str, level: &str| Row {
            clause: clause.to_owned(),
            level: level.to_owned(),
            promise: "A promise.".to_owned(),
            debug: BTreeMap::new(),
            release: BTreeMap::new(),
        };
        let reason = refusal(&[&row("W17", "quality"), &row("X8", "std"), &row("X9", "contract")]);
        assert_eq!(reason.as_deref(), Some("breaks X8 (A promise): see docs/conformance.md"));
        let reason = refusal(&[&row("W1", "std"), &row("X8", "std")]);
        assert_eq!(reason.as_deref(), Some("breaks W1 (A promise), and 1 more: see docs/conformance.md"));
        assert_eq!(refusal(&[&row("X9", "contract")]), None);
    }

    #[test]
    fn what_owns_no_tasks_gets_the_workloads_without_tasks() {
        let contender = Contender::block_on::<noop_waker::NoopExecutor>();
        assert!(contender.cases.iter().all(|case| case.workload.needs == workloads::Needs::BlockOn));
        assert!(!contender.cases.is_empty());
    }

    #[test]
    fn what_other_threads_may_not_use_is_not_joined_on_one() {
        for contender in contenders() {
            let remote = contender.capabilities.is_none_or(|capabilities| capabilities.remote_spawn);
            let joined = contender.case_named("foreign_join").is_some();
            assert!(!joined || remote, "{}", contender.name);
            assert!(joined || !remote || contender.name == FLOOR_WITHOUT_ALLOCATOR, "{}", contender.name);
        }
    }
}
