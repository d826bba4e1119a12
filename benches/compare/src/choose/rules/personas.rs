//! Those who choose, and what their case comes to.

use std::fmt::Write as _;

use clap::ValueEnum;

use super::{Besides, FEW, Needs, Node, PolledBy, WakesFrom, leaf};

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
                ("a GUI", "a wake must reach the toolkit's loop", Needs { besides: Besides::Gui, ..NEEDS }, None)
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
                "a seed decides the order of polls; no wall clock",
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
