//! Hello and HelloReply: what travels in the clear.
//!
//! Parsing is total and bounded (2 KiB); unknown versions, suites and groups are skipped, not refused, so
//! that a newer peer can still talk.

use super::error::HandshakeError;
use crate::session::suite::Suite;
use crate::wire::layouts::{Layout, field};
use crate::wire::{FrameType, HEADER_BYTES, Header, Reader, VERSION, WireError, Writer};
use alloc::vec::Vec;
use base::ids::{CoreId, PskId, SessionId};
use base::limits::Limits;

/// X25519, by its number in TLS.
pub(super) const GROUP_X25519: u16 = 0x001d;
const BINDER_BYTES: usize = 32;
const STREAM_ID_BYTES: usize = 32 + 2 + 16;

/// The tables of FORMAT.md.
pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "Hello",
        place: "payload of Hello (M1), in the clear, at most 2 KiB",
        fields: &[
            field("versions", "u8 count, u16 each", "versions of the protocol: 1"),
            field("suites", "u8 count, u16 each", "1 AES-256-GCM, 2 ChaCha20-Poly1305; preferred first"),
            field("random", "[32]", "rA"),
            field("shares", "u8 count, {group u16, share u16-counted} each", "0x001d X25519 (32 bytes)"),
            field("psk_purpose", "u8", "0 none (ends here), 1 cert+psk, 2 join, 3 stream"),
            field("psk_id", "u8-counted", "1, 2: id [16]; 3: session id [32] || home core u16 || nonce [16]"),
            field("binder", "[32]", "HMAC(Expand(E, \"binder \" purpose), SHA-256(all bytes before))"),
        ],
    },
    Layout {
        name: "HelloReply",
        place: "payload of HelloReply (M2), in the clear",
        fields: &[
            field("version", "u16", "one of those offered"),
            field("suite", "u16", "one of those offered"),
            field("random", "[32]", "rB"),
            field("group", "u16", "one of those offered"),
            field("share", "u16-counted", "xB"),
        ],
    },
];

/// What a pre-shared key is for; part of its import, so that none serves another purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Purpose {
    /// Beside certificates.
    Certificate = 1,
    /// A join token, without certificates.
    Join = 2,
    /// A further stream of a session, without certificates.
    Stream = 3,
}

/// Names one further stream of a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StreamId {
    /// The session it belongs to.
    pub session: SessionId,
    /// The acceptor's core that carries the session's control connection.
    pub home: CoreId,
    /// Chosen at random by the dialer; the home core accepts each once.
    pub nonce: [u8; 16],
}

/// Names the pre-shared key of a Hello.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PskName {
    /// Beside certificates.
    Certificate(PskId),
    /// A join token's.
    Join(PskId),
    /// A session's, for one further stream.
    Stream(StreamId),
}

impl PskName {
    /// What the key is for.
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Certificate(_) => Purpose::Certificate,
            Self::Join(_) => Purpose::Join,
            Self::Stream(_) => Purpose::Stream,
        }
    }

    /// The id on the wire.
    pub(super) fn id(&self) -> Vec<u8> {
        match self {
            Self::Certificate(id) | Self::Join(id) => id.0.to_vec(),
            Self::Stream(stream) => {
                let mut out = Writer::with_capacity(STREAM_ID_BYTES);
                out.bytes(&stream.session.0).u16(stream.home.0).bytes(&stream.nonce);
                out.into_vec()
            }
        }
    }

    fn parse(purpose: u8, id: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(id);
        let name = match purpose {
            1 => Self::Certificate(PskId(reader.array()?)),
            2 => Self::Join(PskId(reader.array()?)),
            3 => Self::Stream(StreamId {
                session: SessionId(reader.array()?),
                home: CoreId(reader.u16()?),
                nonce: reader.array()?,
            }),
            _ => return Err(WireError::Value { field: "psk_purpose", value: purpose.into() }),
        };
        reader.finish()?;
        Ok(name)
    }
}

/// M1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Hello {
    pub(super) versions: Vec<u16>,
    pub(super) suites: Vec<u16>,
    pub(super) random: [u8; 32],
    pub(super) shares: Vec<(u16, Vec<u8>)>,
    pub(super) psk: Option<(PskName, [u8; BINDER_BYTES])>,
}

impl Hello {
    pub(super) fn offer(suites: &[Suite], random: [u8; 32], share: [u8; 32], psk: Option<PskName>) -> Self {
        Self {
            versions: Vec::from([VERSION]),
            suites: suites.iter().map(|suite| suite.number()).collect(),
            random,
            shares: Vec::from([(GROUP_X25519, share.to_vec())]),
            psk: psk.map(|name| (name, [0; BINDER_BYTES])),
        }
    }

