//! The list of exhibits, and what each of them breaks.

use std::sync::Arc;

use conformance::{Check, suite};

use crate::frame::{Core, Frame, Of};

/// An executor with one fault, and the same without it.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit {
    /// Its name: its folder in `src`, with hyphens.
    pub name: &'static str,
    /// The clauses that it breaks, in the suite's order.
    pub fails: &'static [&'static str],
    /// Those of them that hang instead of failing.
    pub hangs: &'static [&'static str],
    /// Clauses that it breaks in some runs and keeps in others: a race decides.
    pub may_fail: &'static [&'static str],
    /// Whether its fault is undefined behaviour. Then every clause may fail, and those in `fails` do sooner or later.
    pub undefined: bool,
    /// What its users see.
    pub symptom: Symptom,
    /// The few lines that show the fault.
    pub trigger: &'static str,
    /// Whether the trigger never returns. Otherwise it panics, or what is undefined happens.
    pub trigger_hangs: bool,
    /// Where a crate of this workspace does it right.
    pub ours: Ours,
    /// The executor with the fault.
    pub broken: Version,
    /// The same executor without it.
    pub fixed: Version,
}

/// `docs/gallery.md`, which shows them.
const PAGE: &str = include_str!("../../../docs/gallery.md");

impl Exhibit {
    /// What its section of `docs/gallery.md` is called.
    pub fn title(&self) -> &'static str {
        let above = PAGE.split_once(&format!("<!-- table: {} -->", self.name)).map_or("", |(above, _)| above);
        above.lines().rev().find_map(|line| line.strip_prefix("## ")).unwrap_or_default()
    }

    /// The fragment of a link to that section, without the `#`.
    pub fn anchor(&self) -> String {
        let title = self.title().to_lowercase().replace(' ', "-");
        title.chars().filter(|&letter| letter.is_alphanumeric() || letter == '-' || letter == '_').collect()
    }
}

/// One of the two executors of an [`Exhibit`].
#[derive(Clone, Copy, Debug)]
pub struct Version {
    /// Its source file.
    pub source: &'static str,
    /// How the suite gets at it.
    pub kind: Kind,
    /// Runs the exhibit's trigger on it.
    pub trigger: fn(),
}

/// What is seen of a fault, in the order of the index of `docs/gallery.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symptom {
    /// `block_on` does not return.
    RootSleeps,
    /// A task is not polled.
    TaskWaits,
    /// A wake does not return.
    WakeWaits,
    /// The executor's drop does not return, or leaves futures.
    DropFails,
    /// Memory grows.
    MemoryGrows,
    /// Memory is used after it was freed.
    Crashes,
    /// Polls for nothing.
    PollsTooOften,
}

impl Symptom {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::RootSleeps,
        Self::TaskWaits,
        Self::WakeWaits,
        Self::DropFails,
        Self::MemoryGrows,
        Self::Crashes,
        Self::PollsTooOften,
    ];

    /// As a user would say it.
    pub fn description(self) -> &'static str {
        match self {
            Self::RootSleeps => "`block_on` never returns, though its waker was woken",
            Self::TaskWaits => "a task waits, though something made it ready",
            Self::WakeWaits => "`wake` or `spawn` deadlocks",
            Self::DropFails => "dropping the executor deadlocks or leaves futures behind",
            Self::MemoryGrows => "memory grows",
            Self::Crashes => "a crash, now and then",
            Self::PollsTooOften => "more polls than wakes",
        }
    }
}

/// A place in a crate of this workspace.
#[derive(Clone, Copy, Debug)]
pub struct Ours {
    /// The crate's folder in `crates`.
    pub folder: &'static str,
    /// A function, a method with its type as in `Signal::wake`, or a static. It is looked up by name, so it may move.
    pub item: &'static str,
    /// What that does.
    pub does: &'static str,
}

/// What an exhibit can do.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// It drives one future. Returns its cases.
    Root(fn() -> Vec<Check>),
    /// It owns tasks. Makes the core of a [`Frame`].
    Tasks(fn() -> Arc<dyn Core>),
}

