//! The audit log: who asked for what and what was decided, in the order it happened.

use crate::error::StoreError;
use crate::store::{Store, stored};
use base::codes::Code;
use base::ids::DeviceId;
use rusqlite::{Connection, Row, TransactionBehavior, params};

/// One decision or event worth keeping. Text is kept as it came; whoever shows it escapes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditRecord {
    /// When, UTC milliseconds.
    pub utc_ms: u64,
    /// Which device, where known.
    pub device: Option<DeviceId>,
    /// Whose; empty where not known.
    pub account: String,
    /// From where; empty for a local command.
    pub address: String,
    /// What, such as `push` or `join`.
    pub action: String,
    /// On which share; may be empty.
    pub root: String,
    /// Whether it was allowed.
    pub allowed: bool,
    /// Why not.
    pub code: Option<Code>,
    /// Which rule decided.
    pub reason: String,
}

const COLUMNS: &str = "utc_ms, device, account, address, action, root, allowed, code, reason";

fn record(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    Ok(AuditRecord {
        utc_ms: row.get::<_, i64>(0)? as u64,
        device: row.get::<_, Option<[u8; 32]>>(1)?.map(DeviceId),
        account: row.get(2)?,
        address: row.get(3)?,
        action: row.get(4)?,
        root: row.get(5)?,
        allowed: row.get(6)?,
        code: row.get::<_, Option<u16>>(7)?.and_then(Code::from_number),
        reason: row.get(8)?,
    })
}

pub(crate) fn count(log: &Connection) -> rusqlite::Result<u64> {
    log.query_row("SELECT count(*) FROM audit", [], |row| row.get::<_, i64>(0)).map(|rows| rows as u64)
}

impl Store {
    /// Appends records in one transaction. The oldest beyond `audit_rows_max` go.
    ///
    /// # Errors
    /// The database refuses; then none was kept.
    pub fn audit(&mut self, records: &[AuditRecord]) -> Result<(), StoreError> {
        let change = self.log.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let sql = format!("INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
            let mut insert = change.prepare_cached(&sql)?;
            for record in records {
                insert.execute(params![
                    stored(record.utc_ms),
                    record.device.map(|id| id.0),
                    record.account,
                    record.address,
                    record.action,
                    record.root,
                    record.allowed,
                    record.code.map(Code::number),
                    record.reason
                ])?;
            }
        }
        let rows = self.audit_rows + records.len() as u64;
        let gone = rows.saturating_sub(self.limits.audit_rows_max.into());
        if gone > 0 {
            let sql = "DELETE FROM audit WHERE at IN (SELECT at FROM audit ORDER BY at LIMIT ?1)";
            change.execute(sql, [stored(gone)])?;
        }
        change.commit()?;
        self.audit_rows = rows - gone;
        Ok(())
    }

    /// The last `most` records, oldest first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn audit_tail(&mut self, most: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY at DESC LIMIT ?1");
        let mut rows = self.log.prepare_cached(&sql)?;
        let mut records = rows.query_map([most], record)?.collect::<rusqlite::Result<Vec<_>>>()?;
        records.reverse();
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::store;
    use base::limits::Limits;

    fn numbered(number: u64) -> AuditRecord {
        AuditRecord {
            utc_ms: number,
            device: number.is_multiple_of(2).then_some(DeviceId([number as u8; 32])),
            account: "alice".into(),
            address: "127.0.0.1:7440".into(),
            action: "push".into(),
            root: "data".into(),
            allowed: number.is_multiple_of(2),
            code: (number % 2 == 1).then_some(Code::AccessDenied),
            reason: "\x1b[31m".into(),
        }
    }

    #[test]
    fn the_log_keeps_its_order_and_its_bound() {
        let (_home, mut store) = store(&Limits::TINY);
        let records: Vec<_> = (0..20).map(numbered).collect();
        for batch in records.chunks(3) {
            store.audit(batch).unwrap();
        }
        assert_eq!(store.audit_tail(100).unwrap(), records[12..]);
        assert_eq!(store.audit_tail(2).unwrap(), records[18..]);
        store.audit(&records).expect("a batch larger than the log");
        assert_eq!(store.audit_tail(100).unwrap(), records[12..]);
        assert_eq!(count(&store.log).unwrap(), 8);
    }
}
