//! What stands between the program and valgrind. Where there is none, a script takes its place.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

const COUNT: [&str; 4] = ["count", "raw-waker", "--workload", "self_wake"];

/// Somebody who never comes is waited for so long.
const PATIENCE: Duration = Duration::from_secs(60);

fn compare(arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_cargo-compare-executors"));
    program.args(arguments).env("COLUMNS", "1000");
    program
}

/// Puts a script first in the path, under the name of a program.
fn with(mut program: Command, name: &str, script: &str) -> (TempDir, Command) {
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join(name);
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("it can be written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it can be made executable");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([folder.path().to_owned()].into_iter().chain(std::env::split_paths(&path)));
    program.env("PATH", path.expect("no part of it has a colon"));
    (folder, program)
}

fn is_installed() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn text(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

const VERSION: &str = "[ \"$1\" = --version ] && { echo valgrind-3.19.0; exit; }";

#[test]
fn a_valgrind_that_fails_is_quoted_and_nobody_elses_fault() {
    let script = format!("{VERSION}\necho 'valgrind: no tool' >&2\necho 'valgrind: giving up' >&2\nexit 1");
    let (_folder, mut program) = with(compare(&COUNT), "valgrind", &script);
    let output = program.output().expect("it can be run");
    let (stdout, stderr) = text(&output);
    let words = "valgrind failed (exit status: 1): valgrind: no tool / valgrind: giving up";
    assert_eq!((&*stdout, &*stderr), ("", &*format!("error: raw-waker: {words}\n")));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_valgrind_that_does_not_start_is_not_a_missing_one() {
    let (_folder, mut program) = with(compare(&COUNT), "valgrind", "echo 'no such library' >&2\nexit 127");
    let output = program.output().expect("it can be run");
    let (_, stderr) = text(&output);
    let why = "`valgrind --version` fails, exit status: 127: no such library";
    assert_eq!(stderr, format!("error: {why}\n"));
    assert_eq!(output.status.code(), Some(2));
}

/// Everything else works without, and that is said.
#[test]
fn a_missing_valgrind_is_no_failure() {
    let output = compare(&COUNT).env("PATH", "/nonexistent").output().expect("it can be run");
    let (stdout, stderr) = text(&output);
    assert!(stdout.contains("there is no `valgrind` here: install it"), "{stdout}");
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
}

#[test]
fn options_from_elsewhere_do_not_count() {
    let home = tempfile::tempdir().expect("there is room");
    fs::write(home.path().join(".valgrindrc"), "--nonsense-of-a-file\n").expect("it can be written");
    let mut program = compare(&COUNT);
    program.env("VALGRIND_OPTS", "--nonsense-of-the-environment").env("HOME", home.path());
    assert!(!is_installed() || has_counted(&mut program));
}

#[test]
fn a_percent_sign_in_the_folder_for_temporary_files_is_one() {
    let folder = tempfile::tempdir().expect("there is room");
    let folder = folder.path().join("a%pb%");
    fs::create_dir(&folder).expect("it can be made");
    assert!(!is_installed() || has_counted(compare(&COUNT).env("TMPDIR", &folder)));
    assert_eq!(inside(&folder), [""; 0].map(PathBuf::from), "nothing is left behind");
}

fn has_counted(program: &mut Command) -> bool {
    let output = program.args(["--format", "json"]).output().expect("it can be run");
    let (stdout, stderr) = text(&output);
    assert!(output.status.success(), "{stderr}");
    stdout.contains("instructions per operation")
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it can be read").path()).collect()
}

/// Ends the program by a signal while a script works for it in a folder of its own, and waits for both.
#[track_caller]
fn interrupt(signal: &str, number: i32, name: &str, script: &str, arguments: &[&str]) {
    let temporary = tempfile::tempdir().expect("there is room");
    let fifo = temporary.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("it is a part of every Unix").success());
    let folders = temporary.path().join("folders");
    fs::create_dir(&folders).expect("it can be made");
    // It holds the pipe open for as long as it lives.
    let script = format!("{script}\nexec 3>\"$FIFO\"\necho begun >&3\nexec sleep 1000");
    let (_folder, mut program) = with(compare(arguments), name, &script);
    program.env("TMPDIR", &folders).env("FIFO", &fifo).env_remove("CARGO");
    let mut program = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be run");
    let (to_us, news) = mpsc::channel();
    thread::spawn(move || {
        let mut pipe = BufReader::new(fs::File::open(fifo).expect("somebody writes"));
        let mut line = String::new();
        pipe.read_line(&mut line).expect("it is text");
        to_us.send(line).expect("it is waited for");
        to_us
            .send(pipe.read_to_string(&mut String::new()).map(|_| String::new()).expect("it is text"))
            .expect("so is this");
    });
    assert_eq!(news.recv_timeout(PATIENCE).as_deref(), Ok("begun\n"));
    assert_eq!(inside(&folders).len(), 1, "this is what would be left behind");
    let id = program.id().to_string();
    assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().expect("it can be run").success());
    assert_eq!(news.recv_timeout(PATIENCE).as_deref(), Ok(""), "whoever worked for it has ended");
    let status = program.wait().expect("it is a child");
    assert_eq!(status.signal(), Some(number), "whoever waits sees what ended it: {status}");
    assert_eq!(inside(&folders), [""; 0].map(PathBuf::from), "nothing is left behind");
}

#[test]
fn an_interrupted_count_leaves_nothing_behind() {
    interrupt("INT", 2, "valgrind", VERSION, &COUNT);
}

#[test]
fn a_terminated_build_leaves_nothing_behind() {
    let cargo = env!("CARGO");
    let script = format!("[ \"$1\" = build ] || exec {cargo} \"$@\"");
    interrupt("TERM", 15, "cargo", &script, &["footprint", "pollster"]);
}
