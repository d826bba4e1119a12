//! `duel`: who is faster.

use harness::duel::VERB;
use harness::observation::distinct;
use harness::{Contender, Kind, Observation};
use workloads::WORKLOADS;
use workloads::work::SWEEP;

use crate::session::Session;

/// The names of all workloads of these contenders, but for those of `crossover`.
pub fn workloads(contenders: &[Contender]) -> Vec<&'static str> {
    let brought = contenders.iter().flat_map(|contender| &contender.cases).map(|case| case.workload.id);
    let brought = brought.filter(|id| SWEEP.iter().all(|workload| workload.id != *id));
    distinct(WORKLOADS.iter().map(|workload| workload.id).chain(brought))
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

/// Who of the session takes part: everybody but the refused.
pub fn contenders(session: &Session<'_>) -> Vec<Contender> {
    session.admitted().into_iter().cloned().collect()
}

/// The rows of a verb that are made as those of a duel are, as if they were of one.
pub(crate) fn as_duel(observations: &[Observation], verb: &str) -> Vec<Observation> {
    let own = observations.iter().filter(|row| row.verb == verb);
    own.map(|row| Observation { verb: VERB.to_owned(), ..row.clone() }).collect()
}
