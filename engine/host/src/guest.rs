//! What the host holds for one instance while it is called: its bounds, what it read, what it said.

use crate::effects::Work;
use crate::identity::Identity;
use crate::kv::Kv;
use crate::plugin::Plugin;
use crate::read::Read;
use crate::value::Value;
use base::ids::DeviceId;
use base::io::Now;
use std::fmt;
use std::sync::Arc;
use wasmtime::ResourceLimiter;

/// How grave a line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Every step.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
}

/// One line a plugin logged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// Which plugin.
    pub plugin: Arc<str>,
    /// How grave.
    pub level: Level,
    /// Its text, as the plugin wrote it: escape it where it is shown.
    pub message: String,
    /// Keys and rendered values.
    pub fields: Vec<(String, String)>,
}

/// A bound that a call broke: the call traps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Bound {
    Calls(u32),
    Bytes(u32),
    Name(usize),
    Count { what: &'static str, asked: u64, most: u64 },
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls(most) => write!(f, "made more than {most} host calls"),
            Self::Bytes(most) => write!(f, "moved more than {most} bytes through host calls"),
            Self::Name(bytes) => write!(f, "used a name of {bytes} bytes"),
            Self::Count { what, asked, most } => {
                write!(f, "asked for {asked} {what}, at most {most} are given")
            }
        }
    }
}

impl std::error::Error for Bound {}

/// A call is ended this part of its deadline early: it is looked at by the tick, and shall be over when its time is.
const EARLY: u64 = 50;

/// The state behind one instance's imports.
pub(crate) struct Guest {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) identity: Arc<dyn Identity>,
    pub(crate) kv: Kv,
    /// Facts of the call; what is not here is not there.
    pub(crate) facts: Arc<Vec<(&'static str, Value)>>,
    pub(crate) subject: DeviceId,
    pub(crate) now: Now,
    /// Lines of this level and above are kept.
    pub(crate) log_from: Level,
    pub(crate) calls_left: u32,
    pub(crate) bytes_left: u32,
    pub(crate) reads: Vec<Read>,
    /// More was read than is kept.
    pub(crate) reads_lost: bool,
    pub(crate) lines: Vec<LogLine>,
    /// The last line at level error: what a panic says before it traps.
    pub(crate) last_error: Option<String>,
    pub(crate) memory_peak: u64,
    /// What it asked for when it was refused memory.
    pub(crate) memory_refused: Option<u64>,
    /// So many elements it asked for when it was refused a table.
    pub(crate) table_refused: Option<u64>,
    /// What the call did so far; dropped if it does not return.
    pub(crate) work: Work,
    /// CPU nanoseconds of this thread at which the call ends.
    pub(crate) ends_at_cpu_ns: u64,
}

impl Guest {
    pub(crate) fn new(plugin: Arc<Plugin>, identity: Arc<dyn Identity>, kv: Kv) -> Self {
        Self {
            plugin,
            identity,
            kv,
            facts: Arc::default(),
            subject: DeviceId::default(),
            now: Now::default(),
            log_from: Level::Info,
            calls_left: 0,
            bytes_left: 0,
            reads: Vec::new(),
            reads_lost: false,
            lines: Vec::new(),
            last_error: None,
            memory_peak: 0,
            memory_refused: None,
            table_refused: None,
            work: Work::default(),
            ends_at_cpu_ns: 0,
        }
    }

    /// Fresh bounds for one more call.
    pub(crate) fn begin(&mut self, now: Now) {
        let limits = &self.plugin.limits;
        let policy = self.plugin.manifest.world.is_policy();
        (self.calls_left, self.bytes_left) = if policy {
            (limits.plugin_policy_calls_max, limits.plugin_policy_bytes_max)
        } else {
            (limits.plugin_lane_calls_max, limits.plugin_lane_bytes_max)
        };
        self.now = now;
        self.reads.clear();
        self.reads_lost = false;
        self.last_error = None;
        self.memory_refused = None;
        self.table_refused = None;
        self.work.begin();
        let deadline_ns = u64::from(self.plugin.manifest.deadline_ms) * 1_000_000;
        self.ends_at_cpu_ns = cpu_ns() + deadline_ns - deadline_ns / EARLY;
    }

    /// One host call that moves so many bytes.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), Bound> {
        let limits = &self.plugin.limits;
        let policy = self.plugin.manifest.world.is_policy();
        let calls = if policy { limits.plugin_policy_calls_max } else { limits.plugin_lane_calls_max };
        self.calls_left = self.calls_left.checked_sub(1).ok_or(Bound::Calls(calls))?;
        let most = if policy { limits.plugin_policy_bytes_max } else { limits.plugin_lane_bytes_max };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(Bound::Bytes(most))?;
        Ok(())
    }

    /// As [`Guest::charge`], for a call with a name.
    pub(crate) fn charge_name(&mut self, name: &str) -> Result<(), Bound> {
        if name.len() > self.plugin.limits.plugin_name_bytes_max as usize {
            return Err(Bound::Name(name.len()));
        }
        self.charge(name.len())
    }

    /// Remembers what was read, once.
    pub(crate) fn note(&mut self, read: Read) {
        if self.reads.contains(&read) {
            return;
        }
        if self.reads.len() < self.plugin.limits.plugin_reads_max as usize {
            self.reads.push(read);
        } else {
            self.reads_lost = true;
        }
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= self.plugin.manifest.memory_bytes as usize;
        if fits {
            self.memory_peak = self.memory_peak.max(desired as u64);
        } else {
            self.memory_refused = Some(desired as u64);
        }
        Ok(fits)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= self.plugin.limits.plugin_table_elements_max as usize;
        if !fits {
            self.table_refused = Some(desired as u64);
        }
        Ok(fits)
    }
}

/// CPU time of this thread: a deadline that counted other threads' time would deny whenever the machine is busy.
pub(crate) fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}
