//! One small program for each executor: it drives a future and, where there are tasks, one task. What such a program
//! takes to build, and what it is made of, is what the executor adds to yours.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cargo_metadata::{
    CrateType, DependencyKind, Message, Metadata, MetadataCommand, Node, Package, PackageId, TargetKind,
};
use executor::Described as _;
use harness::contender::FLOOR;
use harness::kept::{Folder, Process};
use harness::pages::page;
use object::{Object as _, ObjectSection as _, SectionKind};

/// A program, and the packages that its manifest names.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The executor's name.
    pub executor: &'static str,
    /// The package that the executor comes from.
    pub package: &'static str,
    /// What it takes besides to drive one future and one task.
    pub with: &'static [&'static str],
    /// Its `main.rs`. There is a module `turn` for it, with the future that all of them drive.
    pub text: &'static str,
}

macro_rules! programs {
    ($($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
        /// The executors of this program, in the order of its columns. What there is to know of a package is read from
        /// the workspace, where the executor is measured: its place or version, and its features.
        pub const PROGRAMS: &[Program] = &[
            $(Program {
                executor: <lineup::$executor>::NAME,
                package: $package,
                with: &["wakers-executor"],
                text: strategy_program!($kind $library $executor),
            },)*
            published("async-task", "async-task", &[], include_str!("../programs/async_task.rs")),
            published("compio-executor", "compio-executor", &[], include_str!("../programs/compio_executor.rs")),
            published(
                "async-executor-local",
                "async-executor",
                &["futures-lite"],
                include_str!("../programs/async_executor_local.rs"),
            ),
            published(
                "async-executor",
                "async-executor",
                &["futures-lite"],
                include_str!("../programs/async_executor.rs"),
            ),
            published("tokio", "tokio", &[], include_str!("../programs/tokio.rs")),
            published(
                "futures-local-pool",
                "futures-executor",
                &["futures"],
                include_str!("../programs/futures_local_pool.rs"),
            ),
            published("pollster", "pollster", &[], include_str!("../programs/pollster.rs")),
            published("futures-lite", "futures-lite", &[], include_str!("../programs/futures_lite.rs")),
            published("futures-executor", "futures-executor", &[], include_str!("../programs/futures_executor.rs")),
        ];
    };
}

/// What the program of a strategy is: the same for each, but for the name.
macro_rules! strategy_program {
    (BlockOn $library:ident $executor:ident) => {
        strategy_program!($library $executor, "../programs/block_on.rs")
    };
    ($kind:ident $library:ident $executor:ident) => {
        strategy_program!($library $executor, "../programs/strategy.rs")
    };
    ($library:ident $executor:ident, $file:literal) => {
        concat!("use ", stringify!($library), "::", stringify!($executor), " as Strategy;\n", include_str!($file))
    };
}

lineup::for_each_strategy!(programs);

const fn published(
    executor: &'static str,
    package: &'static str,
    with: &'static [&'static str],
    text: &'static str,
) -> Program {
    Program { executor, package, with, text }
}

impl Program {
    /// Whether the executor is one of this workspace, and no published one.
    pub fn is_ours(&self) -> bool {
        lineup::strategy(self.executor).is_some()
    }
}

/// What the others are compared to.
const EMPTY: &str = include_str!("../programs/empty.rs");

/// The future that all of them drive.
const TURN: &str = include_str!("../programs/turn.rs");

/// How long one that hangs is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The program of the executor of that name, if it is one of these.
pub fn of(executor: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.executor == executor)
}

