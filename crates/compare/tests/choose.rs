//! Who falls out for which reason, and who comes first, by rows that are made up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::time::Duration;

use compare::choose::{Choice, Needs, Origin, PolledBy, Questions, WakesFrom, choose, choose_by, duration, view};
use compare::statics;
use executor::{Capabilities, Described, Executor, Idle, NestedBlockOn, WakeNames, yield_now};
use harness::card::{self, ALLOCATIONS, INSTRUCTIONS};
use harness::contender::Probes;
use harness::latency::{self, P99};
use harness::table::Format;
use harness::{Contender, Kind, Observation, idle};
use lineup::arc_waker::ArcExecutor;
use lineup::noop_waker::NoopExecutor;
use lineup::park_waker::ParkExecutor;
use lineup::raw_waker::RawExecutor;

const NEEDS: Needs = Needs {
    polled_by: PolledBy::Thread,
    wakes_from: WakesFrom::Elsewhere,
    idle_tasks: 10_000,
    latency: None,
    may_spin: false,
    no_unsafe: false,
    no_allocation_per_wake: false,
};

fn contender(name: &'static str, kind: Kind, wake_names: WakeNames) -> Contender {
    let capabilities = Capabilities {
        wake_names,
        idle: if wake_names == WakeNames::Nobody { Idle::Spins } else { Idle::Parks },
        polls_only_woken: wake_names == WakeNames::Task,
        remote_spawn: true,
        concurrent_drivers: true,
        nested_block_on: NestedBlockOn::Panics,
        catches_panics: true,
        reports_cancellation: true,
    };
    Contender {
        name,
        kind,
        capabilities: Some(capabilities),
        cases: Vec::new(),
        counts: Vec::new(),
        probes: Probes::default(),
        suite: Vec::new(),
    }
}

/// Names that are known, so that it is known whose they are and what they break; the facts are made up.
fn contenders() -> Vec<Contender> {
    vec![
        Contender { capabilities: None, ..contender("floor", Kind::Floor, WakeNames::Nobody) },
        contender("noop-waker", Kind::Executor, WakeNames::Nobody),
        contender("park-waker", Kind::Executor, WakeNames::Thread),
        contender("arc-waker", Kind::Executor, WakeNames::Task),
        contender("raw-waker", Kind::Executor, WakeNames::Task),
        contender("tokio", Kind::Executor, WakeNames::Task),
        contender("pollster", Kind::BlockOn, WakeNames::Thread),
        contender("futures-lite", Kind::BlockOn, WakeNames::Thread),
    ]
}

fn wake(executor: &str, nanoseconds: f64) -> Observation {
    Observation::new(idle::VERB, executor, "waiting", idle::WAKE, nanoseconds).at(10_000.0)
}

fn counted(executor: &str, operation: &str, quantity: &str, value: f64) -> Observation {
    Observation::new(card::VERB, executor, operation, quantity, value)
}

fn heard(executor: &str, interval: f64, nanoseconds: f64) -> Observation {
    Observation::new(latency::VERB, executor, "foreign_wake", P99, nanoseconds).at(interval)
}

fn names(choice: &Choice) -> Vec<&str> {
    choice.ranking.iter().map(|candidate| &*candidate.name).collect()
}

#[track_caller]
fn why<'a>(choice: &'a Choice, name: &str) -> &'a str {
    let fallen = choice.fallen.iter().find(|fallen| fallen.name == name);
    &fallen.unwrap_or_else(|| panic!("{name} is left: {:?}", names(choice))).why
}

#[test]
fn capabilities_exclude_without_any_record() {
    let choice = choose(&NEEDS, &contenders(), &[]);
    assert_eq!(names(&choice), ["park-waker", "arc-waker", "raw-waker", "tokio"]);
    assert!(why(&choice, "noop-waker").contains("uses up a processor"));
    assert!(why(&choice, "futures-lite").contains("owns no tasks"));
    assert!(choice.fallen.iter().all(|fallen| fallen.name != "floor"), "the floor is no executor");
    assert!(choice.remarks.iter().any(|remark| remark.contains("There is no record")), "{:?}", choice.remarks);
    for candidate in &choice.ranking {
        assert!(candidate.evidence.is_empty(), "{candidate:?}");
        assert!(candidate.missing.iter().any(|missing| missing.starts_with("idle ")), "{candidate:?}");
        assert!(candidate.missing.iter().any(|missing| missing.contains("foreign_wake")), "{candidate:?}");
    }
}

#[test]
fn who_may_spin_keeps_what_spins() {
    let choice = choose(&Needs { may_spin: true, ..NEEDS }, &contenders(), &[]);
    assert!(names(&choice).contains(&"noop-waker"), "{:?}", choice.fallen);
}

