//! Records, and what is rendered from them. But for the committed record, all of it is made up here.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use compare::newer::Newer;
use compare::record::{self, FOLDER, Header, Record, Step, date, load, newest, take};
use compare::{diff, report};
use harness::card::{ALLOCATIONS, ATOMICS, INSTRUCTIONS};
use harness::duel::SHORTEST;
use harness::machine::{Machine, Moment, Source};
use harness::{Observation, idle, latency, memory, pages};
use workloads::work::SWEEP;

/// A folder for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = env::temp_dir().join(format!("wakers-report-{}-{test}", process::id()));
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn header() -> Header {
    let moment = Moment { time: 1_800_000_000, load: Some(0.5), stolen: Some(0), ticks: Some(100) };
    Header {
        command: "cargo compare record".to_owned(),
        quick: false,
        machine: Machine {
            processor: "a processor".to_owned(),
            virtual_machine: false,
            cores: 2,
            target: "x86_64-linux".to_owned(),
            system: "Linux 1".to_owned(),
            instruction_set: "x86_64 avx2".to_owned(),
            c_library: "glibc 2".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
            valgrind: Some("valgrind-3".to_owned()),
        },
        source: Source { commit: "ab12cd34ef56".to_owned(), dirty: false, lock: "lock".to_owned() },
        executors: BTreeMap::from([("tokio".to_owned(), "1.0.0".to_owned())]),
        newer: Newer::Known(BTreeMap::from([("tokio".to_owned(), "1.0.1".to_owned())])),
        before: moment,
        after: moment,
        busy: None,
        rows: 0,
    }
}

/// Rows of every verb, in which `price` is what tokio takes for a self-wake.
fn rows(price: f64) -> Vec<Observation> {
    let executors = [("noop-waker", 0.5), ("raw-waker", 1.0), ("tokio", price)];
    let mut rows = vec![Observation::refused("duel", "pollster", "", "breaks X8 (A promise)")];
    let mut duel = |verb: &str, workload: &str, times: &[(&str, f64)]| {
        for process in 0..3 {
            for (executor, time) in times {
                let row = Observation::new(verb, executor, workload, SHORTEST, *time);
                rows.push(Observation { process, ..row });
            }
        }
    };
    for (number, workload) in report::SUMMARIZED.iter().enumerate() {
        let scale = 1.0 + number as f64;
        let mut times = vec![("floor", 2.0 * scale), ("raw-waker#2", 10.1 * scale)];
        times.extend(executors.map(|(name, factor)| (name, 10.0 * factor * scale)));
        duel("duel", workload, &times);
    }
    for (number, workload) in SWEEP.iter().enumerate() {
        let work = 5.0 * 4_f64.powi(number as i32);
        let mut times = vec![("floor", work), ("raw-waker#2", (work + 10.0) * 1.005)];
        times.extend(executors.map(|(name, factor)| (name, work + 10.0 * factor)));
        duel("crossover", workload.id, &times);
    }
    for (executor, factor) in executors {
        let fails = f64::from(u8::from(executor != "tokio"));
        rows.push(Observation::new("conform", executor, "T1", "kept", 1.0));
        rows.push(Observation::new("conform", executor, "X1", "kept", fails));
        for (quantity, value) in [(INSTRUCTIONS, 100.0 * factor), (ATOMICS, 2.0), (ALLOCATIONS, 0.0)] {
            rows.push(Observation::new("count", executor, "self_wake", quantity, value));
        }
        for &interval in latency::INTERVALS {
            for (quantity, value) in [(latency::PROCESSOR, 0.1), (latency::P50, 5e4), (latency::P99, 9e4)] {
                let row = Observation::new("latency", executor, "foreign_wake", quantity, value * factor);
                rows.push(row.at(interval as f64));
            }
        }
        for &tasks in idle::TASKS {
            for (quantity, value) in [(idle::PROCESSOR, 0.01), (idle::WAKE, 200.0 + tasks as f64)] {
                let row = Observation::new("idle", executor, "waiting", quantity, value * factor);
                rows.push(row.at(tasks as f64));
            }
        }
        for size in [0.0, 64.0, 256.0] {
            rows.push(Observation::new("memory", executor, "waiting", memory::BYTES, 80.0 + factor).at(size));
        }
    }
    rows
}

fn made_up(folder: &Path, header: &Header, price: f64) -> Record {
    let all = rows(price);
    for verb in ["conform", "count", "duel", "crossover", "latency", "idle", "memory"] {
        let own: Vec<_> = all.iter().filter(|row| row.verb == verb).cloned().collect();
        let header = Header { rows: own.len(), ..header.clone() };
        fs::write(folder.join(format!("{verb}.jsonl")), record::text(&header, &own)).expect("it can be written");
    }
    load(folder).expect("it has just been written")
}