/// Where the packages of this workspace are, and with which features they are used.
#[derive(Debug)]
pub struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// # Errors
    ///
    /// When cargo cannot be asked: the sources have to be where they were when this program was built.
    pub fn read() -> Result<Self, String> {
        Ok(Self { metadata: metadata(&page("Cargo.toml"))? })
    }

    /// The line of a manifest that asks for a package as this workspace does.
    ///
    /// # Errors
    ///
    /// When the workspace does not have it.
    pub fn requirement(&self, name: &str) -> Result<String, String> {
        let unknown = || format!("this workspace neither has a package `{name}` nor takes one from the registry");
        let own = self.metadata.workspace_packages().into_iter().find(|package| package.name.as_str() == name);
        if let Some(own) = own {
            let folder = own.manifest_path.parent().ok_or_else(unknown)?;
            return Ok(by_path(name, folder.as_str()));
        }
        // What the adapters were built with is what was measured.
        let peers = self.metadata.workspace_packages().into_iter().find(|package| package.name.as_str() == "peers");
        let peers = peers.ok_or_else(unknown)?;
        let asked = peers.dependencies.iter().find(|dependency| dependency.name == name).ok_or_else(unknown)?;
        let found = self.below(peers, name).ok_or_else(unknown)?;
        let (version, features) = (found.version.to_string(), toml::Value::from(asked.features.clone()));
        Ok(format!(
            "{name} = {{ version = \"={version}\", default-features = {}, features = {features} }}",
            asked.uses_default_features
        ))
    }

    /// The package of that name that another one was resolved to take.
    fn below(&self, package: &Package, name: &str) -> Option<&Package> {
        let node = node(&self.metadata, &package.id)?;
        node.dependencies.iter().map(|id| &self.metadata[id]).find(|other| other.name.as_str() == name)
    }
}

/// A program in a folder of its own, which is removed with it. Everything that it is made of is there, and nothing is
/// built.
#[derive(Debug)]
pub struct Prepared {
    folder: Folder,
    metadata: Metadata,
    /// Whose program it is, for messages.
    executor: &'static str,
    package: Option<PackageId>,
}

/// What came of a build.
#[derive(Debug)]
pub struct Built {
    /// From the start of cargo to its end.
    pub took: Duration,
    /// The machine code of the executable.
    pub machine_code: u64,
    /// The files that the compiler read for each library that is linked.
    pub sources: BTreeMap<PackageId, BTreeSet<PathBuf>>,
}

impl Prepared {
    /// The empty program, or the one of an executor.
    ///
    /// # Errors
    ///
    /// When its files cannot be written, or what it is made of cannot be had.
    pub fn new(workspace: &Workspace, program: Option<&Program>) -> Result<Self, String> {
        let executor = program.map_or(FLOOR, |program| program.executor);
        let packages =
            program.iter().flat_map(|program| [program.package].into_iter().chain(program.with.iter().copied()));
        let requirements = packages.map(|package| workspace.requirement(package)).collect::<Result<Vec<_>, _>>()?;
        let manifest = format!(
            "[package]\nname = \"program\"\nedition = \"2024\"\n\n[dependencies]\n{}\n\n[profile.release]\nopt-level = 3\n\n\
             # No part of a workspace that may be around it.\n[workspace]\n",
            requirements.join("\n")
        );
        let folder = Folder::new(&format!("program-{executor}"))?;
        write(&folder, "Cargo.toml", &manifest)?;
        write(&folder, "src/main.rs", program.map_or(EMPTY, |program| program.text))?;
        write(&folder, "src/turn.rs", TURN)?;
        // The versions that the workspace has.
        let lock = page("Cargo.lock");
        let lock = fs::read_to_string(&lock).map_err(|error| format!("{} cannot be read: {error}", lock.display()))?;
        write(&folder, "Cargo.lock", &lock)?;
        let metadata = metadata(&folder.path().join("Cargo.toml"))?;
        let package = match program {
            None => None,
            Some(program) => {
                let root = metadata.root_package().and_then(|root| node(&metadata, &root.id));
                let ids = root.map(|node| &node.dependencies[..]).unwrap_or_default();
                let own = ids.iter().find(|id| metadata[id].name.as_str() == program.package);
                Some(own.cloned().ok_or_else(|| format!("cargo finds no package `{}`", program.package))?)
            }
        };
        Ok(Self { folder, metadata, executor, package })
    }

