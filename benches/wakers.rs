//! `cargo bench`: every workload on every contender, by criterion; then a short duel, whose table can be trusted.
//!
//! Criterion's "iteration" is one operation here, so all it prints and stores is in time per operation.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, hint, io};

use conformance::image::running;
use criterion::{Criterion, SamplingMode};
use harness::contender::{Contender, Kind, contenders, gate};
use harness::duel::{Duel, HEADLINES};
use harness::machine::{Machine, Source};
use harness::quiet::{self, Watch};
use harness::table::{Format, paragraphs};
use harness::{Observation, trial, worker};
use output::Stop;
use workloads::{Case, Iteration, WORKLOADS};

/// Set for the copy of this program that only lists: see [`chosen`].
const LISTS_ONLY: &str = "WAKERS_LISTS_ONLY";

/// How long it waits for quiet moments, in all, where [`WAIT`] says nothing else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Says how many seconds it waits for quiet moments: criterion takes no options but its own.
const WAIT: &str = "WAKERS_WAIT";

/// How long the duel at the end takes.
const DUEL: Duration = Duration::from_secs(30);

const WHAT_IT_IS_WORTH: &str = "\
Of the same workloads criterion's figures above were taken one contender after the other, and each holds the weather of
its own second: on a shared machine such medians move by tens of percent from run to run of the same program. Here the
contenders took turns of microseconds, the shortest of which counts; x floor is the ratio to the same work by hand.
`cargo compare duel` takes more time, more workloads, and the executors you name; `cargo compare` answers the rest.";

fn main() -> ExitCode {
    if let Some(code) = worker::run_if_asked(contenders) {
        return code;
    }
    // Where nobody reads it is 0, as cargo would have more to say about anything else.
    output::end_where_a_library_cannot_print(0);
    run().unwrap_or_else(|stop| match stop {
        Stop::Closed => ExitCode::SUCCESS,
        stop => stop.end(),
    })
}

fn run() -> Result<ExitCode, Stop> {
    let criterion = Criterion::default()
        .without_plots()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(900))
        .nresamples(10_000)
        // What a shared machine does to a median from one run to the next is no change of ours.
        .noise_threshold(0.25);
    let mut criterion = configured(criterion)?;
    let contenders = contenders();

    if env::var_os(LISTS_ONLY).is_some() {
        register(&mut criterion, &contenders, &mut Progress::default());
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = chosen().map_err(|error| format!("the benchmarks cannot be listed: {error}"))?;
    if chosen.is_empty() {
        return Err("no benchmark matches the filter: `cargo bench -- --list` shows their names".into());
    }

    let mut progress = Progress { chosen, ..Progress::default() };
    if given("--list") {
        progress.chosen.clear();
    }
    // Cargo says `--bench` when figures are wanted, and not when it only tests. Those of a profile or of an earlier run
    // are no figures of this one.
    let others = ["--list", "--test", "--profile-time", "--load-baseline"];
    let times = given("--bench") && !others.into_iter().any(given);
    if times {
        progress.watch = Watch::new(patience()?);
    }
    register(&mut criterion, &contenders, &mut progress);
    criterion.final_summary();

    if times {
        if let Some(doubt) = progress.doubt() {
            output::line(format_args!("\n{}", paragraphs(&doubt)))?;
        }
        match duel(&contenders, &progress) {
            Err(Stop::Because(why)) => progress.failed.push(why),
            ended => ended?,
        }
    }
    for reason in &progress.failed {
        output::say(format_args!("error: {reason}"));
    }
    Ok(if progress.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn patience() -> Result<Duration, Stop> {
    let Some(wait) = env::var_os(WAIT) else { return Ok(PATIENCE) };
    let wait = wait.to_string_lossy();
    let seconds =
        wait.parse().map_err(|_| format!("{WAIT} says for how many seconds to wait, such as 120, not `{wait}`"))?;
    Ok(Duration::from_secs(seconds))
}

/// Whether that option is among the arguments.
fn given(option: &str) -> bool {
    env::args_os().skip(1).any(|argument| {
        let argument = argument.to_string_lossy();
        argument == option || argument.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))
    })
}

/// Criterion panics where an argument is wrong that it does not leave to clap, such as a filter that is no regular
/// expression.
fn configured(criterion: Criterion) -> Result<Criterion, Stop> {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let configured = panic::catch_unwind(AssertUnwindSafe(|| criterion.configure_from_args()));
    panic::set_hook(loud);
    configured.map_err(|panic| {
        let message = panic.downcast_ref::<String>().map_or("the arguments cannot be understood", String::as_str);
        // Between the first line and the last there is a drawing of where.
        let (first, last) = (message.lines().next().unwrap_or_default(), message.lines().last().unwrap_or_default());
        let first = first.trim_end_matches(": regex parse error:");
        let last = last.trim_start_matches("error: ");
        Stop::Because(if first == last { first.to_owned() } else { format!("{first}: {last}") })
    })
}

