//! Comments and pages are read in two panes: none of their lines is wider than 120 columns.

use std::fs;
use std::path::{Path, PathBuf};

/// How many characters a line may have, without the targets of its links.
const WIDTH: usize = 120;

#[test]
fn comments_and_pages_fit_into_two_panes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let offenders: Vec<_> = files.iter().flat_map(|file| offenders(&root, file)).collect();
    assert!(files.len() > 100, "the repository's files were found");
    assert!(offenders.is_empty(), "wider than {WIDTH} columns:\n{}", offenders.join("\n"));
}

/// The file's lines that are too wide, as `file:line: width`.
fn offenders(root: &Path, file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("it can be read");
    let is_page = file.extension().is_some_and(|extension| extension == "md");
    let wide = match text {
        // Its writer breaks no lines.
        text if is_page && text.contains("\nWritten by `cargo compare report`") => Vec::new(),
        text if is_page => page(&text),
        text => source(&text),
    };
    let name = file.strip_prefix(root).expect("it was found there").display();
    wide.into_iter().map(|(line, width)| format!("{name}:{line}: {width}")).collect()
}

/// The comments of a Rust file that are too wide: their lines' numbers and widths.
fn source(text: &str) -> Vec<(usize, usize)> {
    let comments = text.lines().enumerate().filter(|(_, line)| {
        let comment = line.trim_start();
        let words = comment.trim_start_matches(['/', '!']).trim_start();
        (comment.starts_with("//") && !words.starts_with('|')) || is_followed_by_comment(line)
    });
    too_wide(comments)
}

/// Whether a comment follows code, and is not part of a string.
fn is_followed_by_comment(line: &str) -> bool {
    line.split_once(" // ").is_some_and(|(code, _)| !code.trim().is_empty() && code.matches('"').count() % 2 == 0)
}

/// The lines of a page that are too wide: all but those of tables and blocks of code, headings, which are one line, and
/// what is generated.
fn page(text: &str) -> Vec<(usize, usize)> {
    let (mut is_code, mut is_generated) = (false, false);
    let prose = text.lines().enumerate().filter(|(_, line)| {
        let line = line.trim_start();
        let fence = line.starts_with("```");
        is_code ^= fence;
        is_generated = (is_generated || line.starts_with("<!-- table: ")) && !line.starts_with("<!-- end -->");
        !(is_code || fence || is_generated || line.starts_with(['|', '#']))
    });
    // The state above follows the lines one after the other.
    let prose: Vec<_> = prose.collect();
    too_wide(prose.into_iter())
}

fn too_wide<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<(usize, usize)> {
    let widths = lines.map(|(at, line)| (at + 1, width(line)));
    widths.filter(|(_, width)| *width > WIDTH).collect()
}

/// How many characters a line has without the targets of its links. 0 if it holds an address that no line has room for.
fn width(line: &str) -> usize {
    let mut parts = line.split("](");
    let begin = parts.next().unwrap_or_default();
    // Of each part, what follows the target.
    let rest = parts.map(|part| part.split_once(')').map_or(0, |(_, text)| "](".len() + text.chars().count()));
    let is_long_address = |word: &str| (word.contains("://") || word.contains('/')) && word.len() > WIDTH - 20;
    if begin.split_whitespace().any(is_long_address) { 0 } else { begin.chars().count() + rest.sum::<usize>() }
}

/// The sources and pages below a folder that are the repository's own.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else if name.ends_with(".rs") || name.ends_with(".md") {
            files.push(path);
        }
    }
}

#[test]
fn a_wide_comment_is_found() {
    let long = "word ".repeat(30);
    let found = |text: &str| source(text).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
    assert_eq!(found(&format!("fn f() {{}}\n/// {long}\n")), [2]);
    assert_eq!(found(&format!("let a = 1; // {long}\n")), [1]);
    assert_eq!(found(&format!("    //! {long}")), [1]);
    assert_eq!(found(&format!("/// | {long} |\nconst A: &str = \"{long}\";\nconst B: &str = \" // {long}\";\n")), []);
    assert_eq!(found(&format!("/// [`A`]: https://a.b/{}\n/// [a](b/{})\n", "c".repeat(120), "c".repeat(120))), []);
    assert_eq!(found(&format!("/// {long}[a](b)")), [1]);
}

#[test]
fn a_wide_line_of_a_page_is_found() {
    let long = "word ".repeat(30);
    let found = |text: &str| page(text).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
    assert_eq!(found(&format!("# A\n\n{long}\n- {long}")), [3, 4]);
    assert_eq!(found(&format!("```text\n{long}\n```\n{long}\n")), [4]);
    assert_eq!(found(&format!("<!-- table: a -->\n{long}\n<!-- end -->\n| {long} |\n{long}\n")), [5]);
    assert_eq!(found(&format!("See [a](b/{}), [c](d/{}).\n", "c".repeat(90), "c".repeat(90))), []);
}
