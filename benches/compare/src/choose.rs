//! `choose`: which executor for this case, by rules, with what was measured as evidence, and who is out for which
//! reason.

mod evidence;
mod interview;
pub mod rules;

use std::cmp::Ordering;

use executor::{Capabilities, Idle};
use harness::table::{Table, count, time};
use harness::verdicts::committed;
use harness::{Contender, Kind, Observation};
use serde::Serialize;

pub use self::evidence::{Key, NEAR, TIE};
use self::evidence::{Longest, Look, by_hand, operations, tasks_measured, waits_for};
pub use self::interview::{Questions, duration};
pub use self::rules::{Besides, Needs, PolledBy, WakesFrom, Who};
use self::rules::{FEW, Node, Pointer, Rule, SAFE};
use crate::footprint::UNSAFE;
use crate::{called, programs};

/// What the rules say, who is left beside that, in which order, and who is not.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// The way through the tree of `docs/choosing.md`, in words.
    pub path: String,
    /// What to do.
    pub answer: Answer,
    /// Who fits: the one that is taken first, then the others by the record.
    pub ranking: Vec<Candidate>,
    /// Everybody else.
    pub fallen: Vec<Fallen>,
    /// What must be known to read it.
    pub remarks: Vec<String>,
}

/// What to do.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Take the executor of that name.
    Take(String),
    /// Look somewhere else.
    Elsewhere(&'static Pointer),
    /// Drop a need: nobody keeps them all.
    Nobody,
}

/// Who could be chosen.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// The executor's name.
    pub name: String,
    /// Where it is from.
    pub origin: Origin,
    /// What it was ranked by, the first first: the less the better. Nothing where the record has no row.
    pub keys: Vec<Key>,
    /// The rows that were looked at.
    pub evidence: Vec<Observation>,
    /// Which there were not.
    pub missing: Vec<String>,
    /// What it breaks.
    pub judged: Judged,
}

/// Whose an executor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// To be had from the registry.
    Published,
    /// A strategy of this workspace.
    Ours,
    /// Brought by the one who runs the program.
    Yours,
}

/// Who cannot be chosen.
#[derive(Clone, Debug, Serialize)]
pub struct Fallen {
    /// The executor's name.
    pub name: String,
    /// Why, in one line.
    pub why: String,
    /// Whether it takes longer than the latency that is wanted.
    pub too_slow: bool,
}

/// How an executor keeps the contract.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Judged {
    /// Why it is out: it breaks what std demands, or nothing is known of it.
    pub refusal: Option<String>,
    /// Clauses that every serious executor keeps, and this one does not.
    pub contract: Vec<String>,
    /// Clauses on which executors may differ.
    pub quality: Vec<String>,
    /// Clauses that it breaks in some runs only.
    pub at_times: Vec<String>,
}

impl Judged {
    /// What `docs/conformance.jsonl` says of the executor of that name.
    pub fn committed(name: &str) -> Self {
        let broken = committed().broken(name);
        let of = |level: &str| broken.iter().filter(|row| row.level == level).map(|row| row.clause.clone()).collect();
        Self {
            refusal: harness::contender::gate(name),
            contract: of("contract"),
            quality: of("quality"),
            at_times: committed().varying(name),
        }
    }

    /// What it breaks, as a sentence.
    fn in_words(&self, name: &str) -> String {
        let groups = [("contract", &self.contract), ("quality", &self.quality), ("at times", &self.at_times)];
        let broken = groups.iter().filter(|(_, clauses)| !clauses.is_empty());
        let broken: Vec<_> = broken.map(|(group, clauses)| format!("{group} {}", clauses.join(" "))).collect();
        if broken.is_empty() {
            return format!("{name} breaks no clause of docs/conformance.md.");
        }
        format!("{name} breaks, of the clauses in docs/conformance.md: {}.", broken.join("; "))
    }

    /// The same in a few characters.
    fn in_short(&self) -> String {
        let broken: Vec<_> = self.contract.iter().chain(&self.quality).map(|id| &**id).collect();
        match broken[..] {
            [] if self.at_times.is_empty() => "nothing".to_owned(),
            [] => "varies".to_owned(),
            [_] | [_, _] => broken.join(" "),
            [one, other, ..] => format!("{one} {other} +{}", broken.len() - 2),
        }
    }
}

