use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::child::{AGAIN, Again};
use crate::watch::{INTERVAL, Watch};
use crate::{Clause, Outcome, probe};

/// How long a check may take that does not sleep forever. It needs milliseconds; the rest is for busy machines.
const PATIENCE: Duration = Duration::from_secs(60);

/// Enough for a future of 1 MiB that an unoptimised build moves through several stack frames.
const STACK: usize = 128 << 20;

/// One clause, asked of one executor.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The promise.
    pub clause: Clause,
    /// The clause's function for the executor. It panics where the clause fails, and hangs where the executor loses a
    /// wake: call it through [`run`].
    pub test: fn() -> Outcome,
}

/// Runs a check on a thread of its own. A check that panics or hangs has failed.
///
/// A check hangs when all threads of this process sleep forever, except those that wait in this function, or when it is
/// not done after a minute.
///
/// The thread of a check that hangs is left behind; it ends with the process. A check that aborts takes the process
/// with it: run the checks of executors that may abort in processes of their own, with [`process`](crate::process).
pub fn run(check: Check) -> Outcome {
    run_again(check, None)
}

/// Like [`run`], for a check that may start this program once more.
pub(crate) fn run_again(check: Check, again: Option<Again>) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    let mut watch = Watch::new();
    let begun = Instant::now();
    let spawned = thread::Builder::new().name(check.clause.id.to_owned()).stack_size(STACK).spawn(move || {
        AGAIN.set(again);
        let outcome = catch_unwind(AssertUnwindSafe(check.test));
        let outcome = outcome.unwrap_or_else(|payload| Outcome::Fail(probe::message(payload.as_ref())));
        // The receiver is gone only if it gave up on this thread.
        let _ = sender.send(outcome);
    });
    if let Err(error) = spawned {
        return Outcome::Fail(format!("the check could not be started: {error}"));
    }
    loop {
        if let Ok(outcome) = receiver.recv_timeout(INTERVAL) {
            return outcome;
        }
        if watch.finds_all_asleep() {
            let waits = probe::waited_for().map(|what| format!("\nwaited for: {what}"));
            let waits: String = waits.collect();
            return Outcome::Fail(format!("hangs: every thread sleeps, and none is left to wake another{waits}"));
        }
        if begun.elapsed() > PATIENCE {
            return Outcome::Fail(format!("hangs: not done after {} s", PATIENCE.as_secs()));
        }
    }
}

/// Runs a check as a test: panics if it failed, and prints why if it did not apply.
///
/// # Panics
///
/// When the check failed, with the clause's id and promise.
pub fn assert_kept(check: Check) {
    assert_outcome(check, run(check));
}

/// Like [`assert_kept`], for the test of that name.
#[doc(hidden)]
pub fn assert_kept_named(check: Check, path: &'static str) {
    // libtest names tests without the name of the crate.
    let test = path.split_once("::").map_or(path, |(_, name)| name);
    assert_outcome(check, run_again(check, Some(Again::Test(test))));
}

#[expect(clippy::print_stdout, reason = "only what a test prints so is kept with it")]
fn assert_outcome(check: Check, outcome: Outcome) {
    let Clause { id, promise, guards, .. } = check.clause;
    match outcome {
        Outcome::Fail(why) => panic!("{id} {promise}\n  broken: {why}\n  guards against: {guards}"),
        outcome => println!("{id} {outcome}"),
    }
}

