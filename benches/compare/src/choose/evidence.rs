//! What a record says about one executor.

use harness::card::{self, ALLOCATIONS, INSTRUCTIONS};
use harness::contender::FLOOR;
use harness::idle::{self, WAKE};
use harness::latency::{self, P99};
use harness::statistics::median;
use harness::table::{count, time};
use harness::{Observation, memory};
use serde::Serialize;

use super::rules::{FEW, Measure, Needs, PolledBy, WakesFrom};
use crate::footprint;

/// One figure that the ranking goes by.
#[derive(Clone, Debug, Serialize)]
pub struct Key {
    /// What it is.
    pub title: String,
    /// How much, if that is known.
    pub value: Option<f64>,
    /// Whether another run gives another figure.
    pub is_time: bool,
}

/// Times that differ by less than this factor do not make an order: from run to run of one program they differ by tens
/// of percent, and a record may hold one run only.
pub const TIE: f64 = 2.0;

/// Counts come out the same each time, and a difference as small as this decides nothing all the same.
pub const NEAR: f64 = 1.1;

impl Key {
    /// By which factor figures differ that are not taken for equal.
    pub const fn noise(&self) -> f64 {
        if self.is_time { TIE } else { NEAR }
    }

    /// The figure with its unit.
    pub fn shown(&self) -> String {
        match self.value {
            Some(value) if self.is_time => time(value),
            Some(value) => count(value),
            None => "-".to_owned(),
        }
    }
}

/// What is looked up for one executor, and what was found.
#[derive(Debug)]
pub(super) struct Look<'a> {
    name: &'a str,
    observations: &'a [Observation],
    pub(super) evidence: Vec<Observation>,
    pub(super) missing: Vec<String>,
}

impl<'a> Look<'a> {
    pub(super) const fn new(name: &'a str, observations: &'a [Observation]) -> Self {
        Self { name, observations, evidence: Vec::new(), missing: Vec::new() }
    }

    /// What a candidate is ranked by.
    pub(super) fn keys(&mut self, needs: &Needs, measures: &[Measure]) -> Vec<Key> {
        let wanted = waits_for(needs).is_some() && !measures.contains(&Measure::Latency);
        let first = wanted.then_some(Measure::Latency);
        first.iter().chain(measures).map(|measure| self.key(needs, *measure)).collect()
    }

    fn key(&mut self, needs: &Needs, measure: Measure) -> Key {
        match measure {
            Measure::Latency => {
                let value = self.longest().and_then(|longest| longest.is_certain.then_some(longest.least));
                Key { title: "p99 of a wake, longest".to_owned(), value, is_time: true }
            }
            Measure::WakeOne => {
                let value = self.idle(needs, WAKE).map(|(took, _)| took);
                let title = match tasks_measured(needs, self.observations) {
                    Some(tasks) => format!("to wake 1 of {}", count(tasks)),
                    None => "to wake one".to_owned(),
                };
                Key { title, value, is_time: true }
            }
            Measure::Instructions => {
                let operations = operations(needs);
                let costs: Vec<_> =
                    operations.iter().map(|operation| self.value(card::VERB, operation, None, INSTRUCTIONS)).collect();
                let title = format!("instructions, {}", operations.join(" + "));
                Key { title, value: costs.into_iter().sum(), is_time: false }
            }
            Measure::MachineCode => {
                let value = self.value(footprint::VERB, "", None, footprint::BYTES);
                Key { title: "machine code, bytes".to_owned(), value, is_time: false }
            }
            Measure::Dependencies => {
                let value = self.value(footprint::VERB, "", None, footprint::DEPENDENCIES);
                Key { title: "dependencies".to_owned(), value, is_time: false }
            }
        }
    }

    /// Not ranked by, and wanted by readers of the ranking.
    pub(super) fn besides(&mut self, needs: &Needs) {
        if needs.idle_tasks > 0 {
            self.idle(needs, idle::PROCESSOR);
            self.smallest(memory::VERB, memory::BYTES);
        }
    }

    pub(super) fn unsafe_sites(&mut self) -> Option<f64> {
        self.value(footprint::VERB, "", None, footprint::UNSAFE)
    }

    pub(super) fn allocations(&mut self, operation: &str) -> Option<f64> {
        self.value(card::VERB, operation, None, ALLOCATIONS)
    }

    /// How long it takes to wake one of as many tasks as are needed, and as how many that was measured.
    pub(super) fn wake_one(&mut self, needs: &Needs) -> Option<(f64, f64)> {
        self.idle(needs, WAKE)
    }

