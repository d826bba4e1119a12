use std::env;
use std::process::{self, Command};

use executor::Spawn;

use super::*;
use crate::RawExecutor;

const CHILD: &str = "WAKERS_TEST_OVERFLOW";

/// Clause W21, which no black box can check: it would have to leak half as many wakers as there are addresses.
#[test]
fn a_count_that_would_overflow_aborts_the_process() {
    if env::var_os(CHILD).is_some() {
        overflow();
    }
    let test = "task::tests::a_count_that_would_overflow_aborts_the_process";
    let child = Command::new(env::current_exe().expect("the test knows its own path"))
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("the test can run itself");
    assert!(!child.status.success());
    let printed = String::from_utf8_lossy(&child.stdout);
    assert!(printed.contains("about to clone"), "it ended before the clone: {printed}");
    assert!(!printed.contains("cloned"), "it went on after the clone: {printed}");
    #[cfg(unix)]
    assert!(std::os::unix::process::ExitStatusExt::signal(&child.status).is_some(), "{}", child.status);
}

fn overflow() -> ! {
    let executor = RawExecutor::default();
    let handle = executor.spawn(std::future::pending::<()>());
    let task = handle.task.as_ref().expect("the result was not taken");
    let waker = waker::waker_ref(task);
    task.state.fetch_add(usize::MAX / 2, Relaxed);
    println!("about to clone");
    std::mem::forget(Waker::clone(&waker));
    println!("cloned");
    process::exit(0);
}
