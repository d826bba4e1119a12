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

use crate::matrix::filled;
use crate::programs::{self, Program};
use crate::record::{Record, date};
use crate::select::{note_marks, refused};
use crate::{called, conform, count, crossover, footprint, idle, latency, memory, pictures};

mod front;

/// The workloads whose ratios are in the summary.
pub const SUMMARIZED: [&str; 6] = ["yield_one", "yield_many", "spawn_join", "all_ready", "one_ready_100", "ping_pong"];

/// So many tasks wait in the column about idleness.
const WAITING: usize = 10_000;

/// So many bytes has the future in the column about memory.
const SIZE: f64 = 64.0;

/// The page that holds all of it.
const PAGE: &str = "docs/results.md";

/// The folder of the pictures, as seen from [`PAGE`].
const PICTURES: &str = "pictures";

/// The page of the ranks, and the way to it from [`PAGE`].
const RANKS: (&str, &str) = ("docs/results/ranks.md", "results/ranks.md");

/// A page that begins with the answer.
struct Summary {
    page: &'static str,
    /// The name of the table in it.
    name: &'static str,
    table: fn(&[Observation]) -> Table,
    /// The way from there to [`PAGE`].
    results: &'static str,
    /// The way from there to the clauses.
    conformance: &'static str,
}

const SUMMARIES: [Summary; 2] = [
    Summary {
        page: "README.md",
        name: "results",
        table: front::few,
        results: "docs/results.md",
        conformance: "docs/conformance.md",
    },
    Summary {
        page: "docs/choosing.md",
        name: "choosing",
        table: front::all,
        results: "results.md",
        conformance: "conformance.md",
    },
];

type View = fn(&[Observation]) -> Vec<Table>;

/// What the page says about one verb.
struct Section {
    title: &'static str,
    command: &'static str,
    about: &'static str,
    picture: Option<&'static str>,
    view: View,
}

