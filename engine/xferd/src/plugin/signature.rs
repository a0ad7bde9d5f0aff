//! Signatures of plugins, in `NAME.wasm.sig` beside `NAME.wasm`.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `XFERDSIG` |
//! | 2 | version, big-endian: 1 |
//! | 32 | the signer's public half (Ed25519) |
//! | 64 | signature over `xferd/1 plugin`, BLAKE3 of the component, BLAKE3 of its `plugin.toml` |
//!
//! The manifest is signed along: grants and settings are as much the author's word as the code is.

use identity::AuthorKey;
use std::fmt;

/// What every signature of a plugin begins with: none of another kind is taken for one.
const CONTEXT: &[u8] = b"xferd/1 plugin";
const MAGIC: &[u8; 8] = b"XFERDSIG";
const VERSION: u16 = 1;
/// Bytes of a signature file.
pub const SIGNATURE_BYTES: usize = 8 + 2 + 32 + 64;

/// Why a signature does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureError {
    /// The file is no signature of a plugin.
    NoSignature,
    /// It is one of a later version of this program.
    Version(u16),
    /// It was made over another component or another `plugin.toml`, or by another key than it names.
    Mismatch,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSignature => f.write_str("the file is no signature of a plugin"),
            Self::Version(version) => {
                write!(f, "the signature is of version {version}, this program knows {VERSION}")
            }
            Self::Mismatch => f.write_str("the signature is not of this component with this plugin.toml"),
        }
    }
}

impl std::error::Error for SignatureError {}

/// The signature file of a component and its manifest.
pub fn sign(key: &AuthorKey, component: &[u8], manifest: &[u8]) -> [u8; SIGNATURE_BYTES] {
    let mut file = [0; SIGNATURE_BYTES];
    file[..8].copy_from_slice(MAGIC);
    file[8..10].copy_from_slice(&VERSION.to_be_bytes());
    file[10..42].copy_from_slice(&key.public());
    file[42..].copy_from_slice(&key.sign(&message(component, manifest)));
    file
}

/// Who signed a component with its manifest: the public half. Whether that key is allowed is for the caller to say.
///
/// # Errors
/// The file is no signature, or not of these two.
pub fn verify(file: &[u8], component: &[u8], manifest: &[u8]) -> Result<[u8; 32], SignatureError> {
    let file: &[u8; SIGNATURE_BYTES] = file.try_into().map_err(|_| SignatureError::NoSignature)?;
    let (magic, rest) = file.split_first_chunk::<8>().ok_or(SignatureError::NoSignature)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or(SignatureError::NoSignature)?;
    let (public, signature) = rest.split_first_chunk::<32>().ok_or(SignatureError::NoSignature)?;
    let signature: &[u8; 64] = signature.try_into().map_err(|_| SignatureError::NoSignature)?;
    if magic != MAGIC {
        return Err(SignatureError::NoSignature);
    }
    if u16::from_be_bytes(*version) != VERSION {
        return Err(SignatureError::Version(u16::from_be_bytes(*version)));
    }
    match identity::is_signed(public, &message(component, manifest), signature) {
        true => Ok(*public),
        false => Err(SignatureError::Mismatch),
    }
}

/// A public half as people pass it on: 64 hexadecimal digits.
pub fn hex(public: &[u8; 32]) -> String {
    public.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn message(component: &[u8], manifest: &[u8]) -> Vec<u8> {
    [CONTEXT, blake3::hash(component).as_bytes(), blake3::hash(manifest).as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_both_and_for_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let key = AuthorKey::load_or_create(&home.path().join("author.key")).unwrap();
        let file = sign(&key, b"component", b"manifest");
        assert_eq!(verify(&file, b"component", b"manifest"), Ok(key.public()));
        assert_eq!(verify(&file, b"components", b"manifest"), Err(SignatureError::Mismatch));
        assert_eq!(verify(&file, b"component", b"manifests"), Err(SignatureError::Mismatch));
        for at in 0..SIGNATURE_BYTES {
            let mut bad = file;
            bad[at] ^= 1;
            assert!(verify(&bad, b"component", b"manifest").is_err(), "byte {at}");
        }
        assert_eq!(verify(&file[1..], b"component", b"manifest"), Err(SignatureError::NoSignature));
    }
}
