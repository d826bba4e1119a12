//! Every clause of the contract, a test each.

conformance::tests!(Executor: first::Sleeper);
