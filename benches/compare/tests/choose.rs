//! Who falls out for which reason, and who comes first, by rows that are made up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::time::Duration;

use clap::ValueEnum as _;
use compare::choose::{
    Answer, Besides, Choice, Judged, Needs, Origin, PolledBy, Questions, WakesFrom, Who, choose, choose_by, duration,
    view,
};
use compare::footprint;
use executor::{Capabilities, Described, Executor, Idle, NestedBlockOn, WakeNames, yield_now};
use harness::card::{self, ALLOCATIONS, INSTRUCTIONS};
use harness::contender::Probes;
use harness::latency::{self, P99};
use harness::table::Format;
use harness::{Contender, Kind, Observation, idle};
use lineup::{ArcExecutor, NoopExecutor, ParkExecutor, RawExecutor};

const NEEDS: Needs = Needs { idle_tasks: 10_000, ..Needs::ONE_FUTURE };

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
    assert_eq!(names(&choice), ["raw-waker", "tokio", "arc-waker"]);
    assert!(why(&choice, "park-waker").contains("all of 10,000 tasks are polled"), "{:?}", choice.fallen);
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
    let choice = choose(&Needs { may_spin: true, idle_tasks: 4, ..NEEDS }, &contenders(), &[]);
    assert!(names(&choice).contains(&"noop-waker"), "{:?}", choice.fallen);
}

#[test]
fn a_host_that_polls_anyway_keeps_what_spins_and_cannot_wait_for_one_future() {
    let needs = Needs { polled_by: PolledBy::Host, idle_tasks: 4, latency: Some(Duration::from_micros(1)), ..NEEDS };
    let choice = choose(&needs, &contenders(), &[heard("raw-waker", 1e6, 1e9)]);
    assert!(names(&choice).contains(&"noop-waker"), "{:?}", choice.fallen);
    assert!(why(&choice, "futures-lite").contains("a host cannot wait"));
    // The tick is what decides how long a wake takes.
    assert!(names(&choice).contains(&"raw-waker"), "{:?}", choice.fallen);
    assert!(choice.remarks.iter().any(|remark| remark.contains("the host's tick")), "{:?}", choice.remarks);
}

#[test]
fn who_breaks_what_std_demands_is_out() {
    let judge = |name: &str| {
        let refusal = (name == "futures-lite").then(|| "breaks X8".to_owned());
        Judged { refusal, ..Judged::default() }
    };
    let choice = choose_by(&Needs { idle_tasks: 0, ..NEEDS }, &contenders(), &[], judge);
    assert_eq!(names(&choice)[0], "pollster", "{:?}", choice.fallen);
    assert_eq!(why(&choice, "futures-lite"), "breaks X8");
    let verdict = &choice.remarks[0];
    assert!(verdict.contains("The rule would take futures-lite (breaks X8)"), "{verdict}");
}

#[test]
fn unsafe_excludes_where_it_is_known_and_is_named_where_it_is_not() {
    let rows = [
        Observation::new(footprint::VERB, "raw-waker", "", footprint::UNSAFE, 3.0),
        Observation::new(footprint::VERB, "arc-waker", "", footprint::UNSAFE, 0.0),
    ];
    let choice = choose(&Needs { no_unsafe: true, ..NEEDS }, &contenders(), &rows);
    assert!(why(&choice, "raw-waker").contains("3 unsafe sites"), "{:?}", choice.fallen);
    let unsafe_is_missing = |name: &str| {
        let candidate = choice.ranking.iter().find(|candidate| candidate.name == name).expect("it is left");
        candidate.missing.iter().any(|missing| missing.contains(footprint::UNSAFE))
    };
    assert!(!unsafe_is_missing("arc-waker"));
    assert!(unsafe_is_missing("tokio"), "a row that is not there is said to be missing");
    let choice = choose(&Needs { no_unsafe: true, idle_tasks: 0, ..NEEDS }, &contenders(), &rows);
    let said = "Whether futures-lite has unsafe of its own is not in the record: look before you take it.";
    assert!(choice.remarks.iter().any(|remark| remark == said), "{:?}", choice.remarks);
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
    assert_eq!(names(&choice), ["raw-waker", "tokio", "arc-waker"]);
    let first = &choice.ranking[0];
    assert_eq!(first.origin, Origin::Ours);
    assert_eq!(first.keys.iter().map(|key| key.value).collect::<Vec<_>>(), [Some(350.0), Some(90.0)]);
    assert_eq!(first.evidence.iter().filter(|row| row.executor == "raw-waker").count(), first.evidence.len());
    let verdict = &choice.remarks[0];
    assert!(verdict.starts_with("To own the code, take raw-waker: "), "{verdict}");
}

