//! The models, for this executor: see the crate `models`.

models::tests!(arc_waker::ArcExecutor);
