//! The tables in the repository's pages, which are between `<!-- table: name -->` and `<!-- end -->`.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use executor::Capabilities;

use crate::contender::{Contender, Kind};
use crate::sources::{Counts, SourceFile};
use crate::versions;

/// The variable to set to rewrite the pages instead of comparing them.
pub const UPDATE: &str = "UPDATE_TABLES";

/// A file that every checkout of this repository has.
const CHECKOUT: [&str; 3] = ["Cargo.toml", "docs/conformance.md", "crates/executor"];

/// The checkout of this repository that contains a folder, if one does.
pub fn checkout(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|root| CHECKOUT.iter().all(|part| root.join(part).exists()))
}

/// A page to read: in the checkout that contains the current directory, or otherwise in the one that this program was
/// built from.
pub fn to_read(name: &str) -> PathBuf {
    let current = env::current_dir().unwrap_or_default();
    checkout(&current).map_or_else(|| page(name), |root| root.join(name))
}

/// A page to write: only in the checkout that contains the current directory. Otherwise the sources of this program may
/// be in a directory of cargo's, where the page would not be found.
///
/// # Errors
///
/// When no checkout contains it; `otherwise` says what to do.
pub fn to_write(name: &str, otherwise: &str) -> Result<PathBuf, String> {
    let current = env::current_dir().map_err(|error| format!("there is no current directory: {error}"))?;
    let root = checkout(&current).ok_or_else(|| {
        let what = if name.is_empty() { "page" } else { name };
        format!("{} lies in no checkout of wakers, so there is no {what} to write: {otherwise}", current.display())
    })?;
    Ok(root.join(name))
}

/// A page of the repository that this program was built from, such as `docs/strategies.md`.
pub fn page(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("this crate is in a folder of the repository's").join(name)
}

/// Compares the table `name` in `page` with `table`, or replaces it when [`UPDATE`] is set.
///
/// # Errors
///
/// Like [`compare_table`] and [`write_table`].
pub fn check_table(page: &Path, name: &str, table: &str) -> Result<(), String> {
    if env::var_os(UPDATE).is_some() {
        write_table(page, name, table)
    } else {
        compare_table(page, name, table).map_err(|difference| format!("{difference}\n`just tables` writes it anew"))
    }
}

/// Compares the table `name` in `page` with `table`.
///
/// # Errors
///
/// When the page cannot be read, has no such table, or has a different one; the message says where they differ.
pub fn compare_table(page: &Path, name: &str, table: &str) -> Result<(), String> {
    let Spot { text, start, end } = spot(page, name)?;
    let (found, wanted) = (&text[start..end], between_marks(table));
    if found == wanted {
        return Ok(());
    }
    Err(format!(
        "the table `{name}` in {} is out of date\n{}",
        page.display(),
        difference(found.trim(), wanted.trim()).trim_end()
    ))
}

/// Puts `table` into `page` as the table `name`.
///
/// # Errors
///
/// When the page cannot be read or written, or has no place for it.
pub fn write_table(page: &Path, name: &str, table: &str) -> Result<(), String> {
    let found = fs::read_to_string(page).map_err(|error| format!("{} cannot be read: {error}", page.display()))?;
    let text = with_table(page, &found, name, table)?;
    if text == found {
        return Ok(());
    }
    fs::write(page, text).map_err(|error| format!("{} cannot be written: {error}", page.display()))
}

/// The text of `page` with `table` in it as the table `name`.
///
/// # Errors
///
/// When it has no place for it.
pub fn with_table(page: &Path, text: &str, name: &str, table: &str) -> Result<String, String> {
    let (start, end) = place(text, name).ok_or_else(|| no_place(page, name))?;
    Ok(format!("{}{}{}", &text[..start], between_marks(table), &text[end..]))
}

fn no_place(page: &Path, name: &str) -> String {
    let shown = page.display();
    format!("{shown} has no place for the table `{name}`: it wants `<!-- table: {name} -->` and `<!-- end -->`")
}

fn between_marks(table: &str) -> String {
    format!("\n{}\n", table.trim_end())
}

/// A page, and the place of a table in it.
struct Spot {
    text: String,
    start: usize,
    end: usize,
}

