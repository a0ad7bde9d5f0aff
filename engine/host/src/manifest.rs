//! `plugin.toml`: what a plugin is, what it may use, and what its operator may set.
//!
//! Parsed into types that cannot be wrong. A key that nothing reads is an error with its line: a misspelt grant
//! must not look like one that was given.

mod grants;
mod reader;
mod settings;

pub use grants::{BucketGrant, Grants, KvGrant, MessageGrant, Per};
pub use settings::{Kind, Setting, SettingError};

use base::limits::Limits;
use reader::{Reader, Table};
use std::fmt;

/// Which world a plugin fits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum World {
    /// Decides.
    Policy,
    /// Decides, and filters listings.
    BatchPolicy,
    /// Serves protocols.
    Handler,
    /// Serves protocols, and hands its state to its successor.
    StatefulHandler,
    /// Finds peers.
    Discovery,
    /// Reacts to events.
    Observer,
}

impl World {
    /// Every world.
    pub const ALL: [World; 6] = [
        World::Policy,
        World::BatchPolicy,
        World::Handler,
        World::StatefulHandler,
        World::Discovery,
        World::Observer,
    ];

    /// Its name in `xferd.wit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::BatchPolicy => "batch-policy",
            Self::Handler => "handler",
            Self::StatefulHandler => "stateful-handler",
            Self::Discovery => "discovery",
            Self::Observer => "observer",
        }
    }

    /// Whether it runs on the data cores.
    pub fn is_policy(self) -> bool {
        matches!(self, Self::Policy | Self::BatchPolicy)
    }
}

/// When a policy gets fresh memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Instance {
    /// For each decision.
    Fresh,
    /// Once per core: allowed where `context` and `kv-read` are its only facts.
    Reused,
}

/// What `plugin.toml` says.
#[derive(Clone, PartialEq, Debug)]
pub struct Manifest {
    /// `owner/name`.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// Which world it fits.
    pub world: World,
    /// When a policy gets fresh memory.
    pub instance: Instance,
    /// Most bytes of memory.
    pub memory_bytes: u32,
    /// Most milliseconds of one call.
    pub deadline_ms: u32,
    /// What its operator may set, in the order of the file.
    pub config: Vec<Setting>,
    /// What it may use.
    pub grants: Grants,
    /// Why it asks for a grant: (grant, sentence for the operator).
    pub reasons: Vec<(String, String)>,
}