/// What is measured under the name of a crate that is no executor of its own: the sources of the adapter, and what the
/// crate leaves to it.
const ADAPTERS: &[(&str, &str, &str)] = &[
    (
        "async-task",
        include_str!("../../../crates/peers/src/async_task.rs"),
        "async-task makes a task out of a future, and leaves its user the queue, the inbox for other threads, the list of \
         tasks and the loop",
    ),
    (
        "compio-executor",
        include_str!("../../../crates/peers/src/compio_executor.rs"),
        "compio-executor has tasks and their queue, and leaves its user the loop that polls and parks",
    ),
];

/// What is really measured under that name, where it is not the crate alone.
fn adapter(name: &str) -> Option<String> {
    let (_, source, why) = ADAPTERS.iter().find(|(adapted, ..)| *adapted == name)?;
    let lines = source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
    Some(format!("{why}: what was measured is our adapter, {lines} lines of code in crates/peers, and not published"))
}

/// What to take under that name: where the crate is not all of it, one has to write the rest.
fn taken(name: &str) -> String {
    if adapter(name).is_some() { format!("an executor of your own around {name}") } else { name.to_owned() }
}

/// The name, and whether it stands for more than a crate.
fn shown(name: &str) -> String {
    if adapter(name).is_some() { format!("{name} (in our adapter)") } else { name.to_owned() }
}

/// What the rules say, going by what contenders say of themselves, by `docs/conformance.md` and by the rows of a
/// record.
///
/// A row that is not there excludes nobody; it is named at the candidate.
pub fn choose(needs: &Needs, contenders: &[Contender], observations: &[Observation]) -> Choice {
    choose_by(needs, contenders, observations, Judged::committed)
}

/// As [`choose`], with another judge of how executors keep the contract.
pub fn choose_by(
    needs: &Needs,
    contenders: &[Contender],
    observations: &[Observation],
    judge: impl Fn(&str) -> Judged,
) -> Choice {
    let leaf = rules::leaf(needs);
    let path = leaf.in_words();
    let all = Everybody { contenders, observations, judge: &judge };
    let rule = match leaf.end {
        Node::Take(rule) => rule,
        Node::Elsewhere(pointer) => {
            let remarks = [Some(format!("That is so since {}.", pointer.because)), of_persona(needs)];
            let remarks = remarks.into_iter().flatten().collect();
            let answer = Answer::Elsewhere(pointer);
            return Choice { path, answer, ranking: Vec::new(), fallen: Vec::new(), remarks };
        }
        Node::Ask(_) => unreachable!("a leaf asks nothing"),
    };
    let Sorted { ranking, fallen } = all.sort(needs, rule);
    let answer = ranking.first().map_or(Answer::Nobody, |first| Answer::Take(first.name.clone()));
    let mut remarks = match &ranking[..] {
        [] => all.relaxed(needs),
        [first, others @ ..] => {
            let mut remarks = verdict(needs, rule, first, &fallen);
            remarks.extend(published(needs, rule, first, others, &fallen));
            remarks.extend(by_the_record(rule, first, others, observations));
            remarks
        }
    };
    remarks.extend(about_latency(needs, &fallen, observations));
    remarks.extend(limits(needs, observations));
    Choice { path, answer, ranking, fallen, remarks }
}

/// Those who may be chosen, and what is known of them.
struct Everybody<'a> {
    contenders: &'a [Contender],
    observations: &'a [Observation],
    judge: &'a dyn Fn(&str) -> Judged,
}

struct Sorted {
    ranking: Vec<Candidate>,
    fallen: Vec<Fallen>,
}

