//! Writes a run of all mutants down.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Killers;
use crate::list::Mutant;

pub(crate) fn write(outcomes: &[(&Mutant, Killers)], summary: &str) -> Result<(), Box<dyn Error>> {
    let mut page = String::from("# Faults of our own, and who notices them\n\n");
    writeln!(
        page,
        "Written by `just mutants --write`. Each fault is put into a copy of the sources, alone; then the models \
         (`crates/models`) and the conformance suite run. A name is the beginning of the name of a test that failed; `..` \
         stands for more, as a run ends when three have failed.\n\n{summary}. {}\n",
        provenance()?,
    )?;
    writeln!(page, "| fault | what goes wrong | noticed by models | noticed by the suite |\n|---|---|---|---|")?;
    for (mutant, killers) in outcomes {
        let list = |by: &std::collections::BTreeMap<&str, Vec<String>>| {
            let each = by.iter().map(|(strategy, tests)| match mutant.strategies().len() {
                1 => tests.join(" "),
                _ => format!("{strategy}: {}", tests.join(" ")),
            });
            each.collect::<Vec<_>>().join("<br>")
        };
        let (models, suite) = (list(&killers.models), list(&killers.suite));
        match mutant.equivalent {
            Some(why) if !killers.any() => {
                writeln!(page, "| {} | {} | nothing, as it changes nothing: {why} | |", mutant.name, mutant.fault)?;
            }
            _ => writeln!(page, "| {} | {} | {models} | {suite} |", mutant.name, mutant.fault)?,
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mutants.md");
    fs::write(&path, page).map_err(|error| format!("{} could not be written: {error}", path.display()))?;
    Ok(())
}

/// The commit and the compiler.
fn provenance() -> Result<String, Box<dyn Error>> {
    let first_line = |program: &str, arguments: &[&str]| -> Result<String, Box<dyn Error>> {
        let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output()?;
        Ok(String::from_utf8(output.stdout)?.lines().next().unwrap_or("unknown").to_owned())
    };
    let commit = first_line("git", &["describe", "--always", "--dirty", "--exclude=*"])?;
    let rustc = first_line("rustc", &["--version"])?;
    Ok(format!("Commit {commit}, {rustc}."))
}
