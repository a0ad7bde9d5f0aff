//! The key of a plugin's author, in a file that its owner names.

use crate::files::FileError;
use crate::key::{KeyKind, create_key, load_key};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use proto::session::handshake::Signer;
use std::path::Path;

/// An author's Ed25519 key. Erased when dropped; never printed.
pub struct AuthorKey {
    key: SigningKey,
}

impl AuthorKey {
    /// Makes a key file, or reads the one that is there.
    ///
    /// # Errors
    /// The file is no author's key, others may read it, or the system refuses.
    pub fn load_or_create(path: &Path) -> Result<Self, FileError> {
        Ok(Self { key: create_key(path, KeyKind::Author)? })
    }

    /// Reads a key file; `None` where there is none.
    ///
    /// # Errors
    /// As [`AuthorKey::load_or_create`].
    pub fn load(path: &Path) -> Result<Option<Self>, FileError> {
        Ok(load_key(path, KeyKind::Author)?.map(|key| Self { key }))
    }

    /// Its public half: what an operator allows.
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Signs a message, which begins with the context it is signed in.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        Signer::sign(&self.key, message)
    }
}

/// Whether the holder of a public half signed a message; never for a weak key (RFC 8032, `verify_strict`).
pub fn is_signed(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let key = VerifyingKey::from_bytes(public);
    key.is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceKey;
    use crate::files::Damage;

    #[test]
    fn an_authors_key_signs_and_is_no_devices_key() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("device.key");
        let key = AuthorKey::load_or_create(&path).unwrap();
        let again = AuthorKey::load(&path).unwrap().expect("made");
        let signature = again.sign(b"context, message");
        assert!(is_signed(&key.public(), b"context, message", &signature));
        assert!(!is_signed(&key.public(), b"context, massage", &signature));
        assert!(!is_signed(&[0; 32], b"context, message", &signature));
        let error = DeviceKey::load(home.path()).err().expect("refused");
        assert!(matches!(error, FileError::Damaged { why: Damage::Kind(3), .. }));
    }
}
