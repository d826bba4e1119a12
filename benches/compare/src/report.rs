//! `report`: the pages, from a record.
//!
//! Nothing is measured here, so that the same record gives the same pages to the last byte, on any machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process;

use harness::card::{self, ALLOCATIONS, ATOMICS, INSTRUCTIONS};
use harness::duel::{Ranking, TWIN, percent};
use harness::idle::PROCESSOR;
use harness::memory::BYTES;
use harness::observation::distinct;
use harness::pages::{compare_table, difference, with_table};
use harness::table::{Format, Table, count as whole, figure};
use harness::{Kind, Observation, statistics};

use crate::programs::{self, Program};
use crate::record::{Record, date};
use crate::rows::{note_marks, refused};
use crate::{called, conform, count, crossover, idle, latency, memory, pictures, statics};

/// The workloads whose ratios stand in the summary.
pub const SUMMARIZED: [&str; 6] = ["yield_one", "yield_many", "spawn_join", "all_ready", "one_ready_100", "ping_pong"];

/// So many tasks wait in the summary's column about idleness.
const WAITING: usize = 10_000;

/// So many bytes has the future in the summary's column about memory.
const SIZE: f64 = 64.0;

/// The page that all of it stands in.
const PAGE: &str = "docs/results.md";

/// The folder of the pictures, as seen from [`PAGE`].
const PICTURES: &str = "pictures";

/// The pages with the summary: their path, the name of the table, and the way from there to [`PAGE`].
const SUMMARIES: [(&str, &str, &str); 2] =
    [("README.md", "results", "docs/results.md"), ("docs/choosing.md", "choosing", "results.md")];

type View = fn(&[Observation]) -> Vec<Table>;

/// What the page says about one verb.
struct Section {
    title: &'static str,
    command: &'static str,
    about: &'static str,
    picture: Option<&'static str>,
    view: View,
    /// Long tables that few want to see at once.
    details: Option<View>,
}

const SECTIONS: &[Section] = &[
    Section {
        title: "Who keeps the contract",
        command: "conform",
        about: "Every executor runs every clause of the suite, each in a process of its own. What the clauses promise, and \
                why one is broken, stands in [conformance.md](conformance.md).",
        picture: None,
        view: conform::view,
        details: None,
    },
    Section {
        title: "What an operation costs",
        command: "count",
        about: "Things that can be counted, for one operation each: the same on a busy machine as on a quiet one. They \
                explain an order in time and are none.",
        picture: None,
        view: count::view,
        details: None,
    },
    Section {
        title: "Who is faster",
        command: "duel --all",
        about: "How many times as long as the same work by hand: contenders take turns of microseconds, in several fresh \
                processes. The noise is how far one contender differs from itself; what differs by less is a tie.",
        picture: Some(pictures::RATIOS),
        view: ratios,
        details: Some(harness::duel::view),
    },
    Section {
        title: "When it does not matter",
        command: "crossover",
        about: "One task wakes itself and works in each poll. What the executor adds becomes a smaller and smaller share \
                of that, until the choice does not matter.",
        picture: Some(pictures::CROSSOVER),
        view: crossover::view,
        details: None,
    },
    Section {
        title: "From a wake to the poll",
        command: "latency",
        about: "Another thread wakes at even intervals. Beside the time until the poll stands what the waiting took of a \
                processor: who spins answers soon, and pays for it.",
        picture: Some(pictures::LATENCY),
        view: latency::view,
        details: None,
    },
    Section {
        title: "While nothing happens",
        command: "idle",
        about: "Tasks wait, and nothing wakes them; then one is woken among them. Where a wake names no task, every one of \
                them is polled to find it.",
        picture: Some(pictures::AMONG_MANY),
        view: idle::view,
        details: None,
    },
    Section {
        title: "What a task takes",
        command: "memory",
        about: "Heap for each task that waits, less the future itself.",
        picture: Some(pictures::MEMORY),
        view: memory::view,
        details: None,
    },
    Section {
        title: "What an executor is made of",
        command: "static",
        about: "Of the package itself and of all that it brings along, as it is compiled here: lines, `unsafe`, a cold build of a \
                program that uses it, and how much larger that program is than an empty one.",
        picture: None,
        view: statics::view,
        details: None,
    },
];

/// The pages as a record wants them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// Files and what is in them, by their path from the root.
    pub files: Vec<(String, String)>,
    /// Tables in pages that hold more: the page's path, the table's name, and the table.
    pub tables: Vec<(&'static str, &'static str, String)>,
}

