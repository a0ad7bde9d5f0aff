//! The revocation list: signed state that only moves forward.
//!
//! Its position is (epoch, number). A list is taken in the place of another only at a higher position, so an
//! old one played again cannot bring a revoked device back.

use crate::root::TrustRoot;
use base::codes::Code;
use base::ids::{DeviceId, RootId};
use base::limits::Limits;
use ed25519_dalek::Signature;
use proto::session::certificate::{Certificate, strong_key};
use proto::wire::layouts::{Field, field};
use proto::wire::{Reader, WireError, Writer};
use std::fmt;

const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"xferd/1 crl\0";
const FIXED_BYTES: u64 = 1 + 8 + 4 + 8 + 4 + 8 + 4 + 64;
const ROW_BYTES: u64 = 32 + 8;

pub(crate) const FIELDS: &[Field] = &[
    field("version", "u8", "1"),
    field("root_id", "[8]", "whose list it is"),
    field("epoch", "u32", "epoch of the issuer"),
    field("number", "u64", "from 1, one more with each list of an epoch"),
    field("epoch_min", "u32", "certificates of an earlier epoch are revoked"),
    field("issued", "u64", "UTC ms"),
    field("count", "u32", "of rows, at most crl_devices_max"),
    field("rows", "count x {device [32], revoked u64}", "devices in ascending order, each once; UTC ms"),
    field("signature", "[64]", "Ed25519 by the root over `xferd/1 crl`, 0 and all bytes before"),
];

/// A revocation list whose signature holds under its root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crl {
    bytes: Vec<u8>,
    root: RootId,
    epoch: u32,
    number: u64,
    epoch_min: u32,
    issued_ms: u64,
    devices: Vec<(DeviceId, u64)>,
}

/// Why a revocation list is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CrlError {
    /// Its bytes.
    Wire(WireError),
    /// A later release made it.
    Version(u8),
    /// It is another root's.
    OtherRoot(RootId),
    /// Devices are not in ascending order, or one stands twice.
    Order,
    /// More devices than allowed.
    TooMany {
        /// Devices on it.
        devices: u64,
        /// `crl_devices_max`.
        most: u32,
    },
    /// Its signature does not hold.
    Signature,
    /// It is older than the one held.
    Rollback {
        /// Position held: epoch, number.
        held: (u32, u64),
        /// Position offered.
        offered: (u32, u64),
    },
    /// Another list of the same position is held: the authority signed two.
    Fork {
        /// Epoch, number.
        at: (u32, u64),
    },
}

impl CrlError {
    /// What a peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::Wire(error) => error.code(),
            Self::Version(_) => Code::Version,
            Self::OtherRoot(_) => Code::UntrustedRoot,
            Self::Order => Code::InvalidRequest,
            Self::TooMany { .. } => Code::TooLarge,
            Self::Signature => Code::InvalidSignature,
            Self::Rollback { .. } | Self::Fork { .. } => Code::Conflict,
        }
    }
}

impl fmt::Display for CrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(_) | Self::Order => write!(f, "the revocation list is malformed"),
            Self::Version(found) => write!(f, "the revocation list has version {found}: update this program"),
            Self::OtherRoot(root) => write!(f, "the revocation list is of another root ({root})"),
            Self::TooMany { devices, most } => {
                write!(f, "the revocation list names {devices} devices: raise crl_devices_max = {most}")
            }
            Self::Signature => write!(f, "the revocation list's signature does not hold"),
            Self::Rollback { held, offered } => write!(
                f,
                "the revocation list {}.{} is older than the one held, {}.{}: it is not taken",
                offered.0, offered.1, held.0, held.1
            ),
            Self::Fork { at } => write!(
                f,
                "there are two revocation lists {}.{}: the authority was restored from a backup, or its key is \
                 in other hands",
                at.0, at.1
            ),
        }
    }
}

impl std::error::Error for CrlError {}

impl From<WireError> for CrlError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl Crl {
    /// Most bytes of a list.
    pub fn bytes_max(limits: &Limits) -> u64 {
        FIXED_BYTES + ROW_BYTES * u64::from(limits.crl_devices_max)
    }

