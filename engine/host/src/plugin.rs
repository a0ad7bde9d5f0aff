//! One plugin that was installed: what every instance of it shares, and why it could not be taken in.

use crate::buckets::Buckets;
use crate::gauges::{Gauges, Snapshot};
use crate::guest::{Bound, Guest};
use crate::manifest::Manifest;
use crate::runtime::FRAMES;
use crate::value::Value;
use base::limits::Limits;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use wasmtime::{Trap, WasmBacktrace};

/// Shared by all instances of one plugin.
pub(crate) struct Plugin {
    pub(crate) name: Arc<str>,
    pub(crate) manifest: Manifest,
    pub(crate) settings: Vec<(String, Value)>,
    pub(crate) wasm: [u8; 32],
    pub(crate) limits: Limits,
    pub(crate) gauges: Arc<Gauges>,
    pub(crate) buckets: Arc<Buckets>,
}

/// What one plugin did, for `xfer status --plugins`.
#[derive(Clone, Debug)]
pub struct PluginStatus {
    /// `owner/name`.
    pub name: Arc<str>,
    /// Its own version.
    pub version: String,
    /// Its world.
    pub world: &'static str,
    /// SHA-256 of the component.
    pub wasm: [u8; 32],
    /// Its numbers.
    pub gauges: Snapshot,
}

/// Why a call did not return.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Past its deadline.
    Timeout {
        /// The deadline.
        ms: u32,
    },
    /// It wanted more memory than it may have, and gave up.
    Memory {
        /// What it wanted.
        asked: u64,
        /// Most.
        most: u64,
    },
    /// It wanted a larger table than it may have, and gave up.
    Table {
        /// Elements it wanted.
        asked: u64,
        /// Most.
        most: u64,
    },
    /// It recursed too deeply.
    Stack {
        /// Bytes of its stack.
        bytes: u32,
    },
    /// It recursed beyond the stack that its compiler keeps in its memory.
    Recursion,
    /// Out of fuel.
    Fuel,
    /// It broke a bound of the host calls or of its answer.
    Bound(String),
    /// A panic or another trap; what it logged last at level error, if anything.
    Trap {
        /// What the runtime says.
        what: String,
        /// What the plugin said.
        said: Option<String>,
    },
    /// `configure` refused the settings.
    Refused(String),
    /// No room for one more instance.
    Room(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout { ms } => write!(f, "timeout: it took more than {ms} ms"),
            Self::Memory { asked, most } => {
                write!(
                    f,
                    "it asked for {asked} bytes of memory, it may have {most} (limits.memory in plugin.toml)"
                )
            }
            Self::Table { asked, most } => {
                write!(
                    f,
                    "it asked for a table of {asked} elements, it may have {most} (plugin_table_elements_max)"
                )
            }
            Self::Stack { bytes } => write!(f, "its stack overflowed {bytes} bytes: endless recursion?"),
            Self::Recursion => f.write_str("its stack overflowed: endless recursion?"),
            Self::Fuel => f.write_str("out of fuel"),
            Self::Bound(what) => write!(f, "it {what}"),
            Self::Trap { what, said: Some(said) } => write!(f, "it panicked: {said} ({what})"),
            Self::Trap { what, said: None } => write!(f, "it trapped: {what}"),
            Self::Refused(why) => write!(f, "configure refused the settings: {why}"),
            Self::Room(what) => write!(f, "no room for one more instance: {what}"),
        }
    }
}

impl std::error::Error for Fault {}

impl Fault {
    /// What an error of a call means, with what the guest left behind.
    pub(crate) fn of(error: &wasmtime::Error, guest: &Guest) -> Self {
        if let Some(bound) = error.downcast_ref::<Bound>() {
            return Self::Bound(bound.to_string());
        }
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            return Self::Room(error.to_string());
        }
        let limits = &guest.plugin.limits;
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => return Self::Timeout { ms: guest.plugin.manifest.deadline_ms },
            Some(Trap::StackOverflow) => return Self::Stack { bytes: limits.plugin_stack_bytes },
            Some(Trap::OutOfFuel) => return Self::Fuel,
            _ => {}
        }
        if let Some(asked) = guest.memory_refused {
            return Self::Memory { asked, most: u64::from(guest.plugin.manifest.memory_bytes) };
        }
        if let Some(asked) = guest.table_refused {
            return Self::Table { asked, most: u64::from(limits.plugin_table_elements_max) };
        }
        let text = error.root_cause().to_string();
        if text.contains("hostcall fuel") || text.contains("fuel allocated for hostcalls") {
            let most = if guest.plugin.manifest.world.is_policy() {
                limits.plugin_policy_bytes_max
            } else {
                limits.plugin_lane_bytes_max
            };
            return Self::Bound(Bound::Bytes(most).to_string());
        }
        match error.downcast_ref::<Trap>() {
            // A compiler's own stack lies at the begin of the memory, and its end is below address 0.
            Some(Trap::MemoryOutOfBounds) if recurses(error) => Self::Recursion,
            _ => Self::Trap { what: text, said: guest.last_error.clone() },
        }
    }
}

/// Whether as many frames as are told of are those of a few functions.
fn recurses(error: &wasmtime::Error) -> bool {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return false };
    let functions: BTreeSet<u32> = trace.frames().iter().map(|frame| frame.func_index()).collect();
    trace.frames().len() == FRAMES && functions.len() <= FRAMES / 4
}

/// Why a plugin is not taken in; the one before it stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PluginError {
    /// It does not fit its world: run `xferd plugin show`.
    World {
        /// Which plugin.
        plugin: String,
        /// Interface and item.
        what: String,
    },
    /// Its manifest allows no reused instance, because it imports more facts than `context` and `kv-read`.
    Reused {
        /// Which plugin.
        plugin: String,
        /// The import.
        interface: String,
    },
    /// Its first instance failed.
    Fault {
        /// Which plugin.
        plugin: String,
        /// How.
        fault: Fault,
    },
    /// More plugins than fit.
    TooMany {
        /// Most.
        most: u32,
    },
    /// Two of one name.
    Twice {
        /// The name.
        plugin: String,
    },
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World { plugin, what } => write!(f, "plugin {plugin}: {what}"),
            Self::Reused { plugin, interface } => write!(
                f,
                "plugin {plugin}: instance = \"reused\" is for policies that read context and kv-read only, this one imports {interface}; write instance = \"fresh\""
            ),
            Self::Fault { plugin, fault } => write!(f, "plugin {plugin}: {fault}"),
            Self::TooMany { most } => write!(f, "more than {most} plugins (plugins_max)"),
            Self::Twice { plugin } => write!(f, "plugin {plugin} is there twice"),
        }
    }
}

impl std::error::Error for PluginError {}

/// One panic's text without the runtime's: what an operator wants to read first.
impl Fault {
    /// Whether it was a deadline.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }
}
