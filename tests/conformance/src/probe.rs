//! The instruments of the clauses: futures that record what is done to them, wakers that count, gates that order
//! threads.

use std::thread;
use std::time::Duration;

mod drive;
mod gate;
mod log;
mod outcome;
mod panics;
mod waker;

pub use self::gate::Gate;
pub use self::log::{DropCount, Log, Logged};
pub use self::panics::{case, message, quiet_panic};
pub use self::waker::{WakeCount, poll_once, wait_for, waker_fn};
pub use crate::hooked::{Hook, hooked_waker};

pub(crate) use self::drive::{assert_usable, drive, drive_until, finish, settle, yield_times};
pub(crate) use self::gate::{Waits, waited_for};
pub(crate) use self::outcome::{UNCOUNTED, assert_balanced, if_counted, pass_if_wakes_matter};
pub(crate) use self::panics::caught;

/// Runs `action` on another thread and returns its result.
pub fn on_another_thread<R: Send + 'static>(action: impl FnOnce() -> R + Send + 'static) -> R {
    thread::spawn(action).join().expect("the other thread does not panic")
}

/// The processor time that the calling thread has used. `None` where the system does not tell: everywhere but on Linux.
pub fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
