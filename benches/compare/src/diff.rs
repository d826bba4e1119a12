//! `diff`: what changed between two records.

use std::collections::BTreeMap;

use harness::card::APPROXIMATE;
use harness::contender::is_floor;
use harness::duel::{Ranking, percent};
use harness::observation::distinct;
use harness::table::{Table, count, figure};
use harness::{Observation, card, duel, idle, latency, statistics};

use crate::duel::as_duel;
use crate::record::{Header, Record};
use crate::{crossover, statics};

/// What may be compared of two records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparable {
    /// Times as such, and not only their ratios to the floor.
    pub times: bool,
    /// Counts of instructions and the like.
    pub counts: bool,
    /// Why not everything, in one sentence.
    pub because: Option<String>,
}

impl Comparable {
    /// Of two records with these headers.
    pub fn of(old: &Header, new: &Header) -> Self {
        let (one, other) = (&old.machine, &new.machine);
        let of_times = [
            ("processor", one.processor != other.processor),
            ("number of cores", one.cores != other.cores),
            ("hypervisor", one.virtual_machine != other.virtual_machine),
            ("target", one.target != other.target),
            ("C library", one.c_library != other.c_library),
        ];
        let of_counts = [
            ("rustc", one.rustc != other.rustc),
            ("valgrind", one.valgrind != other.valgrind),
            ("target", one.target != other.target),
            ("C library", one.c_library != other.c_library),
        ];
        let names = |differences: &[(&'static str, bool)]| -> Vec<&str> {
            differences.iter().filter(|(_, differ)| *differ).map(|(name, _)| *name).collect()
        };
        let (times, counts) = (names(&of_times), names(&of_counts));
        let because = match (times.is_empty(), counts.is_empty()) {
            (true, true) => None,
            (false, true) => Some(format!(
                "Of times only ratios to the floor are compared, as these are not the same: {}.",
                times.join(", ")
            )),
            (true, false) => {
                Some(format!("Counts are not compared, as these are not the same: {}.", counts.join(", ")))
            }
            (false, false) => {
                let mut all = times.clone();
                all.extend(counts.iter().filter(|name| !times.contains(name)));
                Some(format!(
                    "Of times only ratios to the floor are compared, and counts not at all, as these are not the same: {}.",
                    all.join(", ")
                ))
            }
        };
        Self { times: times.is_empty(), counts: counts.is_empty(), because }
    }
}

/// The tables of what changed. What did not, or by no more than the noise, is left out.
pub fn view(old: &Record, new: &Record) -> Vec<Table> {
    let comparable = Comparable::of(old.header(), new.header());
    let (before, after) = (grouped(&old.observations), grouped(&new.observations));
    let mut counts = Table::new(
        format!("Counts: {} and {}", old.name, new.name),
        ["what", "executor", "subject", "quantity", "old", "new", "difference"],
    );
    let mut times = Table::new(
        format!("Times and shares: {} and {}", old.name, new.name),
        ["what", "executor", "subject", "quantity", "old", "new", "ratio", "noise"],
    );
    for (key, before) in &before {
        let Some(after) = after.get(key) else { continue };
        let names = || [key.verb.clone(), key.executor.clone(), key.subject(), key.quantity.clone()].into_iter();
        if is_count(key, before, after) {
            // What is kept, and what a task takes, is the same on any machine.
            let asks_the_machine = [card::VERB, statics::VERB].contains(&&*key.verb);
            let (one, other) = (middle(before), middle(after));
            if one != other && (comparable.counts || !asks_the_machine) {
                let sign = if other > one { "+" } else { "" };
                let cells = [count(one), count(other), format!("{sign}{}", count(other - one))];
                counts.row(names().chain(cells));
            }
        } else if comparable.times && ![duel::VERB, crossover::VERB].contains(&&*key.verb) {
            let (one, other) = (middle(before), middle(after));
            let ratio = other / one;
            let noise = spread(before).max(spread(after));
            if (one == 0.0) != (other == 0.0) {
                // No ratio says it, and it is what one would want to know first.
                times.row(names().chain([figure(one), figure(other), "-".to_owned(), "-".to_owned()]));
            } else if ratio.is_finite() && ratio > 0.0 && ratio.max(1.0 / ratio) > noise {
                let noise = if before.len().min(after.len()) > 1 { percent(noise) } else { "?".to_owned() };
                times.row(names().chain([figure(one), figure(other), format!("{ratio:.2}x"), noise]));
            }
        }
    }
    for table in [&mut counts, &mut times] {
        table.rows.sort();
    }
    let mut tables = vec![counts, ratios(old, new, comparable.times), times];
    tables.retain(|table| !table.rows.is_empty());
    let one_sided = one_sided([(old, &before), (new, &after)]);
    if tables.is_empty() {
        let in_common = before.keys().any(|key| after.contains_key(key));
        let verdict = match (in_common, &one_sided, &comparable.because) {
            (false, ..) => "have no figure in common",
            (true, None, None) => "say the same",
            (true, Some(_), None) => "say the same of what both have",
            (true, _, Some(_)) => "say the same where they are compared",
        };
        tables.push(Table::new(format!("{} and {} {verdict}.", old.name, new.name), ["what"]));
    }
    tables[0].notes.splice(0..0, comparable.because);
    tables.extend(one_sided);
    tables
}

/// What is compared with its like.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    verb: String,
    executor: String,
    subject: String,
    /// As text: it is not calculated with.
    parameter: String,
    quantity: String,
}

