//! What is said on the command line, and asked for on a terminal.

use std::io::{BufRead, IsTerminal as _, Write, stderr, stdin};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use harness::pages::to_read;

use super::rules::{Besides, FEW, Needs, PolledBy, WakesFrom, Who};
use crate::record::{self, Record};

/// Needs, as far as they were said on the command line. What is missing is asked for on a terminal.
#[derive(Args, Clone, Debug, Default)]
pub struct Questions {
    /// Who you are: says all that follows, where it is not said otherwise
    #[arg(long = "for", value_enum, value_name = "WHO")]
    pub who: Option<Who>,
    /// What you need besides tasks
    #[arg(long, value_enum)]
    pub besides: Option<Besides>,
    /// Who polls again: a loop that turns anyway, or a thread of its own
    #[arg(long, value_enum)]
    pub polled_by: Option<PolledBy>,
    /// Where wakes come from
    #[arg(long, value_enum)]
    pub wakes_from: Option<WakesFrom>,
    /// How many tasks wait at once; 0 for one future and no tasks
    #[arg(long, value_name = "N")]
    pub idle_tasks: Option<usize>,
    /// Within which time 99 of 100 wakes from another thread are heard, such as 10us
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub latency: Option<Duration>,
    /// A processor may be used up by waiting
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub may_spin: Option<bool>,
    /// No `unsafe` in the executor's own package
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub no_unsafe: Option<bool>,
    /// No allocation for a wake
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub no_alloc_per_wake: Option<bool>,
    /// The folder of the record to go by; without, the newest in docs/results that is complete and not quick
    #[arg(long, value_name = "FOLDER")]
    pub record: Option<PathBuf>,
}

impl Questions {
    /// What was said, and on a terminal what is answered. The questions do not mix with what is printed.
    ///
    /// # Errors
    ///
    /// When what decides is missing and there is nobody to ask, or the input ends before it is said.
    pub fn needs(&self) -> Result<Needs, String> {
        let interactive = stdin().is_terminal();
        self.needs_with(
            interactive.then_some((&mut stdin().lock() as &mut dyn BufRead, &mut stderr() as &mut dyn Write)),
        )
    }

    /// The same, with those who answer and hear the questions, if there are any. Who has said what decides is asked
    /// nothing: the rest has an answer that excludes only executors that spin.
    ///
    /// # Errors
    ///
    /// As [`needs`](Self::needs).
    pub fn needs_with(&self, terminal: Option<(&mut dyn BufRead, &mut dyn Write)>) -> Result<Needs, String> {
        let missing = self.missing();
        match terminal {
            _ if missing.is_empty() => Ok(self.over(self.who.map_or(Needs::ONE_FUTURE, |who| who.persona().needs))),
            Some((input, output)) => self.asked(&mut Asker { input, output }),
            None => Err(format!(
                "{} must be said where there is no terminal to ask on; `--for` says all of it in a word",
                missing.join(", ")
            )),
        }
    }