#[test]
fn a_record_that_was_interrupted_goes_on_where_it_ended() {
    let folder = Folder::new("resume");
    let measured = Cell::new(0);
    let step = |name: &str, fails: bool| {
        let measured = &measured;
        Step::new(name, move || {
            measured.set(measured.get() + 1);
            if fails { Err("no power".to_owned()) } else { Ok(vec![Observation::new("duel", "tokio", "", "ns", 1.0)]) }
        })
    };
    let why = take(&folder.0, &header(), &[step("one", false), step("two", true)]).expect_err("the second one fails");
    assert_eq!(why, "two: no power");
    assert_eq!(measured.get(), 2);
    let all = [step("one", false), step("two", false), step("three", false)];
    assert_eq!(take(&folder.0, &header(), &all), Ok(2));
    assert_eq!(measured.get(), 4);
    assert_eq!(take(&folder.0, &header(), &all), Ok(0));
    assert_eq!(load(&folder.0).expect("it is complete").steps.keys().collect::<Vec<_>>(), ["one", "three", "two"]);

    // Half a file is not a step that was finished.
    let file = folder.0.join("two.jsonl");
    let whole = fs::read_to_string(&file).expect("it is there");
    fs::write(&file, whole.lines().next().expect("it has a header")).expect("it can be written");
    assert_eq!(take(&folder.0, &header(), &all), Ok(1));
}

#[test]
fn a_record_is_not_continued_from_another_commit_or_machine() {
    let folder = Folder::new("other");
    let step = || [Step::new("one", || Ok(Vec::new()))];
    take(&folder.0, &header(), &step()).expect("the folder is empty");
    let later = Header { newer: Newer::NotKnown, ..header() };
    take(&folder.0, &later, &step()).expect("what was published since makes it no other state");
    let mut other = header();
    other.source.commit = "another".to_owned();
    other.machine.cores = 3;
    let why = take(&folder.0, &other, &step()).expect_err("it is another state");
    assert!(why.contains("(commit, machine)") && why.contains("--anew"), "{why}");
}

#[test]
fn a_damaged_line_is_named_and_the_rest_survives() {
    let folder = Folder::new("damaged");
    let whole = made_up(&folder.0, &header(), 2.0);
    assert_eq!(whole.damaged, Vec::<String>::new());
    let file = folder.0.join("memory.jsonl");
    let text = fs::read_to_string(&file).expect("it is there");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[2] = &lines[2][..20];
    fs::write(&file, lines.join("\n")).expect("it can be written");
    let rest = load(&folder.0).expect("most of it is left");
    assert_eq!(rest.damaged.len(), 1);
    assert!(rest.damaged[0].contains("memory.jsonl:3: "), "{:?}", rest.damaged);
    assert_eq!(rest.observations.len(), whole.observations.len() - 1);

    // A file that cannot be read at all does not take the others with it.
    fs::write(&file, b"\xff\n").expect("it can be written");
    let rest = load(&folder.0).expect("most of it is left");
    assert!(rest.damaged[0].contains("memory.jsonl:1: "), "{:?}", rest.damaged);
    assert!(report::render(&rest).is_ok_and(|rendered| rendered.files[0].1.contains("## Who is faster")));
}

#[test]
fn the_report_of_a_record_is_the_same_each_time() {
    let folder = Folder::new("stable");
    let record = made_up(&folder.0, &header(), 2.0);
    let rendered = report::render(&record).expect("everything is there");
    assert_eq!(rendered, report::render(&load(&folder.0).expect("it is there")).expect("everything is there"));
    let names: Vec<_> = rendered.files.iter().map(|(name, _)| &**name).collect();
    let pictures = ["ratios", "crossover", "latency", "wake", "memory"].map(|name| format!("docs/pictures/{name}.svg"));
    assert_eq!(names[0], "docs/results.md");
    assert_eq!(names[1..], pictures.each_ref().map(|name| &**name));
    let page = &rendered.files[0].1;
    for heading in ["## Summary", "## Who keeps the contract", "## While nothing happens", "## What a task takes"] {
        assert!(page.contains(heading), "{heading} is missing in\n{page}");
    }
    assert!(page.contains("Recorded on 2027-01-15"), "{page}");
    for text in [page, &rendered.tables[0].2, &rendered.tables[1].2] {
        assert!(text.contains("tokio 1.0.0. There are newer versions than those compared: tokio 1.0.1."), "{text}");
    }

    let root = folder.0.join("root");
    fs::create_dir_all(&root).expect("it can be made");
    fs::write(root.join("README.md"), "Before.\n<!-- table: results -->\n<!-- end -->\nAfter.\n")
        .expect("it can be written");
    report::compare(&root, &rendered).expect_err("nothing is written yet");
    let sentences = report::write(&root, &rendered).expect("there is a place for it");
    assert!(sentences.iter().any(|sentence| sentence.contains("There is no docs/choosing.md")), "{sentences:?}");
    report::compare(&root, &rendered).expect("it has just been written");
    let page = root.join("docs/results.md");
    let text = fs::read_to_string(&page).expect("it has just been written");
    fs::write(&page, text.replace("tokio", "nobody")).expect("it can be written");
    let why = report::compare(&root, &rendered).expect_err("the page was changed");
    assert!(why.contains("docs/results.md is out of date"), "{why}");
}