    /// Its bytes; the binder is made by `bind` from the bytes before it.
    pub(super) fn encode(&self, bind: impl FnOnce(&[u8]) -> [u8; BINDER_BYTES]) -> Vec<u8> {
        let mut out = Writer::with_capacity(256);
        write_numbers(&mut out, &self.versions);
        write_numbers(&mut out, &self.suites);
        out.bytes(&self.random).u8(self.shares.len() as u8);
        for (group, share) in &self.shares {
            out.u16(*group).counted16(share);
        }
        match &self.psk {
            None => {
                out.u8(0);
            }
            Some((name, _)) => {
                out.u8(name.purpose() as u8).counted8(&name.id());
                let binder = bind(out.as_bytes());
                out.bytes(&binder);
            }
        }
        out.into_vec()
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let versions = read_numbers(&mut reader)?;
        let suites = read_numbers(&mut reader)?;
        let random = reader.array()?;
        let mut shares: Vec<(u16, Vec<u8>)> = Vec::new();
        for _ in 0..reader.u8()? {
            let group = reader.u16()?;
            let share = reader.counted16(bytes.len())?;
            if shares.iter().any(|(other, _)| *other == group) {
                return Err(WireError::Value { field: "shares", value: group.into() });
            }
            shares.push((group, share.to_vec()));
        }
        let purpose = reader.u8()?;
        let psk = match purpose {
            0 => None,
            _ => Some((PskName::parse(purpose, reader.counted8(STREAM_ID_BYTES)?)?, reader.array()?)),
        };
        reader.finish()?;
        Ok(Self { versions, suites, random, shares, psk })
    }

    /// The bytes a binder covers.
    pub(super) fn without_binder(bytes: &[u8]) -> &[u8] {
        &bytes[..bytes.len().saturating_sub(BINDER_BYTES)]
    }

    /// The X25519 share.
    pub(super) fn x25519(&self) -> Result<[u8; 32], HandshakeError> {
        let (_, share) =
            self.shares.iter().find(|(group, _)| *group == GROUP_X25519).ok_or(HandshakeError::NoGroup)?;
        x25519_share(share)
    }
}

pub(super) fn x25519_share(share: &[u8]) -> Result<[u8; 32], HandshakeError> {
    share.try_into().map_err(|_| WireError::Value { field: "share", value: share.len() as u64 }.into())
}

fn write_numbers(out: &mut Writer, numbers: &[u16]) {
    out.u8(u8::try_from(numbers.len()).expect("we offer a handful"));
    for &number in numbers {
        out.u16(number);
    }
}

fn read_numbers(reader: &mut Reader<'_>) -> Result<Vec<u16>, WireError> {
    (0..reader.u8()?).map(|_| reader.u16()).collect()
}

/// The clear half of M2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct HelloReply {
    pub(super) version: u16,
    pub(super) suite: u16,
    pub(super) random: [u8; 32],
    pub(super) group: u16,
    pub(super) share: Vec<u8>,
}

impl HelloReply {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(72);
        out.u16(self.version).u16(self.suite).bytes(&self.random).u16(self.group).counted16(&self.share);
        out.into_vec()
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let (version, suite, random, group) = (reader.u16()?, reader.u16()?, reader.array()?, reader.u16()?);
        let share = reader.counted16(bytes.len())?.to_vec();
        reader.finish()?;
        Ok(Self { version, suite, random, group, share })
    }
}

/// What a Hello says before anything is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HelloPeek {
    /// The pre-shared key it names; a [`PskName::Stream`] says which core must carry the connection.
    pub psk: Option<PskName>,
}

/// Checks the header of the first frame of a connection: a Hello of allowed length. Returns its payload bytes.
///
/// # Errors
/// Anything else.
pub fn admit_hello(header: &[u8; HEADER_BYTES], limits: &Limits) -> Result<u32, HandshakeError> {
    let Header { kind, length } = Header::parse_unbounded(header)?;
    if kind != FrameType::Hello {
        return Err(HandshakeError::Unexpected { state: super::State::Connected, kind });
    }
    if length > limits.hello_bytes_max {
        return Err(WireError::TooLong { length: length.into(), most: limits.hello_bytes_max.into() }.into());
    }
    Ok(length)
}

/// Reads a Hello without starting a handshake, because a further stream moves to another core before any key
/// exists.
///
/// # Errors
/// It is malformed.
pub fn peek_hello(payload: &[u8]) -> Result<HelloPeek, HandshakeError> {
    let hello = Hello::parse(payload)?;
    Ok(HelloPeek { psk: hello.psk.map(|(name, _)| name) })
}
