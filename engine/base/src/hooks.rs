//! The seam between a core and the rest of its process: decisions, requests, events. One [`Hooks`] per
//! core; nothing here blocks.

use crate::codes::Code;
use crate::entry::Kind;
use crate::ids::{PskId, SessionId, TransferId, Value};
use crate::io::Now;
use crate::points::Point;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::net::SocketAddr;

pub use crate::authorize::{
    Action, Ask, Cache, Decision, Effect, Fact, Facts, Listed, Obligations, PathRule, Peer, Trail, Trust,
};
pub use crate::stored::{Coming, Storing};

/// Names something that answers later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// A request that the core does not serve itself.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Name of the protocol.
    pub protocol: &'a str,
    /// The protocol's own bytes.
    pub payload: &'a [u8],
    /// Optional metadata.
    pub metadata: Option<&'a [u8]>,
}

/// The one reply of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Done, with optional data.
    Success(Option<Vec<u8>>),
    /// The protocol's own answer.
    Protocol(Vec<u8>),
    /// Refused or failed.
    Error {
        /// Why.
        code: Code,
        /// For people: what happened, to what, what next.
        message: String,
    },
    /// Answer to [`StoreAsk::Psk`]; `None`: unknown, used or expired.
    Psk(Option<Psk>),
    /// Answer to [`StoreAsk::Stored`], once durable: which of the files that are coming may not get their names, by
    /// their place in [`Storing::coming`], ascending.
    Refused(Vec<u32>),
}

/// A pre-shared key and whose it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Psk {
    /// Its secret bytes; erased by whoever holds them last.
    pub secret: [u8; 32],
    /// UTC milliseconds after which it is refused.
    pub expires_ms: u64,
}

/// When the reply comes.
#[derive(Debug)]
pub enum Answer {
    /// At once.
    Now(Reply),
    /// From [`Hooks::poll`], under the ticket.
    Later,
    /// The queue is full: 503.
    Busy,
}

/// What the store thread is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreAsk {
    /// The join secret of this id: [`Reply::Psk`].
    Psk(PskId),
    /// Keep a signed receipt: [`Reply::Success`] once durable.
    Receipt {
        /// Of which transfer.
        transfer: TransferId,
        /// The receipt file's bytes.
        bytes: Box<[u8]>,
    },
    /// Count what an account stores: [`Reply::Refused`].
    Stored(Arc<Storing>),
}

/// The queue is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

/// What became of one name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileAction {
    /// It was not there before.
    Created,
    /// It had other content before.
    Replaced,
    /// Only metadata changed.
    Metadata,
    /// It was equal already.
    Unchanged,
    /// It was extraneous and is gone.
    Deleted,
    /// It was left out on purpose.
    Skipped,
    /// It failed.
    Failed,
}

impl FileAction {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced => "replaced",
            Self::Metadata => "metadata",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// How many [`Stage`]s there are.
pub const STAGES: usize = 12;

/// Stages of the data path, for "why is it slow".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Stage {
    /// Reading the source.
    Read,
    /// BLAKE3.
    Hash,
    /// Sealing records.
    Seal,
    /// Sending.
    Send,
    /// Waiting for bytes of a record that has begun.
    Receive,
    /// Opening records.
    Open,
    /// Writing the destination.
    Write,
    /// Syncing it.
    Sync,
    /// Waiting for credit of the receiver.
    Credit,
    /// Waiting for the peer to begin.
    Peer,
    /// Waiting because a rate was asked for.
    Bwlimit,
    /// Compressing records, and expanding them.
    Compress,
}

impl Stage {
    /// Every stage, in the order of [`StageTimes`].
    pub const ALL: [Stage; STAGES] = [
        Stage::Read,
        Stage::Hash,
        Stage::Seal,
        Stage::Send,
        Stage::Receive,
        Stage::Open,
        Stage::Write,
        Stage::Sync,
        Stage::Credit,
        Stage::Peer,
        Stage::Bwlimit,
        Stage::Compress,
    ];

    /// Whether it waits for another end or stage instead of working.
    pub fn waits(self) -> bool {
        matches!(self, Self::Send | Self::Receive | Self::Credit | Self::Peer | Self::Bwlimit)
    }

