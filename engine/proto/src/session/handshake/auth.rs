//! The items of an Auth message: Caps, Cert, Sig, Fin. Written and checked in this order, nothing else.
//!
//! Fin is checked first, because it is cheap and covers the rest; then the chain root -> certificate ->
//! signature over the transcript; only then what an honest peer may have wrong: clock, time, revocation.

use super::schedule::Transcript;
use super::{Config, HandshakeError, Role};
use crate::session::certificate::{CERTIFICATE_BYTES_MAX, Certificate, device_id, strong_key};
use crate::session::secret::Secret;
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, WireError, Writer};
use alloc::vec::Vec;
use base::ids::DeviceId;
use base::limits::Limits;
use ed25519_dalek::Signature;

pub(super) const ITEM_HELLO: u8 = 1;
pub(super) const ITEM_HELLO_REPLY: u8 = 2;
const ITEM_CAPS: u8 = 3;
const ITEM_CERT: u8 = 4;
const ITEM_SIG: u8 = 5;
const ITEM_FIN: u8 = 6;
/// Caps may grow; what is unknown at their end is ignored, though signed.
const CAPS_BYTES_MAX: usize = 256;

/// The tables of FORMAT.md.
pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "Auth",
        place: "data of Auth (M2, M3): items in this order; psk-only: Caps and Fin",
        fields: &[
            field("caps", "u8 3, u24 length, Caps", "what the sender can do"),
            field("cert", "u8 4, u24 length, Certificate", "who it is"),
            field(
                "sig",
                "u8 5, u24 64, [64]",
                "Ed25519 over \"xferd/1 responder\" or \"xferd/1 initiator\" || 0 || TH(.. cert)",
            ),
            field("fin", "u8 6, u24 32, [32]", "HMAC(Expand(x_hs, \"fin\"), TH(.. sig))"),
        ],
    },
    Layout {
        name: "Caps",
        place: "item Caps of Auth; more bytes may follow and are ignored",
        fields: &[
            field("record_bytes", "u32", "must be equal on both sides"),
            field("control_bytes_max", "u32", "largest Control message the sender takes"),
            field("window_bytes", "u64", "window per stream the sender grants"),
            field("streams_max", "u16", "data streams of one transfer"),
            field("link", "u8", "1: a standing link (initiator), a listening device (responder); else 0"),
            field("features", "u64", "bits; none is defined"),
            field("crl_version", "u64", "newest revocation list the sender holds"),
            field("utc_ms", "u64", "the sender's clock"),
        ],
    },
];

/// What one side can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    /// Bytes of a record; equal on both sides.
    pub record_bytes: u32,
    /// Largest Control message it takes.
    pub control_bytes_max: u32,
    /// Window per stream it grants.
    pub window_bytes: u64,
    /// Data streams of one transfer.
    pub streams_max: u16,
    /// Initiator: this is a standing link. Responder: the device listens.
    pub link: bool,
    /// Negotiable features; none is defined.
    pub features: u64,
    /// Newest revocation list it holds.
    pub crl_version: u64,
    /// Its clock.
    pub utc_ms: u64,
}

impl Caps {
    pub(super) fn new(config: &Config, link: bool, utc_ms: u64) -> Self {
        let Limits { record_bytes, control_bytes_max, window_bytes_per_stream, streams_max, .. } =
            config.limits;
        Self {
            record_bytes,
            control_bytes_max,
            window_bytes: window_bytes_per_stream,
            streams_max: u16::try_from(streams_max).unwrap_or(u16::MAX),
            link,
            features: config.features,
            crl_version: config.trust.crl_version(),
            utc_ms,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(43);
        out.u32(self.record_bytes).u32(self.control_bytes_max).u64(self.window_bytes).u16(self.streams_max);
        out.u8(self.link.into()).u64(self.features).u64(self.crl_version).u64(self.utc_ms);
        out.into_vec()
    }

    fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        Ok(Self {
            record_bytes: reader.u32()?,
            control_bytes_max: reader.u32()?,
            window_bytes: reader.u64()?,
            streams_max: reader.u16()?,
            link: match reader.u8()? {
                0 => false,
                1 => true,
                other => return Err(WireError::Value { field: "link", value: other.into() }),
            },
            features: reader.u64()?,
            crl_version: reader.u64()?,
            utc_ms: reader.u64()?,
        })
    }
}

fn signed(role: Role, transcript: &Transcript) -> Vec<u8> {
    let context: &[u8] = match role {
        Role::Initiator => b"xferd/1 initiator\0",
        Role::Responder => b"xferd/1 responder\0",
    };
    [context, &transcript.hash()].concat()
}

