//! The tables of `docs/conformance.md`, from the verdicts that are committed.

use std::fmt::Write as _;

use harness::observation::distinct;
use harness::table::wrapped;
use harness::verdicts::{Outcome, Row, Verdicts};
use harness::versions;

/// The families of clauses: the letter that their ids begin with, and what they are about.
const FAMILIES: [(char, &str); 3] = [
    ('W', "Wakers: what a waker owes"),
    ('T', "Tasks: what a task goes through"),
    ('X', "Executors: what an executor owes those who drive it"),
];

/// No line of prose is longer.
const WIDTH: usize = 120;

fn symbol(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passes => "·",
        Outcome::Fails => "✗",
        Outcome::Varies => "~",
        Outcome::Vacuous => "○",
        Outcome::NotApplicable => "–",
    }
}

/// What a cell says: what a debug build found, and the build where a release build finds something else.
fn cell(row: &Row, executor: &str) -> String {
    let (debug, release) = (row.in_debug(executor), row.in_release(executor));
    match (debug, release) {
        (Outcome::Fails, other) if other != Outcome::Fails => format!("{} debug", symbol(debug)),
        (other, Outcome::Fails) if other != Outcome::Fails => format!("{} release", symbol(release)),
        _ => symbol(debug).to_owned(),
    }
}

/// Whether the executor breaks the clause at all.
fn fails(row: &Row, executor: &str) -> bool {
    row.is_broken_by(executor) || row.in_debug(executor) == Outcome::Varies
}

fn grid(rows: &[&Row], executors: &[&str]) -> String {
    let mut text = format!("| clause | level | promise | {} |\n", executors.join(" | "));
    let _ = writeln!(text, "|---|---|---|{}", ":-:|".repeat(executors.len()));
    for row in rows {
        let cells: Vec<_> = executors.iter().map(|executor| cell(row, executor)).collect();
        let _ = writeln!(text, "| {} | {} | {} | {} |", row.clause, row.level, row.promise, cells.join(" | "));
    }
    text
}

/// Splits the executors into those that break something and the others.
fn executors(verdicts: &Verdicts) -> (Vec<&str>, Vec<&str>) {
    let breaks = |name: &&str| verdicts.rows.iter().any(|row| fails(row, name));
    verdicts.executors.iter().map(String::as_str).partition(breaks)
}

fn is_broken(verdicts: &Verdicts, row: &Row) -> bool {
    verdicts.executors.iter().any(|name| fails(row, name))
}

/// The clauses that somebody breaks, and who.
pub fn broken(verdicts: &Verdicts) -> String {
    let (breaking, others) = executors(verdicts);
    let rows: Vec<_> = verdicts.rows.iter().filter(|row| is_broken(verdicts, row)).collect();
    let sentence = format!(
        "Somebody breaks {} of {} clauses. Not in this table, as they break none: {}.",
        rows.len(),
        verdicts.rows.len(),
        others.join(", ")
    );
    format!("{}\n\n{}", filled("", &sentence), grid(&rows, &breaking))
}

