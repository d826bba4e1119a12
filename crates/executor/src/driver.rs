use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ptr;

use crate::foreign::UNPOISONED;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use crate::sync::thread::{self, Thread};
use crate::sync::{Mutex, MutexGuard, thread_local};
use crate::thread_id;

thread_local! {
    /// The first poll that this thread is in.
    static NOTE: Note = const { Note { driver: Cell::new(0), call: Cell::new(0) } };
}

struct Note {
    /// The address of the executor's `Driver`. 0 outside of a first poll, and once the right was asked for in it.
    driver: Cell<usize>,
    /// What tells the call from all others under way.
    call: Cell<usize>,
}

/// The right to poll an executor's tasks, held by at most one thread at a time.
///
/// Every strategy of this workspace has one. It answers three questions that are the same whatever a wake names: which
/// thread may poll (so that no task is ever polled by two threads), is this call nested in a task of the same executor
/// (so that it panics instead of waiting for itself), and which thread must be unparked when work arrives.
///
/// A thread that finds the right taken is a follower: it polls only the future of its own `block_on`. Followers that
/// sleep are listed, and the driver that leaves unparks the one that was listed first. That one takes over unless
/// another thread does so before it.
///
/// A thread that drives, parks, is unparked and leaves takes no lock, unless there are or were followers, or it parks
/// here for the first time since another thread did.
///
/// Source: the leader/followers pattern (Schmidt, Stal, Rohnert and Buschmann, *Pattern-Oriented Software
/// Architecture*, volume 2).
///
/// # Driving early
///
/// A `block_on` takes the right only when its future is not ready at once, so a call whose future is ready costs little
/// more than the poll. What that future wakes or spawns in its first poll would then take the path for other threads.
/// Therefore the first poll leaves a note in a thread-local, and a spawn, or a wake that would otherwise unpark the
/// driver, takes the right for that call if the right is free: [`drive_early`](Self::drive_early). The note says for
/// which call, and `early_call` remembers it, since no other call may pass the right on: calls that use the same
/// executor on one thread end in any order where a program switches between stacks.
///
/// A thread in a first poll counts as being in that call, whatever stack it is on. If a program suspends the poll, a
/// wake or a spawn on another stack of the thread still takes the right, just as a call that suspends a later poll
/// keeps it.
///
/// # Leaving
///
/// ```text
/// driving thread                  follower
///   driving = 0                     list the thread in `followers`
///   followed.swap(false)  (4)       followed.swap(true)   (5)
///   was true:                       driving is 0? take it. Else: park
///     take a follower out           take it off the list
///     any left? followed = true (6) it was off, and driving is 0? take it
///     unpark the follower
/// ```
///
/// If (5) comes first, (4) finds it and unparks this follower, or one that was listed before it. If (4) comes first,
/// (5) acquires what (4) released. Then the follower does not find the thread that left in `driving`, but either 0, or
/// a thread whose own (4) is still to come, after this (5), and so finds it.
///
/// A follower that was unparked to take over reads `driving` before it does anything else. If it finds another thread
/// there, the (4) of that thread is still to come and finds (6). For (6) is a swap, too: if it came after that (4), the
/// follower would see what was released there. So a follower need not pass its turn to drive on to another. A follower
/// that does not sleep, since it polls its own future, is not listed: what it waits for in there may be a task that
/// another thread must drive.
///
/// # Parking
///
/// The driving thread may sleep if its queue is empty, and only if it looked after it had announced that it would
/// sleep.
///
/// ```text
/// driving thread                  waking thread
///   parked.swap(true)     (1)       make the work visible
///   look for work                   parked.swap(false)    (2)
///   none: thread::park              was true: unpark the driver
///   parked.swap(false)    (3)
/// ```
///
/// Only read-modify-writes touch `parked`, and each of the driver's acquires what the wakers' before it released. If
/// (2) finds `true`, the waker unparks the driver. If it finds `false`, there are two cases. Another waker has unparked
/// the driver already: then (3) comes after (2) and sees the work. Or the driver is awake: then its next (1) sees the
/// work. That is why (3) is a swap: a store would hide an earlier (2) from the next (1), and the driver could sleep
/// although there is work.
///
/// `thread::park` alone would not do: user code may consume its token inside a poll. Here that loses nothing, since the
/// driver looks for the work itself before each park.
#[derive(Default)]
pub struct Driver {
    /// The thread that drives, as [`thread_id`] names it; 0 while nobody does.
    driving: AtomicUsize,
    /// Set while the driving thread sleeps or is about to.
    parked: AtomicBool,
    /// Set while there may be followers that sleep.
    followed: AtomicBool,
    /// The thread whose handle is in `threads.driver`. Changed by the thread that drives.
    registered: AtomicUsize,
    /// The call in its first poll for which the right was taken; 0 for none. Changed by the thread that drives.
    early_call: AtomicUsize,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    /// The driving thread that parked last.
    driver: Option<Thread>,
    /// The followers that sleep, or are about to, in order of arrival.
    followers: BTreeMap<u64, Thread>,
    /// The key of the follower that comes next.
    next: u64,
}

