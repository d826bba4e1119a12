//! Whether a check hangs: judged not by the clock, but by whether any thread could still go on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The time between two looks of a watching thread.
pub(crate) const INTERVAL: Duration = Duration::from_millis(20);

/// How many looks in a row must find every thread asleep. Together they take five times as long as any clause sleeps.
const LOOKS: usize = 50;

/// The system's numbers of the threads in this process that watch checks. They wake up now and then, but help none.
static WATCHING: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

/// The threads of a process and of its descendants, and how often each was switched off a processor.
type Switches = BTreeMap<u64, u64>;

/// Checks, from a thread that has nothing else to do, whether the rest of the process sleeps forever.
///
/// A busy machine cannot make a working check look like a hang: a thread that waits for a processor is not asleep, and
/// since looks are counted and not time, it does not matter if the watching thread itself gets no processor.
pub(crate) struct Watch {
    /// The watching thread. `None` where the system does not tell what threads do: no hang is found there.
    own: Option<u64>,
    latest: Option<Switches>,
    alike: usize,
}

impl Watch {
    /// Watches from the calling thread.
    pub(crate) fn new() -> Self {
        let own = own_number();
        watching().extend(own);
        Self { own, latest: None, alike: 0 }
    }

    /// Looks once. Returns whether all threads, except those that watch, have slept through the last [`LOOKS`].
    pub(crate) fn finds_all_asleep(&mut self) -> bool {
        let found = self.own.and_then(|_| asleep(&watching()));
        // A thread that ran in between, if only to go back to sleep, has one switch more.
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

/// The switches of all threads that are not in `except`, if all of these sleep.
fn asleep(except: &BTreeSet<u64>) -> Option<Switches> {
    let mut switches = Switches::new();
    let mut processes = vec!["self".to_owned()];
    while let Some(process) = processes.pop() {
        for thread in fs::read_dir(format!("/proc/{process}/task")).ok()? {
            let thread = thread.ok()?;
            let number = thread.file_name().to_str()?.parse().ok()?;
            // A check may wait for a process that it started.
            let children = fs::read_to_string(thread.path().join("children")).ok()?;
            processes.extend(children.split_whitespace().map(str::to_owned));
            if !except.contains(&number) {
                switches.insert(number, switches_asleep(&fs::read_to_string(thread.path().join("status")).ok()?)?);
            }
        }
    }
    Some(switches)
}

/// How often the thread with this status was switched off a processor, if it sleeps or has ended.
fn switches_asleep(status: &str) -> Option<u64> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    // Not a thread that runs or waits for a processor (R), for a disk (D), or for a debugger (t, T).
    if !field("State:")?.starts_with(['S', 'Z', 'X']) {
        return None;
    }
    let count = |name| field(name)?.parse::<u64>().ok();
    Some(count("voluntary_ctxt_switches:")? + count("nonvoluntary_ctxt_switches:")?)
}
