//! The running program, and how a process that runs it may end for reasons outside its code.

#[cfg(target_os = "linux")]
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::OnceLock;
use std::time::SystemTime;
use std::{env, fs, io};

/// A path that starts this program as it runs now, even if a build has replaced its file since.
///
/// On Linux this is the image itself, where [`std::env::current_exe`] may name a file that a rebuild has deleted. On
/// other systems it is the file, as long as it has not changed since the first call: call this early.
///
/// # Errors
///
/// When the program cannot find itself, or its file has been replaced.
pub fn running() -> io::Result<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        // The path names the image of whichever process opens it: the child must do that, and not another program.
        let image = PathBuf::from("/proc/self/exe");
        if image.exists() {
            return Ok(image);
        }
    }
    static FIRST: OnceLock<State> = OnceLock::new();
    unchanged(env::current_exe()?, &FIRST)
}

/// The file that this program was started from, if it is still the same: for callers that read the file. It may be
/// replaced at any time, so ask again afterwards.
pub fn file() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt as _;

        let place = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
        (place(&program)? == place(&running().ok()?)?).then_some(program)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = program;
        running().ok()
    }
}

/// What shows that a file has changed: its length, and when it was written.
type State = (u64, Option<SystemTime>);

/// The path, unless the file has changed since the first call.
fn unchanged(program: PathBuf, first: &OnceLock<State>) -> io::Result<PathBuf> {
    let metadata = fs::metadata(&program)?;
    let now = (metadata.len(), metadata.modified().ok());
    if *first.get_or_init(|| now) == now {
        return Ok(program);
    }
    let program = program.display();
    Err(io::Error::other(format!("{program} was replaced after it had been started: start it again")))
}

/// What std says when there is no memory, no thread or no disk space, and what we say.
const LACKS: [(&str, &str); 3] = [
    ("memory allocation of ", "there was no memory for it"),
    ("failed to spawn thread", "no thread could be started for it"),
    ("No space left on device", "no space is left on a disk"),
];

/// What the machine lacked, if this message says so.
pub fn lack(said: &str) -> Option<&'static str> {
    LACKS.iter().find(|(says, _)| said.contains(says)).map(|(_, lack)| *lack)
}

/// Why the end of a process says nothing about its code, if so: the machine lacked something, or the process was
/// killed from outside. `said` is what it wrote to its standard error.
pub fn end_from_outside(status: ExitStatus, said: &str) -> Option<String> {
    if let Some(lack) = lack(said) {
        return Some(lack.to_owned());
    }
    #[cfg(unix)]
    {
        let signal = std::os::unix::process::ExitStatusExt::signal(&status).filter(|signal| !is_its_own(*signal))?;
        let perhaps = if signal == 9 { ", as Linux does where there is no memory" } else { "" };
        Some(format!("it was ended from outside by signal {signal}{perhaps}"))
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        None
    }
}

/// Whether code raises that signal itself: by an illegal instruction, a trap, an abort, a division or a bad address.
#[cfg(unix)]
fn is_its_own(signal: i32) -> bool {
    // On Linux, SIGBUS is raised by a page that cannot be read, as of a program whose file was truncated.
    let bad_page = if cfg!(target_os = "linux") { [].as_slice() } else { &[10] };
    [4, 5, 6, 8, 11].contains(&signal) || bad_page.contains(&signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_image_can_be_read_and_is_this_program() {
        let image = fs::read(running().expect("it finds itself")).expect("it can be read");
        let program = fs::read(env::current_exe().expect("it finds itself")).expect("it can be read");
        assert!(image == program, "{} and {} bytes", image.len(), program.len());
        assert_eq!(file(), env::current_exe().ok(), "it was not replaced");
    }

    #[test]
    fn a_file_that_was_replaced_is_not_started() {
        let file = env::temp_dir().join(format!("wakers-image-{}", std::process::id()));
        fs::write(&file, "one").expect("a temporary file can be written");
        let first = OnceLock::new();
        assert_eq!(unchanged(file.clone(), &first).expect("it is the first"), file);
        assert_eq!(unchanged(file.clone(), &first).expect("it is the same"), file);
        fs::write(&file, "another").expect("a temporary file can be written");
        let why = unchanged(file.clone(), &first).expect_err("it is another").to_string();
        fs::remove_file(&file).expect("it is there");
        assert!(why.contains("was replaced"), "{why}");
    }

    #[cfg(unix)]
    #[test]
    fn an_end_from_outside_is_told_from_one_that_the_code_caused() {
        use std::os::unix::process::ExitStatusExt as _;

        let end = |status: i32, said: &str| end_from_outside(ExitStatus::from_raw(status), said);
        assert_eq!(end(6, "thread 'main' panicked at src/a.rs:1:2:\nit is broken"), None);
        assert_eq!(end(11, ""), None);
        assert_eq!(end(101 << 8, "panicked at src/a.rs:1:2:\nit is broken"), None);
        assert!(end(9, "").is_some_and(|why| why.contains("signal 9")));
        assert!(end(15, "").is_some_and(|why| why.contains("signal 15")));
        assert!(end(6, "memory allocation of 64 bytes failed").is_some_and(|why| why.contains("no memory")));
        let no_thread = "panicked at a.rs:1:2:\nfailed to spawn thread: Os { code: 11, kind: WouldBlock }";
        assert!(end(101 << 8, no_thread).is_some_and(|why| why.contains("no thread")));
    }
}
