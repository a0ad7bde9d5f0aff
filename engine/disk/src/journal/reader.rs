//! Bytes to records.

use super::record::Record;
use super::{CHECK_BYTES, HEAD_BYTES, JournalKind, RECORD_HEAD_BYTES, VERSION, Writer};
use crate::{Hash, derive};
use alloc::vec::Vec;
use base::limits::Limits;

/// Why a journal ended where it did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// After a whole record.
    Clean,
    /// Before bytes that are no whole record of this journal: cut off at `Scanned::valid_bytes`.
    Torn,
    /// The head is not one: the file is empty, torn at birth or something else.
    NoHead,
    /// Written by a later version. It is left alone and named, never cut.
    Newer {
        /// Its version.
        version: u16,
    },
}

/// What a whole scan found.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// Id in the head: of the part or of the transfer.
    pub id: Option<[u8; 16]>,
    /// Length of what checks; the file is truncated to it before it is written again.
    pub valid_bytes: u64,
    /// Why it ended there.
    pub end: End,
    /// Continues the journal after the truncation; `None` without a usable head.
    pub writer: Option<Writer>,
}

/// Reads one journal front to back in bounded memory: feed bytes in order, take records until there is
/// none, feed more; then finish.
#[derive(Clone, Debug)]
pub struct Reader {
    hash: Hash,
    kind: JournalKind,
    limits: Limits,
    buffered: Vec<u8>,
    taken: usize,
    valid_bytes: u64,
    sequence: u64,
    previous: [u8; CHECK_BYTES],
    id: Option<[u8; 16]>,
    stopped: Option<End>,
}

impl Reader {
    /// A reader of this kind of journal.
    pub fn new(kind: JournalKind, hash: Hash, limits: &Limits) -> Self {
        Self {
            hash,
            kind,
            limits: limits.clone(),
            buffered: Vec::new(),
            taken: 0,
            valid_bytes: 0,
            sequence: 0,
            previous: [0; CHECK_BYTES],
            id: None,
            stopped: None,
        }
    }

    /// The next bytes of the file. Memory held is one record and what is fed at once.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.stopped.is_none() {
            self.buffered.drain(..self.taken);
            self.taken = 0;
            self.buffered.extend_from_slice(bytes);
        }
    }

    /// The next record with its sequence number; `None`: feed more, or the journal ended.
    pub fn next_record(&mut self) -> Option<(u64, Record)> {
        if self.stopped.is_some() || self.id.is_none() && !self.take_head() {
            return None;
        }
        let bytes = &self.buffered[self.taken..];
        let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
        let least = RECORD_HEAD_BYTES + CHECK_BYTES;
        if length < least || length > self.limits.record_bytes as usize {
            return self.stop();
        }
        let whole = bytes.get(..length)?;
        let Some((record, check)) = self.checked(whole) else { return self.stop() };
        self.taken += length;
        self.valid_bytes += length as u64;
        self.sequence += 1;
        self.previous = check;
        Some((self.sequence, record))
    }

    /// Whether nothing fed from here on can matter.
    pub fn is_over(&self) -> bool {
        self.stopped.is_some()
    }

    /// After the last byte: how far the journal is valid.
    pub fn finish(self) -> Scanned {
        let end = match self.stopped {
            Some(end) => end,
            None if self.id.is_none() => End::NoHead,
            None if self.taken < self.buffered.len() => End::Torn,
            None => End::Clean,
        };
        let writer = self.id.map(|_| {
            let (kind, hash) = (self.kind, self.hash);
            Writer::resume(kind, hash, &self.limits, self.valid_bytes, self.sequence, self.previous)
        });
        Scanned { id: self.id, valid_bytes: self.valid_bytes, end, writer }
    }

    fn stop<T>(&mut self) -> Option<T> {
        self.stopped = Some(End::Torn);
        self.buffered = Vec::new();
        self.taken = 0;
        None
    }

    fn take_head(&mut self) -> bool {
        let Some(head) = self.buffered.first_chunk::<HEAD_BYTES>() else { return false };
        let (body, check) = head.split_at(HEAD_BYTES - CHECK_BYTES);
        let version = u16::from_be_bytes([body[8], body[9]]);
        let derived = derive(self.hash, &[body]);
        if body[..8] != self.kind.magic() {
            self.stopped = Some(End::NoHead);
        } else if version > VERSION {
            self.stopped = Some(End::Newer { version });
        } else if derived != check || version != VERSION || body[10..16] != [0; 6] {
            self.stopped = Some(End::NoHead);
        } else {
            let mut id = [0; 16];
            id.copy_from_slice(&body[16..]);
            self.id = Some(id);
            self.previous = derived;
            self.valid_bytes = HEAD_BYTES as u64;
            self.taken = HEAD_BYTES;
        }
        self.id.is_some()
    }

    /// The record and its check, if the bytes are exactly the next record of this journal.
    fn checked(&self, whole: &[u8]) -> Option<(Record, [u8; CHECK_BYTES])> {
        let (before, check) = whole.split_last_chunk::<CHECK_BYTES>()?;
        let (head, body) = before.split_first_chunk::<RECORD_HEAD_BYTES>()?;
        let kind = u16::from_be_bytes([head[4], head[5]]);
        let follows = head[6..8] == [0; 2]
            && head[8..16] == (self.sequence + 1).to_be_bytes()
            && head[16..] == self.previous
            && derive(self.hash, &[before]) == *check;
        let record = if follows { Record::decode(kind, body)? } else { return None };
        let own = record.is_of_part() == (self.kind == JournalKind::Part);
        own.then_some((record, *check))
    }
}
