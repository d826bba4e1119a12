#![expect(unsafe_code, reason = "memory is kept a while after its end, so that a use of it can be told")]

use std::alloc::{Layout, dealloc};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::*};

use loom::alloc::Track;
pub use loom::sync::{Condvar, Mutex, MutexGuard};
pub use loom::{cell, hint};

mod arc;

#[doc(hidden)]
pub use ::loom as __loom;
pub use arc::Arc;

pub use crate::__thread_local as thread_local;

/// Loom's, and also with std's `const { .. }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_local {
    () => {};
    ($(#[$attribute:meta])* static $name:ident: $type:ty = const $init:block $(; $($rest:tt)*)?) => {
        $crate::sync::__loom::thread_local! { $(#[$attribute])* static $name: $type = $init }
        $($crate::sync::thread_local! { $($rest)* })?
    };
    ($(#[$attribute:meta])* static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $crate::sync::__loom::thread_local! { $(#[$attribute])* static $name: $type = $init }
        $($crate::sync::thread_local! { $($rest)* })?
    };
}

pub mod atomic {
    //! loom's atomics, with every access a place where another thread may go first.
    //!
    //! loom leaves out interleavings that it takes for equal to others, and for that it remembers the last access to
    //! each atomic, of whichever thread. Where one thread loads and then changes an atomic, its own load hides the load
    //! that another thread made before, and the order in which that thread loads after the change is never tried. So
    //! each access is preceded by a change of a second atomic, which orders nothing, as it is relaxed, but has to be
    //! tried in every order.

    use std::fmt;
    pub use std::sync::atomic::Ordering;

    use loom::sync::atomic as inner;
    pub use loom::sync::atomic::fence;

    macro_rules! atomics {
        ($($(#[$attribute:meta])* $name:ident $([$parameter:ident])?: $value:ty;)*) => {$(
            $(#[$attribute])*
            pub struct $name $(<$parameter>)? {
                value: inner::$name $(<$parameter>)?,
                turn: inner::AtomicUsize,
            }

            impl $(<$parameter>)? fmt::Debug for $name $(<$parameter>)? {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }

            impl $(<$parameter>)? $name $(<$parameter>)? {
                /// An atomic with `value` in it.
                pub fn new(value: $value) -> Self {
                    Self { value: inner::$name::new(value), turn: inner::AtomicUsize::new(0) }
                }

                fn turn(&self) -> &inner::$name $(<$parameter>)? {
                    self.turn.fetch_add(1, Ordering::Relaxed);
                    &self.value
                }

                /// As in std.
                pub fn load(&self, order: Ordering) -> $value {
                    self.turn().load(order)
                }

                /// As in std.
                pub fn store(&self, value: $value, order: Ordering) {
                    self.turn().store(value, order);
                }

                /// As in std.
                pub fn swap(&self, value: $value, order: Ordering) -> $value {
                    self.turn().swap(value, order)
                }

                /// As in std.
                #[expect(clippy::missing_errors_doc, reason = "std's")]
                pub fn compare_exchange(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    self.turn().compare_exchange(current, new, success, failure)
                }

                /// As in std.
                #[expect(clippy::missing_errors_doc, reason = "std's")]
                pub fn compare_exchange_weak(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    self.turn().compare_exchange_weak(current, new, success, failure)
                }

                /// As in std.
                #[expect(clippy::missing_errors_doc, reason = "std's")]
                pub fn fetch_update(
                    &self,
                    set: Ordering,
                    fetch: Ordering,
                    f: impl FnMut($value) -> Option<$value>,
                ) -> Result<$value, $value> {
                    self.turn().fetch_update(set, fetch, f)
                }
            }
        )*};
    }

    atomics! {
        /// As in std.
        AtomicBool: bool;
        /// As in std.
        AtomicU8: u8;
        /// As in std.
        AtomicUsize: usize;
        /// As in std.
        AtomicPtr[T]: *mut T;
    }

    impl AtomicUsize {
        /// As in std.
        pub fn fetch_add(&self, value: usize, order: Ordering) -> usize {
            self.turn().fetch_add(value, order)
        }

        /// As in std.
        pub fn fetch_sub(&self, value: usize, order: Ordering) -> usize {
            self.turn().fetch_sub(value, order)
        }

        /// As in std.
        pub fn fetch_and(&self, value: usize, order: Ordering) -> usize {
            self.turn().fetch_and(value, order)
        }

        /// As in std.
        pub fn fetch_or(&self, value: usize, order: Ordering) -> usize {
            self.turn().fetch_or(value, order)
        }
    }

    impl Default for AtomicBool {
        fn default() -> Self {
            Self::new(false)
        }
    }

    impl Default for AtomicUsize {
        fn default() -> Self {
            Self::new(0)
        }
    }

    impl<T> Default for AtomicPtr<T> {
        fn default() -> Self {
            Self::new(std::ptr::null_mut())
        }
    }
}

pub mod channel {
    //! What arc-waker needs of `crossbeam_channel`, whose inside loom does not see. The lock orders more than a channel
    //! does, which orders only a message before its receipt: what would rely on less goes unnoticed here.

    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::sync::mpsc::{SendError, TryRecvError};

    use super::Mutex;

    /// A channel that holds any number of messages.
    pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
        let messages = Arc::new(Mutex::new(Some(VecDeque::new())));
        (Sender(messages.clone()), Receiver(messages))
    }

    type Messages<T> = Arc<Mutex<Option<VecDeque<T>>>>;

    /// Where messages go in. Any thread may send.
    #[derive(Debug)]
    pub struct Sender<T>(Messages<T>);

    /// Where messages come out. (In no model is a clone of it left when it is dropped.)
    #[derive(Clone, Debug)]
    pub struct Receiver<T>(Messages<T>);

    impl<T> Sender<T> {
        /// Hands the message back if the receiver is gone.
        pub fn send(&self, message: T) -> Result<(), SendError<T>> {
            let mut messages = self.0.lock().expect("loom does not poison");
            match messages.as_mut() {
                Some(messages) => messages.push_back(message),
                None => {
                    drop(messages);
                    return Err(SendError(message));
                }
            }
            Ok(())
        }
    }

    impl<T> Receiver<T> {
        /// The oldest message, if there is one.
        pub fn try_recv(&self) -> Result<T, TryRecvError> {
            self.with(VecDeque::pop_front).ok_or(TryRecvError::Empty)
        }

        /// The number of messages.
        pub fn len(&self) -> usize {
            self.with(|messages| messages.len())
        }

        /// Whether there is none.
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        fn with<R>(&self, f: impl FnOnce(&mut VecDeque<T>) -> R) -> R {
            let mut messages = self.0.lock().expect("loom does not poison");
            f(messages.as_mut().expect("the receiver exists"))
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            let messages = self.0.lock().expect("loom does not poison").take();
            drop(messages);
        }
    }
}

pub mod thread {
    //! `std::thread`, as far as the executors use it.

    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use loom::sync::Notify;
    pub use loom::thread::{JoinHandle, LocalKey, spawn, yield_now};

    super::thread_local! {
        static CURRENT: Thread = Thread::new();
    }

    /// A handle to a thread.
    #[derive(Clone, Debug)]
    pub struct Thread(Arc<Inner>);

    #[derive(Debug)]
    struct Inner {
        id: ThreadId,
        token: Notify,
    }

    /// Names a thread. No other ever has the same, in no execution of any model.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ThreadId(pub(crate) usize);

    impl Thread {
        fn new() -> Self {
            static LAST: AtomicUsize = AtomicUsize::new(0);
            let id = ThreadId(LAST.fetch_add(1, Relaxed) + 1);
            Self(Arc::new(Inner { id, token: Notify::new() }))
        }

        /// The thread's name.
        pub fn id(&self) -> ThreadId {
            self.0.id
        }

        /// Leaves the token that a `park` takes.
        pub fn unpark(&self) {
            self.0.token.notify();
        }
    }

    /// The calling thread.
    pub fn current() -> Thread {
        CURRENT.with(Clone::clone)
    }

    /// Waits for the token, or returns for no reason.
    pub fn park() {
        current().0.token.wait();
    }
}

/// A liveness marker for allocations that are counted by hand: fails the model when the allocation is leaked, when it
/// is used after its end, and when its end is not ordered after every use.
pub struct Alive {
    uses: cell::UnsafeCell<()>,
    ended: AtomicBool,
    _leak: Track<()>,
}

impl Alive {
    /// Begins the life of an allocation. It ends when this is dropped.
    #[expect(clippy::new_without_default, reason = "the beginning of a life is not a default")]
    pub fn new() -> Self {
        LIVING.set(LIVING.get() + 1);
        Self { uses: cell::UnsafeCell::new(()), ended: AtomicBool::new(false), _leak: Track::new(()) }
    }

    /// How many there are in this execution.
    pub fn count() -> usize {
        LIVING.get()
    }

    /// Claims that the allocation is alive, and that its end comes after this.
    pub fn check(&self) {
        assert!(!self.ended.load(Relaxed), "memory was used after it had been freed");
        self.uses.with(|_| ());
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        assert!(!self.ended.swap(true, Relaxed), "memory was freed twice");
        self.uses.with_mut(|_| ());
        LIVING.set(LIVING.get() - 1);
    }
}

// All threads of an execution are one to the operating system.
std::thread_local!(static LIVING: Cell<usize> = const { Cell::new(0) });

impl fmt::Debug for Alive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alive").finish_non_exhaustive()
    }
}

/// How many allocations are kept after their end: more than any one execution makes.
const KEPT: usize = 1_000;

/// Memory whose value is dropped.
struct Ended {
    memory: *mut u8,
    layout: Layout,
}

impl Drop for Ended {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: it came from a box of this layout, and nobody else frees it.
            unsafe { dealloc(self.memory, self.layout) };
        }
    }
}

/// Drops the value and frees its memory, later: so an [`Alive`] in it notices a thread that still looks at it.
pub fn free<T>(value: Box<T>) {
    std::thread_local!(static ENDED: RefCell<VecDeque<Ended>> = const { RefCell::new(VecDeque::new()) });

    let value = Box::into_raw(value);
    // SAFETY: the pointer comes from a box, which nobody drops any more.
    unsafe { ptr::drop_in_place(value) };
    ENDED.with_borrow_mut(|ended| {
        ended.push_back(Ended { memory: value.cast(), layout: Layout::new::<T>() });
        if ended.len() > KEPT {
            ended.pop_front();
        }
    });
}
