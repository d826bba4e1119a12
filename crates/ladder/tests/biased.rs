//! Every clause of the contract that rung 6 claims.

conformance::tests!(Executor: ladder::Biased);