#[test]
fn a_host_that_polls_anyway_keeps_what_spins_and_cannot_wait_for_one_future() {
    let needs = Needs { polled_by: PolledBy::Host, idle_tasks: 0, latency: Some(Duration::from_micros(1)), ..NEEDS };
    let choice = choose(&needs, &contenders(), &[heard("raw-waker", 1e6, 1e9)]);
    assert!(names(&choice).contains(&"noop-waker"), "{:?}", choice.fallen);
    assert!(why(&choice, "futures-lite").contains("a host cannot wait"));
    // The tick is what decides how long a wake takes.
    assert!(names(&choice).contains(&"raw-waker"), "{:?}", choice.fallen);
    assert!(choice.remarks.iter().any(|remark| remark.contains("the host's tick")), "{:?}", choice.remarks);
}

#[test]
fn who_breaks_what_std_demands_is_out() {
    let gate = |name: &str| (name == "pollster").then(|| "breaks X8".to_owned());
    let choice = choose_by(&Needs { idle_tasks: 0, ..NEEDS }, &contenders(), &[], gate);
    assert!(names(&choice).contains(&"futures-lite"), "{:?}", choice.fallen);
    assert_eq!(why(&choice, "pollster"), "breaks X8");
}

#[test]
fn unsafe_excludes_where_it_is_known_and_is_named_where_it_is_not() {
    let rows = [
        Observation::new(statics::VERB, "raw-waker", "", statics::UNSAFE, 3.0),
        Observation::new(statics::VERB, "arc-waker", "", statics::UNSAFE, 0.0),
    ];
    let choice = choose(&Needs { no_unsafe: true, ..NEEDS }, &contenders(), &rows);
    assert!(why(&choice, "raw-waker").contains("3 unsafe sites"), "{:?}", choice.fallen);
    let unsafe_is_missing = |name: &str| {
        let candidate = choice.ranking.iter().find(|candidate| candidate.name == name).expect("it is left");
        candidate.missing.iter().any(|missing| missing.contains(statics::UNSAFE))
    };
    assert!(!unsafe_is_missing("arc-waker"));
    assert!(unsafe_is_missing("tokio"), "a row that is not there is said to be missing");
}

#[test]
fn allocations_exclude_by_the_wakes_that_there_are() {
    let rows = [
        counted("arc-waker", "foreign_wake", ALLOCATIONS, 0.03),
        counted("raw-waker", "foreign_wake", ALLOCATIONS, 0.0),
        counted("tokio", "self_wake", ALLOCATIONS, 1.0),
    ];
    let needs = Needs { no_allocation_per_wake: true, ..NEEDS };
    let choice = choose(&needs, &contenders(), &rows);
    assert!(why(&choice, "arc-waker").contains("allocates 0.03 times in each foreign_wake"), "{:?}", choice.fallen);
    assert!(names(&choice).contains(&"tokio") && names(&choice).contains(&"raw-waker"), "{:?}", choice.fallen);
    let choice = choose(&Needs { wakes_from: WakesFrom::Here, ..needs }, &contenders(), &rows);
    assert!(why(&choice, "tokio").contains("self_wake"), "{:?}", choice.fallen);
    assert!(names(&choice).contains(&"arc-waker"), "{:?}", choice.fallen);
}

#[test]
fn the_slowest_interval_and_the_idle_crowd_decide_about_a_latency() {
    let rows = [
        heard("arc-waker", 1e3, 2_000.0),
        heard("arc-waker", 1e8, 90_000.0),
        heard("raw-waker", 1e3, 2_000.0),
        heard("raw-waker", 1e8, 9_000.0),
        // Of three processes the one in the middle counts.
        heard("tokio", 1e8, 1e9),
        heard("tokio", 1e8, 8_000.0),
        heard("tokio", 1e8, 7_000.0),
        heard("park-waker", 1e8, 5_000.0),
        wake("park-waker", 300_000.0),
        wake("raw-waker", 300.0),
    ];
    let needs = Needs { latency: Some(Duration::from_micros(10)), ..NEEDS };
    let choice = choose(&needs, &contenders(), &rows);
    assert_eq!(names(&choice), ["raw-waker", "tokio"]);
    assert!(
        why(&choice, "arc-waker").contains("takes 90 µs for 99 of 100") && why(&choice, "arc-waker").contains("100 ms")
    );
    assert!(why(&choice, "park-waker").contains("300 µs to wake one of 10,000 tasks"), "{:?}", choice.fallen);
    assert!(
        choice.ranking[1].missing.iter().any(|missing| missing.contains("idle")),
        "{:?}",
        choice.ranking[1].missing
    );
}

