//! Every clause of the contract, for `ArcExecutor`.

conformance::tests!(arc_waker::ArcExecutor);
