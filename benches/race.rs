//! `race [EXECUTOR...] [--rounds N]`: drops the executors named, or all that own tasks, while other threads wake, and
//! prints what is left. Exits with 1 when one of this workspace's own leaves something.
//!
//! Each executor is raced in a process of its own, as some abort or hang. With `UPDATE_TABLES` set, the outcome of all
//! of them is written into `docs/race.md`.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, IsTerminal, stderr};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, thread};

use conformance::image::{end_from_outside, running};
use executor::Described;
use harness::machine::{Machine, Source};
use harness::{pages, versions};
use lineup::for_each_executor;
use output::Stop;
use stress::{Findings, Plan, Race};

#[global_allocator]
static ALLOCATOR: conformance::CountingAllocator = conformance::CountingAllocator;

const ROUNDS: usize = 100_000;

/// How many rounds a process runs between two lines.
const STRIDE: usize = 500;

/// How long a process may take for so many rounds. It takes milliseconds; the rest is for busy machines.
const PATIENCE: Duration = Duration::from_secs(30);

/// The adapter of these may lose a joiner's waker, as `docs/race.md` explains.
const ON_ASYNC_TASK: [&str; 3] = ["async-task", "async-executor", "async-executor-local"];

/// Tell a process which executor it races, and how often.
const EXECUTOR: &str = "WAKERS_RACE_EXECUTOR";
const TIMES: &str = "WAKERS_RACE_ROUNDS";

/// What stands before findings, in case something else is printed.
const SO_FAR: &str = "so far:";
const IN_THE_END: &str = "in the end:";

/// An executor that owns tasks, and how to race it.
struct Contender {
    name: &'static str,
    race: fn(&Plan, Seen<'_>) -> Findings,
}

/// Is told after each round what was found so far.
type Seen<'a> = &'a mut dyn FnMut(&Findings);

impl Contender {
    /// Whether it is one of this workspace's strategies.
    fn is_ours(&self) -> bool {
        lineup::strategy(self.name).is_some()
    }
}

macro_rules! contender {
    (BlockOn $executor:ty) => {
        None
    };
    (Executor $executor:ty) => {
        contender!($executor, new)
    };
    (RemoteSpawn $executor:ty) => {
        contender!($executor, with_spawner)
    };
    ($executor:ty, $race:ident) => {
        Some(Contender { name: <$executor>::NAME, race: |plan, seen| Race::<$executor>::$race().run(plan, seen) })
    };
}

macro_rules! contenders {
    ($($kind:ident $executor:ty,)*) => {
        fn contenders() -> Vec<Contender> {
            [$(contender!($kind $executor)),*].into_iter().flatten().collect()
        }
    };
}

for_each_executor!(contenders);

fn main() -> ExitCode {
    if let (Ok(executor), Ok(rounds)) = (env::var(EXECUTOR), env::var(TIMES)) {
        return run_alone(&executor, &rounds).map_or_else(|stop| stop.end(), |()| ExitCode::SUCCESS);
    }
    // An argument that is not UTF-8 names no executor, and the message says so.
    let arguments = env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let done = Request::read(arguments).and_then(|request| request.map_or(Ok(ExitCode::SUCCESS), run));
    done.unwrap_or_else(|stop| stop.end())
}

/// What the command line asks for.
struct Request {
    contenders: Vec<Contender>,
    rounds: usize,
    all: bool,
}

impl Request {
    /// `None` if it was to print the help, which is done.
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, Stop> {
        let known: Vec<_> = contenders().iter().map(|contender| contender.name).collect();
        let (mut names, mut rounds) = (Vec::new(), ROUNDS);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => {
                    let known = known.join(", ");
                    output::line(format_args!("race [EXECUTOR...] [--rounds N]\n\nThe executors: {known}"))?;
                    return Ok(None);
                }
                "--rounds" => {
                    let number = arguments.next().unwrap_or_default();
                    rounds = number.parse().ok().filter(|rounds| *rounds > 0).ok_or_else(|| {
                        format!("`--rounds` wants a whole number from 1, such as `--rounds {ROUNDS}`, not `{number}`")
                    })?;
                }
                option if option.starts_with('-') => {
                    return Err(Stop::Because(format!("there is no option `{option}`; there is `--rounds N`")));
                }
                name if known.contains(&name) => names.push(argument),
                name => {
                    let known = known.join(", ");
                    let why = format!("there is no executor `{name}` that owns tasks; there are {known}");
                    return Err(Stop::Because(why));
                }
            }
        }
        let all = names.is_empty();
        let wanted =
            contenders().into_iter().filter(|contender| all || names.iter().any(|name| name == contender.name));
        Ok(Some(Self { contenders: wanted.collect(), rounds, all }))
    }
}

fn run(Request { contenders, rounds, all }: Request) -> Result<ExitCode, Stop> {
    let program = running().map_err(|error| format!("this program cannot be started again: {error}"))?;
    let mut outcomes = Vec::new();
    for contender in contenders {
        let outcome = Outcome::of(&program, contender, rounds);
        outcomes.push(outcome.map_err(|error| format!("a race could not be run: {error}"))?);
    }
    let table = table(&outcomes);
    output::print(&table)?;
    if all && env::var_os(pages::UPDATE).is_some() {
        let text = format!(
            "`just race` ({rounds} rounds for each), {}; {}:\n\n{table}",
            Machine::this().in_words(),
            Source::this().in_words()
        );
        pages::check_table(&pages::page("docs/race.md"), "race", &text)?;
    }
    let broken = outcomes.iter().any(|outcome| outcome.contender.is_ours() && !outcome.is_clean());
    Ok(ExitCode::from(u8::from(broken)))
}

