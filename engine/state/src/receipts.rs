//! Receipts: one file each under `receipts/`, an index of them here, and a bound on both.

use crate::error::StoreError;
use crate::store::{Store, stored};
use base::ids::TransferId;
use rusqlite::{OptionalExtension, params};

/// What became of a receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It is durable.
    Stored,
    /// One of this transfer was kept before; it stays, and this is it.
    Already(Vec<u8>),
}

fn file_name(transfer: TransferId) -> String {
    format!("receipts/{transfer}.xr")
}

impl Store {
    /// Keeps a signed receipt, durable when this returns. The oldest beyond `receipts_kept_max` go.
    ///
    /// # Errors
    /// The disk or the database refuses.
    pub fn keep_receipt(
        &mut self,
        transfer: TransferId,
        bytes: &[u8],
        now_ms: u64,
    ) -> Result<Kept, StoreError> {
        if let Some(kept) = self.receipt(transfer)? {
            return Ok(Kept::Already(kept));
        }
        // The file first: a row always has its file, a file without a row is overwritten or never asked for.
        self.dir.write_file(&file_name(transfer), bytes, 0o600)?;
        let most = self.limits.receipts_kept_max;
        let change = self.change()?;
        let sql = "INSERT OR REPLACE INTO receipts (transfer, stored_ms) VALUES (?1, ?2)";
        change.execute(sql, params![transfer.0, stored(now_ms)])?;
        let old = {
            let sql = "SELECT transfer FROM receipts ORDER BY at DESC LIMIT -1 OFFSET ?1";
            let mut rows = change.prepare_cached(sql)?;
            let old = rows.query_map([most], |row| row.get(0).map(TransferId))?;
            old.collect::<rusqlite::Result<Vec<_>>>()?
        };
        for transfer in &old {
            change.execute("DELETE FROM receipts WHERE transfer = ?1", [transfer.0])?;
        }
        change.commit()?;
        for transfer in old {
            self.dir.remove_file(&file_name(transfer))?;
        }
        Ok(Kept::Stored)
    }

    /// The receipt of a transfer, while it is kept.
    ///
    /// # Errors
    /// The disk or the database refuses.
    pub fn receipt(&mut self, transfer: TransferId) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT 1 FROM receipts WHERE transfer = ?1";
        if self.db.query_row(sql, [transfer.0], |_| Ok(())).optional()?.is_none() {
            return Ok(None);
        }
        Ok(self.dir.read_file(&file_name(transfer), RECEIPT_BYTES_MAX)?)
    }
}

/// A bound against a damaged file only: what is read was written here.
const RECEIPT_BYTES_MAX: u64 = 1 << 34;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::store;
    use base::limits::Limits;

    // proves: O10
    #[test]
    fn the_first_receipt_of_a_transfer_stays_and_the_oldest_transfers_go() {
        let (home, mut store) = store(&Limits::TINY);
        let [a, b, c] = [1, 2, 3].map(|number| TransferId([number; 16]));
        assert_eq!(store.keep_receipt(a, b"a", 1).unwrap(), Kept::Stored);
        assert_eq!(store.keep_receipt(a, b"other", 2).unwrap(), Kept::Already(b"a".to_vec()));
        store.keep_receipt(b, b"b", 3).unwrap();
        store.keep_receipt(c, b"c", 4).unwrap();
        assert_eq!(store.receipt(a).unwrap(), None);
        assert_eq!(store.receipt(c).unwrap().as_deref(), Some(&b"c"[..]));
        assert_eq!(std::fs::read_dir(home.path().join("s/receipts")).unwrap().count(), 2);
    }

    #[test]
    fn a_file_without_its_row_is_written_anew() {
        let (home, mut store) = store(&Limits::TINY);
        let transfer = TransferId([1; 16]);
        std::fs::write(home.path().join("s").join(file_name(transfer)), "cut off").unwrap();
        assert_eq!(store.receipt(transfer).unwrap(), None);
        assert_eq!(store.keep_receipt(transfer, b"whole", 1).unwrap(), Kept::Stored);
        assert_eq!(store.receipt(transfer).unwrap().as_deref(), Some(&b"whole"[..]));
    }
}
