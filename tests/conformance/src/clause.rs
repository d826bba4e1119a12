use std::fmt;

/// One promise of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Its name in tables, such as `W1`.
    pub id: &'static str,
    /// Who demands it.
    pub level: Level,
    /// The promise, in one sentence.
    pub promise: &'static str,
    /// The real bugs that broke it.
    pub guards: &'static str,
}

/// Who demands a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The documentation of std: to break it is a bug by any standard.
    Std,
    /// This workspace's contract, which every serious executor keeps; real bugs were filed where one did not.
    Contract,
    /// Quality of implementation: executors may differ, and the difference is worth knowing.
    Quality,
}

/// What a clause's test found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The promise was kept where it could have been broken.
    Pass,
    /// The promise was broken.
    Fail(String),
    /// The executor does not claim the capability that the clause is about, and was shown to do the opposite.
    NotApplicable {
        /// The field of [`Capabilities`](executor::Capabilities), or the trait, that excuses it.
        capability: &'static str,
        /// What was shown instead.
        why: &'static str,
    },
    /// The promise holds, but could not have been broken: the test proves nothing here.
    Vacuous(&'static str),
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Std => "std",
            Self::Contract => "contract",
            Self::Quality => "quality",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("Pass"),
            Self::Fail(why) => write!(f, "Fail: {why}"),
            Self::NotApplicable { capability, why } => write!(f, "N/A ({capability}): {why}"),
            Self::Vacuous(why) => write!(f, "Vacuous: {why}"),
        }
    }
}

/// Defines a clause: a public function with its documentation, and a module of the same name that holds its
/// [`Clause`]. Functions and modules have different namespaces.
macro_rules! clause {
    (
        $(#[$attribute:meta])*
        $id:literal $level:ident $promise:literal
        guards $guards:literal
        pub fn $name:ident<$executor:ident: $($bound:path),+>() -> Outcome $body:block
    ) => {
        #[doc = concat!("**", $id, "** ", $promise)]
        ///
        #[doc = concat!("Guards against: ", $guards)]
        ///
        $(#[$attribute])*
        pub fn $name<$executor: $($bound +)+ executor::Described + 'static>() -> $crate::Outcome $body

        #[doc(hidden)]
        pub mod $name {
            #[doc(hidden)]
            pub const CLAUSE: $crate::Clause = $crate::Clause {
                id: $id,
                level: $crate::Level::$level,
                promise: $promise,
                guards: $guards,
            };
        }
    };
}
pub(crate) use clause;
