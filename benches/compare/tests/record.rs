//! What `record`, `report` and `diff` do as programs: where they write, and what becomes of it when something is in the
//! way.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, process};

use compare::record::{Lock, load};

const PROGRAM: &str = env!("CARGO_BIN_EXE_cargo-compare-executors");

/// The shortest record there is.
const SHORT: [&str; 7] = ["record", "--quick", "--executor", "noop-waker", "--step", "memory", "--into"];

/// A folder for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = env::temp_dir().join(format!("wakers-record-{}-{test}", process::id()));
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn compare(arguments: &[&str]) -> Command {
    let mut program = Command::new(PROGRAM);
    // The registry is not asked.
    program.args(arguments).env("CARGO_NET_OFFLINE", "true");
    program
}

fn run(command: &mut Command) -> Output {
    command.output().expect("it can be run")
}

/// The one sentence with which it fails.
#[track_caller]
fn refused(command: &mut Command) -> String {
    let output = run(command);
    let said = String::from_utf8(output.stderr).expect("it prints text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty(), "nothing is printed but what is wrong");
    let mut errors = said.lines().filter_map(|line| line.strip_prefix("error: "));
    let error = errors.next().unwrap_or_else(|| panic!("there is no error in {said}")).to_owned();
    assert!(errors.next().is_none() && said.lines().last().is_some_and(|last| last.ends_with(&error)), "{said}");
    error
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("it can be read").file_name().into_string().expect("it is text")).collect();
    names.sort();
    names
}

#[test]
fn what_is_no_name_is_refused_and_nothing_is_removed() {
    let folder = Folder::new("names");
    let results = folder.path("a/b");
    folder.write("x/count.jsonl", "kept");
    folder.write("a/b/count.jsonl", "kept");
    let elsewhere = folder.path("x");
    for name in ["", ".", "..", "../../x", "a/b", "a\\b", ".hidden", "-x", "two words", &*elsewhere] {
        let named = format!("--name={name}");
        let why = refused(compare(&SHORT).args([&*results, &named, "--anew"]));
        assert!(why.starts_with(&format!("a record cannot be called {name:?}: ")), "{why}");
    }
    assert_eq!(names(&folder.0.join("x")), ["count.jsonl"]);
    assert_eq!(names(&folder.0.join("a/b")), ["count.jsonl"]);
}

#[test]
fn a_second_record_of_one_name_is_told_of_the_first() {
    let folder = Folder::new("lock");
    let first = Lock::take(&folder.0.join("mine")).expect("nobody has it");
    let why = refused(compare(&SHORT).args([&*folder.path(""), "--name", "mine"]));
    assert!(why.starts_with("another `record` is writing "), "{why}");
    drop(first);
    assert_eq!(names(&folder.0), [""; 0], "who records nothing leaves nothing");
    Lock::take(&folder.0.join("mine")).expect("nobody has it any more");
}

