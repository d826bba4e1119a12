//! The rules by which `choose` answers, and from which the tree and the table of personas in `docs/choosing.md` are
//! written. A rule says who is taken and why; what a record holds ranks whom the rule admits beside that one.

mod personas;
mod tree;

use std::fmt::Write as _;
use std::time::Duration;

use clap::ValueEnum;
use executor::{Capabilities, WakeNames};
use harness::table::count;
use serde::Serialize;

pub use self::personas::{Persona, Who, personas};
pub use self::tree::{ROOT, SAFE};

/// So many tasks are few: polling all of them to find one takes about as long as the bookkeeping that would name it.
pub const FEW: usize = 10;

/// Who polls again after a future was pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolledBy {
    /// A loop that turns anyway: a frame, a tick, an interrupt
    Host,
    /// A thread that has nothing else to do
    Thread,
}

/// Where wakes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WakesFrom {
    /// Only from the thread that polls
    Here,
    /// From other threads as well
    Elsewhere,
}

/// What a program needs besides tasks. No strategy here brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Besides {
    /// Tasks are enough
    Nothing,
    /// Sockets, files, timers or several worker threads
    Io,
    /// Bare metal: no std, no heap, wakes from interrupts
    BareMetal,
    /// A page in a browser, where nothing may block
    Browser,
    /// The event loop of a GUI toolkit, which sleeps until it is told
    Gui,
    /// A seeded order of the tasks, and time that is simulated
    Seed,
    /// Completions of io_uring, a thread for each processor
    IoUring,
}

/// What somebody wants of an executor.
#[derive(Clone, Debug, PartialEq)]
pub struct Needs {
    /// Who that is, where that was said.
    pub who: Option<Who>,
    /// What it takes besides tasks.
    pub besides: Besides,
    /// Who polls again.
    pub polled_by: PolledBy,
    /// Where wakes come from.
    pub wakes_from: WakesFrom,
    /// How many tasks wait at once; 0 for one future and no tasks.
    pub idle_tasks: usize,
    /// Within which time 99 of 100 wakes from another thread are heard.
    pub latency: Option<Duration>,
    /// Whether a processor may be used up by waiting.
    pub may_spin: bool,
    /// Whether the executor's own package must have no `unsafe`.
    pub no_unsafe: bool,
    /// Whether a wake may not allocate.
    pub no_allocation_per_wake: bool,
}

impl Needs {
    /// One future, driven by a thread that sleeps.
    pub const ONE_FUTURE: Self = Self {
        who: None,
        besides: Besides::Nothing,
        polled_by: PolledBy::Thread,
        wakes_from: WakesFrom::Elsewhere,
        idle_tasks: 0,
        latency: None,
        may_spin: false,
        no_unsafe: false,
        no_allocation_per_wake: false,
    };
}

/// What the tree asks, and where each answer leads.
#[derive(Debug)]
pub struct Question {
    /// In words.
    pub asks: &'static str,
    /// The answers. One of them holds for any needs.
    pub branches: &'static [Branch],
}

/// One answer to a [`Question`].
#[derive(Debug)]
pub struct Branch {
    /// In words.
    pub label: &'static str,
    /// Whether it is the answer of those who need that.
    pub holds: fn(&Needs) -> bool,
    /// Makes it the answer.
    pub example: fn(&mut Needs),
    /// What follows.
    pub then: Node,
}

/// What follows from an answer.
#[derive(Clone, Copy, Debug)]
pub enum Node {
    /// The next question.
    Ask(&'static Question),
    /// An executor.
    Take(&'static Rule),
    /// None of those that are compared.
    Elsewhere(&'static Pointer),
}

/// Who is taken, and why.
#[derive(Debug)]
pub struct Rule {
    /// The executors that it takes, the first that keeps all needs.
    pub takes: &'static [&'static str],
    /// How that one is used; `{}` stands for its name.
    pub form: &'static str,
    /// Why, as the end of a sentence that names it.
    pub because: &'static str,
    /// Whom else it admits.
    pub admits: Admits,
    /// What those are ranked by, the first first.
    pub measures: &'static [Measure],
    /// What to take from the registry instead of owning the code, the best first. Nothing where the rule takes what is
    /// published.
    pub published: &'static [Published],
}

/// Something in the registry.
#[derive(Debug)]
pub struct Published {
    /// What it is called where it is compared, if it is.
    pub name: Option<&'static str>,
    /// What to take, and how.
    pub how: &'static str,
}

/// Where to look when no executor that is compared is the answer.
#[derive(Debug, Serialize)]
pub struct Pointer {
    /// What to take.
    pub to: &'static str,
    /// Why nobody here.
    pub because: &'static str,
}

/// Whom a rule leaves in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admits {
    /// The one who drives a future.
    Anybody,
    /// Those whose wake names the task.
    NamedTasks,
}

impl Admits {
    /// Why an executor is not admitted, if it is not.
    pub fn refuses(self, capabilities: &Capabilities, idle_tasks: usize) -> Option<String> {
        let named = capabilities.wake_names;
        (self == Self::NamedTasks && named != WakeNames::Task).then(|| {
            format!("a wake names {named}, so that all of {} tasks are polled to find one", count(idle_tasks as f64))
        })
    }
}

/// What candidates are ranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How long 99 of 100 wakes from another thread take at most.
    Latency,
    /// How long it takes to wake one of those that wait.
    WakeOne,
    /// What a wake and the poll after it cost.
    Instructions,
    /// What comes into the program.
    MachineCode,
    /// Packages that come with it.
    Dependencies,
}

