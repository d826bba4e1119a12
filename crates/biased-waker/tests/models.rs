//! The models, for this executor: see the crate `models`.

models::tests!(biased_waker::BiasedExecutor);
