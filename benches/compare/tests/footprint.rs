//! Programs are built and looked at; who has none is told so.

use std::time::Duration;

use compare::footprint;
use compare::programs::{self, PROGRAMS, Prepared, Program, Workspace};
use compare::session::{Selection, Session};
use harness::contender::{FLOOR, Probes, is_floor};
use harness::quiet::Watch;
use harness::{Contender, Kind, contenders, versions};

const BROKEN: Program =
    Program { executor: "broken", package: "pollster", with: &[], text: "fn main() { nothing(); }" };

fn workspace() -> Workspace {
    Workspace::read().expect("cargo knows this workspace")
}

#[test]
fn there_is_a_program_for_every_executor_and_no_other() {
    let contenders = contenders();
    let names: Vec<_> = contenders.iter().map(|contender| contender.name).filter(|name| !is_floor(name)).collect();
    let programs: Vec<_> = PROGRAMS.iter().map(|program| program.executor).collect();
    assert_eq!(programs, names);
    let versions: Vec<_> = names.iter().map(|name| versions::package(name)).collect();
    let packages: Vec<_> = PROGRAMS.iter().map(|program| program.package).collect();
    assert_eq!(packages, versions, "the package that is built is the one whose version is recorded");
}

#[test]
fn a_package_is_asked_for_as_the_workspace_does() {
    let workspace = workspace();
    let own = workspace.requirement("wakers-raw").expect("it is a member");
    assert!(own.starts_with("wakers-raw = { path = ") && own.contains("crates"), "{own}");
    let tokio = workspace.requirement("tokio").expect("the adapters take it");
    assert!(tokio.starts_with("tokio = { version = \"=1."), "{tokio}");
    assert!(tokio.ends_with("default-features = false, features = [\"rt\"] }"), "{tokio}");
    let why = workspace.requirement("left-pad").expect_err("nobody takes it");
    assert!(why.contains("`left-pad`"), "{why}");
}

#[test]
fn a_program_is_built_from_its_package_and_is_larger_than_an_empty_one() {
    let workspace = workspace();
    let empty = Prepared::new(&workspace, None).expect("it needs nothing");
    assert!(empty.package().is_none() && empty.dependencies().is_empty());
    let empty = empty.build().expect("it compiles");
    assert!(empty.sources.is_empty(), "{:?}", empty.sources);
    let prepared = Prepared::new(&workspace, programs::of("pollster")).expect("it was downloaded for the adapters");
    let package = prepared.package().expect("it comes from one");
    assert_eq!(package.name.as_str(), "pollster");
    assert!(prepared.dependencies().is_empty(), "{:?}", prepared.dependencies());
    let built = prepared.build().expect("it compiles");
    assert!(built.machine_code > empty.machine_code, "{} and {}", built.machine_code, empty.machine_code);
    assert_eq!(built.sources.keys().collect::<Vec<_>>(), [&package.id]);
    let files = &built.sources[&package.id];
    assert!(files.iter().all(|file| file.is_file()), "{files:?}");
    assert!(files.iter().any(|file| Some(&**file) == programs::root_file(package)), "{files:?}");
}

#[test]
fn what_the_strategies_share_is_a_dependency() {
    let prepared = Prepared::new(&workspace(), programs::of("park-waker")).expect("it is here");
    let dependencies: Vec<_> = prepared.dependencies().into_iter().map(|id| id.repr).collect();
    assert!(dependencies.iter().any(|id| id.contains("crates/executor")), "{dependencies:?}");
    assert!(!dependencies.iter().any(|id| id.contains("conformance") || id.contains("loom")), "{dependencies:?}");
}

#[test]
fn a_program_that_does_not_compile_or_fails_is_an_error_that_names_the_executor() {
    let workspace = workspace();
    let why = |program: Program| {
        let prepared = Prepared::new(&workspace, Some(&program)).expect("its package is there");
        prepared.build().expect_err("it is broken")
    };
    let compiled = why(BROKEN);
    assert!(compiled.contains("the program of broken does not compile") && compiled.contains("nothing"), "{compiled}");
    let ran = why(Program { text: "fn main() { panic!(\"no output\") }", ..BROKEN });
    assert_eq!(why(Program { text: "fn main() { loop {} }", ..BROKEN }), "the program of broken hangs");
    assert!(ran.contains("the program of broken fails") && ran.contains("no output"), "{ran}");
    // More than a pipe holds.
    let text = "fn main() { eprintln!(\"{}\", \"x\".repeat(1 << 18)); panic!(\"no output\") }";
    let ran = why(Program { text, ..BROKEN });
    assert!(ran.contains("the program of broken fails") && ran.contains("no output"), "{ran}");
}

#[test]
fn an_executor_without_a_program_is_refused_with_the_reason() {
    let mine = [Contender {
        name: "mine",
        kind: Kind::Executor,
        capabilities: None,
        cases: Vec::new(),
        counts: Vec::new(),
        probes: Probes::default(),
        suite: Vec::new(),
    }];
    let mut session = Session::new(&mine, Selection::default()).expect("nothing was excluded");
    // How long a build takes is not looked at.
    session.watch = Watch::new(Duration::ZERO);
    let observations = footprint::measure(&session).expect("the empty program compiles");
    let refusals: Vec<_> = observations.iter().filter_map(|row| Some((&*row.executor, row.refusal()?))).collect();
    let [("mine", why)] = refusals[..] else { panic!("{refusals:?}") };
    assert!(why.contains("known by package"), "{why}");
    assert!(footprint::row(&observations, FLOOR, footprint::EMPTY_BYTES).is_some_and(|row| row.value > 0.0));
    let titles: Vec<_> = footprint::view(&observations).into_iter().map(|table| table.title).collect();
    assert!(titles.iter().any(|title| title == "Not measured"), "{titles:?}");
}