macro_rules! version {
    ($module:ident $version:ident) => {
        Version {
            source: include_str!(concat!(stringify!($module), "/", stringify!($version), ".rs")),
            kind: Kind::Tasks(|| Arc::new(crate::$module::$version::Core::default())),
            trigger: crate::$module::trigger::trigger::<Frame<Of<crate::$module::$version::Core>>>,
        }
    };
    ($module:ident $version:ident $executor:ident) => {
        Version {
            source: include_str!(concat!(stringify!($module), "/", stringify!($version), ".rs")),
            kind: Kind::Root(|| suite!(BlockOn: crate::$module::$version::$executor)),
            trigger: crate::$module::trigger::trigger::<crate::$module::$version::$executor>,
        }
    };
}

macro_rules! exhibits {
    ($($name:literal $module:ident $($executor:ident)? {
        $(fails: [$($fails:literal),*],)?
        $(hangs: [$($hangs:literal),*],)?
        $(may_fail: [$($may_fail:literal),*],)?
        $(undefined: $undefined:literal,)?
        symptom: $symptom:ident,
        $(trigger_hangs: $trigger_hangs:literal,)?
        ours: $folder:literal $item:literal $does:literal,
    })*) => {
        /// All of them, in the order in which `docs/gallery.md` shows them.
        pub const EXHIBITS: &[Exhibit] = &[$(Exhibit {
            name: $name,
            fails: &[$($($fails),*)?],
            hangs: &[$($($hangs),*)?],
            may_fail: &[$($($may_fail),*)?],
            undefined: false $(|| $undefined)?,
            symptom: Symptom::$symptom,
            trigger: include_str!(concat!(stringify!($module), "/trigger.rs")),
            trigger_hangs: false $(|| $trigger_hangs)?,
            ours: Ours { folder: $folder, item: $item, does: $does },
            broken: version!($module broken $($executor)?),
            fixed: version!($module fixed $($executor)?),
        }),*];

        /// The repaired ones pass the models as well: clauses meet a race between threads only by chance.
        #[cfg(test)]
        mod models {
            $(mod $module {
                crate::modelled::tests!($module $($executor)?);
            })*
        }
    };
}

