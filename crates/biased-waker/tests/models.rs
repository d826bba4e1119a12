//! The models, for this executor: see the crate `models`.
#![cfg(target_pointer_width = "64")]

models::tests!(biased_waker::BiasedExecutor);
