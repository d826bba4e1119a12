//! Which executor keeps which clause, as committed in `docs/conformance.jsonl`: the gate decides from it which
//! executors are measured, and `docs/conformance.md` is written from it.
//!
//! Its first line names the executors, and each other line is a clause with the outcomes that are not a pass.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The committed file, relative to the root.
pub const FILE: &str = "docs/conformance.jsonl";

/// The outcome of one clause for one executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The promise was kept where it could have been broken.
    Passes,
    /// It was broken.
    Fails,
    /// The executor does not claim the capability, and was shown to do the opposite.
    NotApplicable,
    /// The promise holds because polling is unconditional.
    Vacuous,
    /// Not the same in every run.
    Varies,
}

/// An outcome with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// Why it is not a pass.
    pub why: String,
}

/// A clause and its outcomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub clause: String,
    /// Who demands it.
    pub level: String,
    /// What it promises.
    pub promise: String,
    /// The executors that do not pass, in a debug build.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub debug: BTreeMap<String, Verdict>,
    /// The executors whose outcome differs in a release build.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub release: BTreeMap<String, Outcome>,
}

impl Row {
    /// That executor's outcome in a debug build.
    pub fn in_debug(&self, executor: &str) -> Outcome {
        self.debug.get(executor).map_or(Outcome::Passes, |verdict| verdict.outcome)
    }

    /// That executor's outcome in a release build.
    pub fn in_release(&self, executor: &str) -> Outcome {
        self.release.get(executor).copied().unwrap_or_else(|| self.in_debug(executor))
    }

    /// Whether the executor breaks it in debug or in release builds.
    pub fn is_broken_by(&self, executor: &str) -> bool {
        [self.in_debug(executor), self.in_release(executor)].contains(&Outcome::Fails)
    }
}

/// The verdicts on some executors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// All executors, in the order of the columns.
    pub executors: Vec<String>,
    /// The clauses, in their order.
    pub rows: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct FirstLine {
    executors: Vec<String>,
}

impl Verdicts {
    /// Reads the text of such a file.
    ///
    /// # Errors
    ///
    /// When a line is malformed; says which, and why.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        let wrong = |number: usize, error| format!("{FILE}:{number}: {error}");
        let first = serde_json::from_str(lines.next().unwrap_or_default()).map_err(|error| wrong(1, error))?;
        let FirstLine { executors } = first;
        let rows =
            lines.zip(2..).map(|(line, number)| serde_json::from_str(line).map_err(|error| wrong(number, error)));
        Ok(Self { executors, rows: rows.collect::<Result<_, _>>()? })
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        fn line(value: &impl Serialize) -> String {
            serde_json::to_string(value).expect("it has no keys but strings") + "\n"
        }
        line(&FirstLine { executors: self.executors.clone() }) + &self.rows.iter().map(line).collect::<String>()
    }

    /// Whether they say anything about the executor of that name.
    pub fn is_judged(&self, executor: &str) -> bool {
        self.executors.iter().any(|other| other == executor)
    }

    /// What the executor of that name breaks, in debug or in release builds.
    pub fn broken(&self, executor: &str) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.is_broken_by(executor)).collect()
    }

    /// The clauses that it breaks in some runs.
    pub fn varying(&self, executor: &str) -> Vec<String> {
        let varies = |row: &&Row| row.in_debug(executor) == Outcome::Varies;
        self.rows.iter().filter(varies).map(|row| row.clause.clone()).collect()
    }

    /// The verdicts to commit after a release build: the previous ones, with the outcomes that differ in this build.
    pub fn with_release(&self, released: &Self) -> Self {
        let mut rows = self.rows.clone();
        for row in &mut rows {
            let found = released.rows.iter().find(|other| other.clause == row.clause);
            let differ =
                |executor: &&String| found.is_some_and(|found| found.in_debug(executor) != row.in_debug(executor));
            let own = self.executors.iter().filter(differ);
            let own = own.map(|name| (name.clone(), found.map_or(Outcome::Passes, |found| found.in_debug(name))));
            row.release = own.collect();
        }
        Self { rows, ..self.clone() }
    }

    /// The verdicts to commit after a debug build: its own outcomes, and the known ones of release builds.
    pub fn keeping_release(self, known: &Self) -> Self {
        let released = |clause: &str| known.rows.iter().find(|row| row.clause == clause).map(|row| row.release.clone());
        let rows = self.rows.into_iter().map(|row| {
            let release = released(&row.clause).unwrap_or_default();
            let differs = |(name, outcome): &(String, Outcome)| *outcome != row.in_debug(name);
            Row { release: release.into_iter().filter(differs).collect(), ..row }
        });
        Self { rows: rows.collect(), executors: self.executors }
    }
}

/// The committed verdicts.
pub fn committed() -> &'static Verdicts {
    static COMMITTED: LazyLock<Verdicts> = LazyLock::new(|| {
        Verdicts::read(include_str!("../../../docs/conformance.jsonl")).unwrap_or_else(|why| panic!("{why}"))
    });
    &COMMITTED
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = concat!(
        r#"{"executors":["tokio","pollster"]}"#,
        "\n",
        r#"{"clause":"W1","level":"std","promise":"A promise.","release":{"tokio":"fails"}}"#,
        "\n",
        r#"{"clause":"X8","level":"std","promise":"Another.","debug":{"pollster":{"outcome":"fails","why":"it hangs"}},"#,
        r#""release":{"pollster":"passes"}}"#,
        "\n",
        r#"{"clause":"X9","level":"contract","promise":"A third.","debug":{"pollster":{"outcome":"fails","why":"it hangs"},"#,
        r#""tokio":{"outcome":"varies","why":"it hangs at times"}}}"#,
        "\n",
    );

    fn verdicts() -> Verdicts {
        Verdicts::read(TEXT).expect("it is complete")
    }

    #[test]
    fn what_is_broken_in_either_build_is_broken() {
        let verdicts = verdicts();
        let broken = |name| verdicts.broken(name).iter().map(|row| &*row.clause).collect::<Vec<_>>();
        assert_eq!((broken("pollster"), broken("tokio"), broken("nobody")), (vec!["X8", "X9"], vec!["W1"], vec![]));
        assert_eq!(verdicts.varying("tokio"), ["X9"]);
        assert!(verdicts.is_judged("tokio") && !verdicts.is_judged("nobody"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(verdicts().text(), TEXT);
        assert!(
            Verdicts::read(&TEXT[..TEXT.len() - 9]).is_err_and(|why| why.starts_with("docs/conformance.jsonl:4: "))
        );
    }

    #[test]
    fn of_a_release_build_is_kept_what_differs() {
        let mut released = verdicts();
        released.rows.iter_mut().for_each(|row| row.debug.clear());
        let verdicts = verdicts().with_release(&released);
        assert_eq!(verdicts.rows[0].release.len(), 0, "it passes in both");
        assert_eq!(verdicts.rows[1].release, BTreeMap::from([("pollster".to_owned(), Outcome::Passes)]));
        // A debug build that passes no longer differs.
        let mut debug = verdicts.clone();
        debug.rows.iter_mut().for_each(|row| row.debug.clear());
        assert!(debug.keeping_release(&verdicts).rows.iter().all(|row| row.release.is_empty()));
    }

    #[test]
    fn what_is_committed_can_be_read() {
        assert!(committed().is_judged("tokio") && committed().rows.len() > 50);
    }
}
