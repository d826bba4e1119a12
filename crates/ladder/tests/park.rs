//! Every clause of the contract that rung 2 claims.

conformance::tests!(Executor: ladder::Park);
