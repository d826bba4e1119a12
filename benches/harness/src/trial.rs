//! Runs one iteration before anything is timed: a contender that fails a workload's check gets a reason and not a
//! figure.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use conformance::probe::message;
use workloads::Case;

/// Longer than any iteration takes on a busy machine, shorter than a user's patience.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs one iteration on a thread of its own.
///
/// # Errors
///
/// When it panics, with the panic's message; when it does not end. Then its thread continues, because a thread cannot
/// be stopped, and may slow down what is timed afterwards.
pub fn run(case: Case) -> Result<(), String> {
    run_for(case, PATIENCE)
}

fn run_for(case: Case, patience: Duration) -> Result<(), String> {
    let (done, finished) = mpsc::channel();
    let thread = thread::spawn(move || {
        case.set_up()();
        // The receiver is gone if this came too late.
        let _ = done.send(());
    });
    match finished.recv_timeout(patience) {
        Ok(()) => Ok(()),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("hangs: no end after {} s", patience.as_secs())),
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Ok(()) => unreachable!("the thread sends before it ends"),
            Err(payload) => Err(message(payload.as_ref())),
        },
    }
}

#[cfg(test)]
mod tests {
    use workloads::WORKLOADS;

    use super::*;

    fn case(set_up: fn() -> workloads::Iteration) -> Case {
        Case::new(WORKLOADS[0], set_up)
    }

    #[test]
    fn a_case_that_ends_passes() {
        assert_eq!(run(case(|| Box::new(|| 1))), Ok(()));
    }

    #[test]
    fn a_case_that_panics_fails_with_its_message() {
        assert_eq!(run(case(|| Box::new(|| panic!("2 polls, not {}", 1)))), Err("2 polls, not 1".to_owned()));
        assert_eq!(run(case(|| panic!("no executor"))), Err("no executor".to_owned()));
    }

    #[test]
    fn a_case_that_does_not_end_fails() {
        let hangs = case(|| {
            Box::new(|| {
                loop {
                    thread::park();
                }
            })
        });
        let reason = run_for(hangs, Duration::from_millis(1)).expect_err("it hangs");
        assert!(reason.starts_with("hangs"), "{reason}");
    }
}