/// How they are broken, executor by executor.
pub fn reasons(verdicts: &Verdicts) -> String {
    let mut text = String::new();
    for name in executors(verdicts).0 {
        let _ = writeln!(text, "**{}**\n", versions::named(name));
        let own = verdicts.rows.iter().filter_map(|row| Some((row, row.debug.get(name)?)));
        let own: Vec<_> = own.filter(|(row, _)| fails(row, name)).collect();
        for why in distinct(own.iter().map(|(_, verdict)| &verdict.why)) {
            let clauses = own.iter().filter(|(_, verdict)| verdict.why == *why).map(|(row, _)| row.clause.as_str());
            let clauses = clauses.collect::<Vec<_>>().join(", ");
            let _ = writeln!(text, "{}", filled("- ", &format!("{clauses}: {why}")));
        }
        // What fails in a release build alone.
        let released = verdicts.rows.iter().filter(|row| fails(row, name) && !row.debug.contains_key(name));
        let released: Vec<_> = released.map(|row| row.clause.as_str()).collect();
        if !released.is_empty() {
            let _ = writeln!(text, "{}", filled("- ", &format!("{}: only in a release build", released.join(", "))));
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// The clauses that everybody keeps to whom they apply, by family, each folded; and why they do not apply to others.
pub fn kept(verdicts: &Verdicts) -> String {
    let names: Vec<_> = verdicts.executors.iter().map(String::as_str).collect();
    let mut text = String::new();
    for (letter, family) in FAMILIES {
        let own = verdicts.rows.iter().filter(|row| row.clause.starts_with(letter) && !is_broken(verdicts, row));
        let own: Vec<_> = own.collect();
        if !own.is_empty() {
            let summary = format!("{family}: {} clauses that nobody breaks", own.len());
            let _ = writeln!(text, "<details><summary>{summary}</summary>\n\n{}\n</details>\n", grid(&own, &names));
        }
    }
    let _ = write!(
        text,
        "<details><summary>Why a clause does not apply (–) or proves nothing (○)</summary>\n\n{}\n</details>",
        excuses(verdicts)
    );
    text
}

/// A line for each reason, with the executors that give it for the same clauses.
fn excuses(verdicts: &Verdicts) -> String {
    let mut lines: Vec<(Vec<&str>, String)> = Vec::new();
    for name in &verdicts.executors {
        let own = verdicts.rows.iter().filter_map(|row| Some((row, row.debug.get(name)?)));
        let own: Vec<_> = own.filter(|(row, _)| !fails(row, name)).collect();
        for why in distinct(own.iter().map(|(_, verdict)| &verdict.why)) {
            let with = own.iter().filter(|(_, verdict)| verdict.why == *why);
            let (clauses, outcomes): (Vec<_>, Vec<_>) =
                with.map(|(row, verdict)| (row.clause.as_str(), verdict.outcome)).unzip();
            let line = format!("{} {}: {why}", symbol(outcomes[0]), in_short(&clauses, verdicts));
            match lines.iter_mut().find(|(_, other)| *other == line) {
                Some((names, _)) => names.push(name),
                None => lines.push((vec![name], line)),
            }
        }
    }
    let mut text = String::new();
    for names in distinct(lines.iter().map(|(names, _)| names)) {
        let _ = writeln!(text, "{}\n", filled("", &format!("**{}**", names.join(", "))));
        for (_, line) in lines.iter().filter(|(others, _)| others == names) {
            let _ = writeln!(text, "{}", filled("- ", line));
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

/// Clauses, the most of a family by those that are not among them.
fn in_short(clauses: &[&str], verdicts: &Verdicts) -> String {
    let mut parts = Vec::new();
    for (letter, _) in FAMILIES {
        let all: Vec<_> =
            verdicts.rows.iter().map(|row| row.clause.as_str()).filter(|id| id.starts_with(letter)).collect();
        let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|id| clauses.contains(id));
        match (own.len(), others.len()) {
            (0, _) => {}
            (_, 0) => parts.push(format!("every {letter}")),
            (own, others_len) if own > 2 * others_len => {
                parts.push(format!("every {letter} but {}", others.join(", ")));
            }
            _ => parts.push(own.join(", ")),
        }
    }
    parts.join("; ")
}

/// A paragraph of no line longer than [`WIDTH`], that begins with that mark.
pub(crate) fn filled(mark: &str, text: &str) -> String {
    let lines = wrapped(text, WIDTH - mark.len());
    format!("{mark}{}", lines.join(&format!("\n{}", " ".repeat(mark.len()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two executors, and a clause of each sort.
    fn verdicts() -> Verdicts {
        let text = concat!(
            r#"{"executors":["tokio","raw-waker"]}"#,
            "\n",
            r#"{"clause":"W1","level":"std","promise":"A."}"#,
            "\n",
            r#"{"clause":"T1","level":"std","promise":"B.","debug":{"tokio":{"outcome":"fails","why":"it hangs"}}}"#,
            "\n",
            r#"{"clause":"X1","level":"contract","promise":"C.","release":{"tokio":"fails"}}"#,
            "\n",
            r#"{"clause":"X2","level":"contract","promise":"D.","#,
            r#""debug":{"raw-waker":{"outcome":"vacuous","why":"it polls on"}}}"#,
            "\n",
        );
        Verdicts::read(text).expect("it is complete")
    }

    #[test]
    fn who_breaks_something_stands_first_and_the_rest_is_folded() {
        let broken = broken(&verdicts());
        assert!(
            broken.starts_with("Somebody breaks 2 of 4 clauses. Not in this table, as they break none: raw-waker."),
            "{broken}"
        );
        assert!(broken.contains("| clause | level | promise | tokio |"), "{broken}");
        assert!(broken.contains("| T1 | std | B. | ✗ |") && broken.contains("| X1 | contract | C. | ✗ release |"));
        assert!(!broken.contains("W1") && !broken.contains("X2"), "{broken}");
        let kept = kept(&verdicts());
        assert!(
            kept.contains("| W1 | std | A. | · | · |") && kept.contains("| X2 | contract | D. | · | ○ |"),
            "{kept}"
        );
        assert!(kept.contains("**raw-waker**\n\n- ○ X2: it polls on"), "{kept}");
        assert!(!kept.contains("| T1 |"), "{kept}");
    }

    #[test]
    fn a_reason_has_its_clauses() {
        let reasons = reasons(&verdicts());
        assert!(reasons.contains("- T1: it hangs\n- X1: only in a release build"), "{reasons}");
        assert!(!reasons.contains("raw-waker"), "{reasons}");
    }

    #[test]
    fn most_of_a_family_is_said_by_the_rest() {
        assert_eq!(in_short(&["W1", "X1", "X2"], &verdicts()), "every W; every X");
        assert_eq!(in_short(&["X1"], &verdicts()), "X1");
    }

    #[test]
    fn a_line_that_goes_on_is_indented() {
        let text = filled("- ", &"word ".repeat(60));
        assert!(text.starts_with("- word") && text.lines().nth(1).is_some_and(|line| line.starts_with("  word")));
        assert!(text.lines().all(|line| line.len() <= WIDTH));
    }
}