    /// The package that the executor comes from; none for the empty program.
    pub fn package(&self) -> Option<&Package> {
        self.package.as_ref().map(|id| &self.metadata[id])
    }

    /// The packages that the program needs besides that one, not counting what only builds or tests need.
    pub fn dependencies(&self) -> BTreeSet<PackageId> {
        let mut found = self.reachable(|_| true);
        self.package.iter().for_each(|own| _ = found.remove(own));
        found
    }

    /// The packages that the program is linked from: procedural macros, and what they need, only run in the compiler.
    fn linked(&self) -> BTreeSet<PackageId> {
        self.reachable(|package| !package.targets.iter().any(|target| target.kind.contains(&TargetKind::ProcMacro)))
    }

    /// The packages below the program, without those that are left out and what only these need.
    fn reachable(&self, keep: impl Fn(&Package) -> bool) -> BTreeSet<PackageId> {
        let mut found = BTreeSet::new();
        let mut open: Vec<_> = self.metadata.root_package().map(|root| root.id.clone()).into_iter().collect();
        while let Some(id) = open.pop() {
            let edges = node(&self.metadata, &id).map(|node| &node.deps[..]).unwrap_or_default();
            let normal =
                edges.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
            let kept = normal.map(|edge| &edge.pkg).filter(|id| keep(&self.metadata[*id]));
            open.extend(kept.filter(|id| found.insert((*id).clone())).cloned());
        }
        found
    }

    /// Builds it from nothing, and runs it.
    ///
    /// # Errors
    ///
    /// When it does not compile or fails: the message names the executor.
    pub fn build(&self) -> Result<Built, String> {
        let executor = self.executor;
        let target = self.folder.path().join("target");
        let mut cargo = Command::new(cargo());
        cargo.args(["build", "--release", "--offline", "--locked", "--message-format", "json-render-diagnostics"]);
        // A cache of compiled packages would make a cold build a warm one.
        cargo.current_dir(self.folder.path()).env("CARGO_TARGET_DIR", &target).env("RUSTC_WRAPPER", "");
        let begin = Instant::now();
        let output = Process::output(cargo.stdin(Stdio::null()));
        let took = begin.elapsed();
        let output = output.map_err(|error| format!("cargo cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(format!("the program of {executor} does not compile: {}", complaint(&output)));
        }
        let linked = self.linked();
        let (mut executable, mut sources) = (None, BTreeMap::<_, BTreeSet<_>>::new());
        for message in Message::parse_stream(&output.stdout[..]) {
            let message = message.map_err(|error| format!("cargo does not answer as expected: {error}"))?;
            let Message::CompilerArtifact(artifact) = message else { continue };
            let library =
                artifact.target.crate_types.iter().any(|kind| matches!(kind, CrateType::Lib | CrateType::RLib));
            if library && linked.contains(&artifact.package_id) {
                let library = artifact.filenames.first().ok_or("cargo names no file of a library")?;
                // It may have been compiled twice, once for a build script.
                sources.entry(artifact.package_id).or_default().extend(compiled(library.as_std_path())?);
            }
            executable = artifact.executable.or(executable);
        }
        let executable = executable.ok_or_else(|| format!("cargo built no executable for {executor}"))?;
        match run(Command::new(&executable)).map_err(|error| format!("{executable} cannot be run: {error}"))? {
            None => return Err(format!("the program of {executor} hangs")),
            Some(ran) if !ran.status.success() => {
                return Err(format!("the program of {executor} fails: {}", complaint(&ran)));
            }
            Some(_) => {}
        }
        Ok(Built { took, machine_code: machine_code(executable.as_std_path())?, sources })
    }
}

/// The file in which a package's library begins.
pub fn root_file(package: &Package) -> Option<&Path> {
    let library = package.targets.iter().find(|target| target.kind.contains(&TargetKind::Lib));
    library.map(|target| target.src_path.as_std_path())
}

fn write(folder: &Folder, name: &str, text: &str) -> Result<(), String> {
    let path = folder.path().join(name);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
    written.map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// Where a package is, in a manifest.
fn by_path(name: &str, folder: &str) -> String {
    format!("{name} = {{ path = {} }}", toml::Value::from(folder))
}

/// The cargo that runs this program, or the one there is.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// What cargo knows of a manifest, for this machine only; from what was downloaded before, if that is enough.
fn metadata(manifest: &Path) -> Result<Metadata, String> {
    let machine = Command::new("rustc").arg("-vV").output().map_err(|error| format!("rustc cannot be run: {error}"))?;
    let machine = String::from_utf8_lossy(&machine.stdout).into_owned();
    let machine = machine.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc does not name its host")?;
    let ask = |offline: &[&str]| {
        let options = ["--filter-platform", machine].into_iter().chain(offline.iter().copied()).map(str::to_owned);
        MetadataCommand::new().manifest_path(manifest).other_options(options.collect::<Vec<_>>()).exec()
    };
    let found = ask(&["--offline"]).or_else(|_| ask(&[]));
    found.map_err(|error| format!("cargo cannot tell what is in {}: {error}", manifest.display()))
}

fn node<'a>(metadata: &'a Metadata, id: &PackageId) -> Option<&'a Node> {
    metadata.resolve.as_ref()?.nodes.iter().find(|node| node.id == *id)
}

