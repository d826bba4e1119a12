//! Where and when something was measured, as far as the system tells.

use std::process::Command;
use std::time::{Duration, SystemTime};
use std::{fs, thread};

use serde::{Deserialize, Serialize};

/// What does not change during a measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model.
    pub processor: String,
    /// Whether the machine is virtual.
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
    /// Whether files differ from it, apart from new records of measurements.
    pub dirty: bool,
    /// The git hash of `Cargo.lock`, which names every dependency.
    pub lock: String,
}

/// What else the machine was doing at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Seconds since 1970.
    pub time: u64,
    /// The load average of the last minute.
    pub load: Option<f64>,
    /// Ticks that the hypervisor gave to other machines, since this one started.
    pub stolen: Option<u64>,
    /// Ticks of any kind, since the machine started.
    pub ticks: Option<u64>,
    /// Ticks in which programs ran, since the machine started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<u64>,
    /// Those among them of this process and of its children that have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<u64>,
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
    /// The commit that this program was built from, if its directory has not changed since.
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
            // The guests' ticks, at the end, are already included in the users'.
            ticks: ticks.as_ref().map(|ticks| ticks.iter().take(8).sum()),
            // User, nice and system time. Interrupts are left out, because our own wakes cause them.
            busy: ticks.as_ref().map(|ticks| ticks.iter().take(3).sum()),
            own: own_ticks(),
        }
    }
}

/// The ticks of this process and of its children that have ended, for users and for the system.
fn own_ticks() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // A program's name may contain spaces and brackets; what follows the last bracket does not.
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Option<Vec<u64>> = fields.split_whitespace().skip(11).take(4).map(|field| field.parse().ok()).collect();
    fields.filter(|fields| fields.len() == 4).map(|fields| fields.iter().sum())
}

/// The fraction of the processors' time that other programs may use without counting as a disturbance. On two
/// processors it is a fifth of one: more than an idle desktop or virtual machine uses, and less than any program that
/// works.
const OTHERS: f64 = 0.1;

/// The fraction that the hypervisor may give to other machines.
const STOLEN: f64 = 0.02;

/// A tick is charged to the program that runs when it falls: over a short time it may be charged to either.
const DOUBTFUL_TICKS: f64 = 2.0;

/// What others did between two moments, if it was enough to disturb a timing. `None` where the system does not tell.
pub fn disturbance(before: &Moment, after: &Moment) -> Option<String> {
    let passed = |of: fn(&Moment) -> Option<u64>| Some(of(after)?.saturating_sub(of(before)?) as f64);
    let ticks = passed(|moment| moment.ticks)?;
    let mut reasons = Vec::new();
    if let (Some(busy), Some(own)) = (passed(|moment| moment.busy), passed(|moment| moment.own))
        && busy - own > OTHERS * ticks + DOUBTFUL_TICKS
    {
        reasons.push(format!("other programs used {:.0} % of the processors' time", 100.0 * (busy - own) / ticks));
    }
    if let Some(stolen) = passed(|moment| moment.stolen)
        && stolen > STOLEN * ticks + DOUBTFUL_TICKS
    {
        reasons.push(format!("the hypervisor gave {:.0} % of the time to other machines", 100.0 * stolen / ticks));
    }
    (!reasons.is_empty()).then(|| reasons.join(", "))
}

/// Why times measured between two moments cannot be trusted, if so. Where the system does not distinguish our work from
/// that of others, the load before counts instead.
pub fn too_busy(machine: &Machine, before: &Moment, after: &Moment) -> Option<String> {
    let told = before.busy.is_some() && before.own.is_some();
    let load = before.load.filter(|load| !told && *load > machine.cores as f64);
    let load = load.map(|load| format!("load {load} on {} cores", machine.cores));
    let reasons: Vec<_> = load.into_iter().chain(disturbance(before, after)).collect();
    (!reasons.is_empty()).then(|| reasons.join(", "))
}

/// Pins the calling thread to one of the processors that it may run on. Does nothing where the system does not allow
/// it, or where there are too few.
pub fn pin_to(number: usize) {
    #[cfg(target_os = "linux")]
    {
        use std::sync::OnceLock;

        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

        // Asked once, before any thread is pinned: a thread inherits the processors of the thread that starts it.
        static ALLOWED: OnceLock<Option<CpuSet>> = OnceLock::new();
        let Some(allowed) = ALLOWED.get_or_init(|| sched_getaffinity(None).ok()) else { return };
        let Some(processor) = (0..CpuSet::MAX_CPU).filter(|&processor| allowed.is_set(processor)).nth(number) else {
            return;
        };
        let mut one = CpuSet::new();
        one.set(processor);
        // If it is not allowed, the scheduler decides.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(ticks: u64, busy: u64, own: u64, stolen: u64) -> Moment {
        Moment { time: 0, load: Some(5.0), stolen: Some(stolen), ticks: Some(ticks), busy: Some(busy), own: Some(own) }
    }

    #[test]
    fn one_of_two_processors_kept_busy_by_others_disturbs() {
        let (before, after) = (moment(0, 0, 0, 0), moment(200, 195, 98, 0));
        assert_eq!(disturbance(&before, &after).as_deref(), Some("other programs used 48 % of the processors' time"));
    }

    #[test]
    fn what_this_program_does_itself_disturbs_nobody() {
        assert_eq!(disturbance(&moment(0, 0, 0, 0), &moment(200, 200, 198, 0)), None);
        // More than the machine's total: a tick is charged to the program that runs when it falls.
        assert_eq!(disturbance(&moment(0, 0, 0, 0), &moment(20, 8, 10, 0)), None);
    }

    #[test]
    fn a_tick_or_two_of_a_short_time_say_nothing() {
        assert_eq!(disturbance(&moment(0, 0, 0, 0), &moment(10, 12, 10, 2)), None);
    }

    #[test]
    fn time_that_the_hypervisor_gives_to_others_disturbs() {
        let stolen = disturbance(&moment(0, 0, 0, 0), &moment(200, 100, 100, 50));
        assert_eq!(stolen.as_deref(), Some("the hypervisor gave 25 % of the time to other machines"));
    }

    #[test]
    fn the_load_goes_only_where_others_are_not_told_from_us() {
        let machine = Machine { cores: 2, ..Machine::this() };
        let (before, after) = (moment(0, 0, 0, 0), moment(200, 100, 100, 0));
        assert_eq!(too_busy(&machine, &before, &after), None);
        let before = Moment { own: None, ..before };
        assert_eq!(too_busy(&machine, &before, &after).as_deref(), Some("load 5 on 2 cores"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn work_of_a_child_that_has_ended_is_our_own() {
        let before = Moment::now();
        let loops = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
        let status = Command::new("sh").args(["-c", loops]).status().expect("there is a shell");
        assert!(status.success());
        let after = Moment::now();
        assert!(after.own.expect("Linux tells") > before.own.expect("Linux tells"));
        assert!(after.busy.expect("Linux tells") > before.busy.expect("Linux tells"));
    }
}
