//! `duel`: who is faster.

use harness::{Contender, Kind};
use workloads::WORKLOADS;
use workloads::work::SWEEP;

use crate::session::Session;

/// The names of all workloads of these contenders, but for those of `crossover`.
pub fn workloads(contenders: &[Contender]) -> Vec<&'static str> {
    let mut names: Vec<_> = WORKLOADS.iter().map(|workload| workload.id).collect();
    for case in contenders.iter().flat_map(|contender| &contender.cases) {
        let swept = SWEEP.iter().any(|workload| workload.id == case.workload.id);
        if !swept && !names.contains(&case.workload.id) {
            names.push(case.workload.id);
        }
    }
    names
}

/// The reference of a session: the one asked for, or raw-waker, or the first.
///
/// # Errors
///
/// When the one asked for does not take part.
pub fn reference(session: &Session<'_>, asked: Option<&str>) -> Result<&'static str, String> {
    let admitted = session.admitted();
    let candidates: Vec<_> =
        admitted.iter().filter(|contender| contender.kind != Kind::Floor).map(|contender| contender.name).collect();
    if let Some(asked) = asked {
        return candidates.iter().find(|name| **name == asked).copied().ok_or_else(|| {
            format!("`{asked}` does not take part and cannot be the reference; there are {}", candidates.join(", "))
        });
    }
    let favourite = candidates.iter().find(|name| **name == "raw-waker").or(candidates.first()).copied();
    favourite.ok_or_else(|| "nobody is left to be timed".to_owned())
}

/// Who of the session takes part: everybody but the refused, and the floor only if something else is left.
pub fn contenders(session: &Session<'_>) -> Vec<Contender> {
    session.admitted().into_iter().cloned().collect()
}
