//! Records: sealing and opening frames, one counter and one key per direction.
//!
//! ```text
//! slot:  ... | header 12 @4084 | data @4096 ...... | trailer | tag 16 |
//!              associated data   sealed in place ------------>
//! nonce = iv XOR sequence (64 bits, big-endian, in the last 8 bytes); 0 after every change of keys
//! ```
//!
//! A record is sealed and opened where it lies; nothing is allocated per record. The first record that does
//! not open ends the connection: an [`Opener`] that failed opens nothing more.
//!
//! Invariants: a (key, nonce) pair is used once; a direction's keys are never those of the other; an old
//! secret is erased when the next one is made.

use super::secret::Secret;
use super::suite::{KEY_BYTES, Key, NONCE_BYTES, Suite};
use crate::wire::{
    ChunkTrailer, Flags, FrameType, HEADER_BYTES, Header, PackTrailer, TAG_BYTES, Trailer, WireError,
    payload_bytes_max, plain_trailer, trailer_bytes,
};
use alloc::vec::Vec;
use base::codes::Code;
use base::io::Now;
use base::limits::{DATA_AT, HEADER_AT, Limits};

/// No key seals more records than this, whatever the limits say: AES-GCM's margin for full records (RFC 8446
/// section 5.5 has 2^24.5).
const RECORDS_PER_KEY_MAX: u64 = 1 << 24;

/// Why a record was not sealed or opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordError {
    /// Its header or trailer breaks a rule.
    Wire(WireError),
    /// It did not open: altered, replayed, reordered, dropped, or not for this direction.
    Forged,
    /// The key's records are used up; a change of keys was due long before.
    Exhausted,
    /// Data, trailer and tag do not fit a record.
    TooLong {
        /// Payload bytes asked for.
        length: u64,
        /// Payload bytes allowed.
        most: u64,
    },
    /// A type that was not negotiated (padding mode).
    NotNegotiated(FrameType),
}

impl RecordError {
    /// What the peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::Wire(error) => error.code(),
            Self::Forged => Code::Encryption,
            Self::Exhausted => Code::InternalError,
            Self::TooLong { .. } => Code::TooLarge,
            Self::NotNegotiated(_) => Code::InvalidRequest,
        }
    }
}

impl From<WireError> for RecordError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// Key, counter and secret of one direction.
struct Direction {
    suite: Suite,
    secret: Secret,
    key: Key,
    iv: [u8; NONCE_BYTES],
    print: u64,
    sequence: u64,
}

impl Direction {
    fn new(suite: Suite, secret: Secret) -> Self {
        let (key, iv) = keys(suite, &secret);
        let print = print(&secret);
        Self { suite, secret, key, iv, print, sequence: 0 }
    }

    fn nonce(&mut self) -> Result<[u8; NONCE_BYTES], RecordError> {
        if self.sequence >= RECORDS_PER_KEY_MAX {
            return Err(RecordError::Exhausted);
        }
        let mut nonce = self.iv;
        for (byte, count) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= count;
        }
        self.sequence += 1;
        Ok(nonce)
    }

    fn update(&mut self) {
        self.secret = self.secret.expand("upd", b"");
        (self.key, self.iv) = keys(self.suite, &self.secret);
        self.print = print(&self.secret);
        self.sequence = 0;
    }
}

/// Tells keys apart without saying anything of them.
fn print(secret: &Secret) -> u64 {
    let mut bytes = [0; 8];
    secret.expand_into("print", b"", &mut bytes);
    u64::from_be_bytes(bytes)
}

fn keys(suite: Suite, secret: &Secret) -> (Key, [u8; NONCE_BYTES]) {
    let mut bytes = zeroize::Zeroizing::new([0; KEY_BYTES]);
    secret.expand_into("key", b"", &mut *bytes);
    let mut iv = [0; NONCE_BYTES];
    secret.expand_into("iv", b"", &mut iv);
    (suite.key(&bytes), iv)
}

/// When a direction changes its keys.
#[derive(Clone, Copy, Debug)]
struct RekeyBounds {
    controls: u32,
    records: u64,
    bytes: u64,
    ms: u64,
}

