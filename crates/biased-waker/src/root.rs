//! The waker for the future of a `block_on`: no task, but counted and woken in the same two ways. Its home is its
//! thread.

#![expect(unsafe_code, reason = "a vtable deals in untyped pointers and in counts that the compiler does not see")]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use executor::support::thread_id;
use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::cell::Cell;
use executor::sync::thread::{self, Thread};
use executor::sync::{Alive, free, thread_local};

use crate::count::BiasedCount;

thread_local! {
    /// The waker of this thread's last `block_on`, kept for the next one. Taken out while one is under way, so that a
    /// nested `block_on` gets a waker of its own and cannot take the outer one's wakes.
    static CACHED: Cell<Option<RootWaker>> = const { Cell::new(None) };
}

/// What `executor::support::RootWaker` is to arc-waker and raw-waker, at no atomic operation on its own thread.
///
/// It is the owner of the root, which it lets go of when it is dropped.
#[derive(Debug)]
pub(crate) struct RootWaker {
    root: NonNull<Root>,
}

#[derive(Debug)]
struct Root {
    /// Refers to this root by the owner's reference. It is never dropped: by it none is given back.
    waker: ManuallyDrop<Waker>,
    count: BiasedCount,
    /// Woken on its own thread. Belongs to that.
    woken_here: Cell<bool>,
    /// Woken by another.
    woken_away: AtomicBool,
    thread: Thread,
    /// The thread once more, as [`thread_id`] names it.
    home: usize,
    /// For the models: begins and ends with this.
    alive: Alive,
}

/// As for tasks: a named `static`, since `will_wake` compares its address.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

impl RootWaker {
    /// Runs `f`, once, with a waker for the calling thread, not woken yet.
    ///
    /// Allocates where the last call on this thread has left nothing: it was the first, or this one is nested in it, or
    /// it panicked; and when a clone of that waker still exists: a stale waker never wakes a later call.
    #[inline]
    pub(crate) fn with<R>(f: impl FnOnce(&RootWaker) -> R) -> R {
        // In the destructor of another thread-local the cache may be gone.
        let cached = CACHED.try_with(Cell::take).unwrap_or_default();
        let root = cached.and_then(Self::renew).unwrap_or_else(Self::new);
        let result = f(&root);
        // One that a nested call has left is dropped.
        let _ = CACHED.try_with(|cached| cached.set(Some(root)));
        result
    }

    /// Makes it one that is not woken, unless somebody else still has it.
    #[inline]
    fn renew(self) -> Option<Self> {
        let renewed = self.root().count.is_sole().then_some(self)?;
        // Nobody wakes it meanwhile.
        renewed.root().woken_here.set(false);
        renewed.root().woken_away.store(false, Relaxed);
        Some(renewed)
    }

    #[cold]
    #[inline(never)]
    fn new() -> Self {
        let root = Root {
            waker: ManuallyDrop::new(Waker::noop().clone()),
            count: BiasedCount::new(0, 0),
            woken_here: Cell::new(false),
            woken_away: AtomicBool::new(false),
            thread: thread::current(),
            home: thread_id::assign(),
            alive: Alive::new(),
        };
        let root = NonNull::from(Box::leak(Box::new(root)));
        // SAFETY: the functions of `VTABLE` expect a pointer to a root to which a reference is held. The owner holds
        // its own for as long as this waker, which is never dropped, can be reached.
        let waker = unsafe { Waker::new(root.as_ptr().cast_const().cast(), &VTABLE) };
        // SAFETY: nobody else knows of the root yet.
        unsafe { (*root.as_ptr()).waker = ManuallyDrop::new(waker) };
        Self { root }
    }

    #[inline]
    fn root(&self) -> &Root {
        // SAFETY: the owner has not let go of it.
        unsafe { look(self.root.as_ptr().cast_const().cast()) }
    }

    /// What tells the call that this is for from all others under way.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.root.addr().get()
    }

    /// The waker to poll with.
    #[inline]
    pub(crate) fn waker(&self) -> &Waker {
        &self.root().waker
    }

    /// Whether the future was woken since the last [`take_woken`](Self::take_woken).
    #[inline]
    pub(crate) fn is_woken(&self) -> bool {
        self.root().woken_here.get() || self.root().woken_away.load(Relaxed)
    }

    /// Like [`is_woken`](Self::is_woken), and forgets it: call it before the poll.
    #[inline]
    pub(crate) fn take_woken(&self) -> bool {
        let root = self.root();
        let here = root.woken_here.replace(false);
        // Acquire: pairs with the Release in `Root::wake`; the poll sees what every waking thread wrote. A swap, as a
        // load and a store would miss a wake in between.
        let away = root.woken_away.load(Relaxed) && root.woken_away.swap(false, Acquire);
        here || away
    }
}

impl Drop for RootWaker {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this is the owner, and it is going.
        unsafe { let_go(self.root) };
    }
}

impl Root {
    #[inline]
    fn is_here(&self) -> bool {
        thread_id::current() == self.home
    }

    #[inline]
    fn wake(&self) {
        if self.is_here() {
            // Its own thread is awake, and looks at the flag before it parks.
            self.woken_here.set(true);
        } else if !self.woken_away.swap(true, Release) {
            // Release: pairs with the Acquire in `take_woken`. A swap even if the flag is set already, so that this
            // wake, too, happens before the poll.
            self.thread.unpark();
        }
    }
}

/// Kept out of the way of a `block_on`, which puts the owner back into the cache.
///
/// # Safety
///
/// The owner has not let go of `root`, and does it with this call.
#[cold]
#[inline(never)]
unsafe fn let_go(root: NonNull<Root>) {
    // SAFETY: as the caller promises.
    let count = unsafe { &look(root.as_ptr().cast_const().cast()).count };
    if count.is_sole() || count.merge() {
        // SAFETY: that was the last reference, and `RootWaker::new` made the pointer from a box.
        free(unsafe { Box::from_raw(root.as_ptr()) });
    }
}

/// # Safety
///
/// `data` points to a root to which a reference is held while the result is used.
#[inline]
unsafe fn look<'a>(data: *const ()) -> &'a Root {
    // SAFETY: as the caller promises.
    let root = unsafe { &*data.cast::<Root>() };
    root.alive.check();
    root
}

/// # Safety
///
/// `data` points to a root to which the waker holds a reference, as [`RootWaker::new`] and [`clone`] make it.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the caller's waker holds a reference.
    let root = unsafe { look(data) };
    root.count.add(root.is_here());
    RawWaker::new(data, &VTABLE)
}

/// # Safety
///
/// As for [`clone()`]; the reference passes to this function.
unsafe fn wake(data: *const ()) {
    // SAFETY: the caller's waker holds a reference.
    unsafe { wake_by_ref(data) };
    // SAFETY: that reference passes on.
    unsafe { drop(data) };
}

/// # Safety
///
/// As for [`clone()`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the caller's waker holds a reference.
    unsafe { look(data) }.wake();
}

/// # Safety
///
/// As for [`clone()`]; the reference passes to this function.
unsafe fn drop(data: *const ()) {
    // SAFETY: the caller's waker holds a reference.
    let root = unsafe { look(data) };
    if !root.count.sub_here(root.is_here()) && root.count.sub_away() {
        // SAFETY: that was the last reference, and `RootWaker::new` made the pointer from a box.
        free(unsafe { Box::from_raw(data.cast_mut().cast::<Root>()) });
    }
}
