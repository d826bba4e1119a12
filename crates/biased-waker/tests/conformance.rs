//! Every clause of the contract, for `BiasedExecutor`.
#![cfg(target_pointer_width = "64")]

conformance::tests!(biased_waker::BiasedExecutor);
