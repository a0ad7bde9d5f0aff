//! Copies: the data of a Chunk record that stands for ranges of the receiver's older file.
//!
//! Its trailer has the flag `copy`, and `run` is the length of all ranges together: where a record of data would
//! have so many bytes of content, this one has where they lie.

use super::{Malformed, no_meaning};
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, Writer};
use alloc::vec::Vec;
use base::limits::Limits;

/// Bytes of a row.
pub const ROW_BYTES: usize = 12;

/// Byte table.
pub const LAYOUT: Layout = Layout {
    name: "Copy row",
    place: "data of a Chunk record with the flag `copy`, once for each range; their lengths sum to `run`",
    fields: &[
        field("offset", "u64", "in the receiver's older file"),
        field("length", "u32", "bytes, at least 1"),
    ],
};

/// A range of the older file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CopyRow {
    /// Where it begins there.
    pub offset: u64,
    /// Bytes, at least 1.
    pub length: u32,
}

/// Rows that fit one record.
pub fn rows_max(limits: &Limits) -> usize {
    limits.record_bytes as usize / ROW_BYTES
}

/// The record's data.
pub fn encode(rows: &[CopyRow]) -> Vec<u8> {
    let mut out = Writer::with_capacity(rows.len() * ROW_BYTES);
    for row in rows {
        out.u64(row.offset).u32(row.length);
    }
    out.into_vec()
}

/// Reads and checks the data of a record: ranges of an older file of `old_size` bytes, `run` bytes in all.
///
/// # Errors
/// No row or a part of one; an empty range; a range that does not lie within the old file; another sum.
pub fn parse(bytes: &[u8], run: u32, old_size: u64) -> Result<Vec<CopyRow>, Malformed> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(ROW_BYTES) {
        return Err(no_meaning("copies", bytes.len() as u64));
    }
    let mut reader = Reader::new(bytes);
    let mut rows = Vec::with_capacity(bytes.len() / ROW_BYTES);
    let mut sum = 0u64;
    while reader.remaining() > 0 {
        let row = CopyRow { offset: reader.u64()?, length: reader.u32()? };
        let end = row.offset.checked_add(u64::from(row.length));
        if row.length == 0 || end.is_none_or(|end| end > old_size) {
            return Err(no_meaning("offset", row.offset));
        }
        sum += u64::from(row.length);
        rows.push(row);
    }
    if sum == u64::from(run) { Ok(rows) } else { Err(no_meaning("run", u64::from(run))) }
}
