//! Whether a case hangs: not by the clock, but because nobody is left who could go on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a watching thread waits from one look to the next.
pub(crate) const INTERVAL: Duration = Duration::from_millis(20);

/// So many looks in a row have to find every thread asleep. Together they take five times as long as any clause sleeps.
const LOOKS: usize = 50;

/// The threads that watch a case in this process, by the system's numbers. They are awake at times, for no case's good.
static WATCHING: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

/// The threads of a process and of those below it, and how often each was taken off a processor.
type Switches = BTreeMap<u64, u64>;

/// Looks, from a thread that has nothing else to do, whether the rest of the process sleeps for good.
///
/// A thread that waits for a processor is not asleep, so a machine that gives no time cannot make a case look like one
/// that hangs; and as looks are counted, and not the time, neither can one that gives the watching thread none.
pub(crate) struct Watch {
    /// The watching thread. `None` where the system does not say what threads do: no case hangs there.
    own: Option<u64>,
    latest: Option<Switches>,
    alike: usize,
}

impl Watch {
    /// For the thread that calls it.
    pub(crate) fn new() -> Self {
        let own = own_number();
        watching().extend(own);
        Self { own, latest: None, alike: 0 }
    }

    /// Looks once. Whether every thread but those that watch has slept, without a break, for the last [`LOOKS`].
    pub(crate) fn finds_all_asleep(&mut self) -> bool {
        let found = self.own.and_then(|_| asleep(&watching()));
        // Who was switched to in between, be it only to go back to sleep, was switched from as well.
        self.alike = if found.is_some() && found == self.latest { self.alike + 1 } else { 0 };
        self.latest = found;
        self.alike >= LOOKS
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(own) = self.own {
            watching().remove(&own);
        }
    }
}

fn watching() -> MutexGuard<'static, BTreeSet<u64>> {
    WATCHING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calling thread's number, where the system has one: on Linux.
fn own_number() -> Option<u64> {
    fs::read_link("/proc/thread-self").ok()?.file_name()?.to_str()?.parse().ok()
}

/// The switches of every thread but those `except`, if all of them sleep.
fn asleep(except: &BTreeSet<u64>) -> Option<Switches> {
    let mut switches = Switches::new();
    let mut processes = vec!["self".to_owned()];
    while let Some(process) = processes.pop() {
        for thread in fs::read_dir(format!("/proc/{process}/task")).ok()? {
            let thread = thread.ok()?;
            let number = thread.file_name().to_str()?.parse().ok()?;
            // A case may wait for a process that it has started.
            let children = fs::read_to_string(thread.path().join("children")).ok()?;
            processes.extend(children.split_whitespace().map(str::to_owned));
            if !except.contains(&number) {
                switches.insert(number, switches_asleep(&fs::read_to_string(thread.path().join("status")).ok()?)?);
            }
        }
    }
    Some(switches)
}

/// How often the thread of that status was taken off a processor, if it sleeps or has ended.
fn switches_asleep(status: &str) -> Option<u64> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    // Not a thread that runs or waits for a processor (R), for a disk (D), or for a debugger (t, T).
    if !field("State:")?.starts_with(['S', 'Z', 'X']) {
        return None;
    }
    let count = |name| field(name)?.parse::<u64>().ok();
    Some(count("voluntary_ctxt_switches:")? + count("nonvoluntary_ctxt_switches:")?)
}