    /// Its name in summaries and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Hash => "hash",
            Self::Seal => "seal",
            Self::Send => "send",
            Self::Receive => "receive",
            Self::Open => "open",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Credit => "credit",
            Self::Peer => "peer",
            Self::Bwlimit => "bwlimit",
            Self::Compress => "compress",
        }
    }
}

/// Nanoseconds spent in each [`Stage`], indexed by it; sampled and scaled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StageTimes(pub [u64; STAGES]);

impl StageTimes {
    /// Adds time to one stage.
    pub fn add(&mut self, stage: Stage, ns: u64) {
        let sum = &mut self.0[stage as usize];
        *sum = sum.saturating_add(ns);
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &StageTimes) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(more);
        }
    }

    /// In whole milliseconds, as they travel.
    pub fn millis(&self) -> [u32; STAGES] {
        self.0.map(|ns| (ns / 1_000_000).min(u64::from(u32::MAX)) as u32)
    }

    /// From whole milliseconds.
    pub fn of_millis(millis: [u32; STAGES]) -> Self {
        Self(millis.map(|ms| u64::from(ms) * 1_000_000))
    }

    /// The stage that limits; `None` when nothing was sampled.
    ///
    /// Whoever waits for a slow stage is idle as long as that stage works, so a stage that works limits
    /// unless it takes less than half of the longest wait: then nobody works and the link is what is slow.
    pub fn limiting(&self) -> Option<Stage> {
        let most = |waits: bool| {
            let stages = Stage::ALL.into_iter().filter(|stage| stage.waits() == waits);
            stages.map(|stage| (self.0[stage as usize], stage)).max()
        };
        let (work, wait) = (most(false)?, most(true)?);
        let (ns, stage) = if work.0 >= wait.0 / 2 { work } else { wait };
        (ns > 0).then_some(stage)
    }
}

/// What a core reports. Reports may be dropped when nobody keeps up; drops are counted, and the events
/// marked "kept" never are.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A session is verified.
    SessionUp {
        /// Whose.
        peer: &'a Peer,
    },
    /// A session ended.
    SessionDown {
        /// Whose.
        peer: &'a Peer,
        /// Why, `None` for an orderly end.
        code: Option<Code>,
    },
    /// A connection was refused before it had a peer.
    Refused {
        /// From where.
        address: SocketAddr,
        /// Why.
        code: Code,
        /// For the log.
        detail: &'a str,
    },
    /// A name was decided or published.
    File {
        /// Of which transfer.
        transfer: TransferId,
        /// Path relative to the destination.
        path: &'a [u8],
        /// Kind, where known.
        kind: Option<Kind>,
        /// What became of it.
        action: FileAction,
        /// Bytes.
        size: u64,
        /// BLAKE3 root of a file.
        root: Option<Value>,
        /// Bytes of content that travelled in this run.
        bytes_sent: u64,
        /// Bytes of content kept from an earlier run.
        bytes_resumed: u64,
        /// Bytes of content taken from the older file of that name.
        bytes_reused: u64,
        /// Why it failed.
        code: Option<Code>,
    },
    /// How far a transfer is; at most ten a second.
    Progress {
        /// Which.
        transfer: TransferId,
        /// Content bytes moved.
        bytes: u64,
        /// Content bytes known so far.
        bytes_total: u64,
        /// Files done.
        files: u64,
        /// Files known so far.
        files_total: u64,
        /// The stage with the most sampled time so far.
        limiting: Option<Stage>,
    },
    /// Something a person should know; the work goes on. Kept.
    Warning {
        /// What kind.
        code: Code,
        /// Text.
        message: &'a str,
        /// About which path.
        path: Option<&'a [u8]>,
    },
    /// A connection is opened again, or a request made again.
    Retry {
        /// `link` or `request`.
        what: &'static str,
        /// Which retry since it last worked, from 1.
        attempt: u32,
        /// After how many milliseconds.
        wait_ms: u64,
        /// Why.
        code: Code,
    },
    /// A transfer that was decided here ended.
    Ended {
        /// Whose.
        peer: &'a Peer,
        /// Which.
        transfer: TransferId,
        /// `push` or `pull`.
        action: &'static str,
        /// Name of the share.
        root: &'a str,
        /// Path beneath it.
        path: &'a [u8],
        /// Names that were made, replaced, changed, equal or deleted.
        files: u64,
        /// Content bytes moved in this run.
        bytes: u64,
        /// Why it failed.
        code: Option<Code>,
    },
    /// A decision was made: for the audit log.
    Decided {
        /// About whom.
        peer: &'a Peer,
        /// What.
        action: &'a str,
        /// Where.
        root: &'a str,
        /// On which path beneath it; may be empty.
        path: &'a [u8],
        /// The answer.
        decision: &'a Decision,
    },
}

