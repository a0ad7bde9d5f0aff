//! What a decision read: the key under which it is kept, and the explanation of it.

use crate::identity::Identity;
use crate::kv::Kv;
use crate::value::Value;
use base::hooks::Facts;
use base::ids::DeviceId;

/// One fact, with the value it had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Read {
    /// A fact about the call.
    Context(Box<str>, Option<Value>),
    /// A verified fact about a device.
    Claim(DeviceId, Box<str>, Option<Value>),
    /// Whether a device's account is in a group.
    Member(DeviceId, [u8; 32], bool),
    /// The groups of a device's account.
    Groups(DeviceId, Vec<[u8; 32]>),
    /// A key's version; `None`: it was not there.
    Kv(Box<str>, Option<u64>),
    /// A page of keys and their versions.
    Scan {
        /// Of which prefix.
        prefix: Box<str>,
        /// After which key.
        after: Option<Box<str>>,
        /// How many at most.
        limit: u32,
        /// What was found.
        found: Vec<(Box<str>, u64)>,
    },
    /// The clock: UTC milliseconds.
    Clock(u64),
    /// Tokens of a bucket, and whether they were given.
    Quota(Box<str>, u64, bool),
}

impl Read {
    /// Whether it would read the same again. A clock always does: a decision that read it is kept only briefly.
    pub(crate) fn holds(&self, facts: &dyn Facts, identity: &dyn Identity, kv: &Kv, now_ms: u64) -> bool {
        match self {
            Self::Context(key, seen) => facts.get(key).map(Value::from) == *seen,
            Self::Claim(peer, name, seen) => identity.claim(peer, name) == *seen,
            Self::Member(peer, group, seen) => identity.is_member(peer, group) == *seen,
            Self::Groups(peer, seen) => identity.groups_of(peer) == *seen,
            Self::Kv(key, seen) => kv.entry(key, now_ms).map(|entry| entry.version) == *seen,
            Self::Scan { prefix, after, limit, found } => {
                let rows = kv.scan(prefix, after.as_deref(), now_ms).take(*limit as usize);
                rows.map(|(key, entry)| (key, entry.version))
                    .eq(found.iter().map(|(key, version)| (&**key, *version)))
            }
            Self::Clock(_) => true,
            Self::Quota(..) => false,
        }
    }

    /// Name and value as an explanation shows them.
    pub fn render(&self) -> (String, String) {
        let or_none = |value: &Option<Value>| value.as_ref().map_or("none".to_owned(), Value::to_string);
        match self {
            Self::Context(key, value) => (format!("context {key}"), or_none(value)),
            Self::Claim(peer, name, value) => (format!("claim {name} of {peer}"), or_none(value)),
            Self::Member(peer, group, member) => {
                (format!("membership of {peer} in {}", DeviceId(*group)), member.to_string())
            }
            Self::Groups(peer, groups) => (format!("groups of {peer}"), groups.len().to_string()),
            Self::Kv(key, version) => (
                format!("kv {key:?}"),
                version.map_or("none".to_owned(), |version| format!("version {version}")),
            ),
            Self::Scan { prefix, found, .. } => {
                (format!("kv scan {prefix:?}"), format!("{} keys", found.len()))
            }
            Self::Clock(ms) => ("clock".to_owned(), ms.to_string()),
            Self::Quota(bucket, amount, given) => {
                (format!("quota {bucket}"), format!("{amount} {}", if *given { "given" } else { "refused" }))
            }
        }
    }
}
