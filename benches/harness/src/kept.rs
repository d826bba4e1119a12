//! What must not outlive this program: temporary folders and processes. Both end with the value that keeps them, and
//! also when Ctrl-C or a request to terminate ends the program, which runs no destructor.

use std::io;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

/// The folders and processes that exist now.
static KEPT: Mutex<Kept> = Mutex::new(Kept { folders: Vec::new(), processes: Vec::new() });

struct Kept {
    folders: Vec<PathBuf>,
    /// The ids of the processes.
    processes: Vec<u32>,
}

/// Until the guard is dropped, nothing is added: an end in between removes everything.
fn kept() -> MutexGuard<'static, Kept> {
    end::watch();
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new temporary folder.
#[derive(Debug)]
pub struct Folder(Option<TempDir>);

impl Folder {
    /// # Errors
    ///
    /// When it cannot be created.
    pub fn new(purpose: &str) -> Result<Self, String> {
        let mut kept = kept();
        let folder = tempfile::Builder::new().prefix(&format!("wakers-{purpose}-")).tempdir();
        let folder = folder.map_err(|error| {
            format!("no folder can be made in {}: {error}; TMPDIR says where", std::env::temp_dir().display())
        })?;
        kept.folders.push(folder.path().to_owned());
        Ok(Self(Some(folder)))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.as_ref().expect("it is there until it is dropped").path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let mut kept = kept();
        kept.folders.retain(|folder| folder != self.path());
        // What cannot be removed is left to the system, as all temporary files are.
        let _ = self.0.take().map(TempDir::close);
    }
}

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut kept = kept();
        let child = command.spawn()?;
        kept.processes.push(child.id());
        Ok(Self(child))
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        self.forget();
        self.0.wait()
    }

    /// Starts it, and waits for its end and its output.
    ///
    /// # Errors
    ///
    /// When it cannot be started or waited for.
    pub fn output(command: &mut Command) -> io::Result<Output> {
        use std::io::Read as _;
        use std::process::Stdio;

        let mut process = Self::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let (mut out, mut err) =
            (process.stdout.take().expect("it is piped"), process.stderr.take().expect("it is piped"));
        // Both at once: a process that writes into a full pipe waits.
        let read = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            err.read_to_end(&mut bytes).map(|_| bytes)
        });
        let mut stdout = Vec::new();
        out.read_to_end(&mut stdout)?;
        let stderr = read.join().expect("reading does not panic")?;
        Ok(Output { status: process.wait()?, stdout, stderr })
    }

    /// From here on its id may belong to another process.
    fn forget(&self) {
        kept().processes.retain(|id| *id != self.0.id());
    }
}

impl Deref for Process {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.forget();
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod end {
    use std::sync::{Once, PoisonError};
    use std::time::Duration;
    use std::{fs, thread};

    use rustix::process::{Pid, Signal, kill_process};
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    use super::{KEPT, Kept};

    /// How often to try to remove a folder: processes that write into it take a moment to end.
    const TRIES: usize = 100;

    /// Starts a thread, on the first call, that waits for the signals which end this program.
    pub(super) fn watch() {
        static WATCH: Once = Once::new();
        WATCH.call_once(|| {
            // Without it, the signal ends the program at once.
            let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
            thread::spawn(move || {
                for signal in signals.forever() {
                    // Held to the end, so that nothing is added.
                    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
                    clean(&kept);
                    // The process that waits for this one must see which signal ended it.
                    let _ = emulate_default_handler(signal);
                }
            });
        });
    }

    fn clean(kept: &Kept) {
        for id in kept.processes.iter().filter_map(|id| Pid::from_raw(i32::try_from(*id).ok()?)) {
            // It may have ended by itself.
            let _ = kill_process(id, Signal::KILL);
        }
        for folder in &kept.folders {
            for _ in 0..TRIES {
                let _ = fs::remove_dir_all(folder);
                if !folder.exists() {
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod end {
    /// On this system a signal ends the program at once, and folders stay.
    pub(super) fn watch() {}
}
