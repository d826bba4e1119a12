//! A copy of the workspace, in which faults can be put.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::list::Mutant;

/// The copy. It stays, so that a second run builds less.
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    /// The target directory of its builds.
    pub(crate) target: PathBuf,
    /// Locked, so that no other run changes the copy at the same time.
    _lock: File,
}

/// A fault that is in the tree until this is dropped.
pub(crate) struct Mutated {
    file: PathBuf,
    original: String,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of a file below `crates`.
#[cfg(test)]
pub(crate) fn source(file: &str) -> io::Result<String> {
    fs::read_to_string(workspace().join("crates").join(file))
}

/// The file's text with the fault in it.
pub(crate) fn changed(text: &str, mutant: &Mutant) -> Result<String, String> {
    let mut text = text.to_owned();
    for (right, wrong) in mutant.changes {
        let times = text.matches(right).count();
        if times != 1 {
            let Mutant { name, file, .. } = mutant;
            return Err(format!(
                "the mutant `{name}` replaces a text that stands {times} times in {file}, not once: {right}"
            ));
        }
        text = text.replacen(right, wrong, 1);
    }
    Ok(text)
}

impl Tree {
    /// Makes the copy, or brings the one of an earlier run up to date.
    pub(crate) fn copy() -> io::Result<Self> {
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
        fs::create_dir_all(&target)?;
        let target = fs::canonicalize(target)?.join("mutants");
        let root = target.join("tree");
        fs::create_dir_all(&root)?;
        let lock = File::create(target.join("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other(format!("another run is at work in {}", target.display())))?;
        for name in ["Cargo.toml", "Cargo.lock", "README.md"] {
            copy_file(&workspace().join(name), &root.join(name))?;
        }
        for name in ["crates", "tests", "benches", "docs"] {
            copy_directory(&workspace().join(name), &root.join(name))?;
        }
        Ok(Self { root, target, _lock: lock })
    }

    /// Puts a fault in.
    pub(crate) fn mutate(&self, mutant: &Mutant) -> io::Result<Mutated> {
        let file = self.root.join("crates").join(mutant.file);
        let original = fs::read_to_string(&file)?;
        let wrong = changed(&original, mutant).map_err(io::Error::other)?;
        fs::write(&file, wrong)?;
        Ok(Mutated { file, original })
    }
}

impl Drop for Mutated {
    fn drop(&mut self) {
        if let Err(error) = fs::write(&self.file, &self.original) {
            output::say(format_args!("error: {} still has a fault in it: {error}", self.file.display()));
        }
    }
}

fn copy_directory(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(to)? {
        let there = entry?;
        if !from.join(there.file_name()).exists() {
            match there.file_type()?.is_dir() {
                true => fs::remove_dir_all(there.path())?,
                false => fs::remove_file(there.path())?,
            }
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_directory(&entry.path(), &to)?,
            false => copy_file(&entry.path(), &to)?,
        }
    }
    Ok(())
}

/// Leaves an unchanged file alone, so that nothing is rebuilt for it.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let text = fs::read(from)?;
    match fs::read(to) {
        Ok(there) if there == text => Ok(()),
        _ => fs::write(to, text),
    }
}
