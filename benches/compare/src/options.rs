//! What verbs take besides their own: each only what it heeds.

use clap::Args;
use harness::table::Format;

use crate::session::Selection;

/// Whom a verb is about.
#[derive(Args, Clone, Debug)]
pub(crate) struct Executors {
    /// Only executors whose name is this, or contains what this regular expression matches
    #[arg(long, value_name = "REGEX")]
    executor: Vec<String>,
    /// Not these
    #[arg(long, value_name = "REGEX")]
    not_executor: Vec<String>,
}

/// What of them, where that is divided into workloads or operations.
#[derive(Args, Clone, Debug)]
pub(crate) struct Workloads {
    /// Only workloads (or operations of the cost card) with such a name
    #[arg(long, value_name = "REGEX")]
    workload: Vec<String>,
    /// Not these
    #[arg(long, value_name = "REGEX")]
    not_workload: Vec<String>,
}

/// How results are shown.
#[derive(Args, Clone, Debug)]
pub(crate) struct Shown {
    /// How results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Whether what was found of an executor before still counts.
#[derive(Args, Clone, Debug)]
pub(crate) struct Freshness {
    /// Run the suite anew, whatever is remembered of this program
    #[arg(long)]
    fresh: bool,
}

/// Who is let through to be measured.
#[derive(Args, Clone, Debug)]
pub(crate) struct Gate {
    /// Measure executors that break the contract as well, marked as such
    #[arg(long)]
    despite_failures: bool,
    #[command(flatten)]
    freshness: Freshness,
}

/// What a verb takes that measures.
#[derive(Args, Clone, Debug)]
pub(crate) struct Measured {
    #[command(flatten)]
    executors: Executors,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    gate: Gate,
}

/// Options, put into what a session knows.
pub(crate) trait Options {
    fn apply(&self, selection: &mut Selection);
}

impl Options for [String] {
    fn apply(&self, selection: &mut Selection) {
        selection.executor.extend(self.iter().cloned());
    }
}

impl Options for Executors {
    fn apply(&self, selection: &mut Selection) {
        self.executor.apply(selection);
        selection.not_executor.extend(self.not_executor.iter().cloned());
    }
}

impl Options for Workloads {
    fn apply(&self, selection: &mut Selection) {
        selection.workload.extend(self.workload.iter().cloned());
        selection.not_workload.extend(self.not_workload.iter().cloned());
    }
}

impl Options for Shown {
    fn apply(&self, selection: &mut Selection) {
        selection.format = self.format;
    }
}

impl Options for Freshness {
    fn apply(&self, selection: &mut Selection) {
        selection.fresh = self.fresh;
    }
}

impl Options for Gate {
    fn apply(&self, selection: &mut Selection) {
        selection.despite_failures = self.despite_failures;
        self.freshness.apply(selection);
    }
}

impl Options for Measured {
    fn apply(&self, selection: &mut Selection) {
        self.executors.apply(selection);
        self.shown.apply(selection);
        self.gate.apply(selection);
    }
}