    /// The flags that decide and were not said.
    fn missing(&self) -> Vec<&'static str> {
        if self.who.is_some() || self.besides.is_some_and(|besides| besides != Besides::Nothing) {
            return Vec::new();
        }
        let said = [
            ("--polled-by", self.polled_by.is_some()),
            ("--idle-tasks", self.idle_tasks.is_some()),
            // One future is driven the same way, wherever its wakes come from.
            ("--wakes-from", self.wakes_from.is_some() || self.idle_tasks == Some(0)),
        ];
        said.into_iter().filter(|(_, said)| !said).map(|(flag, _)| flag).collect()
    }

    /// What was said, in place of what was assumed.
    fn over(&self, assumed: Needs) -> Needs {
        Needs {
            who: assumed.who,
            besides: self.besides.unwrap_or(assumed.besides),
            polled_by: self.polled_by.unwrap_or(assumed.polled_by),
            wakes_from: self.wakes_from.unwrap_or(assumed.wakes_from),
            idle_tasks: self.idle_tasks.unwrap_or(assumed.idle_tasks),
            latency: self.latency.or(assumed.latency),
            may_spin: self.may_spin.unwrap_or(assumed.may_spin),
            no_unsafe: self.no_unsafe.unwrap_or(assumed.no_unsafe),
            no_allocation_per_wake: self.no_alloc_per_wake.unwrap_or(assumed.no_allocation_per_wake),
        }
    }

    /// Asks for what was not said, as far as it can matter after what was answered.
    fn asked(&self, asker: &mut Asker<'_>) -> Result<Needs, String> {
        let mut needs = self.over(Needs::ONE_FUTURE);
        // Who has begun to say what decides wants an executor.
        if [self.polled_by.is_some(), self.wakes_from.is_some(), self.idle_tasks.is_some()] == [false; 3] {
            let who = format!("Who are you? {}, or other", names::<Who>());
            if let Some(who) = asker.ask("--for", &who, "other", persona)? {
                return Ok(self.over(who.persona().needs));
            }
            if self.besides.is_none() {
                let besides = format!("{}What do you need besides tasks?", described::<Besides>());
                needs.besides = asker.ask("--besides", &besides, "nothing", choice)?;
            }
            if needs.besides != Besides::Nothing {
                return Ok(needs);
            }
        }
        if self.polled_by.is_none() {
            needs.polled_by = asker.ask("--polled-by", "Who polls again, host or thread?", "thread", choice)?;
        }
        if self.idle_tasks.is_none() {
            needs.idle_tasks =
                asker.ask("--idle-tasks", "How many tasks wait at once (0 for one future)?", "0", number)?;
        }
        let owns_tasks = needs.idle_tasks > 0;
        if self.wakes_from.is_none() && owns_tasks {
            needs.wakes_from =
                asker.ask("--wakes-from", "Do wakes come from here or elsewhere?", "elsewhere", choice)?;
        }
        let sleeps = needs.polled_by == PolledBy::Thread;
        if self.may_spin.is_none() && sleeps && needs.idle_tasks <= FEW {
            needs.may_spin = asker.ask("--may-spin", "May waiting use up a processor?", "no", yes)?;
        }
        if self.no_unsafe.is_none() && (owns_tasks || sleeps) {
            needs.no_unsafe = asker.ask("--no-unsafe", "Must the executor be without unsafe?", "no", yes)?;
        }
        if self.latency.is_none() && sleeps && needs.wakes_from == WakesFrom::Elsewhere {
            let within = "Within which time must a wake be heard, such as 10us?";
            needs.latency = asker.ask("--latency", within, "any", limit)?;
        }
        if self.no_alloc_per_wake.is_none() && owns_tasks {
            let without = "Must a wake be without allocation?";
            needs.no_allocation_per_wake = asker.ask("--no-alloc-per-wake", without, "no", yes)?;
        }
        Ok(needs)
    }

    /// The record to go by, and its folder: the one that was asked for, or the last there is; none is no error.
    ///
    /// # Errors
    ///
    /// When the record cannot be read, or is damaged.
    pub fn record(&self) -> Result<Option<(PathBuf, Record)>, String> {
        let folder = match &self.record {
            Some(folder) => Some(record::named(folder)),
            None => record::newest(&to_read(record::FOLDER))?,
        };
        let Some(folder) = folder else { return Ok(None) };
        let record = record::load(&folder)?;
        match record.damaged.first() {
            None => Ok(Some((folder, record))),
            Some(why) => Err(why.clone()),
        }
    }
}

struct Asker<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
}

impl Asker<'_> {
    /// Asks until the answer is one. An empty line is the default; the end of the input is no answer.
    fn ask<T>(
        &mut self,
        flag: &str,
        question: &str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, String> {
        let broken = |error| format!("`{question}` cannot be asked: {error}");
        loop {
            write!(self.output, "{question} [{default}] ").and_then(|()| self.output.flush()).map_err(broken)?;
            let mut line = Vec::new();
            if self.input.read_until(b'\n', &mut line).map_err(broken)? == 0 {
                writeln!(self.output).map_err(broken)?;
                let asked = question.lines().last().unwrap_or_default();
                return Err(format!("the input ended before `{flag}` was answered: {asked}"));
            }
            let line = String::from_utf8_lossy(&line);
            let answer = match line.trim() {
                "" => default,
                answer => answer,
            };
            match parse(answer) {
                Ok(answer) => return Ok(answer),
                Err(why) => writeln!(self.output, "{why}.").map_err(broken)?,
            }
        }
    }
}

fn names<T: ValueEnum>() -> String {
    let known = T::value_variants().iter().filter_map(T::to_possible_value);
    known.map(|value| value.get_name().to_owned()).collect::<Vec<_>>().join(", ")
}

/// A line for each, with what it stands for.
fn described<T: ValueEnum>() -> String {
    let known = T::value_variants().iter().filter_map(T::to_possible_value);
    let lines = known.map(|value| {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        format!("  {:<10} {help}\n", value.get_name())
    });
    lines.collect()
}

fn choice<T: ValueEnum>(answer: &str) -> Result<T, String> {
    T::from_str(answer, true).map_err(|_| format!("`{answer}` is none of {}", names::<T>()))
}

fn persona(answer: &str) -> Result<Option<Who>, String> {
    if answer.eq_ignore_ascii_case("other") {
        return Ok(None);
    }
    choice(answer).map(Some).map_err(|why| format!("{why}, other"))
}

fn number(answer: &str) -> Result<usize, String> {
    answer.parse().map_err(|_| format!("`{answer}` is no whole number"))
}

fn yes(answer: &str) -> Result<bool, String> {
    match answer.to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err(format!("`{answer}` is neither yes nor no")),
    }
}

fn limit(answer: &str) -> Result<Option<Duration>, String> {
    if answer.eq_ignore_ascii_case("any") { Ok(None) } else { duration(answer).map(Some) }
}

/// A number with a unit: `500ns`, `10us`, `1.5ms`, `2s`.
///
/// # Errors
///
/// When it is something else.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time such as 500ns, 10us, 1.5ms or 2s");
    let (number, unit) = text.split_at(text.find(|digit: char| digit.is_alphabetic()).ok_or_else(wrong)?);
    let scale = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let time = Duration::try_from_secs_f64(number * scale).map_err(|_| wrong())?;
    if time.is_zero() { Err(wrong()) } else { Ok(time) }
}
