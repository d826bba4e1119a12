//! Where and when something was measured, as far as that can be found out here.

use std::process::Command;
use std::time::{Duration, SystemTime};
use std::{fs, thread};

use serde::{Deserialize, Serialize};

/// What does not change while one measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model.
    pub processor: String,
    /// Whether a hypervisor shares it out.
    pub virtual_machine: bool,
    /// How many threads can run at once.
    pub cores: usize,
    /// What this program was compiled for.
    #[serde(default)]
    pub target: String,
    /// The operating system and its version.
    pub system: String,
    /// The architecture and the widest vectors, which decide how the C library copies memory.
    pub instruction_set: String,
    /// The C library, whose functions instruction counts include.
    pub c_library: String,
    /// The compiler.
    pub rustc: String,
    /// Valgrind, or nothing.
    pub valgrind: Option<String>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The commit, or `unknown`.
    pub commit: String,
    /// Whether files differ from it, other than what was measured and is not committed yet.
    pub dirty: bool,
    /// What git calls `Cargo.lock`, and so every dependency.
    pub lock: String,
}

/// What else the machine did at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Seconds since 1970.
    pub time: u64,
    /// The load average of the last minute.
    pub load: Option<f64>,
    /// Ticks that a hypervisor gave to others, since the machine started.
    pub stolen: Option<u64>,
    /// Ticks of any kind, since the machine started.
    pub ticks: Option<u64>,
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = information.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.map(|rest| rest.trim_start_matches([' ', '\t', ':']).trim());
        Self {
            processor: model.unwrap_or("unknown processor").to_owned(),
            virtual_machine: information.contains(" hypervisor"),
            cores: processors(),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            system: output("uname", &["-sr"]).unwrap_or_else(|| std::env::consts::OS.to_owned()),
            instruction_set: instruction_set(&information),
            c_library: output("getconf", &["GNU_LIBC_VERSION"]).unwrap_or_else(|| "unknown C library".to_owned()),
            rustc: output("rustc", &["--version"]).unwrap_or_else(|| "unknown rustc".to_owned()),
            valgrind: crate::card::valgrind().ok(),
        }
    }

    /// In a few words, for below a table.
    pub fn in_words(&self) -> String {
        let Self { processor, cores, system, rustc, .. } = self;
        let shared = if self.virtual_machine { ", a virtual machine" } else { "" };
        format!("{processor}, {cores} cores{shared}, {system}, {rustc}")
    }
}

impl Source {
    /// What this program was built from, if its directory is still as it was then.
    pub fn this() -> Self {
        let at = env!("CARGO_MANIFEST_DIR");
        let git = |arguments: &[&str]| output("git", &[&["-C", at], arguments].concat());
        Self {
            commit: git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned()),
            dirty: git(&["status", "--porcelain", "--", ":(top)", ":(top,exclude)docs/results"])
                .is_none_or(|changes| !changes.is_empty()),
            lock: git(&["hash-object", "../../Cargo.lock"]).unwrap_or_else(|| "unknown".to_owned()),
        }
    }

    /// In a few words.
    pub fn in_words(&self) -> String {
        format!("commit {}{}", self.commit, if self.dirty { " with changes" } else { "" })
    }
}

impl Moment {
    /// This one.
    pub fn now() -> Self {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").ok();
        let ticks = fs::read_to_string("/proc/stat").ok();
        let ticks: Option<Vec<u64>> = ticks.as_deref().and_then(|text| {
            let line = text.lines().next()?.strip_prefix("cpu ")?;
            line.split_whitespace().map(|field| field.parse().ok()).collect()
        });
        Self {
            time: time.as_secs(),
            load: load.and_then(|load| load.split(' ').next()?.parse().ok()),
            stolen: ticks.as_ref().and_then(|ticks| ticks.get(7).copied()),
            // The guests' ticks, at the end, are in the users' already.
            ticks: ticks.as_ref().map(|ticks| ticks.iter().take(8).sum()),
        }
    }
}

/// What speaks against times that were measured between two moments, if anything.
pub fn too_busy(machine: &Machine, before: &Moment, after: &Moment) -> Option<String> {
    let mut reasons = Vec::new();
    if let Some(load) = before.load
        && load > machine.cores as f64
    {
        reasons.push(format!("load {load} on {} cores", machine.cores));
    }
    let passed = |of: fn(&Moment) -> Option<u64>| Some(of(after)?.saturating_sub(of(before)?) as f64);
    if let (Some(stolen), Some(ticks)) = (passed(|moment| moment.stolen), passed(|moment| moment.ticks))
        && stolen > 0.02 * ticks
    {
        reasons.push(format!("{:.0} % of the time stolen by the hypervisor", 100.0 * stolen / ticks));
    }
    (!reasons.is_empty()).then(|| reasons.join(", "))
}

/// Lets the calling thread run on one processor only, of those it may run on; does nothing where that cannot be done,
/// or where there are fewer.
pub fn pin_to(number: usize) {
    #[cfg(target_os = "linux")]
    {
        use std::sync::OnceLock;

        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

        // Asked once, before any thread is pinned: a thread inherits what the one that started it may use.
        static ALLOWED: OnceLock<Option<CpuSet>> = OnceLock::new();
        let Some(allowed) = ALLOWED.get_or_init(|| sched_getaffinity(None).ok()) else { return };
        let Some(processor) = (0..CpuSet::MAX_CPU).filter(|&processor| allowed.is_set(processor)).nth(number) else {
            return;
        };
        let mut one = CpuSet::new();
        one.set(processor);
        // Where it is not allowed, the scheduler decides.
        let _ = sched_setaffinity(None, &one);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = number;
}

/// How many threads of this process can run at once.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The processor time that the calling thread has used, where the system has a clock for that.
pub fn processor_time() -> Option<Duration> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::time::{ClockId, clock_gettime};

        let time = clock_gettime(ClockId::ThreadCPUTime);
        Some(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    None
}

fn instruction_set(information: &str) -> String {
    let flags = information.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let widest = ["avx512f", "avx2", "avx"].into_iter().find(|&flag| flags.split(' ').any(|other| other == flag));
    [Some(std::env::consts::ARCH), widest].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
