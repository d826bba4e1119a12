#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(all(test, wakers_loom))]
mod driver;
#[cfg(wakers_loom)]
mod explore;
#[cfg(wakers_loom)]
mod parts;
#[cfg(wakers_loom)]
mod programs;

#[cfg(wakers_loom)]
pub use programs::*;

/// Makes a test of each model, for one executor: one line in a file `tests/models.rs`. Empty without the cfg
/// `wakers_loom`.
///
/// ```text
/// models::tests!(RawExecutor);        // implements RemoteSpawn
/// models::tests!(BlockOn: Pollster);  // owns no tasks: the models of `block_on`
/// models::tests!(Chosen, choose(7));  // each test begins with the expression
/// ```
#[macro_export]
macro_rules! tests {
    (BlockOn: $executor:ty) => {
        $crate::__tests! { [] $executor,
            m10_a_wake_races_foreign_parking,
            m15_two_wakes_race_the_roots_poll,
            m20_a_stale_wake_races_the_next_root,
            m32_a_wake_in_the_last_poll_is_over,
        }
    };
    ($executor:ty $(, $first:expr)?) => {
        $crate::__tests! { [$($first)?] $executor,
            m01_a_wake_races_the_poll,
            m02_two_wakes_race_the_poll,
            m03_the_last_wakers_race_each_other,
            m04_a_joiner_races_completion,
            m05_a_handles_drop_races_completion,
            m06_an_abort_and_a_wake_race_the_poll,
            m07_a_wake_races_the_executors_drop,
            m08_a_drop_that_wakes_races_a_wake,
            m09_two_wakes_race_the_park,
            m10_a_wake_races_foreign_parking,
            m11_a_spawn_races_the_park,
            m12_a_driver_hands_over_to_another,
            m13_run_races_another_driver,
            m14_a_spawn_races_the_executors_drop,
            m15_two_wakes_race_the_roots_poll,
            m16_a_driver_answers_run,
            m17_an_abort_races_completion,
            m18_run_races_the_end_of_the_last_task,
            m19_is_finished_races_completion,
            m20_a_stale_wake_races_the_next_root,
            m21_a_wake_races_the_handing_over,
            m22_the_last_handle_and_the_last_waker_race_completion,
            m23_two_wakes_race_the_executors_drop,
            m24_a_handle_that_moves_races_completion,
            m25_a_waker_that_moves_races_the_end,
            m26_a_joiner_goes_with_its_handle,
            m27_an_abort_beside_a_wake_under_way,
            m28_a_wake_after_the_end,
            m29_a_handle_is_dropped_at_home,
            m30_what_has_ended_is_freed,
            m31_a_kept_handle_races_the_next_driver,
            m32_a_wake_in_the_last_poll_is_over,
            m33_order_across_a_hand_over,
            m34_wakes_race_a_nested_block_on,
            m35_an_abort_from_a_nested_block_on,
            m36_a_new_task_is_aborted_at_home,
            m37_an_abort_publishes_what_came_before,
            m38_an_abort_at_home_races_a_waker,
            m39_what_has_ended_is_freed_before_the_sleep,
            m40_an_abort_handle_races_completion,
            m41_a_first_poll_races_another_driver,
            m42_a_spawn_in_the_first_poll_races_a_wake,
            m43_a_spawn_races_the_end_of_a_block_on,
            m44_a_spawn_races_the_first_look_at_another,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ([$first:expr] $executor:ty, $($model:ident,)*) => {
        $(
            #[cfg(wakers_loom)]
            #[test]
            fn $model() {
                $first;
                $crate::$model::<$executor>();
            }
        )*
    };
    ([] $executor:ty, $($model:ident,)*) => {
        $(
            #[cfg(wakers_loom)]
            #[test]
            fn $model() {
                $crate::$model::<$executor>();
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    /// A model that is written but not listed never runs, and one that is not in the table is never read.
    #[test]
    fn every_model_is_in_the_list_and_in_the_table() {
        let written = names(include_str!("programs.rs"), "pub fn ");
        assert!(!written.is_empty());
        let listed = include_str!("lib.rs");
        let (roots, all) = listed.split_once("($executor:ty $(").expect("the list of all follows that for `BlockOn`");
        assert_eq!(names(all, "            "), written, "the list of `tests!`");
        assert!(names(roots, "            ").iter().all(|name| written.contains(name)), "the list for `BlockOn`");
        assert_eq!(names(include_str!("../README.md"), "| "), written, "the table of the README");
    }

    /// The `m01` of each line that has a model's name after `prefix`.
    fn names<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
        let is_model = |name: &str| name.starts_with('m') && name[1..].bytes().all(|byte| byte.is_ascii_digit());
        let starts = text.lines().filter_map(|line| line.strip_prefix(prefix)?.get(..3));
        starts.filter(|name| is_model(name)).collect()
    }
}
