//! Every clause of the contract that rung 3 claims.

conformance::tests!(Executor: ladder::Arc);
