#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod crew;
mod dice;
mod held;
mod race;

pub use crate::crew::{Crew, Job, spin, wait_until};
pub use crate::dice::Dice;
pub use crate::race::{Findings, JOINER_NOT_WOKEN, Plan, Race};