fn spot(page: &Path, name: &str) -> Result<Spot, String> {
    let shown = page.display();
    let text = fs::read_to_string(page).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let (start, end) = place(&text, name).ok_or_else(|| no_place(page, name))?;
    Ok(Spot { text, start, end })
}

/// The table `name` in `page`.
pub fn read_table(page: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(page).ok()?;
    let (start, end) = place(&text, name)?;
    Some(text[start..end].trim().to_owned())
}

fn place(text: &str, name: &str) -> Option<(usize, usize)> {
    let mark = format!("<!-- table: {name} -->");
    let start = text.find(&mark)? + mark.len();
    let end = start + text[start..].find("<!-- end -->")?;
    Some((start, end))
}

/// The cells of a line of a Markdown table.
pub fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// The lines that only one of the texts has.
pub fn difference(found: &str, wanted: &str) -> String {
    let mut text = String::new();
    for line in found.lines().filter(|line| !wanted.lines().any(|other| other == *line)) {
        let _ = writeln!(text, "- {line}");
    }
    for line in wanted.lines().filter(|line| !found.lines().any(|other| other == *line)) {
        let _ = writeln!(text, "+ {line}");
    }
    text
}

/// What each strategy is, for those whose allocations by a spawn and by 1,000 wakes `allocations` knows.
///
/// # Panics
///
/// When the source of a strategy cannot be read.
pub fn strategies(contenders: &[Contender], allocations: impl Fn(&str) -> Option<(usize, usize)>) -> String {
    let mut text = String::from(
        "| strategy | a wake names | with nothing ready it | allocations a spawn | allocations for 1,000 wakes | lines of code \
         | `unsafe` sites |\n|---|---|---|---:|---:|---:|---:|\n",
    );
    for contender in contenders {
        let Some(Capabilities { wake_names, idle, .. }) = contender.capabilities else { continue };
        let Some((spawn, wakes)) = allocations(contender.name) else { continue };
        let name = contender.name;
        let (lines, sites) = code(&page(&format!("crates/{name}/src")));
        let _ = writeln!(
            text,
            "| [{name}](crates/{name}/README.md) | {wake_names} | {idle} | {spawn} | {wakes} | {lines} | {sites} |"
        );
    }
    text
}

/// The lines of code and the `unsafe` sites in a folder, without tests.
fn code(folder: &Path) -> (usize, usize) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let (mut lines, mut sites) = (0, 0);
    for path in entries.map(|entry| entry.expect("it can be read").path()) {
        let (more_lines, more_sites) = if path.is_dir() {
            code(&path)
        } else {
            let text = fs::read_to_string(&path).expect("source is text");
            let file =
                SourceFile::parse(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display())).without_tests();
            (file.lines(), file.unsafe_sites().values().map(Counts::total).sum())
        };
        lines += more_lines;
        sites += more_sites;
    }
    (lines, sites)
}

/// What every contender claims, and below it the versions.
pub fn capabilities(contenders: &[Contender]) -> String {
    let mut text = String::from(
        "| executor | a wake names | idle, it | polls only what was woken | other threads may spawn | several threads may \
         drive | nested `block_on` | catches panics of tasks | reports cancellation |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for contender in contenders {
        let Some(capabilities) = contender.capabilities else { continue };
        let Capabilities { wake_names, idle, nested_block_on, .. } = capabilities;
        let owns_tasks = contender.kind == Kind::Executor;
        let task = |fact| if owns_tasks { yes(fact) } else { "no tasks" };
        let _ = writeln!(
            text,
            "| {} | {wake_names} | {idle} | {} | {} | {} | {nested_block_on} | {} | {} |",
            contender.name,
            yes(capabilities.polls_only_woken),
            task(capabilities.remote_spawn),
            yes(capabilities.concurrent_drivers),
            task(capabilities.catches_panics),
            task(capabilities.reports_cancellation),
        );
    }
    if let Some(versions) = versions::in_words(contenders.iter().map(|contender| contender.name)) {
        let _ = writeln!(text, "\n{versions}");
    }
    text
}

fn yes(fact: bool) -> &'static str {
    if fact { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_is_found_from_within_and_nowhere_else() {
        let root = page("");
        assert_eq!(checkout(&root.join("benches/harness/src")), checkout(&root));
        assert!(checkout(&root).is_some_and(|found| found.join("docs/strategies.md").is_file()));
        assert_eq!(checkout(&env::temp_dir()), None);
    }
}
