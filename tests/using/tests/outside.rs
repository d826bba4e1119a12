//! The lines of docs/using.md and docs/bring-your-own.md, in a folder outside this workspace.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output};

use quick_junit::{Report, TestCaseStatus};

const LIBRARY: &str = include_str!("../first/lib.rs");
const SUITE: &str = include_str!("../first/conformance.rs");
const COMPARE: &str = include_str!("../first/compare.rs");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("it is in a folder of `tests`")
}

/// What a page shows as the file of that name, with this checkout instead of one next to yours.
fn shown(page: &str, file: &str) -> String {
    let text = fs::read_to_string(root().join("docs").join(page)).expect("the page can be read");
    let (_, text) = text.split_once(&format!("<!-- file: {file} -->\n```")).expect("the page shows the file");
    let (_, text) = text.split_once('\n').expect("a block begins with its language");
    let (text, _) = text.split_once("```").expect("a block ends");
    let root = root().to_str().expect("the checkout has a name").replace('\\', "/");
    assert!(text.contains("../wakers/"), "the lines of {file} name no checkout");
    let text = text.replace("../../wakers/", "../wakers/");
    text.replace("../wakers/", &format!("{root}/"))
}

/// A package in a folder of its own, which is removed with it.
struct Outside(PathBuf);

impl Outside {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("wakers-outside-{name}-{}", process::id()));
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{} cannot be made: {error}", folder.display()));
        let outside = Self(folder);
        // The versions that are downloaded.
        outside.write("Cargo.lock", &fs::read_to_string(root().join("Cargo.lock")).expect("the lock file is there"));
        outside
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Runs cargo there. It builds into the target directory of this test, so that little is built twice.
    fn cargo(&self, arguments: &[&str]) -> Output {
        let this = env::current_exe().expect("this program knows itself");
        let target = this.ancestors().nth(3).expect("tests are built in `target/debug/deps`");
        let release = if cfg!(debug_assertions) { &[][..] } else { &["--release"] };
        let (verb, rest) = arguments.split_first().expect("there is a verb");
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(&self.0).arg(verb).arg("--offline").args(release).args(rest);
        command.env("CARGO_TARGET_DIR", target).env("CARGO_TERM_COLOR", "never");
        command.output().expect("cargo can be run")
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // What cannot be removed is left to the system: it is among the temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_program_depends_on_a_strategy() {
    let outside = Outside::new("program");
    let manifest = "[package]\nname = \"program\"\nedition = \"2024\"\n\n";
    outside.write("Cargo.toml", &format!("{manifest}{}", shown("using.md", "Cargo.toml")));
    outside.write(
        "src/main.rs",
        "use raw_waker::prelude::*;\nuse raw_waker::{RawExecutor, yield_now};\n\n\
         fn main() {\n    let executor = RawExecutor::default();\n    executor.spawn(yield_now()).detach();\n    \
         executor.run();\n    println!(\"{}\", executor.block_on(async { 7 }));\n}\n",
    );
    let output = outside.cargo(&["run"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "7\n");
}

#[test]
fn the_suite_is_one_test_file() {
    let outside = Outside::new("suite");
    outside.write("Cargo.toml", &shown("bring-your-own.md", "Cargo.toml"));
    outside.write("src/lib.rs", LIBRARY);
    outside.write("tests/conformance.rs", SUITE);
    let output = outside.cargo(&["test", "--test", "conformance"]);
    let (printed, said) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{printed}{said}");
    let passed =
        printed.lines().find_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed; 0 failed"));
    let passed: usize = passed.expect("a summary").0.parse().expect("a number");
    assert!(passed > 100, "every clause is a test: {passed}");

    // What the page says of the flag that is lowered too late.
    let lowered = "            self.signal.woken.swap(false, SeqCst);\n";
    let sleeps = "            while !self.signal.woken";
    let late = LIBRARY.replace(lowered, "").replace(sleeps, &format!("{lowered}{sleeps}"));
    assert!(late != LIBRARY && late.contains(lowered), "the fault is in");
    outside.write("src/lib.rs", &late);
    let output = outside.cargo(&["test", "--test", "conformance", "--", "t03_"]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(101), "{printed}{}", text(&output.stderr));
    assert!(printed.contains("hangs: every thread sleeps"), "{printed}");
}

/// `.ci/run` asks for it.
#[test]
#[ignore = "it brings all executors along, and builds them anew with the features of a package outside: minutes"]
fn what_the_suite_finds_is_a_junit_report() {
    let outside = Outside::new("junit");
    outside.write("Cargo.toml", &shown("bring-your-own.md", "Cargo.toml"));
    outside.write("src/lib.rs", LIBRARY);
    outside.write("compare/Cargo.toml", &shown("bring-your-own.md", "compare/Cargo.toml"));
    outside.write("compare/src/main.rs", COMPARE);
    outside
        .write("compare/Cargo.lock", &fs::read_to_string(root().join("Cargo.lock")).expect("the lock file is there"));
    let output = outside.cargo(&[
        "run",
        "--manifest-path",
        "compare/Cargo.toml",
        "--",
        "conform",
        "sleeper",
        "--format",
        "junit",
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = Report::deserialize_from_str(&text(&output.stdout)).expect("it is a report");
    let [suite] = &report.test_suites[..] else { panic!("one executor was asked for: {report:?}") };
    assert_eq!(suite.name.as_str(), "sleeper");
    let successes = suite.test_cases.iter().filter(|case| matches!(case.status, TestCaseStatus::Success { .. }));
    assert!(successes.count() > 50 && suite.failures == 0 && suite.test_cases.len() > 100, "{suite:?}");
}
