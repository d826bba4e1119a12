#![expect(unsafe_code, reason = "references that are counted by hand are pointers")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::rc::Rc;
use std::sync;
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

use loom::alloc::Track;
use loom::sync::atomic::{AtomicUsize, Ordering::*, fence};

/// `std::sync::Arc` with a count beside std's own, which loom sees: with the orders that std's has and no others.
/// loom's `Arc` orders more where it is asked for its count.
pub struct Arc<T>(sync::Arc<T>);

/// What is counted, for as long as the allocation is alive.
struct Count {
    references: AtomicUsize,
    _leak: Track<()>,
}

std::thread_local! {
    /// The counts of all that is alive, by address. All threads of an execution are one to the operating system.
    static COUNTS: RefCell<HashMap<usize, Rc<Count>>> = RefCell::default();
}

impl<T> Arc<T> {
    /// As in std.
    pub fn new(value: T) -> Self {
        let value = sync::Arc::new(value);
        let count = Count { references: AtomicUsize::new(1), _leak: Track::new(()) };
        let before = COUNTS.with_borrow_mut(|counts| counts.insert(address(sync::Arc::as_ptr(&value)), Rc::new(count)));
        // Of an execution that has failed.
        mem::forget(before);
        Self(value)
    }

    /// As in std.
    pub fn as_ptr(this: &Self) -> *const T {
        sync::Arc::as_ptr(&this.0)
    }

    /// As in std.
    pub fn into_raw(this: Self) -> *const T {
        Self::as_ptr(&ManuallyDrop::new(this))
    }

    /// As in std, and fails the model where nothing is alive at this address.
    ///
    /// # Safety
    ///
    /// As in std.
    pub unsafe fn from_raw(pointer: *const T) -> Self {
        count(pointer);
        // SAFETY: as the caller promises.
        Self(unsafe { sync::Arc::from_raw(pointer) })
    }

    /// As in std, and fails the model where nothing is alive at this address.
    ///
    /// # Safety
    ///
    /// As in std.
    pub unsafe fn increment_strong_count(pointer: *const T) {
        // SAFETY: as the caller promises; it is not dropped.
        let one = ManuallyDrop::new(unsafe { Self::from_raw(pointer) });
        mem::forget(Self::clone(&one));
    }

    /// As in std.
    pub fn strong_count(this: &Self) -> usize {
        count(Self::as_ptr(this)).references.load(Relaxed)
    }
}

fn address<T>(pointer: *const T) -> usize {
    pointer.addr()
}

fn count<T>(pointer: *const T) -> Rc<Count> {
    let count = COUNTS.with_borrow(|counts| counts.get(&address(pointer)).cloned());
    count.expect("an `Arc` was used after it had been freed")
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        // The step of another thread may come first, and free it: asked again after it.
        count(Self::as_ptr(self)).references.fetch_add(1, Relaxed);
        count(Self::as_ptr(self));
        Self(self.0.clone())
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        let count = count(Self::as_ptr(self));
        if count.references.fetch_sub(1, Release) == 1 {
            fence(Acquire);
            COUNTS.with_borrow_mut(|counts| counts.remove(&address(Self::as_ptr(self))));
        }
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Default> Default for Arc<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Wakes with `wake_by_ref` also by value, and drops the reference after it.
impl<W: Wake + Send + Sync + 'static> From<Arc<W>> for Waker {
    fn from(target: Arc<W>) -> Self {
        // SAFETY: the functions of the table do what is asked of them, with a pointer that stands for one reference.
        unsafe { Waker::from_raw(raw_waker(target)) }
    }
}

fn raw_waker<W: Wake + Send + Sync + 'static>(target: Arc<W>) -> RawWaker {
    RawWaker::new(
        Arc::into_raw(target).cast(),
        const { &RawWakerVTable::new(clone::<W>, wake::<W>, wake_by_ref::<W>, drop::<W>) },
    )
}

unsafe fn clone<W: Wake + Send + Sync + 'static>(target: *const ()) -> RawWaker {
    // SAFETY: the waker's reference, which stays.
    let target = ManuallyDrop::new(unsafe { Arc::<W>::from_raw(target.cast()) });
    raw_waker(Arc::clone(&target))
}

unsafe fn wake<W: Wake + Send + Sync + 'static>(target: *const ()) {
    // SAFETY: the waker's reference, which goes.
    let target = unsafe { Arc::<W>::from_raw(target.cast()) };
    W::wake_by_ref(&target.0);
}

unsafe fn wake_by_ref<W: Wake + Send + Sync + 'static>(target: *const ()) {
    // SAFETY: the waker's reference, which stays.
    let target = ManuallyDrop::new(unsafe { Arc::<W>::from_raw(target.cast()) });
    W::wake_by_ref(&target.0);
}

unsafe fn drop<W: Wake + Send + Sync + 'static>(target: *const ()) {
    // SAFETY: the waker's reference, which goes.
    mem::drop(unsafe { Arc::<W>::from_raw(target.cast()) });
}
