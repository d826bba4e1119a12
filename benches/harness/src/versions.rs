//! The versions of the executors, from the lock file that this program was built with.

/// The lock file.
pub const LOCK: &str = include_str!("../../../Cargo.lock");

/// Published executors whose names differ from those of their packages.
const PACKAGES: [(&str, &str); 2] =
    [("async-executor-local", "async-executor"), ("futures-local-pool", "futures-executor")];

/// The package that an executor comes from.
pub fn package(executor: &str) -> &str {
    if let Some(strategy) = lineup::strategy(executor) {
        return strategy.package;
    }
    PACKAGES.iter().find(|(name, _)| *name == executor).map_or(executor, |(_, package)| package)
}

/// The version of a package, from a text such as `Cargo.lock`.
pub fn version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    field(entry(lock, package)?, "version")
}

/// The version of a published executor; `None` for this workspace's.
pub fn published(executor: &str) -> Option<&'static str> {
    let entry = entry(LOCK, package(executor))?;
    field(entry, "source").and_then(|_| field(entry, "version"))
}

/// Its name, and its version if it was published.
pub fn named(executor: &str) -> String {
    published(executor).map_or_else(|| executor.to_owned(), |version| format!("{executor} {version}"))
}

/// A remark below a table of these executors: the versions of the published ones, if there are any.
pub fn in_words<'a>(executors: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let published: Vec<_> = executors.into_iter().filter(|name| published(name).is_some()).map(named).collect();
    (!published.is_empty()).then(|| format!("Published: {}.", published.join(", ")))
}

fn entry<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    lock.split("[[package]]").find(|entry| field(entry, "name") == Some(package))
}

fn field<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    let value = entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))?;
    Some(value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, contenders};

    const TEXT: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n\n\
                        [[package]]\nname = \"ab\"\nversion = \"2.0.0\"\nsource = \"registry\"\n";

    #[test]
    fn versions_are_those_of_the_lock_file() {
        assert_eq!(["a", "ab", "abc"].map(|name| version(TEXT, name)), [Some("1.2.3"), Some("2.0.0"), None]);
    }

    #[test]
    fn every_executor_comes_from_a_package_of_the_lock_file() {
        for contender in contenders().iter().filter(|contender| contender.kind != Kind::Floor) {
            let package = package(contender.name);
            assert!(version(LOCK, package).is_some(), "{} comes from no package `{package}`", contender.name);
        }
    }

    #[test]
    fn only_what_was_published_is_named_with_its_version() {
        let executors = ["floor", "raw-waker", "futures-local-pool", "futures-executor"];
        let version = version(LOCK, "futures-executor").expect("it is compared");
        let words = format!("Published: futures-local-pool {version}, futures-executor {version}.");
        assert_eq!(in_words(executors), Some(words));
        assert_eq!(in_words(["floor", "raw-waker"]), None);
    }
}
