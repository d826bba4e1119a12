//! Every clause of the contract that rung 1 claims.

conformance::tests!(Executor: ladder::Noop);
