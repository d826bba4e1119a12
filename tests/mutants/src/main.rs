#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod build;
mod list;
mod tree;

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use output::Stop;

use crate::build::{Executable, Kind};
use crate::list::{MUTANTS, Mutant};
use crate::tree::Tree;

/// Who noticed a fault: for each strategy the tests that failed.
#[derive(Default)]
struct Killers {
    models: BTreeMap<&'static str, Vec<String>>,
    suite: BTreeMap<&'static str, Vec<String>>,
}

const USAGE: &str = "usage: mutants [--list] [--first] [NAME...]";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => error.downcast::<Stop>().unwrap_or_else(|error| Box::new(Stop::Because(error.to_string()))).end(),
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let (mut wanted, mut first) = (Vec::new(), false);
    for argument in env::args_os().skip(1) {
        match &*argument.to_string_lossy() {
            "--list" => {
                for mutant in MUTANTS {
                    output::line(format_args!("{:<30} {}", mutant.name, mutant.fault))?;
                }
                return Ok(ExitCode::SUCCESS);
            }
            "--first" => first = true,
            name => match MUTANTS.iter().find(|mutant| mutant.name == name) {
                Some(mutant) => wanted.push(mutant),
                None => return Err(format!("there is no mutant `{name}`; `--list` shows them; {USAGE}").into()),
            },
        }
    }
    if wanted.is_empty() {
        wanted.extend(MUTANTS);
    }

    let start = Instant::now();
    let tree = Tree::copy()?;
    check_that_all_is_well_without(&tree, &wanted)?;
    let mut outcomes = Vec::new();
    for mutant in wanted {
        let mutated = tree.mutate(mutant)?;
        let killers = try_all(&tree, mutant, first)?;
        drop(mutated);
        output::line(format_args!("{:<30} {}", mutant.name, killers.describe(mutant)))?;
        outcomes.push((mutant, killers));
    }

    let (mut by_models, mut by_suite, mut equivalent, mut wrong) = (0, 0, 0, Vec::new());
    for (mutant, killers) in &outcomes {
        by_models += usize::from(!killers.models.is_empty());
        by_suite += usize::from(!killers.suite.is_empty());
        match (killers.any(), mutant.equivalent) {
            (true, None) => {}
            (false, Some(_)) => equivalent += 1,
            (false, None) => wrong.push(format!("`{}` survived", mutant.name)),
            (true, Some(_)) => wrong.push(format!("`{}` was killed, though it is said to change nothing", mutant.name)),
        }
    }
    let killed = outcomes.iter().filter(|(_, killers)| killers.any()).count();
    let summary = format!(
        "{} mutants: {killed} killed ({by_models} by models, {by_suite} by the suite), {equivalent} equivalent, {} survived",
        outcomes.len(),
        outcomes.len() - killed - equivalent,
    );
    output::line(format_args!("\n{summary}, in {} s", start.elapsed().as_secs()))?;
    if wrong.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    output::say(format_args!("error: {}", wrong.join("; ")));
    Ok(ExitCode::FAILURE)
}

/// A test that fails anyway kills every mutant.
fn check_that_all_is_well_without(tree: &Tree, wanted: &[&Mutant]) -> Result<(), Box<dyn Error>> {
    let mut strategies: Vec<_> = wanted.iter().flat_map(|mutant| mutant.strategies()).collect();
    strategies.sort_unstable();
    strategies.dedup();
    for strategy in strategies {
        for (kind, preemptions) in [(Kind::Models, 2), (Kind::Suite, 0)] {
            let executable =
                Executable::build(tree, kind, strategy)?.ok_or("the sources do not compile as they are")?;
            let failed = executable.failing(preemptions)?;
            if !failed.is_empty() {
                return Err(format!("without any mutant, {strategy} fails {}", failed.join(" ")).into());
            }
        }
    }
    Ok(())
}

/// Runs models and suite, or the suite only where no model notices.
fn try_all(tree: &Tree, mutant: &'static Mutant, first: bool) -> Result<Killers, Box<dyn Error>> {
    let mut killers = Killers::default();
    for strategy in mutant.strategies() {
        let models = Executable::build(tree, Kind::Models, strategy)?.ok_or_else(|| does_not_compile(mutant))?;
        // Most faults show with one preemption, in a fraction of the time.
        let mut failed = models.failing(1)?;
        if failed.is_empty() {
            failed = models.failing(2)?;
        }
        if !failed.is_empty() {
            killers.models.insert(strategy, failed);
            if first {
                continue;
            }
        }
        let suite = Executable::build(tree, Kind::Suite, strategy)?.ok_or_else(|| does_not_compile(mutant))?;
        let failed = suite.failing(0)?;
        if !failed.is_empty() {
            killers.suite.insert(strategy, failed);
        }
    }
    Ok(killers)
}

fn does_not_compile(mutant: &Mutant) -> String {
    format!("the mutant `{}` does not compile", mutant.name)
}

impl Killers {
    fn any(&self) -> bool {
        !self.models.is_empty() || !self.suite.is_empty()
    }

    fn describe(&self, mutant: &Mutant) -> String {
        let list = |by: &BTreeMap<&str, Vec<String>>| {
            let each = by.iter().map(|(strategy, tests)| format!("{strategy} {}", tests.join(" ")));
            each.collect::<Vec<_>>().join(", ")
        };
        match (self.models.is_empty(), self.suite.is_empty(), mutant.equivalent) {
            (true, true, Some(_)) => "equivalent".to_owned(),
            (true, true, None) => "SURVIVED".to_owned(),
            (true, false, _) => format!("suite: {}", list(&self.suite)),
            (false, true, _) => format!("models: {}", list(&self.models)),
            (false, false, _) => format!("models: {}; suite: {}", list(&self.models), list(&self.suite)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// What `just mutants` takes long to find out: that a change of the sources has passed a mutant by.
    #[test]
    fn every_mutant_fits_the_sources() {
        for mutant in MUTANTS {
            let text = tree::source(mutant.file).expect("the file exists");
            tree::changed(&text, mutant).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn names_are_unique() {
        let names: HashSet<_> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        assert_eq!(names.len(), MUTANTS.len());
    }
}
