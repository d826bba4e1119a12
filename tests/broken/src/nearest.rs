//! Which exhibit an executor is most like, by what it breaks.

use std::collections::BTreeSet;

use conformance::root_clauses;

use crate::{EXHIBITS, Exhibit, Kind};

/// An exhibit that breaks what an executor breaks, or much of it.
#[derive(Clone, Copy, Debug)]
pub struct Nearest {
    /// The one.
    pub exhibit: &'static Exhibit,
    /// How many clauses both break.
    pub in_common: usize,
    /// How many clauses either breaks.
    pub of: usize,
    /// Whether this is said of the clauses about the future of `block_on` only, and the executor breaks others: the
    /// exhibit has no tasks.
    pub of_the_root: bool,
}

/// The exhibit that is nearest to an executor which breaks these clauses and keeps those. `None` if none breaks one of
/// them.
///
/// The distance is that of Jaccard: clauses that both break, of those that either breaks. Only what the executor was
/// asked counts, and for an exhibit without tasks only what that was asked. One more is added to the clauses that
/// either breaks, so that a single clause in common says less than many.
pub fn nearest(broken: &[&str], kept: &[&str]) -> Option<Nearest> {
    let of_the_root: BTreeSet<_> = root_clauses().iter().map(|clause| clause.id).collect();
    let broken: BTreeSet<_> = broken.iter().copied().collect();
    let asked: BTreeSet<_> = broken.iter().copied().chain(kept.iter().copied()).collect();
    let compare = |exhibit: &'static Exhibit| {
        let is_root = matches!(exhibit.broken.kind, Kind::Root(_));
        let comparable = |id: &&str| asked.contains(id) && (!is_root || of_the_root.contains(id));
        let theirs: BTreeSet<_> = exhibit.fails.iter().copied().filter(comparable).collect();
        // A race decides about some: they speak neither for it nor against it.
        let decides = |id: &&str| comparable(id) && !exhibit.may_fail.contains(id);
        let ours: BTreeSet<_> = broken.iter().copied().filter(decides).collect();
        Nearest {
            exhibit,
            in_common: ours.intersection(&theirs).count(),
            of: ours.union(&theirs).count(),
            of_the_root: is_root && !broken.is_subset(&of_the_root),
        }
    };
    let candidates = EXHIBITS.iter().map(compare).filter(|candidate| candidate.in_common > 0);
    // The first of those that are equally near.
    candidates.rev().max_by(|one, other| {
        let [one_times, other_times] = [one.in_common * (other.of + 1), other.in_common * (one.of + 1)];
        one_times.cmp(&other_times)
    })
}
