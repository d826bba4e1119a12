//! Every clause of the contract, for `NoopExecutor`.

conformance::tests!(noop_waker::NoopExecutor);
