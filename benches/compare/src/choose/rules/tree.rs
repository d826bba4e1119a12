//! The rules themselves, as a tree of questions.

use super::{
    Admits, Besides, Branch, FEW, Measure, Needs, Node, Pointer, PolledBy, Published, Question, Rule, WakesFrom,
};

/// The strategies that have no `unsafe` of their own, which no record has to say.
pub const SAFE: &[&str] = &["park-waker", "park-waker-spinning", "arc-waker"];

const WAKES: &[Measure] = &[Measure::WakeOne, Measure::Instructions];

const ASYNC_EXECUTOR: Published =
    Published { name: Some("async-executor"), how: "async-executor, driven by futures-lite's `block_on`" };
const TOKIO: Published = Published { name: Some("tokio"), how: "tokio's `current_thread` runtime" };
const TICKED: Published = Published {
    name: Some("async-executor"),
    how: "async-executor and its `try_tick`, a bounded number of times per turn of your loop",
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
    because: "it is published and keeps every clause about a `block_on`, while pollster polls once in vain \
              and futures-executor cannot be nested",
    admits: Admits::Anybody,
    measures: &[Measure::MachineCode, Measure::Dependencies],
    published: &[],
};

static BURN_FOR_ONE: Rule = Rule {
    takes: &["noop-waker", "park-waker-spinning"],
    form: "the `block_on` of {}, on a thread that is pinned",
    because: "a thread that never sleeps need not be unparked, and unparking takes longer than everything else",
    admits: Admits::Anybody,
    measures: &[Measure::Latency],
    published: &[OWN_LOOP],
};

static BURN_FOR_FEW: Rule = Rule {
    takes: &["noop-waker", "park-waker-spinning"],
    form: "{}, on a thread that is pinned",
    because: "a thread that never sleeps need not be unparked, and unparking takes longer than polling a few tasks in \
              vain; park-waker-spinning can sleep between bursts",
    admits: Admits::Anybody,
    measures: &[Measure::Latency, Measure::WakeOne, Measure::Instructions],
    published: &[OWN_LOOP],
};

static PARK: Rule = Rule {
    takes: &["park-waker", "arc-waker", "raw-waker"],
    form: "{}",
    because: "it is the shortest one that sleeps, it has no unsafe of its own, and polling a few tasks in vain takes \
              less time than unparking a thread",
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
    because: "a wake names the task and allocates nothing; its unsafe must be audited, see docs/unsafe.md",
    admits: Admits::NamedTasks,
    measures: WAKES,
    published: &[TOKIO, ASYNC_EXECUTOR],
};

static LOCAL_CROWD: Rule = Rule {
    takes: &["biased-waker", "raw-waker", "arc-waker"],
    form: "{}",
    because: "a wake on the thread that polls costs no atomic operation; its unsafe must be audited, see \
              docs/unsafe.md",
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
    because: "a tick polls only what was woken, and a wake neither blocks nor polls; its unsafe must be audited, see \
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
    because: "one future that is polled anyway needs no executor to hold or to wake it",
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
            label: "a GUI loop that a wake must reach",
            holds: |needs| needs.besides == Besides::Gui,
            example: |needs| needs.besides = Besides::Gui,
            then: Node::Elsewhere(&Pointer {
                to: "the `spawn_local` of slint or glib, or your toolkit's equivalent",
                because: "no strategy here tells a foreign loop that it was woken; where the toolkit has no tasks \
                          (winit), poll async-executor's `run` with a waker that uses its `EventLoopProxy`",
            }),
        },
        Branch {
            label: "a seeded order, simulated time",
            holds: |needs| needs.besides == Besides::Seed,
            example: |needs| needs.besides = Besides::Seed,
            then: Node::Elsewhere(&Pointer {
                to: "madsim, turmoil or shuttle",
                because: "in all of the strategies here the order of the queue is fixed, and none of them controls \
                          time",
            }),
        },
        Branch {
            label: "io_uring, a thread for each processor",
            holds: |needs| needs.besides == Besides::IoUring,
            example: |needs| needs.besides = Besides::IoUring,
            then: Node::Elsewhere(&Pointer {
                to: "compio, monoio or glommio",
                because: "completions need a driver in the loop, which no strategy here has; raw-waker is a place to \
                          start reading",
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
