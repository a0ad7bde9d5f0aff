//! What a call of a handler, discovery or observer plugin does: collected while it runs, given away when it returned.

use crate::kv::{Kv, KvEntry};
use base::ids::DeviceId;
use std::sync::Arc;

/// One effect of a call. The caller applies all effects of a call in one transaction, before it answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// A key of its own was put.
    KvPut {
        /// Which.
        key: String,
        /// What it holds.
        entry: KvEntry,
    },
    /// A key of its own was removed.
    KvRemove {
        /// Which.
        key: String,
        /// Version of this write.
        version: u64,
    },
    /// The answer of a call that was to be answered later.
    Answer {
        /// Ticket of the call.
        ticket: u64,
        /// The answer.
        body: Vec<u8>,
    },
    /// Peers that may be there.
    Found(Vec<Candidate>),
    /// A peer that is no longer there.
    Lost(DeviceId),
}

/// What a discovery plugin believes; to be verified before use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Which device, where it is known.
    pub peer: Option<DeviceId>,
    /// IP address, unchecked text.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Milliseconds until it is forgotten.
    pub ttl_ms: u32,
    /// What else was said of it: keys and rendered values.
    pub attrs: Vec<(String, String)>,
}

/// Bit of tickets that the host made; those of calls lack it.
pub(crate) const OWN_TICKET: u64 = 1 << 63;

/// What one call did so far.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) effects: Vec<Deed>,
    /// What to put back if it does not return, oldest first.
    pub(crate) undo: Vec<(String, Option<KvEntry>)>,
    /// Version of the last write when the call began; of use where there is something to put back.
    pub(crate) written_before: u64,
    /// (ticket, milliseconds from now).
    pub(crate) timers: Vec<(u64, u64)>,
    pub(crate) cancelled: Vec<u64>,
    /// Timers there were when the call began.
    pub(crate) timers_before: u32,
    /// Bytes of all own keys.
    pub(crate) kv_bytes: u64,
    /// Version of the last write.
    pub(crate) kv_version: u64,
    /// Last ticket that was made.
    pub(crate) ticket: u64,
}

impl Work {
    pub(crate) fn begin(&mut self) {
        self.effects.clear();
        self.undo.clear();
        self.timers.clear();
        self.cancelled.clear();
    }

    /// A ticket that no call has.
    pub(crate) fn next_ticket(&mut self) -> u64 {
        self.ticket += 1;
        self.ticket | OWN_TICKET
    }

    /// Writes one key.
    pub(crate) fn write(&mut self, kv: &mut Kv, key: &str, to: Option<(Arc<[u8]>, u64)>) -> u64 {
        let size = |entry: &Option<KvEntry>| {
            entry.as_ref().map_or(0, |entry| (key.len() + entry.value.len()) as u64)
        };
        self.kv_version += 1;
        let version = self.kv_version;
        if self.undo.is_empty() {
            self.written_before = kv.version();
        }
        kv.wrote(version);
        let entry = to.map(|(value, until_ms)| KvEntry { value, version, until_ms });
        let after = size(&entry);
        let before = kv.change(key, entry.clone());
        self.kv_bytes = self.kv_bytes + after - size(&before);
        self.undo.push((key.to_owned(), before));
        self.effects.push(match entry {
            Some(entry) => Deed::KvPut { key: key.to_owned(), entry },
            None => Deed::KvRemove { key: key.to_owned(), version },
        });
        version
    }

    /// The keys as they were when the call began.
    pub(crate) fn undone(&mut self, mut kv: Kv) -> Kv {
        if !self.undo.is_empty() {
            kv.wrote(self.written_before);
        }
        for (key, before) in self.undo.drain(..).rev() {
            kv.change(&key, before);
        }
        kv
    }
}
