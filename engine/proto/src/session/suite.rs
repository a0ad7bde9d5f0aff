//! The two AEADs behind one type. The backend is aws-lc-rs; feature `ring_crypto` puts `ring` in its place.

#[cfg(not(feature = "ring_crypto"))]
use aws_lc_rs::aead;
#[cfg(feature = "ring_crypto")]
use ring_crypto::aead;

use crate::wire::TAG_BYTES;

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 12;
/// Bytes of a key, in both suites.
pub const KEY_BYTES: usize = 32;

/// An AEAD, as negotiated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Suite {
    /// AES-256-GCM (NIST SP 800-38D).
    Aes256Gcm = 1,
    /// ChaCha20-Poly1305 (RFC 8439), where the CPU has no AES.
    ChaCha20Poly1305 = 2,
}

impl Suite {
    /// The suite with this number on the wire.
    pub fn from_number(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Aes256Gcm),
            2 => Some(Self::ChaCha20Poly1305),
            _ => None,
        }
    }

    /// Number on the wire.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// Name on screens and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes256Gcm => "aes-256-gcm",
            Self::ChaCha20Poly1305 => "chacha20-poly1305",
        }
    }

    /// Both suites, the better one for this CPU first.
    pub fn default_for(has_aes: bool) -> [Self; 2] {
        if has_aes {
            [Self::Aes256Gcm, Self::ChaCha20Poly1305]
        } else {
            [Self::ChaCha20Poly1305, Self::Aes256Gcm]
        }
    }

    pub(super) fn key(self, bytes: &[u8; KEY_BYTES]) -> Key {
        let algorithm = match self {
            Self::Aes256Gcm => &aead::AES_256_GCM,
            Self::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        };
        let unbound = aead::UnboundKey::new(algorithm, bytes).expect("both suites take 32 bytes");
        Key(aead::LessSafeKey::new(unbound))
    }
}

/// A record did not open: altered, replayed, reordered, or under another key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Forged;

/// A key of one direction. Whoever holds it sees to it that no nonce is used twice.
pub(super) struct Key(aead::LessSafeKey);

impl Key {
    /// Seals `data` in place and returns the tag.
    pub(super) fn seal(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], data: &mut [u8]) -> [u8; TAG_BYTES] {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, aead::Aad::from(aad), data)
            .expect("a record is far below the AEAD's bound");
        let mut out = [0; TAG_BYTES];
        out.copy_from_slice(tag.as_ref());
        out
    }

    /// Opens `payload` (data, then tag) in place.
    pub(super) fn open(
        &self,
        nonce: [u8; NONCE_BYTES],
        aad: &[u8],
        payload: &mut [u8],
    ) -> Result<(), Forged> {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        match self.0.open_in_place(nonce, aead::Aad::from(aad), payload) {
            Ok(_) => Ok(()),
            Err(_) => Err(Forged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    // proves: E3
    #[test]
    fn both_suites_open_what_they_sealed_and_nothing_else() {
        for suite in Suite::default_for(true) {
            let key = suite.key(&[1; 32]);
            let mut sealed = Vec::from(*b"attack at dawn");
            let tag = key.seal([2; 12], b"head", &mut sealed);
            sealed.extend_from_slice(&tag);
            let mut opened = sealed.clone();
            assert_eq!(key.open([2; 12], b"head", &mut opened), Ok(()));
            assert_eq!(&opened[..14], b"attack at dawn");
            assert_eq!(key.open([3; 12], b"head", &mut sealed.clone()), Err(Forged));
            assert_eq!(key.open([2; 12], b"tail", &mut sealed.clone()), Err(Forged));
            sealed[0] ^= 1;
            assert_eq!(key.open([2; 12], b"head", &mut sealed), Err(Forged));
            assert_eq!(Suite::from_number(suite.number()), Some(suite));
        }
        assert_eq!(Suite::default_for(false)[0], Suite::ChaCha20Poly1305);
        assert_eq!(Suite::from_number(3), None);
    }
}
