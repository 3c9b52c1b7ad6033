//! What this process takes of the machine (proc_pid(5)).

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// `None` where the operating system does not tell.
#[derive(Debug)]
pub struct Process {
    /// Bytes.
    pub resident: Option<u64>,
    /// Of all processor cores.
    pub cpu: Duration,
    pub open_files: Option<u64>,
    pub most_files: Option<u64>,
    pub started: Duration,
}

impl Process {
    pub fn now() -> Self {
        Self {
            resident: resident(),
            cpu: cpu(),
            open_files: open_files(),
            most_files: getrlimit(Resource::Nofile).current,
            started: started(),
        }
    }
}

fn resident() -> Option<u64> {
    const KIBIBYTE: u64 = 1 << 10;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * KIBIBYTE)
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Without the one that is open to count them.
fn open_files() -> Option<u64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
    Some(count.saturating_sub(1))
}

/// Since the epoch; to be called at the start.
pub fn started() -> Duration {
    static STARTED: OnceLock<Duration> = OnceLock::new();
    *STARTED.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_time_and_files() {
        let process = Process::now();
        assert!(process.resident.unwrap() > 1 << 20);
        assert!(process.cpu > Duration::ZERO);
        assert!(
            (3..=process.most_files.unwrap_or(u64::MAX)).contains(&process.open_files.unwrap())
        );
        assert!(process.started > Duration::from_secs(1_000_000_000));
    }
}
