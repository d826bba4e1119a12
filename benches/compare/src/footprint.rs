//! `footprint`: what an executor is before it runs: how much code, how much of it `unsafe`, how long it takes to build.
//!
//! Every figure comes from one build: a [small program](crate::programs) for each executor, in a folder without
//! anything built. The compiler's own list of the files that it read says what the executor is made of with the
//! features that it is used with, so a large package is not charged for parts that nobody asked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;
use harness::contender::FLOOR;
use harness::machine::Moment;
use harness::progress::progress;
use harness::quiet::Watch;
use harness::sources::{Counts, SourceFile};
use harness::table::{Table, count, figure};
use harness::{Contender, Kind, Observation};

use crate::programs::{self, Built, Prepared, Workspace};
use crate::select::{executors, not_measured};
use crate::session::Session;

/// The verb of these observations.
pub const VERB: &str = "footprint";

/// Lines with code on them, in the files of the executor's own package that are compiled. The note names the package.
pub const LINES: &str = "lines of code";
/// The same, and in every other package that the program is linked from.
pub const ALL_LINES: &str = "lines of code, with dependencies";
/// Blocks, functions, implementations and the like that are `unsafe`, in the same files as [`LINES`].
pub const UNSAFE: &str = "unsafe sites";
/// In the same files as [`ALL_LINES`].
pub const ALL_UNSAFE: &str = "unsafe sites, with dependencies";
/// Packages that the program needs besides the executor's.
pub const DEPENDENCIES: &str = "dependencies";
/// How long a build took that had nothing to start from.
pub const SECONDS: &str = "seconds to build, cold";
/// How much larger the program is than an empty one.
pub const BYTES: &str = "bytes of machine code over an empty program";
/// How large that is: a row of the floor.
pub const EMPTY_BYTES: &str = "bytes of machine code of an empty program";
/// The minor version of the oldest Rust that the package says it needs: 85 for 1.85, which the note says in full. Where
/// the package does not say, the note says so and the value means nothing.
pub const COMPILER: &str = "oldest compiler";
/// Whether the package declares that it works without std: 1 if so, and the note holds the declaration. What its
/// dependencies need is not looked at.
pub const NO_STD: &str = "works without std";

/// The note of a [`COMPILER`] that nobody named.
const NOT_STATED: &str = "not stated";

/// Builds the program of everybody who was chosen. Nobody is refused for what it breaks: that makes code neither longer
/// nor shorter.
///
/// # Errors
///
/// When a program cannot be built: the message names the executor.
pub fn measure(session: &Session<'_>) -> Result<Vec<Observation>, String> {
    let chosen: Vec<_> = session.chosen.iter().filter(|contender| contender.kind != Kind::Floor).copied().collect();
    let bar = progress(chosen.len() + 1);
    let workspace = Workspace::read()?;
    bar.set_message("static: an empty program");
    // First, and whether it was asked for or not: the others are larger than it is.
    let built = build(&Prepared::new(&workspace, None)?, &session.watch)?;
    let empty = built.what.machine_code;
    let mut observations = vec![seconds(FLOOR, &built), Observation::new(VERB, FLOOR, "", EMPTY_BYTES, empty as f64)];
    bar.inc(1);
    for contender in chosen {
        bar.set_message(format!("static {}", contender.name));
        observations.extend(of(contender, &workspace, empty, &session.watch)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(observations)
}

/// Whether all is there that the programs are built from: builds the empty one, and resolves the others.
///
/// # Errors
///
/// When rustc, cargo, a linker or a package is missing: which.
pub fn ready(session: &Session<'_>) -> Result<(), String> {
    let workspace = Workspace::read()?;
    Prepared::new(&workspace, None)?.build()?;
    let programs = session.chosen.iter().filter_map(|contender| programs::of(contender.name));
    programs.into_iter().try_for_each(|program| Prepared::new(&workspace, Some(program)).map(drop))
}

/// Builds the program of one executor, and looks at what it was built from.
fn of(contender: &Contender, workspace: &Workspace, empty: u64, watch: &Watch) -> Result<Vec<Observation>, String> {
    let name = contender.name;
    let Some(program) = programs::of(name) else {
        let why =
            "only the executors of this workspace's own list are known by package, and each has a program to build";
        return Ok(vec![Observation::refused(VERB, name, "", why)]);
    };
    let prepared = Prepared::new(workspace, Some(program))?;
    let package = prepared.package().ok_or_else(|| format!("{name} comes from no package"))?;
    let built = build(&prepared, watch)?;
    let (mut own, mut all) = (Size::default(), Size::default());
    for (id, files) in &built.what.sources {
        let size = Size::of(files)?;
        all.add(size);
        if *id == package.id {
            own.add(size);
        }
    }
    let row = |quantity: &str, value: f64| Observation::new(VERB, name, "", quantity, value);
    let from = format!("{} {}", package.name, package.version);
    Ok(vec![
        row(LINES, own.lines as f64).noting(&from),
        row(ALL_LINES, all.lines as f64),
        row(UNSAFE, own.unsafe_sites as f64).noting(&from),
        row(ALL_UNSAFE, all.unsafe_sites as f64),
        row(DEPENDENCIES, prepared.dependencies().len() as f64),
        seconds(name, &built),
        // A program with an executor may be linked tighter than an empty one, if only just.
        row(BYTES, built.what.machine_code as f64 - empty as f64),
        compiler(name, package),
        no_std(name, package)?,
    ])
}

/// A program that was built, and what else the machine did before and during the build.
struct Watched {
    what: Built,
    load: Option<f64>,
    busy: Option<String>,
}

/// Builds while the machine is quiet, as far as the watch waits for that. Once: it takes long.
fn build(prepared: &Prepared, watch: &Watch) -> Result<Watched, String> {
    watch.wait();
    let load = Moment::now().load;
    let mut built = None;
    let busy = watch.during(|| built = Some(prepared.build()));
    Ok(Watched { what: built.expect("it was called")?, load, busy })
}

fn seconds(executor: &str, built: &Watched) -> Observation {
    let row = Observation::new(VERB, executor, "", SECONDS, built.what.took.as_secs_f64());
    let load = built.load.map_or_else(|| "unknown".to_owned(), |load| load.to_string());
    let note = format!("approximate: a time of this machine, load {load} before");
    Observation { busy: built.busy.clone(), ..row.noting(note) }
}

fn compiler(executor: &str, package: &Package) -> Observation {
    let row = |value: f64| Observation::new(VERB, executor, "", COMPILER, value);
    match &package.rust_version {
        Some(version) if version.patch == 0 => {
            row(version.minor as f64).noting(format!("{}.{}", version.major, version.minor))
        }
        Some(version) => row(version.minor as f64).noting(version.to_string()),
        None => row(0.0).noting(NOT_STATED),
    }
}

fn no_std(executor: &str, package: &Package) -> Result<Observation, String> {
    let root = programs::root_file(package).ok_or_else(|| format!("{} has no library", package.name))?;
    let declared = parsed(root)?.declares_no_std();
    let row = Observation::new(VERB, executor, "", NO_STD, f64::from(u8::from(declared.is_some())));
    Ok(row.noting(declared.unwrap_or_else(|| "not declared".to_owned())))
}

/// What files come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    lines: usize,
    unsafe_sites: usize,
}

impl Size {
    fn of(files: &BTreeSet<PathBuf>) -> Result<Self, String> {
        let mut size = Self::default();
        for path in files {
            let file = parsed(path)?.without_tests();
            let unsafe_sites = file.unsafe_sites().values().map(Counts::total).sum();
            size.add(Self { lines: file.lines(), unsafe_sites });
        }
        Ok(size)
    }

    fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.unsafe_sites += other.unsafe_sites;
    }
}

