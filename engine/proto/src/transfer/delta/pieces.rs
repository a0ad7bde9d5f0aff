//! Pieces: the receiver's list of what its older file is made of, in portions, while it is being cut.
//!
//! Rows stand in the order of the file and touch: the first begins at 0, each further one where the one before it
//! ends. So nothing in a list can overlap, and its sum is checked against the file's size. A list that reaches
//! its bound ends early: the rest of the old file is not offered.

use super::{Fineness, Malformed, Piece, PieceValue, at_most, no_meaning};
use crate::transfer::Full;
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, Writer};
use alloc::vec::Vec;
use base::ids::FileIndex;
use base::limits::Limits;

/// Bytes of a row.
pub const ROW_BYTES: usize = 20;
const HEAD_BYTES: usize = 9;

/// Byte table.
pub const LAYOUT: Layout = Layout {
    name: "Pieces",
    place: "data of a Pieces frame",
    fields: &[
        field("transfer", "u32", "session-local number"),
        field("file", "u32", "index in the order of entries"),
        field("step", "u8", "0 more follow, 1 the last of this file, 2 from the sender: no more are wanted"),
        field(
            "rows",
            "rows",
            "length u32 and the first 16 bytes of BLAKE3, of neighbouring pieces of the older file",
        ),
    ],
};

/// Where a list stands after a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Step {
    /// More messages follow.
    More = 0,
    /// The list is whole.
    Last = 1,
    /// From the sender: it wants no more of them.
    Stop = 2,
}

/// One portion of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pieces {
    /// Session-local number of the transfer.
    pub transfer: u32,
    /// Which file.
    pub file: FileIndex,
    /// Whether more follow.
    pub step: Step,
    /// In the order of the file.
    pub rows: Vec<Piece>,
}

impl Pieces {
    /// No row yet.
    pub fn new(transfer: u32, file: FileIndex, step: Step) -> Self {
        Self { transfer, file, step, rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// The message fills a record: send it and begin another.
    pub fn push(&mut self, piece: Piece, limits: &Limits) -> Result<(), Full> {
        if HEAD_BYTES + (self.rows.len() + 1) * ROW_BYTES > limits.record_bytes as usize {
            return Err(Full);
        }
        self.rows.push(piece);
        Ok(())
    }

    /// The message's bytes: at most one record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(HEAD_BYTES + self.rows.len() * ROW_BYTES);
        out.u32(self.transfer).u32(self.file.0).u8(self.step as u8);
        for row in &self.rows {
            out.u32(row.length).bytes(&row.value.0);
        }
        out.into_vec()
    }

    /// Reads and checks a message.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let (transfer, file) = (reader.u32()?, FileIndex(reader.u32()?));
        let step = match reader.u8()? {
            0 => Step::More,
            1 => Step::Last,
            2 => Step::Stop,
            other => return Err(no_meaning("step", u64::from(other))),
        };
        at_most("pieces", reader.remaining() as u64, u64::from(limits.pieces_bytes_max))?;
        if step == Step::Stop && reader.remaining() > 0 || !reader.remaining().is_multiple_of(ROW_BYTES) {
            return Err(no_meaning("rows", reader.remaining() as u64));
        }
        let mut rows = Vec::with_capacity(reader.remaining() / ROW_BYTES);
        while reader.remaining() > 0 {
            rows.push(Piece { length: reader.u32()?, value: PieceValue(reader.array()?) });
        }
        reader.finish()?;
        Ok(Self { transfer, file, step, rows })
    }
}

/// What a list has said so far: checks each further message against it.
#[derive(Clone, Copy, Debug)]
pub struct ListRule {
    fineness: Fineness,
    left: u64,
    rows_left: u32,
    over: bool,
}

impl ListRule {
    /// Of an old file of this size.
    pub fn new(fineness: Fineness, old_size: u64, limits: &Limits) -> Self {
        let rows_left = limits.pieces_bytes_max / ROW_BYTES as u32;
        Self { fineness, left: old_size, rows_left, over: false }
    }

    /// Rows that may still be named.
    pub fn rows_left(&self) -> u32 {
        self.rows_left
    }

    /// Whether the list is whole.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Takes the next message of the list.
    ///
    /// # Errors
    /// A message behind the last one or of the sender; more rows than fit a list; a piece shorter or longer than
    /// both ends cut; pieces beyond the end of the old file.
    pub fn take(&mut self, message: &Pieces) -> Result<(), Malformed> {
        let last = message.step == Step::Last;
        if self.over || message.step == Step::Stop || message.rows.is_empty() && !last {
            return Err(no_meaning("step", message.step as u64));
        }
        at_most("rows", message.rows.len() as u64, u64::from(self.rows_left))?;
        self.rows_left -= message.rows.len() as u32;
        for (at, row) in message.rows.iter().enumerate() {
            at_most("length", u64::from(row.length), u64::from(self.fineness.most()).min(self.left))?;
            self.left -= u64::from(row.length);
            let ends = last && at + 1 == message.rows.len();
            if row.length == 0 || row.length < self.fineness.least() && !(ends && self.left == 0) {
                return Err(no_meaning("length", u64::from(row.length)));
            }
        }
        self.over = last;
        Ok(())
    }
}
