//! What the daemon is told to do, and by whom.
//!
//! Three layers, each over the next: flags, environment (`XFERD_*`), files. Every value keeps its
//! [`Origin`], so that `check-config` can say where it came from. Nothing here opens a share or a socket:
//! a [`Config`] is plain data that was checked as far as text can be.

mod file;
mod layers;
mod nearest;
mod plugin;
mod print;
mod rule;
#[cfg(test)]
mod tests;

pub use layers::{Environment, Flags, load};
pub use nearest::nearest;
pub use print::effective;

use base::hooks::Effect;
use base::ids::DeviceId;
use base::limits::Limits;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The port where nothing says another.
pub const PORT: u16 = 7440;
/// Where configuration lies when nothing says otherwise: `xferd.toml` and `conf.d/*.toml`.
pub const DIRECTORY: &str = "/etc/xferd";

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A configuration file.
    File {
        /// Which.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(&'static str),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value and who set it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Who set it.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// A value nobody set.
    pub fn default_of(value: T) -> Self {
        Self { value, origin: Origin::Default }
    }
}

/// One thing wrong with the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub origin: Origin,
    /// What, and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

/// Everything `xferd` runs by.
#[derive(Clone, Debug)]
pub struct Config {
    /// Number of cores, each a thread with a ring.
    pub cores: Setting<u16>,
    /// Addresses to listen on.
    pub listen: Setting<Vec<SocketAddr>>,
    /// The directory served as `/`, when no shares are named.
    pub root: Option<Setting<PathBuf>>,
    /// How the kernel is asked.
    pub io: Setting<IoChoice>,
    /// Least durability of every share that names none.
    pub durability: Setting<Durability>,
    /// Whether what accounts store is counted, on every share that says nothing.
    pub count_stored: Setting<bool>,
    /// State directory.
    pub state: Setting<PathBuf>,
    /// Filter of the log, as `RUST_LOG`.
    pub log: Setting<String>,
    /// Shape of the log.
    pub log_format: Setting<LogFormat>,
    /// Bounds in force.
    pub limits: Limits,
    /// Bounds that were set, by name, in the order they were read.
    pub limits_set: Vec<(String, Setting<u64>)>,
    /// Named shares, or one with an empty name for `root`.
    pub shares: Vec<Share>,
    /// Static rules in the order they are tried.
    pub rules: Vec<Rule>,
    /// Plugins.
    pub plugin: PluginConfig,
}

/// Which plugins are taken in, and how.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PluginConfig {
    /// Public keys whose signatures count at installation.
    pub keys: Vec<[u8; 32]>,
    /// Those that are taken in, in this order; `None`: all that are installed, by name.
    pub enabled: Option<Setting<Vec<String>>>,
    /// What each is set to, by its name.
    pub settings: BTreeMap<String, Setting<toml::Table>>,
}

/// How the kernel is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum IoChoice {
    /// io_uring where it works, else threads, with a notice.
    Auto,
    /// io_uring, or fail to start.
    Uring,
    /// Blocking system calls on a pool of threads.
    Threads,
}

/// When a file counts as there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
pub enum Durability {
    /// Once it is visible; a power loss may take it.
    None,
    /// Once it, its name and the journal are synced, file by file.
    File,
    /// Once a batch of files, their directories and the journal are synced.
    Tree,
}

/// Shape of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum LogFormat {
    /// One line of text an event.
    Text,
    /// One JSON object an event.
    Json,
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),*) => {
        impl $type {
            /// Every word, as configuration and flags spell them.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The value a word stands for.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }

            /// Its word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}
words!(IoChoice: Auto = "auto", Uring = "uring", Threads = "threads");
words!(Durability: None = "none", File = "file", Tree = "tree");
words!(LogFormat: Text = "text", Json = "json");
words!(ActionKind: Connect = "connect", Browse = "browse", Pull = "pull", Push = "push", Replace = "replace",
    Remove = "remove", Invoke = "invoke");

/// One directory that is served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    /// Its name, mounted at `/name`; empty for the one mounted at `/`.
    pub name: String,
    /// The directory.
    pub path: PathBuf,
    /// Nothing is ever written.
    pub read_only: bool,
    /// Owners, groups and setuid bits are applied.
    pub owners: bool,
    /// When not empty: nobody else may.
    pub allow: Vec<Grant>,
    /// May not, whatever `allow` says.
    pub deny: Vec<Grant>,
    /// Least durability.
    pub durability_min: Durability,
    /// What each account stores is counted.
    pub count_stored: bool,
    /// Where it was named.
    pub origin: Origin,
}

/// `account[:r|w|rw]`, `@group[:r|w|rw]`, `*` for every account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// Whom.
    pub who: Who,
    /// Browse and pull.
    pub read: bool,
    /// Push, replace and remove.
    pub write: bool,
}

/// Whom a grant is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// Every account.
    Everyone,
    /// One account.
    Account(String),
    /// The accounts of the group of this name.
    Group(String),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("*"),
            Self::Account(name) => f.write_str(name),
            Self::Group(name) => write!(f, "@{name}"),
        }
    }
}

/// What a rule is about; [`base::hooks::Action`] without its data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum ActionKind {
    Connect,
    Browse,
    Pull,
    Push,
    Replace,
    Remove,
    Invoke,
}

/// One static rule: it decides when everything it names fits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// What it decides.
    pub effect: Effect,
    /// Only this account.
    pub account: Option<String>,
    /// Only accounts of the group of this name.
    pub group: Option<String>,
    /// Only this device.
    pub device: Option<DeviceId>,
    /// Only these actions; empty: all.
    pub actions: Vec<ActionKind>,
    /// Only this share.
    pub share: Option<String>,
    /// Only this protocol of an invoke.
    pub protocol: Option<String>,
    /// What is enforced on what it allows.
    pub demands: Demands,
    /// Which files take part in what it allows, in the order they are tried.
    pub paths: Vec<PathRule>,
    /// Where it was written.
    pub origin: Origin,
}

/// What a rule enforces on what it allows; `None` is no bound.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Demands {
    /// Most bytes of one transfer.
    pub bytes_max: Option<u64>,
    /// Most files of one transfer.
    pub files_max: Option<u64>,
    /// Rate of the session.
    pub bytes_per_second: Option<u64>,
    /// Most bytes that the account may store on the share.
    pub stored_bytes_max: Option<u64>,
    /// UTC milliseconds after which it ends.
    pub not_after_ms: Option<u64>,
    /// Nothing is written.
    pub read_only: bool,
    /// Where what is pushed is stored instead.
    pub store_as: Option<String>,
    /// A name for what was allowed.
    pub label: Option<String>,
    /// What the log shall tell a person.
    pub notify: Option<String>,
}

/// One `[[rule.path]]`: see [`base::hooks::PathRule`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathRule {
    /// Which files, as a pattern of `--exclude`, by their path beneath the share.
    pub glob: String,
    /// Most bytes of one such file.
    pub bytes_max: Option<u64>,
    /// Whether such files take part.
    pub effect: Effect,
    /// Where such a pushed file is stored instead.
    pub store_as: Option<String>,
    /// What a refused file is told.
    pub code: Option<String>,
}

/// Whether this may be the name of a share, an account or a group: 1 to 64 bytes, no control character, none of
/// `/ : *`, neither `.` nor `..`, not beginning with `.xferd-`.
pub fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name != "."
        && name != ".."
        && !name.starts_with(".xferd-")
        && !name.chars().any(|c| c.is_control() || c.is_whitespace() || "/:*\"\\".contains(c))
}
