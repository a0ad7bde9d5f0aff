//! What this machine gives and withholds, found by trying.

mod filesystem;

use crate::config::{Config, IoChoice};
use crate::failure::{Failure, plain};
use base::codes::Code;
use ring::Refusal;
use rustix::process::{Resource, getrlimit};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// As it should be.
    Good,
    /// Works, at a cost.
    Warning,
    /// The daemon cannot start like this.
    Fatal,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// How much it matters.
    pub weight: Weight,
    /// What was found.
    pub found: String,
    /// What it costs and what to do; empty when good.
    pub advice: String,
}

impl Finding {
    fn good(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { what: what.into(), weight: Weight::Good, found: found.into(), advice: String::new() }
    }

    fn warning(what: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), weight: Weight::Warning, found: found.into(), advice: advice.into() }
    }

    fn fatal(what: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), weight: Weight::Fatal, found: found.into(), advice: advice.into() }
    }
}

/// Looks at everything.
pub fn examine(config: &Config) -> Vec<Finding> {
    let mut findings =
        vec![cpus(config), io_uring(config), open_files(config), locked_memory(config), clock()];
    findings.push(state(&config.state.value));
    if config.shares.is_empty() {
        findings.push(Finding::fatal(
            "shares",
            "none",
            "give --root DIR, or a [[share]] in the configuration",
        ));
    }
    findings.extend(config.shares.iter().flat_map(filesystem::examine));
    findings
}

/// As JSON.
pub fn to_json(findings: &[Finding]) -> Value {
    let rows: Vec<Value> = findings
        .iter()
        .map(|finding| {
            json!({"what": finding.what, "weight": weight(finding.weight), "found": finding.found,
            "advice": finding.advice})
        })
        .collect();
    json!({"findings": rows})
}

/// As text.
pub fn to_text(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let what = crate::escape::shown(&finding.what);
        let found = crate::escape::shown(&finding.found);
        let _ = writeln!(out, "{:<7} {what}: {found}", weight(finding.weight));
        if !finding.advice.is_empty() {
            let _ = writeln!(out, "{:<7}   {}", "", finding.advice);
        }
    }
    out
}

/// Whether the daemon could start.
///
/// # Errors
/// It could not.
pub fn verdict(findings: &[Finding]) -> Result<(), Failure> {
    match findings.iter().filter(|finding| finding.weight == Weight::Fatal).count() {
        0 => Ok(()),
        count => Err(Failure::start(
            Code::Unavailable,
            format!("{count} of {} findings stand in the way", findings.len()),
            "do what they say, then run it again",
        )),
    }
}

fn weight(weight: Weight) -> &'static str {
    match weight {
        Weight::Good => "ok",
        Weight::Warning => "warning",
        Weight::Fatal => "fatal",
    }
}

fn cpus(config: &Config) -> Finding {
    let cpus = super::cpus().len();
    let cores = usize::from(config.cores.value);
    match cores > cpus {
        true => Finding::warning(
            "cpus",
            format!("{cpus} for {cores} cores"),
            "cores share CPUs and are not pinned; lower cores, or give the process more CPUs",
        ),
        false => Finding::good("cpus", format!("{cpus} for {cores} cores")),
    }
}

/// Descriptors that are not files of transfers.
const FILES_RESERVED: u64 = 512;
/// Below this many a core, batches of small files close early.
const FILES_PER_CORE_GOOD: u64 = 4096;

fn open_files(config: &Config) -> Finding {
    let hard = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let each = hard.saturating_sub(FILES_RESERVED) / u64::from(config.cores.value);
    let found =
        if hard == u64::MAX { "no limit".to_owned() } else { format!("{hard}, {each} for each core") };
    match each {
        0..64 => {
            Finding::fatal("open files", found, "raise the hard limit: LimitNOFILE=65536 or ulimit -Hn 65536")
        }
        64..FILES_PER_CORE_GOOD => Finding::warning(
            "open files",
            found,
            "trees of small files are slower; raise the hard limit: LimitNOFILE=65536 or ulimit -Hn 65536",
        ),
        _ => Finding::good("open files", found),
    }
}

