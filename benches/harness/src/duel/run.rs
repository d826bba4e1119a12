//! A duel: one fresh process after another, until the order of all contenders is settled or the time is up.

use std::time::{Duration, Instant};

use workloads::WORKLOADS;

use super::{PARTS, Plan, VERB, measure, ranking, try_one};
use crate::contender::{Contender, is_floor};
use crate::observation::Observation;
use crate::progress::progress;
use crate::quiet::Watch;
use crate::worker::Failure;

/// The workloads that a duel is about unless others are asked for: each says something that the others do not.
pub const HEADLINES: &[&str] =
    &["yield_one", "yield_many", "spawn_join", "ping_pong", "all_ready", "one_ready_100", "block_on_ready"];

/// How long one process measures one workload at most, for each contender.
const MILLISECONDS_EACH: u64 = 60;

/// How many times as long for a workload with many slices in a turn: each needs a moment in which no other program uses
/// the shared cache.
const LONGER: u64 = 4;

/// Fewer processes say little about how far they vary.
const LEAST_PROCESSES: u32 = 7;

/// What a duel is about.
#[derive(Clone, Debug)]
pub struct Duel {
    /// Each takes its turns with the same contenders.
    pub workloads: Vec<&'static str>,
    /// The contenders that take part in the workloads that they have; the reference is listed once.
    pub contenders: Vec<Contender>,
    /// The baseline of the ratios, measured twice to show the noise. For a workload that it does not have, the first
    /// contender that has it.
    pub reference: &'static str,
    /// When to stop at the latest.
    pub time: Duration,
    /// The maximum number of processes.
    pub most_processes: u32,
}

/// How a duel ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// All that was observed.
    pub observations: Vec<Observation>,
    /// Workloads whose order was still open when the time was up.
    pub open: Vec<&'static str>,
}

/// Runs process after process, with the workloads in turn, until all orders are settled or the time is up. A contender
/// that makes a process fail is left out, with what it said. Each process waits for a quiet moment, as far as the watch
/// does.
///
/// # Errors
///
/// When a process fails for another reason than its contenders, or when none of them fails alone.
pub fn run(duel: &Duel, watch: &Watch) -> Result<Outcome, String> {
    let begun = Instant::now();
    let least = LEAST_PROCESSES.min(duel.most_processes);
    let mut observations: Vec<Observation> = Vec::new();
    let mut contests: Vec<Contest> =
        duel.workloads.iter().filter_map(|workload| Contest::new(duel, workload)).collect();
    let bar = progress(contests.len() * duel.most_processes as usize);
    for process in 0..duel.most_processes {
        for contest in &mut contests {
            // Beyond the least number, a process is started only while there is time.
            if contest.settled || (process >= least && begun.elapsed() > duel.time) {
                continue;
            }
            bar.set_message(format!("duel {}, process {}", contest.workload, process + 1));
            observations.extend(contest.process(process, milliseconds(duel, contest), watch)?);
            bar.inc(1);
            if process + 1 >= least {
                contest.settled |= ranking(&observations, contest.workload, contest.reference).is_settled();
            }
        }
        let up = process + 1 >= least && begun.elapsed() > duel.time;
        if up || contests.iter().all(|contest| contest.settled) {
            break;
        }
    }
    bar.finish_and_clear();
    let open = contests.iter().filter(|contest| !contest.settled).map(|contest| contest.workload).collect();
    Ok(Outcome { observations, open })
}

/// One workload and its contenders.
struct Contest {
    workload: &'static str,
    names: Vec<&'static str>,
    reference: &'static str,
    settled: bool,
}

impl Contest {
    /// `None` if only the floor has the workload.
    fn new(duel: &Duel, workload: &'static str) -> Option<Self> {
        let knows = |contender: &&Contender| contender.case_named(workload).is_some();
        let names: Vec<_> = duel.contenders.iter().filter(knows).map(|contender| contender.name).collect();
        let first = || names.iter().copied().find(|name| !is_floor(name));
        let reference = names.iter().copied().find(|name| *name == duel.reference).or_else(first)?;
        Some(Self { workload, names, reference, settled: false })
    }