#[test]
fn a_tie_is_broken_by_a_rule_that_is_said() {
    let rows = [wake("arc-waker", 300.0), wake("raw-waker", 500.0), wake("tokio", 310.0)];
    let said = |choice: &Choice| choice.remarks.iter().any(|remark| remark.contains("stands published first"));
    let choice = choose(&NEEDS, &contenders(), &rows);
    assert_eq!(names(&choice), ["raw-waker", "tokio", "arc-waker"]);
    assert!(said(&choice), "{:?}", choice.remarks);
    // The same whatever the order of the rows and the noise of the times.
    let rows = [wake("tokio", 330.0), wake("arc-waker", 310.0), wake("raw-waker", 400.0)];
    assert_eq!(names(&choose(&NEEDS, &contenders(), &rows)), names(&choice));
    let rows = [wake("tokio", 700.0), wake("arc-waker", 310.0), wake("raw-waker", 400.0)];
    let choice = choose(&NEEDS, &contenders(), &rows);
    assert_eq!(names(&choice), ["raw-waker", "arc-waker", "tokio"]);
    assert!(!said(&choice), "{:?}", choice.remarks);
}

/// Who has no rows is not said to be worse than who has.
#[test]
fn who_is_not_in_the_record_is_compared_with_nobody() {
    let choice = choose(&NEEDS, &contenders(), &[wake("raw-waker", 200.0)]);
    let said = |what: &str| choice.remarks.iter().any(|remark| remark.contains(what));
    assert!(said("figures of nobody else to compare raw-waker with"), "{:?}", choice.remarks);
    assert!(!said("speaks against"), "{:?}", choice.remarks);
    let choice = choose(&NEEDS, &contenders(), &[wake("raw-waker", 200.0), wake("arc-waker", 300.0)]);
    assert!(
        choice.remarks.iter().any(|remark| remark == "The record has no figures of tokio."),
        "{:?}",
        choice.remarks
    );
    let choice = choose(&NEEDS, &contenders(), &[wake("tokio", 200.0)]);
    assert!(choice.remarks.iter().any(|remark| remark.contains("no figures of raw-waker: the rule decides alone")));
}

#[test]
fn what_is_taken_or_advised_is_said_to_break_what_it_breaks() {
    let judge = |name: &str| match name {
        "tokio" => Judged { contract: vec!["T9c".to_owned()], quality: vec!["X22o".to_owned()], ..Judged::default() },
        _ => Judged::default(),
    };
    let choice = choose_by(&NEEDS, &contenders(), &[], judge);
    let said = |choice: &Choice, what: &str| choice.remarks.iter().any(|remark| remark.contains(what));
    assert!(said(&choice, "raw-waker breaks no clause"), "{:?}", choice.remarks);
    assert!(said(&choice, "tokio breaks, of the clauses in docs/conformance.md: contract T9c; quality X22o"));
    // Who is asked for alone is taken, and that it breaks them is said.
    let alone: Vec<_> = contenders().into_iter().filter(|contender| contender.name == "tokio").collect();
    let choice = choose_by(&NEEDS, &alone, &[], judge);
    assert!(choice.remarks[0].contains("raw-waker (was not asked for)"), "{:?}", choice.remarks);
    assert!(said(&choice, "contract T9c"), "{:?}", choice.remarks);
    let table = view(&choice, &alone)[0].render(Format::Table);
    assert!(table.contains("T9c X22o"), "{table}");
}

#[test]
fn an_adapter_of_ours_is_not_recommended_under_the_name_of_a_crate() {
    for name in ["async-task", "compio-executor"] {
        let alone = [contender(name, Kind::Executor, WakeNames::Task)];
        let choice = choose_by(&NEEDS, &alone, &[], |_: &str| Judged::default());
        assert!(
            choice.remarks[0].starts_with(&format!("Take an executor of your own around {name}.")),
            "{:?}",
            choice.remarks
        );
        let said = choice.remarks.iter().find(|remark| remark.contains("what was measured is our adapter"));
        let said = said.unwrap_or_else(|| panic!("{:?}", choice.remarks));
        let lines = said.split(' ').find_map(|word| word.parse::<usize>().ok()).expect("it says how many lines");
        assert!(lines > 100, "{said}");
        assert!(view(&choice, &alone)[0].rows[0][0].contains("in our adapter"));
    }
}