fn parsed(path: &Path) -> Result<SourceFile, String> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    SourceFile::parse(&text).map_err(|error| format!("{shown} cannot be understood: {error}"))
}

/// The row of one executor and quantity, if there is one.
pub fn row<'a>(observations: &'a [Observation], executor: &str, quantity: &str) -> Option<&'a Observation> {
    observations.iter().find(|row| row.verb == VERB && row.executor == executor && row.quantity == quantity)
}

/// Facts across.
pub fn view(observations: &[Observation]) -> Vec<Table> {
    let rows: Vec<_> = observations.iter().filter(|row| row.verb == VERB).collect();
    let mut table = Table::new(
        "What each is made of, and what a program that drives one future and one task takes to build",
        [
            "executor",
            "package",
            "lines",
            "all lines",
            "unsafe",
            "all unsafe",
            "dependencies",
            "cold build",
            "machine code",
            "oldest Rust",
            "no_std",
        ],
    );
    for executor in executors(&rows) {
        let found = |quantity: &str| row(observations, executor, quantity);
        if found(SECONDS).is_none() {
            continue;
        }
        let cell = |quantity: &str, show: fn(f64) -> String| {
            found(quantity).map_or_else(|| "-".to_owned(), |row| show(row.value))
        };
        let note = |quantity: &str| found(quantity).and_then(|row| row.note.clone()).unwrap_or_else(|| "-".to_owned());
        let no_std = cell(NO_STD, |value| if value == 0.0 { "no".to_owned() } else { "yes".to_owned() });
        table.row([
            executor.to_owned(),
            note(LINES),
            cell(LINES, count),
            cell(ALL_LINES, count),
            cell(UNSAFE, count),
            cell(ALL_UNSAFE, count),
            cell(DEPENDENCIES, count),
            cell(SECONDS, |seconds| format!("{} s", figure(seconds))),
            cell(BYTES, bytes),
            note(COMPILER),
            no_std,
        ]);
    }
    let mut tables = Vec::new();
    if !table.rows.is_empty() {
        table.note(
            "lines and unsafe: of the package's own files that the compiler reads with the features in use here, without \
             blank lines, comments, documentation and #[cfg(test)]; unsafe are blocks, functions, implementations, extern \
             blocks and attributes, and the word where it stands inside a macro. all: and of every package that is linked, \
             which for the strategies of this workspace is what they share in `executor`.",
        );
        table.note(
            "dependencies: packages besides the first. oldest Rust and no_std: what the package itself declares, and nothing \
             about its dependencies.",
        );
        table.note(
            "cold build: by the wall clock, from sources that are there to an executable, once; whatever else the machine does \
             makes such a time longer, and how busy it was before stands in the rows (`--format json`).",
        );
        if let Some(empty) = row(observations, FLOOR, EMPTY_BYTES) {
            table.note(format!(
                "machine code: over the {} of an empty program, which is the floor here.",
                bytes(empty.value)
            ));
        }
        tables.push(table);
    }
    tables.extend(not_measured(&rows));
    tables
}

fn bytes(value: f64) -> String {
    format!("{} B", count(value))
}
