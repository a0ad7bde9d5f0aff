//! Whom this device believes: `trust/<root id>/{root, device.cert, crl}`.
//!
//! [`TrustStore`] reads and writes the files, [`Trust`] is an unchanging picture of them that a core holds
//! and asks in a handshake; after a change the cores get another picture.

use crate::crl::{Crl, CrlError};
use crate::files::{self, Damage, FileError};
use crate::root::{ROOT_BYTES_MAX, RootError, TrustRoot};
use base::ids::RootId;
use base::limits::Limits;
use proto::session::certificate::{CERTIFICATE_BYTES_MAX, Certificate, CertificateError};
use proto::session::handshake;
use rustix::fs::{FlockOperation, flock};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DIRECTORY: &str = "trust";

/// Why trust could not be read or changed.
#[derive(Debug)]
pub enum TrustError {
    /// A file.
    File(FileError),
    /// A root is not trusted here.
    Unknown(RootId),
    /// `trust_roots_max` is reached.
    TooMany {
        /// Its value.
        most: u32,
    },
    /// A certificate does not hold under its root.
    Certificate(CertificateError),
    /// A revocation list is not taken.
    Crl(CrlError),
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Unknown(root) => write!(f, "root {root} is not trusted here: join its hub first"),
            Self::TooMany { most } => {
                write!(f, "trust_roots_max = {most} is reached: raise it, or remove a root")
            }
            Self::Certificate(error) => write!(f, "the certificate does not hold: {error:?}"),
            Self::Crl(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TrustError {}

impl From<FileError> for TrustError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<CrlError> for TrustError {
    fn from(error: CrlError) -> Self {
        Self::Crl(error)
    }
}

/// One root and what is known under it.
#[derive(Clone, Debug)]
struct Believed {
    root: TrustRoot,
    certificate: Option<Certificate>,
    crl: Option<Arc<Crl>>,
}

/// An unchanging picture of the trusted roots and their revocation lists; cheap to clone.
#[derive(Clone, Debug)]
pub struct Trust(Arc<[Believed]>);

impl Trust {
    /// The root of this id, if it is trusted.
    pub fn root(&self, id: RootId) -> Option<&TrustRoot> {
        self.believed(id).map(|believed| &believed.root)
    }

    /// This device's certificate under a root.
    pub fn certificate(&self, id: RootId) -> Option<&Certificate> {
        self.believed(id)?.certificate.as_ref()
    }

    /// The picture without all roots but one: what a client brings to the hub it dials.
    pub fn only(&self, id: RootId) -> Self {
        Self(self.0.iter().filter(|believed| believed.root.id() == id).cloned().collect())
    }

    /// Epoch and number of a root's list; zeros without one.
    pub fn crl_position(&self, id: RootId) -> (u32, u64) {
        let crl = self.believed(id).and_then(|believed| believed.crl.as_ref());
        crl.map_or((0, 0), |crl| crl.position())
    }

    /// The ids of the trusted roots.
    pub fn roots(&self) -> impl Iterator<Item = RootId> + '_ {
        self.0.iter().map(|believed| believed.root.id())
    }

    fn believed(&self, id: RootId) -> Option<&Believed> {
        self.0.iter().find(|believed| believed.root.id() == id)
    }
}

/// What the handshake asks.
impl handshake::TrustStore for Trust {
    fn root(&self, id: RootId) -> Option<[u8; 32]> {
        Trust::root(self, id).map(|root| *root.public_key())
    }

    fn is_revoked(&self, certificate: &Certificate) -> bool {
        let crl = self.believed(certificate.root()).and_then(|believed| believed.crl.as_ref());
        crl.is_some_and(|crl| crl.revokes(certificate))
    }

