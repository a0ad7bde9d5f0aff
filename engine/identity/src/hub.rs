//! What makes a daemon a hub: its device key, its authority, and its own certificate under that authority.
//!
//! First start, each step durable before the next: device key, authority key, trust root; then the caller
//! takes a serial and has the hub certify itself. Killed anywhere, the next start goes on where it stopped.
//! A key that is missing where others are there was lost, not never made: that is refused, because a silently
//! made one would cut off every device that ever joined.

use crate::authority::Authority;
use crate::files::FileError;
use crate::key::DeviceKey;
use crate::root::RootError;
use crate::trust::{TrustError, TrustStore};
use base::limits::Limits;
use base::points::Point;
use proto::session::certificate::{Certificate, CertificateError, root_id};
use std::fmt;
use std::path::{Path, PathBuf};

/// A hub's identity.
pub struct Hub {
    /// Its device key.
    pub key: DeviceKey,
    /// Its authority.
    pub authority: Authority,
    /// Whom it believes: its own root, and those it was told to.
    pub trust: TrustStore,
}

/// Why a hub has no identity.
#[derive(Debug)]
pub enum HubError {
    /// A key file.
    File(FileError),
    /// The trust store.
    Trust(TrustError),
    /// The root could not be made.
    Root(RootError),
    /// The certificate could not be made.
    Certificate(CertificateError),
    /// A key was lost.
    Missing {
        /// Which.
        path: PathBuf,
    },
}

impl fmt::Display for HubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Trust(error) => error.fmt(f),
            Self::Root(error) => error.fmt(f),
            Self::Certificate(error) => write!(f, "the hub's own certificate could not be made: {error:?}"),
            Self::Missing { path } => write!(
                f,
                "{path:?} is missing although this hub has been in use: restore it from a backup, or begin anew with \
                 an empty state directory and have every device join again"
            ),
        }
    }
}

impl std::error::Error for HubError {}

impl From<FileError> for HubError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<TrustError> for HubError {
    fn from(error: TrustError) -> Self {
        Self::Trust(error)
    }
}

impl Hub {
    /// Reads the identity in a locked state directory, or makes it. `name` is what people call the hub.
    ///
    /// # Errors
    /// A key is loose, damaged or lost; the name cannot be one; the system refuses.
    pub fn open_or_create(
        state: &Path,
        name: &str,
        now_ms: u64,
        limits: &Limits,
        reach: &dyn Fn(Point),
    ) -> Result<Self, HubError> {
        let mut trust = TrustStore::open(state, limits)?;
        let authority_key = Authority::load_key(state)?;
        if authority_key.is_some() && DeviceKey::load(state)?.is_none() {
            return Err(HubError::Missing { path: state.join(DeviceKey::FILE) });
        }
        if authority_key.is_none() && !trust.is_empty() {
            return Err(HubError::Missing { path: state.join(Authority::FILE) });
        }
        let key = DeviceKey::load_or_create(state, reach)?;
        let authority_key = match authority_key {
            Some(key) => key,
            None => {
                let key = Authority::create_key(state)?;
                reach(Point::KeyWritten);
                key
            }
        };
        let id = root_id(&authority_key.verifying_key().to_bytes());
        let root = trust.picture().root(id).cloned();
        let is_first = root.is_none();
        let authority = Authority::with_root(authority_key, root, name, now_ms).map_err(HubError::Root)?;
        if is_first {
            trust.add_root(authority.root())?;
            reach(Point::RootWritten);
        }
        Ok(Self { key, authority, trust })
    }

    /// The hub's own certificate.
    pub fn certificate(&self) -> Option<Certificate> {
        self.trust.picture().certificate(self.authority.id()).cloned()
    }

    /// Whether the hub must certify itself: it has no certificate, one of another key, or one in the last
    /// twelfth of its life.
    pub fn certificate_due(&self, now_ms: u64) -> bool {
        let Some(certificate) = self.certificate() else { return true };
        let claim = certificate.claim();
        let life_ms = claim.not_after - claim.not_before;
        certificate.device() != self.key.device_id()
            || certificate.verify_time(now_ms.saturating_add(life_ms / 12)).is_err()
    }