/// The program was installed, or is somebody else's.
#[test]
fn from_elsewhere_one_says_where_a_record_and_pages_belong() {
    let folder = Folder::new("elsewhere");
    let at = |arguments: &[&str]| {
        let mut command = compare(arguments);
        command.current_dir(&folder.0);
        command
    };
    let why = refused(&mut at(&SHORT[..SHORT.len() - 1]));
    assert!(why.contains("lies in no checkout of wakers") && why.contains("`--into FOLDER`"), "{why}");
    let why = refused(&mut at(&["report"]));
    assert!(why.contains("lies in no checkout of wakers") && why.contains("`--into FOLDER`"), "{why}");
    let why = refused(&mut at(&["count", "floor", "--commit"]));
    assert!(why.contains("lies in no checkout of wakers"), "{why}");
    assert_eq!(names(&folder.0), [""; 0]);

    let output = run(at(&SHORT).args(["mine", "--name", "first"]));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("No pages are made of it by itself: ") && said.contains("--quick"), "{said}");
    assert_eq!(names(&folder.0.join("mine/first")), ["memory.jsonl"]);

    let why = refused(&mut at(&["report", "mine/first", "--into", "."]));
    for lack in ["`--quick`", "it is not complete: without count, duel-", "line-up: without park-waker", "`--force`"] {
        assert!(why.contains(lack), "`{lack}` is not in: {why}");
    }
    assert_eq!(names(&folder.0), ["mine"], "no page is written");
    let output = run(&mut at(&["report", "mine/first", "--into", ".", "--force"]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(folder.0.join("docs/results.md")).expect("it is written");
    assert!(page.contains("This record is not what it should be: it was made with `--quick`; "), "{page}");
}

#[test]
fn what_a_step_needs_is_looked_for_before_anything_is_measured() {
    let folder = Folder::new("needs");
    // Neither rustc nor valgrind is there.
    folder.write("bin/nothing", "");
    let record =
        ["record", "--quick", "--executor", "noop-waker", "--name", "mine", "--into", &*folder.path("results")];
    let mut command = compare(&record);
    let why = refused(command.args(["--step", "memory", "--step", "footprint"]).env("PATH", folder.path("bin")));
    assert!(why.contains("rustc cannot be run: ") && why.contains("(needed for footprint)"), "{why}");
    let mut command = compare(&record);
    let why = refused(command.args(["--step", "memory", "--step", "count"]).env("PATH", folder.path("bin")));
    assert!(why.contains("there is no `valgrind` here") && why.contains("(needed for count)"), "{why}");
    assert_eq!(names(&folder.0.join("results")), [""; 0], "nothing was measured");
}

#[cfg(unix)]
mod with_scripts {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    impl Folder {
        /// A program that the tool starts in place of another one.
        fn script(&self, name: &str, text: &str) {
            self.write(name, &format!("#!/bin/sh\n{text}\n"));
            let executable = fs::Permissions::from_mode(0o755);
            fs::set_permissions(self.0.join(name), executable).expect("it is ours");
        }

        /// Where programs are looked for, in this folder first.
        fn search(&self) -> String {
            format!("{}:{}", self.path("bin"), env::var("PATH").expect("there is one"))
        }
    }

    fn valgrind() -> Option<PathBuf> {
        let search = env::var_os("PATH").expect("there is one");
        env::split_paths(&search).map(|folder| folder.join("valgrind")).find(|path| path.is_file())
    }

    /// Valgrind looks for the names of functions in the program's file: here that is replaced at the worst of times,
    /// after it was found to be the right one.
    #[test]
    fn a_rebuild_while_valgrind_starts_changes_nothing() {
        let Some(real) = valgrind() else { return };
        let folder = Folder::new("rebuild-below");
        let program = folder.path("compare");
        fs::copy(PROGRAM, &program).expect("it can be copied");
        let replaced =
            format!("test -s '{program}.old' || {{ mv '{program}' '{program}.old' && echo rebuilt > '{program}'; }}");
        let text = format!("case $1 in --version) ;; *) {replaced};; esac\nexec '{}' \"$@\"", real.display());
        folder.script("bin/valgrind", &text);
        let mut command = Command::new(&program);
        command.args(["count", "noop-waker", "--workload", "self_wake", "--format", "json"]);
        let output = run(command.env("PATH", folder.search()));
        let (rows, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        assert_eq!(fs::read_to_string(&program).expect("it is there"), "rebuilt\n", "it was replaced meanwhile");
        assert!(rows.contains("instructions per operation") && !rows.contains("not measured"), "{rows}");
    }

    /// A build removes the file and links another one into its place: here while the registry is asked, so after the
    /// program was started and before it measures.
    #[test]
    fn a_rebuild_while_a_record_is_made_changes_nothing() {
        let folder = Folder::new("rebuild");
        let program = folder.path("compare");
        fs::copy(PROGRAM, &program).expect("it can be copied");
        folder.script("bin/cargo", &format!("rm '{program}' && echo rebuilt > '{program}'; exit 1"));
        let mut command = Command::new(&program);
        command.args(["record", "--quick", "--executor", "noop-waker", "--step", "memory", "--step", "idle-1$"]);
        command.args(["--name", "mine", "--into", &*folder.path("")]).env("CARGO", folder.path("bin/cargo"));
        let output = run(&mut command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(fs::read_to_string(&program).expect("it is there"), "rebuilt\n", "it was replaced meanwhile");
        let record = load(&folder.0.join("mine")).expect("it is there");
        assert_eq!(record.steps.keys().collect::<Vec<_>>(), ["idle-1", "memory"]);
        assert!(record.observations.iter().all(|row| row.refusal().is_none()), "{:?}", record.observations);
    }

    #[test]
    fn a_broken_valgrind_is_not_the_executors_fault() {
        let folder = Folder::new("valgrind");
        let broken =
            "case $1 in --version) echo valgrind-3;; *) echo 'valgrind: failed to start tool' >&2; exit 1;; esac";
        folder.script("bin/valgrind", broken);
        let mut command = compare(&["count", "noop-waker", "--workload", "self_wake"]);
        let why = refused(command.env("PATH", folder.search()));
        assert!(why.contains("valgrind failed (exit status: 1): valgrind: failed to start tool"), "{why}");

        // It works when it is tried, and then no more: the step is not taken, and the next run takes it.
        let Some(real) = valgrind() else { return };
        let used = folder.path("used");
        folder.script(
            "bin/valgrind",
            &format!(
                "case $1 in --version) ;; *) if test -e '{used}'; then echo 'valgrind: no more' >&2; exit 1; fi; touch '{used}';; esac\n\
                 exec '{}' \"$@\"",
                real.display()
            ),
        );
        let record = ["record", "--quick", "--executor", "noop-waker", "--step", "count", "--name", "mine", "--into"];
        let why = refused(compare(&record).arg(folder.path("")).env("PATH", folder.search()));
        assert!(why.contains("count: ") && why.contains("valgrind: no more"), "{why}");
        assert!(!folder.0.join("mine").exists(), "nothing was recorded");
    }
}
