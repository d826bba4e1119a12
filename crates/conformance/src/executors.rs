//! X: what an executor does with its tasks.

use executor::{BlockOn, yield_now};

use crate::Outcome;
use crate::clause::clause;

clause! {
    "X4" House "`block_on` returns the future's output, drives spawned tasks meanwhile and keeps unfinished ones."
    guards "nothing in particular: it is what `block_on` is for."
    pub fn x04_block_on_returns_the_output<E: BlockOn>() -> Outcome {
        let executor = E::default();
        let output = executor.block_on(async {
            yield_now().await;
            7
        });
        assert_eq!(output, 7);
        Outcome::Pass
    }
}