/// Seals the records of one direction.
pub struct Sealer {
    direction: Direction,
    bounds: RekeyBounds,
    payload_bytes_max: u32,
    controls: u32,
    bytes: u64,
    since_ns: u64,
}

impl Sealer {
    /// Starts a direction under its traffic secret.
    pub fn new(suite: Suite, secret: Secret, limits: &Limits, now: Now) -> Self {
        Self {
            direction: Direction::new(suite, secret),
            bounds: RekeyBounds {
                controls: limits.rekey_controls_max,
                records: limits.rekey_records_max,
                bytes: limits.rekey_bytes_max,
                ms: limits.rekey_ms,
            },
            payload_bytes_max: payload_bytes_max(limits),
            controls: 0,
            bytes: 0,
            since_ns: now.mono_ns,
        }
    }

    /// Seals a record in an arena slot whose data (`data_len` bytes) already lies at
    /// [`DATA_AT`]: writes `trailer`, seals, writes tag and header. Returns where the
    /// frame begins in the slot and its bytes.
    ///
    /// # Errors
    /// It does not fit a record; the key is exhausted.
    ///
    /// # Panics
    /// `trailer` is not of the length its type has, or `slot` is no arena slot.
    pub fn seal(
        &mut self,
        kind: FrameType,
        slot: &mut [u8],
        data_len: u32,
        trailer: &[u8],
    ) -> Result<(u32, u32), RecordError> {
        assert_eq!(trailer.len(), trailer_bytes(kind), "trailer of {}", kind.name());
        let length = self.length(u64::from(data_len), trailer)?;
        let header = Header { kind, length }.encode();
        let (head, payload) = slot.split_at_mut(DATA_AT as usize);
        let payload = &mut payload[..length as usize];
        payload[data_len as usize..][..trailer.len()].copy_from_slice(trailer);
        self.seal_payload(kind, &header, payload)?;
        head[HEADER_AT as usize..].copy_from_slice(&header);
        Ok((HEADER_AT, length + HEADER_BYTES as u32))
    }

    /// Seals a small frame into memory of its own: header, data, trailer, tag.
    ///
    /// # Errors
    /// As [`Self::seal`].
    ///
    /// # Panics
    /// `trailer` is not of the length its type has.
    pub fn seal_vec(&mut self, kind: FrameType, data: &[u8], trailer: &[u8]) -> Result<Vec<u8>, RecordError> {
        assert_eq!(trailer.len(), trailer_bytes(kind), "trailer of {}", kind.name());
        let length = self.length(data.len() as u64, trailer)?;
        let header = Header { kind, length }.encode();
        let mut frame = Vec::with_capacity(HEADER_BYTES + length as usize);
        frame.extend_from_slice(&header);
        frame.extend_from_slice(data);
        frame.extend_from_slice(trailer);
        frame.resize(HEADER_BYTES + length as usize, 0);
        self.seal_payload(kind, &header, &mut frame[HEADER_BYTES..])?;
        Ok(frame)
    }

    fn length(&self, data_len: u64, trailer: &[u8]) -> Result<u32, RecordError> {
        let length = data_len + (trailer.len() + TAG_BYTES) as u64;
        let most = u64::from(self.payload_bytes_max);
        if length > most {
            return Err(RecordError::TooLong { length, most });
        }
        Ok(length as u32)
    }

    fn seal_payload(
        &mut self,
        kind: FrameType,
        header: &[u8],
        payload: &mut [u8],
    ) -> Result<(), RecordError> {
        let nonce = self.direction.nonce()?;
        let (plain, tag) = payload.split_at_mut(payload.len() - TAG_BYTES);
        tag.copy_from_slice(&self.direction.key.seal(nonce, header, plain));
        self.bytes = self.bytes.saturating_add(payload.len() as u64);
        if kind == FrameType::Control {
            self.controls = self.controls.saturating_add(1);
        }
        Ok(())
    }

