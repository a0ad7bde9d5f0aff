//! One connection: its handshake, its keys, its two directions.
//!
//! A link turns bytes into [`LinkEvent`]s and frames into bytes. It never looks inside a transfer. At most
//! one receive and one send are in flight; frames are sealed in the order in which they are queued, so
//! that the queue's order is the order of the record counter.
//!
//! ```text
//! Connecting -> Handshake -> Up -> Closing -> (gone)
//!                   |         |       ^
//!                   +---------+-------+   failure, Close, end of the stream
//! ```

use crate::rate::Rates;
use crate::rx::Rx;
use crate::tools::Core;
use crate::tx::Tx;
use base::codes::Code;
use base::hooks::{Decision, Hooks, Peer, Record, StageTimes};
use base::ids::{CoreId, SessionId};
use base::io::{Fd, Io, Now};
use core::net::SocketAddr;
use ed25519_dalek::VerifyingKey;
use proto::message::Reassembly;
use proto::session::handshake::{
    Established, Initiator, JoinSecret, Responder, Role as HandshakeRole, StreamId,
};
use proto::session::liveness::Liveness;
use proto::session::phase::Course;
use proto::session::record::{Opener, RecordError, Sealer};
use proto::wire::{Flags, FrameType, Trailer, plain_trailer};
use std::sync::Arc;

/// Names a link of one core.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// A connection whose Hello asks to join a session of another core.
pub struct StreamHello {
    pub(crate) socket: Fd,
    pub(crate) from: SocketAddr,
    /// The Hello frame, header included.
    pub(crate) hello: Vec<u8>,
    /// Which stream of which session.
    pub(crate) stream: StreamId,
}

/// What a core needs to carry one stream of a session that lives on another.
pub struct StreamPlace {
    pub(crate) end: StreamEnd,
    pub(crate) secret: JoinSecret,
    pub(crate) peer: Peer,
    pub(crate) home: CoreId,
    pub(crate) session: LinkId,
    /// Number of the stream in its session, from 1.
    pub(crate) index: u16,
}

/// How the stream's connection comes about.
pub(crate) enum StreamEnd {
    /// Accepted; its Hello has been read.
    Accepted { socket: Fd, hello: Vec<u8> },
    /// To be opened.
    Connect { to: SocketAddr, stream: StreamId },
    /// Already under way.
    Taken,
}

/// Number of the stream that a stream id names: the first two bytes of its nonce, set by the dialer, so that
/// both ends count credit under the same number.
pub(crate) fn stream_index(stream: &StreamId) -> u16 {
    u16::from_be_bytes([stream.nonce[0], stream.nonce[1]])
}

/// Whether a link carries a session's control or only data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// The session itself; its home is this core.
    Control,
    /// A data stream of the session `session` on core `home`.
    Stream { session: LinkId, home: CoreId, index: u16 },
}

/// What a link reports.
pub(crate) enum LinkEvent<B> {
    /// The connection that we open stands; its handshake begins.
    Open(LinkId),
    /// Verified; frames may be sent.
    Up(LinkId),
    /// The first Pong came.
    Healthy(LinkId),
    /// A whole frame of a transfer. A Chunk's or Pack's slot is lent: whoever drops it calls `release`.
    Frame { link: LinkId, kind: FrameType, slot: B, data_len: u32, trailer: Trailer },
    /// A whole Control message.
    Control { link: LinkId, bytes: Vec<u8> },
    /// A queued slot was sent.
    Room(LinkId),
    /// Nothing further comes from this link.
    Down { link: LinkId, role: Role, code: Option<Code>, detail: String },
}

/// The handshake of one side.
pub(crate) enum Shaking {
    /// We opened the connection.
    Initiator(Box<Initiator>),
    /// We accepted it.
    Responder(Box<Responder>),
}

/// Where a link is in its life.
pub(crate) enum Phase {
    /// Connecting, or handshake in progress; a stream knows its place.
    Handshake(Shaking, Option<Box<StreamPlace>>),
    /// Verified.
    Up(Box<Up>),
    /// Sending what is queued, then gone.
    Closing,
}