/// In `driving` once the executor is gone. No thread has this number.
const CLOSED: usize = usize::MAX - 1;

impl Driver {
    /// A right that no thread holds yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters a call of `block_on` or `run`.
    ///
    /// # Panics
    ///
    /// When this thread drives already: the call comes from inside a task of the same executor, or from inside the
    /// future of the `block_on` that drives it.
    #[track_caller]
    #[inline]
    pub fn enter(&self) -> Entered<'_> {
        self.assert_not_nested();
        Entered { driver: self, drives: Cell::new(false), not_send: PhantomData }
    }

    /// Announces the first poll of a `block_on`'s future, in which [`drive_early`](Self::drive_early) takes the right.
    /// However the poll ends, also by unwinding, [`end_first_poll`](Self::end_first_poll) must follow.
    ///
    /// `call` tells the call from all others that are under way: the address of something that is its own.
    ///
    /// # Panics
    ///
    /// As [`enter`](Self::enter).
    #[track_caller]
    #[inline]
    pub fn begin_first_poll(&self, call: usize) {
        self.assert_not_nested();
        let _ = NOTE.try_with(|note| {
            note.driver.set(self.address());
            note.call.set(call);
        });
    }

    /// Ends what [`begin_first_poll`](Self::begin_first_poll) began. Returns the call if it drives already.
    #[inline]
    pub fn end_first_poll(&self, call: usize) -> Option<Entered<'_>> {
        let uneventful = NOTE.try_with(|note| note.driver.replace(0) == self.address()).unwrap_or(true);
        if uneventful { None } else { self.end_early(call) }
    }

    /// For a first poll that has woken or spawned something, or made other calls.
    #[cold]
    #[inline(never)]
    fn end_early(&self, call: usize) -> Option<Entered<'_>> {
        // Relaxed: changed by the thread that drives, which is this one.
        if !self.drives_here() || self.early_call.load(Relaxed) != call {
            return None;
        }
        self.early_call.store(0, Relaxed);
        Some(Entered { driver: self, drives: Cell::new(true), not_send: PhantomData })
    }

    #[inline]
    fn is_in_first_poll(&self) -> bool {
        // In a thread-local's destructor, where thread-locals are made of keys: then there is no first poll.
        NOTE.try_with(|note| note.driver.get() == self.address()).unwrap_or(false)
    }

    /// Takes the right for the call of this executor in whose first poll the thread is. Returns false if the thread is
    /// in none, or if the right is not free: then it is not asked for again during this poll.
    #[cold]
    pub fn drive_early(&self) -> bool {
        if !self.is_in_first_poll() {
            return false;
        }
        NOTE.with(|note| {
            note.driver.set(0);
            let taken = self.take();
            if taken {
                // Relaxed: read by this thread only.
                self.early_call.store(note.call.get(), Relaxed);
            }
            taken
        })
    }

    /// What tells this executor from all others that exist.
    #[inline]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Takes the right if it is free.
    fn take(&self) -> bool {
        // Acquire: pairs with the Release in `leave`; the tasks are as the last thread left them.
        self.driving.fetch_update(Acquire, Relaxed, |driving| (driving == 0).then(thread_id::assign)).is_ok()
    }

    /// Panics as [`enter`](Self::enter) does. For a `block_on` that enters only if its future is not ready at once.
    #[track_caller]
    #[inline]
    pub fn assert_not_nested(&self) {
        assert!(
            !self.drives_here(),
            "`block_on` or `run` was called inside a task of the same executor, or inside the future that it drives: \
             it would wait for itself; `.await` the future instead"
        );
    }

    /// Whether the calling thread holds the right.
    #[inline]
    pub fn drives_here(&self) -> bool {
        // Relaxed: only this thread writes its own number, so reading it means having written it.
        thread_id::current() == self.driving.load(Relaxed)
    }

    /// Takes the right for good, for the executor's drop. Returns false if a thread holds it.
    ///
    /// A drop borrows the executor exclusively, so one would think that no thread drives. But `exit` runs the
    /// destructors of its thread's thread-locals while calls are under way on that thread and on others, and a stack
    /// may be forgotten with a call on it. What such a call is in the middle of must be left alone. Other calls that
    /// use the executor at that moment are not noticed.
    #[must_use]
    pub fn close(&self) -> bool {
        if self.is_in_first_poll() {
            // That call's stack was forgotten.
            NOTE.with(|note| note.driver.set(0));
        }
        // Acquire: pairs with the Release in `leave`; the tasks are as the last thread left them.
        self.driving.fetch_update(Acquire, Relaxed, |driving| (driving == 0).then_some(CLOSED)).is_ok()
    }

    /// Makes the driving thread look for work again, if there is one and it sleeps. Call this after the work is
    /// visible.
    pub fn unpark(&self) {
        // The driving thread is awake when it calls this itself.
        if self.drives_here() {
            return;
        }
        // (2) AcqRel: pairs with (1) and (3) in `Entered::park_unless`.
        if self.parked.swap(false, AcqRel) {
            let driver = self.threads().driver.clone();
            if let Some(thread) = driver {
                thread.unpark();
            }
        }
    }

    fn threads(&self) -> MutexGuard<'_, Threads> {
        self.threads.lock().expect(UNPOISONED)
    }
}