/// One of two processes may have been kept waiting by the machine.
#[test]
fn what_processes_do_not_agree_on_neither_ranks_nor_excludes() {
    let needs = Needs { latency: Some(Duration::from_micros(10)), ..NEEDS };
    let rows = [
        heard("tokio", 1e3, 700.0),
        heard("tokio", 1e3, 600_000.0),
        heard("tokio", 1e6, 800.0),
        heard("raw-waker", 1e3, 900.0),
        heard("raw-waker", 1e3, 1_000.0),
        heard("floor", 1e3, 500.0),
    ];
    let choice = choose(&needs, &contenders(), &rows);
    let tokio = choice.ranking.iter().find(|candidate| candidate.name == "tokio").expect("it is left");
    // 800 ns is the least, and it may be 600 us.
    assert_eq!(tokio.keys[0].value, None);
    assert!(tokio.missing.iter().any(|missing| missing.contains("processes differ")), "{:?}", tokio.missing);
    assert!(choice.remarks.iter().any(|remark| remark.starts_with("Nobody is left out")), "{:?}", choice.remarks);
    // What both say is too long is too long.
    let choice = choose(&needs, &contenders(), &[heard("tokio", 1e3, 20_000.0), heard("tokio", 1e3, 600_000.0)]);
    assert!(why(&choice, "tokio").contains("at least 20 µs"), "{:?}", choice.fallen);
}

#[test]
fn who_keeps_a_latency_keeps_every_longer_one() {
    let rows = [
        heard("tokio", 1e3, 20_000.0),
        heard("tokio", 1e6, 600_000.0),
        heard("raw-waker", 1e6, 2e6),
        heard("arc-waker", 1e3, 700.0),
        heard("arc-waker", 1e3, 70_000.0),
        heard("floor", 1e6, 127_000.0),
    ];
    let mut before = 0;
    for latency in [1, 10, 50, 100, 127, 130, 500, 700, 1_000, 3_000] {
        let needs = Needs { latency: Some(Duration::from_micros(latency)), ..NEEDS };
        let fit = choose(&needs, &contenders(), &rows).ranking.len();
        assert!(fit >= before, "{fit} keep {latency} us, and {before} keep less");
        before = fit;
    }
}

#[test]
fn who_is_left_out_for_a_latency_is_said_and_nobody_else() {
    let needs = Needs { latency: Some(Duration::from_nanos(250)), ..NEEDS };
    let rows = [heard("floor", 1e6, 4e6), heard("tokio", 1e6, 5e6), wake("tokio", 300.0), wake("raw-waker", 200.0)];
    let said = |choice: &Choice, what: &str| choice.remarks.iter().any(|remark| remark == what);
    let choice = choose(&needs, &contenders(), &rows);
    assert!(why(&choice, "tokio").contains("to wake one of 10,000 tasks"), "{:?}", choice.fallen);
    assert!(said(&choice, "Left out for taking longer than 250 ns: tokio."), "{:?}", choice.remarks);
    assert!(choice.remarks.iter().any(|remark| remark.contains("without any executor, takes 4 ms")));
    let choice = choose(&needs, &contenders(), &rows[3..]);
    assert!(said(&choice, "Nobody is left out for taking longer than 250 ns."), "{:?}", choice.remarks);
}

#[test]
fn where_nobody_fits_the_need_to_drop_is_named() {
    let needs = Needs { idle_tasks: 4, latency: Some(Duration::from_micros(1)), ..NEEDS };
    let slow = ["park-waker", "arc-waker", "raw-waker", "tokio"].map(|name| heard(name, 1e6, 3e4));
    let rows = [&slow[..], &[heard("noop-waker", 1e6, 300.0), heard("floor", 1e6, 500.0)]].concat();
    let choice = choose(&needs, &contenders(), &rows);
    assert!(matches!(choice.answer, Answer::Nobody), "{:?}", choice.answer);
    assert!(
        choice.remarks[0].contains("with `--may-spin` noop-waker, on a thread that is pinned"),
        "{:?}",
        choice.remarks
    );
    assert!(choice.remarks[0].contains("without a latency park-waker"), "{:?}", choice.remarks);
    let text = view(&choice, &contenders())[0].render(Format::Table);
    assert!(text.contains("Nobody fits") && text.contains("--may-spin"), "{text}");
}

#[test]
fn what_no_executor_brings_is_looked_for_elsewhere() {
    for besides in Besides::value_variants().iter().filter(|besides| **besides != Besides::Nothing) {
        let choice = choose(&Needs { besides: *besides, ..NEEDS }, &contenders(), &[wake("tokio", 300.0)]);
        assert!(matches!(choice.answer, Answer::Elsewhere(_)), "{besides:?}: {:?}", choice.answer);
        assert!(choice.ranking.is_empty() && choice.fallen.is_empty(), "{besides:?}");
    }
}

#[test]
fn one_future_is_decided_by_what_comes_into_the_program() {
    let size = |name, value| Observation::new(footprint::VERB, name, "", footprint::BYTES, value);
    let rows = [size("futures-lite", 4_000.0), size("tokio", 70_000.0), size("park-waker", 9_000.0)];
    let choice = choose(&Needs { idle_tasks: 0, ..NEEDS }, &contenders(), &rows);
    assert_eq!(names(&choice), ["futures-lite", "park-waker", "tokio", "pollster", "arc-waker", "raw-waker"]);
    assert!(choice.remarks[0].starts_with("Take the `block_on` of futures-lite: "), "{:?}", choice.remarks);
}

