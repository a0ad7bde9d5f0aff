//! Device certificates: a fixed binary form, signed by a trust root.
//!
//! Parsing checks everything that can be checked without a root: the device id is the hash of its public
//! key, the key is not weak, the account's name can be shown. [`Certificate::verify`] checks the root's
//! signature and the time. Revocation is the trust store's.

use super::secret::sha256;
use crate::wire::layouts::{Field, Layout, field};
use crate::wire::{Reader, WireError, Writer};
use alloc::string::String;
use alloc::vec::Vec;
use base::codes::Code;
use base::ids::{DeviceId, RootId};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// Longest name of an account, in bytes.
pub const ACCOUNT_BYTES_MAX: usize = 64;
/// Most bytes of a certificate.
pub const CERTIFICATE_BYTES_MAX: usize = 1 + 8 + 32 + 32 + 1 + ACCOUNT_BYTES_MAX + 8 + 8 + 8 + 4 + 64;
const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"xferd/1 certificate\0";

pub(crate) const FIELDS: &[Field] = &[
    field("version", "u8", "1"),
    field("serial", "u64", "unique per root"),
    field("device_id", "[32]", "SHA-256 of public_key"),
    field("public_key", "[32]", "Ed25519; weak keys are refused"),
    field("account_len", "u8", "1 to 64"),
    field("account", "account_len bytes", "UTF-8 without control characters"),
    field("not_before", "u64", "UTC ms"),
    field("not_after", "u64", "UTC ms, above not_before"),
    field("root_id", "[8]", "first 8 bytes of SHA-256 of the root's public key"),
    field("root_epoch", "u32", "epoch of the issuer"),
    field("signature", "[64]", "Ed25519 by the root over \"xferd/1 certificate\" || 0 || all bytes before"),
];

/// The table of FORMAT.md.
pub const LAYOUTS: &[Layout] = &[Layout {
    name: "Certificate",
    place: "item Cert of Auth; answer of a join; device.cert",
    fields: FIELDS,
}];

/// What is wrong with a certificate, by rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CertificateError {
    /// Its bytes are not a certificate.
    Wire(WireError),
    /// A version this program does not know.
    Version(u8),
    /// The device id is not the hash of the public key.
    DeviceMismatch,
    /// The public key is of small order or no point of the curve.
    WeakKey,
    /// The account's name is empty, too long, no UTF-8, or holds control characters.
    Account,
    /// It ends before it begins.
    Period,
    /// Issued by another root than the one given.
    OtherRoot(RootId),
    /// The root's signature does not hold.
    Signature,
    /// Its time has not begun.
    NotYet {
        /// UTC ms at which it begins.
        not_before: u64,
    },
    /// Its time is over.
    Expired {
        /// UTC ms at which it ended.
        not_after: u64,
    },
}

impl CertificateError {
    /// What the peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::NotYet { .. } => Code::CertNotYet,
            Self::Expired { .. } => Code::CertExpired,
            Self::OtherRoot(_) => Code::UntrustedRoot,
            Self::Signature => Code::InvalidSignature,
            _ => Code::AuthFailed,
        }
    }
}

impl From<WireError> for CertificateError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// The id of a device: SHA-256 of its public key.
pub fn device_id(public_key: &[u8; 32]) -> DeviceId {
    DeviceId(sha256(&[public_key]))
}

/// The id of a trust root: the first 8 bytes of SHA-256 of its public key.
pub fn root_id(public_key: &[u8; 32]) -> RootId {
    let hash = sha256(&[public_key]);
    let mut id = RootId::default();
    id.0.copy_from_slice(&hash[..RootId::LEN]);
    id
}

/// Reads a public key that may be trusted to verify something.
///
/// # Errors
/// No point of the curve, or of small order.
pub fn strong_key(bytes: &[u8; 32]) -> Result<VerifyingKey, CertificateError> {
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| CertificateError::WeakKey)?;
    if key.is_weak() {
        return Err(CertificateError::WeakKey);
    }
    Ok(key)
}

