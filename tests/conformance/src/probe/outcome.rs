//! What clauses conclude.

use executor::{BlockOn, Described, WakeNames};

use crate::{Allocations, Outcome};

/// The outcome of a clause about wakes that lead to polls: proven only where there would be no poll without the wake.
pub(crate) fn pass_if_wakes_matter<E: BlockOn + Described>() -> Outcome {
    match E::CAPABILITIES.wake_names {
        WakeNames::Nobody => Outcome::Vacuous("it polls everything, woken or not"),
        WakeNames::Thread | WakeNames::Task => Outcome::Pass,
    }
}

/// The outcome of a clause that needs counts which this program does not keep.
pub(crate) const UNCOUNTED: Outcome = Outcome::Vacuous("this program does not count its allocations");

/// The outcome of a clause that [`assert_balanced`] decides.
pub(crate) fn if_counted(outcome: Outcome) -> Outcome {
    if Allocations::are_counted() { outcome } else { UNCOUNTED }
}

/// Fails if `scenario` leaves memory behind, other than what its first run caches. It must stay on this thread.
pub(crate) fn assert_balanced(scenario: impl Fn()) {
    scenario();
    let before = Allocations::now();
    for _ in 0..3 {
        scenario();
    }
    let after = Allocations::now();
    let (blocks, bytes) = (after.blocks - before.blocks, after.bytes - before.bytes);
    assert!(blocks == 0 && bytes == 0, "3 runs leave {blocks} blocks of {bytes} bytes behind");
}
