//! Where figures come from, for pages that quote them.

use std::process::Command;
use std::{fs, thread};

/// Machine, compiler, commit and load, each as far as it can be found out here.
pub fn provenance() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let virtual_machine = fs::read_to_string("/proc/cpuinfo").is_ok_and(|info| info.contains(" hypervisor"));
    let load = fs::read_to_string("/proc/loadavg").ok();
    let load = load.as_deref().and_then(|load| load.split(' ').next()).unwrap_or("unknown");
    format!(
        "{processor}, {cores} cores{}, load {load} at the end; {}; commit {}{}",
        if virtual_machine { ", a virtual machine" } else { "" },
        output("rustc", &["--version"]).unwrap_or_else(|| "unknown rustc".to_owned()),
        output("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".to_owned()),
        match output("git", &["status", "--porcelain"]) {
            Some(changes) if changes.is_empty() => "",
            _ => " with changes",
        },
    )
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