/// Renders a record.
///
/// # Errors
///
/// When a picture cannot be drawn.
pub fn render(record: &Record) -> Result<Rendered, String> {
    let pictures = pictures::all(&record.observations);
    let mut files = vec![(PAGE.to_owned(), page(record, &pictures))];
    for (name, svg) in pictures {
        files.push((format!("docs/{PICTURES}/{name}.svg"), svg));
    }
    let tables = SUMMARIES.map(|(page, name, link)| {
        let table = summary(&record.observations).render(Format::Markdown);
        let (origin, published) = (origin(record), published(record));
        let doubts: String = doubts(record).iter().map(|doubt| format!(" {doubt}")).collect();
        (page, name, format!("{origin} {published}{doubts}\n\nAll of it, with pictures: [{PAGE}]({link}).\n\n{table}"))
    });
    Ok(Rendered { files, tables: tables.to_vec() })
}

/// Writes all pages or none, and says what became of them.
///
/// # Errors
///
/// When a page cannot be written, or has no place for its table: then all are as they were.
pub fn write(root: &Path, rendered: &Rendered) -> Result<Vec<String>, String> {
    let mut sentences = Vec::new();
    let mut pages: BTreeMap<PathBuf, String> = BTreeMap::new();
    for (path, text) in &rendered.files {
        pages.insert(root.join(path), text.clone());
        sentences.push(format!("{path} is written."));
    }
    for (path, name, table) in &rendered.tables {
        let page = root.join(path);
        let text = match pages.get(&page) {
            Some(text) => text.clone(),
            None if !page.exists() => {
                sentences.push(format!("There is no {path}, so its table `{name}` is left out."));
                continue;
            }
            None => fs::read_to_string(&page).map_err(|error| format!("{} cannot be read: {error}", page.display()))?,
        };
        pages.insert(page.clone(), with_table(&page, &text, name, table)?);
        sentences.push(format!("The table `{name}` in {path} is written."));
    }
    write_all(&pages)?;
    Ok(sentences)
}

/// Writes every file under another name first, so that a full disk is noticed before any of them is touched.
fn write_all(files: &BTreeMap<PathBuf, String>) -> Result<(), String> {
    let new = |file: &Path| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        file.with_file_name(format!(".{name}.{}.new", process::id()))
    };
    let write = |file: &Path, text: &str| {
        // What is a folder, or may not be written, is not replaced either.
        if file.exists() {
            OpenOptions::new().append(true).open(file)?;
        }
        fs::create_dir_all(file.parent().unwrap_or(file)).and_then(|()| fs::write(new(file), text))
    };
    let prepared = files.iter().try_for_each(|(file, text)| write(file, text).map_err(|error| (file, error)));
    let written = prepared
        .and_then(|()| files.keys().try_for_each(|file| fs::rename(new(file), file).map_err(|error| (file, error))));
    written.map_err(|(file, error)| {
        // Some may not be there.
        files.keys().for_each(|file| _ = fs::remove_file(new(file)));
        format!("{} cannot be written: {error}", file.display())
    })
}

