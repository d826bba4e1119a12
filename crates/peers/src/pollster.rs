//! pollster's `block_on`.

use executor::{BlockOn, Capabilities, Described, Idle, NestedBlockOn, WakeNames};

/// pollster's `block_on`, for one future and no tasks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pollster;

impl Described for Pollster {
    const NAME: &'static str = "pollster";

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

impl BlockOn for Pollster {
    fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        pollster::block_on(future)
    }
}
