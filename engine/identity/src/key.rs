//! The device's private key, and the file it lies in.

use crate::files::{self, Damage, FileError};
use base::ids::DeviceId;
use base::points::Point;
use ed25519_dalek::SigningKey;
use proto::session::certificate::device_id;
use proto::session::handshake::Signer;
use proto::wire::layouts::{Field, field};
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of a key file: head and seed.
pub(crate) const KEY_FILE_BYTES: usize = 16 + 32;
const MAGIC: &[u8; 8] = b"XFERDKEY";
const VERSION: u16 = 1;

pub(crate) const FIELDS: &[Field] = &[
    field("magic", "[8]", "`XFERDKEY`"),
    field("version", "u16", "1"),
    field("kind", "u16", "1 device, 2 authority, 3 author of plugins"),
    field("reserved", "u32", "zero"),
    field("seed", "[32]", "of an Ed25519 key (RFC 8032)"),
];

/// What a key is for; a file of one kind is refused in the place of the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Device = 1,
    Authority = 2,
    Author = 3,
}

/// A device's Ed25519 key. Erased when dropped; never printed.
pub struct DeviceKey {
    key: SigningKey,
}

impl DeviceKey {
    /// The name of its file in the state directory.
    pub const FILE: &'static str = "device.key";

    /// A key from 32 random bytes.
    pub fn generate(entropy: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(entropy) }
    }

    /// Reads the key of a state directory; `None` when it has none.
    ///
    /// # Errors
    /// Others may read the file, it is damaged, or the system refuses.
    pub fn load(state: &Path) -> Result<Option<Self>, FileError> {
        Ok(load_key(&state.join(Self::FILE), KeyKind::Device)?.map(|key| Self { key }))
    }

    /// Reads the key of a state directory, or makes one there, durable when this returns. Two processes that
    /// make one at once end with the same.
    ///
    /// # Errors
    /// As [`DeviceKey::load`]; or the kernel has no random bytes.
    pub fn load_or_create(state: &Path, reach: &dyn Fn(Point)) -> Result<Self, FileError> {
        if let Some(key) = Self::load(state)? {
            return Ok(key);
        }
        let key = create_key(&state.join(Self::FILE), KeyKind::Device)?;
        reach(Point::KeyWritten);
        Ok(Self { key })
    }

    /// Its public half.
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The device's id: SHA-256 of the public half.
    pub fn device_id(&self) -> DeviceId {
        device_id(&self.public())
    }

    /// Signs a message, which begins with the context it is signed in.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        Signer::sign(&self.key, message)
    }

    /// A copy of the key itself, for the core that signs seals and receipts; erased when dropped.
    pub fn signing_key(&self) -> SigningKey {
        self.key.clone()
    }

    /// A copy for another core, which erases it by itself.
    pub fn copy(&self) -> Self {
        Self { key: self.key.clone() }
    }
}

/// What the handshake signs with.
impl Signer for DeviceKey {
    fn public_key(&self) -> [u8; 32] {
        self.public()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        DeviceKey::sign(self, message)
    }
}

/// Reads a key file of one kind.
pub(crate) fn load_key(path: &Path, kind: KeyKind) -> Result<Option<SigningKey>, FileError> {
    let Some(bytes) = files::read_secret::<KEY_FILE_BYTES>(path)? else { return Ok(None) };
    let (head, seed) = bytes.split_at(16);
    let damaged = |why| FileError::Damaged { path: path.to_owned(), why };
    let number = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    if &head[..8] != MAGIC {
        return Err(damaged(Damage::Magic));
    }
    if number(8) != VERSION {
        return Err(damaged(Damage::Version(number(8))));
    }
    if number(10) != kind as u16 {
        return Err(damaged(Damage::Kind(number(10))));
    }
    if head[12..] != [0; 4] {
        return Err(damaged(Damage::Content));
    }
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(seed);
    Ok(Some(SigningKey::from_bytes(&secret)))
}

