//! What this machine gives and withholds, found by trying.

mod filesystem;

use crate::config::Config;
use crate::failure::{Failure, plain};
use base::codes::Code;
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
    let mut findings = vec![cpus(config), open_files(config), locked_memory(config), clock()];
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

/// The kernel's own word would be adjtimex(2); these are the marks that the usual programs leave.
fn clock() -> Finding {
    let marks = [
        "/run/systemd/timesync/synchronized",
        "/run/chrony/chronyd.pid",
        "/run/ntpd.pid",
        "/run/openntpd.pid",
    ];
    match marks.iter().find(|mark| Path::new(mark).exists()) {
        Some(mark) => Finding::good("clock", format!("kept by {mark}")),
        None => Finding::warning(
            "clock",
            "no sign that it is kept in step",
            "peers more than 5 minutes apart refuse each other; run chrony or systemd-timesyncd",
        ),
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
