//! What `race` and the benchmark say where they are asked for something wrong, or cannot print.

use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

const RACE: &str = env!("CARGO_BIN_EXE_race");

/// The program of `cargo bench`, as cargo builds it for a test.
fn bench() -> Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["test", "--locked", "--no-run", "--bench", "wakers", "--message-format", "json"]);
        let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output();
        let output = output.expect("cargo runs");
        let text = String::from_utf8(output.stdout).expect("it prints text");
        let messages = text.lines().map(|line| serde_json::from_str(line).expect("each is an object"));
        // Programs of the package are built with it.
        let mut built = messages.filter(|message: &serde_json::Value| message["target"]["name"] == "wakers");
        built.find_map(|message| Some(message["executable"].as_str()?.into())).expect("the benchmark is built")
    });
    let mut command = Command::new(program);
    // Nobody reads its figures.
    command.env("WAKERS_WAIT", "0");
    command.env("CRITERION_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// With 2, and one sentence that begins so.
#[track_caller]
fn ends_with(output: &Output, begin: &str) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with(&format!("error: {begin}")), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// A pipe that nobody reads.
#[cfg(unix)]
fn closed() -> io::PipeWriter {
    io::pipe().expect("there are pipes").1
}

#[cfg(unix)]
#[test]
fn a_race_of_what_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let argument = std::ffi::OsStr::from_bytes(b"\xff");
    let output = Command::new(RACE).arg(argument).output().expect("it can be run");
    ends_with(&output, "there is no executor `\u{fffd}` that owns tasks; there are noop-waker");
}

#[cfg(unix)]
#[test]
fn a_race_ends_quietly_where_nobody_reads() {
    for arguments in [&["--help"][..], &["raw-waker", "--rounds", "1"]] {
        let output = Command::new(RACE).args(arguments).stdout(closed()).output().expect("it can be run");
        assert_eq!((output.status.code(), &*stderr(&output)), (Some(141), ""), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_race_says_that_a_disk_is_full() {
    let full = || OpenOptions::new().write(true).open("/dev/full").expect("it is there");
    for arguments in [&["--help"][..], &["raw-waker", "--rounds", "1"]] {
        let output = Command::new(RACE).args(arguments).stdout(full()).output().expect("it can be run");
        ends_with(&output, "the output cannot be written: No space left on device");
    }
}

#[test]
fn a_filter_that_is_no_regular_expression_is_named() {
    let output = bench().args(["--bench", "["]).output().expect("it can be run");
    ends_with(&output, "Unable to parse '[' as a regular expression: unclosed character class");
}

#[cfg(unix)]
#[test]
fn a_benchmark_ends_quietly_where_nobody_reads() {
    for arguments in
        [&["--list"][..], &["--test", "^yield_one/raw-waker$"], &["--bench", "--quick", "^yield_one/raw-waker$"]]
    {
        let output = bench().args(arguments).stdout(closed()).output().expect("it can be run");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{arguments:?}: {}", stderr(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_benchmark_says_that_a_disk_is_full() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("it is there");
    let output = bench().arg("--list").stdout(full).output().expect("it can be run");
    ends_with(&output, "the output cannot be written: No space left on device");
}

#[test]
fn a_time_to_wait_that_is_no_number_is_named() {
    let output = bench().args(["--bench", "^yield_one/raw-waker$"]).env("WAKERS_WAIT", "long").output();
    let output = output.expect("it can be run");
    ends_with(&output, "WAKERS_WAIT says for how many seconds to wait, such as 120, not `long`");
    assert!(output.stdout.is_empty(), "nothing was measured");
}

#[test]
fn what_is_profiled_is_the_workload_alone() {
    for profiled in [&["--profile-time", "1"][..], &["--profile-time=1"]] {
        let output = bench().args(["--bench", "^yield_one/raw-waker$"]).args(profiled).output().expect("it can be run");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("yield_one/raw-waker"), "{text}{}", stderr(&output));
        assert!(!text.contains("A duel"), "{text}");
    }
}
