//! Where rungs 5 and 6 keep a task: a header and a future in one allocation.

#![expect(unsafe_code, reason = "the future has an owner, the allocation has references that are counted by hand")]

use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

/// The allocation. `repr(C)`: the header comes first, so that a pointer to the allocation is one to the header.
#[repr(C)]
struct Allocation<H, F: ?Sized> {
    header: H,
    free: unsafe fn(*const H),
    future: F,
}

/// Owns the future of an allocation, and drops it. The allocation itself goes with [`free`].
///
/// The pointer's target is valid until `free`, which its caller has to put off until this is dropped. The pointer also
/// keeps this, and all that holds it, on one thread: rung 6 relies on that.
pub(crate) struct Joint<H> {
    allocation: NonNull<Allocation<H, dyn Future<Output = ()> + Send>>,
}

impl<H> Joint<H> {
    pub(crate) fn new<F: Future<Output = ()> + Send + 'static>(header: H, future: F) -> Self {
        let allocation = Box::new(Allocation { header, free: Self::free_with::<F>, future });
        Self { allocation: NonNull::from(Box::leak(allocation)) }
    }

    /// What references point at. May be used for the whole allocation.
    pub(crate) fn as_ptr(&self) -> *const H {
        self.allocation.as_ptr().cast()
    }

    pub(crate) fn header(&self) -> &H {
        // SAFETY: the allocation is there, as nobody calls `free` before this is dropped.
        unsafe { &*self.as_ptr() }
    }

    fn future(&mut self) -> *mut (dyn Future<Output = ()> + Send) {
        // SAFETY: as above.
        unsafe { &raw mut (*self.allocation.as_ptr()).future }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: it is valid, and nobody else reaches the future: this is borrowed exclusively, and headers are apart.
        let future = unsafe { &mut *self.future() };
        // SAFETY: the future stays in its allocation until it is dropped there.
        unsafe { Pin::new_unchecked(future) }.poll(cx)
    }

    /// See [`free`]. `F` is the type of the future, which has been dropped: so it is freed as what drops nothing.
    unsafe fn free_with<F>(header: *const H) {
        // SAFETY: the pointer came from a box of that layout, and as the caller promises, nobody uses it any more.
        drop(unsafe { Box::from_raw(header.cast_mut().cast::<Allocation<H, ManuallyDrop<F>>>()) });
    }
}

impl<H> Drop for Joint<H> {
    fn drop(&mut self) {
        // SAFETY: as in `poll`, and nobody reaches it after this.
        unsafe { ptr::drop_in_place(self.future()) };
    }
}

/// Drops the header and frees the allocation.
///
/// # Safety
///
/// `header` comes from [`Joint::as_ptr`], that `Joint` is dropped, and nobody uses the header any more.
pub(crate) unsafe fn free<H>(header: *const H) {
    // SAFETY: the allocation begins with these two fields, whatever its future.
    let free = unsafe { (*header.cast::<Allocation<H, ()>>()).free };
    // SAFETY: as the caller promises.
    unsafe { free(header) };
}
