//! The list of exhibits, and what each of them breaks.

use std::sync::Arc;

use conformance::{Check, suite};

use crate::frame::Core;

/// An executor with one fault, and the same without it.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit {
    /// Its name: that of its folder in `src`, with hyphens.
    pub name: &'static str,
    /// The clauses that it breaks, in the suite's order.
    pub fails: &'static [&'static str],
    /// Those of them that show it by hanging.
    pub hangs: &'static [&'static str],
    /// Clauses that it breaks in some runs and keeps in others: in these it is a race that decides.
    pub may_fail: &'static [&'static str],
    /// Whether its fault is undefined behaviour. Then every clause may fail, and those in `fails` do in the end.
    pub undefined: bool,
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

    /// What a link to that section ends with, behind the `#`.
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
}

/// What an exhibit can do.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// It drives one future. Returns its cases.
    Root(fn() -> Vec<Check>),
    /// It owns tasks: makes the core of a [`Frame`](crate::frame::Frame).
    Tasks(fn() -> Arc<dyn Core>),
}

macro_rules! version {
    ($module:ident $version:ident) => {
        Version {
            source: include_str!(concat!(stringify!($module), "/", stringify!($version), ".rs")),
            kind: Kind::Tasks(|| Arc::new(crate::$module::$version::Core::default())),
        }
    };
    ($module:ident $version:ident $executor:ident) => {
        Version {
            source: include_str!(concat!(stringify!($module), "/", stringify!($version), ".rs")),
            kind: Kind::Root(|| suite!(BlockOn: crate::$module::$version::$executor)),
        }
    };
}

macro_rules! exhibits {
    ($($name:literal $module:ident $($executor:ident)? {
        $(fails: [$($fails:literal),*],)?
        $(hangs: [$($hangs:literal),*],)?
        $(may_fail: [$($may_fail:literal),*],)?
        $(undefined: $undefined:literal,)?
    })*) => {
        /// All of them, in the order in which `docs/gallery.md` shows them.
        pub const EXHIBITS: &[Exhibit] = &[$(Exhibit {
            name: $name,
            fails: &[$($($fails),*)?],
            hangs: &[$($($hangs),*)?],
            may_fail: &[$($($may_fail),*)?],
            undefined: false $(|| $undefined)?,
            broken: version!($module broken $($executor)?),
            fixed: version!($module fixed $($executor)?),
        }),*];

        /// What is repaired passes the models as well: what can go wrong between threads, clauses meet by chance.
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
    }
    "one-parker" one_parker OneParker {
        fails: ["X9"],
        hangs: ["X9"],
    }
    "clears-late" clears_late ClearsLate {
        fails: ["W4r", "W8r", "W9r", "W17r", "W18r", "X4", "X5r", "X8", "X9", "X19", "X25"],
        hangs: ["W4r", "W8r", "W9r", "W17r", "W18r", "X4", "X5r", "X8", "X9", "X19", "X25"],
        may_fail: ["W6r", "W10r", "W22r", "X7r"],
    }
    "polls-in-wake" polls_in_wake {
        fails: ["W13", "X22o"],
    }
    "bounded-queue" bounded_queue {
        fails: ["W14", "T7b", "X24"],
        hangs: ["W14", "T7b", "X24"],
    }
    "queued-per-wake" queued_per_wake {
        fails: ["W7", "W14", "T2", "X5"],
    }
    "looks-too-early" looks_too_early {
        fails: ["W13", "T7b", "T9", "T15f", "X2r"],
        hangs: ["W13", "T7b", "T9", "T15f", "X2r"],
    }
    "two-vtables" two_vtables {
        fails: ["W17"],
    }
    "leaks-in-wake" leaks_in_wake {
        fails: ["W2", "W2d", "W3", "W4", "T7", "X17"],
    }
    "rc-waker" rc_waker {
        fails: ["W5"],
        undefined: true,
    }
    "own-waker-cycle" own_waker_cycle {
        fails: ["W12", "W15", "T3", "T4", "T7", "T8", "T9", "T9c", "T10h", "T11", "T11s", "T12d", "T12h", "T13", "X13", "X13s", "X14", "X14s", "X14p", "X15", "X17", "X17s", "X20"],
    }
    "never-closed" never_closed {
        fails: ["W2", "W3", "T7", "T11s", "X14s", "X16", "X17s"],
        may_fail: ["X17"],
    }
    "drops-under-lock" drops_under_lock {
        fails: ["W15", "T11", "T11s", "X14", "X14s", "X16"],
        hangs: ["W15", "T11", "T11s", "X14", "X14s", "X16"],
    }
    "polls-root-always" polls_root_always {
        fails: ["X5"],
    }
    "polls-in-place" polls_in_place {
        fails: ["W2d", "T3", "T11", "X10", "X13", "X13s", "X20", "X26d"],
        hangs: ["W2d", "T3", "T11", "X13", "X13s", "X20"],
    }
    "forgets-panics" forgets_panics {
        fails: ["T3", "T4", "T5", "T6", "T9", "T9c", "T9p", "T10h", "T11", "T11s", "T12", "T12d", "T12f", "T12o", "T13", "X12"],
        hangs: ["T6", "T12", "T12f", "X12"],
    }
    "remembers-home" remembers_home {
        fails: ["W1", "W5", "W6", "W9", "W10", "W18", "W19", "W22", "W23", "T10", "T10c", "X7", "X8t", "X10f", "X10o", "X10s", "X17", "X22", "X22h", "X22n", "X22o", "X25s"],
        hangs: ["W1", "W5", "W6", "W9", "W10", "W18", "W19", "W22", "W23", "T10c", "X7", "X8t", "X10s", "X22", "X22h", "X22n", "X25s"],
        may_fail: ["W13", "T1", "T1d", "T2", "X23", "X23s"],
    }
    "merged-twice" merged_twice {
        fails: ["W2", "W3"],
    }
}
