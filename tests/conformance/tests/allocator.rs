//! What the counting allocator does when the system has no memory.

use conformance::{Allocations, CountingAllocator};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// More than any system provides; three times this overflows a counter.
const TOO_MUCH: usize = isize::MAX as usize - 64;

#[test]
fn an_allocation_that_fails_neither_unwinds_nor_counts() {
    let before = Allocations::now();
    for _ in 0..3 {
        Vec::<u8>::new().try_reserve_exact(TOO_MUCH).expect_err("no system has so much memory");
    }
    assert_eq!(Allocations::now(), before);
}

#[test]
fn a_reallocation_that_fails_neither_unwinds_nor_counts() {
    let mut bytes = vec![0_u8; 16];
    let before = Allocations::now();
    for _ in 0..3 {
        bytes.try_reserve_exact(TOO_MUCH).expect_err("no system has so much memory");
    }
    assert_eq!(Allocations::now(), before);
    assert_eq!(bytes, [0; 16]);
}

#[test]
fn a_block_counts_from_its_allocation_until_it_is_freed() {
    let before = Allocations::now();
    let mut bytes = Vec::<u8>::with_capacity(16);
    bytes.reserve_exact(32);
    let grown = Allocations::now();
    assert_eq!((grown.bytes - before.bytes, grown.blocks - before.blocks), (32, 1));
    assert_eq!((grown.calls - before.calls, grown.requested - before.requested), (2, 16 + 32));
    drop(bytes);
    let after = Allocations::now();
    assert_eq!(after, Allocations { bytes: before.bytes, blocks: before.blocks, ..grown });
}
