//! The rules by which `choose` answers, and from which the tree and the table of personas in `docs/choosing.md` are
//! written. A rule says who is taken and why; what a record holds ranks whom the rule admits beside that one.

use std::fmt::Write as _;
use std::time::Duration;

use clap::ValueEnum;
use executor::{Capabilities, WakeNames};
use harness::table::count;
use serde::Serialize;

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
    /// Whoever drives a future.
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

/// The strategies that have no `unsafe` of their own, which no record has to say.
pub const SAFE: &[&str] = &["park-waker", "park-waker-spinning", "arc-waker"];

const WAKES: &[Measure] = &[Measure::WakeOne, Measure::Instructions];

const ASYNC_EXECUTOR: Published =
    Published { name: Some("async-executor"), how: "async-executor, driven by futures-lite's `block_on`" };
const TOKIO: Published = Published { name: Some("tokio"), how: "tokio's `current_thread` runtime" };
const TICKED: Published = Published {
    name: Some("async-executor"),
    how: "async-executor and its `try_tick`, a bounded number of times a turn",
};
const OWN_LOOP: Published = Published { name: None, how: "a loop of your own around `Waker::noop`" };
const OWN_QUEUE: Published = Published { name: Some("async-task"), how: "async-task and a queue of your own" };
// The executors of the registry that have no unsafe of their own are few.
const LOCAL_POOL: Published = Published { name: Some("futures-local-pool"), how: "futures' `LocalPool`" };
const TICKED_POOL: Published =
    Published { name: Some("futures-local-pool"), how: "futures' `LocalPool` and its `try_run_one`" };

static BLOCK_ON: Rule = Rule {
    takes: &["futures-lite", "pollster", "futures-executor", "park-waker"],
    form: "the `block_on` of {}",
    because: "it is published, and keeps every clause that a `block_on` can be asked, while pollster polls once in vain \
              and futures-executor cannot be nested",
    admits: Admits::Anybody,
    measures: &[Measure::MachineCode, Measure::Dependencies],
    published: &[],
};

static BURN_FOR_ONE: Rule = Rule {
    takes: &["noop-waker", "park-waker-spinning"],
    form: "the `block_on` of {}, on a thread that is pinned",
    because: "what never sleeps need not be unparked, and that takes longer than all else",
    admits: Admits::Anybody,
    measures: &[Measure::Latency],
    published: &[OWN_LOOP],
};

static BURN_FOR_FEW: Rule = Rule {
    takes: &["noop-waker", "park-waker-spinning"],
    form: "{}, on a thread that is pinned",
    because: "what never sleeps need not be unparked, and that takes longer than polling a few tasks in vain; where it may \
              sleep between bursts, park-waker-spinning does",
    admits: Admits::Anybody,
    measures: &[Measure::Latency, Measure::WakeOne, Measure::Instructions],
    published: &[OWN_LOOP],
};

static PARK: Rule = Rule {
    takes: &["park-waker", "arc-waker", "raw-waker"],
    form: "{}",
    because: "it is the shortest that sleeps, has no unsafe of its own, and to poll a few tasks in vain takes less than to \
              unpark a thread",
    admits: Admits::Anybody,
    measures: WAKES,
    published: &[ASYNC_EXECUTOR, TOKIO],
};

static SAFE_CROWD: Rule = Rule {
    takes: &["arc-waker"],
    form: "{}",
    because: "a wake names the task, and it is the best that can be done without unsafe",
    admits: Admits::NamedTasks,
    measures: WAKES,
    published: &[LOCAL_POOL],
};

static CROWD: Rule = Rule {
    takes: &["raw-waker", "arc-waker"],
    form: "{}",
    because: "a wake names the task and allocates nothing; its unsafe has to be audited, see docs/unsafe.md",
    admits: Admits::NamedTasks,
    measures: WAKES,
    published: &[TOKIO, ASYNC_EXECUTOR],
};

static LOCAL_CROWD: Rule = Rule {
    takes: &["biased-waker", "raw-waker", "arc-waker"],
    form: "{}",
    because: "a wake on the thread that polls costs no atomic operation; its unsafe has to be audited, see docs/unsafe.md",
    admits: Admits::NamedTasks,
    measures: WAKES,
    published: &[Published { name: Some("async-executor-local"), how: "async-executor's `LocalExecutor`" }, OWN_QUEUE],
};

