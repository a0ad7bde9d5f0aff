//! The words of a decision: who wants what, what may be read to decide it, and what the answer demands.

use crate::codes::Code;
use crate::ids::{DecisionId, DeviceId, PskId, SessionId};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

/// The authenticated other end of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its device; zero while it only holds a join token.
    pub device: DeviceId,
    /// Its account; empty while it only holds a join token.
    pub account: Arc<str>,
    /// Where it connects from.
    pub address: SocketAddr,
    /// The session.
    pub session: SessionId,
    /// What it proved: a certificate, or only a join token.
    pub trust: Trust,
}

/// What a peer proved in its handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// A certificate of a trusted root.
    Certificate,
    /// A join token: it may join and nothing else.
    JoinToken(PskId),
}

/// What a subject wants to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action<'a> {
    /// Open a session.
    Connect,
    /// List names.
    Browse,
    /// Read files.
    Pull,
    /// Write files.
    Push,
    /// Replace one named version.
    Replace,
    /// Remove names.
    Remove,
    /// Call a protocol.
    Invoke(&'a str),
}

impl Action<'_> {
    /// Its name in rules and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Browse => "browse",
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Replace => "replace",
            Self::Remove => "remove",
            Self::Invoke(_) => "invoke",
        }
    }
}

/// One fact about the call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// A number.
    Number(u64),
    /// Text.
    Text(String),
    /// Bytes, such as a path.
    Bytes(Vec<u8>),
}

/// What a decision may read; each key read joins the decision's cache key.
///
/// | key | what | where |
/// |---|---|---|
/// | `account` `device` `address` `trust` `transport` | of the subject; `trust` is `certificate` or `token` | always |
/// | `label` | what the decision about its session named it | of a session that has one |
/// | `path` | bytes, beneath the share | browse, pull, push, remove |
/// | `direction` `command` | `push` or `pull`; `copy`, `sync` or `replace` | transfers |
/// | `size` `files` | bytes and names, as the offering side counted them | transfers that say it |
/// | `moved` | content bytes moved so far | a transfer that is decided again |
/// | `stored-bytes` | bytes that the account stores on the share | push and replace, on a share that is counted |
/// | `protocol` | its name | invoke |
pub trait Facts {
    /// The fact of this name.
    fn get(&self, key: &str) -> Option<Fact>;
}

/// A question to the authorizer.
pub struct Ask<'a> {
    /// Who.
    pub subject: &'a Peer,
    /// Wants to do what.
    pub action: Action<'a>,
    /// On which share; empty for connect and invoke.
    pub root: &'a str,
    /// All else.
    pub facts: &'a dyn Facts,
}

/// One name of a listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listed<'a> {
    /// Beneath the share.
    pub path: &'a [u8],
    /// Bytes of a file.
    pub size: Option<u64>,
}

/// Allowed or denied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Yes, under the obligations.
    Allow,
    /// No.
    Deny,
}

/// How an answer was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Cache {
    /// Static rules: there is nothing to keep.
    #[default]
    Native,
    /// It was known: nothing it had read has changed.
    Hit,
    /// It was asked for.
    Miss,
    /// It was asked for and may not be kept.
    Never,
}

impl Cache {
    /// Its name in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Never => "never",
        }
    }
}

/// How a decision came about, for `xferd plugin explain`.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// Which rule or plugin decided, as an operator knows it.
    pub by: Arc<str>,
    /// What was read, `key=value` each; bounded by whoever decides.
    pub reads: Arc<[String]>,
    /// How long it took.
    pub took_ns: u64,
    /// Whether it was known already.
    pub cache: Cache,
}

/// The authorizer's answer.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Names it in the audit log; zero where none is kept.
    pub id: DecisionId,
    /// Allowed or denied.
    pub effect: Effect,
    /// Why, when denied.
    pub code: Code,
    /// Which rule decided, for logs and error texts.
    pub reason: Arc<str>,
    /// Generation of the rules it was made under.
    pub generation: u32,
    /// UTC milliseconds after which it must be asked again; `u64::MAX`: never.
    pub until_ms: u64,
    /// What the engine enforces.
    pub obligations: Obligations,
    /// How it came about.
    pub trail: Trail,
}

/// One rule about the files of a transfer or listing. Directories are there whatever rules say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathRule {
    /// Which files, by their path beneath the share; as a pattern of `--exclude`.
    pub glob: Arc<str>,
    /// Most bytes of one such file; a larger one is refused. `u64::MAX` is no bound.
    pub bytes_max: u64,
    /// Whether such files take part at all.
    pub effect: Effect,
    /// Where such a pushed file is stored beneath the share instead: a path, or with a `/` at its end a directory
    /// below which the file keeps its path.
    pub store_as: Option<Arc<str>>,
    /// What a refused file is told.
    pub code: Arc<str>,
}

/// What the engine enforces natively while it does what was allowed. `u64::MAX` is no bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Obligations {
    /// Most bytes of one transfer.
    pub bytes_max: u64,
    /// Most files of one transfer.
    pub files_max: u64,
    /// Rate of the session.
    pub bytes_per_second: u64,
    /// Most bytes that the account may store on the share, with what comes.
    pub stored_bytes_max: u64,
    /// UTC milliseconds after which it ends.
    pub not_after_ms: u64,
    /// Nothing is written.
    pub read_only: bool,
    /// Per file: each list has to let it pass. Of a list the first rule whose glob matches decides; files that none
    /// matches take part.
    pub paths: Vec<Arc<[PathRule]>>,
    /// Where what is pushed is stored beneath the share instead of where it was asked for.
    pub store_as: Option<Arc<str>>,
    /// A name for what was allowed: in the log, and of a session for the decisions that follow in it.
    pub label: Option<Arc<str>>,
    /// What the log shall tell a person.
    pub notify: Option<Arc<str>>,
}

impl Obligations {
    /// No obligation.
    pub const NONE: Self = Self {
        bytes_max: u64::MAX,
        files_max: u64::MAX,
        bytes_per_second: u64::MAX,
        stored_bytes_max: u64::MAX,
        not_after_ms: u64::MAX,
        read_only: false,
        paths: Vec::new(),
        store_as: None,
        label: None,
        notify: None,
    };

    /// Adds the bounds of a wider decision, such as that about the session: the tighter one holds.
    pub fn tighten(&mut self, wider: &Self) {
        self.bytes_max = self.bytes_max.min(wider.bytes_max);
        self.files_max = self.files_max.min(wider.files_max);
        self.bytes_per_second = self.bytes_per_second.min(wider.bytes_per_second);
        self.stored_bytes_max = self.stored_bytes_max.min(wider.stored_bytes_max);
        self.not_after_ms = self.not_after_ms.min(wider.not_after_ms);
        self.read_only |= wider.read_only;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tighter_bound_holds_and_what_is_about_one_decision_stays_its_own() {
        let wider = Obligations {
            bytes_max: 10,
            files_max: 5,
            read_only: true,
            label: Some("session".into()),
            ..Obligations::NONE
        };
        let mut own = Obligations { bytes_max: 20, files_max: 2, not_after_ms: 7, ..Obligations::NONE };
        own.tighten(&wider);
        assert_eq!((own.bytes_max, own.files_max, own.not_after_ms), (10, 2, 7));
        assert!(own.read_only && own.label.is_none());
    }
}
