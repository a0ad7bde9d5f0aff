//! Enrolled devices.

use crate::error::StoreError;
use crate::store::{Store, given, stored};
use base::ids::DeviceId;
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// One enrolled device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// Its key.
    pub device: DeviceId,
    /// Whose it is.
    pub account: String,
    /// What it calls itself.
    pub name: String,
    /// Serial of its certificate.
    pub serial: u64,
    /// Its certificate, opaque here.
    pub certificate: Vec<u8>,
    /// UTC milliseconds after which the certificate is refused.
    pub not_after_ms: u64,
    /// UTC milliseconds of its enrolment.
    pub enrolled_ms: u64,
    /// UTC milliseconds of its revocation.
    pub revoked_ms: Option<u64>,
}

const COLUMNS: &str = "device, account, name, serial, certificate, not_after_ms, enrolled_ms, revoked_ms";

fn device(row: &Row<'_>) -> rusqlite::Result<Device> {
    Ok(Device {
        device: DeviceId(row.get(0)?),
        account: row.get(1)?,
        name: row.get(2)?,
        serial: row.get::<_, i64>(3)? as u64,
        certificate: row.get(4)?,
        not_after_ms: given(row.get(5)?),
        enrolled_ms: given(row.get(6)?),
        revoked_ms: row.get::<_, Option<i64>>(7)?.map(given),
    })
}

/// Inserts or changes a row; what was revoked stays revoked.
pub(crate) fn put(change: &Transaction<'_>, device: &Device) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO devices ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (device) DO UPDATE SET account = excluded.account, name = excluded.name,
         serial = excluded.serial, certificate = excluded.certificate, not_after_ms = excluded.not_after_ms,
         enrolled_ms = excluded.enrolled_ms, revoked_ms = coalesce(revoked_ms, excluded.revoked_ms)"
    );
    change.execute(
        &sql,
        params![
            device.device.0,
            device.account,
            device.name,
            stored(device.serial),
            device.certificate,
            stored(device.not_after_ms),
            stored(device.enrolled_ms),
            device.revoked_ms.map(stored)
        ],
    )?;
    Ok(())
}

impl Store {
    /// Keeps a device that was enrolled without a token, such as the hub itself, or changes its row. A
    /// revocation stays.
    ///
    /// # Errors
    /// Its serial belongs to another device, or the database refuses.
    pub fn put_device(&mut self, device: &Device) -> Result<(), StoreError> {
        let change = self.change()?;
        put(&change, device)?;
        Ok(change.commit()?)
    }

    /// One device.
    ///
    /// # Errors
    /// The database refuses.
    pub fn device(&mut self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM devices WHERE device = ?1");
        Ok(self.db.query_row(&sql, [id.0], device).optional()?)
    }

    /// At most `most` devices in the order of their ids, those after `after`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn devices(&mut self, after: Option<DeviceId>, most: u32) -> Result<Vec<Device>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM devices WHERE device > ?1 ORDER BY device LIMIT ?2");
        let mut rows = self.db.prepare_cached(&sql)?;
        // Shorter than every id, and so before all of them.
        let after = after.map_or(Vec::new(), |id| id.0.to_vec());
        Ok(rows.query_map(params![after, most], device)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Marks a device revoked, once and for good; `false` when it is not known or was revoked before.
    ///
    /// # Errors
    /// The database refuses.
    pub fn revoke_device(&mut self, id: DeviceId, now_ms: u64) -> Result<bool, StoreError> {
        let sql = "UPDATE devices SET revoked_ms = ?2 WHERE device = ?1 AND revoked_ms IS NULL";
        Ok(self.db.execute(sql, params![id.0, stored(now_ms)])? == 1)
    }

    /// Devices that are revoked and whose certificate has not expired: what a revocation list must name.
    /// At most `crl_devices_max`, the earliest revoked first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn revoked_devices(&mut self, now_ms: u64) -> Result<Vec<Device>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM devices WHERE revoked_ms IS NOT NULL AND not_after_ms > ?1
             ORDER BY revoked_ms LIMIT ?2"
        );
        let mut rows = self.db.prepare_cached(&sql)?;
        let found = rows.query_map(params![stored(now_ms), self.limits.crl_devices_max], device)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::store;
    use base::limits::Limits;

    fn numbered(number: u8) -> Device {
        Device {
            device: DeviceId([number; 32]),
            account: "alice".into(),
            name: "laptop".into(),
            serial: number.into(),
            certificate: vec![number],
            not_after_ms: 1000,
            enrolled_ms: 1,
            revoked_ms: None,
        }
    }

    #[test]
    fn devices_are_kept_paged_and_revoked_once() {
        let (_home, mut store) = store(&Limits::TINY);
        for number in [3, 1, 2] {
            store.put_device(&numbered(number)).unwrap();
        }
        let first = store.devices(None, 2).unwrap();
        assert_eq!(first, [numbered(1), numbered(2)]);
        assert_eq!(store.devices(Some(first[1].device), 2).unwrap(), [numbered(3)]);
        assert!(store.revoke_device(DeviceId([2; 32]), 50).unwrap());
        assert!(!store.revoke_device(DeviceId([2; 32]), 60).unwrap());
        assert!(!store.revoke_device(DeviceId([9; 32]), 60).unwrap());
        assert_eq!(store.device(DeviceId([2; 32])).unwrap().unwrap().revoked_ms, Some(50));
        store.put_device(&numbered(2)).unwrap();
        assert_eq!(store.revoked_devices(999).unwrap().len(), 1, "a revocation stays");
        let thief = Device { serial: 3, ..numbered(4) };
        assert!(store.put_device(&thief).is_err(), "a serial belongs to one device");
        assert_eq!(store.revoked_devices(1000).unwrap().len(), 0, "expired anyway");
    }
}
