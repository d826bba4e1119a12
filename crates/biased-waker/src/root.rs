//! The waker for the root, the future of a `block_on`. The root is no task, but its waker is counted and woken in the
//! same two ways. Its owner is the thread that calls `block_on`.

#![expect(unsafe_code, reason = "a vtable deals in untyped pointers and in references that the compiler does not see")]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use executor::support::{Cached, Renew, thread_id};
use executor::sync::atomic::{AtomicBool, Ordering::*};
use executor::sync::cell::Cell;
use executor::sync::thread::{self, Thread};
use executor::sync::{Alive, free, thread_local};

use crate::count::BiasedCount;

thread_local! {
    static CACHED: Cached<RootWaker> = const { Cached::new() };
}

/// What `executor::support::RootWaker` is to arc-waker and raw-waker, without an atomic read-modify-write on its own
/// thread.
///
/// It holds the owner's reference, which it gives up when it is dropped.
#[derive(Debug)]
pub(crate) struct RootWaker {
    root: NonNull<Root>,
}

#[derive(Debug)]
struct Root {
    /// Stands for the owner's reference. Never dropped, so it gives no reference back.
    waker: ManuallyDrop<Waker>,
    count: BiasedCount,
    /// Woken by the owner. Belongs to it.
    woken_locally: Cell<bool>,
    /// Woken by another thread.
    woken_remotely: AtomicBool,
    thread: Thread,
    /// The same thread, as [`thread_id::current`] names it.
    owner: usize,
    /// For the models: begins and ends with this.
    alive: Alive,
}

/// As for tasks: a named `static`, since `will_wake` compares its address.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone_waker, wake_by_val, wake_by_ref, drop_waker);

impl RootWaker {
    /// Calls `f` with a waker for the calling thread that is not woken yet. See [`Cached::with`].
    #[inline]
    pub(crate) fn with<R>(f: impl FnOnce(&RootWaker) -> R) -> R {
        Cached::with(&CACHED, |root| f(root))
    }

    #[inline]
    fn root(&self) -> &Root {
        // SAFETY: the owner has not given up its reference.
        unsafe { borrow_raw(self.root.as_ptr().cast_const().cast()) }
    }

    /// Identifies the call of `block_on`: no other call that is under way has this address.
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
        self.root().woken_locally.get() || self.root().woken_remotely.load(Relaxed)
    }

    /// Like [`is_woken`](Self::is_woken), and forgets it: call it before the poll.
    #[inline]
    pub(crate) fn take_woken(&self) -> bool {
        let root = self.root();
        let local = root.woken_locally.replace(false);
        // Acquire: pairs with the Release in `Root::wake`; the poll sees what every waking thread wrote. A swap, as a
        // load and a store would miss a wake in between.
        let remote = root.woken_remotely.load(Relaxed) && root.woken_remotely.swap(false, Acquire);
        local || remote
    }
}

impl Renew for RootWaker {
    #[cold]
    #[inline(never)]
    fn new() -> Self {
        let root = Root {
            waker: ManuallyDrop::new(Waker::noop().clone()),
            count: BiasedCount::new(0, 0),
            woken_locally: Cell::new(false),
            woken_remotely: AtomicBool::new(false),
            thread: thread::current(),
            owner: thread_id::assign(),
            alive: Alive::new(),
        };
        let root = NonNull::from(Box::leak(Box::new(root)));
        // SAFETY: the functions of `VTABLE` require a pointer to a root to which a reference is held. The owner holds
        // its own for as long as this waker, which is never dropped, can be reached.
        let waker = unsafe { Waker::new(root.as_ptr().cast_const().cast(), &VTABLE) };
        // SAFETY: nobody else knows of the root yet.
        unsafe { (*root.as_ptr()).waker = ManuallyDrop::new(waker) };
        Self { root }
    }

    #[inline]
    fn renew(self) -> Option<Self> {
        let renewed = self.root().count.is_sole().then_some(self)?;
        // Nobody else can wake it now.
        renewed.root().woken_locally.set(false);
        renewed.root().woken_remotely.store(false, Relaxed);
        Some(renewed)
    }
}

impl Drop for RootWaker {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this has the owner's reference, and is not used after this.
        unsafe { release(self.root) };
    }
}

impl Root {
    #[inline]
    fn is_owner(&self) -> bool {
        thread_id::current() == self.owner
    }

    #[inline]
    fn wake(&self) {
        if self.is_owner() {
            // The owner is awake, and looks at the flag before it parks.
            self.woken_locally.set(true);
        } else if !self.woken_remotely.swap(true, Release) {
            // Release: pairs with the Acquire in `take_woken`. A swap even if the flag is set already, so that this
            // wake, too, happens before the poll.
            self.thread.unpark();
        }
    }
}

/// Outlined: a `block_on` puts the waker back into the cache and does not drop it.
///
/// # Safety
///
/// The owner has not given up its reference to `root`, and gives it up with this call.
#[cold]
#[inline(never)]
unsafe fn release(root: NonNull<Root>) {
    // SAFETY: as the caller promises.
    let count = unsafe { &borrow_raw(root.as_ptr().cast_const().cast()).count };
    if count.is_sole() || count.merge() {
        // SAFETY: that was the last reference, and `RootWaker::new` made the pointer from a box.
        free(unsafe { Box::from_raw(root.as_ptr()) });
    }
}

/// # Safety
///
/// `data` points to a root to which a reference is held while the result is used.
#[inline]
unsafe fn borrow_raw<'a>(data: *const ()) -> &'a Root {
    // SAFETY: as the caller promises.
    let root = unsafe { &*data.cast::<Root>() };
    root.alive.check();
    root
}

/// # Safety
///
/// `data` points to a root to which the waker holds a reference, as [`RootWaker::new`] and [`clone_waker`] make it.
unsafe fn clone_waker(data: *const ()) -> RawWaker {
    // SAFETY: the caller's waker holds a reference.
    let root = unsafe { borrow_raw(data) };
    root.count.add(root.is_owner());
    RawWaker::new(data, &VTABLE)
}

/// # Safety
///
/// As for [`clone_waker`]; the reference passes to this function.
unsafe fn wake_by_val(data: *const ()) {
    // SAFETY: the caller's waker holds a reference.
    unsafe { wake_by_ref(data) };
    // SAFETY: and hands it over.
    unsafe { drop_waker(data) };
}

/// # Safety
///
/// As for [`clone_waker`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the caller's waker holds a reference.
    unsafe { borrow_raw(data) }.wake();
}

/// # Safety
///
/// As for [`clone_waker`]; the reference passes to this function.
unsafe fn drop_waker(data: *const ()) {
    // SAFETY: the caller's waker holds a reference.
    let root = unsafe { borrow_raw(data) };
    if !root.count.sub_local(root.is_owner()) && root.count.sub_remote() {
        // SAFETY: that was the last reference, and `RootWaker::new` made the pointer from a box.
        free(unsafe { Box::from_raw(data.cast_mut().cast::<Root>()) });
    }
}
