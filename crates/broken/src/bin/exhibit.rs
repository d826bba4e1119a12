//! `exhibit [NAME...]`: runs the conformance suite over the exhibits named, or over all of them, and prints what they break.
#![forbid(unsafe_code)]

use std::env;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::thread;

use broken::frame::{Base, BoxedFuture, Core, Frame, Payload};
use broken::{EXHIBITS, Kind};
use conformance::process::{PATIENCE, answer, in_parallel, requested, run_case};
use conformance::{Case, Outcome, suite};

#[global_allocator]
static ALLOCATOR: conformance::CountingAllocator = conformance::CountingAllocator;

/// Makes the core of every [`Chosen`] in this process.
static CHOSEN: OnceLock<fn() -> Arc<dyn Core>> = OnceLock::new();

/// The core that this process is to test. A process runs one case of one exhibit, so the suite is compiled once for all of
/// them, which takes a thirtieth of the time.
struct Chosen(Arc<dyn Core>);

impl Default for Chosen {
    fn default() -> Self {
        Self(CHOSEN.get().expect("it is set before a case runs")())
    }
}

impl Core for Chosen {
    fn base(&self) -> &Base {
        self.0.base()
    }

    fn spawn(self: Arc<Self>, future: BoxedFuture) -> Waker {
        self.0.clone().spawn(future)
    }

    fn poll_ready(&self) {
        self.0.poll_ready();
    }

    fn has_ready(&self) -> bool {
        self.0.has_ready()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn close(&self) {
        self.0.close();
    }

    fn on_panic(&self) -> fn(Payload) -> Option<Payload> {
        self.0.on_panic()
    }

    fn block_on(&self, root: Pin<&mut dyn Future<Output = ()>>) {
        self.0.block_on(root);
    }
}

/// The cases of an executor, by its name, such as `bare-park/broken`.
fn cases(name: &str) -> Option<Vec<Case>> {
    let (name, version) = name.split_once('/')?;
    let exhibit = EXHIBITS.iter().find(|exhibit| exhibit.name == name)?;
    let version = if version == "broken" { exhibit.broken } else { exhibit.fixed };
    Some(match version.kind {
        Kind::Root(cases) => cases(),
        Kind::Tasks(core) => {
            CHOSEN.get_or_init(|| core);
            suite!(Frame<Chosen>)
        }
    })
}

fn main() -> ExitCode {
    if let Some((executor, clause)) = requested() {
        let case = cases(&executor).and_then(|cases| cases.into_iter().find(|case| case.clause.id == clause));
        let Some(case) = case else {
            eprintln!("error: there is no case `{clause}` of `{executor}`");
            return ExitCode::FAILURE;
        };
        answer(case);
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<String> = env::args().skip(1).collect();
    let program = env::current_exe().expect("this program can find itself");
    let executors = EXHIBITS.iter().flat_map(|exhibit| ["broken", "fixed"].map(|version| (exhibit.name, version)));
    for (name, version) in executors {
        let executor = format!("{name}/{version}");
        if !wanted.is_empty() && !wanted.iter().any(|wanted| executor.starts_with(wanted)) {
            continue;
        }
        println!("{executor}");
        let cases =
            cases("bare-park/fixed").expect("it is in the list").into_iter().map(|case| case.clause.id).collect();
        let workers = thread::available_parallelism().map_or(1, usize::from) * 4;
        let outcomes = in_parallel(workers, cases, |clause| {
            Ok((clause, run_case(&program, &executor, clause, PATIENCE)?.outcome))
        });
        for (clause, outcome) in outcomes.expect("cases can be run") {
            if let Outcome::Fail(why) = outcome {
                println!("  {clause}: {}", why.lines().next().unwrap_or_default());
            }
        }
    }
    ExitCode::SUCCESS
}