/// Races one executor in this process.
fn run_alone(executor: &str, rounds: &str) -> Result<(), Stop> {
    let contenders = contenders();
    let contender = contenders.iter().find(|contender| contender.name == executor);
    let (Some(contender), Ok(rounds)) = (contender, rounds.parse()) else {
        return Err(Stop::Because(format!("there is no race of {rounds} rounds of `{executor}`")));
    };
    let write = |mark, findings: &Findings| {
        let findings = serde_json::to_string(findings).expect("numbers can be written as JSON");
        output::line(format_args!("{mark}{findings}"))
    };
    // Before the race, as the first line allocates the buffer of those that follow.
    write(SO_FAR, &Findings::default())?;
    let findings = (contender.race)(&Plan::new(rounds), &mut |findings| {
        if findings.rounds % STRIDE == 0 {
            // Where nobody listens any more, the end is told to nobody either.
            let _ = write(SO_FAR, findings);
        }
    });
    write(IN_THE_END, &findings)
}

/// What became of one executor.
struct Outcome {
    contender: Contender,
    /// The last that its process has told.
    findings: Findings,
    /// Why that is not all, if so.
    cut_short: Option<String>,
    took: Duration,
}

impl Outcome {
    fn of(program: &Path, contender: Contender, rounds: usize) -> io::Result<Self> {
        let begun = Instant::now();
        let mut child = Command::new(program)
            .env(EXECUTOR, contender.name)
            .env(TIMES, rounds.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (findings, cut_short) = follow(&mut child, &contender, rounds)?;
        Ok(Self { contender, findings, cut_short, took: begun.elapsed() })
    }

    fn is_clean(&self) -> bool {
        self.cut_short.is_none() && self.findings.are_none()
    }

    fn verdict(&self, name: &str) -> String {
        let by_adapter = |verdict: &str| ON_ASYNC_TASK.contains(&name) && verdict == stress::JOINER_NOT_WOKEN;
        let told = |verdict: &'static str| match by_adapter(verdict) {
            true => format!("{verdict} (our adapter's doing, see below)"),
            false => verdict.to_owned(),
        };
        let mut verdicts: Vec<_> = self.findings.verdicts().into_iter().map(told).collect();
        verdicts.extend(self.cut_short.clone());
        if verdicts.is_empty() { "nothing is left".to_owned() } else { format!("**{}**", verdicts.join("; ")) }
    }
}

/// Reads what a process tells, until its end or until it tells nothing for too long.
fn follow(child: &mut Child, contender: &Contender, rounds: usize) -> io::Result<(Findings, Option<String>)> {
    let lines = lines_of(child.stdout.take().expect("it is piped"));
    let complaints = lines_of(child.stderr.take().expect("it is piped"));
    let mut latest = Findings::default();
    let terminal = stderr().is_terminal();
    let cut_short = loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                let (mark, findings) = match line.strip_prefix(IN_THE_END) {
                    Some(findings) => (IN_THE_END, Some(findings)),
                    None => (SO_FAR, line.strip_prefix(SO_FAR)),
                };
                let Some(findings) = findings else { continue };
                latest = serde_json::from_str(findings)?;
                if terminal {
                    output::say_in_place(format_args!("\r\x1b[K[{}/{rounds}] {}", latest.rounds, contender.name));
                }
                if mark == IN_THE_END {
                    break None;
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                break Some(format!("hangs: no round ended for {} s", PATIENCE.as_secs()));
            }
            Err(RecvTimeoutError::Disconnected) => {
                let complaints: Vec<_> = complaints.iter().collect();
                if let Some(why) = end_from_outside(child.wait()?, &complaints.join("\n")) {
                    return Err(io::Error::other(format!("{}: {why}", contender.name)));
                }
                let last_words = complaints.iter().find(|line| !line.is_empty() && !line.starts_with("thread '"));
                let last_words = last_words.map_or(String::new(), |line| format!(" with `{line}`"));
                break Some(format!("ends the process{last_words}"));
            }
        }
    };
    if terminal {
        output::say_in_place("\r\x1b[K");
    }
    child.wait()?;
    Ok((latest, cut_short))
}

fn lines_of(pipe: impl io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Nobody listens any more once the end was told.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// The outcomes as a Markdown table, and below it the versions, and the figures of those that leave something.
fn table(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| executor | rounds | seconds | live futures | live bytes | verdict |\n|---|---:|---:|---:|---:|---|\n",
    );
    for outcome in outcomes {
        let Findings { rounds, undropped, bytes, .. } = outcome.findings;
        let (name, took) = (outcome.contender.name, outcome.took.as_secs_f64());
        let _ = writeln!(text, "| {name} | {rounds} | {took:.0} | {undropped} | {bytes} | {} |", outcome.verdict(name));
    }
    if let Some(versions) = versions::in_words(outcomes.iter().map(|outcome| outcome.contender.name)) {
        let _ = writeln!(text, "\n{versions}");
    }
    let left: Vec<_> = outcomes.iter().filter(|outcome| !outcome.is_clean()).collect();
    if !left.is_empty() {
        text.push('\n');
    }
    for outcome in left {
        let _ = writeln!(text, "- {}: {}", outcome.contender.name, outcome.findings);
    }
    text
}
