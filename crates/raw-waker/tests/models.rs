//! The models, for this executor: see the crate `models`.

models::tests!(raw_waker::RawExecutor);
