#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod card;
pub mod contender;
pub mod duel;
pub mod idle;
pub mod kept;
pub mod latency;
pub mod machine;
pub mod memory;
pub mod observation;
pub mod pages;
pub mod progress;
pub mod quiet;
pub mod sources;
pub mod statistics;
pub mod table;
pub mod trial;
pub mod verdicts;
pub mod versions;
pub mod worker;

pub use contender::{Contender, Kind, contenders, rungs};
pub use observation::Observation;