    /// Whether this direction is due for a change of keys: send [`Self::rekey`]'s frame next.
    pub fn wants_rekey(&self, now: Now) -> bool {
        let age_ms = now.mono_ns.saturating_sub(self.since_ns) / 1_000_000;
        self.controls >= self.bounds.controls
            || self.direction.sequence >= self.bounds.records
            || self.bytes >= self.bounds.bytes
            || age_ms >= self.bounds.ms
    }

    /// Seals a KeyUpdate under the old key, then takes the next one and erases the old. The frame goes out
    /// before any record sealed later.
    ///
    /// # Errors
    /// The key is exhausted.
    pub fn rekey(&mut self, now: Now) -> Result<Vec<u8>, RecordError> {
        let frame = self.seal_vec(FrameType::KeyUpdate, b"", &plain_trailer(Flags::NONE))?;
        self.direction.update();
        (self.controls, self.bytes, self.since_ns) = (0, 0, now.mono_ns);
        Ok(frame)
    }

    /// Records sealed under the present key.
    pub fn records(&self) -> u64 {
        self.direction.sequence
    }

    /// Fingerprint of the present key, which says nothing of it: for whoever checks that no key seals two
    /// records under one number.
    pub fn key_print(&self) -> u64 {
        self.direction.print
    }
}

/// What an opened record holds; its data is the first `data_len` bytes of the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opened {
    /// Type.
    pub kind: FrameType,
    /// Bytes of data.
    pub data_len: u32,
    /// Flags of the trailer.
    pub flags: Flags,
    /// The trailer.
    pub trailer: Trailer,
}

impl Opened {
    /// The trailer of a Chunk.
    pub fn chunk(&self) -> Option<&ChunkTrailer> {
        match &self.trailer {
            Trailer::Chunk(trailer) => Some(trailer),
            _ => None,
        }
    }

    /// The trailer of a Pack.
    pub fn pack(&self) -> Option<&PackTrailer> {
        match &self.trailer {
            Trailer::Pack(trailer) => Some(trailer),
            _ => None,
        }
    }
}

/// Opens the records of one direction.
pub struct Opener {
    direction: Direction,
    payload_bytes_max: u32,
    broken: bool,
}

impl Opener {
    /// Starts a direction under its traffic secret.
    pub fn new(suite: Suite, secret: Secret, limits: &Limits) -> Self {
        Self {
            direction: Direction::new(suite, secret),
            payload_bytes_max: payload_bytes_max(limits),
            broken: false,
        }
    }

    /// Opens a record in place. `payload` is exactly what the header announces.
    ///
    /// # Errors
    /// It does not open or breaks a rule; the connection ends, and this opener opens nothing more.
    pub fn open(&mut self, header: &[u8; HEADER_BYTES], payload: &mut [u8]) -> Result<Opened, RecordError> {
        if self.broken {
            return Err(RecordError::Forged);
        }
        let opened = self.open_once(header, payload);
        self.broken = opened.is_err();
        opened
    }

    fn open_once(&mut self, header: &[u8; HEADER_BYTES], payload: &mut [u8]) -> Result<Opened, RecordError> {
        let Header { kind, length } = Header::parse_unbounded(header)?;
        if length > self.payload_bytes_max {
            return Err(
                WireError::TooLong { length: length.into(), most: self.payload_bytes_max.into() }.into()
            );
        }
        let tail = trailer_bytes(kind) + TAG_BYTES;
        if payload.len() != length as usize || payload.len() < tail {
            return Err(
                WireError::Truncated { wanted: tail.max(length as usize), left: payload.len() }.into()
            );
        }
        let nonce = self.direction.nonce()?;
        self.direction.key.open(nonce, header, payload).map_err(|_| RecordError::Forged)?;
        if kind == FrameType::Opaque {
            return Err(RecordError::NotNegotiated(kind));
        }
        let data_len = payload.len() - tail;
        let trailer = Trailer::parse(kind, &payload[data_len..payload.len() - TAG_BYTES])?;
        Ok(Opened { kind, data_len: data_len as u32, flags: trailer.flags(), trailer })
    }

    /// Takes the next key after a KeyUpdate was opened, and erases the old one.
    pub fn on_key_update(&mut self) {
        self.direction.update();
    }
}

#[cfg(test)]
mod tests;
