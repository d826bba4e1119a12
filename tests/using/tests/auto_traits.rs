//! The auto traits of every public type of the contract and of the strategies: what a program relies on without having
//! asked.
//!
//! A public type without an entry fails, and an entry without a type. What takes a type takes one that is `Send` and
//! not `Sync`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::Path;

use syn::{Ident, Item, UseTree, Visibility};

type Value = Cell<u8>;
type Handle = executor::support::TaskHandle<Value>;

const ALL: &[&str] = &["Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];

/// Whether a concrete type has a trait: the constant of the type itself, if its bound holds, comes before that of the
/// trait.
macro_rules! has {
    ($type:ty: $trait:ident) => {{
        struct Probe<T>(T);
        #[allow(dead_code, reason = "not where the type has the trait")]
        trait Otherwise {
            const HAS: bool = false;
        }
        impl<T> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "not where the type lacks the trait")]
        impl<T: $trait> Probe<T> {
            const HAS: bool = true;
        }
        <Probe<$type>>::HAS
    }};
}

macro_rules! auto_traits {
    ($($crate_name:literal $module:path { $($name:ident $(<$($argument:tt),+>)? : $expected:expr,)* })*) => {
        /// The public types of a crate, each with the traits that it has and those that it must have.
        fn table() -> Vec<(&'static str, Vec<(&'static str, Vec<&'static str>, &'static [&'static str])>)> {
            vec![$(($crate_name, {
                use $module::*;
                vec![$((
                    stringify!($name),
                    {
                        type Type = $name$(<$($argument),+>)?;
                        let has = [
                            ("Send", has!(Type: Send)),
                            ("Sync", has!(Type: Sync)),
                            ("Unpin", has!(Type: Unpin)),
                            ("UnwindSafe", has!(Type: UnwindSafe)),
                            ("RefUnwindSafe", has!(Type: RefUnwindSafe)),
                        ];
                        has.into_iter().filter(|&(_, has)| has).map(|(name, _)| name).collect()
                    },
                    $expected,
                )),*]
            })),*]
        }
    };
}

/// All reexports of a crate in one place, whichever module they are in.
mod contract {
    pub(crate) use executor::support::*;
    pub(crate) use executor::*;
}

auto_traits! {
    "executor" contract {
        Capabilities: ALL,
        Idle: ALL,
        NestedBlockOn: ALL,
        WakeNames: ALL,
        JoinError: ALL,
        PanicPayload: ALL,
        AbortOnDrop<Value, Handle>: ALL,
        // It holds results that nobody has taken yet.
        JoinSet<Value, Handle>: &["Send", "Unpin"],
        YieldNow: ALL,
        Driver: ALL,
        // The right to drive belongs to a thread.
        Entered<'static>: &["Unpin", "UnwindSafe"],
        RunWaiters: ALL,
        RunWait<'static>: ALL,
        RootWaker: ALL,
        // A thread's own.
        Cached<Value>: &["Send", "Unpin", "UnwindSafe"],
        // It belongs to one thread at a time: the code that passes it on answers for that.
        SpareMemory: &["Unpin", "UnwindSafe"],
        Join<Value>: ALL,
        // A future need be no more than `Send`.
        BoxedFuture: &["Send", "Unpin"],
        TaskHandle<Value>: ALL,
        TaskAbortHandle: ALL,
        TaskCount: ALL,
    }
    "noop-waker" noop_waker {
        NoopExecutor: ALL,
        NoopSpawner: ALL,
    }
    "park-waker" park_waker {
        ParkExecutor: ALL,
        ParkSpawner: ALL,
        SpinningExecutor: ALL,
    }
    "arc-waker" arc_waker {
        ArcExecutor: ALL,
        ArcSpawner: ALL,
    }
    "raw-waker" raw_waker {
        RawExecutor: ALL,
        RawSpawner: ALL,
        RawJoinHandle<Value>: ALL,
        RawAbortHandle: ALL,
    }
    "biased-waker" biased_waker {
        BiasedExecutor: ALL,
        BiasedSpawner: ALL,
        BiasedJoinHandle<Value>: ALL,
        BiasedAbortHandle: ALL,
    }
}

#[test]
fn public_types_have_the_auto_traits_that_they_are_to_have() {
    let wrong: Vec<_> = table()
        .into_iter()
        .flat_map(|(crate_name, types)| types.into_iter().map(move |row| (crate_name, row)))
        .filter(|(_, (_, has, expected))| has != expected)
        .map(|(crate_name, (name, has, expected))| format!("{crate_name}: {name} is {has:?} and must be {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_public_type_has_an_entry() {
    for (crate_name, types) in table() {
        let listed: BTreeSet<_> = types.iter().map(|(name, ..)| (*name).to_owned()).collect();
        assert_eq!(listed, public_types(crate_name), "the list, and the public types of {crate_name}");
    }
}

/// Exported from a module, and no types.
const NO_TYPES: [&str; 2] = ["Renew", "UNPOISONED"];

/// The types that a crate exports: its own, whose names begin with a capital. All traits but those of [`NO_TYPES`] are
/// defined in `lib.rs` itself.
fn public_types(crate_name: &str) -> BTreeSet<String> {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates").join(crate_name).join("src/lib.rs");
    let source = std::fs::read_to_string(&lib).expect("the crate is on its floor");
    let file = syn::parse_file(&source).expect("it compiles");
    let mut types = BTreeSet::new();
    collect(&file.items, &mut types);
    types.retain(|name| !NO_TYPES.contains(&name.as_str()));
    for item in &file.items {
        if let Item::Trait(item) = item {
            types.remove(&item.ident.to_string());
        }
    }
    types
}

fn collect(items: &[Item], types: &mut BTreeSet<String>) {
    for item in items {
        match item {
            // With leading colons it is another crate's.
            Item::Use(item) if matches!(item.vis, Visibility::Public(_)) && item.leading_colon.is_none() => {
                names(&item.tree, types);
            }
            Item::Mod(item) if matches!(item.vis, Visibility::Public(_)) => {
                // A module in a file of its own, `executor::sync`, is std's or loom's.
                item.content.iter().for_each(|(_, items)| collect(items, types));
            }
            Item::Struct(item) if matches!(item.vis, Visibility::Public(_)) => {
                types.insert(item.ident.to_string());
            }
            Item::Enum(item) if matches!(item.vis, Visibility::Public(_)) => {
                types.insert(item.ident.to_string());
            }
            _ => {}
        }
    }
}

fn names(tree: &UseTree, types: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => names(&path.tree, types),
        UseTree::Group(group) => group.items.iter().for_each(|tree| names(tree, types)),
        UseTree::Name(name) => types.extend(type_name(&name.ident)),
        UseTree::Rename(rename) => types.extend(type_name(&rename.rename)),
        UseTree::Glob(_) => panic!("a glob hides what is exported"),
    }
}

fn type_name(ident: &Ident) -> Option<String> {
    Some(ident.to_string()).filter(|name| name.starts_with(char::is_uppercase))
}
