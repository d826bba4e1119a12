//! futures-lite's `block_on`.

use executor::{BlockOn, Capabilities, Described, Idle, NestedBlockOn, WakeNames};

/// futures-lite's `block_on`, for one future and no tasks.
#[derive(Clone, Copy, Debug, Default)]
pub struct FuturesLite;

impl Described for FuturesLite {
    const NAME: &'static str = "futures-lite";

    const CAPABILITIES: Capabilities = Capabilities {
        wake_names: WakeNames::Thread,
        idle: Idle::Parks,
        polls_only_woken: false,
        remote_spawn: false,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Works,
        catches_panics: false,
        reports_cancellation: false,
    };
}

impl BlockOn for FuturesLite {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        futures_lite::future::block_on(future.into_future())
    }
}
