//! Bans: who is refused before anything else, why, and until when.

use crate::error::StoreError;
use crate::store::{Store, given, stored};
use base::ids::DeviceId;
use rusqlite::{Row, params};
use std::net::IpAddr;

/// Whom a ban is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Banned {
    /// A device.
    Device(DeviceId),
    /// All devices of an account.
    Account(String),
    /// Whoever connects from an address.
    Address(IpAddr),
}

/// One ban.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ban {
    /// Whom.
    pub subject: Banned,
    /// Why, for logs.
    pub reason: String,
    /// UTC milliseconds of its end; `u64::MAX`: never.
    pub until_ms: u64,
}

impl Banned {
    fn columns(&self) -> (u8, String) {
        match self {
            Self::Device(id) => (1, id.to_string()),
            Self::Account(account) => (2, account.clone()),
            Self::Address(address) => (3, address.to_canonical().to_string()),
        }
    }

    fn from_columns(kind: u8, subject: &str) -> Option<Self> {
        match kind {
            1 => DeviceId::from_hex(subject).map(Self::Device),
            2 => Some(Self::Account(subject.to_owned())),
            3 => subject.parse().ok().map(Self::Address),
            _ => None,
        }
    }
}

fn ban(row: &Row<'_>) -> rusqlite::Result<Ban> {
    let (kind, subject): (u8, String) = (row.get(0)?, row.get(1)?);
    let subject = Banned::from_columns(kind, &subject).ok_or(rusqlite::Error::InvalidQuery)?;
    Ok(Ban { subject, reason: row.get(2)?, until_ms: given(row.get(3)?) })
}

impl Store {
    /// Bans, or changes a ban; sweeps those that are over.
    ///
    /// # Errors
    /// `bans_max` is reached, or the database refuses.
    pub fn ban(&mut self, ban: &Ban, now_ms: u64) -> Result<(), StoreError> {
        let most = u64::from(self.limits.bans_max);
        let (kind, subject) = ban.subject.columns();
        let change = self.change()?;
        change.execute("DELETE FROM bans WHERE until_ms <= ?1", [stored(now_ms)])?;
        change.execute(
            "INSERT OR REPLACE INTO bans (kind, subject, reason, until_ms) VALUES (?1, ?2, ?3, ?4)",
            params![kind, subject, ban.reason, stored(ban.until_ms)],
        )?;
        let bans: i64 = change.query_row("SELECT count(*) FROM bans", [], |row| row.get(0))?;
        if bans as u64 > most {
            return Err(StoreError::Full { limit: "bans_max", most });
        }
        Ok(change.commit()?)
    }

    /// Lifts a ban; `false` when there was none.
    ///
    /// # Errors
    /// The database refuses.
    pub fn unban(&mut self, subject: &Banned) -> Result<bool, StoreError> {
        let (kind, subject) = subject.columns();
        Ok(self.db.execute("DELETE FROM bans WHERE kind = ?1 AND subject = ?2", params![kind, subject])? == 1)
    }

    /// The bans in force; at most `bans_max`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn bans(&mut self, now_ms: u64) -> Result<Vec<Ban>, StoreError> {
        let sql = "SELECT kind, subject, reason, until_ms FROM bans WHERE until_ms > ?1 ORDER BY kind, subject LIMIT ?2";
        let mut rows = self.db.prepare_cached(sql)?;
        let found = rows.query_map(params![stored(now_ms), self.limits.bans_max], ban)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::store;
    use base::limits::Limits;

    // proves: P6
    #[test]
    fn bans_expire_are_lifted_and_bounded() {
        let (_home, mut store) = store(&Limits::TINY);
        let subjects = [
            Banned::Device(DeviceId([7; 32])),
            Banned::Account("mallory".into()),
            Banned::Address("::ffff:192.0.2.1".parse().unwrap()),
            Banned::Address("2001:db8::1".parse().unwrap()),
        ];
        for (index, subject) in subjects.iter().enumerate() {
            let until_ms = if index == 0 { u64::MAX } else { 100 };
            store.ban(&Ban { subject: subject.clone(), reason: "flood".into(), until_ms }, 0).unwrap();
        }
        assert_eq!(store.bans(99).unwrap().len(), 4);
        let fifth = Ban { subject: Banned::Account("eve".into()), reason: String::new(), until_ms: 500 };
        assert!(matches!(store.ban(&fifth, 99), Err(StoreError::Full { limit: "bans_max", most: 4 })));
        assert_eq!(store.bans(99).unwrap().len(), 4, "the refused one left nothing");
        assert!(
            store.unban(&Banned::Address("192.0.2.1".parse().unwrap())).unwrap(),
            "one address, two spellings"
        );
        assert!(!store.unban(&subjects[2]).unwrap());
        store.ban(&fifth, 100).unwrap();
        let left = store.bans(100).unwrap();
        assert_eq!(left.iter().map(|ban| ban.until_ms).collect::<Vec<_>>(), [u64::MAX, 500]);
    }
}
