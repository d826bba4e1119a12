//! What the command line asks for, put in order.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::quiet::{self, Watch};
use harness::table::{Format, Table, paragraphs};
use harness::{Contender, Kind, Observation};
use output::Stop;
use regex::Regex;

use crate::conform::{self, Verdict};

/// How long a verb waits for quiet moments, in all, unless it is told.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What was asked for, as far as the verb takes it.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only executors whose name is this, or contains what this regular expression matches.
    pub executor: Vec<String>,
    /// Not these.
    pub not_executor: Vec<String>,
    /// Only workloads, or operations of the cost card, with such a name.
    pub workload: Vec<String>,
    /// Not these.
    pub not_workload: Vec<String>,
    /// How results are printed.
    pub format: Format,
    /// Whether executors that break the contract are measured as well.
    pub despite_failures: bool,
    /// Whether the suite is run anew, whatever is remembered.
    pub fresh: bool,
}

/// Names that were asked for.
#[derive(Clone, Debug)]
pub struct Names {
    wanted: Vec<Regex>,
    unwanted: Vec<Regex>,
}

impl Names {
    /// # Errors
    ///
    /// When something is no regular expression, or matches none of the `known` names, which the message lists.
    pub fn new(what: &str, wanted: &[String], unwanted: &[String], known: &[&str]) -> Result<Self, String> {
        let compile = |patterns: &[String]| {
            let patterns = patterns.iter().map(|pattern| {
                if pattern.is_empty() {
                    return Err(format!("an empty name matches every {what}: leave it out to mean all"));
                }
                // A name is itself, and not every name that begins with it.
                let exact = known.contains(&&**pattern);
                let regex = if exact { format!("^{}$", regex::escape(pattern)) } else { pattern.clone() };
                let regex = Regex::new(&regex)
                    .map_err(|error| format!("`{pattern}` is no regular expression: {}", fault(&error)))?;
                if known.iter().any(|name| regex.is_match(name)) {
                    Ok(regex)
                } else {
                    let hint =
                        nearest(pattern, known).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
                    Err(format!("no {what} matches `{pattern}`; {hint}there are {}", known.join(", ")))
                }
            });
            patterns.collect::<Result<Vec<_>, _>>()
        };
        let names = Self { wanted: compile(wanted)?, unwanted: compile(unwanted)? };
        if known.iter().any(|name| names.include(name)) {
            Ok(names)
        } else {
            Err(format!("no {what} is left; there are {}", known.join(", ")))
        }
    }

    /// Whether that name was asked for.
    pub fn include(&self, name: &str) -> bool {
        let matches = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(name));
        (self.wanted.is_empty() || matches(&self.wanted)) && !matches(&self.unwanted)
    }
}

/// The name that somebody may have meant who typed another one.
fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    /// As much alike as two words that differ in a letter or two.
    const ALIKE: f64 = 0.85;

    let likeness = |name: &str| strsim::jaro_winkler(&typed.to_lowercase(), &name.to_lowercase());
    let rated = known.iter().map(|name| (likeness(name), *name)).filter(|(likeness, _)| *likeness > ALIKE);
    rated.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

/// What is wrong with a regular expression, without the drawing of where.
fn fault(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().map_or_else(String::new, |line| line.trim_start_matches("error: ").to_owned())
}

/// Who is measured, and how it is shown.
#[derive(Debug)]
pub struct Session<'a> {
    /// Everybody.
    pub all: &'a [Contender],
    /// Who was asked for.
    pub chosen: Vec<&'a Contender>,
    /// What was asked for.
    pub selection: Selection,
    /// Waits for quiet moments.
    pub watch: Watch,
    /// How each keeps the contract, by name, where that was asked for.
    verdicts: BTreeMap<&'static str, Verdict>,
}

impl<'a> Session<'a> {
    /// # Errors
    ///
    /// When an executor is asked for that there is not.
    pub fn new(all: &'a [Contender], selection: Selection) -> Result<Self, String> {
        let known: Vec<_> = all.iter().map(|contender| contender.name).collect();
        let names = Names::new("executor", &selection.executor, &selection.not_executor, &known)?;
        let chosen: Vec<_> = all.iter().filter(|contender| names.include(contender.name)).collect();
        let watch = Watch::new(PATIENCE);
        Ok(Self { all, chosen, selection, watch, verdicts: BTreeMap::new() })
    }

    /// Finds out which executors break the contract: from `docs/conformance.jsonl`, or by running the suites of those
    /// that it lacks. Measuring begins after this.
    ///
    /// # Errors
    ///
    /// When a suite cannot be run.
    pub fn gate(&mut self) -> Result<(), String> {
        for contender in &self.chosen {
            self.verdicts.insert(contender.name, conform::verdict(contender, self.selection.fresh)?);
        }
        Ok(())
    }

    /// What is known about how that one keeps the contract.
    pub fn verdict(&self, contender: &Contender) -> Verdict {
        self.verdicts.get(contender.name).cloned().unwrap_or_default()
    }

    /// Why that one is not to be measured, if it is not.
    pub fn refusal(&self, contender: &Contender) -> Option<String> {
        self.verdicts.get(contender.name)?.refusal()
    }