impl fmt::Debug for Driver {
    /// Shows no more: a writer is foreign code, and must not run under the lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("parked", &self.parked).finish_non_exhaustive()
    }
}

/// A call of `block_on` or `run` under way, whose future was not ready at once. Dropping it, also by unwinding, passes
/// the right to drive on.
#[derive(Debug)]
pub struct Entered<'a> {
    driver: &'a Driver,
    drives: Cell<bool>,
    /// The right belongs to a thread.
    not_send: PhantomData<*const ()>,
}

impl Entered<'_> {
    /// Whether this call drives. Takes the right if it is free.
    #[inline]
    pub fn drives(&self) -> bool {
        self.drives.get() || self.take_over()
    }

    #[cold]
    fn take_over(&self) -> bool {
        let taken = self.driver.take();
        self.drives.set(taken);
        taken
    }

    /// Parks the thread until it is unparked, unless `ready` says that there is something to do. May return early.
    ///
    /// Call this in a loop, with [`drives`](Self::drives) inside the loop.
    pub fn park_unless(&self, ready: impl FnOnce() -> bool) {
        if !self.drives.get() {
            return self.follow_unless(ready);
        }
        if self.driver.registered.load(Relaxed) != thread_id::current() {
            self.register();
        }
        // (1) AcqRel: pairs with (2).
        self.driver.parked.swap(true, AcqRel);
        if !ready() {
            thread::park();
        }
        // (3) Acquire: pairs with (2).
        self.driver.parked.swap(false, Acquire);
    }

    /// Parks a thread that does not drive until its own future is woken, or the right is free and this thread is next.
    #[cold]
    fn follow_unless(&self, ready: impl FnOnce() -> bool) {
        let mut threads = self.driver.threads();
        let number = threads.next;
        threads.next += 1;
        threads.followers.insert(number, thread::current());
        drop(threads);
        // (5) AcqRel: pairs with (4) in `leave`.
        self.driver.followed.swap(true, AcqRel);
        if !ready() && !self.drives() {
            thread::park();
        }
        let noted = self.driver.threads().followers.remove(&number);
        if noted.is_none() {
            // Unparked to take over.
            self.drives();
        }
    }

    #[cold]
    fn register(&self) {
        self.driver.threads().driver = Some(thread::current());
        // Relaxed: only the driving thread reads it, and the right to drive is handed over with an order.
        self.driver.registered.store(thread_id::current(), Relaxed);
    }

    #[cold]
    fn leave(&self) {
        // Release: pairs with the Acquire in `Driver::take`.
        self.driver.driving.store(0, Release);
        // (4) AcqRel: pairs with (5) in `follow_unless`, and with (6).
        if self.driver.followed.swap(false, AcqRel) {
            let mut threads = self.driver.threads();
            let follower = threads.followers.pop_first();
            if !threads.followers.is_empty() {
                // (6) AcqRel: pairs with (4) of the threads that leave after this.
                self.driver.followed.swap(true, AcqRel);
            }
            drop(threads);
            if let Some((_, follower)) = follower {
                follower.unpark();
            }
        }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.drives.get() {
            self.leave();
        }
    }
}

#[cfg(all(test, not(wakers_loom)))]
mod tests {
    use std::sync::Barrier;

    use super::*;

    const FOLLOWERS: usize = 8;

    #[test]
    fn a_hand_over_unparks_one_follower() {
        let (driver, unparked) = (Driver::new(), AtomicUsize::new(0));
        let (took_over, leave) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            let entered = driver.enter();
            assert!(entered.drives());
            for _ in 0..FOLLOWERS {
                scope.spawn(|| {
                    let entered = driver.enter();
                    while !entered.drives() {
                        entered.park_unless(|| entered.drives());
                        unparked.fetch_add(1, Relaxed);
                    }
                    took_over.wait();
                    leave.wait();
                });
            }
            while driver.threads().followers.len() < FOLLOWERS {
                thread::yield_now();
            }
            drop(entered);
            for handed_over in 1..=FOLLOWERS {
                took_over.wait();
                assert_eq!(unparked.load(Relaxed), handed_over, "followers that were unparked");
                assert_eq!(driver.threads().followers.len(), FOLLOWERS - handed_over, "followers that are noted");
                leave.wait();
            }
        });
    }
}
