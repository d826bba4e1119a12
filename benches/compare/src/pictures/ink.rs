//! The colours, each for a light ground and for a dark one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// What something is drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ink {
    /// Headings and messages.
    Text,
    /// Axes, and what stands at them.
    Soft,
    /// An executor of this repository.
    Own(usize),
    /// One that others publish.
    Peer(usize),
}

/// A colour on the light ground and its counterpart on the dark one.
pub(super) type Pair = (&'static str, &'static str);

/// What is drawn on: GitHub's two pages.
pub(super) const GROUND: Pair = ("#ffffff", "#0d1117");

const TEXT: Pair = ("#1f2328", "#e6edf3");
const SOFT: Pair = ("#59636e", "#9198a1");

/// Strong colours, that most eyes tell apart: red, brown, green, blue, violet, magenta, teal. There is no common factor
/// of their number and that of the filled shapes, so that the same two meet again as late as can be.
pub(super) const OWN: [Pair; 7] = [
    ("#cf222e", "#ff7b72"),
    ("#9a5b00", "#e3a008"),
    ("#15803d", "#4ade80"),
    ("#0b62c4", "#6cb0ff"),
    ("#8127c8", "#c99bff"),
    ("#b8226f", "#ff8fc2"),
    ("#0a737a", "#4fd0d6"),
];

/// Muted ones.
pub(super) const PEERS: [Pair; 3] = [("#5b6672", "#a3adb8"), ("#7a5c3e", "#c9ab8b"), ("#4a6b8a", "#8fb3d6")];

impl Ink {
    fn pair(self) -> Pair {
        match self {
            Self::Text => TEXT,
            Self::Soft => SOFT,
            Self::Own(number) => OWN[number % OWN.len()],
            Self::Peer(number) => PEERS[number % PEERS.len()],
        }
    }

    /// Its class in the picture.
    pub(super) fn class(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Soft => "soft".to_owned(),
            Self::Own(number) => format!("own{}", number % OWN.len()),
            Self::Peer(number) => format!("peer{}", number % PEERS.len()),
        }
    }
}

/// The style of a picture in which these are used. The ground is part of it: a page may be dark where the system, which
/// is asked for its colours, is light.
pub(super) fn style(used: &BTreeSet<Ink>) -> String {
    // Several executors may share a colour.
    let pairs: BTreeMap<String, Pair> = used.iter().map(|ink| (ink.class(), ink.pair())).collect();
    let inks = |side: fn(Pair) -> &'static str| {
        let ground = side(GROUND);
        let mut rules = format!(".ground,.hollow{{fill:{ground}}}\ntext,.solid{{stroke:{ground}}}\n");
        for (class, pair) in &pairs {
            let _ = writeln!(rules, ".{class}{{color:{}}}", side(*pair));
        }
        rules
    };
    let shapes = "text{fill:currentColor;stroke-width:4px;stroke-linejoin:round;paint-order:stroke}\n\
                  .line,.hollow{stroke:currentColor;stroke-width:2}\n\
                  .line{fill:none}\n\
                  .solid{fill:currentColor;stroke-width:1}\n\
                  .dashed{stroke-dasharray:7 4}\n\
                  .thin{stroke-width:1}\n\
                  .faint{opacity:.3}\n\
                  .band{fill:currentColor;opacity:.22}\n";
    format!(
        "<style>\n{shapes}{}@media (prefers-color-scheme: dark) {{\n{}}}\n</style>\n",
        inks(|pair| pair.0),
        inks(|pair| pair.1)
    )
}
