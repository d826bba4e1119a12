//! What docs/using.md and docs/bring-your-own.md show are the files that are compiled here.

const USING: &str = include_str!("../../../docs/using.md");
const BRING_YOUR_OWN: &str = include_str!("../../../docs/bring-your-own.md");

#[track_caller]
fn shows(page: &str, file: &str, source: &str) {
    let block = format!("<!-- file: {file} -->\n```rust\n{source}```\n");
    assert!(page.contains(&block), "the page does not show {file} as it is:\n\n{block}");
}

/// Manifests are not compiled here: `outside.rs` takes them from the pages.
#[track_caller]
fn shows_no_more(page: &str, recipes: usize, manifests: usize) {
    assert_eq!(page.matches("<!-- file: ").count(), recipes + manifests, "files on the page");
    assert_eq!(page.matches("Cargo.toml -->\n```toml\n").count(), manifests, "manifests on the page");
}

#[test]
fn the_recipes_are_current() {
    shows(USING, "hyper.rs", include_str!("hyper.rs"));
    shows(USING, "futures_spawn.rs", include_str!("futures_spawn.rs"));
    shows(USING, "criterion.rs", include_str!("criterion.rs"));
    shows_no_more(USING, 3, 1);
}

#[test]
fn the_first_executor_is_current_and_short() {
    let source = include_str!("../first/lib.rs");
    shows(BRING_YOUR_OWN, "src/lib.rs", source);
    shows(BRING_YOUR_OWN, "tests/conformance.rs", include_str!("../first/conformance.rs"));
    shows(BRING_YOUR_OWN, "compare/src/main.rs", include_str!("../first/compare.rs"));
    shows_no_more(BRING_YOUR_OWN, 3, 2);
    // What it says of itself is no part of how it works.
    let (executor, _) = source.split_once("impl Described").expect("it says what it is");
    let code = executor.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    let lines = code.count();
    assert!(lines <= 62, "a first executor is read in one sitting, and has {lines} lines");
}
