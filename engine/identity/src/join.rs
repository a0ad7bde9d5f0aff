//! Joining: a device proves its key inside a session made with a token, and gets its certificate.
//!
//! ```text
//! device -- JoinRequest {public key, name, signature over the session and the key} --> hub
//! device <-- JoinReply {certificate, trust root, hub name} --------------------------- hub
//! ```
//!
//! The signature names the session, so a request cannot be replayed in another one; the session's keys come
//! from the token and the hub's device id, so the reply is the hub's.

use crate::key::DeviceKey;
use crate::root::{ROOT_BYTES_MAX, RootError, TrustRoot};
use base::codes::Code;
use base::ids::{DeviceId, SessionId};
use ed25519_dalek::Signature;
use proto::session::certificate::{
    ACCOUNT_BYTES_MAX, CERTIFICATE_BYTES_MAX, Certificate, CertificateError, device_id, is_account_name,
    strong_key,
};
use proto::wire::layouts::{Field, field};
use proto::wire::{Reader, WireError, Writer};
use std::fmt;

const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"xferd/1 join";

pub(crate) const REQUEST_FIELDS: &[Field] = &[
    field("version", "u8", "1"),
    field("public_key", "[32]", "the device's Ed25519 key; weak keys are refused"),
    field("name_len", "u8", "1 to 64"),
    field("name", "name_len bytes", "what the device calls itself; printable UTF-8"),
    field("signature", "[64]", "Ed25519 by public_key over `xferd/1 join`, the session id and public_key"),
];

pub(crate) const REPLY_FIELDS: &[Field] = &[
    field("version", "u8", "1"),
    field("certificate_len", "u16", "at most that of the largest certificate"),
    field("certificate", "certificate_len bytes", "see Certificate in the protocol's tables"),
    field("root_len", "u16", "at most that of the largest root"),
    field("root", "root_len bytes", "see Trust root"),
    field("name_len", "u8", "1 to 64"),
    field("name", "name_len bytes", "what the hub calls itself; printable UTF-8"),
];

/// A device's request, its signature checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinRequest {
    /// Its key; not a weak one.
    pub public_key: [u8; 32],
    /// What it calls itself.
    pub name: String,
}

/// A hub's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinReply {
    /// The device's certificate.
    pub certificate: Certificate,
    /// The root that issued it.
    pub root: TrustRoot,
    /// What the hub calls itself.
    pub hub_name: String,
}

/// What is wrong with a request or reply to join.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JoinError {
    /// Its bytes.
    Wire(WireError),
    /// A version this program does not know.
    Version(u8),
    /// A name is empty, too long or cannot be shown.
    Name,
    /// The device's key is weak or no key.
    WeakKey,
    /// The device's signature does not hold in this session.
    Signature,
    /// The certificate.
    Certificate(CertificateError),
    /// The trust root.
    Root(RootError),
    /// The certificate is another device's.
    OtherDevice(DeviceId),
    /// The certificate is for another account than the token.
    OtherAccount,
}

impl JoinError {
    /// What the peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::Wire(error) => error.code(),
            Self::Version(_) => Code::Version,
            Self::Name | Self::WeakKey => Code::InvalidRequest,
            Self::Signature => Code::InvalidSignature,
            Self::Certificate(error) => error.code(),
            Self::Root(error) => error.code(),
            Self::OtherDevice(_) | Self::OtherAccount => Code::AuthFailed,
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(_) => write!(f, "the join message is malformed"),
            Self::Version(found) => write!(f, "the join message has version {found}: update this program"),
            Self::Name => write!(f, "a device's name is 1 to {ACCOUNT_BYTES_MAX} printable bytes"),
            Self::WeakKey => write!(f, "the device's key is weak"),
            Self::Signature => write!(f, "the device's signature does not hold"),
            Self::Certificate(CertificateError::NotYet { .. }) => {
                write!(f, "the certificate's time has not begun: set this machine's clock")
            }
            Self::Certificate(CertificateError::Expired { .. }) => {
                write!(f, "the certificate's time is over: set this machine's clock")
            }
            Self::Certificate(_) => write!(f, "the hub's certificate for this device does not hold"),
            Self::Root(error) => error.fmt(f),
            Self::OtherDevice(device) => write!(f, "the hub certified another device ({})", device.short()),
            Self::OtherAccount => {
                write!(f, "the hub certified this device for another account than the token's")
            }
        }
    }
}

