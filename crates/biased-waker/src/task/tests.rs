use std::env;
use std::process::{self, Command};

use executor::{BlockOn, Spawn, yield_now};

use super::*;
use crate::{BiasedExecutor, waker};

const CHILD: &str = "WAKERS_TEST_OVERFLOW";
/// Half the references that a word can count, as a word.
const HALF: usize = 1 << (usize::BITS - 2);

/// Clause W21, which no black box can check: it would have to leak half as many wakers as there are addresses. On
/// the owner and remotely.
#[test]
fn a_count_that_would_overflow_aborts_the_process() {
    match env::var(CHILD).as_deref() {
        Ok("owner") => overflow_locally(),
        Ok(_) => overflow_remotely(),
        Err(_) => {}
    }
    for side in ["owner", "remote"] {
        let test = "task::tests::a_count_that_would_overflow_aborts_the_process";
        let child = Command::new(env::current_exe().expect("the test knows its own path"))
            .args([test, "--exact", "--nocapture"])
            .env(CHILD, side)
            .output()
            .expect("the test can run itself");
        assert!(!child.status.success(), "{side}");
        let printed = String::from_utf8_lossy(&child.stdout);
        assert!(printed.contains("about to clone"), "{side}: it ended before the clone: {printed}");
        assert!(!printed.contains("cloned"), "{side}: it went on after the clone: {printed}");
        #[cfg(unix)]
        assert!(std::os::unix::process::ExitStatusExt::signal(&child.status).is_some(), "{side}: {}", child.status);
    }
}

fn overflow_locally() {
    let executor = BiasedExecutor::default();
    executor.block_on(async {
        // From its second poll on, the thread drives.
        yield_now().await;
        let handle = executor.spawn(std::future::pending::<()>());
        let task = handle.task.as_ref().expect("the result was not taken");
        task.count.set_local(task.count.local() + HALF);
        clone(task);
    });
}

fn overflow_remotely() {
    let executor = BiasedExecutor::default();
    let handle = executor.spawn(std::future::pending::<()>());
    let task = handle.task.as_ref().expect("the result was not taken");
    task.count.remote().fetch_add(HALF, Relaxed);
    clone(task);
}

fn clone(task: &TaskRef) -> ! {
    let waker = waker::waker_ref(LocalTask { header: task.header });
    println!("about to clone");
    std::mem::forget(Waker::clone(&waker));
    println!("cloned");
    process::exit(0);
}
