//! Every clause of the contract, for `ParkExecutor`.

conformance::tests!(park_waker::ParkExecutor);