impl std::error::Error for JoinError {}

impl From<WireError> for JoinError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

fn name(bytes: &[u8]) -> Result<String, JoinError> {
    let name = str::from_utf8(bytes).ok().filter(|name| is_account_name(name));
    name.map(str::to_owned).ok_or(JoinError::Name)
}

fn version(reader: &mut Reader<'_>) -> Result<(), JoinError> {
    match reader.u8()? {
        VERSION => Ok(()),
        other => Err(JoinError::Version(other)),
    }
}

fn message(session: &SessionId, public_key: &[u8; 32]) -> Vec<u8> {
    [CONTEXT, &session.0, public_key].concat()
}

impl JoinRequest {
    /// A request's bytes, signed for one session.
    ///
    /// # Errors
    /// The name cannot be one.
    pub fn sign(key: &DeviceKey, device_name: &str, session: &SessionId) -> Result<Vec<u8>, JoinError> {
        name(device_name.as_bytes())?;
        let public_key = key.public();
        let mut out = Writer::new();
        out.u8(VERSION).bytes(&public_key).counted8(device_name.as_bytes());
        out.bytes(&key.sign(&message(session, &public_key)));
        Ok(out.into_vec())
    }

    /// Reads a request and checks its signature for the session it came in.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn verify(bytes: &[u8], session: &SessionId) -> Result<Self, JoinError> {
        let mut reader = Reader::new(bytes);
        version(&mut reader)?;
        let public_key = reader.array()?;
        let name = name(reader.counted8(ACCOUNT_BYTES_MAX)?)?;
        let signature = Signature::from_bytes(&reader.array()?);
        reader.finish()?;
        let key = strong_key(&public_key).map_err(|_| JoinError::WeakKey)?;
        key.verify_strict(&message(session, &public_key), &signature).map_err(|_| JoinError::Signature)?;
        Ok(Self { public_key, name })
    }

    /// The device's id.
    pub fn device(&self) -> DeviceId {
        device_id(&self.public_key)
    }
}

impl JoinReply {
    /// A reply's bytes. `certificate` is passed as bytes, because a stored one is given again as it is.
    ///
    /// # Errors
    /// The hub's name cannot be one.
    pub fn encode(certificate: &[u8], root: &TrustRoot, hub_name: &str) -> Result<Vec<u8>, JoinError> {
        name(hub_name.as_bytes())?;
        let mut out = Writer::new();
        out.u8(VERSION).counted16(certificate).counted16(root.encode()).counted8(hub_name.as_bytes());
        Ok(out.into_vec())
    }