    fn rows(&self, verb: &str, subject: &str, quantity: &str) -> Vec<&'a Observation> {
        let rows = self.observations.iter().filter(|row| row.verb == verb && row.executor == self.name);
        rows.filter(|row| (subject.is_empty() || row.subject == subject) && row.quantity == quantity).collect()
    }

    /// The median over processes, if they agree; remembers which rows it is of.
    fn value(&mut self, verb: &str, subject: &str, parameter: Option<f64>, quantity: &str) -> Option<f64> {
        let mut rows = self.rows(verb, subject, quantity);
        rows.retain(|row| parameter.is_none() || row.parameter == parameter);
        let values: Vec<_> = rows.iter().map(|row| row.value).collect();
        let value = median(&values).filter(|_| is_steady(&values));
        let doubt = if values.is_empty() { "" } else { ", where its processes differ too much" };
        for row in rows {
            if !self.evidence.contains(row) {
                self.evidence.push(row.clone());
            }
        }
        if value.is_none() {
            let at = parameter.map_or_else(String::new, |parameter| format!(" at {}", count(parameter)));
            let what = [verb, subject, quantity].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
            let what = format!("{}{at}{doubt}", what.join(" "));
            if !self.missing.contains(&what) {
                self.missing.push(what);
            }
        }
        value
    }

    /// The longest p99 of all intervals: nobody says how often wakes come.
    pub(super) fn longest(&mut self) -> Option<Longest> {
        let mut intervals: Vec<_> = self.rows(latency::VERB, "", P99).iter().filter_map(|row| row.parameter).collect();
        intervals.sort_by(f64::total_cmp);
        intervals.dedup();
        if intervals.is_empty() {
            // Remembers that there is none.
            self.value(latency::VERB, "", None, P99);
        }
        let mut longest: Option<Longest> = None;
        let mut most = f64::NEG_INFINITY;
        for interval in intervals {
            let agreed = self.value(latency::VERB, "", Some(interval), P99);
            let rows = self.rows(latency::VERB, "", P99).into_iter().filter(|row| row.parameter == Some(interval));
            let of_processes: Vec<_> = rows.map(|row| row.value).collect();
            // Where processes differ, what the shortest says is the least that can be said.
            let least = agreed.or_else(|| of_processes.iter().copied().min_by(f64::total_cmp))?;
            most = agreed.or_else(|| of_processes.iter().copied().max_by(f64::total_cmp))?.max(most);
            if longest.as_ref().is_none_or(|longest| least > longest.least) {
                longest = Some(Longest { least, interval, is_certain: true });
            }
        }
        longest.map(|longest| Longest { is_certain: most <= longest.least, ..longest })
    }

    fn idle(&mut self, needs: &Needs, quantity: &str) -> Option<(f64, f64)> {
        if needs.idle_tasks == 0 {
            return None;
        }
        let tasks = tasks_measured(needs, self.observations);
        Some((self.value(idle::VERB, "", tasks, quantity)?, tasks?))
    }

    /// At the smallest parameter there is.
    fn smallest(&mut self, verb: &str, quantity: &str) -> Option<f64> {
        let rows = self.rows(verb, "", quantity);
        let parameter = rows.iter().filter_map(|row| row.parameter).min_by(f64::total_cmp);
        self.value(verb, "", parameter, quantity)
    }
}

/// A longest p99, where processes may differ on some of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Longest {
    /// It is no shorter than this.
    pub(super) least: f64,
    /// With a wake so often.
    pub(super) interval: f64,
    /// And no longer, either.
    pub(super) is_certain: bool,
}

/// Whether processes agree to within twice the noise, the lowest and the highest of several left out: what one of two
/// says a hundred times as much of is not a figure of the executor.
fn is_steady(values: &[f64]) -> bool {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let inner = if values.len() > 2 { &values[1..values.len() - 1] } else { &values[..] };
    match inner {
        [least, .., most] => *least >= 0.0 && *most <= least * TIE * TIE,
        _ => true,
    }
}

/// What a wake is, here.
pub(super) const fn operations(needs: &Needs) -> &'static [&'static str] {
    match needs.wakes_from {
        WakesFrom::Here => &["self_wake", "local_wake"],
        WakesFrom::Elsewhere => &["foreign_wake", "foreign_poll"],
    }
}

/// The wanted latency in nanoseconds, where it is the executor that has to keep it.
pub(super) fn waits_for(needs: &Needs) -> Option<f64> {
    let theirs = needs.polled_by == PolledBy::Thread && needs.wakes_from == WakesFrom::Elsewhere;
    needs.latency.filter(|_| theirs).map(|latency| latency.as_secs_f64() * 1e9)
}

/// The least that a thread takes that parks and is unparked by hand. Where that is too long already, it is the
/// machine's fault.
pub(super) fn by_hand(observations: &[Observation]) -> Option<f64> {
    Look::new(FLOOR, observations).longest().map(|longest| longest.least)
}

/// The number of tasks that was measured and stands for the one that is needed, the same for all executors. For few the
/// next smaller, so that no crowd stands for them; for more the next larger, or the largest.
pub(super) fn tasks_measured(needs: &Needs, observations: &[Observation]) -> Option<f64> {
    let rows = observations.iter().filter(|row| row.verb == idle::VERB && row.quantity == WAKE);
    let tasks: Vec<f64> = rows.filter_map(|row| row.parameter).collect();
    let wanted = needs.idle_tasks as f64;
    let smaller = tasks.iter().copied().filter(|&tasks| tasks <= wanted).max_by(f64::total_cmp);
    let larger = tasks.iter().copied().filter(|&tasks| tasks >= wanted).min_by(f64::total_cmp);
    let first = if needs.idle_tasks <= FEW { smaller.or(larger) } else { larger };
    first.or_else(|| tasks.into_iter().max_by(f64::total_cmp))
}
