//! Every clause of the contract, for `LateExecutor`.

conformance::tests!(late_waker::LateExecutor);
