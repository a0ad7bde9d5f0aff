//! The audit log: who asked for what and what was decided, in the order it happened.

use crate::error::StoreError;
use crate::store::{Store, stored};
use base::codes::Code;
use base::ids::{DecisionId, DeviceId};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

/// One decision or event worth keeping. Text is kept as it came; whoever shows it escapes it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
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
    /// Why, in the words of whoever decided.
    pub reason: String,
    /// Its name in refusals; zero where it is no decision.
    pub decision: DecisionId,
    /// On which path beneath the share; may be empty.
    pub path: Vec<u8>,
    /// Which rule or plugin decided.
    pub decided_by: String,
    /// What was read for it, `key=value`, one a line.
    pub reads: String,
    /// What is enforced, `name=value`, one a line.
    pub obligations: String,
    /// How long it took.
    pub took_ns: u64,
    /// Whether it was known already.
    pub cache: String,
}

const COLUMNS: &str = "utc_ms, device, account, address, action, root, allowed, code, reason, decision, path, \
    decided_by, reads, obligations, took_ns, cache";

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
        decision: DecisionId(row.get::<_, i64>(9)? as u64),
        path: row.get(10)?,
        decided_by: row.get(11)?,
        reads: row.get(12)?,
        obligations: row.get(13)?,
        took_ns: row.get::<_, i64>(14)? as u64,
        cache: row.get(15)?,
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
            let sql = format!(
                "INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
                 ?15, ?16)"
            );
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
                    record.reason,
                    stored(record.decision.0),
                    record.path,
                    record.decided_by,
                    record.reads,
                    record.obligations,
                    stored(record.took_ns),
                    record.cache
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
        self.audit_gone += gone;
        Ok(())
    }

    /// How many records are kept, and how many went since the store was opened because there were too many.
    pub fn audit_counts(&self) -> (u64, u64) {
        (self.audit_rows, self.audit_gone)
    }

    /// The decision of this name; `None` when it was never kept, or is gone.
    ///
    /// # Errors
    /// The database refuses.
    pub fn decision(&mut self, id: DecisionId) -> Result<Option<AuditRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE decision = ?1 AND decision > 0");
        Ok(self.log.prepare_cached(&sql)?.query_row([stored(id.0)], record).optional()?)
    }

    /// The largest name of a decision that was kept.
    ///
    /// # Errors
    /// The database refuses.
    pub fn last_decision(&mut self) -> Result<DecisionId, StoreError> {
        let sql = "SELECT coalesce(max(decision), 0) FROM audit WHERE decision > 0";
        Ok(DecisionId(self.log.query_row(sql, [], |row| row.get::<_, i64>(0))? as u64))
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
            decision: DecisionId(number),
            path: vec![0xff, b'/', b'a'],
            decided_by: "rule at x:1".into(),
            reads: "account=alice\npath=a".into(),
            obligations: "read-only".into(),
            took_ns: 7000 + number,
            cache: "miss".into(),
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
        assert_eq!(store.audit_counts(), (8, 32));
    }

    #[test]
    fn a_decision_is_found_by_its_name_until_it_is_gone() {
        let (_home, mut store) = store(&Limits::TINY);
        assert_eq!(store.last_decision().unwrap(), DecisionId(0));
        let records: Vec<_> = (0..20).map(numbered).collect();
        store.audit(&records).unwrap();
        assert_eq!(store.decision(DecisionId(15)).unwrap().as_ref(), Some(&records[15]));
        assert_eq!(store.decision(DecisionId(3)).unwrap(), None);
        assert_eq!(store.decision(DecisionId(0)).unwrap(), None);
        assert_eq!(store.last_decision().unwrap(), DecisionId(19));
    }
}
