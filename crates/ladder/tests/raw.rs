//! Every clause of the contract that rung 5 claims.

conformance::tests!(Executor: ladder::Raw);