/// The suite's only list: passes every clause, with the trait that it needs, to the macro `$then`.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_each_clause {
    ([$($then:tt)+] $($arguments:tt)*) => {
        $($then)+! { [$($arguments)*]
            Executor wakers::w01_clone_wakes_the_same_task,
            Executor wakers::w02_wake_wakes_and_releases,
            Executor wakers::w02d_wake_releases_on_the_driving_thread_too,
            Executor wakers::w03_wake_by_ref_does_not_consume,
            Executor wakers::w04_wakers_leak_nothing,
            BlockOn wakers::w04r_wakers_of_the_root_leak_nothing,
            Executor wakers::w05_wakers_are_used_by_many_threads_at_once,
            Executor wakers::w06_each_wake_is_followed_by_a_poll,
            BlockOn wakers::w06r_each_wake_of_the_root_is_followed_by_a_poll,
            Executor wakers::w07_wakes_before_a_poll_are_one,
            Executor wakers::w08_a_wake_from_inside_the_poll_leads_to_another,
            BlockOn wakers::w08r_a_wake_from_inside_the_roots_poll_leads_to_another,
            Executor wakers::w09_a_wake_from_a_thread_during_the_poll_leads_to_another,
            BlockOn wakers::w09r_a_wake_from_a_thread_during_the_roots_poll_leads_to_another,
            Executor wakers::w10_a_wake_publishes_what_was_written_before_it,
            BlockOn wakers::w10r_a_wake_of_the_root_publishes_what_was_written_before_it,
            Executor wakers::w11_a_wake_after_completion_polls_nothing,
            Executor wakers::w12_wakers_outlive_the_executor,
            BlockOn wakers::w12r_wakers_of_the_root_outlive_executor_and_thread,
            Executor wakers::w13_a_wake_never_polls_inline,
            Executor wakers::w14_wakes_have_no_capacity,
            Executor wakers::w15_a_wake_never_drops_the_future,
            Executor wakers::w16_wakers_of_two_tasks_differ,
            Executor wakers::w17_will_wake_holds_from_poll_to_poll,
            BlockOn wakers::w17r_will_wake_holds_for_the_root,
            Executor wakers::w18_wakers_outlive_the_stack,
            BlockOn wakers::w18r_wakers_of_the_root_outlive_block_on,
            Executor wakers::w19_only_the_latest_waker_must_work,
            Executor wakers::w20_clone_and_drop_do_not_wake,
            Executor wakers::w22_a_wake_from_a_thread_locals_destructor_works,
            BlockOn wakers::w22r_a_wake_of_the_root_from_a_thread_locals_destructor_works,
            Executor wakers::w23_an_overwritten_context_is_gone_with_its_poll,
            Executor tasks::t01_a_task_is_polled_by_one_thread_at_a_time,
            RemoteSpawn tasks::t01d_two_drivers_poll_no_task_at_once,
            Executor tasks::t02_a_task_is_queued_at_most_once,
            Executor tasks::t03_a_future_is_not_polled_after_its_end,
            Executor tasks::t04_a_future_stays_where_it_was_first_polled,
            Executor tasks::t05_a_future_is_dropped_before_the_handle_reports,
            Executor tasks::t06_a_result_is_delivered_or_dropped_once,
            Executor tasks::t07_a_task_is_freed_after_its_last_reference,
            Executor tasks::t07b_ended_tasks_leave_nothing_in_a_busy_executor,
            Executor tasks::t08_a_cycle_through_a_waker_is_dropped_with_the_executor,
            Executor tasks::t09_the_latest_join_waker_is_woken_at_the_end,
            Executor tasks::t09a_a_join_waker_may_use_the_executor,
            Executor tasks::t09c_a_join_waker_that_panics_in_clone_or_drop_costs_nothing,
            Executor tasks::t09k_a_join_waker_is_dropped_with_its_handle,
            Executor tasks::t09p_a_panicking_join_waker_breaks_nothing,
            Executor tasks::t09r_registering_a_join_waker_races_completion,
            Executor tasks::t10_an_aborted_future_is_dropped_once_by_the_driving_thread,
            Executor tasks::t10c_the_handle_of_an_aborted_task_yields_cancelled,
            Executor tasks::t10h_an_abort_handle_aborts_as_the_join_handle_does,
            RemoteSpawn tasks::t10s_a_task_is_aborted_as_soon_as_it_is_spawned,
            Executor tasks::t11_a_task_may_touch_itself_in_poll_and_drop,
            RemoteSpawn tasks::t11s_a_task_may_spawn_in_poll_and_drop,
            Executor tasks::t12_a_panic_in_poll_ends_only_its_task,
            Executor tasks::t12d_a_panic_in_a_futures_drop_ends_only_its_task,
            Executor tasks::t12f_the_first_panic_is_reported,
            Executor tasks::t12o_a_panic_in_a_results_drop_harms_nothing,
            Executor tasks::t12h_dropping_a_handle_does_not_panic,
            Executor tasks::t13_the_last_reference_may_be_dropped_anywhere,
            Executor tasks::t15_futures_and_results_have_any_layout,
            Executor tasks::t15f_a_large_future_takes_little_stack,
            RemoteSpawn tasks::t15s_a_large_future_takes_a_spawner_little_stack,
            Executor executors::x01_spawn_never_polls_inline,
            Executor executors::x02_a_spawned_task_is_polled_without_a_wake,
            Executor executors::x02r_what_the_root_makes_ready_runs,
            RemoteSpawn executors::x03_a_task_spawns_a_task,
            RemoteSpawn executors::x03d_a_drop_spawns_a_task,
            RemoteSpawn executors::x03o_another_thread_spawns_onto_a_sleeping_executor,
            BlockOn executors::x04_block_on_returns_the_output,
            Executor executors::x04d_the_root_goes_with_what_it_keeps,
            Executor executors::x04t_block_on_drives_tasks_and_keeps_unfinished_ones,
            Executor executors::x05_only_woken_tasks_are_polled,
            BlockOn executors::x05r_only_a_woken_root_is_polled,
            Executor executors::x06_an_idle_executor_sleeps,
            BlockOn executors::x06r_an_idle_block_on_sleeps,
            Executor executors::x07_a_task_woken_just_before_the_sleep_is_polled,
            BlockOn executors::x07r_a_root_woken_just_before_the_sleep_is_polled,
            BlockOn executors::x08_a_wake_of_the_root_survives_foreign_parking,
            Executor executors::x08t_a_wake_of_a_task_survives_foreign_parking,
            BlockOn executors::x09_block_on_of_another_executor_costs_no_wake,
            RemoteSpawn executors::x09s_block_on_of_the_same_executor_inside_its_task_never_hangs,
            Executor executors::x10_a_task_that_wakes_itself_starves_nobody,
            Executor executors::x10o_tasks_are_polled_in_the_order_in_which_they_became_ready,
            Executor executors::x10f_a_first_poll_overtakes_nothing,
            RemoteSpawn executors::x10s_a_new_task_stands_behind_those_that_were_woken_before,
            Executor executors::x12_a_panicking_task_leaves_the_executor_usable,
            Executor executors::x13_dropping_the_executor_drops_every_future,
            RemoteSpawn executors::x13s_another_thread_drops_the_executor,
            Executor executors::x14_drops_at_shutdown_wake_and_abort_other_tasks,
            RemoteSpawn executors::x14s_drops_at_shutdown_spawn_other_tasks,
            Executor executors::x14p_a_panicking_drop_at_shutdown_keeps_no_other_from_being_dropped,
            Executor executors::x15_a_handle_outlives_its_executor,
            RemoteSpawn executors::x16_spawning_after_the_executor_drops_the_future,
            RemoteSpawn executors::x16c_a_spawner_says_when_its_executor_is_gone,
            Executor executors::x17_wakes_race_the_drop_of_the_executor,
            RemoteSpawn executors::x17s_spawns_race_the_drop_of_the_executor,
            BlockOn executors::x19_a_panic_of_the_root_unwinds_to_the_caller,
            Executor executors::x19t_tasks_survive_a_panic_of_the_root,
            Executor executors::x20_two_executors_do_not_exchange_tasks,
            RemoteSpawn executors::x22_a_second_thread_takes_over_when_the_driving_one_leaves,
            RemoteSpawn executors::x22a_many_threads_block_on_one_executor,
            RemoteSpawn executors::x22h_who_drove_before_wakes_like_any_other,
            RemoteSpawn executors::x22m_waiting_for_the_right_to_drive_holds_no_memory,
            RemoteSpawn executors::x22n_the_right_to_drive_passes_on_and_on,
            RemoteSpawn executors::x22o_the_order_survives_a_hand_over,
            Executor executors::x23_run_returns_when_no_task_is_left,
            Executor executors::x23n_the_number_of_tasks_is_exact_for_the_driving_thread,
            RemoteSpawn executors::x23m_the_number_of_tasks_counts_what_others_spawn,
            RemoteSpawn executors::x23s_run_returns_beside_a_pending_block_on,
            RemoteSpawn executors::x23r_run_waits_for_what_was_spawned_before_it,
            Executor executors::x24_a_hundred_thousand_tasks_complete,
            BlockOn executors::x25_block_on_many_times,
            RemoteSpawn executors::x25s_threads_drive_one_after_the_other,
            Executor executors::x26_a_task_may_end_the_process,
            RemoteSpawn executors::x26d_another_thread_may_end_the_process,
        }
    };
}

