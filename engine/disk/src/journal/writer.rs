//! Records to bytes.

use super::record::{self, Begin, ChunkValue, CommittingBody, RECEIVED_ROW_BYTES};
use super::{CHECK_BYTES, HEAD_BYTES, JournalKind, RECORD_HEAD_BYTES, VERSION};
use crate::{Hash, derive};
use alloc::vec::Vec;
use base::ids::{PartId, TransferId, Value};
use base::limits::Limits;
use base::name::RelPath;

/// Bytes to write, in full, at an offset of the journal. Several may be in flight: a later one that lands
/// before an earlier one is not read until the earlier one is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// Where in the file.
    pub offset: u64,
    /// What.
    pub bytes: Vec<u8>,
    /// Sequence number of the last record in it; 0 for the head.
    pub sequence: u64,
}

/// A record exceeds `record_bytes`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordTooLarge {
    /// What it would take.
    pub bytes: u64,
    /// The bound.
    pub most: u32,
}

/// Appends to one journal. After a failed write or sync the journal is not written again: the next run
/// reads what checks and cuts the rest off.
#[derive(Clone, Debug)]
pub struct Writer {
    hash: Hash,
    kind: JournalKind,
    offset: u64,
    sequence: u64,
    previous: [u8; CHECK_BYTES],
    record_bytes_max: u32,
}

impl Writer {
    /// Begins the journal of a part: the head goes to offset 0 of an empty file.
    pub fn part(part: PartId, hash: Hash, limits: &Limits) -> (Self, Append) {
        Self::create(JournalKind::Part, part.0, hash, limits)
    }

    /// Begins the journal of a transfer: the head goes to offset 0 of an empty file.
    pub fn transfer(transfer: TransferId, hash: Hash, limits: &Limits) -> (Self, Append) {
        Self::create(JournalKind::Transfer, transfer.0, hash, limits)
    }

    fn create(kind: JournalKind, id: [u8; 16], hash: Hash, limits: &Limits) -> (Self, Append) {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend_from_slice(&kind.magic());
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(&id);
        let check = derive(hash, &[&bytes]);
        bytes.extend_from_slice(&check);
        let writer = Self::resume(kind, hash, limits, HEAD_BYTES as u64, 0, check);
        (writer, Append { offset: 0, bytes, sequence: 0 })
    }

    pub(super) fn resume(
        kind: JournalKind,
        hash: Hash,
        limits: &Limits,
        offset: u64,
        sequence: u64,
        previous: [u8; CHECK_BYTES],
    ) -> Self {
        Self { hash, kind, offset, sequence, previous, record_bytes_max: limits.record_bytes }
    }

    /// Which journal it is.
    pub fn kind(&self) -> JournalKind {
        self.kind
    }

    /// Where the next record goes: the length of the journal.
    pub fn bytes(&self) -> u64 {
        self.offset
    }

    /// Sequence number of the last record handed out; 0 before the first. What [`Writer::durable`] takes
    /// when every write of chunks journalled so far is done before the sync begins.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// BEGIN, the first record of a part journal.
    ///
    /// # Errors
    /// Its paths exceed the bounds.
    pub fn begin(&mut self, begin: &Begin) -> Result<Append, RecordTooLarge> {
        self.expect_kind(JournalKind::Part);
        let most = u64::from(self.record_bytes_max);
        let paths = begin.anchor.len() as u64 + begin.entry.path.len() as u64;
        let bytes = (RECORD_HEAD_BYTES + record::BEGIN_FIXED_BYTES + CHECK_BYTES) as u64 + paths;
        if bytes > most {
            return Err(RecordTooLarge { bytes, most: self.record_bytes_max });
        }
        Ok(self.one(record::BEGIN, |out| begin.encode(out)))
    }