    /// Certifies the hub itself under a serial that was never used, durable when this returns.
    ///
    /// # Errors
    /// The account cannot be one, or the disk refuses.
    pub fn certify(
        &mut self,
        serial: u64,
        account: &str,
        now_ms: u64,
        limits: &Limits,
    ) -> Result<Certificate, HubError> {
        let certificate = self
            .authority
            .issue(serial, &self.key.public(), account, now_ms, limits)
            .map_err(HubError::Certificate)?;
        self.trust.set_certificate(&certificate)?;
        Ok(certificate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    const NOW_MS: u64 = 1_700_000_000_000;
    const MONTH_MS: u64 = 365 * 86_400_000 / 12;
    const LIMITS: Limits = Limits::TINY;

    fn open(state: &Path) -> Result<Hub, HubError> {
        Hub::open_or_create(state, "lab", NOW_MS, &LIMITS, &|_| {})
    }

    // proves: V2 O1
    #[test]
    fn a_first_start_makes_an_identity_that_the_next_finds() {
        let home = tempfile::tempdir().unwrap();
        let points = RefCell::new(Vec::new());
        let reach = |point| points.borrow_mut().push(point);
        let mut hub = Hub::open_or_create(home.path(), "lab", NOW_MS, &LIMITS, &reach).unwrap();
        assert!(hub.certificate_due(NOW_MS));
        let certificate = hub.certify(1, "hub", NOW_MS, &LIMITS).unwrap();
        assert_eq!(certificate.verify(hub.authority.root().public_key(), NOW_MS), Ok(()));
        assert!(!hub.certificate_due(NOW_MS));
        let again = Hub::open_or_create(home.path(), "other name", NOW_MS, &LIMITS, &reach).unwrap();
        assert_eq!(again.authority.root(), hub.authority.root());
        assert_eq!(again.key.device_id(), hub.key.device_id());
        assert_eq!(again.certificate(), Some(certificate));
        assert!(
            !again.certificate_due(NOW_MS + 10 * MONTH_MS)
                && again.certificate_due(NOW_MS + 11 * MONTH_MS + 1)
        );
        assert_eq!(points.into_inner(), [Point::KeyWritten, Point::KeyWritten, Point::RootWritten]);
    }

    #[test]
    fn a_first_start_killed_at_each_point_is_finished_by_the_next() {
        for fatal in 1..=3 {
            let home = tempfile::tempdir().unwrap();
            let passed = Cell::new(0);
            let reach = |_| {
                passed.set(passed.get() + 1);
                assert!(passed.get() < fatal, "planted");
            };
            let killed = catch_unwind(AssertUnwindSafe(|| {
                Hub::open_or_create(home.path(), "lab", NOW_MS, &LIMITS, &reach).map(drop)
            }));
            assert!(killed.is_err());
            let hub = open(home.path()).unwrap();
            assert!(hub.trust.picture().root(hub.authority.id()).is_some());
            assert_eq!(open(home.path()).unwrap().key.device_id(), hub.key.device_id());
        }
    }

    #[test]
    fn a_lost_key_is_refused_and_not_made_anew() {
        for lost in [DeviceKey::FILE, Authority::FILE] {
            let home = tempfile::tempdir().unwrap();
            open(home.path()).unwrap();
            std::fs::remove_file(home.path().join(lost)).unwrap();
            let error = open(home.path()).err().expect("refused");
            assert!(matches!(&error, HubError::Missing { path } if path.ends_with(lost)), "{error}");
            assert!(!home.path().join(lost).exists());
        }
    }

    #[test]
    fn a_root_file_that_was_lost_is_made_again_for_the_same_key() {
        let home = tempfile::tempdir().unwrap();
        let id = open(home.path()).unwrap().authority.id();
        std::fs::remove_dir_all(home.path().join("trust")).unwrap();
        assert_eq!(open(home.path()).unwrap().authority.id(), id);
    }
}
