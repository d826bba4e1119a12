//! The README names the versions that are compared: those of the lock file.

#[test]
fn the_versions_in_the_readme_are_those_of_the_lock_file() {
    let lock = include_str!("../../../Cargo.lock");
    let rows = include_str!("../README.md").lines().filter(|line| line.starts_with("| [`"));
    let mut versions = 0;
    for row in rows {
        let Some((name, version)) = row.split('|').nth(2).and_then(|cell| cell.trim().split_once(' ')) else {
            continue;
        };
        if !version.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(lock.contains(&entry), "the README says {name} {version}, and Cargo.lock does not");
        versions += 1;
    }
    assert!(versions >= 9, "only {versions} rows of the README name a version");
}
