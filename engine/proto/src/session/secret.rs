//! Secrets and the one-way steps between them: HKDF-SHA256 with labels, as in RFC 8446 section 7.1.
//!
//! ```text
//! Expand(secret, label, context) = HKDF-Expand(secret, info, 32)
//! info = length u16 || label u8-counted ("xferd/1 " + label) || context u8-counted
//! ```

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 32 secret bytes: erased when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes over secret bytes; the caller erases its own copy.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-Extract under this secret as salt.
    pub(super) fn extract(&self, input: &[u8]) -> Self {
        let (mut prk, _) = Hkdf::<Sha256>::extract(Some(&self.0), input);
        let secret = Self(prk.into());
        prk.zeroize();
        secret
    }

    /// HKDF-Extract without a salt.
    pub(super) fn extract_first(input: &[u8; 32]) -> Self {
        Self([0; 32]).extract(input)
    }

    /// One step down, to a secret.
    pub(super) fn expand(&self, label: &str, context: &[u8]) -> Self {
        let mut out = [0; 32];
        self.expand_into(label, context, &mut out);
        Self(out)
    }

    /// One step down, to bytes of any length.
    pub(super) fn expand_into(&self, label: &str, context: &[u8], out: &mut [u8]) {
        const PREFIX: &str = "xferd/1 ";
        let length = u16::try_from(out.len()).expect("keys are short").to_be_bytes();
        let label_length = u8::try_from(PREFIX.len() + label.len()).expect("labels are short");
        let context_length = u8::try_from(context.len()).expect("contexts are hashes");
        let info: [&[u8]; 6] =
            [&length, &[label_length], PREFIX.as_bytes(), label.as_bytes(), &[context_length], context];
        Hkdf::<Sha256>::from_prk(&self.0)
            .expect("32 bytes are a whole key")
            .expand_multi_info(&info, out)
            .expect("keys are far below 255 blocks");
    }

    /// HMAC-SHA256 under this secret.
    pub(super) fn mac(&self, message: &[u8]) -> [u8; 32] {
        self.hmac(message).finalize().into_bytes().into()
    }

    /// Whether `tag` is [`Self::mac`] of `message`; takes the same time wherever they differ.
    pub(super) fn mac_holds(&self, message: &[u8], tag: &[u8; 32]) -> bool {
        self.hmac(message).verify_slice(tag).is_ok()
    }

    fn hmac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key");
        mac.update(message);
        mac
    }
}

/// Two secrets compare in constant time.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

/// SHA-256 of the parts, one after the other.
pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