    /// RECEIVED, in as many records as the rows need; they lie one behind the other.
    pub fn received(&mut self, rows: &[ChunkValue]) -> Append {
        self.expect_kind(JournalKind::Part);
        let room = self.record_bytes_max as usize - RECORD_HEAD_BYTES - CHECK_BYTES - 4;
        let mut append = self.empty();
        for rows in rows.chunks(room / RECEIVED_ROW_BYTES) {
            self.push(record::RECEIVED, &mut append, |out| record::encode_received(rows, out));
        }
        append
    }

    /// DURABLE: what records up to `through` named is on disk. Written after the data's sync, then synced.
    pub fn durable(&mut self, through: u64) -> Append {
        self.expect_kind(JournalKind::Part);
        assert!(through <= self.sequence, "a durable record names only what was journalled");
        self.one(record::DURABLE, |out| out.extend_from_slice(&through.to_be_bytes()))
    }

    /// TORN: written and synced before the first byte goes over old content.
    pub fn torn(&mut self, inode: u64) -> Append {
        self.expect_kind(JournalKind::Part);
        self.one(record::TORN, |out| out.extend_from_slice(&inode.to_be_bytes()))
    }

    /// WHOLE: written after the file's sync.
    pub fn whole(&mut self, root: &Value) -> Append {
        self.expect_kind(JournalKind::Part);
        self.one(record::WHOLE, |out| out.extend_from_slice(&root.0))
    }

    /// STAGING: written when the first temp is made in a directory.
    pub fn staging(&mut self, anchor: &[u8], path: RelPath<'_>) -> Append {
        self.expect_kind(JournalKind::Transfer);
        self.one(record::STAGING, |out| record::encode_staging(anchor, path.as_bytes(), out))
    }

    pub(crate) fn committing(&mut self, body: &CommittingBody, last: bool) -> Append {
        self.expect_kind(JournalKind::Transfer);
        self.one(record::COMMITTING, |out| body.encode(last, out))
    }

    /// DONE: written after every directory of the batch is synced.
    pub fn done(&mut self, batch: u32) -> Append {
        self.expect_kind(JournalKind::Transfer);
        self.one(record::DONE, |out| out.extend_from_slice(&batch.to_be_bytes()))
    }

    /// RECEIPT: written and synced before the receipt is sent.
    ///
    /// # Errors
    /// It exceeds the bound.
    pub fn receipt(&mut self, receipt: &[u8]) -> Result<Append, RecordTooLarge> {
        self.expect_kind(JournalKind::Transfer);
        let bytes = (RECORD_HEAD_BYTES + CHECK_BYTES) as u64 + receipt.len() as u64;
        if bytes > u64::from(self.record_bytes_max) {
            return Err(RecordTooLarge { bytes, most: self.record_bytes_max });
        }
        Ok(self.one(record::RECEIPT, |out| out.extend_from_slice(receipt)))
    }

    fn expect_kind(&self, kind: JournalKind) {
        assert!(self.kind == kind, "a record goes into its own kind of journal");
    }

    fn empty(&self) -> Append {
        Append { offset: self.offset, bytes: Vec::new(), sequence: self.sequence }
    }

    fn one(&mut self, kind: u16, body: impl FnOnce(&mut Vec<u8>)) -> Append {
        let mut append = self.empty();
        self.push(kind, &mut append, body);
        append
    }

    fn push(&mut self, kind: u16, append: &mut Append, body: impl FnOnce(&mut Vec<u8>)) {
        let out = &mut append.bytes;
        let start = out.len();
        self.sequence += 1;
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.previous);
        body(out);
        let length = out.len() - start + CHECK_BYTES;
        assert!(length <= self.record_bytes_max as usize, "a record never exceeds record_bytes");
        out[start..start + 4].copy_from_slice(&(length as u32).to_be_bytes());
        self.previous = derive(self.hash, &[&out[start..]]);
        out.extend_from_slice(&self.previous);
        self.offset += length as u64;
        append.sequence = self.sequence;
    }
}