/// A way through the tree, and its end.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The questions on the way, and the answers.
    pub path: Vec<(&'static Question, &'static Branch)>,
    /// The end, which asks nothing more.
    pub end: Node,
}

impl Leaf {
    /// Needs that lead to it.
    pub fn example(&self) -> Needs {
        let mut needs = Needs::ONE_FUTURE;
        self.path.iter().for_each(|(_, branch)| (branch.example)(&mut needs));
        needs
    }

    /// The way in words.
    pub fn in_words(&self) -> String {
        let steps = self.path.iter().map(|(question, branch)| format!("{} {}", question.asks, branch.label));
        steps.collect::<Vec<_>>().join("; ")
    }
}

/// Where those needs lead.
pub fn leaf(needs: &Needs) -> Leaf {
    let mut leaf = Leaf { path: Vec::new(), end: Node::Ask(&ROOT) };
    while let Node::Ask(question) = leaf.end {
        let branch = question.branches.iter().find(|branch| (branch.holds)(needs));
        let branch = branch.expect("the answers to a question leave nothing out");
        leaf.path.push((question, branch));
        leaf.end = branch.then;
    }
    leaf
}

/// All ends of the tree, from top to bottom.
pub fn leaves() -> Vec<Leaf> {
    type Step = (&'static Question, &'static Branch);

    fn below(path: &[Step], question: &'static Question, found: &mut Vec<Leaf>) {
        for branch in question.branches {
            let path = [path, &[(question, branch)]].concat();
            match branch.then {
                Node::Ask(next) => below(&path, next, found),
                end => found.push(Leaf { path, end }),
            }
        }
    }
    let mut found = Vec::new();
    below(&[], &ROOT, &mut found);
    found
}

impl Node {
    /// What the page says at this end of the tree.
    pub fn answer(self) -> String {
        match self {
            Self::Ask(question) => question.asks.to_owned(),
            Self::Take(rule) => rule.answer(rule.takes[0]),
            Self::Elsewhere(pointer) => pointer.to.to_owned(),
        }
    }
}

impl Rule {
    /// How the executor of that name is used.
    pub fn answer(&self, name: &str) -> String {
        self.form.replace("{}", name)
    }
}

/// The tree as `docs/choosing.md` shows it.
pub fn tree() -> String {
    fn below(question: &Question, before: &str, lines: &mut Vec<(String, Option<String>)>) {
        for (number, branch) in question.branches.iter().enumerate() {
            let is_last = number + 1 == question.branches.len();
            let (tick, under) = if is_last { (" └─ ", "    ") } else { (" ├─ ", " │  ") };
            let start = format!("{before}{tick}{}", branch.label);
            match branch.then {
                Node::Ask(next) => {
                    lines.push((format!("{start}: {}", next.asks), None));
                    below(next, &format!("{before}{under}"), lines);
                }
                end => lines.push((start, Some(end.answer()))),
            }
        }
    }
    let mut lines = vec![(ROOT.asks.to_owned(), None)];
    below(&ROOT, "", &mut lines);
    let width = lines.iter().filter(|(_, end)| end.is_some()).map(|(start, _)| start.chars().count()).max();
    let width = width.unwrap_or_default() + 2;
    let mut text = "```text\n".to_owned();
    for (start, end) in lines {
        let _ = match end {
            None => writeln!(text, "{start}"),
            Some(end) => {
                let line = "─".repeat(width - start.chars().count());
                writeln!(text, "{start} {line}> {end}")
            }
        };
    }
    let _ = write!(text, "```\n\n\"Few\" means up to {FEW} tasks. ");
    text.push_str(
        "If a need outside the tree rules that one out, `choose` says so and takes the next one that fits.\n",
    );
    text
}