impl Everybody<'_> {
    /// Who is left under a rule, the one that it takes first, and who is not.
    fn sort(&self, needs: &Needs, rule: &Rule) -> Sorted {
        let (mut ranking, mut fallen) = (Vec::new(), Vec::new());
        for contender in self.contenders {
            // The floor is no executor.
            let Some(capabilities) = contender.capabilities else { continue };
            let mut look = Look::new(contender.name, self.observations);
            let judged = (self.judge)(contender.name);
            let slow = too_slow(needs, &mut look);
            let others = reasons(needs, contender, capabilities, &mut look);
            let reasons = judged.refusal.iter().cloned().chain(others).chain(slow.iter().cloned());
            let reasons: Vec<_> = reasons.chain(rule.admits.refuses(&capabilities, needs.idle_tasks)).collect();
            if !reasons.is_empty() {
                let (name, why) = (contender.name.to_owned(), reasons.join("; "));
                fallen.push(Fallen { name, why, too_slow: !slow.is_empty() });
                continue;
            }
            let keys = look.keys(needs, rule.measures);
            look.besides(needs);
            if !committed().is_judged(contender.name) {
                look.missing.push(format!("the suite: `{} conform` runs it", called::name()));
            }
            let Look { evidence, missing, .. } = look;
            let (name, origin) = (contender.name.to_owned(), origin(contender.name));
            ranking.push(Candidate { name, origin, keys, evidence, missing, judged });
        }
        rank(&mut ranking);
        let place = |name: &str| ranking.iter().position(|candidate| candidate.name == name);
        if let Some(place) = rule.takes.iter().find_map(|name| place(name)) {
            ranking[..=place].rotate_right(1);
        }
        Sorted { ranking, fallen }
    }

    /// Which single need to drop, where nobody keeps them all.
    fn relaxed(&self, needs: &Needs) -> Vec<String> {
        let ways = [
            ("with `--may-spin`", Needs { may_spin: true, ..needs.clone() }),
            ("without a latency", Needs { latency: None, ..needs.clone() }),
            ("without `--no-unsafe`", Needs { no_unsafe: false, ..needs.clone() }),
            ("without `--no-alloc-per-wake`", Needs { no_allocation_per_wake: false, ..needs.clone() }),
        ];
        let answers = ways.iter().filter(|(_, other)| other != needs).filter_map(|(how, other)| {
            let Node::Take(rule) = rules::leaf(other).end else { return None };
            let first = self.sort(other, rule).ranking.into_iter().next()?;
            Some(format!("{how} {}", rule.answer(&taken(&first.name))))
        });
        let answers: Vec<_> = answers.collect();
        let what = if answers.is_empty() {
            "no single need that is dropped changes it. Drop those that the reasons name most often, or look at what else \
             there is"
                .to_owned()
        } else {
            format!("one need less and there is an answer: {}", answers.join("; "))
        };
        vec![format!("Nobody here keeps all of it; {what}.")]
    }
}

/// Everything that speaks against one, but how long it takes.
fn reasons(needs: &Needs, contender: &Contender, capabilities: Capabilities, look: &mut Look<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    if contender.kind == Kind::BlockOn && needs.idle_tasks > 0 {
        reasons.push("drives one future and owns no tasks".to_owned());
    }
    if contender.kind == Kind::BlockOn && needs.polled_by == PolledBy::Host {
        reasons.push("returns only when its future is ready, and a host cannot wait for that".to_owned());
    }
    if capabilities.idle == Idle::Spins && needs.polled_by == PolledBy::Thread && !needs.may_spin {
        reasons.push("polls on while nothing is ready, which uses up a processor".to_owned());
    }
    if needs.no_unsafe {
        let ours = origin(contender.name) == Origin::Ours;
        // Of ours it is known without a record.
        match look.unsafe_sites() {
            _ if ours && SAFE.contains(&contender.name) => {}
            Some(sites) if sites > 0.0 => reasons.push(format!("has {} unsafe sites of its own", count(sites))),
            None if ours => reasons.push("has unsafe sites of its own: docs/unsafe.md".to_owned()),
            _ => {}
        }
    }
    if needs.no_allocation_per_wake && contender.kind == Kind::Executor {
        for operation in operations(needs) {
            if let Some(allocations) = look.allocations(operation)
                && allocations > 0.0
            {
                reasons.push(format!("allocates {} times in each {operation}", allocations_in_words(allocations)));
            }
        }
    }
    reasons
}

/// What takes one longer than is wanted.
fn too_slow(needs: &Needs, look: &mut Look<'_>) -> Vec<String> {
    let Some(wanted) = waits_for(needs) else { return Vec::new() };
    let mut reasons = Vec::new();
    if let Some(Longest { least, interval, is_certain }) = look.longest()
        && least > wanted
    {
        let about = if is_certain { "" } else { "at least " };
        let (least, interval) = (time(least), time(interval));
        reasons.push(format!("takes {about}{least} for 99 of 100 wakes, when one comes every {interval}"));
    }
    // That is of one task alone: with many, who polls all of them takes longer.
    if let Some((took, tasks)) = look.wake_one(needs)
        && took > wanted
    {
        reasons.push(format!("takes {} to wake one of {} tasks and hear from it", time(took), count(tasks)));
    }
    reasons
}

