//! How much memory the process may use: that of the machine, or of the container that it runs in.

use std::fs;

/// If neither can be read.
const FALLBACK: u64 = 4 << 30;

/// Bytes of memory, the smaller of the machine's and the control group's.
pub fn memory() -> u64 {
    let total = fs::read_to_string("/proc/meminfo").ok();
    let total = total.as_deref().and_then(total_of_meminfo);
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = limit.and_then(|limit| limit.trim().parse().ok());
    [total, limit]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(FALLBACK)
}

/// `MemTotal:       24571140 kB` (proc_meminfo(5)).
fn total_of_meminfo(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_meminfo_is_understood() {
        let text = "MemTotal:        2048 kB\nMemFree:  1 kB\n";
        assert_eq!(total_of_meminfo(text), Some(2 << 20));
        assert_eq!(total_of_meminfo("MemFree: 1 kB"), None);
    }
}
