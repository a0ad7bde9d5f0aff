//! One session of the generator: frames in a buffer that is used again, pings answered, keys changed.

use base::codes::Code;
use base::io::Now;
use base::limits::Limits;
use bytes::Bytes;
use proto::message::{Beat, Control, MessageId, Reassembly, Reply, Request};
use proto::session::{Opener, Sealer};
use proto::wire::{Flags, FrameType, Header, plain_trailer};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use xferd_e2e::Peer;
use xferd_e2e::peer::utc_ms;

pub(crate) const LIMITS: &Limits = &Limits::DEFAULT;
const HEADER_BYTES: usize = 12;
/// The last waits 1.6 s.
const BUSY_RETRIES: u32 = 6;

/// A session that stands.
pub(crate) struct Session {
    pub(crate) socket: TcpStream,
    sealer: Sealer,
    opener: Opener,
    payload: Vec<u8>,
    began: Instant,
    asked: u64,
}

/// A frame of the daemon; its data is what [`Session::data`] gives.
pub(crate) struct Frame {
    pub(crate) kind: FrameType,
    pub(crate) flags: Flags,
    /// Of a chunk: which.
    pub(crate) chunk: Option<proto::wire::ChunkTrailer>,
    length: usize,
}

impl Session {
    /// Connects as the client whose state this is. Like every client it comes again where the daemon has no room: it
    /// lets one address have 64 unfinished handshakes a core, and hundreds begin here at once.
    pub(crate) fn open(to: SocketAddr, state: &Path) -> Result<Self, String> {
        let mut waits = (0..BUSY_RETRIES).map(|retry| Duration::from_millis(50 << retry));
        let peer = loop {
            match (Peer::connect(to, state, None), waits.next()) {
                (Ok(peer), _) => break peer,
                (Err(error), Some(wait)) if error.code() == Code::Busy => std::thread::sleep(wait),
                (Err(error), _) => return Err(format!("handshake: {error:?}")),
            }
        };
        let (socket, sealer, opener) = peer.into_parts();
        Ok(Self { socket, sealer, opener, payload: Vec::new(), began: Instant::now(), asked: 0 })
    }

    /// Sends a message of this type.
    pub(crate) fn send(&mut self, kind: FrameType, data: &[u8]) -> Result<(), String> {
        let now = Now { mono_ns: self.began.elapsed().as_nanos() as u64, utc_ms: 0 };
        let mut frames = Vec::new();
        if self.sealer.wants_rekey(now) {
            frames = self.sealer.rekey(now).map_err(|error| format!("{error:?}"))?;
        }
        for (piece, flags) in proto::message::fragments(data, LIMITS.record_bytes) {
            let frame = self.sealer.seal_vec(kind, piece, &plain_trailer(flags));
            frames.extend(frame.map_err(|error| format!("{error:?}"))?);
        }
        self.socket.write_all(&frames).map_err(|error| format!("send: {error}"))
    }

    /// The next frame that is not about keys or life.
    pub(crate) fn next(&mut self) -> Result<Frame, String> {
        loop {
            if let Some(frame) = self.one()? {
                return Ok(frame);
            }
        }
    }

    /// One frame; `None` of one that was dealt with here.
    pub(crate) fn one(&mut self) -> Result<Option<Frame>, String> {
        let mut header = [0; HEADER_BYTES];
        self.socket.read_exact(&mut header).map_err(|error| format!("receive: {error}"))?;
        let length = Header::parse(&header, LIMITS).map_err(|error| format!("{error:?}"))?.length as usize;
        if self.payload.len() < length {
            self.payload.resize(length, 0);
        }
        let payload = &mut self.payload[..length];
        self.socket.read_exact(payload).map_err(|error| format!("receive: {error}"))?;
        let opened = self.opener.open(&header, payload).map_err(|error| format!("{error:?}"))?;
        let frame = Frame {
            kind: opened.kind,
            flags: opened.flags,
            chunk: opened.chunk().copied(),
            length: opened.data_len as usize,
        };
        match frame.kind {
            FrameType::KeyUpdate => self.opener.on_key_update(),
            FrameType::Ping => {
                let ping = Beat::parse(self.data(&frame)).map_err(|error| format!("{error:?}"))?;
                let pong = Beat { sequence: ping.sequence, utc_ms: utc_ms() };
                self.send(FrameType::Pong, &pong.encode())?;
            }
            FrameType::Close => {
                let said = proto::message::Close::parse(self.data(&frame));
                return Err(format!("closed: {said:?}"));
            }
            _ => return Ok(Some(frame)),
        }
        Ok(None)
    }

    /// The data of the frame that came last.
    pub(crate) fn data(&self, frame: &Frame) -> &[u8] {
        &self.payload[..frame.length]
    }

    /// Asks and waits for the answer.
    pub(crate) fn request(&mut self, protocol: &str, payload: Vec<u8>) -> Result<Option<Bytes>, String> {
        self.asked += 1;
        let mut random = [0; 16];
        random[..8].copy_from_slice(&self.asked.to_be_bytes());
        let id = MessageId::from_random(random);
        let request = Request { id, protocol: protocol.into(), payload: payload.into(), metadata: None };
        self.send(FrameType::Control, &Control::Request(request).encode(id, utc_ms()))?;
        let mut message = Reassembly::new(LIMITS.control_bytes_max);
        loop {
            let frame = self.next()?;
            if frame.kind != FrameType::Control {
                continue;
            }
            let whole = message.push(self.data(&frame), frame.flags).map_err(|error| format!("{error:?}"))?;
            let Some(whole) = whole else { continue };
            return match Control::decode(&whole.into(), LIMITS).map_err(|error| format!("{error:?}"))? {
                Control::Reply { reply: Reply::Success(data), .. } => Ok(data),
                Control::Reply { reply, .. } => Err(format!("{protocol}: {reply:?}")),
                Control::Request(request) => Err(format!("the daemon asks {}", request.protocol)),
            };
        }
    }
}
