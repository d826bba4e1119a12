use executor::{BlockOn, yield_now};

pub(crate) fn trigger<E: BlockOn + Default>() {
    // Wakes itself in its first poll, and is ready in its second.
    E::default().block_on(yield_now());
}
