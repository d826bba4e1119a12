//! Workloads from elsewhere.

use executor::{Described, Executor};
use harness::Contender;
use workloads::{Case, Iteration, Needs, Workload};

/// A workload of your own, written once for every executor.
///
/// ```
/// use compare::Scenario;
/// use executor::Executor;
///
/// struct FanOut;
///
/// impl Scenario for FanOut {
///     const ID: &'static str = "fan_out";
///     const OPERATION: &'static str = "one of 100 tasks spawned, ended and joined";
///     const OPERATIONS: usize = 100;
///
///     async fn run<E: Executor>(executor: &E) {
///         let tasks: Vec<_> = (0..100).map(|number| executor.spawn(async move { number })).collect();
///         for (number, task) in tasks.into_iter().enumerate() {
///             assert_eq!(task.await.expect("the task ends"), number);
///         }
///     }
/// }
/// ```
pub trait Scenario: 'static {
    /// Its name in ids and tables.
    const ID: &'static str;
    /// What one operation is.
    const OPERATION: &'static str;
    /// How many of them [`run`](Self::run) does. So many that it takes microseconds, and not more than a few hundred.
    const OPERATIONS: usize;
    /// How many threads take part.
    const THREADS: usize = 1;

    /// Does all of it and checks what came out. It is called again and again with the same executor.
    fn run<E: Executor>(executor: &E) -> impl Future<Output = ()>;

    /// The same by hand, without an executor, if you have that.
    fn floor() -> Option<Iteration> {
        None
    }
}

fn set_up<S: Scenario, E: Executor + Described + 'static>() -> Iteration {
    let executor = E::default();
    Box::new(move || {
        executor.block_on(S::run(&executor));
        // Its polls are its own business.
        0
    })
}

fn floor<S: Scenario>() -> Iteration {
    S::floor().expect("it is not listed without one")
}

fn case<S: Scenario>(set_up: fn() -> Iteration) -> Case {
    Case::new(
        const {
            &Workload {
                id: S::ID,
                title: S::ID,
                operation: S::OPERATION,
                operations: S::OPERATIONS,
                needs: Needs::Executor,
                threads: S::THREADS,
                pass: 1,
                floor: floor::<S>,
            }
        },
        set_up,
    )
}

/// The workload, for one executor.
pub fn on<S: Scenario, E: Executor + Described + 'static>() -> Case {
    case::<S>(set_up::<S, E>)
}

macro_rules! on_each {
    ($($kind:ident $executor:ty,)*) => {
        fn on_each<S: Scenario>() -> Vec<(&'static str, Case)> {
            [$(on_each!($kind $executor)),*].into_iter().flatten().collect()
        }
    };
    (BlockOn $executor:ty) => {
        None
    };
    ($kind:ident $executor:ty) => {
        Some((<$executor>::NAME, on::<S, $executor>()))
    };
}

lineup::for_each_executor!(on_each);

pub(crate) fn add<S: Scenario>(contenders: &mut [Contender]) {
    let mut cases = on_each::<S>();
    if S::floor().is_some() {
        cases.push((harness::contender::FLOOR, case::<S>(floor::<S>)));
    }
    for (name, case) in cases {
        if let Some(contender) = contenders.iter_mut().find(|contender| contender.name == name) {
            contender.cases.push(case);
        }
    }
}
