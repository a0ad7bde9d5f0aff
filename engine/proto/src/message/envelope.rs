//! The envelope of every Control message, and of what outlives a session.
//!
//! ```text
//! { header: { version: 1, type: "share", id: uuid, timestamp: UTC datetime, reply_to?: uuid,
//!             metadata?: binary, integrity_check?: binary(32) = BLAKE3(payload),
//!             source?: { device: binary(32), name: text }, signature?: binary(64) },
//!   payload?: binary }
//! ```
//!
//! bson sees a peer's bytes only after [`scan`] has passed them. Keys not listed are refused: a later version
//! of the header announces itself by its number.

use super::scan::{ScanError, scan};
use crate::session::certificate::strong_key;
use crate::session::handshake::Signer;
use crate::wire::Writer;
use alloc::string::String;
use alloc::vec::Vec;
use base::codes::Code;
use base::ids::DeviceId;
use base::limits::Limits;
use bson::DateTime;
use bson::raw::{RawBinaryRef, RawBsonRef, RawDocument, RawDocumentBuf, cstr};
use bson::spec::BinarySubtype;
use bytes::Bytes;
use ed25519_dalek::Signature;

/// Version of the header.
pub const VERSION: i32 = 1;
/// Longest type: the name of a protocol.
pub const TYPE_BYTES_MAX: usize = 64;
/// Longest name of a source.
pub const SOURCE_NAME_BYTES_MAX: usize = 64;
/// Envelope bytes beside payload and metadata, at most.
pub const OVERHEAD_BYTES_MAX: usize = 640;
const CONTEXT: &[u8] = b"xferd/1 message\0";

/// Names a message: a UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct MessageId(pub [u8; 16]);

impl MessageId {
    /// A version 4 UUID (RFC 9562) of random bytes.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

/// Who made a message that outlives its session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The device.
    pub device: DeviceId,
    /// Its name, for people.
    pub name: String,
}

/// An envelope whose form is right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// The protocol of a request; `success`, `protocol` or `error` of a reply.
    pub kind: String,
    /// Its id.
    pub id: MessageId,
    /// When it was made, UTC ms.
    pub utc_ms: i64,
    /// The request it answers.
    pub reply_to: Option<MessageId>,
    /// Metadata of a request.
    pub metadata: Option<Bytes>,
    /// The protocol's own bytes.
    pub payload: Option<Bytes>,
    /// Who made it, and the signature; on what outlives the session.
    pub signed: Option<(Source, [u8; 64])>,
}

/// What is wrong with an envelope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EnvelopeError {
    /// More bytes than allowed.
    TooLong {
        /// Bytes it has.
        length: u64,
        /// Bytes allowed.
        most: u64,
    },
    /// Its BSON breaks a rule.
    Scan(ScanError),
    /// A key is missing, unknown, or of the wrong type or length.
    Field(&'static str),
    /// A version of the header this program does not know.
    Version(i32),
    /// BLAKE3 of the payload is not what the header says.
    Integrity,
    /// The signature is missing or does not hold, or the source is another device.
    Signature,
}

impl EnvelopeError {
    /// What the peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::TooLong { .. } => Code::TooLarge,
            Self::Version(_) => Code::Version,
            Self::Integrity => Code::Integrity,
            Self::Signature => Code::InvalidSignature,
            Self::Scan(_) | Self::Field(_) => Code::InvalidRequest,
        }
    }
}

impl From<ScanError> for EnvelopeError {
    fn from(error: ScanError) -> Self {
        Self::Scan(error)
    }
}

impl Envelope {
    /// Its BSON. The integrity check is always written.
    pub fn encode(&self) -> Vec<u8> {
        let mut header = RawDocumentBuf::new();
        header.append(cstr!("version"), VERSION);
        header.append(cstr!("type"), self.kind.as_str());
        header.append(cstr!("id"), uuid(&self.id));
        header.append(cstr!("timestamp"), DateTime::from_millis(self.utc_ms));
        if let Some(reply_to) = &self.reply_to {
            header.append(cstr!("reply_to"), uuid(reply_to));
        }
        if let Some(metadata) = &self.metadata {
            header.append(cstr!("metadata"), binary(metadata));
        }
        header.append(cstr!("integrity_check"), binary(&self.integrity()));
        if let Some((source, signature)) = &self.signed {
            let mut from = RawDocumentBuf::new();
            from.append(cstr!("device"), binary(&source.device.0));
            from.append(cstr!("name"), source.name.as_str());
            header.append(cstr!("source"), from);
            header.append(cstr!("signature"), binary(signature));
        }
        let mut envelope = RawDocumentBuf::new();
        envelope.append(cstr!("header"), header);
        if let Some(payload) = &self.payload {
            envelope.append(cstr!("payload"), binary(payload));
        }
        envelope.into_bytes()
    }