    /// Reads a reply and checks that it is what was asked for: the root's signature, this device's key, the
    /// token's account, the time.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn verify(bytes: &[u8], key: &DeviceKey, account: &str, now_ms: u64) -> Result<Self, JoinError> {
        let mut reader = Reader::new(bytes);
        version(&mut reader)?;
        let certificate = Certificate::parse(reader.counted16(CERTIFICATE_BYTES_MAX)?);
        let root = TrustRoot::parse(reader.counted16(ROOT_BYTES_MAX)?).map_err(JoinError::Root)?;
        let hub_name = name(reader.counted8(ACCOUNT_BYTES_MAX)?)?;
        reader.finish()?;
        let certificate = certificate.map_err(JoinError::Certificate)?;
        certificate.verify(root.public_key(), now_ms).map_err(JoinError::Certificate)?;
        if certificate.device() != key.device_id() {
            return Err(JoinError::OtherDevice(certificate.device()));
        }
        if certificate.account() != account {
            return Err(JoinError::OtherAccount);
        }
        Ok(Self { certificate, root, hub_name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::tests::authority;
    use base::limits::Limits;
    use proptest::prelude::*;

    const SESSION: SessionId = SessionId([5; 32]);
    const NOW_MS: u64 = 1_700_000_000_000;

    fn key() -> DeviceKey {
        DeviceKey::generate(&[2; 32])
    }

    fn reply() -> Vec<u8> {
        let authority = authority(1);
        let certificate = authority.issue(1, &key().public(), "alice", NOW_MS, &Limits::DEFAULT).unwrap();
        JoinReply::encode(certificate.encode(), authority.root(), "lab").unwrap()
    }

    // proves: O1
    #[test]
    fn a_request_holds_in_its_session_only() {
        let bytes = JoinRequest::sign(&key(), "laptop", &SESSION).unwrap();
        let request = JoinRequest::verify(&bytes, &SESSION).unwrap();
        assert_eq!((request.device(), request.name.as_str()), (key().device_id(), "laptop"));
        assert_eq!(JoinRequest::verify(&bytes, &SessionId([6; 32])), Err(JoinError::Signature));
        let mut stolen = bytes.clone();
        stolen[1..33].copy_from_slice(&DeviceKey::generate(&[3; 32]).public());
        assert_eq!(JoinRequest::verify(&stolen, &SESSION), Err(JoinError::Signature));
        let mut weak = bytes.clone();
        weak[1..33].fill(0);
        assert_eq!(JoinRequest::verify(&weak, &SESSION), Err(JoinError::WeakKey));
        for cut in 0..bytes.len() {
            assert!(JoinRequest::verify(&bytes[..cut], &SESSION).is_err());
        }
        for bad in ["", "a\nb", "\u{1b}[31m", &"a".repeat(65)] {
            assert_eq!(JoinRequest::sign(&key(), bad, &SESSION), Err(JoinError::Name));
        }
    }

    #[test]
    fn a_reply_is_taken_only_for_this_device_account_and_time() {
        let bytes = reply();
        let reply = JoinReply::verify(&bytes, &key(), "alice", NOW_MS).unwrap();
        assert_eq!((reply.certificate.account(), reply.hub_name.as_str()), ("alice", "lab"));
        assert_eq!(reply.certificate.root(), reply.root.id());
        let other = DeviceKey::generate(&[3; 32]);
        let refused = JoinReply::verify(&bytes, &other, "alice", NOW_MS);
        assert_eq!(refused, Err(JoinError::OtherDevice(key().device_id())));
        assert_eq!(JoinReply::verify(&bytes, &key(), "bob", NOW_MS), Err(JoinError::OtherAccount));
        let late = JoinReply::verify(&bytes, &key(), "alice", NOW_MS * 2).unwrap_err();
        assert_eq!(late.code(), Code::CertExpired);
    }

    #[test]
    fn a_certificate_under_another_root_is_refused() {
        let certificate = authority(1).issue(1, &key().public(), "alice", NOW_MS, &Limits::DEFAULT).unwrap();
        let bytes = JoinReply::encode(certificate.encode(), authority(2).root(), "lab").unwrap();
        let refused = JoinReply::verify(&bytes, &key(), "alice", NOW_MS).unwrap_err();
        assert_eq!(refused.code(), Code::UntrustedRoot);
    }

    #[test]
    fn every_flipped_bit_of_what_is_signed_is_noticed() {
        let bytes = reply();
        let named_from = bytes.len() - 3;
        for bit in 0..named_from * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(JoinReply::verify(&bad, &key(), "alice", NOW_MS).is_err(), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(JoinRequest::verify(&bytes, &SESSION).is_err());
            prop_assert!(JoinReply::verify(&bytes, &key(), "alice", NOW_MS).is_err());
        }
    }
}