/// Writes our Auth and adds its items to the transcript.
pub(super) fn write(
    config: &Config,
    role: Role,
    caps: &Caps,
    certificate: Option<&Certificate>,
    transcript: &mut Transcript,
    fin_key: &Secret,
) -> Vec<u8> {
    let mut out = Writer::with_capacity(512);
    let mut item = |kind: u8, bytes: &[u8], transcript: &mut Transcript| {
        out.u8(kind).u24(bytes.len() as u32).bytes(bytes);
        transcript.add(kind, bytes);
    };
    item(ITEM_CAPS, &caps.encode(), transcript);
    if let Some(certificate) = certificate {
        item(ITEM_CERT, certificate.encode(), transcript);
        item(ITEM_SIG, &config.signer.sign(&signed(role, transcript)), transcript);
    }
    item(ITEM_FIN, &fin_key.mac(&transcript.hash()), transcript);
    out.into_vec()
}

/// What a peer's Auth proved.
pub(super) struct Proven {
    pub(super) caps: Caps,
    pub(super) certificate: Option<Certificate>,
}

/// What the peer's Auth is checked against.
pub(super) struct Check<'a> {
    pub(super) config: &'a Config,
    /// The sender's.
    pub(super) role: Role,
    pub(super) certified: bool,
    pub(super) expect: Option<DeviceId>,
    pub(super) fin_key: Secret,
    pub(super) utc_ms: u64,
}

impl Check<'_> {
    /// Reads and checks the peer's Auth and adds its items to the transcript.
    pub(super) fn read(&self, data: &[u8], transcript: &mut Transcript) -> Result<Proven, HandshakeError> {
        let mut reader = Reader::new(data);
        let caps = item(&mut reader, ITEM_CAPS, CAPS_BYTES_MAX)?;
        transcript.add(ITEM_CAPS, caps);
        let mut chain = None;
        if self.certified {
            let cert = item(&mut reader, ITEM_CERT, CERTIFICATE_BYTES_MAX)?;
            transcript.add(ITEM_CERT, cert);
            let message = signed(self.role, transcript);
            let sig = item(&mut reader, ITEM_SIG, 64)?;
            transcript.add(ITEM_SIG, sig);
            chain = Some((cert, message, sig));
        }
        let all = transcript.hash();
        let fin = item(&mut reader, ITEM_FIN, 32)?;
        transcript.add(ITEM_FIN, fin);
        reader.finish()?;
        let tag = fin.try_into().map_err(|_| HandshakeError::Finished)?;
        if !self.fin_key.mac_holds(&all, tag) {
            return Err(HandshakeError::Finished);
        }
        let caps = Caps::parse(caps)?;
        let certificate = match chain {
            Some((cert, message, sig)) => Some(self.chain(cert, &message, sig)?),
            None => None,
        };
        self.judge(&caps, certificate.as_ref())?;
        Ok(Proven { caps, certificate })
    }

    fn chain(&self, cert: &[u8], message: &[u8], sig: &[u8]) -> Result<Certificate, HandshakeError> {
        let certificate = Certificate::parse(cert)?;
        let root = self
            .config
            .trust
            .root(certificate.root())
            .ok_or(HandshakeError::UntrustedRoot(certificate.root()))?;
        certificate.verify_signature(&root)?;
        let sig = Signature::from_slice(sig).map_err(|_| HandshakeError::Signature)?;
        strong_key(certificate.public_key())?
            .verify_strict(message, &sig)
            .map_err(|_| HandshakeError::Signature)?;
        Ok(certificate)
    }

    /// What an honest peer may have wrong. The clock comes first: a wrong one explains a wrong time.
    fn judge(&self, caps: &Caps, certificate: Option<&Certificate>) -> Result<(), HandshakeError> {
        let ours = self.config.limits.record_bytes;
        if caps.record_bytes != ours {
            return Err(HandshakeError::RecordBytes { ours, theirs: caps.record_bytes });
        }
        if caps.utc_ms.abs_diff(self.utc_ms) > self.config.limits.clock_skew_ms {
            return Err(HandshakeError::ClockSkew { ours_utc_ms: self.utc_ms, theirs_utc_ms: caps.utc_ms });
        }
        let Some(certificate) = certificate else { return Ok(()) };
        certificate.verify_time(self.utc_ms)?;
        let found = certificate.device();
        if found == device_id(&self.config.signer.public_key()) {
            return Err(HandshakeError::Myself);
        }
        if self.config.trust.is_revoked(certificate) {
            return Err(HandshakeError::Revoked { device: found, serial: certificate.claim().serial });
        }
        match self.expect {
            Some(expected) if expected != found => Err(HandshakeError::OtherDevice { expected, found }),
            _ => Ok(()),
        }
    }
}

fn item<'a>(reader: &mut Reader<'a>, kind: u8, most: usize) -> Result<&'a [u8], WireError> {
    let found = reader.u8()?;
    if found != kind {
        return Err(WireError::Value { field: "item", value: found.into() });
    }
    let length = reader.u24()? as usize;
    if length > most {
        return Err(WireError::TooLong { length: length as u64, most: most as u64 });
    }
    reader.bytes(length)
}