static TICKED_FEW: Rule = Rule {
    takes: &["noop-waker", "park-waker", "arc-waker"],
    form: "{}, ticked",
    because: "the loop polls again anyway, so a wake has nobody to wake, and each task is polled once a tick",
    admits: Admits::Anybody,
    measures: WAKES,
    published: &[TICKED],
};

static TICKED_CROWD: Rule = Rule {
    takes: &["raw-waker", "arc-waker"],
    form: "{}, ticked",
    because: "a tick polls only what was woken, and a wake neither blocks nor polls; its unsafe has to be audited, see \
              docs/unsafe.md",
    admits: Admits::NamedTasks,
    measures: WAKES,
    published: &[TICKED, OWN_QUEUE],
};

static TICKED_SAFE_CROWD: Rule = Rule {
    takes: &["arc-waker"],
    form: "{}, ticked",
    because: "a tick polls only what was woken, and it is the best that can be done without unsafe",
    admits: Admits::NamedTasks,
    measures: WAKES,
    published: &[TICKED_POOL],
};

static NO_EXECUTOR: Pointer = Pointer {
    to: "no executor: poll it with `Waker::noop` each time the loop turns",
    because: "one future that is polled anyway needs nobody to hold or to wake it",
};

/// The first question of the tree.
pub static ROOT: Question = Question {
    asks: "what do you need besides tasks?",
    branches: &[
        Branch {
            label: "sockets, files, timers, worker threads",
            holds: |needs| needs.besides == Besides::Io,
            example: |needs| needs.besides = Besides::Io,
            then: Node::Elsewhere(&Pointer {
                to: "tokio or smol",
                because: "an executor alone has none of these; the strategies here have no I/O and no timers",
            }),
        },
        Branch {
            label: "no std, or no heap",
            holds: |needs| needs.besides == Besides::BareMetal,
            example: |needs| needs.besides = Besides::BareMetal,
            then: Node::Elsewhere(&Pointer {
                to: "embassy-executor, lilos or maitake",
                because: "all of the strategies here allocate and need std, and none may be woken from an interrupt",
            }),
        },
        Branch {
            label: "a browser",
            holds: |needs| needs.besides == Besides::Browser,
            example: |needs| needs.besides = Besides::Browser,
            then: Node::Elsewhere(&Pointer {
                to: "wasm-bindgen-futures",
                because: "nothing may block there, and `block_on` and `run` of the strategies here do",
            }),
        },
        Branch {
            label: "a GUI loop that a wake has to reach",
            holds: |needs| needs.besides == Besides::Gui,
            example: |needs| needs.besides = Besides::Gui,
            then: Node::Elsewhere(&Pointer {
                to: "the `spawn_local` of slint or glib, or what your toolkit has",
                because: "no strategy here tells a foreign loop that it was woken; where the toolkit has no tasks (winit), poll \
                          async-executor's `run` with a waker that goes by its `EventLoopProxy`",
            }),
        },
        Branch {
            label: "a seeded order, simulated time",
            holds: |needs| needs.besides == Besides::Seed,
            example: |needs| needs.besides = Besides::Seed,
            then: Node::Elsewhere(&Pointer {
                to: "madsim, turmoil or shuttle",
                because: "the order of the queue is fixed in all of the strategies here, and time is not theirs",
            }),
        },
        Branch {
            label: "io_uring, a thread for each processor",
            holds: |needs| needs.besides == Besides::IoUring,
            example: |needs| needs.besides = Besides::IoUring,
            then: Node::Elsewhere(&Pointer {
                to: "compio, monoio or glommio",
                because: "completions want a driver in the loop, which no strategy here has; raw-waker is a start to read from",
            }),
        },
        Branch {
            label: "nothing",
            holds: |needs| needs.besides == Besides::Nothing,
            example: |needs| needs.besides = Besides::Nothing,
            then: Node::Ask(&WHO_POLLS),
        },
    ],
};

static WHO_POLLS: Question = Question {
    asks: "who polls again?",
    branches: &[
        Branch {
            label: "a loop of yours",
            holds: |needs| needs.polled_by == PolledBy::Host,
            example: |needs| needs.polled_by = PolledBy::Host,
            then: Node::Ask(&HOW_MANY_TICKED),
        },
        Branch {
            label: "a thread of its own",
            holds: |needs| needs.polled_by == PolledBy::Thread,
            example: |needs| needs.polled_by = PolledBy::Thread,
            then: Node::Ask(&HOW_MANY),
        },
    ],
};

