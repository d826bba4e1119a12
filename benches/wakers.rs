//! `cargo bench`: every workload on every contender, then one table.
//!
//! Criterion's "iteration" is one operation here, so all it prints and stores is in time per operation.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashSet};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant, SystemTime};
use std::{env, hint, io};

use benches::contenders::{Contender, contenders, gate};
use benches::figures::{self, Figures};
use benches::pages;
use benches::provenance::provenance;
use benches::table::{Cell, Column, Table};
use benches::trial;
use criterion::{Criterion, SamplingMode};
use workloads::{Case, Iteration, WORKLOADS};

/// Set for the copy of this program that only lists: see [`chosen`].
const LISTS_ONLY: &str = "WAKERS_LISTS_ONLY";

/// The clocks that fill a file's time are coarser than the one we read.
const FILE_CLOCK: Duration = Duration::from_millis(20);

const WHAT_IT_IS_WORTH: &str = "\
ns per operation (median), and in brackets the ratio to the best of the row; the floor is the same work by hand and does
not compete. Criterion times the contenders one after the other, so each figure also holds the weather of its own
second: on a shared machine such medians move by tens of percent from run to run of the same program. A difference
smaller than that is not an order.";

fn main() -> ExitCode {
    let started = SystemTime::now() - FILE_CLOCK;
    let home = figures::home();
    let mut criterion = Criterion::default()
        .without_plots()
        // Hidden in criterion's documentation. Without it criterion asks `cargo metadata`, and may not agree with us.
        .output_directory(&home)
        .sample_size(15)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(900))
        .nresamples(10_000)
        // What a shared machine does to a median from one run to the next is no change of ours.
        .noise_threshold(0.25)
        .configure_from_args();
    let contenders = contenders();

    let lists = env::args().any(|argument| argument == "--list");
    if env::var_os(LISTS_ONLY).is_some() {
        register(&mut criterion, &contenders, &mut Progress::default());
        return ExitCode::SUCCESS;
    }
    let chosen = match chosen() {
        Ok(chosen) => chosen,
        Err(error) => return fail(&format!("the benchmarks cannot be listed: {error}")),
    };
    if chosen.is_empty() {
        return fail("no benchmark matches the filter: `cargo bench -- --list` shows their names");
    }

    let mut progress = Progress { chosen: if lists { HashSet::new() } else { chosen }, ..Progress::default() };
    register(&mut criterion, &contenders, &mut progress);
    criterion.final_summary();

    let table = match figures::read(&home, started) {
        Ok(figures) => side_by_side(&contenders, &figures, &progress.refused),
        Err(error) => return fail(&format!("criterion's figures cannot be read: {error}")),
    };
    if !table.is_empty() {
        let text = format!("{}\n\n{WHAT_IT_IS_WORTH}", table.render().trim_end());
        println!("\n{text}");
        println!("\nEach with its interval: {}", home.join("<workload>/<executor>/new/estimates.json").display());
        if env::var_os(pages::UPDATE).is_some() {
            let quoted = format!("`cargo bench`, {}:\n\n```text\n{text}\n```", provenance());
            if let Err(error) = pages::check_table(&pages::page("README.md"), "results", &quoted) {
                return fail(&error);
            }
        }
    }
    for reason in &progress.failed {
        eprintln!("error: {reason}");
    }
    if progress.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::FAILURE
}

/// Where we are, and who dropped out.
#[derive(Default)]
struct Progress {
    /// Ids that this run is about; none when it only lists.
    chosen: HashSet<String>,
    begun: usize,
    started: Option<Instant>,
    /// By workload and contender.
    refused: BTreeMap<(&'static str, &'static str), String>,
    /// What nobody expected: these end the program with an error.
    failed: Vec<String>,
}

