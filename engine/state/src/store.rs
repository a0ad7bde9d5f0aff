//! The store: three databases and the receipts, for the one thread that owns it.

use crate::audit;
use crate::dir::StateDir;
use crate::error::StoreError;
use crate::schema::{LOG, STATE, STORED};
use base::limits::Limits;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::sync::Arc;

/// What must never roll back. Each method that changes something is one transaction, durable when it returns.
pub struct Store {
    pub(crate) db: Connection,
    pub(crate) log: Connection,
    pub(crate) stored: Connection,
    pub(crate) audit_rows: u64,
    pub(crate) audit_gone: u64,
    pub(crate) dir: Arc<StateDir>,
    pub(crate) limits: Limits,
}

impl Store {
    /// Opens or creates the databases of a locked state directory.
    ///
    /// # Errors
    /// A database is newer, damaged, or the disk refuses.
    ///
    /// # Panics
    /// The directory is not the daemon's own handle.
    pub fn open(dir: Arc<StateDir>, limits: &Limits) -> Result<Self, StoreError> {
        assert!(dir.is_locked(), "the store belongs to the holder of the lock");
        let db = STATE.open(&dir)?;
        let log = LOG.open(&dir)?;
        let stored = STORED.open(&dir)?;
        let audit_rows = audit::count(&log)?;
        Ok(Self { db, log, stored, audit_rows, audit_gone: 0, dir, limits: limits.clone() })
    }

    /// The next certificate serial: each number once, from 1.
    ///
    /// # Errors
    /// The database refuses.
    pub fn next_serial(&mut self) -> Result<u64, StoreError> {
        let change = self.change()?;
        let serial = next_serial(&change)?;
        change.commit()?;
        Ok(serial)
    }

    pub(crate) fn change(&mut self) -> rusqlite::Result<Transaction<'_>> {
        self.db.transaction_with_behavior(TransactionBehavior::Immediate)
    }
}

/// Takes a serial inside a transaction; a rollback gives it back.
pub(crate) fn next_serial(change: &Transaction<'_>) -> rusqlite::Result<u64> {
    let sql = "UPDATE counters SET value = value + 1 WHERE name = 'serial' RETURNING value";
    change.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|serial| serial as u64)
}

/// A time as SQLite holds it; beyond 2^63 (such as "never") is the largest it can hold.
pub(crate) fn stored(utc_ms: u64) -> i64 {
    i64::try_from(utc_ms).unwrap_or(i64::MAX)
}

/// A time as it was given; the largest stored one means "never".
pub(crate) fn given(utc_ms: i64) -> u64 {
    if utc_ms == i64::MAX { u64::MAX } else { utc_ms as u64 }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn store(limits: &Limits) -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().unwrap();
        let dir = Arc::new(StateDir::open(&home.path().join("s")).unwrap());
        let store = Store::open(dir, limits).unwrap();
        (home, store)
    }

    #[test]
    fn serials_count_from_one_across_restarts() {
        let (home, mut store) = store(&Limits::TINY);
        assert_eq!([store.next_serial().unwrap(), store.next_serial().unwrap()], [1, 2]);
        drop(store);
        let dir = Arc::new(StateDir::open(&home.path().join("s")).unwrap());
        assert_eq!(Store::open(dir, &Limits::TINY).unwrap().next_serial().unwrap(), 3);
    }

    #[test]
    fn never_survives_the_database() {
        for time in [0, 1, 1 << 62, u64::MAX] {
            assert_eq!(given(stored(time)), time);
        }
    }
}