fn allocations_in_words(value: f64) -> String {
    if value < 0.005 { "less than 0.01".to_owned() } else { count(value) }
}

fn origin(name: &str) -> Origin {
    match programs::of(name) {
        Some(program) if program.is_ours() => Origin::Ours,
        Some(_) => Origin::Published,
        None => Origin::Yours,
    }
}

/// Orders by the first key on which two differ by more than the noise, then who is published before who is not, then as
/// they come.
fn rank(ranking: &mut [Candidate]) {
    let best = least(ranking);
    ranking.sort_by(|one, other| order(one, other, &best).then(one.origin.cmp(&other.origin)));
}

/// The least of each key that anybody has.
fn least(candidates: &[Candidate]) -> Vec<f64> {
    let keys = candidates.first().map_or(0, |first| first.keys.len());
    let least = (0..keys).map(|key| {
        let values = candidates.iter().filter_map(|candidate| candidate.keys[key].value);
        values.min_by(f64::total_cmp).unwrap_or_default()
    });
    least.collect()
}

/// Which one comes first by the record. Figures are put into classes before, each [`Key::noise`] times the one before,
/// the first from the best on.
fn order(one: &Candidate, other: &Candidate, best: &[f64]) -> Ordering {
    let class = |key: &Key, best: f64| {
        let noise = key.noise();
        key.value.map(|value| if best > 0.0 { (value / best).log(noise).floor() } else { value })
    };
    let pairs = one.keys.iter().zip(&other.keys).zip(best);
    let orders = pairs.map(|((one, other), &best)| match (class(one, best), class(other, best)) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        // What is not known is no better than what is.
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

/// Whom to take, why, and why not whom the rule would have taken.
fn verdict(needs: &Needs, rule: &Rule, first: &Candidate, fallen: &[Fallen]) -> Vec<String> {
    let name = &*first.name;
    let before: Vec<_> = rule.takes.iter().take_while(|taken| **taken != name).copied().collect();
    let passed_over = before.iter().map(|taken| {
        let why = fallen.iter().find(|fallen| fallen.name == *taken);
        why.map_or_else(|| format!("{taken} (was not asked for)"), |fallen| format!("{taken} ({})", fallen.why))
    });
    let passed_over = passed_over.collect::<Vec<_>>().join(", ");
    let taken = rule.answer(&taken(name));
    let take = if first.origin == Origin::Published { "Take" } else { "To own the code, take" };
    let mut remarks = vec![if before.is_empty() {
        format!("{take} {taken}: {}.", rule.because)
    } else if before.len() < rule.takes.len() {
        format!(
            "{take} {taken}. The rule would take {passed_over}; of what it names next, this keeps all that you need."
        )
    } else {
        format!(
            "{take} {taken}. Nobody whom the rule takes is left: {passed_over}. It comes first among those that keep all \
             that you need."
        )
    }];
    remarks.extend(adapter(name).map(|what| format!("{what}.")));
    if needs.no_unsafe && first.missing.iter().any(|missing| missing.contains(UNSAFE)) && !SAFE.contains(&name) {
        remarks.push(format!("Whether {name} has unsafe of its own is not in the record: look before you take it."));
    }
    remarks.push(first.judged.in_words(&shown(name)));
    remarks
}

/// What to take instead of owning the code, and what that breaks.
fn published(needs: &Needs, rule: &Rule, first: &Candidate, others: &[Candidate], fallen: &[Fallen]) -> Vec<String> {
    let mut remarks: Vec<_> = of_persona(needs).into_iter().collect();
    if first.origin == Origin::Published {
        return remarks;
    }
    let is_out = |name: &str| fallen.iter().find(|fallen| fallen.name == name);
    let (out, left): (Vec<_>, Vec<_>) =
        rule.published.iter().partition(|published| published.name.is_some_and(|name| is_out(name).is_some()));
    if !left.is_empty() {
        let how: Vec<_> = left.iter().map(|published| published.how).collect();
        remarks.push(format!("Otherwise take {}.", how.join("; or ")));
    }
    for name in left.iter().filter_map(|published| published.name) {
        let judged = others.iter().find(|other| other.name == name).map(|other| &other.judged);
        remarks.extend(judged.map(|judged| judged.in_words(&shown(name))));
        remarks.extend(adapter(name).map(|what| format!("{what}.")));
    }
    for fallen in out.iter().filter_map(|published| is_out(published.name?)) {
        remarks.push(format!("The rule also names {}, which is out: {}.", fallen.name, fallen.why));
    }
    remarks
}

/// What there is for exactly those who ask.
fn of_persona(needs: &Needs) -> Option<String> {
    let persona = needs.who?.persona();
    Some(format!(
        "For {}, look first at {}, which is made for that.",
        persona.writes.trim_start_matches("for "),
        persona.first?
    ))
}

/// Whether the record speaks for what the rule says, or against it.
fn by_the_record(rule: &Rule, first: &Candidate, others: &[Candidate], observations: &[Observation]) -> Vec<String> {
    if observations.is_empty() {
        return vec![
            "There is no record, so the rule decides alone, and the others stand in the order that ties have."
                .to_owned(),
        ];
    }
    let known = |other: &&Candidate| other.keys.iter().any(|key| key.value.is_some());
    let mut remarks = Vec::new();
    let unknown: Vec<_> = others.iter().filter(|other| !known(other)).map(|other| shown(&other.name)).collect();
    if !known(&first) {
        remarks.push(format!("The record has no figures of {}: the rule decides alone.", first.name));
    } else if unknown.len() == others.len() {
        remarks.push(format!("The record has figures of nobody else to compare {} with.", first.name));
    } else {
        let against: Vec<_> = (0..first.keys.len()).filter_map(|key| less(key, first, others)).collect();
        remarks.push(if against.is_empty() {
            "No figure of the record speaks against it.".to_owned()
        } else if rule.takes.contains(&&*first.name) {
            format!(
                "The record speaks against it: {}. The rule goes before a figure, for its reason above; where that figure is \
                 what you need, take who has it.",
                against.join("; ")
            )
        } else {
            format!("It is not the first in everything: {}.", against.join("; "))
        });
        if !unknown.is_empty() {
            remarks.push(format!("The record has no figures of {}.", unknown.join(", ")));
        }
    }
    let best = least(others);
    if others.windows(2).any(|pair| order(&pair[0], &pair[1], &best).is_eq()) {
        remarks.push(format!(
            "Below the first, times within a factor of {TIE} and counts within one of {NEAR} are taken for equal; who is equal \
             in all of them stands published first, then in the order of the program's columns."
        ));
    }
    remarks
}

/// Who has less of a key than the first, by more than the noise.
fn less(key: usize, first: &Candidate, others: &[Candidate]) -> Option<String> {
    let own = &first.keys[key];
    let value = own.value?;
    let others = others.iter().filter(|other| other.keys[key].value.is_some_and(|other| other * own.noise() < value));
    let best = others
        .min_by(|one, other| one.keys[key].value.partial_cmp(&other.keys[key].value).unwrap_or(Ordering::Equal))?;
    let (name, theirs) = (shown(&best.name), best.keys[key].shown());
    Some(format!("{}: {} for {}, {theirs} for {name}", own.title, own.shown(), first.name))
}

/// Whom the wanted latency leaves out, and whom it could not.
fn about_latency(needs: &Needs, fallen: &[Fallen], observations: &[Observation]) -> Vec<String> {
    if needs.latency.is_none() {
        return Vec::new();
    }
    let Some(wanted) = waits_for(needs) else {
        let why = match needs.polled_by {
            PolledBy::Host => "the host's tick decides it",
            PolledBy::Thread => "what is measured is the way from another thread's wake",
        };
        return vec![format!("The wanted latency is not looked at: {why}.")];
    };
    let mut remarks = Vec::new();
    if let Some(floor) = by_hand(observations)
        && floor > wanted
    {
        let spinning = if needs.may_spin { "" } else { " What does not sleep may: `--may-spin`." };
        remarks.push(format!(
            "On the record's machine a thread that parks and is unparked by hand, without any executor, takes {} for 99 of 100 \
             wakes: nothing that parks keeps {} there, and that is the machine's. A record of your own would tell.{spinning}",
            time(floor),
            time(wanted),
        ));
    }
    let slow: Vec<_> = fallen.iter().filter(|fallen| fallen.too_slow).map(|fallen| shown(&fallen.name)).collect();
    remarks.push(if slow.is_empty() {
        format!("Nobody is left out for taking longer than {}.", time(wanted))
    } else {
        format!("Left out for taking longer than {}: {}.", time(wanted), slow.join(", "))
    });
    remarks
}

/// What the figures do not reach.
fn limits(needs: &Needs, observations: &[Observation]) -> Vec<String> {
    let mut remarks = Vec::new();
    if needs.polled_by == PolledBy::Host {
        remarks.push(
            "A host ticks an executor with `block_on(yield_now())`, which does not park. Of the strategies here, one that \
             polls everything polls each task once for it; one whose wake names the task may go on for a short round, so that \
             a task which wakes itself is polled several times in one tick."
                .to_owned(),
        );
    }
    if let Some(tasks) = tasks_measured(needs, observations)
        && needs.idle_tasks > FEW
        && tasks < needs.idle_tasks as f64
    {
        remarks.push(format!("No more than {} waiting tasks were measured.", count(tasks)));
    }
    remarks
}

/// The ranking, who is out, what the first rests on, and when to look elsewhere.
pub fn view(choice: &Choice, contenders: &[Contender]) -> Vec<Table> {
    let mut tables = vec![match &choice.answer {
        Answer::Take(_) => ranked(choice, contenders),
        Answer::Elsewhere(pointer) => Table::new(format!("Look elsewhere: {}", pointer.to), ["what you need"]),
        Answer::Nobody => Table::new("Nobody fits", ["what you need"]),
    }];
    if choice.ranking.is_empty() {
        choice.path.split("; ").for_each(|step| tables[0].row([step]));
    } else {
        tables[0].note(format!("The way through docs/choosing.md: {}.", choice.path));
    }
    choice.remarks.iter().for_each(|remark| tables[0].note(remark));
    if let Some(first) = choice.ranking.first().filter(|first| !first.evidence.is_empty()) {
        tables.push(rests_on(first));
    }
    if !choice.fallen.is_empty() {
        let mut table = Table::new("Who does not, and why", ["executor", "why"]);
        choice.fallen.iter().for_each(|fallen| table.row([shown(&fallen.name), fallen.why.clone()]));
        tables.push(table);
    }
    if !matches!(choice.answer, Answer::Elsewhere(_)) {
        tables.push(elsewhere());
    }
    tables
}

fn ranked(choice: &Choice, contenders: &[Contender]) -> Table {
    let first = &choice.ranking[0];
    let keys = first.keys.iter().map(|key| key.title.clone());
    let header = ["executor", "from", "a wake names", "breaks"].map(str::to_owned).into_iter().chain(keys);
    let mut table = Table::new("Who fits: first whom the rule takes", header.chain(["not known".to_owned()]));
    for candidate in &choice.ranking {
        let contender = contenders.iter().find(|contender| contender.name == candidate.name);
        let capabilities = contender.and_then(|contender| contender.capabilities);
        let named = capabilities.map_or_else(String::new, |found| found.wake_names.to_string());
        let missing = match &candidate.missing[..] {
            [] => "nothing".to_owned(),
            [one] => one.clone(),
            [one, others @ ..] => format!("{one}, and {} more", others.len()),
        };
        let origin = match candidate.origin {
            Origin::Ours => "here",
            Origin::Published => "the registry",
            Origin::Yours => "you",
        };
        let cells = [shown(&candidate.name), origin.to_owned(), named, candidate.judged.in_short()];
        let cells = cells.into_iter().chain(candidate.keys.iter().map(Key::shown));
        table.row(cells.chain([missing]));
    }
    table
}

/// The ends of the tree at which nobody here is the answer.
fn elsewhere() -> Table {
    let mut table = Table::new("Whatever stands above: look elsewhere for", ["what", "where"]);
    for branch in rules::ROOT.branches {
        if let Node::Elsewhere(pointer) = branch.then {
            table.row([branch.label, pointer.to]);
        }
    }
    table.row(["a scheduler of your own", "async-task for the tasks, so that you write the queue only"]);
    table
}

fn rests_on(first: &Candidate) -> Table {
    let header = ["verb", "what", "at", "quantity", "value"];
    let mut table = Table::new(format!("What the record has of {}", shown(&first.name)), header);
    for row in &first.evidence {
        let at = row.parameter.map_or_else(String::new, count);
        let value = harness::table::figure(row.value);
        table.row([row.verb.clone(), row.subject.clone(), at, row.quantity.clone(), value]);
    }
    table.note("`--format json` prints all of this, with the rows of everybody who fits.");
    table
}
