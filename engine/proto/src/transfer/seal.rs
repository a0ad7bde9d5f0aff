//! Seal: the sender's signature under a batch.
//!
//! It commits to every entry of the batch: path, kind, mode, owner, size, time, chunk size and root. It
//! may overtake the data it covers. Unequal: the batch is asked for once more and that seal carries the
//! roots, so that the file is named. One signature per batch, never one per file.

use super::merkle::{Leaf, Tree};
use super::{Malformed, at_most, no_meaning};
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, Writer};
use alloc::vec::Vec;
use base::codes::Code;
use base::entry::Entry;
use base::ids::{FileIndex, SessionId, Value};
use base::limits::Limits;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

const LABEL: &[u8] = b"xferd/1 seal";
const FIXED_BYTES: usize = 4 + 4 + 4 + 32 + 4 + 64;
const RANGE_BYTES: usize = 8;

/// Byte table.
pub const LAYOUT: Layout = Layout {
    name: "Seal",
    place: "data of a Seal frame",
    fields: &[
        field("transfer", "u32", "session-local number"),
        field("sequence", "u32", "of the seal, from 0"),
        field("ranges", "u32 + rows", "u32 first file and u32 files of each; ascending, not touching"),
        field("merkle", "[32]", "root over the entries in order"),
        field("roots", "u32 + [32] each", "root of each entry; none unless the seal is sent again"),
        field("signature", "[64]", "Ed25519 over `xferd/1 seal`, the session id and all fields before"),
    ],
};

/// What a leaf under a seal is hashed from.
pub const LEAF_LAYOUT: Layout = Layout {
    name: "Seal: leaf",
    place: "hashed with BLAKE3 for each entry; nodes are hashed behind 0x01",
    fields: &[
        field("zero", "u8", "0x00"),
        field("kind", "u8", "as in the entry"),
        field("chunk_log2", "u8", "as in the entry"),
        field("mode", "u32", "as in the entry"),
        field("uid", "u32", "as in the entry"),
        field("gid", "u32", "as in the entry"),
        field("size", "u64", "of what was read"),
        field("mtime_s", "i64", "of what was read"),
        field("mtime_ns", "u32", "of what was read"),
        field("root", "[32]", "BLAKE3 of the content or of a symlink's target; zero for a directory"),
        field("path", "bytes", "whole"),
    ],
};

/// A run of files in the order of entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileRange {
    /// The first file.
    pub first: FileIndex,
    /// How many, at least 1.
    pub count: u32,
}

/// Most files of a batch, so that its seal fits one record even with every root in it.
pub fn seal_files_max(limits: &Limits) -> u32 {
    let fit = (limits.record_bytes as usize - FIXED_BYTES) / (RANGE_BYTES + Value::LEN);
    limits.seal_files_max.min(fit as u32).max(1)
}

/// A signed batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seal {
    /// Session-local number of the transfer.
    pub transfer: u32,
    /// Of the seal, from 0.
    pub sequence: u32,
    /// The files of the batch: ascending, not touching, at least one.
    pub ranges: Vec<FileRange>,
    /// Root over the leaves.
    pub merkle: Value,
    /// Root of each entry, in order; empty in a seal that is sent for the first time.
    pub roots: Vec<Value>,
    /// By the sender's device.
    pub signature: [u8; 64],
}

/// The signature does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadSignature;

impl BadSignature {
    /// What the peer is told.
    pub fn code(&self) -> Code {
        Code::InvalidSignature
    }
}

