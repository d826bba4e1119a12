//! What an iteration must have done. The checks cost the timed part a few additions, the same for every contender.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering::*};

use executor::Described;

use crate::Workload;

/// A counter for the thread that drives.
#[derive(Debug, Default)]
pub(crate) struct Tally(AtomicUsize);

/// Inlined, so that floors, which are in this crate, and contenders, which are not, pay the same.
impl Tally {
    /// Counts one more and returns the count.
    #[inline]
    pub(crate) fn add(&self) -> usize {
        // Relaxed, and no read-modify-write: one thread drives, and an atomic addition would cost what a wake costs.
        let count = self.0.load(Relaxed) + 1;
        self.0.store(count, Relaxed);
        count
    }

    /// Returns the count.
    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Returns the count and begins again.
    #[inline]
    pub(crate) fn take(&self) -> usize {
        let count = self.get();
        self.0.store(0, Relaxed);
        count
    }
}

/// Compares what a contender did with what the workload asked of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    workload: &'static Workload,
    contender: &'static str,
    polls_only_woken: bool,
}

impl Check {
    pub(crate) fn contender<B: Described>(workload: &'static Workload) -> Self {
        Self { workload, contender: B::NAME, polls_only_woken: B::CAPABILITIES.polls_only_woken }
    }

    pub(crate) fn floor(workload: &'static Workload) -> Self {
        Self { workload, contender: "floor", polls_only_woken: true }
    }

    pub(crate) fn result(&self, found: usize, expected: usize) {
        let Self { workload, contender, .. } = self;
        assert!(found == expected, "{} on {contender}: the result is {found}, not {expected}", workload.id);
    }

    /// Compares with the range that the wakes allow. Polls above it are wrong only where only a wake leads to a poll.
    pub(crate) fn polls(&self, found: usize, expected: RangeInclusive<usize>) -> usize {
        let Self { workload, contender, .. } = self;
        let (least, most) = expected.into_inner();
        assert!(found >= least, "{} on {contender}: {found} polls where the wakes ask for {least}", workload.id);
        assert!(
            found <= most || !self.polls_only_woken,
            "{} on {contender}: {found} polls where the wakes ask for {most}, but it claims to poll only what was woken",
            workload.id
        );
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(polls_only_woken: bool) -> Check {
        Check { workload: &crate::YIELD_ONE, contender: "test", polls_only_woken }
    }

    #[test]
    fn polls_within_the_range_pass() {
        assert_eq!(check(true).polls(5, 5..=6), 5);
        assert_eq!(check(true).polls(6, 5..=6), 6);
        assert_eq!(check(false).polls(7, 5..=6), 7);
    }

    #[test]
    #[should_panic = "yield_one on test: 4 polls where the wakes ask for 5"]
    fn too_few_polls_fail_for_everybody() {
        check(false).polls(4, 5..=6);
    }

    #[test]
    #[should_panic = "yield_one on test: 7 polls where the wakes ask for 6"]
    fn too_many_polls_fail_where_only_the_woken_are_polled() {
        check(true).polls(7, 5..=6);
    }

    #[test]
    #[should_panic = "yield_one on test: the result is 1, not 2"]
    fn a_wrong_result_fails() {
        check(true).result(1, 2);
    }
}
