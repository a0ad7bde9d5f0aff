//! The tables, as a list of steps; `user_version` says how many of them a database has taken.
//!
//! A step is never edited once a release shipped it: the next one is appended. A database with more steps
//! than this list is refused.

use crate::dir::StateDir;
use crate::error::StoreError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;

/// One database of the state directory.
pub(crate) struct Schema {
    pub(crate) file: &'static str,
    pub(crate) steps: &'static [&'static str],
}

/// What must never roll back.
pub(crate) const STATE: Schema = Schema {
    file: "state.db",
    steps: &[
        "
        CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        INSERT INTO counters VALUES ('serial', 0);
        CREATE TABLE tokens (
            psk_id BLOB PRIMARY KEY CHECK (length(psk_id) = 16),
            secret BLOB NOT NULL CHECK (length(secret) = 32),
            account TEXT NOT NULL,
            expires_ms INTEGER NOT NULL,
            used_by BLOB CHECK (length(used_by) = 32),
            certificate BLOB,
            CHECK ((used_by IS NULL) = (certificate IS NULL))
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX tokens_expiry ON tokens (expires_ms);
        CREATE TABLE devices (
            device BLOB PRIMARY KEY CHECK (length(device) = 32),
            account TEXT NOT NULL,
            name TEXT NOT NULL,
            serial INTEGER NOT NULL UNIQUE,
            certificate BLOB NOT NULL,
            not_after_ms INTEGER NOT NULL,
            enrolled_ms INTEGER NOT NULL,
            revoked_ms INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE bans (
            kind INTEGER NOT NULL,
            subject TEXT NOT NULL,
            reason TEXT NOT NULL,
            until_ms INTEGER NOT NULL,
            PRIMARY KEY (kind, subject)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE receipts (
            at INTEGER PRIMARY KEY,
            transfer BLOB NOT NULL UNIQUE CHECK (length(transfer) = 16),
            stored_ms INTEGER NOT NULL
        ) STRICT;
    ",
        "
        CREATE TABLE plugin_keys (
            plugin TEXT NOT NULL,
            key TEXT NOT NULL,
            value BLOB NOT NULL,
            version INTEGER NOT NULL,
            until_ms INTEGER NOT NULL,
            PRIMARY KEY (plugin, key)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE plugin_usage (
            plugin TEXT PRIMARY KEY,
            version INTEGER NOT NULL,
            bytes INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
    ",
        "
        CREATE TABLE groups (
            id BLOB PRIMARY KEY CHECK (length(id) = 32),
            name TEXT NOT NULL UNIQUE,
            epoch INTEGER NOT NULL,
            created_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE group_members (
            group_id BLOB NOT NULL,
            account TEXT NOT NULL,
            admin INTEGER NOT NULL,
            PRIMARY KEY (group_id, account)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX group_members_account ON group_members (account);
        CREATE INDEX devices_account ON devices (account);
    ",
    ],
};

/// What only grows, up to its bound.
pub(crate) const LOG: Schema = Schema {
    file: "log.db",
    steps: &[
        "
        CREATE TABLE audit (
            at INTEGER PRIMARY KEY AUTOINCREMENT,
            utc_ms INTEGER NOT NULL,
            device BLOB,
            account TEXT NOT NULL,
            address TEXT NOT NULL,
            action TEXT NOT NULL,
            root TEXT NOT NULL,
            allowed INTEGER NOT NULL,
            code INTEGER,
            reason TEXT NOT NULL
        ) STRICT;
    ",
        "
        ALTER TABLE audit ADD COLUMN decision INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE audit ADD COLUMN path BLOB NOT NULL DEFAULT x'';
        ALTER TABLE audit ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';
        ALTER TABLE audit ADD COLUMN reads TEXT NOT NULL DEFAULT '';
        ALTER TABLE audit ADD COLUMN obligations TEXT NOT NULL DEFAULT '';
        ALTER TABLE audit ADD COLUMN took_ns INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE audit ADD COLUMN cache TEXT NOT NULL DEFAULT '';
        CREATE INDEX audit_decision ON audit (decision) WHERE decision > 0;
    ",
    ],
};

/// What accounts store: a row a file, so it may be large. It can be removed: counting begins anew then.
pub(crate) const STORED: Schema = Schema {
    file: "stored.db",
    steps: &["
        CREATE TABLE files (
            root TEXT NOT NULL,
            path BLOB NOT NULL,
            account TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            PRIMARY KEY (root, path)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE sums (
            root TEXT NOT NULL,
            account TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            files INTEGER NOT NULL,
            PRIMARY KEY (root, account)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE coming (
            transfer BLOB NOT NULL CHECK (length(transfer) = 16),
            root TEXT NOT NULL,
            path BLOB NOT NULL,
            account TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            PRIMARY KEY (transfer, root, path)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX coming_account ON coming (root, account);
    "],
};

impl Schema {
    /// Opens or creates the database and brings it to the last step.
    pub(crate) fn open(&self, dir: &StateDir) -> Result<Connection, StoreError> {
        let path = dir.join(self.file);
        let failed = |error| StoreError::Open { path: path.clone(), error };
        // SQLite would create it as the umask says; its -wal takes the mode of the database.
        let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        made.map_err(|error| crate::DirError::Io { doing: "create", path: path.clone(), error })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let mut db = Connection::open_with_flags(&path, flags).map_err(failed)?;
        configure(&db).map_err(failed)?;
        let found: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
        let known = self.steps.len() as u32;
        if found > known {
            return Err(StoreError::Newer { path, found, known });
        }
        for (index, step) in self.steps.iter().enumerate().skip(found as usize) {
            let mut take = || {
                let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
                change.execute_batch(step)?;
                change.pragma_update(None, "user_version", index as u32 + 1)?;
                change.commit()
            };
            take().map_err(failed)?;
        }
        Ok(db)
    }
}

/// WAL and FULL: an answered transaction survives power loss. EXCLUSIVE: no other process can join, and no
/// shared memory file is needed. secure_delete: a swept token's secret is overwritten.
fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    assert_eq!(mode, "wal", "every file system that SQLite can lock on takes WAL in exclusive mode");
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_schema_is_refused_by_number_and_a_damaged_file_by_name() {
        let home = tempfile::tempdir().unwrap();
        let dir = StateDir::open(&home.path().join("s")).unwrap();
        let db = STATE.open(&dir).unwrap();
        db.pragma_update(None, "user_version", 9).unwrap();
        drop(db);
        assert!(matches!(STATE.open(&dir), Err(StoreError::Newer { found: 9, known: 3, .. })));
        std::fs::write(dir.join("state.db"), vec![7; 8192]).unwrap();
        let error = STATE.open(&dir).expect_err("refused");
        assert!(error.to_string().contains("state.db"), "{error}");
    }

    #[test]
    fn a_database_of_an_older_schema_takes_the_steps_it_lacks_and_keeps_what_it_has() {
        let home = tempfile::tempdir().unwrap();
        let dir = StateDir::open(&home.path().join("s")).unwrap();
        let older = Schema { file: STATE.file, steps: &STATE.steps[..2] };
        let db = older.open(&dir).unwrap();
        db.execute("INSERT INTO plugin_usage VALUES ('a/b', 7, 8)", []).unwrap();
        drop(db);
        let db = STATE.open(&dir).unwrap();
        let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
        assert_eq!(count("SELECT version FROM plugin_usage"), 7);
        assert_eq!(count("SELECT count(*) FROM groups"), 0);
    }

    #[test]
    fn durability_is_as_promised() {
        let home = tempfile::tempdir().unwrap();
        let dir = StateDir::open(&home.path().join("s")).unwrap();
        let db = STATE.open(&dir).unwrap();
        let synchronous: u32 = db.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!(synchronous, 2, "FULL");
        use std::os::unix::fs::MetadataExt;
        assert_eq!(std::fs::metadata(dir.join("state.db")).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(dir.join("state.db-wal")).unwrap().mode() & 0o777, 0o600);
    }
}
