//! Builds the tests of a strategy and runs each in a process of its own.

use std::collections::VecDeque;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::tree::Tree;

/// If many clauses notice a fault, waiting for all of them is not worthwhile: most of them hang.
const ENOUGH: usize = 3;

/// What can notice a fault.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Models,
    Suite,
}

impl Kind {
    /// How long a test may take: a model with two preemptions takes minutes, a clause milliseconds. The rest is for
    /// busy machines.
    fn patience(self) -> Duration {
        Duration::from_secs(match self {
            Self::Models => 600,
            Self::Suite => 20,
        })
    }
}

/// The tests of one strategy, built.
pub(crate) struct Executable {
    kind: Kind,
    path: PathBuf,
    tests: Vec<String>,
}

impl Executable {
    /// `None` if it does not compile.
    pub(crate) fn build(tree: &Tree, kind: Kind, strategy: &str) -> Result<Option<Self>, Box<dyn Error>> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&tree.root).args(["test", "--locked", "--no-run", "--manifest-path"]);
        cargo.arg(Path::new("crates").join(strategy).join("Cargo.toml"));
        cargo.env("CARGO_TERM_COLOR", "never");
        match kind {
            Kind::Models => cargo
                .args(["--release", "--test", "models"])
                .env("CARGO_TARGET_DIR", tree.target.join("models"))
                .env("RUSTFLAGS", "--cfg wakers_loom"),
            Kind::Suite => cargo
                .args(["--test", "conformance"])
                .env("CARGO_TARGET_DIR", tree.target.join("suite"))
                .env_remove("RUSTFLAGS"),
        };
        let output = cargo.output().map_err(|error| format!("cargo could not be started: {error}"))?;
        let printed = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            output::say(&printed);
            return Ok(None);
        }
        let path = printed.lines().find_map(|line| line.trim_start().strip_prefix("Executable ")?.split_once('('));
        let path = path.and_then(|(_, path)| path.strip_suffix(')'));
        let path = tree.root.join(path.ok_or("cargo did not say where it put the tests")?);
        let listed = Command::new(&path).args(["--list", "--format", "terse"]).output()?;
        let listed = String::from_utf8(listed.stdout)?;
        let tests: Vec<_> = listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect();
        if tests.is_empty() {
            return Err(format!("there are no tests in {}", path.display()).into());
        }
        Ok(Some(Self { kind, path, tests }))
    }

    /// The tests that fail, abort or hang, each twice in a row, by what their names begin with. Models run with this
    /// many preemptions.
    pub(crate) fn failing(&self, preemptions: usize) -> Result<Vec<String>, Box<dyn Error>> {
        let left: Mutex<VecDeque<_>> = Mutex::new(self.tests.iter().collect());
        let failed = Mutex::new(Vec::new());
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers)
                .map(|_| {
                    scope.spawn(|| -> Result<(), String> {
                        while failed.lock().unwrap().len() < ENOUGH {
                            let Some(test) = left.lock().unwrap().pop_front() else { break };
                            if let Some(how) = self.fails(test, preemptions).map_err(|error| error.to_string())? {
                                let id = test.split('_').next().unwrap_or(test);
                                failed.lock().unwrap().push(format!("{id}{how}"));
                            }
                        }
                        Ok(())
                    })
                })
                .collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
        })?;
        let mut failed = failed.into_inner().unwrap();
        failed.sort();
        if failed.len() >= ENOUGH && !left.into_inner().unwrap().is_empty() {
            failed.push("..".to_owned());
        }
        Ok(failed)
    }

    /// How the test fails, if it fails twice in a row: once may be the machine's fault.
    fn fails(&self, test: &str, preemptions: usize) -> Result<Option<&'static str>, Box<dyn Error>> {
        let once = || -> Result<Option<&'static str>, Box<dyn Error>> {
            Ok(match self.run(test, preemptions)? {
                Some(true) => None,
                Some(false) => Some(""),
                None => Some(" (hangs)"),
            })
        };
        match once()? {
            None => Ok(None),
            Some(_) => once(),
        }
    }

    /// Whether the test succeeds, or `None` if it had to be ended.
    fn run(&self, test: &str, preemptions: usize) -> Result<Option<bool>, Box<dyn Error>> {
        let child = Command::new(&self.path)
            .args([test, "--exact", "--test-threads=1"])
            .env("LOOM_MAX_PREEMPTIONS", preemptions.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        wait(child, self.kind.patience())
    }
}

/// Whether it succeeded, or `None` if it had to be ended.
fn wait(mut child: Child, patience: Duration) -> Result<Option<bool>, Box<dyn Error>> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if start.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
