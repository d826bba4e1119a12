//! T: what a task goes through.

use executor::Executor;

use crate::Outcome;
use crate::clause::clause;
use crate::probe::Log;

clause! {
    "T1" Std "A task is never polled by two threads at once."
    guards "x"
    pub fn t01_never_two_polls_at_once<E: Executor>() -> Outcome {
        let _ = (E::default(), Log::new());
        Outcome::Pass
    }
}
