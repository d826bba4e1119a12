//! The models, for this executor: see the crate `models`.

models::tests!(noop_waker::NoopExecutor);
