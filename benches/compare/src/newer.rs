//! Which peers are not the newest that is published: asked of the registry, for the record.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use harness::pages::page;
use serde::{Deserialize, Serialize};

use crate::programs::cargo;

/// What the registry said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Newer {
    /// Nothing: it was not asked, or did not answer.
    #[default]
    #[serde(rename = "not known")]
    NotKnown,
    /// The newest version of each package of which another one is compared.
    #[serde(rename = "known")]
    Known(BTreeMap<String, String>),
}

impl Newer {
    /// Asks about these packages, by way of `cargo update --dry-run`, which changes nothing. Where there is no answer,
    /// why.
    pub fn ask(packages: &BTreeSet<&str>) -> (Self, Option<String>) {
        let mut command = Command::new(cargo());
        command
            .args(["update", "--dry-run", "--verbose", "--color", "never", "--manifest-path"])
            .arg(page("Cargo.toml"));
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => return (Self::NotKnown, Some(format!("cargo cannot be run: {error}"))),
        };
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let error = said.lines().find(|line| line.starts_with("error: ")).unwrap_or("error: it does not say why");
            return (Self::NotKnown, Some(format!("`cargo update --dry-run` fails: {}", &error["error: ".len()..])));
        }
        match Self::read(&said, packages) {
            Self::NotKnown => (Self::NotKnown, Some("cargo is offline and did not ask the registry".to_owned())),
            known => (known, None),
        }
    }

    /// Reads what `cargo update --dry-run --verbose` says. Offline it goes by what it was told before, which is not
    /// known to be the newest.
    pub fn read(said: &str, packages: &BTreeSet<&str>) -> Self {
        let asked = said.lines().map(str::trim).any(|line| line.starts_with("Updating ") && line.ends_with(" index"));
        if !asked {
            return Self::NotKnown;
        }
        let newer = said.lines().filter_map(|line| {
            let (package, newest) = newest(line)?;
            packages.contains(package).then(|| (package.to_owned(), newest.to_owned()))
        });
        Self::Known(newer.collect())
    }

    /// In a sentence.
    pub fn in_words(&self) -> String {
        match self {
            Self::NotKnown => "Whether the published executors are the newest versions is not known.".to_owned(),
            Self::Known(newer) if newer.is_empty() => {
                "Of each published executor this is the newest version.".to_owned()
            }
            Self::Known(newer) => {
                let newer: Vec<_> = newer.iter().map(|(package, version)| format!("{package} {version}")).collect();
                format!("There are newer versions than those compared: {}.", newer.join(", "))
            }
        }
    }
}

/// The package of a line such as `Updating a v1.0.1 -> v1.0.3 (available: v2.0.0, requires Rust 1.99)`, and its newest
/// version:
/// the one in brackets, if there is one that this workspace does not allow.
fn newest(line: &str) -> Option<(&str, &str)> {
    let (verb, rest) = line.trim().split_once(' ')?;
    if !["Updating", "Unchanged", "Downgrading"].contains(&verb) {
        return None;
    }
    let (package, versions) = rest.split_once(' ')?;
    if let Some((_, available)) = versions.split_once("(available: v") {
        return Some((package, available.strip_suffix(')')?));
    }
    let (_, newest) = versions.split_once(" -> v")?;
    (verb == "Updating").then_some((package, newest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cargo 1.95 says.
    const SAID: &str = "    Updating crates.io index
     Locking 3 packages to latest Rust 1.85 compatible versions
   Unchanged cargo-platform v0.3.0 (available: v0.3.3)
    Updating cc v1.11.1 -> v1.11.3
 Downgrading futures-lite v2.6.1 -> v2.6.0
    Updating pollster v1.0.1 -> v1.0.3
    Updating async-task v4.7.1 -> v4.7.2 (available: v5.0.0)
   Unchanged tokio v1.54.1 (available: v1.60.0, requires Rust 1.96)
note: to see how you depend on a package, run `cargo tree --invert <dep>@<ver>`
warning: not updating lockfile due to dry run
";

    fn packages() -> BTreeSet<&'static str> {
        BTreeSet::from(["async-task", "crates.io", "futures-lite", "pollster", "tokio"])
    }

    #[test]
    fn the_newest_version_is_read_whether_it_may_be_taken_or_not() {
        let newer = [("async-task", "5.0.0"), ("pollster", "1.0.3"), ("tokio", "1.60.0, requires Rust 1.96")];
        let newer = newer.map(|(package, version)| (package.to_owned(), version.to_owned()));
        let found = Newer::read(SAID, &packages());
        assert_eq!(found, Newer::Known(BTreeMap::from(newer)));
        let words = "There are newer versions than those compared: async-task 5.0.0, pollster 1.0.3, tokio 1.60.0, requires Rust \
                     1.96.";
        assert_eq!(found.in_words(), words);
    }

    #[test]
    fn without_the_registry_it_is_not_known() {
        let offline = SAID.split_once('\n').expect("there are lines").1;
        assert_eq!(Newer::read(offline, &packages()), Newer::NotKnown);
        assert_eq!(Newer::read("", &packages()), Newer::NotKnown);
    }

    #[test]
    fn nothing_newer_is_an_answer() {
        let found = Newer::read("    Updating crates.io index\n     Locking 0 packages\n", &packages());
        assert_eq!(found, Newer::Known(BTreeMap::new()));
    }

    #[test]
    fn a_header_says_what_is_known() {
        let written = |newer: &Newer| serde_json::to_string(newer).expect("its keys are strings");
        let known = Newer::Known(BTreeMap::from([("pollster".to_owned(), "1.0.3".to_owned())]));
        assert_eq!(written(&Newer::NotKnown), "\"not known\"");
        assert_eq!(written(&known), "{\"known\":{\"pollster\":\"1.0.3\"}}");
        assert_eq!(serde_json::from_str::<Newer>(&written(&known)).expect("it has just been written"), known);
    }
}
