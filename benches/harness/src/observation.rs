//! The result of every measurement: rows with the same few columns.

use serde::{Deserialize, Serialize};

/// One fact that was found about one contender, and nothing computed from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// How it was measured: `count`, `duel`, `latency`, ...
    pub verb: String,
    /// The contender. One that takes part twice has `#2` after its name the second time.
    pub executor: String,
    /// What it did: a workload, an operation of the cost card, or nothing in particular.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What was varied, in the unit of the verb: tasks, nanoseconds between events, bytes of a future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<f64>,
    /// What was measured, with its unit: `instructions per operation`.
    pub quantity: String,
    /// The value.
    pub value: f64,
    /// The number of the fresh process that measured it.
    #[serde(default)]
    pub process: u32,
    /// The part of that process's time in which it was measured.
    #[serde(default)]
    pub block: u32,
    /// What a reader must know about it: `approximate`, or why there is no value, and then `value` means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What else the machine did at the same time, if that was too much for a time to be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<String>,
}

impl Observation {
    /// A value without a note.
    pub fn new(verb: &str, executor: &str, subject: &str, quantity: &str, value: f64) -> Self {
        Self {
            verb: verb.to_owned(),
            executor: executor.to_owned(),
            subject: subject.to_owned(),
            parameter: None,
            quantity: quantity.to_owned(),
            value,
            process: 0,
            block: 0,
            note: None,
            busy: None,
        }
    }

    /// Adds what was varied.
    pub fn at(self, parameter: f64) -> Self {
        Self { parameter: Some(parameter), ..self }
    }

    /// Adds what a reader must know.
    pub fn noting(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// No value, and why.
    pub fn refused(verb: &str, executor: &str, subject: &str, why: impl Into<String>) -> Self {
        Self::new(verb, executor, subject, REFUSED, 0.0).noting(why)
    }

    /// Why there is no value, if there is none.
    pub fn refusal(&self) -> Option<&str> {
        (self.quantity == REFUSED).then_some(self.note.as_deref().unwrap_or_default())
    }
}

/// The quantity of a row without a value; the note says why.
pub const REFUSED: &str = "not measured";

/// Each item once, in the order of first occurrence.
pub fn distinct<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for item in items {
        if !found.contains(&item) {
            found.push(item);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_that_are_equal_stays() {
        assert_eq!(distinct(["b", "a", "b", "c", "a"]), ["b", "a", "c"]);
    }
}
