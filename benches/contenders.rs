//! Who is measured, and who may be.

use executor::{BlockOn, Capabilities, Executor};
use workloads::{Case, block_on_cases, executor_cases, floor_cases};

use crate::pages;

/// One column of the table.
#[derive(Debug)]
pub struct Contender {
    /// The executor's name, or `floor`. The function id of criterion, and so a directory.
    pub name: &'static str,
    /// What it has in common with others.
    pub kind: Kind,
    /// What it says it can do. The floor says nothing.
    pub capabilities: Option<Capabilities>,
    /// What it is measured with.
    pub cases: Vec<Case>,
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

/// Hands every executor, with the strongest of the traits that it implements, to the macro `$then`, in the order of the
/// columns. To add one is to add a line.
#[macro_export]
macro_rules! for_each_executor {
    ($then:ident) => {
        $then! {
            RemoteSpawn noop_waker::NoopExecutor,
            RemoteSpawn park_waker::ParkExecutor,
            RemoteSpawn arc_waker::ArcExecutor,
            RemoteSpawn raw_waker::RawExecutor,
            Executor peers::AsyncTaskExecutor,
            Executor peers::CompioExecutor,
            Executor peers::LocalAsyncExecutor,
            RemoteSpawn peers::AsyncExecutor,
            RemoteSpawn peers::TokioExecutor,
            Executor peers::FuturesExecutor,
            BlockOn peers::Pollster,
            BlockOn peers::FuturesLite,
            BlockOn peers::FuturesBlockOn,
        }
    };
}

macro_rules! contender {
    (BlockOn $executor:ty) => {
        block_on::<$executor>()
    };
    ($kind:ident $executor:ty) => {
        executor::<$executor>()
    };
}

macro_rules! contenders {
    ($($kind:ident $executor:ty,)*) => {
        /// Every contender, in the order of the columns.
        pub fn contenders() -> Vec<Contender> {
            vec![floor(), $(contender!($kind $executor)),*]
        }
    };
}

for_each_executor!(contenders);

fn floor() -> Contender {
    Contender { name: "floor", kind: Kind::Floor, capabilities: None, cases: floor_cases() }
}

fn executor<E: Executor + 'static>() -> Contender {
    let (name, capabilities) = (E::NAME, Some(E::CAPABILITIES));
    Contender { name, kind: Kind::Executor, capabilities, cases: executor_cases::<E>() }
}

fn block_on<B: BlockOn + 'static>() -> Contender {
    let (name, capabilities) = (B::NAME, Some(B::CAPABILITIES));
    Contender { name, kind: Kind::BlockOn, capabilities, cases: block_on_cases::<B>() }
}

/// Why the contender of that name is not to be timed: the table shows the reason in place of its figures.
///
/// An executor that breaks what std demands of it does less work than the others; a table that ranked it would praise
/// the fault. Breaking a clause that only we and other executors demand does not shut it out.
/// What it breaks is read from `docs/conformance.md`, which a test keeps current.
pub fn gate(name: &str) -> Option<String> {
    let broken: Vec<_> = pages::broken(name).into_iter().filter(|clause| clause.level == "std").collect();
    let clause = broken.first()?;
    let others = match broken.len() - 1 {
        0 => String::new(),
        others => format!(", and {others} more"),
    };
    Some(format!("breaks {} ({}){others}: see docs/conformance.md", clause.id, clause.promise.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
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
    fn what_owns_no_tasks_gets_the_workloads_without_tasks() {
        let contender = block_on::<noop_waker::NoopExecutor>();
        assert!(contender.cases.iter().all(|case| case.workload.needs == workloads::Needs::BlockOn));
        assert!(!contender.cases.is_empty());
    }
}
