#![expect(unsafe_code, reason = "`GlobalAlloc` is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering::*};

static SUSPENDED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static BYTES: Cell<isize> = const { Cell::new(0) };
    static BLOCKS: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static REQUESTED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting for each thread what it allocates and frees.
///
/// [`tests!`](crate::tests) installs it as the program's global allocator. Where it is not installed, clauses about
/// memory say so and are vacuous.
#[derive(Debug)]
pub struct CountingAllocator;

/// What the calling thread has allocated and freed so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocations {
    /// Bytes allocated less bytes freed by this thread. To free another thread's block makes it smaller.
    pub bytes: isize,
    /// Blocks allocated less blocks freed by this thread.
    pub blocks: isize,
    /// Calls that allocated or moved a block.
    pub calls: usize,
    /// Bytes that these calls asked for, freed or not.
    pub requested: usize,
}

impl Allocations {
    /// The calling thread's counts.
    pub fn now() -> Self {
        Self { bytes: BYTES.get(), blocks: BLOCKS.get(), calls: CALLS.get(), requested: REQUESTED.get() }
    }

    /// Stops counting in this program forever: an allocation then costs one load and one branch more than the
    /// system's. For programs that time something.
    pub fn suspend() {
        // Relaxed: publishes nothing.
        SUSPENDED.store(true, Relaxed);
    }

    /// Whether this program counts at all.
    pub fn are_counted() -> bool {
        let before = Self::now().calls;
        drop(std::hint::black_box(Box::new(0_u8)));
        Self::now().calls > before
    }
}

/// Wraps, as an allocator must not unwind.
fn count(bytes: isize, blocks: isize, requested: Option<usize>) {
    if SUSPENDED.load(Relaxed) {
        return;
    }
    BYTES.set(BYTES.get().wrapping_add(bytes));
    BLOCKS.set(BLOCKS.get().wrapping_add(blocks));
    if let Some(requested) = requested {
        CALLS.set(CALLS.get().wrapping_add(1));
        REQUESTED.set(REQUESTED.get().wrapping_add(requested));
    }
}

/// Counts an allocation if the system made it.
fn count_new(block: *mut u8, layout: Layout) -> *mut u8 {
    if !block.is_null() {
        count(signed(layout.size()), 1, Some(layout.size()));
    }
    block
}

/// No block is larger than `isize::MAX`: `Layout` guarantees it.
fn signed(size: usize) -> isize {
    size as isize
}

// SAFETY: every call is passed on unchanged to `System`, which upholds the contract of `GlobalAlloc`, and its result is
// returned. Counting does not unwind: it uses wrapping arithmetic, and thread-locals without destructors, which live as
// long as the thread. Nor does it allocate: on a target without native thread-locals, std takes their memory from
// `System` (since Rust 1.93, rust-lang/rust#144465; with an older Rust such targets are not supported).
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's obligations are those of `System::alloc`.
        let block = unsafe { System.alloc(layout) };
        count_new(block, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's obligations are those of `System::alloc_zeroed`.
        let block = unsafe { System.alloc_zeroed(layout) };
        count_new(block, layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-signed(layout.size()), -1, None);
        // SAFETY: the caller's obligations are those of `System::dealloc`; the block came from `System`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's obligations are those of `System::realloc`; the block came from `System`.
        let moved = unsafe { System.realloc(block, layout, size) };
        if !moved.is_null() {
            count(signed(size) - signed(layout.size()), 0, Some(size));
        }
        moved
    }
}
