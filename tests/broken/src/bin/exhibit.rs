//! `exhibit [NAME...]`: runs the conformance suite over the exhibits named, or over all, and prints what they break.
#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread;

use broken::frame::{Choice, Core, Frame};
use broken::{EXHIBITS, Kind, TRIGGER};
use conformance::process::{PATIENCE, answer, in_parallel, requested, run_check};
use conformance::{Check, Clause, Outcome, suite};
use output::Stop;

#[global_allocator]
static ALLOCATOR: conformance::CountingAllocator = conformance::CountingAllocator;

/// Makes the core of every executor in this process, which runs one case of one exhibit.
static CHOSEN: OnceLock<fn() -> Arc<dyn Core>> = OnceLock::new();

struct Chosen;

impl Choice for Chosen {
    fn core() -> Arc<dyn Core> {
        CHOSEN.get().expect("it is set before a case runs")()
    }
}

/// What [`run_trigger`] runs.
static TRIGGERED: OnceLock<fn()> = OnceLock::new();

fn run_trigger() -> Outcome {
    TRIGGERED.get().expect("it is set before a case runs")();
    Outcome::Pass
}

/// The cases of an executor, by its name, such as `bare-park/broken`.
fn cases(name: &str) -> Option<Vec<Check>> {
    let (name, version) = name.split_once('/')?;
    let exhibit = EXHIBITS.iter().find(|exhibit| exhibit.name == name)?;
    let version = if version == "broken" { exhibit.broken } else { exhibit.fixed };
    let mut cases = match version.kind {
        Kind::Root(cases) => cases(),
        Kind::Tasks(core) => {
            CHOSEN.get_or_init(|| core);
            suite!(Frame<Chosen>)
        }
    };
    TRIGGERED.get_or_init(|| version.trigger);
    let clause = Clause { id: TRIGGER, promise: "The exhibit's trigger returns.", ..cases.first()?.clause };
    cases.push(Check { clause, test: run_trigger });
    Some(cases)
}

fn main() -> ExitCode {
    if let Some((executor, clause)) = requested() {
        let case = cases(&executor).and_then(|cases| cases.into_iter().find(|case| case.clause.id == clause));
        let Some(case) = case else {
            return Stop::Because(format!("there is no case `{clause}` of `{executor}`")).end();
        };
        answer(case);
        return ExitCode::SUCCESS;
    }
    let wanted = env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    show(&wanted.collect::<Vec<_>>()).map_or_else(|stop| stop.end(), |()| ExitCode::SUCCESS)
}

fn show(wanted: &[String]) -> Result<(), Stop> {
    let program = env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))?;
    let executors = EXHIBITS.iter().flat_map(|exhibit| ["broken", "fixed"].map(|version| (exhibit.name, version)));
    for (name, version) in executors {
        let executor = format!("{name}/{version}");
        if !wanted.is_empty() && !wanted.iter().any(|wanted| executor.starts_with(wanted)) {
            continue;
        }
        output::line(&executor)?;
        let cases =
            cases("bare-park/fixed").expect("it is in the list").into_iter().map(|case| case.clause.id).collect();
        let workers = thread::available_parallelism().map_or(1, usize::from) * 4;
        let outcomes = in_parallel(workers, cases, |clause| {
            Ok((clause, run_check(&program, &executor, clause, PATIENCE)?.outcome))
        });
        for (clause, outcome) in outcomes.map_err(|error| format!("a case could not be run: {error}"))? {
            if let Outcome::Fail(why) = outcome {
                output::line(format_args!("  {clause}: {}", why.lines().next().unwrap_or_default()))?;
            }
        }
    }
    Ok(())
}