    /// Reads an envelope from a peer; payload and metadata share its memory.
    ///
    /// # Errors
    /// The rule it breaks. A signature is not checked here: see [`Self::verify`].
    pub fn decode(bytes: &Bytes, limits: &Limits) -> Result<Self, EnvelopeError> {
        let most = u64::from(limits.control_bytes_max);
        if bytes.len() as u64 > most {
            return Err(EnvelopeError::TooLong { length: bytes.len() as u64, most });
        }
        scan(bytes, limits)?;
        let document = RawDocument::from_bytes(&bytes[..]).map_err(|_| EnvelopeError::Field("header"))?;
        let (mut header, mut payload) = (None, None);
        for element in document {
            let (key, value) = element.map_err(|_| EnvelopeError::Field("header"))?;
            match key.as_str() {
                "header" => header = Some(value.as_document().ok_or(EnvelopeError::Field("header"))?),
                "payload" => payload = Some(bytes.slice_ref(generic(value, "payload")?)),
                _ => return Err(EnvelopeError::Field("key")),
            }
        }
        let header = Header::read(header.ok_or(EnvelopeError::Field("header"))?)?;
        let envelope = Self {
            kind: header.kind.ok_or(EnvelopeError::Field("type"))?.into(),
            id: header.id.ok_or(EnvelopeError::Field("id"))?,
            utc_ms: header.utc_ms.ok_or(EnvelopeError::Field("timestamp"))?,
            reply_to: header.reply_to,
            metadata: header.metadata.map(|metadata| bytes.slice_ref(metadata)),
            payload,
            signed: match (header.source, header.signature) {
                (None, None) => None,
                (Some(source), Some(signature)) => Some((source, signature)),
                _ => return Err(EnvelopeError::Signature),
            },
        };
        match header.integrity {
            Some(integrity) if integrity != envelope.integrity() => Err(EnvelopeError::Integrity),
            None if envelope.signed.is_some() => Err(EnvelopeError::Integrity),
            _ => Ok(envelope),
        }
    }

    /// BLAKE3 of the payload; of nothing without one.
    fn integrity(&self) -> [u8; 32] {
        *blake3::hash(self.payload.as_deref().unwrap_or_default()).as_bytes()
    }

    /// Signs it as `source`, so that it can be checked without the session it came through.
    pub fn sign(&mut self, signer: &dyn Signer, source: Source) {
        let signature = signer.sign(&self.signed_bytes(&source));
        self.signed = Some((source, signature));
    }

    /// Checks that the device with this public key made it. Whether that device may is not asked here.
    ///
    /// # Errors
    /// It is not signed, by another device, or the signature does not hold.
    pub fn verify(&self, public_key: &[u8; 32]) -> Result<&Source, EnvelopeError> {
        let (source, signature) = self.signed.as_ref().ok_or(EnvelopeError::Signature)?;
        if crate::session::certificate::device_id(public_key) != source.device {
            return Err(EnvelopeError::Signature);
        }
        let key = strong_key(public_key).map_err(|_| EnvelopeError::Signature)?;
        key.verify_strict(&self.signed_bytes(source), &Signature::from_bytes(signature))
            .map_err(|_| EnvelopeError::Signature)?;
        Ok(source)
    }

    /// Every field of the header in a fixed binary form, and the integrity check in place of the payload.
    fn signed_bytes(&self, source: &Source) -> Vec<u8> {
        let mut out = Writer::with_capacity(256);
        out.bytes(CONTEXT).u32(VERSION as u32).counted8(self.kind.as_bytes()).bytes(&self.id.0);
        out.i64(self.utc_ms).counted8(self.reply_to.as_ref().map_or(&[], |id| &id.0));
        match &self.metadata {
            None => out.u8(0),
            Some(metadata) => out.u8(1).bytes(blake3::hash(metadata).as_bytes()),
        };
        out.u8(self.payload.is_some().into()).bytes(&self.integrity());
        out.bytes(&source.device.0).counted8(source.name.as_bytes());
        out.into_vec()
    }
}