/// Runs a program that takes no time to speak of; nothing if it takes a lot.
fn run(mut program: Command) -> io::Result<Option<Output>> {
    let mut child = Process::start(program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()))?;
    let mut pipe = child.stderr.take().expect("it is piped");
    // Read while it runs: a pipe that nobody reads is full at some point, and who writes to it then waits.
    let stderr = thread::spawn(move || {
        let mut written = Vec::new();
        pipe.read_to_end(&mut written).map(|_| written)
    });
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begin.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(2));
    };
    let stderr = stderr.join().expect("reading does not panic")?;
    Ok(Some(Output { status, stdout: Vec::new(), stderr }))
}

/// What a program wrote to say why it failed.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let begin = text.find("error").or_else(|| text.find("panicked")).unwrap_or(0);
    text[begin..].lines().take(6).map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The Rust files that a library was compiled from: rustc lists what it read beside what it wrote.
fn compiled(library: &Path) -> Result<Vec<PathBuf>, String> {
    let name = library.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let list = library.with_file_name(format!("{}.d", name.strip_prefix("lib").unwrap_or(&name)));
    let text = fs::read_to_string(&list).map_err(|error| format!("{} cannot be read: {error}", list.display()))?;
    Ok(listed(&text))
}

/// The files of a list in the form of a makefile: each stands, at its end, in a line of its own.
fn listed(text: &str) -> Vec<PathBuf> {
    let files = text.lines().filter_map(|line| line.strip_suffix(':'));
    let files = files.map(|file| PathBuf::from(file.replace("\\ ", " ")));
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// How many bytes of an executable are instructions.
fn machine_code(executable: &Path) -> Result<u64, String> {
    let shown = executable.display();
    let bytes = fs::read(executable).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let file = object::File::parse(&*bytes).map_err(|error| format!("{shown} is no executable: {error}"))?;
    let code = file.sections().filter(|section| section.kind() == SectionKind::Text);
    Ok(code.map(|section| section.size()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_holds_any_path() {
        // Rust's own quotes would be `\u{301}`, `\'` or the bare character.
        for folder in ["/plain", "/w\"ork\\", "/it's", "/cafe\u{301}", "/\u{7f}\u{200b}", "/a\nb\tc"] {
            let line = by_path("raw-waker", folder);
            let read: toml::Table = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(read["raw-waker"]["path"].as_str(), Some(folder), "{line}");
        }
    }
}
