#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, ErrorKind, Write as _};
use std::panic;
use std::process::{self, ExitCode};

/// The exit status after [`Stop::Closed`]: what shells report for a program that SIGPIPE ended.
pub const CLOSED: u8 = 141;

/// The exit status after [`Stop::Because`].
pub const FAILED: u8 = 2;

/// Why a program ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The reader of its output has stopped reading.
    Closed,
    /// For this reason, in one sentence.
    Because(String),
}

impl Stop {
    /// Prints the reason, if there is one, and returns the exit status.
    pub fn end(&self) -> ExitCode {
        ExitCode::from(self.said())
    }

    fn said(&self) -> u8 {
        match self {
            Self::Closed => CLOSED,
            Self::Because(why) => {
                say(format_args!("error: {why}"));
                FAILED
            }
        }
    }
}

impl Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => formatter.write_str("nobody reads the output any more"),
            Self::Because(why) => formatter.write_str(why),
        }
    }
}

impl Error for Stop {}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Because(why)
    }
}

impl From<&str> for Stop {
    fn from(why: &str) -> Self {
        Self::Because(why.to_owned())
    }
}

/// Of printing: anything else says more than the bare error.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Because(cannot(&error)),
        }
    }
}

fn cannot(why: &dyn Display) -> String {
    format!("the output cannot be written: {why}")
}

/// Prints to standard output, at once.
///
/// # Errors
///
/// When it cannot be written.
pub fn print(text: impl Display) -> Result<(), Stop> {
    let mut stdout = io::stdout().lock();
    write!(stdout, "{text}")?;
    Ok(stdout.flush()?)
}

/// As [`print`](print()), and ends the line.
///
/// # Errors
///
/// When it cannot be written.
pub fn line(text: impl Display) -> Result<(), Stop> {
    print(format_args!("{text}\n"))
}

/// Prints a line to standard error, if there is anybody to read it.
pub fn say(text: impl Display) {
    say_in_place(format_args!("{text}\n"));
}

/// As [`say`], and leaves the line open.
pub fn say_in_place(text: impl Display) {
    // A reader that cannot be told of this cannot be told that, either.
    let _ = write!(io::stderr().lock(), "{text}");
}

/// For a program with a library that calls `println!` itself, as criterion does: if that panics because it cannot
/// print, the process ends as after a [`Stop`], but with the exit status `closed` if nobody reads.
pub fn end_where_a_library_cannot_print(closed: u8) {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let payload = panic.payload().downcast_ref::<String>();
        match payload.and_then(|message| unprinted(message)) {
            None => before(panic),
            Some(Stop::Closed) => process::exit(i32::from(closed)),
            Some(stop) => process::exit(i32::from(stop.said())),
        }
    }));
}

/// What std's panic says about printing, if it is that one.
fn unprinted(message: &str) -> Option<Stop> {
    let why = ["stdout", "stderr"].iter().find_map(|to| message.strip_prefix(&format!("failed printing to {to}: ")))?;
    Some(if why.starts_with("Broken pipe") { Stop::Closed } else { Stop::Because(cannot(&why)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        assert_eq!(Stop::from(io::Error::from(ErrorKind::BrokenPipe)), Stop::Closed);
        let full = Stop::from(io::Error::from(ErrorKind::StorageFull));
        assert_eq!(full, Stop::Because("the output cannot be written: no storage space".to_owned()));
    }

    #[test]
    fn the_panics_of_println_are_known_and_no_others() {
        let said = |message| unprinted(message);
        assert_eq!(said("failed printing to stdout: Broken pipe (os error 32)"), Some(Stop::Closed));
        assert_eq!(said("failed printing to stderr: Broken pipe (os error 32)"), Some(Stop::Closed));
        let full = "the output cannot be written: No space left on device (os error 28)".to_owned();
        assert_eq!(said("failed printing to stdout: No space left on device (os error 28)"), Some(Stop::Because(full)));
        assert_eq!(said("failed: Broken pipe"), None);
    }
}
