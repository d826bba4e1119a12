//! The models, for this executor: see the crate `models`.

models::tests!(park_waker::ParkExecutor);
