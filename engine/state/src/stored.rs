//! What each account stores on each share: a row a file that it put there, and the sums of them.
//!
//! A file belongs to the account that published it last; what was there before counting began belongs to nobody. A
//! row in `coming` stands from before a file gets its name until after it: those that are left at a start are
//! settled by a look at the disk.

use crate::error::StoreError;
use crate::store::Store;
use base::hooks::Storing;
use base::ids::TransferId;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::BTreeMap;

/// What one account stores on one share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredSum {
    /// Name of the share.
    pub root: String,
    /// Who.
    pub account: String,
    /// Bytes of content.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

/// A file that is counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredFile {
    /// Beneath its share.
    pub path: Vec<u8>,
    /// Whose it is.
    pub account: String,
    /// Bytes of content.
    pub bytes: u64,
}

/// A file of an earlier process: nobody knows yet whether it got its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsettled {
    /// Whose transfer it was of.
    pub transfer: TransferId,
    /// Name of the share.
    pub root: String,
    /// Beneath it.
    pub path: Vec<u8>,
    /// Bytes of content that were coming.
    pub bytes: u64,
}

/// What came of a change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counted {
    /// Files that may not get their names, by their place in [`Storing::coming`].
    pub refused: Vec<u32>,
    /// Sums of the share that changed.
    pub sums: Vec<StoredSum>,
}

impl Store {
    /// Counts a change, all of it or nothing; durable when it returns.
    ///
    /// # Errors
    /// The database refuses.
    pub fn count_stored(&mut self, change: &Storing) -> Result<Counted, StoreError> {
        let files_max = self.limits.stored_files_max;
        let mut books = Books::open(self, &change.root)?;
        for (path, got_its_name) in &change.came {
            if let Some((account, bytes)) = books.no_longer_coming(change.transfer, path)?
                && *got_its_name
            {
                books.put(path, &account, bytes)?;
            }
        }
        for path in &change.gone {
            books.take(path)?;
        }
        let refused = books.coming(change, files_max)?;
        Ok(Counted { refused, sums: books.close()? })
    }

