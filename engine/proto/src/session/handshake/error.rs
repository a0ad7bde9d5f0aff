//! How a handshake fails, sorted by who is to blame.

use super::State;
use crate::message::Close;
use crate::session::certificate::CertificateError;
use crate::session::record::RecordError;
use crate::wire::{FrameType, WireError};
use alloc::format;
use alloc::string::String;
use base::codes::Code;
use base::ids::{DeviceId, RootId};

/// Who is to blame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blame {
    /// The peer, or somebody between, broke a rule.
    PeerMisbehaved,
    /// Both are right, and cannot talk.
    PeerIncompatible,
    /// The peer is who it says, and is not trusted here.
    PeerUntrusted,
    /// The peer, or its silence, ended it.
    Refused,
    /// We lack something.
    Local,
}

/// Why a handshake failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HandshakeError {
    /// A message breaks the byte format.
    Wire(WireError),
    /// A record did not open.
    Record(RecordError),
    /// A frame that has no place in this state.
    Unexpected {
        /// Where we stood.
        state: State,
        /// What came.
        kind: FrameType,
    },
    /// More bytes than an unauthenticated peer may send.
    TooMuch {
        /// Bytes it sent or announced.
        bytes: u64,
        /// Bytes allowed.
        most: u64,
    },
    /// Its key share makes the shared secret zero.
    ZeroShare,
    /// It chose what was not offered.
    NotOffered {
        /// Field of HelloReply.
        field: &'static str,
        /// Its value.
        value: u16,
    },
    /// The form or signature of its certificate is wrong.
    Certificate(CertificateError),
    /// Its signature over the transcript does not hold.
    Signature,
    /// Its Fin does not hold.
    Finished,
    /// It is ourselves.
    Myself,
    /// No version in common.
    NoVersion,
    /// No suite in common.
    NoSuite,
    /// No group in common.
    NoGroup,
    /// Records of another size.
    RecordBytes {
        /// Ours.
        ours: u32,
        /// The peer's.
        theirs: u32,
    },
    /// Its certificate was issued by a root that is not trusted here.
    UntrustedRoot(RootId),
    /// Its certificate was revoked.
    Revoked {
        /// Its device.
        device: DeviceId,
        /// The certificate.
        serial: u64,
    },
    /// The clocks differ too much.
    ClockSkew {
        /// Our clock.
        ours_utc_ms: u64,
        /// The peer's.
        theirs_utc_ms: u64,
    },
    /// Another device than the one expected.
    OtherDevice {
        /// Whom we meant.
        expected: DeviceId,
        /// Who answered.
        found: DeviceId,
    },
    /// Its pre-shared key is unknown, used or expired, or it does not hold it.
    UnknownPsk,
    /// The deadline passed.
    Timeout,
    /// The peer refused us, under its keys.
    Refused(Close),
    /// We turn the peer away for a reason outside the handshake: full, or denied.
    Turned(Close),
    /// The connection ended; before HelloReply the peer may have said why, unauthenticated.
    Ended {
        /// What a Close in the clear said.
        hint: Option<Close>,
    },
    /// We have no certificate to show.
    NoCertificate,
}

impl HandshakeError {
    /// Who is to blame.
    pub fn blame(&self) -> Blame {
        match self {
            Self::NoVersion | Self::NoSuite | Self::NoGroup | Self::RecordBytes { .. } => {
                Blame::PeerIncompatible
            }
            Self::UntrustedRoot(_)
            | Self::Revoked { .. }
            | Self::ClockSkew { .. }
            | Self::OtherDevice { .. } => Blame::PeerUntrusted,
            Self::UnknownPsk => Blame::PeerUntrusted,
            Self::Certificate(CertificateError::Expired { .. } | CertificateError::NotYet { .. }) => {
                Blame::PeerUntrusted
            }
            Self::Timeout | Self::Refused(_) | Self::Ended { .. } => Blame::Refused,
            Self::NoCertificate | Self::Turned(_) => Blame::Local,
            _ => Blame::PeerMisbehaved,
        }
    }

    /// The code, for the peer and for our own report.
    pub fn code(&self) -> Code {
        match self {
            Self::Wire(error) => error.code(),
            Self::Record(error) => error.code(),
            Self::Unexpected { .. } | Self::NotOffered { .. } => Code::InvalidRequest,
            Self::TooMuch { .. } => Code::TooLarge,
            Self::ZeroShare | Self::Finished | Self::Myself | Self::OtherDevice { .. } => Code::AuthFailed,
            Self::Certificate(error) => error.code(),
            Self::Signature => Code::InvalidSignature,
            Self::NoVersion | Self::NoSuite | Self::NoGroup | Self::RecordBytes { .. } => Code::Version,
            Self::UntrustedRoot(_) => Code::UntrustedRoot,
            Self::Revoked { .. } => Code::Revoked,
            Self::ClockSkew { .. } => Code::ClockSkew,
            Self::UnknownPsk => Code::InvalidToken,
            Self::Timeout => Code::Timeout,
            Self::Refused(close) | Self::Turned(close) => close.code,
            Self::Ended { hint } => hint.as_ref().map_or(Code::ConnectionLost, |close| close.code),
            Self::NoCertificate => Code::AuthRequired,
        }
    }

    /// What the peer is told beside the code: numbers it needs to put it right, nothing about our state.
    pub fn detail(&self) -> String {
        match self {
            Self::ClockSkew { ours_utc_ms, theirs_utc_ms } => {
                format!("clocks differ: here utc_ms={ours_utc_ms}, peer utc_ms={theirs_utc_ms}")
            }
            Self::Certificate(CertificateError::Expired { not_after }) => format!("not_after={not_after}"),
            Self::Certificate(CertificateError::NotYet { not_before }) => format!("not_before={not_before}"),
            Self::UntrustedRoot(root) => format!("root={root}"),
            Self::NoVersion => "versions: 1".into(),
            Self::NoSuite => "no common suite".into(),
            Self::NoGroup => "no common group".into(),
            Self::RecordBytes { ours, theirs } => format!("record_bytes: here {ours}, peer {theirs}"),
            _ => String::new(),
        }
    }

    /// The Close that tells the peer; `None` when there is nobody to tell.
    pub(super) fn close(&self) -> Option<Close> {
        match self {
            Self::Refused(_) | Self::Ended { .. } | Self::Record(RecordError::Forged) => None,
            Self::Turned(close) => Some(close.clone()),
            _ => Some(Close::new(self.code(), &self.detail())),
        }
    }
}

impl From<WireError> for HandshakeError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<RecordError> for HandshakeError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl From<CertificateError> for HandshakeError {
    fn from(error: CertificateError) -> Self {
        match error {
            CertificateError::OtherRoot(root) => Self::UntrustedRoot(root),
            error => Self::Certificate(error),
        }
    }
}
