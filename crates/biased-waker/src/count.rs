//! References counted in two words: `local` belongs to the owner, `remote` is for all other threads.
//!
//! Source: J. Choi, T. Shull, J. Torrellas, "Biased Reference Counting: Minimizing Atomic Operations in Garbage
//! Collection", PACT 2018; also what CPython counts with where it has no global lock (PEP 703).

use std::process;

use executor::sync::Alive;
use executor::sync::atomic::{AtomicUsize, Ordering::*};
use executor::sync::cell::Cell;

/// The owner has given up its reference: from now on every reference is counted in `remote`.
pub(crate) const MERGED: usize = 1 << 0;
/// One reference. The number of references is above the flags, which are [`MERGED`] and those of the counted object.
pub(crate) const ONE: usize = 1 << 6;

/// How many references there are besides the owner's own.
///
/// A reference may be added on one thread and given back on another: so each of the two counts can fall below zero, and
/// only their sum means something. While the owner has its own reference nobody else asks for the sum. In
/// [`merge`](Self::merge) the owner gives that up: there the two become one, once, and from then on `remote` alone is
/// the count.
///
/// ```text
///   owner's thread        other threads
///     local ± 1             remote ± 1           nothing is freed
///        │                     │
///        └── merge: remote += local, MERGED      freed if that is 0
///                   │
///     remote ± 1 on any thread                   freed by the last
/// ```
///
/// The caller must know which thread is the owner, as it depends on what is counted.
///
/// The two drift apart by one for each reference that is added on one side and given back on the other. At 100 ns each,
/// the 2⁵⁶ that a word of 64 bits has room for take two centuries; the 2²⁴ of a 32-bit word would take two seconds.
#[derive(Debug)]
pub(crate) struct BiasedCount {
    /// Belongs to the owner.
    local: Cell<usize>,
    remote: AtomicUsize,
    /// For the models: ends with what is counted.
    alive: Alive,
}

impl BiasedCount {
    pub(crate) fn new(local: usize, remote: usize) -> Self {
        Self { local: Cell::new(local), remote: AtomicUsize::new(remote), alive: Alive::new() }
    }

    /// The owner's word. Only for the owner.
    #[inline]
    pub(crate) fn local(&self) -> usize {
        self.alive.check();
        self.local.get()
    }

    /// Replaces the owner's word. Only for the owner.
    #[inline]
    pub(crate) fn set_local(&self, word: usize) {
        self.alive.check();
        self.local.set(word);
    }

    /// The word for all other threads.
    #[inline]
    pub(crate) fn remote(&self) -> &AtomicUsize {
        &self.remote
    }

    /// Counts one more reference, which is made from another.
    #[inline]
    pub(crate) fn add(&self, is_owner: bool) {
        let count = if is_owner && self.local() & MERGED == 0 {
            self.set_local(self.local().wrapping_add(ONE));
            self.local()
        } else {
            // Relaxed: the reference that it is made from keeps the object, and nothing is read on the strength of the
            // new one.
            self.remote.fetch_add(ONE, Relaxed)
        };
        if count >> (usize::BITS - 2) == 0b01 {
            // Half of what a signed count can hold: a count that wraps would free an object in use. (`0b11` is a little
            // less than zero.) Only leaked references get here, and 2⁵⁶ references that were added on one side and
            // given back on the other.
            process::abort();
        }
    }

    /// Counts one reference less if that takes no atomic. False if the call must be followed by
    /// [`sub_remote`](Self::sub_remote).
    #[inline]
    #[must_use]
    pub(crate) fn sub_local(&self, is_owner: bool) -> bool {
        let counts_here = is_owner && self.local() & MERGED == 0;
        if counts_here {
            self.set_local(self.local().wrapping_sub(ONE));
        }
        counts_here
    }

    /// Counts one reference less, for other threads or after the merge. True if it was the last and the caller must
    /// free the object.
    #[must_use]
    pub(crate) fn sub_remote(&self) -> bool {
        let is_last = |remote: usize| remote & MERGED != 0 && references(remote) == ONE;
        // Acquire: pairs with the Release below. The only reference is ours, so nobody can add one: no need to
        // subtract. AcqRel: the thread that frees the object sees what the others did with it.
        is_last(self.remote.load(Acquire)) || is_last(self.remote.fetch_sub(ONE, AcqRel))
    }

    /// Whether there is no reference but the owner's own. Only for the owner.
    ///
    /// An old value of `remote` would do no harm. It is what the other threads had counted at some moment, and that
    /// moment is no older than anything the owner knows of: a reference goes from thread to thread only where one
    /// happens before the other. If there was no reference at that moment, nobody has been able to make one since, as
    /// each is made from another. (The waker of a poll borrows the owner's reference. Nobody can clone it once the poll
    /// is over.)
    #[inline]
    pub(crate) fn is_sole(&self) -> bool {
        // Acquire: pairs with the Release in `sub_remote`; the owner may free the object.
        references(self.remote.load(Acquire).wrapping_add(references(self.local()))) == 0
    }

    /// Gives up the owner's own reference. True if there is no other and the caller must free the object. Only for the
    /// owner, once; after that the object may be gone. Ask [`is_sole`](Self::is_sole) first: it costs less, and is
    /// mostly enough.
    #[must_use]
    pub(crate) fn merge(&self) -> bool {
        let local = self.local();
        // First: after the next step the object may be gone.
        self.set_local(local | MERGED);
        // AcqRel: as in `sub_remote`.
        let before = self.remote.fetch_add(references(local).wrapping_add(MERGED), AcqRel);
        references(before).wrapping_add(references(local)) == 0
    }
}

/// A word without its flags.
#[inline]
fn references(word: usize) -> usize {
    word & !(ONE - 1)
}
