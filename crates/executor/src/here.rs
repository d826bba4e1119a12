/// Names the calling thread: the address of a thread-local is never 0 and belongs to one living thread.
#[cfg(not(wakers_loom))]
#[inline]
pub(crate) fn here() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|byte| std::ptr::from_ref(byte).addr())
}

/// In a model a thread-local is made when it is first used, perhaps where one of another thread was before. So threads are
/// numbered.
#[cfg(wakers_loom)]
pub(crate) fn here() -> usize {
    crate::sync::thread::current().id().0
}
