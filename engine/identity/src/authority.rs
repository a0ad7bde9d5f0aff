//! The authority: the key that says which device belongs to which account, and which no longer does.

use crate::crl::{Crl, CrlError};
use crate::files::FileError;
use crate::key::{KeyKind, create_key, load_key};
use crate::root::{RootError, TrustRoot};
use base::ids::{DeviceId, RootId};
use base::limits::Limits;
use ed25519_dalek::{Signer, SigningKey};
use proto::session::certificate::{Certificate, CertificateError, Claim};
use std::path::Path;

/// The first epoch. A later one begins when an authority is restored from a backup: its lists then go before
/// all of the epoch before.
const EPOCH: u32 = 1;
const MONTH_MS: u64 = 365 * 86_400_000 / 12;

/// An authority with its private key. The key is erased when dropped and never printed.
pub struct Authority {
    key: SigningKey,
    root: TrustRoot,
}

impl Authority {
    /// The name of its file in the state directory.
    pub const FILE: &'static str = "authority.key";

    /// An authority from 32 random bytes, in memory only.
    ///
    /// # Errors
    /// The name is empty, too long or cannot be shown.
    pub fn generate(entropy: &[u8; 32], name: &str, now_ms: u64) -> Result<Self, RootError> {
        Self::of(SigningKey::from_bytes(entropy), name, now_ms)
    }

    fn of(key: SigningKey, name: &str, now_ms: u64) -> Result<Self, RootError> {
        let public_key = key.verifying_key().to_bytes();
        let root = TrustRoot::make(&public_key, EPOCH, now_ms, name, |message| key.sign(message).to_bytes())?;
        Ok(Self { key, root })
    }

    /// Reads the key of a state directory; its root file lies elsewhere and is passed to
    /// [`Authority::with_root`].
    pub(crate) fn load_key(state: &Path) -> Result<Option<SigningKey>, FileError> {
        load_key(&state.join(Self::FILE), KeyKind::Authority)
    }

    pub(crate) fn create_key(state: &Path) -> Result<SigningKey, FileError> {
        create_key(&state.join(Self::FILE), KeyKind::Authority)
    }

    /// The key with the root file that belongs to it, or with a root made anew where there is none.
    pub(crate) fn with_root(
        key: SigningKey,
        root: Option<TrustRoot>,
        name: &str,
        now_ms: u64,
    ) -> Result<Self, RootError> {
        match root {
            Some(root) if *root.public_key() == key.verifying_key().to_bytes() => Ok(Self { key, root }),
            _ => Self::of(key, name, now_ms),
        }
    }

    /// Its public half.
    pub fn root(&self) -> &TrustRoot {
        &self.root
    }

    /// Its id.
    pub fn id(&self) -> RootId {
        self.root.id()
    }

    /// Certifies that a device belongs to an account, for `cert_months` from now. It is valid already when the
    /// device's clock is late by as much as a handshake allows.
    ///
    /// # Errors
    /// A weak key, or an account that cannot be shown.
    pub fn issue(
        &self,
        serial: u64,
        public_key: &[u8; 32],
        account: &str,
        now_ms: u64,
        limits: &Limits,
    ) -> Result<Certificate, CertificateError> {
        let claim = Claim {
            serial,
            public_key: *public_key,
            account: account.to_owned(),
            not_before: now_ms.saturating_sub(limits.clock_skew_ms),
            not_after: now_ms.saturating_add(u64::from(limits.cert_months) * MONTH_MS),
            root_epoch: self.root.epoch(),
        };
        Certificate::issue(&self.key, claim)
    }

    /// Signs the revocation list that follows the one of number `number - 1`.
    ///
    /// # Errors
    /// More devices than `crl_devices_max`.
    pub fn revoke(
        &self,
        number: u64,
        revoked: &[(DeviceId, u64)],
        now_ms: u64,
        limits: &Limits,
    ) -> Result<Crl, CrlError> {
        let sign = |message: &[u8]| self.key.sign(message).to_bytes();
        Crl::make(&self.root, number, EPOCH, revoked, now_ms, limits, sign)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn authority(seed: u8) -> Authority {
        Authority::generate(&[seed; 32], "lab", 1000).unwrap()
    }

    // proves: O1
    #[test]
    fn certificates_live_twelve_months_and_allow_for_a_late_clock() {
        let key = crate::DeviceKey::generate(&[2; 32]);
        let now_ms = 1_700_000_000_000;
        let authority = authority(1);
        let certificate = authority.issue(7, &key.public(), "alice", now_ms, &Limits::DEFAULT).unwrap();
        assert_eq!(certificate.device(), key.device_id());
        let root_key = authority.root().public_key();
        let year_ms = 365 * 86_400_000;
        for (at_ms, good) in [
            (now_ms - 300_001, false),
            (now_ms - 300_000, true),
            (now_ms + year_ms - 1, true),
            (now_ms + year_ms, false),
        ] {
            assert_eq!(certificate.verify(root_key, at_ms).is_ok(), good, "{at_ms}");
        }
        assert!(authority.issue(7, &[0; 32], "alice", now_ms, &Limits::DEFAULT).is_err(), "a weak key");
    }
}