    /// What a fresh process observed. If the process failed, each contender that also fails alone is left out.
    fn process(&mut self, process: u32, milliseconds: u64, watch: &Watch) -> Result<Vec<Observation>, String> {
        let mut observations = Vec::new();
        loop {
            let again = [self.reference];
            let names = [&self.names[..], &again].concat();
            let why = match watch.over(|| self.together(&names, process, milliseconds)) {
                Ok(rows) => {
                    observations.extend(rows);
                    return Ok(observations);
                }
                Err(Failure::Elsewhere(why)) => return Err(why),
                Err(Failure::Found(why)) => why,
            };
            let mut fallen = self.fallen(|name| try_one(name, self.workload))?;
            if fallen.is_empty() {
                // One iteration was not enough to show which contender it is.
                fallen = self.fallen(|name| self.together(&[name], process, milliseconds).map(drop))?;
            }
            if fallen.is_empty() {
                let (workload, names) = (self.workload, self.names.join(", "));
                return Err(format!("{workload} fails with {names} together and with none of them alone: {why}"));
            }
            self.names.retain(|name| fallen.iter().all(|(other, _)| other != name));
            let refused = fallen.into_iter().map(|(name, why)| Observation::refused(VERB, name, self.workload, why));
            observations.extend(refused);
            match self.names.iter().copied().find(|name| !is_floor(name)) {
                Some(other) => {
                    if !self.names.contains(&self.reference) {
                        self.reference = other;
                    }
                }
                None => {
                    self.settled = true;
                    return Ok(observations);
                }
            }
        }
    }

    fn together(&self, names: &[&str], process: u32, milliseconds: u64) -> Result<Vec<Observation>, Failure> {
        let contenders = names.iter().map(|name| (*name).to_owned()).collect();
        measure(&Plan { workload: self.workload.to_owned(), contenders, milliseconds, process })
    }

    /// Which contenders fail when each is tried alone, and why.
    fn fallen(&self, attempt: impl Fn(&str) -> Result<(), Failure>) -> Result<Vec<(&'static str, String)>, String> {
        let mut fallen = Vec::new();
        for &name in &self.names {
            match attempt(name) {
                Ok(()) => {}
                Err(Failure::Found(why)) => fallen.push((name, why)),
                Err(Failure::Elsewhere(why)) => return Err(why),
            }
        }
        Ok(fallen)
    }
}

/// Whether a turn of that workload is many slices, so that a duel over it needs more time than another one.
pub fn takes_longer(workload: &str) -> bool {
    WORKLOADS.iter().any(|other| other.id == workload && other.pass > PARTS)
}

/// The time for one process, so that the least number of processes fits into the whole time.
fn milliseconds(duel: &Duel, contest: &Contest) -> u64 {
    let least = u64::from(LEAST_PROCESSES.min(duel.most_processes));
    let share = duel.time.as_millis() as u64 / (least * duel.workloads.len() as u64);
    let each = MILLISECONDS_EACH * if takes_longer(contest.workload) { LONGER } else { 1 };
    let contenders = contest.names.len() as u64 + 1;
    // Starting a process and setting up takes some of it.
    (share * 3 / 4).clamp(100, each * contenders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_of_many_slices_has_more_time_if_there_is_any() {
        let long = |workload, seconds| {
            let duel = Duel {
                workloads: vec![workload],
                contenders: Vec::new(),
                reference: "a",
                time: Duration::from_secs(seconds),
                most_processes: 7,
            };
            milliseconds(&duel, &Contest { workload, names: vec!["a"; 9], reference: "a", settled: false })
        };
        assert_eq!((long("yield_one", 45), long("one_ready_10000", 45)), (600, 2_400));
        assert_eq!((long("yield_one", 1), long("one_ready_10000", 1)), (106, 106));
    }
}
