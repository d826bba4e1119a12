//! The recipes of docs/using.md are the files that are compiled here.

#[test]
fn the_recipes_are_current() {
    let page = include_str!("../../../docs/using.md");
    let recipes = [
        ("hyper.rs", include_str!("hyper.rs")),
        ("futures_spawn.rs", include_str!("futures_spawn.rs")),
        ("criterion.rs", include_str!("criterion.rs")),
    ];
    for (file, source) in recipes {
        let block = format!("<!-- file: {file} -->\n```rust\n{source}```\n");
        assert!(page.contains(&block), "docs/using.md does not show crates/using/tests/{file} as it is:\n\n{block}");
    }
    let shown = page.matches("<!-- file: ").count();
    assert_eq!(shown, recipes.len(), "recipes on the page");
}
