//! `conform [EXECUTOR...]`: runs the conformance suite over the executors named, or over all of them, and prints the
//! table. Exits with 1 when a clause is broken.
#![forbid(unsafe_code)]

use std::env;
use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

use conformance::Outcome;

use crate::verdicts::{judge, matrix, run_as_case, suites};

mod verdicts;

#[global_allocator]
static ALLOCATOR: conformance::CountingAllocator = conformance::CountingAllocator;

fn main() -> ExitCode {
    if let Some(code) = run_as_case() {
        return code;
    }
    let known: Vec<_> = suites().iter().map(|(name, _)| *name).collect();
    let wanted: Vec<String> = env::args().skip(1).collect();
    if wanted.iter().any(|name| name == "--help" || name == "-h") {
        println!("conform [EXECUTOR...]\n\nThe executors: {}", known.join(", "));
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        eprintln!("error: there is no executor `{unknown}`; there are {}", known.join(", "));
        return ExitCode::from(2);
    }
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => return fail(&format!("this program cannot find itself: {error}")),
    };
    let terminal = stderr().is_terminal();
    let verdicts = judge(
        &program,
        |name| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name),
        |done, total, verdict| {
            if terminal {
                eprint!("\r\x1b[K[{done}/{total}] {} {}", verdict.executor, verdict.clause.id);
            }
        },
    );
    if terminal {
        eprint!("\r\x1b[K");
    }
    match verdicts {
        Ok(verdicts) => {
            print!("{}", matrix(&verdicts));
            let broken = verdicts.iter().any(|verdict| matches!(verdict.outcome, Outcome::Fail(_)));
            ExitCode::from(u8::from(broken))
        }
        Err(error) => fail(&format!("a case could not be run: {error}")),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(2)
}
