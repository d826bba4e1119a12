//! References counted in two words: one that belongs to the owner, and one for all other threads.
//!
//! Source: J. Choi, T. Shull, J. Torrellas, "Biased Reference Counting: Minimizing Atomic Operations in Garbage
//! Collection", PACT 2018; also what CPython counts with where it has no global lock (PEP 703).

use std::process;

use executor::sync::Alive;
use executor::sync::atomic::{AtomicUsize, Ordering::*};
use executor::sync::cell::Cell;

/// The owner has let go: from now on every reference is counted in `away`.
pub(crate) const MERGED: usize = 1 << 0;
/// One reference. The references stand above the flags, which are [`MERGED`] and what the counted object makes of the
/// rest.
pub(crate) const ONE: usize = 1 << 6;

/// How many references there are besides the owner's own.
///
/// A reference may come and go on different threads: so each of the two counts can fall below zero, and only their sum
/// means something. While the owner has its own reference nobody else asks for the sum. [`merge`](Self::merge) is where
/// the owner lets go of it: there the two become one, once, and from then on `away` alone is the count.
///
/// ```text
///   owner's thread        other threads
///     here ± 1              away ± 1           nothing is freed
///        │                     │
///        └── merge: away += here, MERGED       freed if that is 0
///                   │
///     away ± 1 on any thread                   freed by the last
/// ```
///
/// Who is at home is for the caller to know, as it depends on what is counted.
///
/// The two drift apart by one for each reference that comes on one side and goes on the other. At 100 ns each, the 2⁵⁶
/// that a word of 64 bits has room for take two centuries; the 2²⁴ of a word of 32 would take two seconds.
#[derive(Debug)]
pub(crate) struct BiasedCount {
    /// Belongs to the owner.
    here: Cell<usize>,
    away: AtomicUsize,
    /// For the models: ends with what is counted.
    alive: Alive,
}

impl BiasedCount {
    pub(crate) fn new(here: usize, away: usize) -> Self {
        Self { here: Cell::new(here), away: AtomicUsize::new(away), alive: Alive::new() }
    }

    /// The owner's word. Only for the owner.
    #[inline]
    pub(crate) fn here(&self) -> usize {
        self.alive.check();
        self.here.get()
    }

    /// Replaces the owner's word. Only for the owner.
    #[inline]
    pub(crate) fn set_here(&self, word: usize) {
        self.alive.check();
        self.here.set(word);
    }

    /// The word for all other threads.
    #[inline]
    pub(crate) fn away(&self) -> &AtomicUsize {
        &self.away
    }

    /// Counts one more reference, which is made from another.
    #[inline]
    pub(crate) fn add(&self, at_home: bool) {
        let count = if at_home && self.here() & MERGED == 0 {
            self.set_here(self.here().wrapping_add(ONE));
            self.here()
        } else {
            // Relaxed: the reference that it is made from keeps the object, and nothing is read on the strength of the
            // new one.
            self.away.fetch_add(ONE, Relaxed)
        };
        if count >> (usize::BITS - 2) == 0b01 {
            // Half of what a signed count can hold: a count that wraps would free an object in use. (`0b11` is a little
            // less than zero.) Only leaked references get here, and references that come on one side and go on the
            // other 2⁵⁶ times.
            process::abort();
        }
    }

    /// Counts one reference less where that takes no atomic. False if it is for [`sub_away`](Self::sub_away).
    #[inline]
    #[must_use]
    pub(crate) fn sub_here(&self, at_home: bool) -> bool {
        let counts_here = at_home && self.here() & MERGED == 0;
        if counts_here {
            self.set_here(self.here().wrapping_sub(ONE));
        }
        counts_here
    }

    /// Counts one reference less, for other threads or after the owner has let go. True if it was the last and the
    /// object is to be freed.
    #[must_use]
    pub(crate) fn sub_away(&self) -> bool {
        let is_last = |away: usize| away & MERGED != 0 && references(away) == ONE;
        // Acquire: pairs with the Release below. The only reference is ours, so nobody can add to it: no need to
        // subtract. AcqRel: whoever frees the object sees what the others did with it.
        is_last(self.away.load(Acquire)) || is_last(self.away.fetch_sub(ONE, AcqRel))
    }

    /// Whether there is no reference but the owner's own. Only for the owner.
    ///
    /// An old value of `away` would do no harm. It is what the other threads had counted at some moment, no older than
    /// anything that the owner knows of: a reference goes from thread to thread only where one happens before the
    /// other. If there was no reference at that moment, nobody has been able to make one since, as each is made from
    /// another. (Nobody can make one from the waker of a poll, which borrows the owner's reference, when the poll is
    /// over.)
    #[inline]
    pub(crate) fn is_sole(&self) -> bool {
        // Acquire: pairs with the Release in `sub_away`; the owner may free the object.
        references(self.away.load(Acquire).wrapping_add(references(self.here()))) == 0
    }

    /// Lets go of the owner's own reference. True if there is no other and the object is to be freed. Only for the
    /// owner, once; after that the object may be gone. Ask [`is_sole`](Self::is_sole) first: it costs less, and mostly
    /// settles it.
    #[must_use]
    pub(crate) fn merge(&self) -> bool {
        let here = self.here();
        // First: after the next step the object may be gone.
        self.set_here(here | MERGED);
        // AcqRel: as in `sub_away`.
        let before = self.away.fetch_add(references(here).wrapping_add(MERGED), AcqRel);
        references(before).wrapping_add(references(here)) == 0
    }
}

/// A word without its flags.
#[inline]
fn references(word: usize) -> usize {
    word & !(ONE - 1)
}