    /// All sums, by share and account.
    ///
    /// # Errors
    /// The database refuses.
    pub fn stored_sums(&mut self) -> Result<Vec<StoredSum>, StoreError> {
        let sql = "SELECT root, account, bytes, files FROM sums ORDER BY root, account";
        let mut select = self.stored.prepare_cached(sql)?;
        let rows = select.query_map([], |row| {
            let (bytes, files): (i64, i64) = (row.get(2)?, row.get(3)?);
            Ok(StoredSum {
                root: row.get(0)?,
                account: row.get(1)?,
                bytes: bytes as u64,
                files: files as u64,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What earlier processes left unsettled; empty but at a start.
    ///
    /// # Errors
    /// The database refuses.
    pub fn unsettled(&mut self) -> Result<Vec<Unsettled>, StoreError> {
        let sql = "SELECT transfer, root, path, bytes FROM coming ORDER BY root, transfer, path";
        let mut select = self.stored.prepare_cached(sql)?;
        let rows = select.query_map([], |row| {
            let transfer = TransferId(row.get(0)?);
            let bytes: i64 = row.get(3)?;
            Ok(Unsettled { transfer, root: row.get(1)?, path: row.get(2)?, bytes: bytes as u64 })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// At most `most` counted files of a share in the order of their paths, those after `after`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn stored_files(
        &mut self,
        root: &str,
        after: Option<&[u8]>,
        most: u32,
    ) -> Result<Vec<StoredFile>, StoreError> {
        let sql =
            "SELECT path, account, bytes FROM files WHERE root = ?1 AND path > ?2 ORDER BY path LIMIT ?3";
        let mut select = self.stored.prepare_cached(sql)?;
        // No path is empty, and so all are after it.
        let rows = select.query_map(params![root, after.unwrap_or_default(), most], |row| {
            let bytes: i64 = row.get(2)?;
            Ok(StoredFile { path: row.get(0)?, account: row.get(1)?, bytes: bytes as u64 })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Corrects files that were found to have other sizes, or not to be there (`None`). One that was published or
    /// removed since it was listed is left alone.
    ///
    /// # Errors
    /// The database refuses.
    pub fn correct_stored(
        &mut self,
        root: &str,
        found: &[(StoredFile, Option<u64>)],
    ) -> Result<Vec<StoredSum>, StoreError> {
        let mut books = Books::open(self, root)?;
        for (listed, bytes) in found {
            let stands = books.find(&listed.path)?;
            if stands
                .as_ref()
                .is_none_or(|(account, bytes)| (account, *bytes) != (&listed.account, listed.bytes))
            {
                continue;
            }
            match bytes {
                Some(bytes) => books.put(&listed.path, &listed.account, *bytes)?,
                None => books.take(&listed.path)?,
            }
        }
        books.close()
    }
}

/// One share's rows within a transaction, and what became of its sums.
struct Books<'s> {
    change: Transaction<'s>,
    root: &'s str,
    /// Bytes and files more, by account.
    deltas: BTreeMap<String, (i64, i64)>,
}

impl<'s> Books<'s> {
    fn open(store: &'s mut Store, root: &'s str) -> rusqlite::Result<Self> {
        let change = store.stored.transaction_with_behavior(TransactionBehavior::Immediate)?;
        Ok(Self { change, root, deltas: BTreeMap::new() })
    }

    fn find(&self, path: &[u8]) -> rusqlite::Result<Option<(String, u64)>> {
        let sql = "SELECT account, bytes FROM files WHERE root = ?1 AND path = ?2";
        self.change.prepare_cached(sql)?.query_row(params![self.root, path], owned).optional()
    }

    fn add(&mut self, account: &str, bytes: i64, files: i64) {
        let sum = self.deltas.entry(account.to_owned()).or_default();
        *sum = (sum.0 + bytes, sum.1 + files);
    }

    fn take(&mut self, path: &[u8]) -> rusqlite::Result<()> {
        let sql = "DELETE FROM files WHERE root = ?1 AND path = ?2 RETURNING account, bytes";
        let gone = self.change.prepare_cached(sql)?.query_row(params![self.root, path], owned).optional()?;
        if let Some((account, bytes)) = gone {
            self.add(&account, -(bytes as i64), -1);
        }
        Ok(())
    }

    fn put(&mut self, path: &[u8], account: &str, bytes: u64) -> rusqlite::Result<()> {
        self.take(path)?;
        let sql = "INSERT INTO files (root, path, account, bytes) VALUES (?1, ?2, ?3, ?4)";
        self.change.prepare_cached(sql)?.execute(params![self.root, path, account, bytes as i64])?;
        self.add(account, bytes as i64, 1);
        Ok(())
    }

    fn no_longer_coming(&self, transfer: TransferId, path: &[u8]) -> rusqlite::Result<Option<(String, u64)>> {
        let sql =
            "DELETE FROM coming WHERE transfer = ?1 AND root = ?2 AND path = ?3 RETURNING account, bytes";
        self.change.prepare_cached(sql)?.query_row(params![transfer.0, self.root, path], owned).optional()
    }

    /// Files that are coming: those that may get their names are noted, the others named.
    fn coming(&mut self, change: &Storing, files_max: u64) -> rusqlite::Result<Vec<u32>> {
        let mut refused = Vec::new();
        if change.coming.is_empty() {
            return Ok(refused);
        }
        let mut bytes = self.used(&change.account)?;
        let mut files = self.files()?;
        for (at, file) in change.coming.iter().enumerate() {
            let before = self.find(&file.path)?;
            let own = before.as_ref().filter(|(account, _)| **account == *change.account);
            let growth = file.bytes.saturating_sub(own.map_or(0, |(_, bytes)| *bytes));
            let adds = u64::from(before.is_none());
            let full = growth > 0 && bytes.saturating_add(growth) > change.bytes_max;
            if !file.held && (full || files + adds > files_max) {
                refused.push(at as u32);
                continue;
            }
            (bytes, files) = (bytes.saturating_add(growth), files + adds);
            let sql = "INSERT OR REPLACE INTO coming (transfer, root, path, account, bytes) VALUES (?1, ?2, ?3, ?4, ?5)";
            let row = params![change.transfer.0, self.root, file.path, &*change.account, file.bytes as i64];
            self.change.prepare_cached(sql)?.execute(row)?;
        }
        Ok(refused)
    }

    /// Bytes of an account, with what is coming of it.
    fn used(&self, account: &str) -> rusqlite::Result<u64> {
        let sql = "SELECT bytes FROM sums WHERE root = ?1 AND account = ?2";
        let sum =
            self.change.prepare_cached(sql)?.query_row([self.root, account], |row| row.get(0)).optional()?;
        let sql = "SELECT coalesce(sum(max(0, c.bytes - coalesce(f.bytes, 0))), 0) FROM coming c
             LEFT JOIN files f ON f.root = c.root AND f.path = c.path AND f.account = c.account
             WHERE c.root = ?1 AND c.account = ?2";
        let coming: i64 =
            self.change.prepare_cached(sql)?.query_row([self.root, account], |row| row.get(0))?;
        let delta = self.deltas.get(account).map_or(0, |delta| delta.0);
        Ok((sum.unwrap_or(0) + delta + coming).max(0) as u64)
    }

    /// Files of all shares.
    fn files(&self) -> rusqlite::Result<u64> {
        let sql = "SELECT coalesce(sum(files), 0) + (SELECT count(*) FROM coming) FROM sums";
        let files: i64 = self.change.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        let deltas: i64 = self.deltas.values().map(|delta| delta.1).sum();
        Ok((files + deltas).max(0) as u64)
    }

    /// Writes the sums, and commits.
    fn close(self) -> Result<Vec<StoredSum>, StoreError> {
        let mut sums = Vec::new();
        for (account, (bytes, files)) in self.deltas {
            let sql = "INSERT INTO sums (root, account, bytes, files) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (root, account) DO UPDATE SET bytes = bytes + ?3, files = files + ?4
                 RETURNING bytes, files";
            let row = params![self.root, account, bytes, files];
            let (bytes, files): (i64, i64) =
                self.change.prepare_cached(sql)?.query_row(row, |row| Ok((row.get(0)?, row.get(1)?)))?;
            if files == 0 {
                let sql = "DELETE FROM sums WHERE root = ?1 AND account = ?2";
                self.change.prepare_cached(sql)?.execute(params![self.root, account])?;
            }
            sums.push(StoredSum {
                root: self.root.to_owned(),
                account,
                bytes: bytes as u64,
                files: files as u64,
            });
        }
        self.change.commit()?;
        Ok(sums)
    }
}

fn owned(row: &rusqlite::Row<'_>) -> rusqlite::Result<(String, u64)> {
    Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dir::StateDir;
    use crate::store::tests::store;
    use base::hooks::Coming;
    use base::limits::Limits;
    use std::sync::Arc;

    fn of(account: &str, transfer: u8) -> Storing {
        Storing::new(account.into(), "home".into(), TransferId([transfer; 16]))
    }

    fn coming(account: &str, transfer: u8, bytes_max: u64, files: &[(&str, u64)]) -> Storing {
        let file =
            |(path, bytes): &(&str, u64)| Coming { path: path.as_bytes().into(), bytes: *bytes, held: false };
        let coming = files.iter().map(file).collect();
        Storing { bytes_max, coming, ..of(account, transfer) }
    }

    fn came(account: &str, transfer: u8, files: &[(&str, bool)]) -> Storing {
        let came = files.iter().map(|(path, named)| (path.as_bytes().into(), *named)).collect();
        Storing { came, ..of(account, transfer) }
    }

    fn sums(store: &mut Store) -> Vec<(String, u64, u64)> {
        let sums = store.stored_sums().unwrap();
        sums.into_iter().map(|sum| (sum.account, sum.bytes, sum.files)).collect()
    }

    fn publish(store: &mut Store, account: &str, path: &str, bytes: u64) {
        let counted = store.count_stored(&coming(account, 9, u64::MAX, &[(path, bytes)])).unwrap();
        assert!(counted.refused.is_empty());
        store.count_stored(&came(account, 9, &[(path, true)])).unwrap();
    }

    #[test]
    fn a_file_is_its_last_publishers_and_nobodys_once_it_is_gone() {
        let (_home, mut store) = store(&Limits::TINY);
        publish(&mut store, "alice", "a", 10);
        publish(&mut store, "alice", "b", 5);
        publish(&mut store, "alice", "a", 3);
        assert_eq!(sums(&mut store), [("alice".into(), 8, 2)]);
        publish(&mut store, "bob", "a", 7);
        assert_eq!(sums(&mut store), [("alice".into(), 5, 1), ("bob".into(), 7, 1)]);
        let gone = Storing { gone: vec![b"a"[..].into(), b"never"[..].into()], ..of("alice", 1) };
        let counted = store.count_stored(&gone).unwrap();
        assert_eq!(
            counted.sums,
            [StoredSum { root: "home".into(), account: "bob".into(), bytes: 0, files: 0 }]
        );
        assert_eq!(sums(&mut store), [("alice".into(), 5, 1)]);
    }

    #[test]
    fn what_would_grow_beyond_the_bound_is_refused_with_what_is_coming_counted() {
        let (_home, mut store) = store(&Limits::TINY);
        publish(&mut store, "alice", "a", 60);
        publish(&mut store, "bob", "theirs", 90);
        let first = store.count_stored(&coming("alice", 1, 100, &[("b", 30), ("c", 20), ("d", 10)])).unwrap();
        assert_eq!(first.refused, [1], "b and d fit, c does not");
        // Another transfer at the same time sees what is coming; what does not grow is never refused.
        let second = [("e", 1), ("a", 60), ("b", 30), ("a2", 0)];
        let second = store.count_stored(&coming("alice", 2, 100, &second)).unwrap();
        assert_eq!(second.refused, [0, 2]);
        // Of somebody else's file every byte is more.
        let taken = store.count_stored(&coming("alice", 3, 100, &[("theirs", 1)])).unwrap();
        assert_eq!(taken.refused, [0]);
        // What did not get its name makes room again.
        let failed = store.count_stored(&came("alice", 1, &[("b", false), ("d", true)])).unwrap();
        assert_eq!(failed.sums[0].bytes, 70);
        assert!(store.count_stored(&coming("alice", 4, 100, &[("f", 30)])).unwrap().refused.is_empty());
    }

    #[test]
    fn what_is_there_already_is_counted_over_the_bound() {
        let (_home, mut store) = store(&Limits::TINY);
        let mut written = coming("alice", 1, 10, &[("a", 30)]);
        written.coming[0].held = true;
        assert!(store.count_stored(&written).unwrap().refused.is_empty());
        store.count_stored(&came("alice", 1, &[("a", true)])).unwrap();
        assert_eq!(sums(&mut store), [("alice".into(), 30, 1)]);
        // What shrinks is let through, also above the bound.
        assert!(store.count_stored(&coming("alice", 2, 10, &[("a", 20)])).unwrap().refused.is_empty());
    }

    #[test]
    fn what_is_unsettled_survives_a_restart_and_is_settled_once() {
        let (home, mut store) = store(&Limits::TINY);
        store.count_stored(&coming("alice", 1, 100, &[("a", 30), ("b", 20)])).unwrap();
        drop(store);
        let dir = Arc::new(StateDir::open(&home.path().join("s")).unwrap());
        let mut store = Store::open(dir, &Limits::TINY).unwrap();
        let left = store.unsettled().unwrap();
        assert_eq!(
            left.iter().map(|left| (&left.path[..], left.bytes)).collect::<Vec<_>>(),
            [(&b"a"[..], 30), (b"b", 20)]
        );
        for _ in 0..2 {
            store.count_stored(&came("", 1, &[("a", true), ("b", false)])).unwrap();
            assert_eq!(sums(&mut store), [("alice".into(), 30, 1)]);
        }
        assert!(store.unsettled().unwrap().is_empty());
    }

    #[test]
    fn a_recount_corrects_what_was_not_changed_meanwhile() {
        let (_home, mut store) = store(&Limits::TINY);
        for (path, bytes) in [("a", 10), ("b", 20), ("c", 30), ("d", 40)] {
            publish(&mut store, "alice", path, bytes);
        }
        let listed = store.stored_files("home", None, 3).unwrap();
        assert_eq!(store.stored_files("home", Some(&listed[2].path), 3).unwrap()[0].path, b"d");
        publish(&mut store, "alice", "b", 21);
        let found: Vec<_> = listed.into_iter().zip([None, None, Some(31)]).collect();
        let changed = store.correct_stored("home", &found).unwrap();
        assert_eq!((changed[0].bytes, changed[0].files), (21 + 31 + 40, 3));
        assert!(store.stored_files("other", None, 9).unwrap().is_empty());
    }

    #[test]
    fn no_more_files_are_counted_than_may_be() {
        let (_home, mut store) = store(&Limits { stored_files_max: 2, ..Limits::TINY });
        publish(&mut store, "alice", "a", 1);
        let counted =
            store.count_stored(&coming("bob", 1, u64::MAX, &[("b", 1), ("c", 1), ("a", 2)])).unwrap();
        assert_eq!(counted.refused, [1]);
    }
}