/// Ranks the chosen contenders in those of the chosen workloads that are looked at first.
///
/// # Errors
///
/// When a process fails of something else than the contenders.
fn duel(contenders: &[Contender], progress: &Progress) -> Result<(), Stop> {
    let takes_part = |workload: &str, name: &str| progress.chosen.contains(&format!("{workload}/{name}"));
    let headlines = HEADLINES.iter().copied();
    let workloads: Vec<_> =
        headlines.filter(|workload| contenders.iter().any(|contender| takes_part(workload, contender.name))).collect();
    let named = contenders.iter().map(|contender| contender.name);
    let named: Vec<_> = named.filter(|name| workloads.iter().any(|workload| takes_part(workload, name))).collect();
    let admitted =
        contenders.iter().filter(|contender| named.contains(&contender.name) && gate(contender.name).is_none());
    let rivals: Vec<_> = admitted.filter(|contender| contender.kind != Kind::Floor).cloned().collect();
    if rivals.is_empty() {
        return Ok(());
    }
    // What the ratios are to, chosen or not.
    let admitted = [vec![Contender::floor()], rivals].concat();
    output::line(format_args!("\nA duel of {} s over {}:\n", DUEL.as_secs(), workloads.join(", ")))?;
    let duel = Duel { workloads, contenders: admitted, reference: "raw-waker", time: DUEL, most_processes: 3 };
    let mut observations = harness::duel::run(&duel, &progress.watch)?.observations;
    observations.extend(named.into_iter().filter_map(|name| Some(Observation::refused("duel", name, "", gate(name)?))));
    for table in harness::duel::side_by_side(&observations) {
        output::line(format_args!("{}\n", table.render(Format::Table)))?;
    }
    if let Some(doubt) = quiet::doubt(&observations) {
        output::line(format_args!("{}\n", paragraphs(&doubt)))?;
    }
    let (machine, source) = (Machine::this().in_words(), Source::this().in_words());
    output::line(paragraphs(&format!("{WHAT_IT_IS_WORTH}\n\n{machine}; {source}")))
}

/// Where we are, and who dropped out.
struct Progress {
    /// Ids that this run is about; none when it only lists.
    chosen: HashSet<String>,
    begun: usize,
    started: Option<Instant>,
    /// What nobody expected: these end the program with an error.
    failed: Vec<String>,
    watch: Watch,
    /// Whose times cannot be trusted, and why.
    busy: Vec<(String, String)>,
}

impl Default for Progress {
    /// Waits for nothing.
    fn default() -> Self {
        Self {
            chosen: HashSet::new(),
            begun: 0,
            started: None,
            failed: Vec::new(),
            watch: Watch::new(Duration::ZERO),
            busy: Vec::new(),
        }
    }
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
    let listed = Command::new(running()?).args(arguments).arg("--list").env(LISTS_ONLY, "1").output()?;
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
            let Some(case) = contender.case(workload) else { continue };
            if progress.admits(contender, case) {
                progress.watched(contender, case, || {
                    group.bench_function(contender.name, |bencher| {
                        let mut iteration = case.set_up();
                        // Not timed: what only a first iteration does, such as letting a buffer grow.
                        iteration();
                        bencher.iter_custom(|operations| time(&mut iteration, case, operations));
                    });
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
        output::say(format_args!("[{}/{}]{time_left}", self.begun, self.chosen.len()));
        let reason = gate(contender.name).or_else(|| {
            let reason = trial::run(case).err()?;
            self.failed.push(format!("{id} is not timed: {reason}"));
            Some(reason)
        });
        if let Some(reason) = &reason {
            output::say(format_args!("{id} is not timed: {reason}"));
        }
        reason.is_none()
    }

    /// Waits for a quiet moment and measures; notes when it was not quiet to the end.
    fn watched(&mut self, contender: &Contender, case: Case, measure: impl FnOnce()) {
        let id = format!("{}/{}", case.workload.id, contender.name);
        if !self.chosen.contains(&id) {
            // Criterion skips it, or lists it.
            return measure();
        }
        self.watch.wait();
        if let Some(why) = self.watch.during(measure) {
            output::say(format_args!("{id} cannot be trusted: {why}"));
            self.busy.push((id, why));
        }
    }

    /// What must be said of criterion's figures.
    fn doubt(&self) -> Option<String> {
        let (_, why) = self.busy.last()?;
        let (busy, all) = (self.busy.len(), self.chosen.len());
        Some(format!(
            "Of criterion's {all} times above {busy} cannot be trusted, because the machine was busy with something else ({why}): {}.",
            self.busy.iter().map(|(id, _)| &**id).collect::<Vec<_>>().join(", ")
        ))
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