const fn none(needs: &Needs) -> bool {
    needs.idle_tasks == 0
}

const fn few(needs: &Needs) -> bool {
    !none(needs) && needs.idle_tasks <= FEW
}

const fn many(needs: &Needs) -> bool {
    needs.idle_tasks > FEW
}

const NONE: &str = "one future, no tasks";
const A_FEW: &str = "few tasks";
const MANY: &str = "many tasks";

static HOW_MANY_TICKED: Question = Question {
    asks: "how many tasks wait at once?",
    branches: &[
        Branch { label: NONE, holds: none, example: |needs| needs.idle_tasks = 0, then: Node::Elsewhere(&NO_EXECUTOR) },
        Branch { label: A_FEW, holds: few, example: |needs| needs.idle_tasks = FEW, then: Node::Take(&TICKED_FEW) },
        Branch {
            label: MANY,
            holds: many,
            example: |needs| needs.idle_tasks = FEW + 1,
            then: Node::Ask(&Question {
                asks: "can its unsafe be audited?",
                branches: &[
                    Branch { label: "no", holds: safe, example: be_safe, then: Node::Take(&TICKED_SAFE_CROWD) },
                    Branch { label: "yes", holds: audited, example: audit, then: Node::Take(&TICKED_CROWD) },
                ],
            }),
        },
    ],
};

static HOW_MANY: Question = Question {
    asks: "how many tasks wait at once?",
    branches: &[
        Branch {
            label: NONE,
            holds: none,
            example: |needs| needs.idle_tasks = 0,
            then: Node::Ask(&Question {
                asks: "may waiting use up a processor?",
                branches: &[
                    Branch { label: "no", holds: sleeps, example: sleep, then: Node::Take(&BLOCK_ON) },
                    Branch { label: "yes", holds: spins, example: spin, then: Node::Take(&BURN_FOR_ONE) },
                ],
            }),
        },
        Branch {
            label: A_FEW,
            holds: few,
            example: |needs| needs.idle_tasks = FEW,
            then: Node::Ask(&Question {
                asks: "may waiting use up a processor?",
                branches: &[
                    Branch { label: "no", holds: sleeps, example: sleep, then: Node::Take(&PARK) },
                    Branch { label: "yes", holds: spins, example: spin, then: Node::Take(&BURN_FOR_FEW) },
                ],
            }),
        },
        Branch {
            label: MANY,
            holds: many,
            example: |needs| needs.idle_tasks = FEW + 1,
            then: Node::Ask(&Question {
                asks: "can its unsafe be audited?",
                branches: &[
                    Branch { label: "no", holds: safe, example: be_safe, then: Node::Take(&SAFE_CROWD) },
                    Branch { label: "yes", holds: audited, example: audit, then: Node::Ask(&WHERE_FROM) },
                ],
            }),
        },
    ],
};

static WHERE_FROM: Question = Question {
    asks: "where do wakes come from?",
    branches: &[
        Branch {
            label: "other threads, too",
            holds: |needs| needs.wakes_from == WakesFrom::Elsewhere,
            example: |needs| needs.wakes_from = WakesFrom::Elsewhere,
            then: Node::Take(&CROWD),
        },
        Branch {
            label: "the thread that polls",
            holds: |needs| needs.wakes_from == WakesFrom::Here,
            example: |needs| needs.wakes_from = WakesFrom::Here,
            then: Node::Take(&LOCAL_CROWD),
        },
    ],
};

const fn safe(needs: &Needs) -> bool {
    needs.no_unsafe
}

const fn audited(needs: &Needs) -> bool {
    !needs.no_unsafe
}

const fn be_safe(needs: &mut Needs) {
    needs.no_unsafe = true;
}

const fn audit(needs: &mut Needs) {
    needs.no_unsafe = false;
}

const fn spins(needs: &Needs) -> bool {
    needs.may_spin
}

const fn sleeps(needs: &Needs) -> bool {
    !needs.may_spin
}

const fn spin(needs: &mut Needs) {
    needs.may_spin = true;
}