fn locked_memory(config: &Config) -> Finding {
    let wanted = config.limits.arena_bytes_per_core.saturating_mul(u64::from(config.cores.value));
    match getrlimit(Resource::Memlock).current {
        Some(limit) if limit / 2 < wanted => Finding::warning(
            "locked memory",
            format!("{} KiB; buffers are not registered with the kernel", limit / 1024),
            "slightly slower with O_DIRECT and zero-copy; LimitMEMLOCK=infinity lifts it",
        ),
        Some(limit) => Finding::good("locked memory", format!("{} KiB", limit / 1024)),
        None => Finding::good("locked memory", "no limit"),
    }
}

/// Whether the fast way to the kernel is open, and which parts of it are.
fn io_uring(config: &Config) -> Finding {
    let chosen = config.io.value;
    let refusal = match ring::probe::probe() {
        Ok(found) => {
            let missing = found.missing();
            let found = match missing.is_empty() {
                true => "allowed, complete".to_owned(),
                false => format!("allowed, without {}", missing.join(", ")),
            };
            return match chosen {
                IoChoice::Threads => Finding::good("io_uring", format!("{found}; not used: io = threads")),
                _ => Finding::good("io_uring", found),
            };
        }
        Err(refusal) => refusal,
    };
    let advice = match refusal {
        Refusal::Forbidden { disabled: Some(1) } => {
            "join the group of sysctl kernel.io_uring_group, or set kernel.io_uring_disabled=0".to_owned()
        }
        Refusal::Forbidden { disabled: Some(_) } => "set sysctl kernel.io_uring_disabled=0".to_owned(),
        Refusal::Forbidden { disabled: None } => format!(
            "{}allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp profile (containers: \
             --security-opt seccomp=PROFILE)",
            if filtered() { "a seccomp filter is active here; " } else { "" }
        ),
        Refusal::Missing | Refusal::Lacks(_) => "use Linux 5.11 or later".to_owned(),
        Refusal::Failed(_) => "raise the limits on memory and descriptors".to_owned(),
    };
    match chosen {
        IoChoice::Uring => Finding::fatal("io_uring", refusal.to_string(), format!("{advice}; or --io auto")),
        IoChoice::Threads => Finding::good("io_uring", format!("{refusal}; not used: io = threads")),
        IoChoice::Auto => Finding::warning(
            "io_uring",
            format!("{refusal}; blocking threads are used instead"),
            format!("slower; {advice}"),
        ),
    }
}

/// Whether a seccomp filter judges this process (proc(5)).
fn filtered() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() == "2"))
}

/// Marks that the usual programs leave, for where the kernel may not be asked.
const CLOCK_MARKS: [&str; 4] =
    ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/ntpd.pid", "/run/openntpd.pid"];

fn clock() -> Finding {
    const ADVICE: &str = "peers more than 5 minutes apart refuse each other; run chrony or systemd-timesyncd";
    let mark = CLOCK_MARKS.iter().find(|mark| Path::new(mark).exists());
    match (ring::clock_state(), mark) {
        (Some(ring::ClockState { synchronised: true, error_ms_max }), _) => {
            Finding::good("clock", format!("synchronised, at most {error_ms_max} ms wrong"))
        }
        (None, Some(mark)) => Finding::good("clock", format!("kept by {mark}")),
        (Some(_), Some(mark)) => {
            Finding::warning("clock", format!("not synchronised yet, although {mark} is there"), ADVICE)
        }
        (Some(_), None) => Finding::warning("clock", "not synchronised (the kernel's word)", ADVICE),
        (None, None) => Finding::warning("clock", "no sign that it is synchronised", ADVICE),
    }
}

fn state(path: &Path) -> Finding {
    use std::os::unix::fs::MetadataExt;
    let what = format!("state {}", path.display());
    match std::fs::metadata(path) {
        Ok(meta) if !meta.is_dir() => Finding::fatal(what, "not a directory", "name another with --state"),
        Ok(meta) if meta.mode() & 0o077 != 0 => Finding::fatal(
            what,
            format!("others may enter it (mode {:o})", meta.mode() & 0o7777),
            format!("chmod 700 {}", path.display()),
        ),
        Ok(meta) if meta.uid() != rustix::process::geteuid().as_raw() => Finding::fatal(
            what,
            format!("belongs to user {}", meta.uid()),
            "run as that user, or name another with --state",
        ),
        Ok(_) => Finding::good(what, "private"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Finding::good(what, "not there yet; the first start makes it")
        }
        Err(error) => Finding::fatal(what, plain(&error), "name another with --state"),
    }
}
