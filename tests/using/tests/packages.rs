//! The packages that others depend on can be packaged, and have the metadata that a package needs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand, Package};
use lineup::STRATEGIES;

/// The contract and the suite, by folder.
const SHARED: [(&str, &str); 2] = [("crates/executor", "wakers-executor"), ("tests/conformance", "wakers-conformance")];

/// The contract, the suite and the strategies, by folder: nothing else of the workspace is published.
fn published_names() -> BTreeSet<(String, &'static str)> {
    let shared = SHARED.iter().map(|(folder, name)| ((*folder).to_owned(), *name));
    let strategies = STRATEGIES.iter();
    let strategies =
        strategies.map(|strategy| (format!("crates/{}", strategy.library.replace('_', "-")), strategy.package));
    shared.chain(strategies).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("it is in a folder of `tests`").to_owned()
}

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps().other_options(["--offline".to_owned()]);
    command.exec().expect("cargo knows this workspace")
}

fn published(metadata: &Metadata) -> impl Iterator<Item = (&Package, String)> {
    published_names().into_iter().map(|(folder, name)| {
        let package = metadata.packages.iter().find(|package| package.name.as_str() == name);
        (package.unwrap_or_else(|| panic!("there is no package `{name}`")), folder)
    })
}

fn package(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["package", "--offline", "--allow-dirty"])
        .args(arguments)
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "cargo package {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

#[test]
fn what_is_published_is_what_others_depend_on() {
    let metadata = metadata();
    let found = metadata.packages.iter().filter(|package| package.publish.is_none());
    let found: BTreeSet<_> = found.map(|package| package.name.to_string()).collect();
    assert_eq!(found, published_names().into_iter().map(|(_, name)| name.to_owned()).collect());
}

#[test]
fn folders_and_libraries_keep_their_names() {
    let metadata = metadata();
    for (package, folder) in published(&metadata) {
        assert_eq!(package.manifest_path, metadata.workspace_root.join(&folder).join("Cargo.toml"));
        let library = package.targets.iter().find(|target| target.is_lib()).expect("it is a library");
        let last = folder.rsplit('/').next().expect("a folder has a name");
        assert_eq!(library.name, last.replace('-', "_"));
    }
}

#[test]
fn a_package_says_what_it_is() {
    let metadata = metadata();
    let workspace = metadata.packages.iter().map(|package| package.name.as_str()).collect::<BTreeSet<_>>();
    for (package, _) in published(&metadata) {
        let name = &package.name;
        assert!(package.description.as_ref().is_some_and(|text| !text.is_empty()), "{name} has no description");
        assert_eq!(package.license.as_deref(), Some("MIT OR Apache-2.0"), "{name}");
        assert!(package.readme.is_some() && package.rust_version.is_some(), "{name} lacks its README or its Rust");
        assert!((1..=5).contains(&package.keywords.len()), "{name}: the registry takes up to five keywords");
        assert!((1..=5).contains(&package.categories.len()), "{name}: the registry takes up to five categories");
        // Without a version such a dependency cannot be packaged, unless it is for tests and left out.
        let own = package.dependencies.iter().filter(|dependency| workspace.contains(&*dependency.name));
        let names = published_names();
        for dependency in own.filter(|dependency| names.iter().any(|(_, name)| *name == dependency.name)) {
            assert_eq!(dependency.req.to_string(), format!("^{}", package.version), "{name} on {}", dependency.name);
        }
    }
}

/// Copies, as symbolic links are no files in a checkout on Windows.
#[test]
fn a_package_contains_its_licences_and_its_readme() {
    let root = root();
    for (folder, name) in published_names() {
        let listed = package(&["--list", "--package", name]);
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "Cargo.toml", "src/lib.rs"] {
            assert!(listed.lines().any(|line| line == file), "{name} has no {file}:\n{listed}");
        }
        for file in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let copy = root.join(&folder).join(file);
            assert!(fs::symlink_metadata(&copy).expect("it is there").is_file(), "{} is a link", copy.display());
            let same = fs::read(&copy).expect("it can be read") == fs::read(root.join(file)).expect("it can be read");
            assert!(same, "{} is not the workspace's", copy.display());
        }
    }
}

/// All at once, as none of them is in the registry.
#[test]
fn the_packages_can_be_made() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages");
    let target = target.to_str().expect("the target directory has a name");
    let names = published_names();
    let names = names.iter().flat_map(|(_, name)| ["--package", name]);
    package(&["--no-verify", "--target-dir", target].into_iter().chain(names).collect::<Vec<_>>());
    let metadata = metadata();
    for (package, _) in published(&metadata) {
        let made = Path::new(target).join("package").join(format!("{}-{}.crate", package.name, package.version));
        assert!(made.is_file(), "{} was not made", made.display());
    }
}

/// The files that contain commands: scripts, recipes and pages.
fn texts() -> Vec<PathBuf> {
    let root = root();
    let inside = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
        entries.map(|entry| entry.expect("it can be read").path()).collect::<Vec<_>>()
    };
    let pages = inside("docs").into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let folders = ["crates", "tests", "benches"].into_iter().flat_map(inside);
    let readmes = folders.map(|folder| folder.join("README.md")).filter(|path| path.is_file());
    let top = ["README.md", "justfile", ".cargo/config.toml"].map(|file| root.join(file));
    inside(".ci").into_iter().chain(pages).chain(readmes).chain(top).collect()
}

#[test]
fn commands_name_packages_that_there_are() {
    let metadata = metadata();
    let mut named = 0;
    for path in texts() {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let words: Vec<_> =
            text.split(|character: char| character.is_whitespace() || "()`|".contains(character)).collect();
        // Where nothing follows, as in `$(.ci/strategies -p)`, the name comes from elsewhere.
        for pair in words.windows(2).filter(|pair| matches!(pair[0], "-p" | "--package") && !pair[1].is_empty()) {
            let is_there = metadata.packages.iter().any(|package| package.name.as_str() == pair[1]);
            assert!(is_there, "{} names a package `{}`, and there is none", path.display(), pair[1]);
            named += 1;
        }
    }
    assert!(named > 20, "the commands are looked at: {named}");
}