/// Compares all pages.
///
/// # Errors
///
/// When one is not what was rendered: all of them, and where.
pub fn compare(root: &Path, rendered: &Rendered) -> Result<(), String> {
    let mut differences = Vec::new();
    for (path, text) in &rendered.files {
        match fs::read_to_string(root.join(path)) {
            Ok(found) if found == *text => {}
            Ok(_) if path.ends_with(".svg") => differences.push(format!("{path} is another picture")),
            Ok(found) => differences.push(format!("{path} is out of date\n{}", difference(&found, text).trim_end())),
            Err(error) => differences.push(format!("{path} cannot be read: {error}")),
        }
    }
    for (path, name, table) in &rendered.tables {
        let page = root.join(path);
        if page.exists() {
            differences.extend(compare_table(&page, name, table).err());
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    let (name, differences) = (called::name(), differences.join("\n"));
    Err(format!("the pages and the record part; `{name} report` writes them anew\n{differences}"))
}

/// Where, when and of what.
fn origin(record: &Record) -> String {
    let header = record.header();
    let quick = if header.quick { ", in a hurry (`--quick`)" } else { "" };
    format!("Recorded on {}{quick}: {}; {}.", date(record.begun()), header.machine.in_words(), header.source.in_words())
}

/// Of which versions it speaks, in a sentence.
fn published(record: &Record) -> String {
    let header = record.header();
    let ours = |name: &str| programs::of(name).is_some_and(Program::is_ours);
    let versions = header.executors.iter().filter(|(name, _)| !ours(name));
    let versions: Vec<_> = versions.map(|(name, version)| format!("{name} {version}")).collect();
    format!("Published: {}. {}", versions.join(", "), header.newer.in_words())
}

fn page(record: &Record, pictures: &[(&str, String)]) -> String {
    let mut text = format!(
        "# Results\n\nWritten by `cargo compare report` from [results/{0}](results/{0}), where the rows are that all figures \
         below are made of; `cargo compare record` measures them.\n\n{1}\n\n",
        record.name,
        origin(record)
    );
    let header = record.header();
    let versions: Vec<_> = header.executors.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let machine = &header.machine;
    let valgrind = machine.valgrind.as_deref().unwrap_or("no valgrind");
    let newer = header.newer.in_words();
    let _ = writeln!(text, "With {}, {valgrind}, and {}. {newer}\n", machine.c_library, versions.join(", "));
    text.push_str(&busy(record));
    let lacks = record.lacks();
    if !lacks.is_empty() {
        let _ = writeln!(text, "\nThis record is not what it should be: {}.", lacks.join("; "));
    }
    let _ = writeln!(text, "\n## Summary\n\n{}", summary(&record.observations).render(Format::Markdown));
    for section in SECTIONS {
        let tables = (section.view)(&record.observations);
        if tables.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n## {}\n\n`cargo compare {}`: {}", section.title, section.command, section.about);
        if let Some((name, _)) = pictures.iter().find(|(name, _)| section.picture == Some(name)) {
            let _ =
                writeln!(text, "\n![{}: the figures stand in the tables below]({PICTURES}/{name}.svg)", section.title);
        }
        for table in tables {
            let _ = writeln!(text, "\n{}", table.render(Format::Markdown));
        }
        if let Some(view) = section.details {
            text.push_str("\n<details><summary>Each of them, with ranks and pairs</summary>\n");
            for table in view(&record.observations) {
                let _ = writeln!(text, "\n{}", table.render(Format::Markdown));
            }
            text.push_str("\n</details>\n");
        }
    }
    text
}

/// What speaks against the times of a record, in a sentence or two.
pub fn doubts(record: &Record) -> Vec<String> {
    let busy = record.steps.values().filter(|header| header.busy.is_some()).count();
    let mut doubts = Vec::new();
    if busy > 0 {
        doubts.push(format!(
            "In {busy} of its {} steps the machine was also busy with something else, and times are longer for it.",
            record.steps.len()
        ));
    }
    let lacks = record.lacks();
    if !lacks.is_empty() {
        doubts.push(format!("That record is not what it should be: {}.", lacks.join("; ")));
    }
    doubts
}

fn busy(record: &Record) -> String {
    let busy = record.steps.iter().filter_map(|(name, header)| Some(format!("{name} ({})", header.busy.as_ref()?)));
    let busy: Vec<_> = busy.collect();
    let known = record.steps.values().all(|header| header.before.load.is_some() && header.before.stolen.is_some());
    if !known {
        "Whether the machine was busy with something else meanwhile is not known: it does not tell.\n".to_owned()
    } else if busy.is_empty() {
        "The machine was quiet in every step.\n".to_owned()
    } else {
        format!(
            "In {} of {} steps the machine was also busy with something else; counts do not suffer from it, times do: {}.\n",
            busy.len(),
            record.steps.len(),
            busy.join("; ")
        )
    }
}

/// Workloads down, executors across: there are more of those than fit on a page's width.
fn ratios(observations: &[Observation]) -> Vec<Table> {
    harness::duel::side_by_side(observations).into_iter().map(transposed).collect()
}

fn transposed(table: Table) -> Table {
    let names = table.rows.iter().map(|row| row[0].clone());
    let header = [table.header[0].clone()].into_iter().chain(names);
    let mut other = Table::new(table.title, header);
    for (column, name) in table.header.iter().enumerate().skip(1) {
        let cells = table.rows.iter().map(|row| row[column].clone());
        other.row([name.clone()].into_iter().chain(cells));
    }
    other.notes = table.notes;
    other
}

/// One row for each executor that owns tasks, with what one asks first.
pub fn summary(observations: &[Observation]) -> Table {
    let own = ["executor", "breaks", "self-wake", "spawn"].map(str::to_owned);
    let measured = ["idle", "latency", "memory"].map(str::to_owned);
    let mut table = Table::new("", own.into_iter().chain(SUMMARIZED.map(|name| format!("`{name}`"))).chain(measured));
    let rankings = timed(observations, &SUMMARIZED);
    for name in names(observations).into_iter().filter(|name| owns_tasks(name)) {
        let verdict = conform::observed(observations, name);
        let contract = if verdict.known { verdict.in_short() } else { "-".to_owned() };
        let counts =
            [card_cell(observations, name, "self_wake"), counted(observations, name, "spawn_join", ALLOCATIONS)];
        let ratios = rankings.iter().map(|ranking| to_floor(ranking, name));
        let others = [
            idle::value(observations, name, WAITING, PROCESSOR).map(|share| format!("{:.0} %", 100.0 * share)),
            latency::summary_cell(observations, name),
            memory::value(observations, name, SIZE, BYTES).map(whole),
        ];
        let cells = counts.into_iter().chain(ratios).chain(others).map(|cell| cell.unwrap_or_else(|| "-".to_owned()));
        table.row([name.to_owned(), contract].into_iter().chain(cells));
    }
    table.note(format!(
        "breaks: clauses of the contract, in a release build as it is measured (conformance.md has a debug build, and says where \
         they differ). self-wake: instructions, atomic read-modify-writes and allocations \
         for a task that wakes itself and is polled again. \
         spawn: allocations for a task that is spawned, ends and is joined. Then ratios (x) to the same work by hand; for \
         `spawn_join` most of that is malloc and free. idle: share of a processor while {} tasks wait. {}. memory: bytes for a task that waits, beyond its future of {SIZE} bytes.",
        whole(WAITING as f64),
        latency::summary_note(),
    ));
    note_marks(&mut table);
    if let Some(note) = noise(&rankings) {
        table.note(note);
    }
    let measured = |name: &str| {
        observations.iter().any(|row| row.executor == name && row.verb != conform::VERB && row.refusal().is_none())
    };
    for (name, why) in refused(&observations.iter().collect::<Vec<_>>()) {
        if !measured(name) {
            table.note(format!("{name} is not measured: it {why}."));
        }
    }
    table
}

fn counted(observations: &[Observation], name: &str, operation: &str, quantity: &str) -> Option<String> {
    let found = observations.iter().find(|row| {
        row.verb == card::VERB && row.executor == name && row.subject == operation && row.quantity == quantity
    });
    found.map(|row| whole(row.value))
}

/// Instructions, atomics and allocations of an operation; what was not counted is a question mark.
pub(crate) fn card_cell(observations: &[Observation], name: &str, operation: &str) -> Option<String> {
    let cells = [INSTRUCTIONS, ATOMICS, ALLOCATIONS].map(|quantity| counted(observations, name, operation, quantity));
    if cells.iter().all(Option::is_none) {
        return None;
    }
    Some(cells.map(|cell| cell.unwrap_or_else(|| "?".to_owned())).join(" "))
}

/// The ranking of each of the workloads, if anybody was timed with it.
pub(crate) fn timed(observations: &[Observation], workloads: &[&str]) -> Vec<Option<Ranking>> {
    let rankings = workloads.iter().map(|workload| harness::duel::observed_ranking(observations, workload));
    rankings.map(|ranking| Some(ranking).filter(|ranking| !ranking.places.is_empty())).collect()
}

/// How many times as long as the same work by hand one takes, where that was measured: `3.18x`, or
/// `!3.18x` where processes do not agree.
pub(crate) fn to_floor(ranking: &Option<Ranking>, name: &str) -> Option<String> {
    let ranking = ranking.as_ref()?;
    let mark = if ranking.is_steady(name) { "" } else { "!" };
    ranking.to_floor(name).map(|ratio| format!("{mark}{}x", figure(ratio)))
}

/// What stands below a table about the largest noise of all.
pub(crate) fn noise(rankings: &[Option<Ranking>]) -> Option<String> {
    let noises: Vec<f64> = rankings.iter().flatten().map(Ranking::largest_noise).collect();
    let noise = percent(statistics::maximum(&noises)?);
    Some(format!("Noise: ratios that differ by less than {noise} may be the same."))
}

/// Everybody whom the observations are about, once.
pub(crate) fn names(observations: &[Observation]) -> Vec<&str> {
    distinct(observations.iter().map(|row| &*row.executor).filter(|name| !name.ends_with(TWIN)))
}

/// Whether somebody of that name owns tasks, as far as this program knows it.
fn owns_tasks(name: &str) -> bool {
    let contenders = harness::contenders();
    let known = contenders.iter().find(|contender| contender.name == name);
    known.is_none_or(|contender| contender.kind == Kind::Executor)
}
