//! Checks in processes of their own: some executors abort where others report, and a check that hangs can be killed.
//!
//! A program that first calls [`requested`], and then [`answer`] with the check that this names, can be run by
//! [`run_check`] once for each check.

use std::collections::VecDeque;
use std::env;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::child::Again;
use crate::image::{end_from_outside, lack};
use crate::suite::run_again;
use crate::{Check, Outcome};

const EXECUTOR: &str = "WAKERS_CHECK_EXECUTOR";
const CLAUSE: &str = "WAKERS_CHECK_CLAUSE";

/// How long a check's process may take. It needs milliseconds; the rest is for busy machines.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long to wait for the rest of a process's output once it has ended: another process may have inherited the pipe.
const REST: Duration = Duration::from_secs(1);

/// Begins each line of ours: no program prints this by chance.
const MARK: &str = "\u{1d}wakers check:";

/// What a process says before it runs a check.
const BEGINS: &str = "begins";

/// The first field of the outcome of a check that failed.
const FAIL: &str = "fail";

/// Separates the fields of an outcome.
const SEPARATOR: char = '\u{1f}';

/// Replaces a line break inside a field.
const LINE: char = '\u{1e}';

/// How many bytes of a process's output are kept, and how long a line may be.
const KEPT: usize = 16 << 10;

/// The outcome of a check, and what its process printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The outcome.
    pub outcome: Outcome,
    /// Whether the check was given up, and may only have been slow.
    pub given_up: bool,
    /// The end of its standard output, 16 KiB at most.
    pub stdout: String,
    /// The end of its standard error, 16 KiB at most. Many checks panic on purpose, so it may hold their messages.
    pub stderr: String,
}

/// The executor and the clause whose check this process must run, if any.
pub fn requested() -> Option<(String, String)> {
    Some((env::var(EXECUTOR).ok()?, env::var(CLAUSE).ok()?))
}

/// Runs the check that was [requested](requested()) and prints its outcome for [`run_check`] to read.
pub fn answer(check: Check) {
    // If the reader is gone, the line is not missed.
    let _ = writeln!(io::stdout(), "{MARK}{BEGINS}");
    let outcome = encode(&run_again(check, Some(Again::AsItIs)));
    // The executor may have left a line unfinished.
    let _ = writeln!(io::stdout(), "\n{MARK}{outcome}");
}

/// Makes `program` run the check of an executor and a clause, both given by name, and gives up after `patience`.
///
/// # Errors
///
/// When `program` cannot be started or does not run checks; when its end says nothing about the check, because the
/// machine lacked memory or threads, or because the process was killed from outside.
pub fn run_check(program: &Path, executor: &str, clause: &str, patience: Duration) -> io::Result<Judged> {
    let mut child = KillOnDrop(
        Command::new(program)
            .env(EXECUTOR, executor)
            .env(CLAUSE, clause)
            // Many checks panic on purpose, and a backtrace takes long in a large program.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?,
    );
    // Both are read while it runs: a pipe that is not read fills up, and then printing blocks.
    let stdout = Heard::of(child.0.stdout.take().expect("it is piped"));
    let stderr = Heard::of(child.0.stderr.take().expect("it is piped"));
    let status = wait(&mut child, &stdout, patience)?;
    stdout.wait();
    stderr.wait();
    let said = stdout.said();
    let complaint = text(&stderr.said().rest);
    let mut given_up = false;
    let outcome = match (said.outcome.as_deref(), status) {
        (Some(outcome), status) => {
            let outcome = decode(outcome).ok_or_else(|| io::Error::other(format!("not an outcome: `{outcome}`")))?;
            match (outcome, status) {
                (Outcome::Fail(why), _) if lack(&why).is_some() => {
                    return Err(not_the_case(executor, clause, &why));
                }
                (outcome @ Outcome::Fail(_), _) | (outcome, Some(_)) => outcome,
                (_, None) => {
                    given_up = true;
                    Outcome::Fail(format!("hangs: its process had not ended after {} s", patience.as_secs()))
                }
            }
        }
        (None, None) => {
            given_up = true;
            Outcome::Fail(format!("hangs: not done after {} s", patience.as_secs()))
        }
        (None, Some(status)) if !said.begun && status.success() => {
            return Err(io::Error::other(format!("`{}` does not run checks", program.display())));
        }
        (None, Some(status)) if !said.begun => {
            let why = complaint.lines().last().map_or_else(|| ending(status), str::to_owned);
            return Err(not_the_case(executor, clause, &format!("its process ended before it began: {why}")));
        }
        (None, Some(status)) => match end_from_outside(status, &complaint) {
            Some(why) => return Err(not_the_case(executor, clause, &why)),
            None => Outcome::Fail(format!("the process ended: {}", ending(status))),
        },
    };
    Ok(Judged { outcome, given_up, stdout: text(&said.rest), stderr: complaint })
}

