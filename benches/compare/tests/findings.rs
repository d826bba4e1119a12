//! What an executor does is found of it, and what is done to it is not.
//!
//! A program of its own, as a duel starts copies of it.

use std::alloc::{Layout, handle_alloc_error};
use std::process::{self, Command, ExitCode};
use std::time::Duration;

use compare::Contender;
use harness::duel::{Duel, Outcome};
use harness::quiet::Watch;
use harness::{Observation, worker};
use raw_waker::RawExecutor;
use workloads::{Case, Iteration, WORKLOADS, Workload};

const WORKLOAD: &str = "yield_one";

/// The trial is one iteration: what happens in the third happens only when it is timed.
fn in_the_third(happens: fn()) -> Iteration {
    let mut iterations = 0;
    Box::new(move || {
        iterations += 1;
        if iterations == 3 {
            happens();
        }
        1
    })
}

fn aborts() -> Iteration {
    in_the_third(|| process::abort())
}

fn panics() -> Iteration {
    in_the_third(|| panic!("it is broken"))
}

fn has_no_memory() -> Iteration {
    in_the_third(|| handle_alloc_error(Layout::new::<[u8; 64]>()))
}

/// As by a system without memory, or by somebody who has waited long enough.
fn is_killed() -> Iteration {
    in_the_third(|| {
        let killed = Command::new("kill").args(["-9", &process::id().to_string()]).status();
        panic!("it goes on after {killed:?}")
    })
}

fn contenders() -> Vec<Contender> {
    let workload: &'static Workload =
        WORKLOADS.iter().copied().find(|workload| workload.id == WORKLOAD).expect("there is such a workload");
    let raw = Contender::executor::<RawExecutor>();
    let named = |name, set_up| Contender { name, cases: vec![Case::new(workload, set_up)], ..raw.clone() };
    vec![
        named("aborts", aborts),
        named("panics", panics),
        named("has-no-memory", has_no_memory),
        named("is-killed", is_killed),
        raw.clone(),
    ]
}

fn duel_of(names: &[&str]) -> Result<Outcome, String> {
    let contenders = contenders().into_iter().filter(|contender| names.contains(&contender.name)).collect();
    let time = Duration::from_secs(1);
    let duel = Duel { workloads: vec![WORKLOAD], contenders, reference: "raw-waker", time, most_processes: 2 };
    harness::duel::run(&duel, &Watch::new(Duration::ZERO))
}

fn main() -> ExitCode {
    if let Some(code) = worker::run_if_asked(contenders) {
        return code;
    }
    let Outcome { observations, .. } = duel_of(&["raw-waker", "aborts", "panics"]).expect("it is their own doing");
    let refused = |name: &str| -> Vec<&str> {
        let own = observations.iter().filter(|row| row.executor == name);
        own.filter_map(Observation::refusal).collect()
    };
    assert!(
        matches!(refused("aborts")[..], [why] if why.starts_with("the process ended: signal: 6")),
        "{observations:?}"
    );
    assert_eq!(refused("panics"), ["panicked: it is broken"]);
    assert_eq!(refused("raw-waker"), [""; 0]);
    assert!(observations.iter().any(|row| row.executor == "raw-waker"), "the rest goes on without them");

    let why = duel_of(&["raw-waker", "has-no-memory"]).expect_err("it is the machine's");
    assert_eq!(why, "the process was not done: there was no memory for it");
    if cfg!(unix) {
        let why = duel_of(&["raw-waker", "is-killed"]).expect_err("it is somebody else's doing");
        assert!(why.starts_with("the process was not done: it was ended from outside by signal 9"), "{why}");
    }
    ExitCode::SUCCESS
}
