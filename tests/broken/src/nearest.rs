//! Which exhibit an executor is most like, by what it breaks.

use std::collections::BTreeSet;

use conformance::root_clauses;

use crate::{EXHIBITS, Exhibit, Kind};

/// An exhibit that breaks the clauses that an executor breaks, or many of them.
#[derive(Clone, Copy, Debug)]
pub struct Nearest {
    /// The exhibit.
    pub exhibit: &'static Exhibit,
    /// How many clauses both break.
    pub in_common: usize,
    /// How many clauses either breaks.
    pub of: usize,
    /// Whether only the clauses about the root were compared, because the exhibit has no tasks, and the executor breaks
    /// others as well.
    pub of_the_root: bool,
}

/// The exhibit nearest to an executor that breaks and keeps these clauses. `None` if no exhibit breaks one of the
/// broken ones.
///
/// The distance is Jaccard's: the clauses that both break, as a share of those that either breaks. Only clauses that
/// the executor was asked count, and for an exhibit without tasks only those about the root. One is added to the
/// clauses that either breaks, so that a single clause in common says less than many.
pub fn nearest(broken: &[&str], kept: &[&str]) -> Option<Nearest> {
    let of_the_root: BTreeSet<_> = root_clauses().iter().map(|clause| clause.id).collect();
    let broken: BTreeSet<_> = broken.iter().copied().collect();
    let asked: BTreeSet<_> = broken.iter().copied().chain(kept.iter().copied()).collect();
    let compare = |exhibit: &'static Exhibit| {
        let is_root = matches!(exhibit.broken.kind, Kind::Root(_));
        let comparable = |id: &&str| asked.contains(id) && (!is_root || of_the_root.contains(id));
        let theirs: BTreeSet<_> = exhibit.fails.iter().copied().filter(comparable).collect();
        // A race decides about some clauses: they speak neither for the exhibit nor against it.
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