macro_rules! root_clauses {
    ([] $($needs:ident $module:ident::$name:ident,)*) => {
        [$(root_clauses!($needs $module::$name)),*]
    };
    (BlockOn $module:ident::$name:ident) => { Some(crate::$module::$name::CLAUSE) };
    ($needs:ident $module:ident::$name:ident) => { None };
}

/// The clauses about the root, which are all that an executor without tasks is asked. A fault that breaks one of them
/// breaks many others, too, because `block_on` also drives the tasks.
pub fn root_clauses() -> Vec<Clause> {
    crate::__for_each_clause! { [root_clauses] }.into_iter().flatten().collect()
}

/// Makes one `#[test]` per clause for an executor, and counts its allocations.
///
/// ```text
/// conformance::tests!(RawExecutor);           // implements RemoteSpawn
/// conformance::tests!(Executor: LocalPool);   // owns tasks, but accepts none from other threads
/// conformance::tests!(BlockOn: Pollster);     // owns no tasks
/// ```
#[macro_export]
macro_rules! tests {
    (Executor: $executor:ty) => {
        $crate::__tests! { Executor $executor }
    };
    (BlockOn: $executor:ty) => {
        $crate::__tests! { BlockOn $executor }
    };
    ($executor:ty) => {
        $crate::__tests! { RemoteSpawn $executor }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ($kind:ident $executor:ty) => {
        #[global_allocator]
        static ALLOCATOR: $crate::CountingAllocator = $crate::CountingAllocator;

        $crate::__for_each_clause! { [$crate::__test] $kind $executor }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __test {
    ([$kind:ident $executor:ty] $($needs:ident $module:ident::$name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                $crate::assert_kept_named(
                    $crate::__check!($kind $needs $executor, $module::$name),
                    ::std::concat!(::std::module_path!(), "::", ::std::stringify!($name)),
                );
            }
        )*
    };
}

/// The whole suite for an executor, as a `Vec<Check>`; [`tests!`] shows the forms.
#[macro_export]
macro_rules! suite {
    (RemoteSpawn: $executor:ty) => {
        $crate::__for_each_clause! { [$crate::__checks] RemoteSpawn $executor }
    };
    (Executor: $executor:ty) => {
        $crate::__for_each_clause! { [$crate::__checks] Executor $executor }
    };
    (BlockOn: $executor:ty) => {
        $crate::__for_each_clause! { [$crate::__checks] BlockOn $executor }
    };
    ($executor:ty) => {
        $crate::__for_each_clause! { [$crate::__checks] RemoteSpawn $executor }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __checks {
    ([$kind:ident $executor:ty] $($needs:ident $module:ident::$name:ident,)*) => {
        ::std::vec![$($crate::__check!($kind $needs $executor, $module::$name)),*]
    };
}

/// The check of one clause, or one that says why the clause cannot be asked of this kind of executor.
#[doc(hidden)]
#[macro_export]
macro_rules! __check {
    (BlockOn Executor $executor:ty, $module:ident::$name:ident) => {
        $crate::__not_applicable!("Executor", "it owns no tasks: it does not implement the trait", $module::$name)
    };
    (BlockOn RemoteSpawn $executor:ty, $module:ident::$name:ident) => {
        $crate::__not_applicable!("Executor", "it owns no tasks: it does not implement the trait", $module::$name)
    };
    (Executor RemoteSpawn $executor:ty, $module:ident::$name:ident) => {
        $crate::__not_applicable!(
            "RemoteSpawn",
            "it takes no tasks from other threads: it does not implement the trait",
            $module::$name
        )
    };
    ($kind:ident $needs:ident $executor:ty, $module:ident::$name:ident) => {
        $crate::Check { clause: $crate::$module::$name::CLAUSE, test: $crate::$module::$name::<$executor> }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __not_applicable {
    ($capability:literal, $why:literal, $module:ident::$name:ident) => {
        $crate::Check {
            clause: $crate::$module::$name::CLAUSE,
            test: || $crate::Outcome::NotApplicable { capability: $capability, why: $why },
        }
    };
}