/// Makes a key file, or takes the one that another process made meanwhile.
pub(crate) fn create_key(path: &Path, kind: KeyKind) -> Result<SigningKey, FileError> {
    let seed = files::random::<32>()?;
    let mut bytes = Zeroizing::new([0; KEY_FILE_BYTES]);
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..10].copy_from_slice(&VERSION.to_be_bytes());
    bytes[10..12].copy_from_slice(&(kind as u16).to_be_bytes());
    bytes[16..].copy_from_slice(seed.as_ref());
    if files::write_new(path, bytes.as_ref(), 0o600)? {
        return Ok(SigningKey::from_bytes(&seed));
    }
    let gone = || std::io::Error::from(std::io::ErrorKind::NotFound);
    load_key(path, kind)?.ok_or_else(|| FileError::Io { doing: "open", path: path.to_owned(), error: gone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    // proves: V2
    #[test]
    fn a_key_is_made_once_private_and_read_again() {
        let home = tempfile::tempdir().unwrap();
        let points = std::cell::RefCell::new(Vec::new());
        let key = DeviceKey::load_or_create(home.path(), &|point| points.borrow_mut().push(point)).unwrap();
        let again = DeviceKey::load_or_create(home.path(), &|point| points.borrow_mut().push(point)).unwrap();
        assert_eq!(key.public(), again.public());
        assert_eq!(key.copy().sign(b"context"), again.sign(b"context"));
        assert_eq!(points.into_inner(), [Point::KeyWritten]);
        let stat = std::fs::metadata(home.path().join("device.key")).unwrap();
        assert_eq!((stat.mode() & 0o7777, stat.len()), (0o600, 48));
    }

    #[test]
    fn a_key_file_open_to_others_is_refused_with_the_chmod_to_run() {
        let home = tempfile::tempdir().unwrap();
        DeviceKey::load_or_create(home.path(), &|_| {}).unwrap();
        let path = home.path().join("device.key");
        for mode in [0o601, 0o602, 0o604, 0o610, 0o620, 0o640, 0o644, 0o700, 0o666] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let error = DeviceKey::load(home.path()).err().expect("refused");
            assert!(matches!(error, FileError::Loose { mode: found, .. } if found == mode), "{error}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
            assert!(DeviceKey::load_or_create(home.path(), &|_| {}).is_err(), "and not replaced");
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).unwrap();
        assert!(DeviceKey::load(home.path()).unwrap().is_some());
    }

    #[test]
    fn a_link_to_a_key_and_a_damaged_one_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("device.key");
        create_key(&home.path().join("real"), KeyKind::Device).unwrap();
        std::os::unix::fs::symlink(home.path().join("real"), &path).unwrap();
        assert!(matches!(DeviceKey::load(home.path()), Err(FileError::NotRegular { .. })));
        std::fs::remove_file(&path).unwrap();

        create_key(&path, KeyKind::Device).unwrap();
        let good = std::fs::read(&path).unwrap();
        for at in 0..16 {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(DeviceKey::load(home.path()), Err(FileError::Damaged { .. })), "byte {at}");
        }
        for bytes in [&good[..47], &[]] {
            std::fs::write(&path, bytes).unwrap();
            assert!(matches!(
                DeviceKey::load(home.path()),
                Err(FileError::Damaged { why: Damage::Length { wanted: 48 }, .. })
            ));
        }
    }

    #[test]
    fn an_authority_key_is_no_device_key() {
        let home = tempfile::tempdir().unwrap();
        create_key(&home.path().join("device.key"), KeyKind::Authority).unwrap();
        let error = DeviceKey::load(home.path()).err().expect("refused");
        assert!(matches!(error, FileError::Damaged { why: Damage::Kind(2), .. }));
    }

    #[test]
    fn racing_processes_end_with_one_key() {
        let home = tempfile::tempdir().unwrap();
        let public = || DeviceKey::load_or_create(home.path(), &|_| {}).unwrap().public();
        let all: Vec<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8).map(|_| scope.spawn(public)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert!(all.iter().all(|key| *key == all[0]));
    }
}
