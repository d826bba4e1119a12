//! At each end of the tree, and for each persona, the tool answers what docs/choosing.md says.

use std::fs;

use clap::ValueEnum as _;
use compare::choose::rules::{Leaf, Node, SAFE, leaf as leaf_of, leaves};
use compare::choose::{Answer, Choice, Judged, Needs, PolledBy, WakesFrom, Who, choose, view};
use harness::card::{self, INSTRUCTIONS};
use harness::idle;
use harness::latency::{self, P99};
use harness::pages::{cells, page, read_table};
use harness::table::Format;
use harness::verdicts::{Outcome, committed};
use harness::{Contender, Observation, contenders};
use lineup::Strategy;

fn table(name: &str) -> String {
    read_table(&page("docs/choosing.md"), name).unwrap_or_else(|| panic!("docs/choosing.md has a table `{name}`"))
}

/// No record, one in which all are equal, and one in which those that the rules take do worst.
fn records(contenders: &[Contender]) -> [Vec<Observation>; 3] {
    let taken =
        |name: &str| leaves().iter().any(|leaf| matches!(leaf.end, Node::Take(rule) if rule.takes.contains(&name)));
    let rows = |figure: &dyn Fn(&str) -> f64| {
        let rows = contenders.iter().filter(|contender| contender.capabilities.is_some()).flat_map(|contender| {
            let (name, value) = (contender.name, figure(contender.name));
            let counted = |operation| Observation::new(card::VERB, name, operation, INSTRUCTIONS, value);
            let made_of = |quantity| Observation::new(compare::footprint::VERB, name, "", quantity, value);
            [
                Observation::new(idle::VERB, name, "waiting", idle::WAKE, value).at(1.0),
                Observation::new(idle::VERB, name, "waiting", idle::WAKE, value).at(10_000.0),
                Observation::new(latency::VERB, name, "foreign_wake", P99, value).at(1e6),
                counted("self_wake"),
                counted("local_wake"),
                counted("foreign_wake"),
                counted("foreign_poll"),
                made_of(compare::footprint::BYTES),
                made_of(compare::footprint::DEPENDENCIES),
            ]
        });
        rows.collect::<Vec<_>>()
    };
    [Vec::new(), rows(&|_| 100.0), rows(&|name| if taken(name) { 1_000.0 } else { 100.0 })]
}

/// What the tool says to do, in the words of the page.
fn said(leaf: &Leaf, choice: &Choice) -> String {
    match (&choice.answer, leaf.end) {
        (Answer::Take(name), Node::Take(rule)) => rule.answer(name),
        (Answer::Elsewhere(pointer), _) => pointer.to.to_owned(),
        (answer, end) => panic!("{}: {answer:?} where the tree has {end:?}", leaf.in_words()),
    }
}

#[test]
fn at_each_end_of_the_tree_the_tool_answers_what_the_page_says() {
    let contenders = contenders();
    let tree = table("tree");
    let ends: Vec<_> = tree.lines().filter_map(|line| line.split_once("─> ")).collect();
    let leaves = leaves();
    assert_eq!(ends.len(), leaves.len(), "{tree}");
    for (leaf, (way, end)) in leaves.iter().zip(ends) {
        let (_, last) = leaf.path.last().expect("there is a question");
        assert!(way.contains(last.label), "{way} is not {}", last.label);
        for record in records(&contenders) {
            let choice = choose(&leaf.example(), &contenders, &record);
            assert_eq!(said(leaf, &choice), end, "{}: {:?}", leaf.in_words(), choice.fallen);
            assert!(!choice.remarks.is_empty());
        }
    }
}

#[test]
fn each_persona_is_answered_what_the_page_says() {
    let contenders = contenders();
    let personas = table("personas");
    let rows: Vec<_> = personas.lines().skip(2).map(cells).collect();
    assert_eq!(rows.len(), Who::value_variants().len(), "{personas}");
    for (who, row) in Who::value_variants().iter().zip(rows) {
        let persona = who.persona();
        assert_eq!((row[0], row[2]), (persona.writes, &*format!("`{}`", who.word())));
        let leaf = leaf_of(&persona.needs);
        for record in records(&contenders) {
            let choice = choose(&persona.needs, &contenders, &record);
            let said = said(&leaf, &choice);
            // Long lines are broken on a terminal.
            let text = view(&choice, &contenders)[0].render(Format::Table);
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            match choice.answer {
                // An honest pointer: why none of these, and which crate.
                Answer::Elsewhere(pointer) => {
                    assert_eq!((row[3], row[4]), (&*format!("none: {}", pointer.because), pointer.to));
                    assert!(text.contains(pointer.to) && text.contains(pointer.because), "{text}");
                }
                // A strategy and what to take instead of it, or what is published.
                _ => {
                    assert_eq!(row[3], said);
                    assert!(text.contains(&said), "{text}");
                    let published = row[4].split("; or ").filter(|how| *how != "the same");
                    published.for_each(|how| assert!(text.contains(how), "{how} is not in\n{text}"));
                }
            }
        }
    }
}