impl Key {
    fn subject(&self) -> String {
        if self.parameter.is_empty() { self.subject.clone() } else { format!("{} {}", self.subject, self.parameter) }
    }
}

type Groups = BTreeMap<Key, Vec<Observation>>;

fn grouped(observations: &[Observation]) -> Groups {
    let mut groups = Groups::new();
    for row in observations.iter().filter(|row| row.refusal().is_none() && !row.executor.ends_with(duel::TWIN)) {
        let key = Key {
            verb: row.verb.clone(),
            executor: row.executor.clone(),
            subject: row.subject.clone(),
            parameter: row.parameter.map_or_else(String::new, count),
            quantity: row.quantity.clone(),
        };
        groups.entry(key).or_default().push(row.clone());
    }
    groups
}

fn middle(rows: &[Observation]) -> f64 {
    statistics::median(&values(rows)).expect("a group has a row")
}

fn values(rows: &[Observation]) -> Vec<f64> {
    rows.iter().map(|row| row.value).collect()
}

/// How far processes differ: a factor of at least 1.
fn spread(rows: &[Observation]) -> f64 {
    let values = values(rows);
    let (least, most) = (statistics::minimum(&values), statistics::maximum(&values));
    least.zip(most).map_or(1.0, |(least, most)| if least > 0.0 { most / least } else { f64::INFINITY })
}

/// Whether it is the same in every run of the same program.
fn is_count(key: &Key, before: &[Observation], after: &[Observation]) -> bool {
    let timed = [duel::VERB, crossover::VERB, latency::VERB, idle::VERB];
    let approximate = |rows: &[Observation]| {
        rows.iter().any(|row| row.note.as_deref().is_some_and(|note| note.starts_with(APPROXIMATE)))
    };
    !timed.contains(&&*key.verb) && !approximate(before) && !approximate(after)
}

/// What the duels found: to the floor on any machine, and in nanoseconds on the same one.
fn ratios(old: &Record, new: &Record, times: bool) -> Table {
    let header = ["what", "executor", "subject", "quantity", "old", "new", "ratio", "noise"];
    let mut table = Table::new(format!("Duels: {} and {}", old.name, new.name), header);
    for verb in [duel::VERB, crossover::VERB] {
        let (before, after) = (as_duel(&old.observations, verb), as_duel(&new.observations, verb));
        for one in harness::duel::rankings(&before) {
            let other = harness::duel::observed_ranking(&after, &one.workload);
            for place in &one.places {
                let name = &*place.name;
                // Two runs vary no less than the twins of either, and no less than one run's processes do.
                let least = |run: &Ranking| run.place(name).map_or(run.noise, |place| run.noise_for(place));
                let noise = least(&one)
                    * least(&other)
                    * [&one, &other].map(|run| between_processes(run, name)).iter().product::<f64>();
                let mut compare = |quantity: &str, of: &dyn Fn(&Ranking) -> Option<f64>| {
                    let Some((before, after)) = of(&one).zip(of(&other)) else { return };
                    let ratio = after / before;
                    if ratio.max(1.0 / ratio) > noise {
                        let cells = [figure(before), figure(after), format!("{ratio:.2}x"), percent(noise)];
                        table.row([verb, name, &one.workload, quantity].map(str::to_owned).into_iter().chain(cells));
                    }
                };
                if !is_floor(name) {
                    compare("ratio to the floor", &|ranking| ranking.to_floor(name));
                }
                if times {
                    compare("ns per operation", &|ranking| Some(ranking.place(name)?.nanoseconds));
                }
            }
        }
    }
    table
}

/// How far the processes of a run differ about one contender: a factor of at least 1.
fn between_processes(run: &Ranking, name: &str) -> f64 {
    run.place(name).map_or(1.0, |place| place.interval.1 / place.interval.0)
}

/// What only one of the two says something of, and why the other does not, if it says so.
fn one_sided(sides: [(&Record, &Groups); 2]) -> Option<Table> {
    let mut table = Table::new("On one side only", ["what", "executor", "subject", "figures", "only in", "why"]);
    let [one, other] = sides;
    for ((record, groups), (other, others)) in [(one, other), (other, one)] {
        let mut missing: BTreeMap<(&str, &str), Vec<&Key>> = BTreeMap::new();
        for key in groups.keys().filter(|key| !others.contains_key(key)) {
            missing.entry((&key.verb, &key.executor)).or_default().push(key);
        }
        for ((verb, executor), keys) in missing {
            let has_others = others.keys().any(|key| (&*key.verb, &*key.executor) == (verb, executor));
            let subjects = distinct(keys.iter().map(|key| key.subject()));
            let subject = match &subjects[..] {
                _ if !has_others => "all".to_owned(),
                [first, second, third, .., _] => {
                    format!("{first}, {second}, {third} and {} more", subjects.len() - 3)
                }
                few => few.join(", "),
            };
            let of_it = |row: &&Observation| row.verb == verb && row.executor == executor;
            let why = other.observations.iter().filter(of_it).find_map(Observation::refusal);
            let why = why.map_or_else(String::new, |why| format!("{} does not measure it: {why}", other.name));
            let cells = [verb, executor, &*subject, &*keys.len().to_string(), &*record.name, &*why];
            table.row(cells.map(str::to_owned));
        }
    }
    (!table.rows.is_empty()).then_some(table)
}