#[test]
fn times_within_a_factor_of_two_leave_the_order_to_what_is_exact() {
    let cost = |name, here, there| {
        [counted(name, "foreign_wake", INSTRUCTIONS, here), counted(name, "foreign_poll", INSTRUCTIONS, there)]
    };
    let rows: Vec<_> = [wake("arc-waker", 300.0), wake("raw-waker", 350.0), wake("tokio", 310.0)]
        .into_iter()
        .chain([wake("park-waker", 300_000.0)])
        .chain([cost("arc-waker", 200.0, 200.0), cost("raw-waker", 50.0, 40.0), cost("tokio", 90.0, 70.0)].concat())
        .chain(cost("park-waker", 1.0, 1.0))
        .collect();
    let choice = choose(&NEEDS, &contenders(), &rows);
    assert_eq!(names(&choice), ["raw-waker", "tokio", "arc-waker", "park-waker"]);
    let first = &choice.ranking[0];
    assert_eq!(first.origin, Origin::Ours);
    assert_eq!(first.keys.iter().map(|key| key.value).collect::<Vec<_>>(), [Some(350.0), Some(90.0)]);
    assert_eq!(first.evidence.iter().filter(|row| row.executor == "raw-waker").count(), first.evidence.len());
    // 160 instructions are less than twice 90.
    let verdict = &choice.remarks[0];
    assert!(verdict.contains("raw-waker if you want to own") && verdict.ends_with(": tokio."), "{verdict}");
}

#[test]
fn what_the_record_does_not_tell_apart_is_said_to_be_so() {
    let rows = [wake("arc-waker", 300.0), wake("raw-waker", 200.0), wake("tokio", 450.0), wake("park-waker", 1e6)];
    let choice = choose(&NEEDS, &contenders(), &rows);
    assert_eq!(names(&choice), ["arc-waker", "raw-waker", "tokio", "park-waker"]);
    assert!(choice.remarks[0].ends_with(": tokio."), "half as much again is close: {:?}", choice.remarks);
    assert!(choice.remarks[1].contains("does not tell arc-waker from raw-waker:"), "{:?}", choice.remarks);
    let choice = choose(&NEEDS, &contenders(), &rows[1..2]);
    assert!(choice.remarks[0].contains("nobody published"), "nothing is known of tokio: {:?}", choice.remarks);
}

#[test]
fn one_future_is_decided_by_what_comes_into_the_program() {
    let size = |name, value| Observation::new(statics::VERB, name, "", statics::BYTES, value);
    let rows = [size("futures-lite", 4_000.0), size("tokio", 70_000.0), size("park-waker", 9_000.0)];
    let choice = choose(&Needs { idle_tasks: 0, ..NEEDS }, &contenders(), &rows);
    assert_eq!(names(&choice), ["futures-lite", "park-waker", "tokio", "arc-waker", "raw-waker", "pollster"]);
    assert!(choice.remarks[0].starts_with("Take futures-lite"), "{:?}", choice.remarks);
}

#[test]
fn more_tasks_than_were_measured_is_said() {
    let choice = choose(&Needs { idle_tasks: 20_000, ..NEEDS }, &contenders(), &[wake("tokio", 300.0)]);
    assert!(choice.remarks.iter().any(|remark| remark.contains("No more than 10,000")), "{:?}", choice.remarks);
    let choice = choose(&Needs { idle_tasks: 200, ..NEEDS }, &contenders(), &[wake("tokio", 300.0)]);
    assert_eq!(names(&choice)[0], "tokio");
    assert!(choice.remarks.iter().all(|remark| !remark.contains("No more than")), "{:?}", choice.remarks);
}

#[test]
fn the_tables_name_who_fits_who_does_not_and_what_else_there_is() {
    let contenders = contenders();
    let shown = |needs: &Needs| {
        let tables = view(&choose(needs, &contenders, &[wake("tokio", 300.0)]), &contenders);
        tables.iter().map(|table| table.render(Format::Table)).collect::<Vec<_>>().join("\n\n")
    };
    let text = shown(&NEEDS);
    for wanted in ["Who fits", "to wake 1 of 10,000", "What that rests on, for tokio", "noop-waker", "embassy"] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    let nobody = contenders.iter().filter(|contender| contender.name == "noop-waker").cloned().collect::<Vec<_>>();
    let tables = view(&choose(&NEEDS, &nobody, &[]), &nobody);
    assert_eq!(tables[0].title, "Nobody fits");
}

