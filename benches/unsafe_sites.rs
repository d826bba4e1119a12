//! `docs/unsafe.md` lists every `unsafe` of the workspace: no site without an entry, no entry without a site.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use harness::pages::{cells, page};
use harness::sources::SourceFile;

/// What is unsafe about an item, such as `2 blocks`, by file and item.
type Sites = BTreeMap<(String, String), String>;

#[test]
fn every_unsafe_site_is_listed() {
    let listed = listed(&fs::read_to_string(page("docs/unsafe.md")).expect("the page can be read"));
    let found = found();
    let mut difference = String::new();
    for ((file, item), what) in &found {
        match listed.get(&(file.clone(), item.clone())) {
            Some(known) if known == what => {}
            Some(known) => difference.push_str(&format!("{file}: `{item}` has {what}; the page says {known}\n")),
            None => difference.push_str(&format!("{file}: `{item}` has {what}, and no entry\n")),
        }
    }
    for (file, item) in listed.keys().filter(|site| !found.contains_key(*site)) {
        difference.push_str(&format!("{file}: `{item}` has an entry, and nothing unsafe in it\n"));
    }
    assert!(difference.is_empty(), "docs/unsafe.md does not list what is in the code\n{difference}");
}

/// What the page lists: in a section, headed by one or more files, a table whose first two columns are the item and
/// what is unsafe.
fn listed(page: &str) -> Sites {
    let (mut sites, mut files) = (Sites::new(), Vec::new());
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            files = heading.split('`').filter(|part| part.ends_with(".rs")).collect();
        } else if line.starts_with("| `") {
            let row = cells(line);
            for file in &files {
                let site = ((*file).to_owned(), row[0].trim_matches('`').to_owned());
                let before = sites.insert(site, row[1].to_owned());
                assert!(before.is_none(), "docs/unsafe.md lists {} of {file} twice", row[0]);
            }
            assert!(row.len() == 5 && row.iter().all(|cell| !cell.is_empty()), "an entry is not complete: {line}");
        }
    }
    sites
}

/// What the sources hold.
fn found() -> Sites {
    let root = page("");
    let mut files = Vec::new();
    for folder in ["crates", "tests", "benches"] {
        collect(&root.join(folder), &mut files);
    }
    assert!(files.len() > 50, "the sources are where they are looked for");
    let mut sites = Sites::new();
    for path in files {
        let name = path.strip_prefix(&root).expect("it is in the workspace").display().to_string();
        let text = fs::read_to_string(&path).expect("a source can be read");
        for (item, what) in search(&text) {
            sites.insert((name.clone(), item), what);
        }
    }
    sites
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn search(text: &str) -> BTreeMap<String, String> {
    let sites = SourceFile::parse(text).expect("a source is Rust").unsafe_sites();
    sites.into_iter().map(|(item, counts)| (item, counts.to_string())).collect()
}