/// Whether a name may be an account's.
pub fn is_account_name(name: &str) -> bool {
    (1..=ACCOUNT_BYTES_MAX).contains(&name.len()) && !name.chars().any(is_unprintable)
}

/// Control characters, and those that reorder or hide what stands beside them.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What a root is asked to certify.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Unique per root.
    pub serial: u64,
    /// The device's Ed25519 key.
    pub public_key: [u8; 32],
    /// The account it belongs to.
    pub account: String,
    /// UTC ms.
    pub not_before: u64,
    /// UTC ms.
    pub not_after: u64,
    /// Epoch of the issuer.
    pub root_epoch: u32,
}

/// A certificate whose form is right; whether it is trusted is [`Certificate::verify`]'s.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    bytes: Vec<u8>,
    claim: Claim,
    device: DeviceId,
    root: RootId,
}

impl Certificate {
    /// Issues a certificate.
    ///
    /// # Errors
    /// A weak key, a bad account name, an empty period.
    pub fn issue(root: &SigningKey, claim: Claim) -> Result<Self, CertificateError> {
        let root_key = root.verifying_key().to_bytes();
        Self::issue_with(&root_key, claim, |message| root.sign(message).to_bytes())
    }

    /// Issues a certificate with a root key that is held elsewhere: `sign` signs with `root_key`'s secret.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub fn issue_with(
        root_key: &[u8; 32],
        claim: Claim,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Self, CertificateError> {
        if !is_account_name(&claim.account) {
            return Err(CertificateError::Account);
        }
        let mut out = Writer::with_capacity(CERTIFICATE_BYTES_MAX);
        out.u8(VERSION).u64(claim.serial).bytes(&device_id(&claim.public_key).0).bytes(&claim.public_key);
        out.counted8(claim.account.as_bytes()).u64(claim.not_before).u64(claim.not_after);
        out.bytes(&root_id(root_key).0).u32(claim.root_epoch);
        let signature = sign(&message(out.as_bytes()));
        out.bytes(&signature);
        Self::parse(out.as_bytes())
    }

    /// Reads a certificate.
    ///
    /// # Errors
    /// The rule of form that its bytes break.
    pub fn parse(bytes: &[u8]) -> Result<Self, CertificateError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8()?;
        if version != VERSION {
            return Err(CertificateError::Version(version));
        }
        let serial = reader.u64()?;
        let device = DeviceId(reader.array()?);
        let public_key = reader.array()?;
        let account = reader.counted8(ACCOUNT_BYTES_MAX)?;
        let account = core::str::from_utf8(account).map_err(|_| CertificateError::Account)?;
        let (not_before, not_after) = (reader.u64()?, reader.u64()?);
        let root = RootId(reader.array()?);
        let root_epoch = reader.u32()?;
        reader.array::<64>()?;
        reader.finish()?;
        if !is_account_name(account) {
            return Err(CertificateError::Account);
        }
        if not_after <= not_before {
            return Err(CertificateError::Period);
        }
        strong_key(&public_key)?;
        if device_id(&public_key) != device {
            return Err(CertificateError::DeviceMismatch);
        }
        let account = String::from(account);
        let claim = Claim { serial, public_key, account, not_before, not_after, root_epoch };
        Ok(Self { bytes: bytes.to_vec(), claim, device, root })
    }

    /// Its bytes.
    pub fn encode(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks the root's signature and the time.
    ///
    /// # Errors
    /// Another root, a signature that does not hold, not yet, expired.
    pub fn verify(&self, root_key: &[u8; 32], utc_ms: u64) -> Result<(), CertificateError> {
        self.verify_signature(root_key)?;
        self.verify_time(utc_ms)
    }

    /// Checks the root's signature alone.
    ///
    /// # Errors
    /// Another root, a weak one, a signature that does not hold.
    pub fn verify_signature(&self, root_key: &[u8; 32]) -> Result<(), CertificateError> {
        if root_id(root_key) != self.root {
            return Err(CertificateError::OtherRoot(self.root));
        }
        let (body, signature) = self.bytes.split_at(self.bytes.len() - 64);
        let signature = Signature::from_slice(signature).map_err(|_| CertificateError::Signature)?;
        strong_key(root_key)?
            .verify_strict(&message(body), &signature)
            .map_err(|_| CertificateError::Signature)
    }

    /// Checks the time alone.
    ///
    /// # Errors
    /// Not yet, expired.
    pub fn verify_time(&self, utc_ms: u64) -> Result<(), CertificateError> {
        if utc_ms < self.claim.not_before {
            return Err(CertificateError::NotYet { not_before: self.claim.not_before });
        }
        if utc_ms >= self.claim.not_after {
            return Err(CertificateError::Expired { not_after: self.claim.not_after });
        }
        Ok(())
    }

    /// What it certifies.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }
    /// The device.
    pub fn device(&self) -> DeviceId {
        self.device
    }
    /// The device's Ed25519 key; never a weak one.
    pub fn public_key(&self) -> &[u8; 32] {
        &self.claim.public_key
    }
    /// The account.
    pub fn account(&self) -> &str {
        &self.claim.account
    }
    /// The root that issued it.
    pub fn root(&self) -> RootId {
        self.root
    }
}