const SECTIONS: &[Section] = &[
    Section {
        title: "Who keeps the contract",
        command: "conform",
        about: "Every executor runs every clause of the suite, each in a process of its own. What the clauses promise, and \
                how one is broken: [conformance.md](conformance.md).",
        picture: None,
        view: conform::view,
    },
    Section {
        title: "What an operation costs",
        command: "count",
        about: "Things that can be counted, for one operation each: the same on a busy machine as on a quiet one. They \
                explain differences in time; they are not times.",
        picture: None,
        view: count::view,
    },
    Section {
        title: "Who is faster",
        command: "duel --all",
        about: "How many times as long as the same work by hand: contenders take turns of microseconds, in several fresh \
                processes. The noise is how far one contender differs from itself; what differs by less is a tie. Ranks and \
                pairs: [results/ranks.md](results/ranks.md).",
        picture: Some(pictures::RATIOS),
        view: ratios,
    },
    Section {
        title: "When it does not matter",
        command: "crossover",
        about: "One task wakes itself and works in each poll. What the executor adds becomes a smaller and smaller share \
                of that, until the choice does not matter.",
        picture: Some(pictures::CROSSOVER),
        view: crossover::view,
    },
    Section {
        title: "From a wake to the poll",
        command: "latency",
        about: "Another thread wakes at even intervals. Next to the time until the poll is the share of a processor that the \
                waiting took: an executor that spins answers soon, and pays for it.",
        picture: Some(pictures::LATENCY),
        view: latency::view,
    },
    Section {
        title: "While nothing happens",
        command: "idle",
        about: "Tasks wait, and nothing wakes them; then one is woken among them. Where a wake names no task, every one of \
                them is polled to find it: the picture at the top of this page.",
        picture: None,
        view: idle::view,
    },
    Section {
        title: "What a task takes",
        command: "memory",
        about: "Heap of each task that waits, without the future itself.",
        picture: Some(pictures::MEMORY),
        view: memory::view,
    },
    Section {
        title: "What an executor is made of",
        command: "footprint",
        about: "The package and all its dependencies, as they are compiled here: lines, `unsafe`, a cold build of a program that \
                uses it, and how much larger that program is than an empty one.",
        picture: None,
        view: footprint::view,
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
    let mut files = vec![(PAGE.to_owned(), page(record, &pictures)), (RANKS.0.to_owned(), ranks(record))];
    for (name, svg) in pictures {
        files.push((format!("docs/{PICTURES}/{name}.svg"), svg));
    }
    let tables = SUMMARIES.map(|Summary { page, name, table, results, conformance }| {
        let observations = &record.observations;
        let doubts: String = doubts(record).iter().map(|doubt| format!(" {doubt}")).collect();
        let provenance =
            format!("{} {}{doubts} All of it, with pictures: [{PAGE}]({results}).", origin(record), published(record));
        let parts = [
            front::answer(observations),
            table(observations).render(Format::Markdown),
            front::legend(conformance),
            filled("", &provenance),
        ];
        (page, name, parts.join("\n\n"))
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
    let observations = &record.observations;
    let mut sections = vec![("All executors".to_owned(), summary(observations).render(Format::Markdown))];
    // Several sections would say the same of who is not measured.
    let mut not_measured: Vec<(String, String)> = Vec::new();
    for section in SECTIONS {
        let (left_out, tables): (Vec<_>, Vec<_>) =
            (section.view)(observations).into_iter().partition(|table| NOT_MEASURED.contains(&&*table.title));
        not_measured
            .extend(left_out.into_iter().flat_map(|table| table.rows).map(|mut row| (row.remove(0), row.remove(0))));
        if tables.is_empty() {
            continue;
        }
        let mut parts = vec![filled("", &format!("`cargo compare {}`: {}", section.command, section.about))];
        if let Some((name, _)) = pictures.iter().find(|(name, _)| section.picture == Some(name)) {
            parts.push(format!("![{}: the figures are in the tables below]({PICTURES}/{name}.svg)", section.title));
        }
        parts.extend(tables.iter().map(|table| table.render(Format::Markdown)));
        sections.push((section.title.to_owned(), parts.join("\n\n")));
    }
    if !not_measured.is_empty() {
        let mut table = Table::new("", ["executor", "why"]);
        distinct(not_measured).into_iter().for_each(|(executor, why)| table.row([executor, why]));
        sections.push(("Not measured".to_owned(), table.render(Format::Markdown)));
    }
    sections.push(("The record".to_owned(), provenance(record)));

    let anchor = |title: &str| title.to_lowercase().replace(' ', "-");
    let contents: Vec<_> = sections.iter().map(|(title, _)| format!("[{title}](#{})", anchor(title))).collect();
    let mut text = format!("# Results\n\n{}\n", contents.join(" ·\n"));
    if let Some((name, _)) = pictures.iter().find(|(name, _)| *name == pictures::AMONG_MANY) {
        let _ = writeln!(text, "\n![To wake one task among many that wait]({PICTURES}/{name}.svg)");
    }
    let answer = [
        front::answer(observations),
        front::few(observations).render(Format::Markdown),
        front::legend("conformance.md"),
    ];
    let _ = writeln!(text, "\n{}", answer.join("\n\n"));
    for (title, body) in sections {
        let _ = writeln!(text, "\n## {title}\n\n{}", body.trim_end());
    }
    text
}

/// The titles of tables about contenders that have no figures.
const NOT_MEASURED: [&str; 2] = ["Not measured", "Not timed"];

/// For each workload the ranking, and the pairs that are not clear.
fn ranks(record: &Record) -> String {
    let mut text = String::from(
        "# Ranks and pairs\n\nFor each workload: who is faster, by how much, and how sure that is. Ranks are a range where \
         several tie.\nWritten by `cargo compare report`; the rest is in [results.md](../results.md).\n",
    );
    for table in harness::duel::view(&record.observations) {
        if !NOT_MEASURED.contains(&&*table.title) {
            let _ = writeln!(text, "\n{}", table.render(Format::Markdown));
        }
    }
    text
}

/// Where all of it comes from.
fn provenance(record: &Record) -> String {
    let (header, name) = (record.header(), &record.name);
    let versions: Vec<_> = header.executors.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let machine = &header.machine;
    let mut table = Table::new("", ["what", "which"]);
    table.row(["rows", &format!("[results/{name}](results/{name}): `cargo compare record` measures them")]);
    table.row(["this page", "`cargo compare report` writes it from them"]);
    table.row(["C library", &machine.c_library]);
    table.row(["valgrind", machine.valgrind.as_deref().unwrap_or("none")]);
    table.row(["executors", &versions.join(", ")]);
    let lacks = record.lacks();
    let doubt = (!lacks.is_empty()).then(|| format!("This record is not what it should be: {}.", lacks.join("; ")));
    let parts = [Some(origin(record)), Some(header.newer.in_words()), doubt].into_iter().flatten();
    let parts: Vec<_> = parts.map(|part| filled("", &part)).collect();
    format!("{}\n\n{}\n\n{}", parts.join("\n\n"), table.render(Format::Markdown), busy(record))
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
    let busy = record.steps.iter().filter_map(|(name, header)| Some((name, header.busy.as_ref()?)));
    let busy: Vec<_> = busy.collect();
    let known = record.steps.values().all(|header| header.before.load.is_some() && header.before.stolen.is_some());
    if !known {
        return "Whether the machine was busy with something else is not known: it does not tell.".to_owned();
    }
    if busy.is_empty() {
        return "The machine was quiet in every step.".to_owned();
    }
    let mut table = Table::new("", ["step", "what else the machine did"]);
    busy.iter().for_each(|(name, why)| table.row([*name, *why]));
    format!(
        "In {} of {} steps the machine was also busy with something else; counts do not suffer from it, times do:\n\n{}",
        busy.len(),
        record.steps.len(),
        table.render(Format::Markdown)
    )
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
    let hand = SUMMARIZED.map(|name| ("× by hand", name));
    let own = [
        ("", "executor"),
        ("", "clauses broken"),
        ("a wake", "instructions"),
        ("a wake", "atomics"),
        ("a wake", "allocations"),
        ("a spawn", "allocations"),
    ];
    let others = [("idle", "core, %"), ("", "bytes a task")];
    let mut table = Table::grouped("", &[&own[..], &hand, &others, &latency::COLUMNS].concat());
    let rankings = timed(observations, &SUMMARIZED);
    for name in names(observations).into_iter().filter(|name| owns_tasks(name)) {
        let verdict = conform::observed(observations, name);
        let count =
            |operation, quantity| counted(observations, name, operation, quantity).map(|value| format!("{value:.0}"));
        let counts = [
            count("self_wake", INSTRUCTIONS),
            count("self_wake", ATOMICS),
            count("self_wake", ALLOCATIONS),
            count("spawn_join", ALLOCATIONS),
        ];
        let ratios = rankings.iter().map(|ranking| to_floor(ranking, name));
        let idle = idle::value(observations, name, WAITING, PROCESSOR).map(share);
        let bytes = memory::value(observations, name, SIZE, BYTES).map(|bytes| format!("{bytes:.0}"));
        let latency = latency::summary_cells(observations, name).map_or([None, None], |cells| cells.map(Some));
        let cells = [verdict.known.then(|| verdict.in_figures())].into_iter().chain(counts).chain(ratios);
        let cells = cells.chain([idle, bytes]).chain(latency).map(|cell| cell.unwrap_or_else(|| "-".to_owned()));
        table.row([name.to_owned()].into_iter().chain(cells));
    }
    table.note(format!(
        "Clauses broken: of the contract, in a release build as it is measured; [conformance.md](conformance.md) has a debug \
         build, and says where they differ. A wake: a task wakes itself and is polled again. A spawn: a task is spawned, ends and \
         is joined; by hand most of that is malloc and free. Idle: while {} tasks wait. {} Bytes a task: heap of a task that \
         waits, beyond its future of {SIZE} bytes.",
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

/// What was counted of one operation.
pub(crate) fn counted(observations: &[Observation], name: &str, operation: &str, quantity: &str) -> Option<f64> {
    let found = observations.iter().find(|row| {
        row.verb == card::VERB && row.executor == name && row.subject == operation && row.quantity == quantity
    });
    found.map(|row| row.value)
}

/// A share in percent, without the sign.
pub(crate) fn share(share: f64) -> String {
    format!("{:.0}", 100.0 * share)
}

/// The ranking of each of the workloads, if anybody was timed with it.
pub(crate) fn timed(observations: &[Observation], workloads: &[&str]) -> Vec<Option<Ranking>> {
    let rankings = workloads.iter().map(|workload| harness::duel::observed_ranking(observations, workload));
    rankings.map(|ranking| Some(ranking).filter(|ranking| !ranking.places.is_empty())).collect()
}

/// How many times as long as the same work by hand one takes, where that was measured: `3.18`, or
/// `!3.18` where processes do not agree.
pub(crate) fn to_floor(ranking: &Option<Ranking>, name: &str) -> Option<String> {
    let ranking = ranking.as_ref()?;
    let mark = if ranking.is_steady(name) { "" } else { "!" };
    ranking.to_floor(name).map(|ratio| format!("{mark}{}", figure(ratio)))
}

/// What stands below a table about the largest noise of all.
pub(crate) fn noise(rankings: &[Option<Ranking>]) -> Option<String> {
    let noises: Vec<f64> = rankings.iter().flatten().map(Ranking::largest_noise).collect();
    let noise = percent(statistics::maximum(&noises)?);
    Some(format!("Noise: times that differ by less than {noise} may be the same."))
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