const fn sleep(needs: &mut Needs) {
    needs.may_spin = false;
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

/// Somebody who chooses.
#[derive(Debug)]
pub struct Persona {
    /// Who that is.
    pub writes: &'static str,
    /// What decides for them.
    pub decides: &'static str,
    /// What that comes to.
    pub needs: Needs,
    /// What there is in the registry for exactly that, before what the rule names.
    pub first: Option<&'static str>,
}

/// Those who choose, by a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Who {
    /// A game loop
    Game,
    /// A GUI
    Gui,
    /// A CLI that calls one async function
    Cli,
    /// A kernel or firmware
    Firmware,
    /// A page in a browser
    Browser,
    /// A plug-in host
    PluginHost,
    /// A test harness
    TestHarness,
    /// A database engine
    Database,
    /// A simulator
    Simulator,
    /// A service where microseconds count
    LowLatency,
    /// A web server
    WebServer,
}

impl Who {
    /// What is known of them.
    pub const fn persona(self) -> Persona {
        const NEEDS: Needs = Needs::ONE_FUTURE;
        let (writes, decides, needs, first) = match self {
            Self::Game => (
                "a game loop",
                "the frame polls again; few tasks",
                Needs { polled_by: PolledBy::Host, idle_tasks: FEW, ..NEEDS },
                Some("bevy_tasks inside Bevy"),
            ),
            Self::Gui => {
                ("a GUI", "the toolkit's loop has to hear of a wake", Needs { besides: Besides::Gui, ..NEEDS }, None)
            }
            Self::Cli => ("a CLI that calls one async function", "what it adds to the build", NEEDS, None),
            Self::Firmware => (
                "a kernel or firmware",
                "no heap, wakes from interrupts, a sleep that misses none",
                Needs { besides: Besides::BareMetal, ..NEEDS },
                None,
            ),
            Self::Browser => {
                ("for the browser", "nothing may block", Needs { besides: Besides::Browser, ..NEEDS }, None)
            }
            Self::PluginHost => (
                "a plug-in host",
                "the host owns the loop; a wake may neither block nor poll",
                Needs { polled_by: PolledBy::Host, idle_tasks: 1_000, ..NEEDS },
                None,
            ),
            Self::TestHarness => (
                "a test harness",
                "who is polled in which order, by a seed; no wall clock",
                Needs { besides: Besides::Seed, ..NEEDS },
                None,
            ),
            Self::Database => (
                "a database engine",
                "completions arrive in a loop; a thread for each processor",
                Needs { besides: Besides::IoUring, ..NEEDS },
                None,
            ),
            Self::Simulator => (
                "a simulator",
                "one thread, no I/O, many tasks that wake each other",
                Needs { wakes_from: WakesFrom::Here, idle_tasks: 10_000, ..NEEDS },
                Some("nexosim"),
            ),
            Self::LowLatency => (
                "for low latency",
                "a processor of its own, few tasks",
                Needs { idle_tasks: FEW, may_spin: true, ..NEEDS },
                None,
            ),
            Self::WebServer => {
                ("a web server", "thousands of idle connections", Needs { besides: Besides::Io, ..NEEDS }, None)
            }
        };
        Persona { writes, decides, needs: Needs { who: Some(self), ..needs }, first }
    }

    /// The word.
    pub fn word(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
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
    let _ = write!(text, "```\n\nFew are up to {FEW} tasks. ");
    text.push_str("Where a need that is not in the tree rules that one out, `choose` says so and takes the next that it allows.\n");
    text
}

/// Who they are, and what follows for each, as `docs/choosing.md` shows it.
pub fn personas() -> String {
    let mut text =
        "| you write | what decides | `--for` | strategy | a published crate to prefer |\n|---|---|---|---|---|\n"
            .to_owned();
    for who in Who::value_variants() {
        let Persona { writes, decides, needs, first } = who.persona();
        let (strategy, published) = match leaf(&needs).end {
            Node::Elsewhere(pointer) => (format!("none: {}", pointer.because), pointer.to.to_owned()),
            end => (end.answer(), published(end, first)),
        };
        let _ = writeln!(text, "| {writes} | {decides} | `{}` | {strategy} | {published} |", who.word());
    }
    text
}

fn published(end: Node, first: Option<&str>) -> String {
    let Node::Take(rule) = end else { return String::new() };
    let those = first.into_iter().chain(rule.published.iter().map(|published| published.how)).collect::<Vec<_>>();
    if those.is_empty() { "the same".to_owned() } else { those.join("; or ") }
}