    /// Signs a list: `sign` signs with the root's secret.
    pub(crate) fn make(
        root: &TrustRoot,
        number: u64,
        epoch_min: u32,
        revoked: &[(DeviceId, u64)],
        issued_ms: u64,
        limits: &Limits,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Self, CrlError> {
        let mut devices = revoked.to_vec();
        // The earliest revocation of a device counts.
        devices.sort_unstable();
        devices.dedup_by_key(|row| row.0);
        let most = limits.crl_devices_max;
        let count = u32::try_from(devices.len()).ok().filter(|count| *count <= most);
        let count = count.ok_or(CrlError::TooMany { devices: devices.len() as u64, most })?;
        let mut out = Writer::with_capacity((FIXED_BYTES + ROW_BYTES * u64::from(count)) as usize);
        out.u8(VERSION).bytes(&root.id().0).u32(root.epoch()).u64(number);
        out.u32(epoch_min).u64(issued_ms).u32(count);
        for (device, revoked_ms) in &devices {
            out.bytes(&device.0).u64(*revoked_ms);
        }
        let signature = sign(&[CONTEXT, out.as_bytes()].concat());
        out.bytes(&signature);
        Self::parse(out.as_bytes(), root, limits)
    }

    /// Reads a list and checks its signature under the root it must be of.
    ///
    /// # Errors
    /// The rule it breaks; never [`CrlError::Rollback`] or [`CrlError::Fork`].
    pub fn parse(bytes: &[u8], root: &TrustRoot, limits: &Limits) -> Result<Self, CrlError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8()?;
        if version != VERSION {
            return Err(CrlError::Version(version));
        }
        let id = RootId(reader.array()?);
        if id != root.id() {
            return Err(CrlError::OtherRoot(id));
        }
        let (epoch, number, epoch_min) = (reader.u32()?, reader.u64()?, reader.u32()?);
        let (issued_ms, count) = (reader.u64()?, reader.u32()?);
        if count > limits.crl_devices_max {
            return Err(CrlError::TooMany { devices: count.into(), most: limits.crl_devices_max });
        }
        let mut rows = Reader::new(reader.bytes(count as usize * ROW_BYTES as usize)?);
        let signed = reader.position();
        let signature = Signature::from_bytes(&reader.array()?);
        reader.finish()?;
        let key = strong_key(root.public_key()).map_err(|_| CrlError::Signature)?;
        key.verify_strict(&[CONTEXT, &bytes[..signed]].concat(), &signature)
            .map_err(|_| CrlError::Signature)?;
        let mut devices = Vec::with_capacity(count as usize);
        for _ in 0..count {
            devices.push((DeviceId(rows.array()?), rows.u64()?));
        }
        if !devices.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(CrlError::Order);
        }
        Ok(Self { bytes: bytes.to_vec(), root: id, epoch, number, epoch_min, issued_ms, devices })
    }

    /// Whether this list goes in the place of `held`: `false` when it is that list.
    ///
    /// # Errors
    /// It is older, or another one of the same position.
    pub fn replaces(&self, held: Option<&Crl>) -> Result<bool, CrlError> {
        let Some(held) = held else { return Ok(true) };
        let (held_at, at) = (held.position(), self.position());
        if at < held_at {
            return Err(CrlError::Rollback { held: held_at, offered: at });
        }
        if at == held_at && self.bytes != held.bytes {
            return Err(CrlError::Fork { at });
        }
        Ok(at > held_at)
    }

    /// When a device was revoked, UTC ms; `None`: it is not on the list.
    pub fn revoked_ms(&self, device: DeviceId) -> Option<u64> {
        let at = self.devices.binary_search_by(|row| row.0.cmp(&device)).ok()?;
        Some(self.devices[at].1)
    }

    /// Whether a certificate of this root no longer counts: its device is on the list, or its epoch is over.
    pub fn revokes(&self, certificate: &Certificate) -> bool {
        certificate.claim().root_epoch < self.epoch_min || self.revoked_ms(certificate.device()).is_some()
    }

    /// Its bytes.
    pub fn encode(&self) -> &[u8] {
        &self.bytes
    }

    /// Whose list it is.
    pub fn root(&self) -> RootId {
        self.root
    }

    /// Epoch and number: what only grows.
    pub fn position(&self) -> (u32, u64) {
        (self.epoch, self.number)
    }

    /// When it was signed, UTC ms.
    pub fn issued_ms(&self) -> u64 {
        self.issued_ms
    }

    /// The devices on it, with the UTC ms of their revocation.
    pub fn devices(&self) -> &[(DeviceId, u64)] {
        &self.devices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::tests::authority;

    fn device(number: u8) -> DeviceId {
        DeviceId([number; 32])
    }

    // proves: O6
    #[test]
    fn a_list_names_its_devices_and_survives_its_bytes() {
        let authority = authority(1);
        let rows = [(device(9), 5), (device(1), 7), (device(9), 4)];
        let list = authority.revoke(1, &rows, 100, &Limits::TINY).unwrap();
        assert_eq!(list.devices(), [(device(1), 7), (device(9), 4)]);
        assert_eq!((list.revoked_ms(device(9)), list.revoked_ms(device(2))), (Some(4), None));
        assert_eq!(Crl::parse(list.encode(), authority.root(), &Limits::TINY).unwrap(), list);
        let empty = authority.revoke(2, &[], 100, &Limits::TINY).unwrap();
        assert_eq!(empty.revoked_ms(device(1)), None);
        let five: Vec<_> = (0..5).map(|number| (device(number), 0)).collect();
        let refused = authority.revoke(3, &five, 100, &Limits::TINY);
        assert_eq!(refused, Err(CrlError::TooMany { devices: 5, most: 4 }));
        let long = authority.revoke(3, &five, 100, &Limits::DEFAULT).unwrap();
        let read = Crl::parse(long.encode(), authority.root(), &Limits::TINY);
        assert_eq!(read, Err(CrlError::TooMany { devices: 5, most: 4 }));
    }

    // proves: O12
    #[test]
    fn a_listed_device_and_an_ended_epoch_are_revoked() {
        let authority = authority(1);
        let key = crate::DeviceKey::generate(&[2; 32]);
        let certificate = authority.issue(1, &key.public(), "alice", 0, &Limits::TINY).unwrap();
        let list = |rows: &[_]| authority.revoke(1, rows, 100, &Limits::TINY).unwrap();
        assert!(!list(&[(device(1), 5)]).revokes(&certificate));
        assert!(list(&[(key.device_id(), 5)]).revokes(&certificate));
        let later = Crl { epoch_min: 2, ..list(&[]) };
        assert!(later.revokes(&certificate));
    }

    #[test]
    fn every_flipped_bit_and_another_root_are_noticed() {
        let (ours, theirs) = (authority(1), authority(2));
        let list = ours.revoke(1, &[(device(1), 5)], 100, &Limits::TINY).unwrap();
        for bit in 0..list.encode().len() * 8 {
            let mut bytes = list.encode().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Crl::parse(&bytes, ours.root(), &Limits::TINY).is_err(), "bit {bit}");
        }
        let read = Crl::parse(list.encode(), theirs.root(), &Limits::TINY);
        assert_eq!(read, Err(CrlError::OtherRoot(ours.id())));
        for cut in 0..list.encode().len() {
            assert!(Crl::parse(&list.encode()[..cut], ours.root(), &Limits::TINY).is_err());
        }
    }

    // proves: O12
    #[test]
    fn lists_only_move_forward() {
        let authority = authority(1);
        let list = |number, at_ms| authority.revoke(number, &[], at_ms, &Limits::TINY).unwrap();
        let (one, two, other_two) = (list(1, 1), list(2, 1), list(2, 9));
        assert_eq!(one.replaces(None), Ok(true));
        assert_eq!(two.replaces(Some(&one)), Ok(true));
        assert_eq!(two.replaces(Some(&two)), Ok(false));
        assert_eq!(one.replaces(Some(&two)), Err(CrlError::Rollback { held: (1, 2), offered: (1, 1) }));
        assert_eq!(other_two.replaces(Some(&two)), Err(CrlError::Fork { at: (1, 2) }));
        let (mut old_epoch, mut new_epoch) = (list(9, 1), list(1, 1));
        (old_epoch.epoch, new_epoch.epoch) = (1, 2);
        assert_eq!(new_epoch.replaces(Some(&old_epoch)), Ok(true));
        assert!(old_epoch.replaces(Some(&new_epoch)).is_err());
    }
}