/// What is wrong with a `plugin.toml`, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManifestError {
    /// Line, from 1.
    pub line: u32,
    /// The key, such as `grants.quota.uploads.rate`; empty where it is not TOML at all.
    pub key: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// The text is not TOML: what the parser says.
    NotToml(String),
    /// Nothing reads this key; these would have been read there.
    Unknown(Vec<&'static str>),
    /// It has to be there.
    Missing,
    /// It is of another type; this is expected.
    Type(&'static str),
    /// It has to be written so.
    Form(&'static str),
    /// No world of this name, or another version of the interfaces.
    World(String),
    /// More than may be asked for.
    TooMuch {
        /// What was asked for.
        asked: u64,
        /// Most.
        most: u64,
    },
    /// Only for policies.
    PolicyOnly,
    /// A reason for a grant that is not asked for.
    NoSuchGrant,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin.toml, line {}: ", self.line)?;
        let key = &self.key;
        match &self.problem {
            Problem::NotToml(what) => write!(f, "{what}"),
            Problem::Unknown(known) => {
                write!(f, "unknown key `{key}`: there may be {}", known.join(", "))
            }
            Problem::Missing => write!(f, "`{key}` is missing"),
            Problem::Type(expected) => write!(f, "`{key}` has to be {expected}"),
            Problem::Form(form) => write!(f, "`{key}` has to be written as {form}"),
            Problem::World(what) => write!(
                f,
                "`{key}`: this host has no `{what}`; write `xferd:plugin/WORLD@{VERSION}` with WORLD one of {}",
                World::ALL.map(World::name).join(", ")
            ),
            Problem::TooMuch { asked, most } => {
                write!(f, "`{key}` asks for {asked}, at most {most} is given")
            }
            Problem::PolicyOnly => write!(f, "`{key}` is for policies only"),
            Problem::NoSuchGrant => write!(f, "`{key}` explains a grant that [grants] does not ask for"),
        }
    }
}

impl std::error::Error for ManifestError {}

/// Version of the interfaces, as a manifest names it.
pub const VERSION: &str = "0.1";

impl Manifest {
    /// Reads a `plugin.toml` under [`Limits::DEFAULT`].
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and key.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        Self::parse_within(text, &Limits::DEFAULT)
    }

    /// Reads a `plugin.toml` under these bounds.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and key.
    pub fn parse_within(text: &str, limits: &Limits) -> Result<Self, ManifestError> {
        let reader = Reader::new(text);
        let mut root = reader.document()?;
        let mut plugin = root.table("plugin")?.ok_or_else(|| root.missing("plugin"))?;
        let name = plugin.required_text("name")?;
        if !is_name(&name) {
            return Err(plugin.wrong("name", Problem::Form("owner/name, of a-z, 0-9 and -")));
        }
        let version = plugin.required_text("version")?;
        if version.is_empty() || version.len() > limits.plugin_name_bytes_max as usize {
            return Err(plugin.wrong("version", Problem::Form("major.minor.patch")));
        }
        let spelled = plugin.required_text("world")?;
        let world = world_of(&spelled).ok_or_else(|| plugin.wrong("world", Problem::World(spelled)))?;
        let instance = match plugin.text("instance")?.as_deref() {
            None | Some("fresh") => Instance::Fresh,
            Some("reused") if world.is_policy() => Instance::Reused,
            Some("reused") => return Err(plugin.wrong("instance", Problem::PolicyOnly)),
            Some(_) => return Err(plugin.wrong("instance", Problem::Form("\"fresh\" or \"reused\""))),
        };
        plugin.text("description")?;
        plugin.end()?;
        let (memory_bytes, deadline_ms) = bounds(root.table("limits")?, world, limits)?;
        let config = settings::read(root.table("config")?, limits)?;
        let grants = grants::read(root.table("grants")?, limits)?;
        let reasons = reasons(root.table("reasons")?, &grants)?;
        root.end()?;
        Ok(Self { name, version, world, instance, memory_bytes, deadline_ms, config, grants, reasons })
    }
}

/// `xferd:plugin/policy@0.1` or with a patch number.
fn world_of(text: &str) -> Option<World> {
    let (world, version) = text.strip_prefix("xferd:plugin/")?.split_once('@')?;
    let patch = version.strip_prefix(VERSION)?;
    let patch_is_number = patch.strip_prefix('.').is_some_and(|patch| patch.parse::<u32>().is_ok());
    if !patch.is_empty() && !patch_is_number {
        return None;
    }
    World::ALL.into_iter().find(|known| known.name() == world)
}

/// `owner/name`: it becomes the name of a folder.
fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    name.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name))
}

/// (memory bytes, deadline ms).
fn bounds(table: Option<Table<'_>>, world: World, limits: &Limits) -> Result<(u32, u32), ManifestError> {
    let (memory, ms) = if world.is_policy() {
        (limits.plugin_policy_memory_bytes, limits.plugin_policy_ms)
    } else {
        (limits.plugin_lane_memory_bytes, limits.plugin_lane_ms)
    };
    let Some(mut table) = table else { return Ok((memory, ms)) };
    let most = u64::from(limits.plugin_memory_reserved_bytes);
    let memory = table.bytes("memory", most)?.map_or(memory, |bytes| bytes as u32);
    let ms = table.number("deadline-ms", u64::from(ms))?.map_or(ms, |asked| asked as u32);
    table.end()?;
    Ok((memory, ms))
}

fn reasons(table: Option<Table<'_>>, grants: &Grants) -> Result<Vec<(String, String)>, ManifestError> {
    let Some(mut table) = table else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for grant in grants::NAMES {
        let Some(text) = table.text(grant)? else { continue };
        if !grants.asks_for(grant) {
            return Err(table.wrong(grant, Problem::NoSuchGrant));
        }
        found.push(((*grant).to_owned(), text));
    }
    table.end()?;
    Ok(found)
}

#[cfg(test)]
mod tests;
