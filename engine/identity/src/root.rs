//! A trust root: the public half of an authority, signed by itself, as it travels and as it lies on disk.

use base::codes::Code;
use base::ids::RootId;
use ed25519_dalek::Signature;
use proto::session::certificate::{is_account_name, root_id, strong_key};
use proto::wire::layouts::{Field, field};
use proto::wire::{Reader, WireError, Writer};
use std::fmt;

const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"xferd/1 root\0";
const NAME_BYTES_MAX: usize = proto::session::certificate::ACCOUNT_BYTES_MAX;
/// Most bytes of a root file.
pub(crate) const ROOT_BYTES_MAX: usize = 1 + 32 + 4 + 8 + 1 + NAME_BYTES_MAX + 64;

pub(crate) const FIELDS: &[Field] = &[
    field("version", "u8", "1"),
    field(
        "public_key",
        "[32]",
        "Ed25519; weak keys are refused; the root id is the first 8 bytes of its SHA-256",
    ),
    field("epoch", "u32", "epoch of the issuer, from 1"),
    field("created", "u64", "UTC ms"),
    field("name_len", "u8", "1 to 64"),
    field("name", "name_len bytes", "what people call it; printable UTF-8"),
    field("signature", "[64]", "Ed25519 by public_key over `xferd/1 root`, 0 and all bytes before"),
];

/// A trust root whose own signature holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustRoot {
    bytes: Vec<u8>,
    public_key: [u8; 32],
    id: RootId,
    epoch: u32,
    name: String,
}

/// What is wrong with a trust root.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RootError {
    /// Its bytes.
    Wire(WireError),
    /// A later release made it.
    Version(u8),
    /// Its key is weak or no key.
    WeakKey,
    /// Its name is empty, too long or cannot be shown.
    Name,
    /// Its signature does not hold.
    Signature,
}

impl RootError {
    /// What a peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::Wire(error) => error.code(),
            Self::Version(_) => Code::Version,
            Self::WeakKey | Self::Name => Code::InvalidRequest,
            Self::Signature => Code::InvalidSignature,
        }
    }
}

impl fmt::Display for RootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(_) => write!(f, "the trust root is malformed"),
            Self::Version(found) => write!(f, "the trust root has version {found}: update this program"),
            Self::WeakKey => write!(f, "the trust root's key is weak"),
            Self::Name => write!(f, "the trust root's name cannot be shown"),
            Self::Signature => write!(f, "the trust root's signature does not hold"),
        }
    }
}

impl std::error::Error for RootError {}

impl From<WireError> for RootError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl TrustRoot {
    /// Makes a root file: `sign` signs with the secret of `public_key`.
    pub(crate) fn make(
        public_key: &[u8; 32],
        epoch: u32,
        created_ms: u64,
        name: &str,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Self, RootError> {
        if !is_account_name(name) {
            return Err(RootError::Name);
        }
        let mut out = Writer::with_capacity(ROOT_BYTES_MAX);
        out.u8(VERSION).bytes(public_key).u32(epoch).u64(created_ms).counted8(name.as_bytes());
        let signature = sign(&[CONTEXT, out.as_bytes()].concat());
        out.bytes(&signature);
        Self::parse(out.as_bytes())
    }

    /// Reads a root and checks its own signature. Whether to believe it is another question.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, RootError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8()?;
        if version != VERSION {
            return Err(RootError::Version(version));
        }
        let public_key: [u8; 32] = reader.array()?;
        let epoch = reader.u32()?;
        reader.u64()?;
        let name = std::str::from_utf8(reader.counted8(NAME_BYTES_MAX)?).map_err(|_| RootError::Name)?;
        let signed = reader.position();
        let signature = Signature::from_bytes(&reader.array()?);
        reader.finish()?;
        if !is_account_name(name) {
            return Err(RootError::Name);
        }
        let key = strong_key(&public_key).map_err(|_| RootError::WeakKey)?;
        key.verify_strict(&[CONTEXT, &bytes[..signed]].concat(), &signature)
            .map_err(|_| RootError::Signature)?;
        let (bytes, name, id) = (bytes.to_vec(), name.to_owned(), root_id(&public_key));
        Ok(Self { bytes, public_key, id, epoch, name })
    }

    /// Its bytes.
    pub fn encode(&self) -> &[u8] {
        &self.bytes
    }

    /// Its id.
    pub fn id(&self) -> RootId {
        self.id
    }

    /// Its key; never a weak one.
    pub fn public_key(&self) -> &[u8; 32] {
        &self.public_key
    }

    /// Epoch of the issuer.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::tests::authority;

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let root = authority(1).root().clone();
        assert_eq!(TrustRoot::parse(root.encode()).unwrap(), root);
        assert!(root.encode().len() <= ROOT_BYTES_MAX);
        for bit in 0..root.encode().len() * 8 {
            let mut bytes = root.encode().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(TrustRoot::parse(&bytes).is_err(), "bit {bit}");
        }
        for cut in 0..root.encode().len() {
            assert!(TrustRoot::parse(&root.encode()[..cut]).is_err(), "cut {cut}");
        }
        let longer = [root.encode(), &[0]].concat();
        assert!(TrustRoot::parse(&longer).is_err());
    }
}
