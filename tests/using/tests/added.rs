//! docs/add-a-strategy.md, carried out in a copy of the workspace: a strategy that exists nowhere else is put into the
//! list, and then takes part in everything that reads the list.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAME: &str = "late-waker";

/// `cargo compare` with the suite of the new strategy and of no other: those of all take minutes to compile.
const ONE_SUITE: &str = r#"
use std::process::ExitCode;

use compare::{CountingAllocator, suite};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    let mut contenders = harness::contenders();
    for contender in contenders.iter_mut().filter(|contender| contender.name == "late-waker") {
        contender.suite = suite!(RemoteSpawn: lineup::LateExecutor);
    }
    compare::cli::main(&contenders)
}
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("it is in a folder of `tests`")
}

/// The files that the page shows, by where they belong.
fn shown() -> Vec<(String, String)> {
    let page = fs::read_to_string(root().join("docs/add-a-strategy.md")).expect("the page can be read");
    let files = page.split("<!-- file: ").skip(1).map(|rest| {
        let (file, rest) = rest.split_once(" -->\n```").expect("a block follows");
        let (text, _) = rest.split_once("```").expect("a block ends");
        let (_, text) = text.split_once('\n').expect("a block begins with its language");
        (file.to_owned(), text.to_owned())
    });
    files.collect()
}

/// A copy of what cargo and the tests read. It stays, so that a second run builds less.
struct Copy(PathBuf);

impl Copy {
    /// With these files in place of the repository's, or beside them.
    fn new(changed: &BTreeMap<PathBuf, String>) -> Self {
        let copy = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join("added"));
        // What an earlier run has made.
        for folder in ["results", "pages"] {
            let _ = fs::remove_dir_all(copy.0.join(folder));
        }
        for file in ["Cargo.toml", "Cargo.lock", "README.md", "clippy.toml", "justfile"] {
            write_new(&copy.0.join(file), &fs::read(root().join(file)).expect("a file can be read"));
        }
        for folder in [".ci", ".cargo", "crates", "tests", "benches", "docs"] {
            copy.take(Path::new(folder), changed);
        }
        for (file, text) in changed {
            write_new(&copy.0.join(file), text.as_bytes());
        }
        copy
    }

    /// Makes a folder what it is in the repository, but for what is changed.
    fn take(&self, folder: &Path, changed: &BTreeMap<PathBuf, String>) {
        let (from, to) = (root().join(folder), self.0.join(folder));
        fs::create_dir_all(&to).expect("a folder can be made");
        let names = |folder: &Path| -> BTreeSet<_> {
            let entries = fs::read_dir(folder).expect("a folder can be read");
            entries.map(|entry| entry.expect("a folder can be read").file_name()).collect()
        };
        let wanted = names(&from);
        for name in &wanted {
            let file = folder.join(name);
            match from.join(name) {
                path if path.is_dir() => self.take(&file, changed),
                _ if changed.contains_key(&file) => {}
                path => {
                    write_new(&to.join(name), &fs::read(&path).expect("a file can be read"));
                    // Scripts are run.
                    let permissions = fs::metadata(&path).expect("it is there").permissions();
                    fs::set_permissions(to.join(name), permissions).expect("it is ours");
                }
            }
        }
        // What is gone since an earlier run.
        for name in names(&to).difference(&wanted) {
            let file = folder.join(name);
            if !changed.keys().any(|changed| changed.starts_with(&file)) {
                let path = self.0.join(file);
                let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
                removed.expect("it is ours");
            }
        }
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap_or_else(|error| panic!("{file} cannot be read: {error}"))
    }

    /// What the command prints. Cargo takes a copy for the workspace that it was copied from, because it tells packages
    /// apart by their place in it: so it builds in a folder of its own.
    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let this = env::current_exe().expect("this program knows itself");
        let target = this.ancestors().nth(3).expect("tests are built in `target/debug/deps`").join("added");
        let mut command = Command::new(program);
        command.current_dir(&self.0).args(arguments);
        command.env("CARGO_TARGET_DIR", target).env("CARGO_TERM_COLOR", "never").env("CARGO_NET_OFFLINE", "true");
        let output = command.output().unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
        let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{program} {arguments:?}:\n{printed}{said}");
        printed.into_owned()
    }

    fn cargo(&self, arguments: &[&str]) -> String {
        self.run(env!("CARGO"), arguments)
    }

    /// What `cargo compare` prints, by the program that has only one suite.
    fn compare(&self, arguments: &[&str]) -> String {
        let compare =
            ["run", "--quiet", "--package", "compare", "--no-default-features", "--example", "one_suite", "--"];
        self.cargo(&[&compare[..], arguments].concat())
    }
}