#[test]
fn the_summary_says_the_figures_of_the_record() {
    let table = report::summary(&rows(2.0));
    let names: Vec<_> = table.rows.iter().map(|row| &*row[0]).collect();
    assert_eq!(names, ["noop-waker", "raw-waker", "tokio"]);
    let tokio = &table.rows[2];
    assert_eq!(tokio[1..5], ["X1", "200 2 0", "-", "10.0x"].map(str::to_owned));
    assert_eq!(tokio[10..], ["2 %", "100 µs", "82"].map(str::to_owned));
    assert!(
        table.notes.iter().any(|note| note.contains("pollster is not measured: it breaks X8")),
        "{:?}",
        table.notes
    );
}

#[test]
fn steps_on_a_busy_machine_are_named() {
    let folder = Folder::new("busy");
    let busy = Header { busy: Some("load 9 on 2 cores".to_owned()), ..header() };
    let record = made_up(&folder.0, &busy, 2.0);
    let page = report::render(&record).expect("everything is there").files.swap_remove(0).1;
    assert!(page.contains("In 7 of 7 steps") && page.contains("latency (load 9 on 2 cores)"), "{page}");
}

fn difference(name: &str, change: impl FnOnce(&mut Header)) -> String {
    let folder = Folder::new(name);
    let (old, new) = (folder.0.join("old"), folder.0.join("new"));
    for folder in [&old, &new] {
        fs::create_dir_all(folder).expect("it can be made");
    }
    let mut other = header();
    change(&mut other);
    let tables = diff::view(&made_up(&old, &header(), 2.0), &made_up(&new, &other, 3.0));
    tables.iter().map(|table| table.render_within(1_000) + "\n").collect()
}

#[test]
fn a_diff_of_one_machine_shows_times_counts_and_ratios() {
    let text = difference("diff", |_| {});
    assert!(text.contains(" ns per operation") && text.contains("ratio to the floor"), "{text}");
    assert!(text.contains("200") && text.contains("+100"), "{text}");
    assert!(text.contains("ns to the poll, p50"), "{text}");
    // What did not change is left out.
    assert!(!text.contains("raw-waker  ") && !text.contains(ATOMICS), "{text}");
}

#[test]
fn a_diff_of_two_machines_shows_ratios_only() {
    let text = difference("machines", |header| header.machine.processor = "another one".to_owned());
    assert!(text.contains("ratio to the floor") && text.contains("these are not the same: processor."), "{text}");
    assert!(!text.contains(" ns per operation") && !text.contains("ns to"), "{text}");
    // The same compiler and C library: instructions are the same on any processor.
    assert!(text.contains(INSTRUCTIONS), "{text}");
}

#[test]
fn a_diff_of_two_compilers_shows_no_counts() {
    let text = difference("compilers", |header| header.machine.rustc = "rustc 2".to_owned());
    assert!(text.contains("Counts are not compared") && !text.contains(INSTRUCTIONS), "{text}");
    assert!(text.contains(" ns per operation"), "{text}");
}

#[test]
fn records_that_are_equal_differ_in_nothing() {
    let folder = Folder::new("equal");
    let record = made_up(&folder.0, &header(), 2.0);
    let tables = diff::view(&record, &record);
    assert_eq!(tables.len(), 1);
    assert!(tables[0].rows.is_empty() && tables[0].title.ends_with("say the same."), "{tables:?}");
}

#[test]
fn days_are_those_of_the_calendar() {
    let days =
        [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (1_795_305_600, "2026-11-22"), (4_107_542_399, "2100-02-28")];
    for (seconds, day) in days {
        assert_eq!(date(seconds), day);
    }
}

#[test]
fn the_pages_say_what_the_newest_record_says() {
    let Some(folder) = newest(&pages::page(FOLDER)).expect("the records can be read") else {
        assert!(!pages::page("docs/results.md").exists(), "docs/results.md is of a record that is not there");
        return;
    };
    let record = load(&folder).expect("it is the newest");
    assert_eq!(record.damaged, Vec::<String>::new());
    if let Err(why) = report::compare(&pages::page(""), &report::render(&record).expect("it can be rendered")) {
        panic!("{why}");
    }
}
