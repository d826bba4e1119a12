//! Every clause of the contract that rung 4 claims.

conformance::tests!(Executor: ladder::Vtable);