#[test]
fn more_tasks_than_were_measured_is_said() {
    let choice = choose(&Needs { idle_tasks: 20_000, ..NEEDS }, &contenders(), &[wake("tokio", 300.0)]);
    assert!(choice.remarks.iter().any(|remark| remark.contains("No more than 10,000")), "{:?}", choice.remarks);
    let choice = choose(&Needs { idle_tasks: 200, ..NEEDS }, &contenders(), &[wake("tokio", 300.0)]);
    assert!(choice.remarks.iter().all(|remark| !remark.contains("No more than")), "{:?}", choice.remarks);
}

#[test]
fn the_tables_name_who_fits_who_does_not_and_what_else_there_is() {
    let contenders = contenders();
    let shown = |needs: &Needs| {
        let tables = view(&choose(needs, &contenders, &[wake("raw-waker", 300.0)]), &contenders);
        tables.iter().map(|table| table.render(Format::Table)).collect::<Vec<_>>().join("\n\n")
    };
    let text = shown(&NEEDS);
    for wanted in ["Who fits", "to wake 1 of 10,000", "What the record has of raw-waker", "noop-waker", "embassy"] {
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
    let needs = questions.needs_with(Some((&mut &b"100\nhere\nyes\n\n"[..], &mut heard))).expect("all is said");
    assert_eq!((needs.polled_by, needs.wakes_from, needs.idle_tasks), (PolledBy::Host, WakesFrom::Here, 100));
    assert_eq!((needs.latency, needs.may_spin, needs.no_unsafe), (None, false, true));
    let heard = String::from_utf8(heard).expect("it is text");
    assert!(!heard.contains("polls again") && heard.contains("wakes come from"), "{heard}");

    let all = Questions { wakes_from: Some(WakesFrom::Here), idle_tasks: Some(1), ..questions };
    let needs = all.needs_with(Some((&mut &b""[..], &mut Vec::new()))).expect("nothing that decides is missing");
    assert!(needs.latency.is_none() && !needs.may_spin);
}

#[test]
fn one_word_says_all_on_the_command_line_and_on_the_terminal() {
    for who in Who::value_variants() {
        let flag = Questions { who: Some(*who), ..Questions::default() };
        let by_flag = flag.needs_with(None).expect("all is said");
        let answer = format!("{}\n", who.word().to_uppercase());
        let by_interview = Questions::default().needs_with(Some((&mut answer.as_bytes(), &mut Vec::new())));
        assert_eq!(by_interview.as_ref(), Ok(&by_flag), "{who:?}");
        assert_eq!(by_flag, who.persona().needs);
        // What is said besides goes before what is assumed.
        let more = Questions { idle_tasks: Some(77), ..flag };
        assert_eq!(more.needs_with(None).expect("all is said").idle_tasks, 77);
    }
}

#[test]
fn whom_nobody_knows_is_asked_what_they_need() {
    let ask = |answers: &str| {
        let mut heard = Vec::new();
        let needs = Questions::default().needs_with(Some((&mut answers.as_bytes(), &mut heard)));
        (needs, String::from_utf8(heard).expect("it is text"))
    };
    let (needs, heard) = ask("\n\nthread\n10_0\n4\nelsewhere\ny\n\n10us\n\n");
    let wanted = Needs { idle_tasks: 4, may_spin: true, latency: Some(Duration::from_micros(10)), ..Needs::ONE_FUTURE };
    assert_eq!(needs, Ok(wanted), "{heard}");
    // Nothing more matters then.
    let (needs, heard) = ask("other\nio\n");
    assert_eq!(needs.map(|needs| needs.besides), Ok(Besides::Io), "{heard}");
    let (needs, heard) = ask("");
    assert!(needs.expect_err("nothing is said").contains("--for"), "{heard}");
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
    for (answers, missing) in [("", "--wakes-from"), ("nowhere\n", "--wakes-from"), ("here\ny", "--no-alloc-per-wake")]
    {
        let why = interview(answers.as_bytes()).0.expect_err("something is missing");
        assert!(why.contains("the input ended") && why.contains(missing), "{why}");
    }
}

#[test]
fn that_the_machine_itself_takes_longer_is_said() {
    let needs = Needs { latency: Some(Duration::from_micros(100)), ..NEEDS };
    let slow = [heard("raw-waker", 1e6, 5e6), heard("floor", 1e6, 4e6)];
    let choice = choose(&needs, &contenders(), &slow);
    assert!(choice.fallen.iter().any(|fallen| fallen.name == "raw-waker"));
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