#[test]
fn what_is_missing_is_asked_for_on_a_terminal_and_an_error_elsewhere() {
    let why = Questions { idle_tasks: Some(1), ..Questions::default() }.needs_with(None).expect_err("two are missing");
    assert!(why.contains("--polled-by, --wakes-from") && !why.contains("--idle-tasks"), "{why}");

    let mut heard = Vec::new();
    let questions = Questions { polled_by: Some(PolledBy::Host), ..Questions::default() };
    let needs = questions.needs_with(Some((&mut &b"here\n100\n10us\nyes\n\n\n"[..], &mut heard))).expect("all is said");
    assert_eq!((needs.polled_by, needs.wakes_from, needs.idle_tasks), (PolledBy::Host, WakesFrom::Here, 100));
    assert_eq!((needs.latency, needs.may_spin, needs.no_unsafe), (Some(Duration::from_micros(10)), true, false));
    let heard = String::from_utf8(heard).expect("it is text");
    assert!(!heard.contains("polls again") && heard.contains("wakes come from"), "{heard}");

    let all = Questions { wakes_from: Some(WakesFrom::Here), idle_tasks: Some(1), ..questions };
    let needs = all.needs_with(Some((&mut &b""[..], &mut Vec::new()))).expect("nothing that decides is missing");
    assert!(needs.latency.is_none() && !needs.may_spin);
}

/// What is asked for when only that is known, after those answers.
fn interview(answers: &[u8]) -> (Result<Needs, String>, String) {
    let questions = Questions { polled_by: Some(PolledBy::Host), idle_tasks: Some(100), ..Questions::default() };
    let (mut input, mut output) = (answers, Vec::new());
    let needs = questions.needs_with(Some((&mut input, &mut output)));
    (needs, String::from_utf8(output).expect("it is text"))
}

#[test]
fn a_typo_is_asked_again() {
    let (needs, heard) = interview(b"nowhere\n\xff\nhere\nmaybe\nyes\n\n");
    let needs = needs.expect("all is said in the end");
    assert_eq!((needs.wakes_from, needs.no_unsafe), (WakesFrom::Here, true));
    assert!(heard.contains("`nowhere` is none of here, elsewhere"), "{heard}");
    assert!(heard.contains("`maybe` is neither yes nor no"), "{heard}");
    assert_eq!(heard.matches("wakes come from").count(), 3, "{heard}");
}

#[test]
fn yes_and_no_are_heard_in_any_letters() {
    for (answer, meant) in [("Y", true), ("YES", true), ("y", true), ("Yes", true), ("N", false), ("NO", false)] {
        let (needs, heard) = interview(format!("HERE\n{answer}\n\n").as_bytes());
        assert_eq!(needs.expect("all is said").no_unsafe, meant, "{heard}");
    }
}

#[test]
fn the_end_of_the_input_is_no_answer() {
    for (answers, missing) in [("", "--wakes-from"), ("nowhere\n", "--wakes-from"), ("here\ny", "--no-alloc-per-wake")] {
        let why = interview(answers.as_bytes()).0.expect_err("something is missing");
        assert!(why.contains("the input ended") && why.contains(missing), "{why}");
    }
}

#[test]
fn what_the_machine_itself_takes_excludes_nobody() {
    let needs = Needs { latency: Some(Duration::from_micros(100)), ..NEEDS };
    let slow = [heard("raw-waker", 1e6, 5e6), heard("floor", 1e6, 4e6)];
    let choice = choose(&needs, &contenders(), &slow);
    assert!(choice.ranking.iter().any(|candidate| candidate.name == "raw-waker"));
    assert!(
        choice.remarks.iter().any(|remark| remark.contains("parks and is unparked by hand")),
        "{:?}",
        choice.remarks
    );
    let choice = choose(&needs, &contenders(), &[heard("raw-waker", 1e6, 5e6), heard("floor", 1e6, 5e4)]);
    assert!(choice.fallen.iter().any(|fallen| fallen.name == "raw-waker"));
}

#[test]
fn times_have_units() {
    assert_eq!(duration("500ns"), Ok(Duration::from_nanos(500)));
    assert_eq!(duration("1.5ms"), Ok(Duration::from_micros(1_500)));
    for wrong in ["10", "us", "-1us", "10 parsecs", "", "0us"] {
        assert!(duration(wrong).is_err(), "{wrong}");
    }
}

/// What the answer tells those whose host polls.
#[test]
fn a_host_can_tick_the_strategies() {
    fn polls_in_a_tick<E: Executor + Described>() -> usize {
        let executor = E::default();
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = polls.clone();
        // It never ends, and the tick does.
        drop(executor.spawn(async move {
            loop {
                counted.fetch_add(1, Relaxed);
                yield_now().await;
            }
        }));
        executor.block_on(yield_now());
        polls.load(Relaxed)
    }

    assert_eq!(polls_in_a_tick::<NoopExecutor>(), 1);
    assert_eq!(polls_in_a_tick::<ParkExecutor>(), 1);
    assert!(polls_in_a_tick::<ArcExecutor>() > 1);
    assert!(polls_in_a_tick::<RawExecutor>() > 1);
}