/// Writes what is not there yet: cargo builds anew what has a new date.
fn write_new(path: &Path, text: &[u8]) {
    if fs::read(path).is_ok_and(|found| found == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
    fs::write(path, text).unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}

/// How many tests passed, by the last line of each program.
fn passed(printed: &str) -> usize {
    let lines = printed.lines().filter_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed"));
    lines.map(|(count, _)| count.parse::<usize>().expect("a number")).sum()
}

#[test]
fn the_page_shows_the_files_that_are_compiled() {
    let shown = shown();
    let text = |file: &str| {
        let file = format!("crates/{NAME}/{file}");
        shown.iter().find(|(name, _)| *name == file).map(|(_, text)| text.as_str())
    };
    assert_eq!(text("src/lib.rs"), Some(include_str!("../added/lib.rs")));
    assert_eq!(text("tests/conformance.rs"), Some(include_str!("../added/conformance.rs")));
    assert_eq!(text("tests/models.rs"), Some(include_str!("../added/models.rs")));
    assert_eq!(shown.len(), 6, "and the manifest, and a line for each of the list's two files");
}

/// `.ci/run` asks for it.
#[test]
#[ignore = "it builds what measures a second time, with a strategy more: minutes"]
fn a_strategy_that_is_added_by_the_page_takes_part_in_everything() {
    let of_the_repository = |file: &str| fs::read_to_string(root().join(file)).expect("it can be read");
    let mut changed = BTreeMap::new();
    for (file, text) in shown() {
        // A line is put behind the one that ends so.
        let behind = match file.as_str() {
            "crates/lineup/Cargo.toml" => "\n[dependencies]\n",
            "crates/lineup/src/lib.rs" => "from \"wakers-raw\",\n",
            _ => {
                changed.insert(PathBuf::from(file), text);
                continue;
            }
        };
        let before = of_the_repository(&file);
        let after = before.replacen(behind, &format!("{behind}{text}"), 1);
        assert_ne!(after, before, "{file} has a place for the line");
        changed.insert(PathBuf::from(file), after);
    }
    let folder = format!("crates/{NAME}");
    let readme = "Who is woken, by what: as raw-waker.\n".to_owned();
    changed.insert(PathBuf::from(format!("{folder}/README.md")), readme);
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        changed.insert(PathBuf::from(format!("{folder}/{licence}")), of_the_repository(licence));
    }
    changed.insert(PathBuf::from("benches/compare/examples/one_suite.rs"), ONE_SUITE.to_owned());
    let copy = Copy::new(&changed);

    // The lock file learns of the package.
    copy.cargo(&["metadata", "--format-version", "1", "--quiet"]);

    // The suite, by itself and among the suites of all.
    let suite = copy.cargo(&["test", "--manifest-path", &format!("{folder}/Cargo.toml"), "--test", "conformance"]);
    assert!(passed(&suite) > 100, "every clause is a test:\n{suite}");
    copy.cargo(&["check", "--package", "suites"]);

    // The race, and random programs.
    let stress = ["test", "--package", "stress", "--test", "race", "--test", "random", "LateExecutor"];
    let stress = copy.cargo(&stress);
    assert_eq!(passed(&stress), 4, "{stress}");

    // Models and sanitizers.
    let packages = copy.run(".ci/strategies", &["-p"]);
    assert!(packages.lines().any(|line| line == "-p wakers-late"), "{packages}");

    // Every verb finds it, after it was asked whether it may be measured.
    let conform = copy.compare(&["conform", NAME, "--clause", "^W8r$", "--format", "json"]);
    assert!(conform.contains(NAME), "{conform}");
    let measured = |arguments: &[&str], quantity: &str| {
        let rows = copy.compare(&[arguments, &["--format", "json"]].concat());
        let is_of_it = |row: &&str| row.contains(&format!("\"executor\":\"{NAME}\"")) && row.contains(quantity);
        assert!(rows.lines().any(|row| is_of_it(&row)), "{arguments:?}: no {quantity} of {NAME} in\n{rows}");
    };
    measured(&["count", NAME, "--workload", "self_wake"], "atomic read-modify-writes per operation");
    measured(
        &["duel", NAME, "raw-waker", "--workload", "yield_one", "--seconds", "1", "--wait", "0"],
        "ns per operation",
    );
    measured(&["footprint", NAME, "--wait", "0"], "bytes of machine code");

    // A record of it, and what is drawn from that.
    let record = ["record", "--quick", "--into", "results", "--name", "late", "--step", "memory", "--executor"];
    copy.compare(&[&record[..], &[NAME, "--executor", "raw-waker"]].concat());
    fs::create_dir(copy.0.join("pages")).expect("a folder can be made");
    copy.compare(&["report", "results/late", "--into", "pages", "--force"]);
    let picture = copy.read("pages/docs/pictures/memory.svg");
    assert!(picture.contains(NAME), "{picture}");

    // The tables, written anew.
    copy.run("env", &["UPDATE_TABLES=1", env!("CARGO"), "test", "--package", "benches", "--test", "tables"]);
    assert!(copy.read("README.md").contains(&format!("| [{NAME}](crates/{NAME}/README.md) | the task | parks |")));
    assert!(copy.read("docs/strategies.md").contains(&format!("| {NAME} | the task | parks |")));
    // And nobody lists the strategies without it.
    copy.cargo(&["test", "--package", "benches", "--test", "one_list"]);
}
