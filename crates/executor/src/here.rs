use std::ptr;

/// Names the calling thread: the address of a thread-local is never 0 and belongs to one living thread.
#[inline]
pub(crate) fn here() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|byte| ptr::from_ref(byte).addr())
}