/// A small frame of a transfer: entries, what is wanted, seals, acknowledgements, receipts.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Sealed here; else opened here.
    pub sent: bool,
    /// The session's public name.
    pub session: SessionId,
    /// Number of its type on the wire.
    pub kind: u16,
    /// Its data.
    pub data: &'a [u8],
}

/// One record of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Number of its type on the wire.
    pub kind: u16,
    /// Flags of its trailer.
    pub flags: u16,
    /// Fingerprint of its key.
    pub key: u64,
    /// Its number under that key.
    pub number: u64,
}

/// One step of a declared state machine: of a link that is kept up, of a session, of a request.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Which machine: `link`, `session` or `request`.
    pub machine: &'static str,
    /// Of which session, once it has a name.
    pub session: Option<SessionId>,
    /// The state before.
    pub from: &'a dyn Debug,
    /// What happened.
    pub event: &'a dyn Debug,
    /// The state after.
    pub to: &'a dyn Debug,
}

/// One core's way to the rest of its process.
pub trait Hooks {
    /// Generation of rules and grants; one relaxed load per chunk.
    fn generation(&self) -> u32;
    /// Decides; at most 3 ms.
    fn decide(&mut self, ask: &Ask<'_>, now: Now) -> Decision;
    /// Whether [`Hooks::denied_names`] has anything to say.
    fn filters_names(&self) -> bool {
        false
    }
    /// Which of these names are kept out of a listing that is allowed, one answer each: at most
    /// `plugin_batch_entries_max` names; 3 ms a policy.
    fn denied_names(&mut self, _ask: &Ask<'_>, names: &[Listed<'_>], _now: Now) -> Vec<bool> {
        alloc::vec![false; names.len()]
    }
    /// Takes a request for a protocol the core does not serve.
    fn request(&mut self, ticket: Ticket, from: &Peer, call: &Call<'_>) -> Answer;
    /// Asks the store thread.
    ///
    /// # Errors
    /// Its queue is full.
    fn store(&mut self, ticket: Ticket, ask: StoreAsk) -> Result<(), Busy>;
    /// Replies that came since.
    fn poll(&mut self, out: &mut Vec<(Ticket, Reply)>);
    /// Reports.
    fn event(&mut self, event: &Event<'_>);
    /// A turn of the core is over: reports that were gathered go out together.
    fn turned(&mut self) {}
    /// Bytes that an account stores on a share; `None`: nobody counts them.
    fn stored_bytes(&self, _root: &str, _account: &str) -> Option<u64> {
        None
    }
    /// What earlier runs left on disk is settled; nothing of this run has begun.
    fn recovered(&mut self) {}
    /// Name of an owner (or group) by number.
    fn owner_name(&self, id: u32, group: bool) -> Option<Arc<str>>;
    /// Number of an owner (or group) by name.
    fn owner_id(&self, name: &str, group: bool) -> Option<u32>;
    /// A crash point was passed.
    fn reach(&mut self, _point: Point) {}
    /// A record is about to be sealed.
    fn sealing(&mut self, _record: &Record) {}
    /// A state machine made a step: for a log that wants to know, and for tests that compare it with the list.
    fn stepped(&mut self, _step: &Step<'_>) {}
    /// A frame was sealed or opened: for a simulator that judges what was said.
    fn frame(&mut self, _frame: &Frame<'_>) {}
}
