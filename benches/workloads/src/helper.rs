//! A second thread for the workloads that are woken from one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::thread::{self, JoinHandle};

/// A thread that sleeps until it is asked, and does its job once for each time it was asked. Dropping this ends it.
pub(crate) struct Helper {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Desk {
    asked: AtomicUsize,
    closed: AtomicBool,
}

impl Helper {
    pub(crate) fn new(mut job: impl FnMut() + Send + 'static) -> Self {
        let desk = Arc::new(Desk::default());
        let shared = desk.clone();
        let thread = thread::spawn(move || {
            let mut done = 0;
            // Acquire: pairs with the Release in `drop`.
            while !shared.closed.load(Acquire) {
                // Acquire: pairs with the Release in `ask`; the job sees what the asking thread wrote.
                if shared.asked.load(Acquire) == done {
                    thread::park();
                } else {
                    done += 1;
                    job();
                }
            }
        });
        Self { desk, thread: Some(thread) }
    }

    /// Lets the job be done once more.
    pub(crate) fn ask(&self) {
        // Release: pairs with the Acquire in the helper's loop.
        self.desk.asked.fetch_add(1, Release);
        self.unpark();
    }

    fn unpark(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Release: pairs with the Acquire in the helper's loop.
        self.desk.closed.store(true, Release);
        self.unpark();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            // The thread has printed its panic. A second panic while unwinding would abort.
            assert!(thread::panicking(), "the helper thread panicked: see its message above");
        }
    }
}

impl fmt::Debug for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Helper").finish_non_exhaustive()
    }
}
