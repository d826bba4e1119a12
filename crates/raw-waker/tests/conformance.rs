//! Every clause of the contract, for `RawExecutor`.

conformance::tests!(raw_waker::RawExecutor);