/// A verified link.
pub(crate) struct Up {
    pub(crate) sealer: Sealer,
    pub(crate) opener: Opener,
    pub(crate) peer: Peer,
    /// The peer's device key, where it proved one.
    pub(crate) peer_key: Option<VerifyingKey>,
    pub(crate) liveness: Liveness,
    pub(crate) controls: Reassembly,
    /// Key from which the streams of this session are made.
    pub(crate) join: JoinSecret,
    /// This end opened the session: its transfers have odd numbers.
    pub(crate) initiator: bool,
    /// Number of the stream in its session; 0 for the control connection.
    pub(crate) stream: u16,
    /// The last record that was sealed announces a full one.
    pub(crate) announced: bool,
}

impl Up {
    pub(crate) fn new<I: Io, H: Hooks>(
        core: &Core<I, H>,
        established: Established,
        peer: Peer,
        peer_key: Option<VerifyingKey>,
        stream: u16,
    ) -> Self {
        let limits = &core.settings.limits;
        Self {
            sealer: established.sealer,
            opener: established.opener,
            peer,
            peer_key,
            liveness: Liveness::new(limits, core.now),
            controls: Reassembly::new(limits.control_bytes_max),
            join: established.join,
            initiator: established.role == HandshakeRole::Initiator,
            stream,
            announced: false,
        }
    }

    /// The record that would be sealed next.
    pub(crate) fn next_record(&self, kind: FrameType, trailer: &[u8]) -> Record {
        let (key, number) = (self.sealer.key_print(), self.sealer.records());
        Record { kind: kind.number(), flags: flags_of(trailer), key, number }
    }

    /// Changes the sending keys when that is due.
    ///
    /// # Errors
    /// The key is exhausted.
    pub(crate) fn rekey_if_due<B: AsRef<[u8]> + AsMut<[u8]>, H: Hooks>(
        &mut self,
        hooks: &mut H,
        now: Now,
        tx: &mut Tx<B>,
    ) -> Result<(), RecordError> {
        if self.sealer.wants_rekey(now) {
            hooks.sealing(&self.next_record(FrameType::KeyUpdate, &plain_trailer(Flags::NONE)));
            tx.push_bytes(self.sealer.rekey(now)?);
        }
        Ok(())
    }
}

/// The flags that every trailer ends in.
pub(crate) fn flags_of(trailer: &[u8]) -> u16 {
    trailer.last_chunk().map_or(0, |flags| u16::from_be_bytes(*flags))
}

/// One connection.
pub(crate) struct Link<B> {
    pub(crate) id: LinkId,
    pub(crate) socket: Fd,
    pub(crate) address: SocketAddr,
    pub(crate) role: Role,
    pub(crate) phase: Phase,
    pub(crate) rx: Rx,
    pub(crate) tx: Tx<B>,
    /// Slots of received frames that someone still holds.
    pub(crate) lent: u32,
    /// Monotonic nanoseconds: end of handshake, of closing, or of the record that is being received.
    pub(crate) deadline_ns: u64,
    /// Already reported as down.
    pub(crate) reported: bool,
    /// Bytes that are still read from the peer before the socket closes; `None`: it is not waited for.
    pub(crate) drains: Option<u64>,
    /// The sending direction has ended.
    pub(crate) said: bool,
    /// Time of sampled records on this link since somebody took it.
    pub(crate) stages: StageTimes,
    /// When the sampled receive began.
    pub(crate) receiving: Option<u64>,
    /// What is let through in each direction.
    pub(crate) rates: Rates,
    /// Accepted here (and so counted by admission).
    pub(crate) accepted: bool,
    /// What its session was allowed under.
    pub(crate) connect: Option<Arc<Decision>>,
    /// What the session does; only a control link has one.
    pub(crate) course: Course,
    /// Its name, once it is verified.
    pub(crate) session: Option<SessionId>,
    /// When it is looked at without any other cause; `u64::MAX`: never.
    pub(crate) timer_ns: u64,
    /// Listed as waiting for an arena slot.
    pub(crate) listed: bool,
}

impl<B> Link<B> {
    /// Whether frames may be sent.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up(_))
    }

    /// The verified peer.
    pub(crate) fn up(&self) -> Option<&Up> {
        match &self.phase {
            Phase::Up(up) => Some(up),
            _ => None,
        }
    }

    pub(crate) fn up_mut(&mut self) -> Option<&mut Up> {
        match &mut self.phase {
            Phase::Up(up) => Some(up),
            _ => None,
        }
    }
}

impl core::fmt::Debug for StreamHello {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StreamHello").field("from", &self.from).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for StreamPlace {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StreamPlace")
            .field("session", &self.session)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