/// An error that says nothing about the executor.
fn not_the_case(executor: &str, clause: &str, why: &str) -> io::Error {
    io::Error::other(format!("{clause} of {executor}: {why}"))
}

/// Calls `action` with each item, on that many threads, and returns the results in the order of the items.
///
/// # Errors
///
/// The first error of `action`. Items that were not begun by then are skipped.
pub fn in_parallel<T: Send, R: Send>(
    threads: usize,
    items: Vec<T>,
    action: impl Fn(T) -> io::Result<R> + Sync,
) -> io::Result<Vec<R>> {
    let next = Mutex::new(items.into_iter().enumerate());
    let results = thread::scope(|scope| {
        let work = || {
            let mut results = Vec::new();
            loop {
                let item = next.lock().expect("nothing panics under this lock").next();
                let Some((place, item)) = item else { return Ok(results) };
                results.push((place, action(item)?));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| worker.join().expect("no worker panics"));
        results.collect::<io::Result<Vec<_>>>()
    })?;
    let mut results: Vec<_> = results.into_iter().flatten().collect();
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// `None` if the process was killed: it took too long, or had reported a failure already, which is final.
fn wait(child: &mut KillOnDrop, stdout: &Heard, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.0.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() > patience || stdout.said().has_failed() {
            child.0.kill()?;
            child.0.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Kills the process when it is dropped.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a process prints to one of its outputs, read by a thread.
struct Heard {
    said: Arc<Mutex<Said>>,
    end: mpsc::Receiver<()>,
}

#[derive(Debug, Default)]
struct Said {
    begun: bool,
    outcome: Option<String>,
    /// The last [`KEPT`] bytes of the lines that are not ours.
    rest: VecDeque<u8>,
}

impl Heard {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let said = Arc::new(Mutex::new(Said::default()));
        let (ended, end) = mpsc::channel::<()>();
        let hears = said.clone();
        thread::spawn(move || {
            let _ended = ended;
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            // A longer line arrives in parts. An error counts as the end.
            while pipe.by_ref().take(KEPT as u64).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                lock(&hears).hear(&line);
                line.clear();
            }
        });
        Self { said, end }
    }

    /// Waits until all was read, or for [`REST`].
    fn wait(&self) {
        // Nothing is sent: the channel disconnects when the thread ends.
        let _ = self.end.recv_timeout(REST);
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        lock(&self.said)
    }
}

impl Said {
    fn hear(&mut self, line: &[u8]) {
        if let Some(ours) = line.strip_prefix(MARK.as_bytes()) {
            let ours = String::from_utf8_lossy(ours.trim_ascii_end()).into_owned();
            if ours == BEGINS {
                self.begun = true;
            } else {
                self.outcome = Some(ours);
            }
            return;
        }
        self.rest.extend(line);
        self.rest.drain(..self.rest.len().saturating_sub(KEPT));
    }

    fn has_failed(&self) -> bool {
        self.outcome.as_deref().is_some_and(|outcome| outcome.split(SEPARATOR).next() == Some(FAIL))
    }
}

fn lock(said: &Mutex<Said>) -> MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was printed, without the empty line before an outcome.
fn text(printed: &VecDeque<u8>) -> String {
    let bytes: Vec<_> = printed.iter().copied().collect();
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

pub(crate) fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.to_string()
}

/// Writes an outcome as one line, for [`decode`].
pub fn encode(outcome: &Outcome) -> String {
    let fields = match outcome {
        Outcome::Pass => vec!["pass"],
        Outcome::Fail(why) => vec![FAIL, why],
        Outcome::NotApplicable { capability, why } => vec!["n/a", capability, why],
        Outcome::Vacuous(why) => vec!["vacuous", why],
    };
    fields.join(&SEPARATOR.to_string()).replace('\n', &LINE.to_string())
}

/// Reads a line of [`encode`]'s; `None` for any other line.
pub fn decode(line: &str) -> Option<Outcome> {
    let line = line.replace(LINE, "\n");
    // The texts are constants of the suite. There are few, so they are leaked to be constants here, too.
    let mut fields = line.split(SEPARATOR).map(|field| &*field.to_owned().leak());
    Some(match fields.next()? {
        "pass" => Outcome::Pass,
        FAIL => Outcome::Fail(fields.next()?.to_owned()),
        "n/a" => Outcome::NotApplicable { capability: fields.next()?, why: fields.next()? },
        "vacuous" => Outcome::Vacuous(fields.next()?),
        _ => return None,
    })
}