/// The ids that match the arguments. Criterion does not tell in advance, so a copy of this program lists them.
fn chosen() -> io::Result<HashSet<String>> {
    let mut arguments = Vec::new();
    let mut given = env::args_os().skip(1);
    while let Some(argument) = given.next() {
        // These exclude `--list`.
        if argument == "--profile-time" {
            given.next();
        } else if !(argument == "--test"
            || argument == "--list"
            || argument.to_string_lossy().starts_with("--profile-time="))
        {
            arguments.push(argument);
        }
    }
    let listed = Command::new(env::current_exe()?).args(arguments).arg("--list").env(LISTS_ONLY, "1").output()?;
    if !listed.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&listed.stderr).into_owned()));
    }
    let lines = String::from_utf8_lossy(&listed.stdout).into_owned();
    Ok(lines.lines().filter_map(|line| line.strip_suffix(": benchmark")).map(str::to_owned).collect())
}

/// One group for each workload, one function in it for each contender.
fn register(criterion: &mut Criterion, contenders: &[Contender], progress: &mut Progress) {
    for workload in WORKLOADS {
        let mut group = criterion.benchmark_group(workload.id);
        group.sampling_mode(SamplingMode::Flat);
        for contender in contenders {
            let Some(&case) = contender.cases.iter().find(|case| case.workload.id == workload.id) else { continue };
            if progress.admits(contender, case) {
                group.bench_function(contender.name, |bencher| {
                    let mut iteration = case.set_up();
                    // Not timed: what only a first iteration does, such as letting a buffer grow.
                    iteration();
                    bencher.iter_custom(|operations| time(&mut iteration, case, operations));
                });
            }
        }
        group.finish();
    }
}

/// Times iterations of N operations until there were at least as many operations as criterion wants, and answers for
/// as many as it wants.
fn time(iteration: &mut Iteration, case: Case, wanted: u64) -> Duration {
    let operations = case.workload.operations as u64;
    let iterations = wanted.div_ceil(operations);
    let start = Instant::now();
    for _ in 0..iterations {
        hint::black_box(iteration());
    }
    start.elapsed().mul_f64(wanted as f64 / (iterations * operations) as f64)
}

impl Progress {
    /// Says where we are, and whether the contender may be timed: its gate is open and it passes the workload's check.
    fn admits(&mut self, contender: &Contender, case: Case) -> bool {
        let id = format!("{}/{}", case.workload.id, contender.name);
        if !self.chosen.contains(&id) {
            // Criterion skips it, or lists it.
            return true;
        }
        self.begun += 1;
        let time_left = self.time_left();
        eprintln!("[{}/{}]{time_left}", self.begun, self.chosen.len());
        let reason = gate(contender.name).or_else(|| {
            let reason = trial::run(case).err()?;
            self.failed.push(format!("{id} is not timed: {reason}"));
            Some(reason)
        });
        match reason {
            Some(reason) => {
                eprintln!("{id} is not timed: {reason}");
                self.refused.insert((case.workload.id, contender.name), format!("{}: {reason}", contender.name));
                false
            }
            None => true,
        }
    }

    fn time_left(&mut self) -> String {
        let elapsed = self.started.get_or_insert_with(Instant::now).elapsed();
        let done = self.begun - 1;
        if done < 3 {
            return String::new();
        }
        let left = elapsed.as_secs_f64() / done as f64 * (self.chosen.len() - done) as f64;
        if left < 60.0 { format!(" about {left:.0} s left") } else { format!(" about {:.0} min left", left / 60.0) }
    }
}

fn side_by_side(contenders: &[Contender], figures: &Figures, refused: &BTreeMap<(&str, &str), String>) -> Table {
    let mut table = Table::new(contenders.iter().map(Column::from).collect());
    for workload in WORKLOADS {
        let cell = |contender: &Contender| match refused.get(&(workload.id, contender.name)) {
            Some(reason) => Cell::Refused(reason.clone()),
            None => figures
                .get(&(workload.id.to_owned(), contender.name.to_owned()))
                .map_or(Cell::Empty, |&figure| Cell::Figure(figure)),
        };
        table.row(workload.id, contenders.iter().map(cell).collect());
    }
    table
}