    /// Epoch in the high half, number in the low one, so that later lists have higher versions.
    fn crl_version(&self) -> u64 {
        let version = |(epoch, number): (u32, u64)| u64::from(epoch) << 32 | number.min(u32::MAX.into());
        self.roots().map(|id| version(self.crl_position(id))).max().unwrap_or(0)
    }
}

/// The trusted roots of a state directory, on disk and in memory.
pub struct TrustStore {
    path: PathBuf,
    limits: Limits,
    believed: Vec<Believed>,
}

impl TrustStore {
    /// Reads what is trusted. Each file is checked; one that does not hold is an error, never left out.
    ///
    /// # Errors
    /// A file is damaged, stands in another root's place, or the system refuses.
    pub fn open(state: &Path, limits: &Limits) -> Result<Self, TrustError> {
        let path = state.join(DIRECTORY);
        files::make_directory(&path)?;
        let mut believed = Vec::new();
        for name in files::names(&path)? {
            // Another name was not made here and grants nothing.
            let Some(id) = RootId::from_hex(&name) else { continue };
            // A directory without its root is a first write that was cut short.
            let Some(one) = read_root(&path.join(&name), id, limits)? else { continue };
            if believed.len() >= limits.trust_roots_max as usize {
                return Err(TrustError::TooMany { most: limits.trust_roots_max });
            }
            believed.push(one);
        }
        Ok(Self { path, limits: limits.clone(), believed })
    }

    /// A picture of it as it is.
    pub fn picture(&self) -> Trust {
        Trust(self.believed.clone().into())
    }

    /// Whether nothing is trusted.
    pub fn is_empty(&self) -> bool {
        self.believed.is_empty()
    }

    /// Trusts a root, durable when this returns. One of a lower epoch than the one held changes nothing.
    ///
    /// # Errors
    /// `trust_roots_max` is reached, or the disk refuses.
    pub fn add_root(&mut self, root: &TrustRoot) -> Result<(), TrustError> {
        let held = self.believed.iter().position(|believed| believed.root.id() == root.id());
        if held.is_some_and(|at| self.believed[at].root.epoch() >= root.epoch()) {
            return Ok(());
        }
        let most = self.limits.trust_roots_max;
        if held.is_none() && self.believed.len() >= most as usize {
            return Err(TrustError::TooMany { most });
        }
        let directory = self.directory(root.id());
        files::make_directory(&directory)?;
        files::write(&directory.join("root"), root.encode(), 0o600)?;
        match held {
            Some(at) => self.believed[at].root = root.clone(),
            None => self.believed.push(Believed { root: root.clone(), certificate: None, crl: None }),
        }
        Ok(())
    }

    /// Keeps this device's certificate under its root, durable when this returns.
    ///
    /// # Errors
    /// The root is not trusted, its signature does not hold, or the disk refuses.
    pub fn set_certificate(&mut self, certificate: &Certificate) -> Result<(), TrustError> {
        let directory = self.directory(certificate.root());
        let believed = self.find(certificate.root())?;
        certificate.verify_signature(believed.root.public_key()).map_err(TrustError::Certificate)?;
        files::write(&directory.join("device.cert"), certificate.encode(), 0o600)?;
        believed.certificate = Some(certificate.clone());
        Ok(())
    }

    /// Takes a revocation list in the place of the one held, durable when this returns; `false` when it is
    /// that list. Another process may have taken a later one meanwhile: the file decides.
    ///
    /// # Errors
    /// The root is not trusted; the list does not hold or would move back; the disk refuses.
    pub fn apply_crl(&mut self, id: RootId, bytes: &[u8]) -> Result<bool, TrustError> {
        let (directory, limits) = (self.directory(id), self.limits.clone());
        let believed = self.find(id)?;
        let offered = Crl::parse(bytes, &believed.root, &limits)?;
        let _held_while_changing = lock(&directory)?;
        let held = read_crl(&directory, &believed.root, &limits)?;
        let changes = offered.replaces(held.as_ref());
        if changes == Ok(true) {
            files::write(&directory.join("crl"), offered.encode(), 0o600)?;
        }
        believed.crl = if changes == Ok(true) { Some(offered) } else { held }.map(Arc::new);
        Ok(changes?)
    }

    fn find(&mut self, id: RootId) -> Result<&mut Believed, TrustError> {
        let found = self.believed.iter_mut().find(|believed| believed.root.id() == id);
        found.ok_or(TrustError::Unknown(id))
    }

