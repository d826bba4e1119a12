//! The README explains the letters of all clauses, and of no others.

use std::collections::BTreeSet;

use conformance::suite;
use executor::{BlockOn, Capabilities, Described, Idle, NestedBlockOn, WakeNames};

/// An executor that is never run: only the list of its checks is read.
#[derive(Default)]
struct Unused;

impl Described for Unused {
    const NAME: &'static str = "unused";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Nobody,
        idle: Idle::Spins,
        polls_only_woken: false,
        remote_spawn: false,
        concurrent_drivers: false,
        nested_block_on: NestedBlockOn::Works,
        catches_panics: false,
        reports_cancellation: false,
    };
}

impl BlockOn for Unused {
    fn block_on<F: IntoFuture>(&self, _future: F) -> F::Output {
        unreachable!("no check is run")
    }
}

#[test]
fn every_clause_has_an_id_of_its_own() {
    let suite = suite!(BlockOn: Unused);
    let ids: BTreeSet<_> = suite.iter().map(|check| check.clause.id).collect();
    assert_eq!(ids.len(), suite.len());
}

#[test]
fn the_readme_explains_the_letter_of_every_clause() {
    let suite = suite!(BlockOn: Unused);
    let lettered = suite.iter().map(|check| check.clause.id).filter(|id| id.ends_with(char::is_alphabetic));
    let lettered: BTreeSet<_> = lettered.map(str::to_owned).collect();
    let rows = include_str!("../README.md").lines().filter(|line| line.starts_with("| `") && line.contains("**"));
    let mut explained = BTreeSet::new();
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let (letter, ids) = (cells[1].trim_matches('`'), cells[3]);
        for id in ids.split([',', ';']).map(str::trim) {
            assert!(id.ends_with(letter), "{id} is in the row of `{letter}`");
            explained.insert(id.to_owned());
        }
    }
    assert_eq!(explained, lettered);
}
