//! What this program is called as.

use std::env;

/// The word that cargo says before all others to a verb of its own.
const WORD: &str = "compare-executors";

/// Whether it was called as a verb of cargo's.
fn as_verb() -> bool {
    env::args_os().nth(1).is_some_and(|word| word == WORD)
}

/// What to type before a verb of this program.
pub(crate) fn name() -> &'static str {
    if as_verb() { "cargo compare-executors" } else { "cargo compare" }
}

/// What was typed after that.
pub(crate) fn arguments() -> impl Iterator<Item = std::ffi::OsString> {
    env::args_os().skip(if as_verb() { 2 } else { 1 })
}
