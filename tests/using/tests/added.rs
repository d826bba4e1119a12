//! docs/add-a-strategy.md, carried out in a copy of the workspace: a strategy that exists nowhere else is put into the
//! list, and then takes part in everything that reads the list.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

const NAME: &str = "late-waker";

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

/// A copy of what cargo and the tests read, which is removed with it.
struct Copy(PathBuf);

impl Copy {
    fn new() -> Self {
        let copy = Self(env::temp_dir().join(format!("wakers-added-{}", process::id())));
        fs::create_dir(&copy.0).unwrap_or_else(|error| panic!("{} cannot be made: {error}", copy.0.display()));
        let files = ["Cargo.toml", "Cargo.lock", "README.md", "clippy.toml", "LICENSE-APACHE", "LICENSE-MIT"];
        for file in files {
            fs::copy(root().join(file), copy.0.join(file)).expect("a file can be copied");
        }
        for folder in [".ci", "crates", "tests", "benches", "docs"] {
            copied(&root().join(folder), &copy.0.join(folder));
        }
        copy
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap_or_else(|error| panic!("{file} cannot be read: {error}"))
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Puts lines behind the one that ends so.
    fn insert(&self, file: &str, behind: &str, lines: &str) {
        let text = self.read(file);
        let (before, after) = text.split_once(behind).unwrap_or_else(|| panic!("{file} has no {behind:?}"));
        self.write(file, &format!("{before}{behind}{lines}{after}"));
    }

    /// What the command prints. Cargo builds where this test was built, so that little is built twice.
    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let this = env::current_exe().expect("this program knows itself");
        let target = this.ancestors().nth(3).expect("tests are built in `target/debug/deps`");
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

    /// What `cargo compare` prints, without the suites of all executors.
    fn compare(&self, arguments: &[&str]) -> String {
        let compare = ["run", "--quiet", "--package", "compare", "--no-default-features", "--"];
        self.cargo(&[&compare[..], arguments].concat())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What cannot be removed is left to the system: it lies among temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A folder, without what was built in it and without what is hidden.
fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder can be read") {
        let entry = entry.expect("a folder can be read");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true if entry.file_name() == "target" => {}
            true => copied(&from, &to),
            false => _ = fs::copy(&from, &to).expect("a file can be copied"),
        }
    }
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
    let copy = Copy::new();
    for (file, text) in shown() {
        match file.as_str() {
            "crates/lineup/Cargo.toml" => copy.insert(&file, "\n[dependencies]\n", &text),
            "crates/lineup/src/lib.rs" => copy.insert(&file, "from \"wakers-raw\",\n", &text),
            _ => copy.write(&file, &text),
        }
    }
    let folder = format!("crates/{NAME}");
    copy.write(&format!("{folder}/README.md"), "Who is woken, by what: as raw-waker.\n");
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        copy.write(&format!("{folder}/{licence}"), &copy.read(licence));
    }
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

    // What is measured: its rows come from the program, and no file names it.
    let count = copy.compare(&["count", NAME, "--workload", "self_wake"]);
    assert!(count.contains(NAME), "{count}");
    let duel = ["duel", NAME, "raw-waker", "--workload", "yield_one", "--seconds", "1", "--wait", "0"];
    let duel = copy.compare(&duel);
    assert!(duel.matches(NAME).count() >= 2, "{duel}");
    let statics = copy.compare(&["static", NAME, "--wait", "0"]);
    assert!(statics.contains("wakers-late"), "{statics}");

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