#[derive(Default)]
struct Header<'a> {
    kind: Option<&'a str>,
    id: Option<MessageId>,
    utc_ms: Option<i64>,
    reply_to: Option<MessageId>,
    metadata: Option<&'a [u8]>,
    integrity: Option<[u8; 32]>,
    source: Option<Source>,
    signature: Option<[u8; 64]>,
}

impl<'a> Header<'a> {
    fn read(document: &'a RawDocument) -> Result<Self, EnvelopeError> {
        let mut header = Self::default();
        let mut version = None;
        for element in document {
            let (key, value) = element.map_err(|_| EnvelopeError::Field("header"))?;
            match key.as_str() {
                "version" => version = value.as_i32(),
                "type" => header.kind = Some(name(value, "type", TYPE_BYTES_MAX)?),
                "id" => header.id = Some(id(value, "id")?),
                "timestamp" => header.utc_ms = value.as_datetime().map(DateTime::timestamp_millis),
                "reply_to" => header.reply_to = Some(id(value, "reply_to")?),
                "metadata" => header.metadata = Some(generic(value, "metadata")?),
                "integrity_check" => header.integrity = Some(exact(value, "integrity_check")?),
                "source" => header.source = Some(source(value)?),
                "signature" => header.signature = Some(exact(value, "signature")?),
                _ => return Err(EnvelopeError::Field("key")),
            }
        }
        match version {
            Some(VERSION) => Ok(header),
            Some(other) => Err(EnvelopeError::Version(other)),
            None => Err(EnvelopeError::Field("version")),
        }
    }
}

fn source(value: RawBsonRef<'_>) -> Result<Source, EnvelopeError> {
    let document = value.as_document().ok_or(EnvelopeError::Field("source"))?;
    let (mut device, mut label) = (None, None);
    for element in document {
        let (key, value) = element.map_err(|_| EnvelopeError::Field("source"))?;
        match key.as_str() {
            "device" => device = Some(DeviceId(exact(value, "device")?)),
            "name" => label = Some(name(value, "name", SOURCE_NAME_BYTES_MAX)?),
            _ => return Err(EnvelopeError::Field("source")),
        }
    }
    match (device, label) {
        (Some(device), Some(label)) => Ok(Source { device, name: label.into() }),
        _ => Err(EnvelopeError::Field("source")),
    }
}

fn uuid(id: &MessageId) -> RawBsonRef<'_> {
    RawBsonRef::Binary(RawBinaryRef { subtype: BinarySubtype::Uuid, bytes: &id.0 })
}

fn binary(bytes: &[u8]) -> RawBsonRef<'_> {
    RawBsonRef::Binary(RawBinaryRef { subtype: BinarySubtype::Generic, bytes })
}

fn name<'a>(value: RawBsonRef<'a>, field: &'static str, most: usize) -> Result<&'a str, EnvelopeError> {
    let text = value.as_str().ok_or(EnvelopeError::Field(field))?;
    let fits = (1..=most).contains(&text.len()) && !text.chars().any(char::is_control);
    fits.then_some(text).ok_or(EnvelopeError::Field(field))
}

fn generic<'a>(value: RawBsonRef<'a>, field: &'static str) -> Result<&'a [u8], EnvelopeError> {
    match value.as_binary() {
        Some(binary) if binary.subtype == BinarySubtype::Generic => Ok(binary.bytes),
        _ => Err(EnvelopeError::Field(field)),
    }
}

fn exact<const N: usize>(value: RawBsonRef<'_>, field: &'static str) -> Result<[u8; N], EnvelopeError> {
    generic(value, field)?.try_into().map_err(|_| EnvelopeError::Field(field))
}

fn id(value: RawBsonRef<'_>, field: &'static str) -> Result<MessageId, EnvelopeError> {
    match value.as_binary() {
        Some(binary) if binary.subtype == BinarySubtype::Uuid => {
            binary.bytes.try_into().map(MessageId).map_err(|_| EnvelopeError::Field(field))
        }
        _ => Err(EnvelopeError::Field(field)),
    }
}

#[cfg(test)]
mod tests;
