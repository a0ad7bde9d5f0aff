//! CPU time of processes, from /proc (proc_pid_stat(5)).

/// CPU seconds of this process's children that were waited for.
pub fn of_children() -> f64 {
    seconds("/proc/self/stat", 15, 2)
}

/// CPU seconds of a process and of its children that were waited for.
pub fn of_family(pid: u32) -> f64 {
    seconds(&format!("/proc/{pid}/stat"), 13, 4)
}

/// CPU seconds of processes and of everything below them, alive or waited for.
pub fn of_families(pids: &[u32]) -> f64 {
    pids.iter().flat_map(|pid| crate::process::family(*pid)).map(of_family).sum()
}

/// The sum of `count` fields from `field` on, numbered from 0.
fn seconds(path: &str, field: usize, count: usize) -> f64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // The name in field 1 may hold blanks and parentheses; what follows its last parenthesis begins with field 2.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks =
        rest.split_whitespace().skip(field - 2).take(count).filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() / rustix::param::clock_ticks_per_second() as f64
}