    /// Those that may be measured.
    pub fn admitted(&self) -> Vec<&'a Contender> {
        let despite_failures = self.selection.despite_failures;
        let chosen = self.chosen.iter().copied();
        chosen.filter(|contender| despite_failures || self.refusal(contender).is_none()).collect()
    }

    /// The rows of those that may not, for any verb.
    pub fn refusals(&self, verb: &str) -> Vec<Observation> {
        if self.selection.despite_failures {
            return Vec::new();
        }
        self.refused().map(|(name, reason)| Observation::refused(verb, name, "", reason)).collect()
    }

    fn refused(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.verdicts.iter().filter_map(|(name, verdict)| Some((*name, verdict.refusal()?)))
    }

    /// Marks figures that are shown in spite of what their executor breaks.
    pub fn mark(&self, tables: &mut [Table]) {
        if !self.selection.despite_failures {
            return;
        }
        for (name, reason) in self.refused() {
            for table in tables.iter_mut() {
                let rows = table.rows.iter_mut().map(|row| &mut row[0]);
                // In a matrix a letter stands before the name.
                let names =
                    rows.chain(table.header.iter_mut()).filter(|cell| cell.split(' ').next_back() == Some(name));
                let mut marked = false;
                names.for_each(|cell| {
                    cell.push('†');
                    marked = true;
                });
                if marked {
                    table.notes.push(format!("† {name} {reason}"));
                }
            }
        }
    }

    /// Which of the `known` workloads were asked for.
    ///
    /// # Errors
    ///
    /// When one is asked for that there is not.
    pub fn workloads(&self, known: &[&str]) -> Result<Names, String> {
        Names::new("workload", &self.selection.workload, &self.selection.not_workload, known)
    }

    /// Those that were chosen and own tasks, for a verb that is about tasks.
    ///
    /// # Errors
    ///
    /// When there are none.
    pub fn require_tasks(&self, what: &str) -> Result<(), String> {
        let owners = |contenders: &[&Contender]| {
            let owners = contenders.iter().filter(|contender| contender.kind == Kind::Executor);
            owners.map(|contender| contender.name).collect::<Vec<_>>()
        };
        if !owners(&self.chosen).is_empty() {
            return Ok(());
        }
        let chosen: Vec<_> = self.chosen.iter().map(|contender| contender.name).collect();
        let all: Vec<_> = self.all.iter().collect();
        let verb = if chosen.len() == 1 { "owns" } else { "own" };
        Err(format!(
            "{what} is about tasks, and {} {verb} none; there are {}",
            chosen.join(", "),
            owners(&all).join(", ")
        ))
    }

    /// The rows of those who were asked for by name and own no tasks, for a verb that is about tasks. Where nobody was
    /// asked for, nobody misses them.
    pub fn without_tasks(&self, verb: &str) -> Vec<Observation> {
        if self.selection.executor.is_empty() {
            return Vec::new();
        }
        let others = self.chosen.iter().filter(|contender| contender.kind != Kind::Executor);
        let others = others.filter(|contender| self.refusal(contender).is_none());
        others.map(|contender| Observation::refused(verb, contender.name, "", "owns no tasks")).collect()
    }

    /// Prints the tables, or the rows that they were made of.
    ///
    /// # Errors
    ///
    /// When there is nothing to print, or it cannot be printed.
    pub fn show(&self, mut tables: Vec<Table>, observations: &[Observation]) -> Result<(), Stop> {
        const NOTHING: &str = "nothing was measured: what was asked for is nothing that these executors do";
        if self.selection.format == Format::Json {
            if observations.is_empty() {
                return Err(NOTHING.into());
            }
            for observation in observations {
                output::line(serde_json::to_string(observation).expect("a row has no keys but strings"))?;
            }
            if let Some(doubt) = quiet::doubt(observations) {
                output::say(format_args!("warning: {doubt}"));
            }
            return Ok(());
        }
        if tables.is_empty() {
            return Err(NOTHING.into());
        }
        self.mark(&mut tables);
        let texts: Vec<_> = tables.iter().map(|table| table.render(self.selection.format)).collect();
        output::line(texts.join("\n\n"))?;
        match quiet::doubt(observations) {
            Some(doubt) if self.selection.format == Format::Table => {
                output::line(format_args!("\n{}", paragraphs(&doubt)))
            }
            Some(doubt) => output::line(format_args!("\n{doubt}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["async-executor", "async-executor-local", "raw-waker"];

    fn names(wanted: &[&str], unwanted: &[&str]) -> Result<Vec<&'static str>, String> {
        let owned = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>();
        let names = Names::new("executor", &owned(wanted), &owned(unwanted), KNOWN)?;
        Ok(KNOWN.iter().copied().filter(|name| names.include(name)).collect())
    }

    #[test]
    fn a_name_is_itself_and_a_pattern_is_what_it_matches() {
        assert_eq!(names(&["async-executor"], &[]).unwrap(), ["async-executor"]);
        assert_eq!(names(&["async"], &[]).unwrap(), ["async-executor", "async-executor-local"]);
        assert_eq!(names(&["async"], &["local$"]).unwrap(), ["async-executor"]);
        assert_eq!(names(&[], &["async"]).unwrap(), ["raw-waker"]);
    }

    #[test]
    fn what_matches_nothing_is_an_error_that_lists_what_there_is() {
        assert_eq!(
            names(&["nosuch"], &[]).unwrap_err(),
            "no executor matches `nosuch`; there are async-executor, async-executor-local, raw-waker"
        );
        assert!(names(&["raw"], &["raw"]).unwrap_err().starts_with("no executor is left"));
        let said = names(&["raw-wakr"], &[]).unwrap_err();
        assert!(said.starts_with("no executor matches `raw-wakr`; did you mean `raw-waker`? there are "), "{said}");
        assert_eq!(nearest("w1", &["W1", "W10", "X1"]), Some("W1"));
    }
}