fn message(body: &[u8]) -> Vec<u8> {
    [CONTEXT, body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> SigningKey {
        SigningKey::from_bytes(&[1; 32])
    }

    fn claim() -> Claim {
        Claim {
            serial: 7,
            public_key: SigningKey::from_bytes(&[2; 32]).verifying_key().to_bytes(),
            account: "alice".into(),
            not_before: 1000,
            not_after: 2000,
            root_epoch: 1,
        }
    }

    // proves: V2 O6
    #[test]
    fn issued_certificates_verify_under_their_root_and_in_their_time() {
        let certificate = Certificate::issue(&root(), claim()).unwrap();
        let key = root().verifying_key().to_bytes();
        let parsed = Certificate::parse(certificate.encode()).unwrap();
        assert_eq!(parsed, certificate);
        assert!(parsed.encode().len() <= CERTIFICATE_BYTES_MAX);
        assert_eq!(parsed.verify(&key, 1000), Ok(()));
        assert_eq!(parsed.verify(&key, 999), Err(CertificateError::NotYet { not_before: 1000 }));
        assert_eq!(parsed.verify(&key, 2000), Err(CertificateError::Expired { not_after: 2000 }));
        let other = SigningKey::from_bytes(&[3; 32]).verifying_key().to_bytes();
        assert_eq!(parsed.verify(&other, 1000), Err(CertificateError::OtherRoot(root_id(&key))));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let certificate = Certificate::issue(&root(), claim()).unwrap();
        let key = root().verifying_key().to_bytes();
        for bit in 0..certificate.encode().len() * 8 {
            let mut bytes = certificate.encode().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let verdict = Certificate::parse(&bytes).and_then(|parsed| parsed.verify(&key, 1500));
            assert!(verdict.is_err(), "bit {bit}");
        }
        for cut in 0..certificate.encode().len() {
            assert!(Certificate::parse(&certificate.encode()[..cut]).is_err());
        }
    }

    #[test]
    fn weak_keys_and_unprintable_accounts_are_not_issued() {
        // The identity and a point of order 8.
        let mut identity = [0; 32];
        identity[0] = 1;
        let order8 = [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ];
        for weak in [identity, [0; 32], order8] {
            let claim = Claim { public_key: weak, ..claim() };
            assert_eq!(Certificate::issue(&root(), claim), Err(CertificateError::WeakKey));
        }
        for name in ["", "a\nb", "\u{202e}evil", &"a".repeat(65)] {
            let claim = Claim { account: name.into(), ..claim() };
            assert_eq!(Certificate::issue(&root(), claim), Err(CertificateError::Account), "{name:?}");
        }
        let backwards = Claim { not_after: 1000, ..claim() };
        assert_eq!(Certificate::issue(&root(), backwards), Err(CertificateError::Period));
    }
}
