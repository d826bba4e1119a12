//! Records, and what is rendered from them. But for the committed record, all of it is made up here.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use compare::newer::Newer;
use compare::record::{self, FOLDER, Header, Record, Step, Whole, date, load, newest, take};
use compare::session::{Selection, Session};
use compare::{diff, overview, report};
use harness::card::{ALLOCATIONS, ATOMICS, INSTRUCTIONS};
use harness::duel::SHORTEST;
use harness::machine::{Machine, Moment, Source};
use harness::table::Table;
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

/// What a record here is complete with.
const STEPS: [&str; 7] = ["conform", "count", "crossover", "duel", "idle", "latency", "memory"];

fn header() -> Header {
    let moment =
        Moment { time: 1_800_000_000, load: Some(0.5), stolen: Some(0), ticks: Some(100), busy: None, own: None };
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
        whole: Some(Whole { steps: STEPS.map(str::to_owned).to_vec(), left_out: Vec::new() }),
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
    fs::create_dir_all(folder).expect("it can be made");
    for verb in STEPS {
        let own: Vec<_> = all.iter().filter(|row| row.verb == verb).cloned().collect();
        let header = Header { rows: own.len(), ..header.clone() };
        fs::write(folder.join(format!("{verb}.jsonl")), record::text(&header, &own)).expect("it can be written");
    }
    load(folder).expect("it has just been written")
}

fn in_one_line(text: &str) -> String {
    text.replace('\n', " ")
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
    // With all three that it has of one contender.
    assert_eq!(rest.observations.len(), whole.observations.len() - 3);

    // A file that cannot be read at all does not take the others with it.
    fs::write(&file, b"\xff\n").expect("it can be written");
    let rest = load(&folder.0).expect("most of it is left");
    assert!(rest.damaged[0].contains("memory.jsonl:1: "), "{:?}", rest.damaged);
    assert!(report::render(&rest).is_ok_and(|rendered| rendered.files[0].1.contains("## Who is faster")));
}

