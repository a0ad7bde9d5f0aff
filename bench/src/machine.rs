//! The machine: what it is, and what else it did during a run.

use std::collections::BTreeMap;
use std::path::Path;

/// Time that the machine gave to somebody else in a run, at most, of all its CPU time, before the run counts as
/// disturbed.
pub const DISTURBED_SHARE: f64 = 0.04;
/// Below this many seconds a disturbance is not told from the granularity of the counters.
const DISTURBED_FLOOR_S: f64 = 0.03;

/// CPU time of everybody at one moment.
pub struct Load {
    steal: f64,
    others: BTreeMap<u32, f64>,
}

/// What others took during a run.
#[derive(Clone, Copy, Default, Debug)]
pub struct Disturbance {
    /// CPU seconds that the hypervisor gave to other machines.
    pub steal_s: f64,
    /// CPU seconds of processes that this bench did not start; kernel threads are not among them, because they
    /// write back what a tool wrote.
    pub others_s: f64,
}

impl Load {
    /// Looks at every process.
    pub fn now() -> Self {
        let ours = crate::process::family(std::process::id());
        let mut others = BTreeMap::new();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            if !ours.contains(&pid) && !is_kernel_thread(&entry.path()) {
                others.insert(pid, crate::cpu::of_family(pid));
            }
        }
        Self { steal: steal(), others }
    }

    /// What others took between two looks. Of a process that began meanwhile all of its time counts; one that ended
    /// counts through its parent.
    pub fn since(&self, before: &Self) -> Disturbance {
        let gone: f64 =
            before.others.iter().filter(|(pid, _)| !self.others.contains_key(pid)).map(|(_, s)| s).sum();
        let spent: f64 =
            self.others.iter().map(|(pid, s)| s - before.others.get(pid).copied().unwrap_or(0.0)).sum();
        Disturbance { steal_s: self.steal - before.steal, others_s: (spent - gone).max(0.0) }
    }
}

impl Disturbance {
    /// Whether a run of this length is to be taken again.
    pub fn is_too_much(&self, wall_s: f64) -> bool {
        let all = wall_s * cpus() as f64;
        self.steal_s + self.others_s > (all * DISTURBED_SHARE).max(DISTURBED_FLOOR_S)
    }
}

/// CPUs that this process may use.
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn is_kernel_thread(process: &Path) -> bool {
    let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    // Flags are field 9; PF_KTHREAD is 0x00200000 (proc_pid_stat(5), linux/sched.h).
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let flags = rest.split_whitespace().nth(6).and_then(|word| word.parse::<u64>().ok());
    flags.is_none_or(|flags| flags & 0x0020_0000 != 0)
}

/// Seconds stolen from all CPUs so far.
fn steal() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let ticks = first.split_whitespace().nth(8).and_then(|word| word.parse::<f64>().ok());
    ticks.unwrap_or(0.0) / rustix::param::clock_ticks_per_second() as f64
}

/// In one line: processor, CPUs, memory, kernel.
pub fn describe() -> String {
    let line = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let found = text.lines().find(|line| line.starts_with(key)).and_then(|line| line.split_once(':'));
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let memory = line("/proc/meminfo", "MemTotal");
    let gib =
        memory.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1048576.0;
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{}, {} CPUs, {gib:.0} GiB, Linux {}",
        line("/proc/cpuinfo", "model name"),
        cpus(),
        release.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbance_is_what_others_took() {
        let at = |steal, others: &[(u32, f64)]| Load { steal, others: others.iter().copied().collect() };
        let before = at(1.0, &[(1, 10.0), (2, 5.0)]);
        let found = at(1.5, &[(1, 15.25), (3, 0.25)]).since(&before);
        assert_eq!((found.steal_s, found.others_s), (0.5, 0.5));
        assert!(found.is_too_much(0.1));
        assert!(!Disturbance::default().is_too_much(0.1));
        assert!(Load::now().since(&before).others_s >= 0.0);
    }
}