    fn directory(&self, id: RootId) -> PathBuf {
        self.path.join(id.to_string())
    }
}

fn lock(directory: &Path) -> Result<File, FileError> {
    let io = |error| FileError::Io { doing: "lock", path: directory.to_owned(), error };
    let file = File::open(directory).map_err(io)?;
    flock(&file, FlockOperation::LockExclusive).map_err(|errno| io(errno.into()))?;
    Ok(file)
}

fn read_root(directory: &Path, id: RootId, limits: &Limits) -> Result<Option<Believed>, FileError> {
    let path = directory.join("root");
    let Some(bytes) = files::read(&path, ROOT_BYTES_MAX as u64)? else { return Ok(None) };
    let root = TrustRoot::parse(&bytes).map_err(|error| FileError::Damaged {
        path: path.clone(),
        why: match error {
            RootError::Version(found) => Damage::Version(found.into()),
            _ => Damage::Content,
        },
    })?;
    if root.id() != id {
        return Err(FileError::Damaged { path, why: Damage::Place });
    }
    let certificate = read_certificate(directory, &root)?;
    let crl = read_crl(directory, &root, limits)?.map(Arc::new);
    Ok(Some(Believed { root, certificate, crl }))
}

fn read_certificate(directory: &Path, root: &TrustRoot) -> Result<Option<Certificate>, FileError> {
    let path = directory.join("device.cert");
    let Some(bytes) = files::read(&path, CERTIFICATE_BYTES_MAX as u64)? else { return Ok(None) };
    let read = Certificate::parse(&bytes).and_then(|certificate| {
        certificate.verify_signature(root.public_key())?;
        Ok(certificate)
    });
    match read {
        Ok(certificate) => Ok(Some(certificate)),
        Err(CertificateError::Version(found)) => {
            Err(FileError::Damaged { path, why: Damage::Version(found.into()) })
        }
        Err(CertificateError::OtherRoot(_)) => Err(FileError::Damaged { path, why: Damage::Place }),
        Err(_) => Err(FileError::Damaged { path, why: Damage::Content }),
    }
}

fn read_crl(directory: &Path, root: &TrustRoot, limits: &Limits) -> Result<Option<Crl>, FileError> {
    let path = directory.join("crl");
    let Some(bytes) = files::read(&path, Crl::bytes_max(limits))? else { return Ok(None) };
    match Crl::parse(&bytes, root, limits) {
        Ok(crl) => Ok(Some(crl)),
        Err(CrlError::Version(found)) => Err(FileError::Damaged { path, why: Damage::Version(found.into()) }),
        Err(CrlError::OtherRoot(_)) => Err(FileError::Damaged { path, why: Damage::Place }),
        Err(_) => Err(FileError::Damaged { path, why: Damage::Content }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceKey;
    use crate::authority::tests::authority;

    const LIMITS: Limits = Limits::TINY;

    // proves: V2 O6
    #[test]
    fn what_is_trusted_is_there_after_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let (authority, key) = (authority(1), DeviceKey::generate(&[2; 32]));
        let certificate = authority.issue(1, &key.public(), "alice", 1000, &LIMITS).unwrap();
        let thief = DeviceKey::generate(&[9; 32]);
        let revoked = authority.issue(2, &thief.public(), "alice", 1000, &LIMITS).unwrap();
        let crl = authority.revoke(3, &[(thief.device_id(), 5)], 100, &LIMITS).unwrap();
        let mut store = TrustStore::open(home.path(), &LIMITS).unwrap();
        assert!(matches!(store.set_certificate(&certificate), Err(TrustError::Unknown(_))));
        let before = store.picture();
        store.add_root(authority.root()).unwrap();
        store.set_certificate(&certificate).unwrap();
        assert!(store.apply_crl(authority.id(), crl.encode()).unwrap());
        assert!(before.root(authority.id()).is_none(), "a picture does not change");
        for trust in [store.picture(), TrustStore::open(home.path(), &LIMITS).unwrap().picture()] {
            assert_eq!(trust.root(authority.id()), Some(authority.root()));
            assert_eq!(trust.certificate(authority.id()), Some(&certificate));
            assert!(handshake::TrustStore::is_revoked(&trust, &revoked));
            assert!(!handshake::TrustStore::is_revoked(&trust, &certificate));
            assert_eq!(handshake::TrustStore::crl_version(&trust), (1 << 32) + 3);
            assert!(trust.only(RootId([0; 8])).root(authority.id()).is_none());
            assert_eq!(trust.only(authority.id()).root(authority.id()), Some(authority.root()));
            assert_eq!(trust.crl_position(authority.id()), (1, 3));
            assert_eq!(trust.roots().count(), 1);
        }
    }

    // proves: O12
    #[test]
    fn a_list_never_moves_back_also_not_for_another_process() {
        let home = tempfile::tempdir().unwrap();
        let authority = authority(1);
        let list = |number| authority.revoke(number, &[], 100, &LIMITS).unwrap();
        let mut one = TrustStore::open(home.path(), &LIMITS).unwrap();
        one.add_root(authority.root()).unwrap();
        let mut other = TrustStore::open(home.path(), &LIMITS).unwrap();
        assert!(other.apply_crl(authority.id(), list(5).encode()).unwrap());
        let refused = one.apply_crl(authority.id(), list(4).encode());
        assert!(matches!(
            refused,
            Err(TrustError::Crl(CrlError::Rollback { held: (1, 5), offered: (1, 4) }))
        ));
        assert_eq!(one.picture().crl_position(authority.id()), (1, 5), "and the later one is known");
        assert!(!one.apply_crl(authority.id(), list(5).encode()).unwrap());
        assert!(one.apply_crl(authority.id(), list(6).encode()).unwrap());
    }

    #[test]
    fn a_file_that_does_not_hold_is_an_error_and_never_left_out() {
        let home = tempfile::tempdir().unwrap();
        let (ours, theirs) = (authority(1), authority(2));
        let key = DeviceKey::generate(&[2; 32]);
        let mut store = TrustStore::open(home.path(), &LIMITS).unwrap();
        store.add_root(ours.root()).unwrap();
        store.set_certificate(&ours.issue(1, &key.public(), "alice", 1000, &LIMITS).unwrap()).unwrap();
        store.apply_crl(ours.id(), ours.revoke(1, &[], 1, &LIMITS).unwrap().encode()).unwrap();
        let directory = home.path().join("trust").join(ours.id().to_string());
        for (name, foreign) in [
            ("root", theirs.root().encode().to_vec()),
            ("device.cert", theirs.issue(1, &key.public(), "eve", 1000, &LIMITS).unwrap().encode().to_vec()),
            ("crl", theirs.revoke(9, &[], 1, &LIMITS).unwrap().encode().to_vec()),
        ] {
            let path = directory.join(name);
            let good = std::fs::read(&path).unwrap();
            let mut flipped = good.clone();
            *flipped.last_mut().unwrap() ^= 1;
            for (bytes, why) in
                [(foreign, Damage::Place), (flipped, Damage::Content), (vec![], Damage::Content)]
            {
                std::fs::write(&path, bytes).unwrap();
                let error = TrustStore::open(home.path(), &LIMITS).err().expect("refused");
                assert!(
                    matches!(&error, TrustError::File(FileError::Damaged { why: found, .. }) if *found == why),
                    "{name}: {error}"
                );
            }
            std::fs::write(&path, good).unwrap();
        }
        TrustStore::open(home.path(), &LIMITS).unwrap();
    }

    #[test]
    fn roots_are_bounded_and_a_half_made_one_is_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut store = TrustStore::open(home.path(), &LIMITS).unwrap();
        std::fs::create_dir(home.path().join("trust/00112233445566aa")).unwrap();
        std::fs::create_dir(home.path().join("trust/notes")).unwrap();
        for seed in [1, 2, 2] {
            store.add_root(authority(seed).root()).unwrap();
        }
        assert!(matches!(store.add_root(authority(3).root()), Err(TrustError::TooMany { most: 2 })));
        assert_eq!(TrustStore::open(home.path(), &LIMITS).unwrap().picture().roots().count(), 2);
    }
}
