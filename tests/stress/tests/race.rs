//! Races of wakes and the executor's drop, with few rounds for everyday use: `just race` runs fifty times as many.
#![forbid(unsafe_code)]

use conformance::CountingAllocator;

#[path = "common/wrong.rs"]
mod wrong;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Divided among runs with 1 to 4 threads.
const ROUNDS: usize = 2_000;

macro_rules! races {
    ($($kind:ident $library:ident::$executor:ident from $package:literal,)*) => {
        $(
            mod $executor {
                race!($kind lineup::$executor);
            }
        )*
    };
}

macro_rules! race {
    // It owns no tasks, and leaves none.
    (BlockOn $executor:ty) => {};
    (Executor $executor:ty) => {
        race!($executor, new);
    };
    (RemoteSpawn $executor:ty) => {
        race!($executor, with_spawner);
    };
    ($executor:ty, $race:ident) => {
        #[test]
        fn nothing_is_left_of_an_executor_that_is_dropped_among_wakes() {
            let findings = stress::Race::<$executor>::$race().run(&stress::Plan::new(crate::ROUNDS), |_| {});
            assert!(findings.are_none(), "{findings}");
        }
    };
}

lineup::for_each_strategy!(races);

/// Executors that are deliberately wrong.
mod found {
    use executor::RemoteSpawn;
    use stress::{Findings, Plan, Race};

    use crate::wrong::{Fault, Wrong, faults};

    /// Enough rounds for a fault that any round may show.
    const FEW: usize = 100;

    faults! {
        Sound: ,
        LeaksFutures: LEAKS_FUTURES = true,
        LeaksBytes: LEAKS_BYTES = true,
        PollsAfterEnd: POLLS_AFTER_END = true,
        WakesNoJoiner: WAKES_NO_JOINER = true,
        ResolvesNothing: RESOLVES_NOTHING = true,
        ReportsEarly: REPORTS_EARLY = true,
        ReportsPanics: REPORTS_PANICS = true,
    }

    fn findings<F: Fault>() -> Findings
    where
        Wrong<F>: RemoteSpawn,
    {
        Race::<Wrong<F>>::with_spawner().run(&Plan::new(FEW), |_| {})
    }

    #[test]
    fn an_executor_without_a_fault_is_not_found_out() {
        assert_eq!(findings::<Sound>(), Findings { rounds: FEW, ..Findings::default() });
    }

    #[test]
    fn a_future_that_is_not_dropped_is_found() {
        let findings = findings::<LeaksFutures>();
        assert!(
            findings.undropped >= findings.rounds_with_undropped && findings.rounds_with_undropped > 0,
            "{findings}"
        );
        assert!(findings.bytes > 0, "{findings}");
    }

    #[test]
    fn a_byte_that_is_not_freed_is_found() {
        let findings = findings::<LeaksBytes>();
        assert_eq!(findings.rounds_with_bytes, FEW as u64);
        // In each round: eight tasks and one more for the owner, and two for each thread.
        assert_eq!(findings.bytes, (1..=4).map(|threads| (9 + 2 * threads) * FEW as i64 / 4).sum::<i64>());
        assert_eq!(findings.verdicts(), ["leaves memory allocated"]);
    }

    #[test]
    fn a_poll_after_the_end_is_found() {
        assert!(findings::<PollsAfterEnd>().polled_after_end > 0);
    }

    #[test]
    fn a_joiner_that_is_not_woken_is_found() {
        assert!(findings::<WakesNoJoiner>().joiners_not_woken >= FEW as u64);
    }

    #[test]
    fn a_handle_that_yields_nothing_is_found() {
        assert!(findings::<ResolvesNothing>().unresolved >= FEW as u64);
    }

    #[test]
    fn an_end_that_is_reported_early_is_found() {
        assert!(findings::<ReportsEarly>().reported_early > 0);
    }

    #[test]
    fn a_wrong_result_is_found() {
        assert!(findings::<ReportsPanics>().wrong_results >= FEW as u64);
    }
}