exhibits! {
    "bare-park" bare_park BarePark {
        fails: ["X5r", "X8", "X9"],
        hangs: ["X8", "X9"],
        symptom: RootSleeps,
        trigger_hangs: true,
        ours: "park-waker" "Signal::wake_by_ref" "sets a flag of its own before it unparks the thread",
    }
    "one-parker" one_parker OneParker {
        fails: ["X9"],
        hangs: ["X9"],
        symptom: RootSleeps,
        trigger_hangs: true,
        ours: "park-waker" "ThreadWaker::with" "takes the signal out of its place for as long as a call uses it",
    }
    "clears-late" clears_late ClearsLate {
        fails: ["W4r", "W8r", "W9r", "W17r", "W18r", "X4", "X5r", "X8", "X9", "X19", "X25"],
        hangs: ["W4r", "W8r", "W9r", "W17r", "W18r", "X4", "X5r", "X8", "X9", "X19", "X25"],
        may_fail: ["W6r", "W10r", "W22r", "X7r"],
        symptom: RootSleeps,
        trigger_hangs: true,
        ours: "arc-waker" "Running::poll" "clears the flag before the poll",
    }
    "polls-in-wake" polls_in_wake {
        fails: ["W13", "X22o"],
        symptom: WakeWaits,
        trigger_hangs: true,
        ours: "arc-waker" "Task::wake_by_ref" "pushes, and does nothing else",
    }
    "bounded-queue" bounded_queue {
        fails: ["W14", "T7b", "X24"],
        hangs: ["W14", "T7b", "X24"],
        symptom: WakeWaits,
        trigger_hangs: true,
        ours: "raw-waker" "RemoteQueue::push" "links the task itself into the queue: there is room for every task",
    }
    "queued-per-wake" queued_per_wake {
        fails: ["W7", "W14", "T2", "X5"],
        symptom: MemoryGrows,
        ours: "raw-waker" "TaskRef::wake_by_ref" "pushes only if it was the one to set the flag",
    }
    "looks-too-early" looks_too_early {
        fails: ["W13", "T7b", "T9", "T15f", "X2r"],
        hangs: ["W13", "T7b", "T9", "T15f", "X2r"],
        symptom: TaskWaits,
        trigger_hangs: true,
        ours: "executor" "Entered::park_unless" "announces the sleep, looks, and only then parks",
    }
    "two-vtables" two_vtables {
        fails: ["W17"],
        symptom: PollsTooOften,
        ours: "raw-waker" "VTABLE" "is the one table, with an address of its own",
    }
    "leaks-in-wake" leaks_in_wake {
        fails: ["W2", "W2d", "W3", "W4", "T7", "X17"],
        symptom: MemoryGrows,
        ours: "raw-waker" "TaskRef::wake" "passes the reference on to the queue, or gives it back",
    }
    "rc-waker" rc_waker {
        fails: ["W5"],
        undefined: true,
        symptom: Crashes,
        ours: "raw-waker" "TaskRef::clone" "counts with an atomic, and aborts before it overflows",
    }
    "own-waker-cycle" own_waker_cycle {
        fails: ["W12", "W15", "T3", "T4", "T7", "T8", "T9", "T9c", "T10h", "T11", "T11s", "T12d", "T12h", "T13", "X13", "X13s", "X14", "X14s", "X14p", "X15", "X17", "X17s", "X20"],
        symptom: DropFails,
        ours: "raw-waker" "TaskRef::cancel" "drops the future, no matter who still refers to the task",
    }
    "never-closed" never_closed {
        fails: ["W2", "W3", "T7", "T11s", "X14s", "X16", "X17s"],
        may_fail: ["X17"],
        symptom: TaskWaits,
        trigger_hangs: true,
        ours: "raw-waker" "RemoteQueue::close" "drains and closes the queue in one step",
    }
    "drops-under-lock" drops_under_lock {
        fails: ["W15", "T11", "T11s", "X14", "X14s", "X16"],
        hangs: ["W15", "T11", "T11s", "X14", "X14s", "X16"],
        symptom: DropFails,
        trigger_hangs: true,
        ours: "park-waker" "Tasks::close" "hands the tasks out, to be dropped outside the lock",
    }
    "polls-root-always" polls_root_always {
        fails: ["X5"],
        symptom: PollsTooOften,
        ours: "executor" "RootWaker::take_woken" "is the flag that belongs to the root alone",
    }
    "polls-in-place" polls_in_place {
        fails: ["W2d", "T3", "T11", "X10", "X13", "X13s", "X20", "X26d"],
        hangs: ["W2d", "T3", "T11", "X13", "X13s", "X20"],
        symptom: TaskWaits,
        trigger_hangs: true,
        ours: "raw-waker" "poll_ready" "ends each round, however often a task wakes itself",
    }
    "forgets-panics" forgets_panics {
        fails: ["T3", "T4", "T5", "T6", "T9", "T9c", "T9p", "T10h", "T11", "T11s", "T12", "T12d", "T12f", "T12o", "T13", "X12"],
        hangs: ["T6", "T12", "T12f", "X12"],
        symptom: TaskWaits,
        trigger_hangs: true,
        ours: "executor" "joinable" "turns a panic into what the handle yields",
    }
    "remembers-owner" remembers_owner {
        fails: ["W1", "W5", "W6", "W9", "W10", "W18", "W19", "W22", "W23", "T10", "T10c", "X6", "X7", "X8t", "X10f", "X10o", "X10s", "X17", "X22", "X22h", "X22n", "X22o", "X25s"],
        hangs: ["W1", "W5", "W6", "W9", "W10", "W18", "W19", "W22", "W23", "T10c", "X6", "X7", "X8t", "X10s", "X22", "X22h", "X22n", "X25s"],
        may_fail: ["W13", "T1", "T1d", "T2", "X23", "X23s"],
        symptom: TaskWaits,
        trigger_hangs: true,
        ours: "biased-waker" "Header::local" "asks at each call on which thread it is",
    }
    "merged-twice" merged_twice {
        fails: ["W2", "W3"],
        symptom: MemoryGrows,
        ours: "biased-waker" "BiasedCount::merge" "marks the count as merged, so that the sum is taken once",
    }
}