/// A record that speaks against a rule changes no answer, and is not kept back.
#[test]
fn what_speaks_against_a_rule_is_said() {
    let contenders = contenders();
    let [_, even, against] = records(&contenders);
    for leaf in leaves().iter().filter(|leaf| matches!(leaf.end, Node::Take(_))) {
        let says = |record: &[Observation], what: &str| {
            let choice = choose(&leaf.example(), &contenders, record);
            choice.remarks.iter().any(|remark| remark.contains(what))
        };
        assert!(says(&even, "No figure of the record speaks against it"), "{}", leaf.in_words());
        assert!(says(&against, "The record speaks against it"), "{}", leaf.in_words());
        assert!(says(&against, "1,000") || says(&against, "1 µs"), "{}", leaf.in_words());
    }
}

/// Whatever else is needed, there is something to do: somebody who keeps all of it, or the need to drop.
#[test]
fn every_answer_can_be_acted_on() {
    let contenders = contenders();
    for leaf in leaves() {
        let needs = leaf.example();
        let strict = Needs { no_unsafe: true, no_allocation_per_wake: true, ..needs };
        let choice = choose(&strict, &contenders, &[]);
        match choice.answer {
            Answer::Nobody => {
                assert!(choice.remarks[0].contains("there is an answer"), "{}: {:?}", leaf.in_words(), choice.remarks);
            }
            Answer::Take(name) => {
                assert!(
                    choice.remarks[0].contains("ake ") && choice.remarks[0].contains(&name),
                    "{:?}",
                    choice.remarks
                );
            }
            Answer::Elsewhere(_) => {}
        }
    }
}

/// What is taken breaks nothing, and the `block_on` that is taken was asked all that a `block_on` can be.
#[test]
fn whom_the_rules_take_keeps_the_contract() {
    for leaf in leaves() {
        let Node::Take(rule) = leaf.end else { continue };
        let judged = Judged::committed(rule.takes[0]);
        let broken = [judged.contract, judged.quality, judged.at_times].concat();
        assert!(judged.refusal.is_none() && broken.is_empty(), "{}: {broken:?}", rule.takes[0]);
    }
    let keeps = |name: &str| {
        let kept = committed().rows.iter().filter(|row| row.in_debug(name) == Outcome::Passes);
        kept.map(|row| row.clause.clone()).collect::<Vec<_>>()
    };
    // What the rule says of them.
    let left_out = |name: &str| {
        let kept = keeps(name);
        keeps("futures-lite").into_iter().filter(|id| !kept.contains(id)).collect::<Vec<_>>()
    };
    assert_eq!(left_out("pollster"), ["X5r"], "no poll without a wake");
    assert_eq!(left_out("futures-executor"), ["X9"], "nested calls");
    assert!(keeps("futures-lite").len() > 10);
}

/// Whose source has no `unsafe` is known without a record.
#[test]
fn those_without_unsafe_forbid_it() {
    for Strategy { name, library, .. } in lineup::STRATEGIES {
        let folder = library.replace('_', "-");
        let source = fs::read_to_string(page(&format!("crates/{folder}/src/lib.rs"))).expect("it has a face");
        assert_eq!(SAFE.contains(name), source.contains("#![forbid(unsafe_code)]"), "{name}");
    }
}

/// What follows from an answer holds for all needs, not only for the example.
#[test]
fn each_question_has_one_answer() {
    for leaf in leaves() {
        let needs = leaf.example();
        for (question, branch) in &leaf.path {
            let holding: Vec<_> = question.branches.iter().filter(|branch| (branch.holds)(&needs)).collect();
            assert_eq!(holding.len(), 1, "{}", question.asks);
            assert_eq!(holding[0].label, branch.label);
        }
    }
    for polled_by in [PolledBy::Host, PolledBy::Thread] {
        for idle_tasks in [0, 1, 10, 11, usize::MAX] {
            for yes in [false, true] {
                let needs = Needs { polled_by, idle_tasks, may_spin: yes, no_unsafe: yes, ..Needs::ONE_FUTURE };
                assert!(!matches!(leaf_of(&needs).end, Node::Ask(_)));
            }
        }
    }
}

/// The short list of the first page names the same executors, the first first.
#[test]
fn the_readme_agrees() {
    let readme = fs::read_to_string(page("README.md")).expect("it is there").replace("futures_lite", "futures-lite");
    let section =
        readme.split("## Which one?").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("it is there");
    let thread = |idle_tasks| Needs { idle_tasks, ..Needs::ONE_FUTURE };
    let host = |idle_tasks| Needs { polled_by: PolledBy::Host, ..thread(idle_tasks) };
    for (lead, needs) in [
        ("One future", vec![thread(0)]),
        ("Something else decides", vec![host(4), host(1_000)]),
        ("A thread of its own", vec![thread(4), Needs { may_spin: true, ..thread(4) }]),
        (
            "Many tasks",
            vec![
                Needs { no_unsafe: true, ..thread(1_000) },
                thread(1_000),
                Needs { wakes_from: WakesFrom::Here, ..thread(1_000) },
            ],
        ),
    ] {
        let bullet = section.split("\n- ").find(|bullet| bullet.starts_with(&format!("**{lead}")));
        let bullet = bullet.unwrap_or_else(|| panic!("README.md says nothing of `{lead}`"));
        let places = needs.iter().map(|needs| {
            let Node::Take(rule) = leaf_of(needs).end else { panic!("{needs:?}") };
            bullet.find(rule.takes[0]).unwrap_or_else(|| panic!("{} is not in `{bullet}`", rule.takes[0]))
        });
        assert!(places.is_sorted(), "{bullet}");
    }
}
