//! Every clause of the contract, for `BiasedExecutor`.

conformance::tests!(biased_waker::BiasedExecutor);