/// What was recorded before samples were arrays.
#[test]
fn a_record_with_a_line_for_each_sample_is_read_as_well() {
    let folder = Folder::new("samples");
    let (now, before) = (folder.0.join("now"), folder.0.join("before"));
    let record = made_up(&now, &header(), 2.0);
    fs::create_dir_all(&before).expect("it can be made");
    for (step, header) in &record.steps {
        let own = record.observations.iter().filter(|row| row.verb == *step);
        let lines: String =
            own.map(|row| serde_json::to_string(row).expect("it has no keys but strings") + "\n").collect();
        let first = record::text(header, &[]);
        fs::write(before.join(format!("{step}.jsonl")), first + &lines).expect("it can be written");
    }
    let older = load(&before).expect("it has just been written");
    assert_eq!((older.damaged, older.observations), (Vec::new(), record.observations));
    let lines = |folder: &Path| fs::read_to_string(folder.join("duel.jsonl")).expect("it is there").lines().count();
    assert!(lines(&before) > 10 * lines(&now), "one line of a contender has all its samples");
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
    assert_eq!(names[1], "docs/results/ranks.md");
    assert_eq!(names[2..], pictures.each_ref().map(|name| &**name));
    let page = &in_one_line(&rendered.files[0].1);
    for heading in ["## All executors", "## Who keeps the contract", "## While nothing happens", "## What a task takes"]
    {
        assert!(page.contains(heading), "{heading} is missing in\n{page}");
    }
    assert!(page.contains("Recorded on 2027-01-15"), "{page}");
    for text in [page, &in_one_line(&rendered.tables[0].2), &in_one_line(&rendered.tables[1].2)] {
        assert!(text.contains("**In short.** If each poll does more than about"), "{text}");
        assert!(text.contains("There are newer versions than those compared: tokio 1.0.1."), "{text}");
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
    assert_eq!(tokio[1..7], ["1", "200", "2", "0", "-", "10.0"].map(str::to_owned));
    assert_eq!(tokio[12..], ["2", "82", "100", "20"].map(str::to_owned));
    assert!(
        table.notes.iter().any(|note| note.contains("pollster is not measured: it breaks X8")),
        "{:?}",
        table.notes
    );
}

/// Who looks at both asks which of two executors hears a wake sooner, and gets one answer.
#[test]
fn the_screen_and_the_readme_say_the_same_latency() {
    let rows = rows(2.0);
    let contenders = harness::contenders();
    let session = Session::new(&contenders, Selection::default()).expect("everybody is chosen");
    let (screen, page) = (overview::view(&session, &rows).remove(0), report::summary(&rows));
    let cell = |table: &Table, name: &str| {
        let column = table.header.iter().position(|title| title == "µs to poll").expect("there is a latency");
        table.rows.iter().find(|row| row[0] == name).expect("it is there")[column].clone()
    };
    for name in ["noop-waker", "raw-waker", "tokio"] {
        assert_eq!(cell(&screen, name), cell(&page, name));
    }
    for table in [screen, page] {
        assert!(table.notes.iter().any(|note| note.contains("Woken every 10 µs")), "{:?}", table.notes);
    }
}

#[test]
fn what_differs_by_more_than_twice_between_processes_is_marked_in_the_summary() {
    let mut rows = rows(2.0);
    let other = |row: &Observation| Observation { process: 1, value: 3.0 * row.value, ..row.clone() };
    let tokio = |row: &&Observation| row.executor == "tokio" && row.quantity == latency::P50;
    let again: Vec<_> = rows.iter().filter(tokio).map(other).collect();
    rows.extend(again);
    let own = rows.iter_mut().filter(|row| row.executor == "tokio" && row.subject == "yield_one" && row.process == 2);
    own.for_each(|row| row.value *= 3.0);
    let table = report::summary(&rows);
    let tokio = &table.rows[2];
    assert_eq!([&*tokio[6], &*tokio[7], &*tokio[14], &*tokio[15]], ["!10.0", "10.0", "!200", "20"]);
    assert!(table.notes.iter().any(|note| note.starts_with("! is not to be compared")), "{:?}", table.notes);
}

#[test]
fn steps_on_a_busy_machine_are_named() {
    let folder = Folder::new("busy");
    let busy = Header { busy: Some("load 9 on 2 cores".to_owned()), ..header() };
    let record = made_up(&folder.0, &busy, 2.0);
    let rendered = report::render(&record).expect("everything is there");
    let page = &rendered.files[0].1;
    assert!(page.contains("In 7 of 7 steps") && page.contains("| latency   | load 9 on 2 cores "), "{page}");
    // Not only where all of it stands: most readers see no more than the table in the README.
    for (page, _, table) in &rendered.tables {
        assert!(in_one_line(table).contains("In 7 of its 7 steps the machine was also busy"), "{page}: {table}");
    }
}

/// Of what is timed the rows themselves say it: waiting for a quiet moment is part of the step, and not of its times.
#[test]
fn a_step_is_busy_where_its_rows_are() {
    let folder = Folder::new("rows");
    let row = |busy: Option<&str>| {
        let row = Observation::new("duel", "tokio", "yield_one", SHORTEST, 1.0);
        vec![Observation { busy: busy.map(str::to_owned), ..row }]
    };
    let steps = [Step::new("quiet", || Ok(row(None))), Step::new("busy", || Ok(row(Some("others did much"))))];
    take(&folder.0, &header(), &steps).expect("the folder is empty");
    let record = load(&folder.0).expect("it has just been written");
    assert_eq!(record.steps["quiet"].busy, None);
    assert_eq!(record.steps["busy"].busy.as_deref(), Some("others did much while 1 of 1 figures were taken"));
    assert_eq!(record.observations.iter().filter(|row| row.busy.is_some()).count(), 1);
}

fn difference(name: &str, change: impl FnOnce(&mut Header)) -> String {
    let folder = Folder::new(name);
    let (old, new) = (folder.0.join("old"), folder.0.join("new"));
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
fn what_only_one_record_has_is_not_the_same() {
    let folder = Folder::new("one-sided");
    let record = made_up(&folder.0, &header(), 2.0);
    let mut other = Record { name: "other".to_owned(), ..record.clone() };
    other.observations.retain(|row| row.executor != "tokio" && row.verb != "memory");
    other.observations.push(Observation::refused("idle", "tokio", "waiting", "hangs: not done after 60 s").at(1.0));
    let text =
        |old, new| diff::view(old, new).iter().map(|table| table.render_within(1_000) + "\n").collect::<String>();
    for text in [text(&record, &other), text(&other, &record)] {
        assert!(text.contains("say the same of what both have."), "{text}");
        assert!(text.contains("On one side only"), "{text}");
        let line = |start: [&str; 2]| {
            let begins = |line: &&str| line.split_whitespace().take(2).eq(start);
            text.lines().find(begins).unwrap_or_else(|| panic!("no line {start:?} in\n{text}"))
        };
        assert!(line(["memory", "raw-waker"]).contains("all"), "{text}");
        assert!(line(["idle", "tokio"]).contains("other does not measure it: hangs"), "{text}");
    }

    // Half of a verb's figures.
    let mut half = record.clone();
    half.observations.retain(|row| (&*row.verb, row.parameter) != ("memory", Some(64.0)));
    let text = text(&record, &half);
    assert!(text.contains("waiting 64") && !text.contains("  all  "), "{text}");

    let nothing = Record { observations: Vec::new(), ..other };
    assert!(diff::view(&record, &nothing)[0].title.ends_with("have no figure in common."));
}

#[test]
fn what_is_not_compared_is_not_said_to_be_the_same() {
    let folder = Folder::new("not-compared");
    let old = made_up(&folder.0.join("old"), &header(), 2.0);
    let mut other = header();
    other.machine.rustc = "rustc 2".to_owned();
    let new = made_up(&folder.0.join("new"), &other, 2.0);
    let tables = diff::view(&old, &new);
    assert!(tables[0].title.ends_with("say the same where they are compared."), "{tables:?}");
}

/// A header as it was begun at that time.
fn begun(time: u64) -> Header {
    let moment = Moment { time, ..header().before };
    Header { before: moment, after: moment, ..header() }
}

#[test]
fn the_newest_record_is_one_that_lacks_nothing() {
    let folder = Folder::new("newest");
    let at = |name: &str| folder.0.join(name);
    assert_eq!(newest(&folder.0), Ok(None));
    let whole = made_up(&at("whole"), &begun(1), 2.0);
    assert_eq!(whole.lacks(), [""; 0]);
    assert_eq!(newest(&folder.0), Ok(Some(at("whole"))));

    let quick = made_up(&at("quick"), &Header { quick: true, ..begun(2) }, 2.0);
    assert_eq!(quick.lacks(), ["it was made with `--quick`"]);

    let left_out = vec!["arc-waker".to_owned()];
    let some = Some(Whole { left_out, ..header().whole.expect("it says so") });
    let some = made_up(&at("some"), &Header { whole: some, ..begun(3) }, 2.0);
    assert_eq!(some.lacks(), ["it is not of the whole line-up: without arc-waker"]);

    made_up(&at("partial"), &begun(4), 2.0);
    fs::remove_file(at("partial/latency.jsonl")).expect("it is there");
    assert_eq!(load(&at("partial")).expect("the rest is there").lacks(), ["it is not complete: without latency"]);

    made_up(&at("damaged"), &begun(5), 2.0);
    let file = at("damaged/duel.jsonl");
    let text = fs::read_to_string(&file).expect("it is there");
    fs::write(&file, text.replacen("\"verb\"", "", 3)).expect("it can be written");
    let damaged = load(&at("damaged")).expect("the rest is there").lacks();
    assert!(damaged[0].starts_with("it is damaged (") && damaged[0].ends_with(", and 2 more)"), "{damaged:?}");

    assert_eq!(newest(&folder.0), Ok(Some(at("whole"))), "the others are passed over");
    made_up(&at("later"), &begun(6), 2.0);
    assert_eq!(newest(&folder.0), Ok(Some(at("later"))));
}

/// Those of before do not say what they are complete with.
#[test]
fn an_old_record_is_complete_with_every_verb_and_executor() {
    let folder = Folder::new("old");
    let old = made_up(&folder.0, &Header { whole: None, ..header() }, 2.0);
    let lacks = old.lacks();
    assert_eq!(lacks[0], "it is not complete: without any `footprint`");
    assert!(lacks[1].contains("without noop-waker, ") && !lacks[1].contains("tokio"), "{lacks:?}");
}

#[test]
fn pages_are_written_all_or_none() {
    let folder = Folder::new("all-or-none");
    let rendered = report::render(&made_up(&folder.0.join("record"), &header(), 2.0)).expect("everything is there");
    let root = folder.0.join("root");
    fs::create_dir_all(root.join("docs")).expect("it can be made");
    let readme = "<!-- table: results -->\n<!-- end -->\n";
    fs::write(root.join("README.md"), readme).expect("it can be written");
    fs::write(root.join("docs/results.md"), "before").expect("it can be written");
    fs::write(root.join("docs/choosing.md"), "It has no place for a table.").expect("it can be written");
    let untouched = |why: &str| {
        assert!(why.contains("docs/"), "{why}");
        assert_eq!(fs::read_to_string(root.join("docs/results.md")).expect("it is there"), "before");
        assert_eq!(fs::read_to_string(root.join("README.md")).expect("it is there"), readme);
        let mut names: Vec<_> = fs::read_dir(root.join("docs")).expect("it is there").collect();
        names.retain(|entry| entry.as_ref().expect("it can be read").file_name().to_string_lossy().contains(".new"));
        assert!(names.is_empty(), "{names:?}");
    };
    untouched(&report::write(&root, &rendered).expect_err("a page has no place for its table"));
    fs::write(root.join("docs/choosing.md"), "<!-- table: choosing -->\n<!-- end -->\n").expect("it can be written");
    // Something that is no folder is where the pictures belong.
    fs::write(root.join("docs/pictures"), "").expect("it can be written");
    untouched(&report::write(&root, &rendered).expect_err("the pictures cannot be written"));
    fs::remove_file(root.join("docs/pictures")).expect("it is there");
    report::write(&root, &rendered).expect("nothing is in the way any more");
    report::compare(&root, &rendered).expect("it has just been written");
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