impl Seal {
    /// Number of entries.
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|range| u64::from(range.count)).sum()
    }

    /// The files of the batch, in order.
    pub fn files(&self) -> impl Iterator<Item = FileIndex> + '_ {
        self.ranges.iter().flat_map(|range| (range.first.0..range.first.0 + range.count).map(FileIndex))
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// It is not by `key` over this seal in this session.
    pub fn verify(&self, session: &SessionId, key: &VerifyingKey) -> Result<(), BadSignature> {
        let signature = Signature::from_bytes(&self.signature);
        key.verify_strict(&self.signed_bytes(session), &signature).map_err(|_| BadSignature)
    }

    /// The first file whose root here differs from the receiver's own `roots`, both in the order of the
    /// batch; `None` when all are equal or the seal carries no roots.
    pub fn differing(&self, roots: &[Value]) -> Option<FileIndex> {
        let mut pairs = self.files().zip(self.roots.iter().zip(roots));
        pairs.find(|(_, (theirs, ours))| theirs != ours).map(|(file, _)| file)
    }

    /// The message's bytes: at most one record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(self.len());
        self.write_signed(&mut out);
        out.bytes(&self.signature);
        out.into_vec()
    }

    /// Reads and checks a message, not its signature.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let (transfer, sequence) = (reader.u32()?, reader.u32()?);
        let ranges = read_ranges(&mut reader, limits)?;
        let merkle = Value(reader.array()?);
        let count = reader.u32()?;
        let files: u64 = ranges.iter().map(|range| u64::from(range.count)).sum();
        if count != 0 && u64::from(count) != files {
            return Err(no_meaning("roots", u64::from(count)));
        }
        at_most("roots", u64::from(count), (reader.remaining() / Value::LEN) as u64)?;
        let mut roots = Vec::with_capacity(count as usize);
        for _ in 0..count {
            roots.push(Value(reader.array()?));
        }
        let signature = reader.array()?;
        reader.finish()?;
        Ok(Self { transfer, sequence, ranges, merkle, roots, signature })
    }

    fn len(&self) -> usize {
        FIXED_BYTES + self.ranges.len() * RANGE_BYTES + self.roots.len() * Value::LEN
    }

    fn signed_bytes(&self, session: &SessionId) -> Vec<u8> {
        let mut out = Writer::with_capacity(LABEL.len() + SessionId::LEN + self.len());
        out.bytes(LABEL).bytes(&session.0);
        self.write_signed(&mut out);
        out.into_vec()
    }

    fn write_signed(&self, out: &mut Writer) {
        out.u32(self.transfer).u32(self.sequence).u32(self.ranges.len() as u32);
        for range in &self.ranges {
            out.u32(range.first.0).u32(range.count);
        }
        out.bytes(&self.merkle.0).u32(self.roots.len() as u32);
        for root in &self.roots {
            out.bytes(&root.0);
        }
    }
}

fn read_ranges(reader: &mut Reader<'_>, limits: &Limits) -> Result<Vec<FileRange>, Malformed> {
    let count = reader.u32()?;
    at_most("ranges", u64::from(count), (reader.remaining() / RANGE_BYTES) as u64)?;
    at_most("ranges", u64::from(count), u64::from(limits.seal_files_max))?;
    let mut ranges = Vec::with_capacity(count as usize);
    let (mut least, mut files) = (0u32, 0u64);
    for _ in 0..count {
        let range = FileRange { first: FileIndex(reader.u32()?), count: reader.u32()? };
        let end = range.first.0.checked_add(range.count).ok_or(Malformed::Ranges)?;
        if range.first.0 < least || range.count == 0 {
            return Err(Malformed::Ranges);
        }
        least = end.checked_add(1).ok_or(Malformed::Ranges)?;
        files += u64::from(range.count);
        ranges.push(range);
    }
    at_most("files", files, u64::from(limits.seal_files_max))?;
    if ranges.is_empty() { Err(Malformed::Ranges) } else { Ok(ranges) }
}

/// Collects the entries of one batch as their roots become known, in order.
#[derive(Clone, Debug)]
pub struct SealBuilder {
    transfer: u32,
    sequence: u32,
    tree: Tree,
    ranges: Vec<FileRange>,
    roots: Option<Vec<Value>>,
}

impl SealBuilder {
    /// An empty batch, the `sequence`-th of its transfer.
    pub fn new(transfer: u32, sequence: u32) -> Self {
        Self { transfer, sequence, tree: Tree::new(), ranges: Vec::new(), roots: None }
    }

    /// An empty batch whose seal carries the roots, because the first one did not hold.
    pub fn with_roots(transfer: u32, sequence: u32) -> Self {
        Self { roots: Some(Vec::new()), ..Self::new(transfer, sequence) }
    }

    /// Number of entries so far; at most [`seal_files_max`].
    pub fn count(&self) -> u32 {
        self.tree.count() as u32
    }

    /// Root over the entries so far: what a receiver compares with [`Seal::merkle`].
    pub fn merkle(&self) -> Value {
        self.tree.root()
    }

    /// Adds the next entry with size and mtime as read.
    ///
    /// # Panics
    /// `file` is not above the one before.
    pub fn push(&mut self, file: FileIndex, entry: &Entry, root: &Value) {
        match self.ranges.last_mut() {
            Some(range) if range.first.0 + range.count == file.0 => range.count += 1,
            last => {
                assert!(
                    last.is_none_or(|range| range.first.0 + range.count < file.0),
                    "files ascend in a seal"
                );
                self.ranges.push(FileRange { first: file, count: 1 });
            }
        }
        self.tree.push(Leaf::of(entry, root).hash());
        if let Some(roots) = &mut self.roots {
            roots.push(*root);
        }
    }

    /// Signs the batch.
    ///
    /// # Panics
    /// No entries.
    pub fn finish(self, session: &SessionId, key: &SigningKey) -> Seal {
        assert!(self.count() > 0, "a seal covers entries");
        let mut seal = Seal {
            transfer: self.transfer,
            sequence: self.sequence,
            ranges: self.ranges,
            merkle: self.tree.root(),
            roots: self.roots.unwrap_or_default(),
            signature: [0; 64],
        };
        seal.signature = key.sign(&seal.signed_bytes(session)).to_bytes();
        seal
    }
}
