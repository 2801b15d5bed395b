//! Which machine this is, and what a process of it takes.

use std::fs;

/// Processor, cores, memory, kernel: one line.
pub(crate) fn describe() -> String {
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let cpu = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| field(&text, "model name"));
    let memory = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| field(&text, "MemTotal"));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let unknown = || "unknown".to_owned();
    format!(
        "{}, {cores} cores, {} memory, Linux {}",
        cpu.unwrap_or_else(unknown),
        memory.unwrap_or_else(unknown),
        kernel.trim()
    )
}

/// A process's resident memory now and at its highest, in MB; zeros where the system does not tell.
pub(crate) fn resident_mb(pid: u32) -> (u64, u64) {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kilobytes = |name: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace()
            .nth(1)
            .and_then(|number| number.parse().ok())
            .unwrap_or(0)
    };
    (kilobytes("VmRSS:") / 1024, kilobytes("VmHWM:") / 1024)
}
