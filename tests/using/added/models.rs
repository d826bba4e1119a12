//! The models, for this executor: see the crate `models`.

models::tests!(late_waker::LateExecutor);
