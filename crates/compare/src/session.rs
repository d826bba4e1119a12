//! What the command line asks for, put in order.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use harness::quiet::{self, Watch};
use harness::table::{Format, Table, remark};
use harness::{Contender, Observation};
use regex::Regex;

use crate::conform::{self, Verdict};

/// How long a verb waits for quiet moments, in all, unless it is told.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What every verb takes.
#[derive(Args, Clone, Debug, Default)]
pub struct Selection {
    /// Only executors whose name is this, or contains what this regular expression matches
    #[arg(long, global = true, value_name = "REGEX")]
    pub executor: Vec<String>,
    /// Not these
    #[arg(long, global = true, value_name = "REGEX")]
    pub not_executor: Vec<String>,
    /// Only workloads (or operations of the cost card) with such a name
    #[arg(long, global = true, value_name = "REGEX")]
    pub workload: Vec<String>,
    /// Not these
    #[arg(long, global = true, value_name = "REGEX")]
    pub not_workload: Vec<String>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t)]
    pub format: Format,
    /// Measure executors that break the contract as well, marked as such
    #[arg(long, global = true)]
    pub despite_failures: bool,
    /// Run the suite anew, whatever is remembered of this program
    #[arg(long, global = true)]
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
                // A name is itself, and not every name that begins with it.
                let exact = known.contains(&&**pattern);
                let regex = if exact { format!("^{}$", regex::escape(pattern)) } else { pattern.clone() };
                let regex = Regex::new(&regex)
                    .map_err(|error| format!("`{pattern}` is no regular expression: {}", fault(&error)))?;
                if known.iter().any(|name| regex.is_match(name)) {
                    Ok(regex)
                } else {
                    Err(format!("no {what} matches `{pattern}`; there are {}", known.join(", ")))
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

    /// Finds out who breaks the contract: from `docs/conformance.md`, or by running the suite of those who are not in
    /// it. Whatever is measured is measured after this.
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

    /// Prints the tables, or the rows that they were made of.
    pub fn show(&self, mut tables: Vec<Table>, observations: &[Observation]) {
        if self.selection.format == Format::Json {
            for observation in observations {
                println!("{}", serde_json::to_string(observation).expect("a row has no keys but strings"));
            }
            if let Some(doubt) = quiet::doubt(observations) {
                eprintln!("warning: {doubt}");
            }
            return;
        }
        self.mark(&mut tables);
        let texts: Vec<_> = tables.iter().map(|table| table.render(self.selection.format)).collect();
        println!("{}", texts.join("\n\n"));
        if let Some(doubt) = quiet::doubt(observations) {
            println!("\n{}", if self.selection.format == Format::Table { remark(&doubt) } else { doubt });
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
    }
}
