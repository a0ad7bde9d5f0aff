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
use base::hooks::STAGES;
use base::ids::{FileIndex, SessionId, Value};
use base::limits::Limits;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

const LABEL: &[u8] = b"xferd/1 seal";
const FIXED_BYTES: usize = 4 + 4 + 4 + 32 + 4 + 64 + STAGES_BYTES;
const STAGES_BYTES: usize = STAGES * 4;
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
        field(
            "stages_ms",
            "u32 x 12",
            "time per stage at the sender so far, in the order of the Receipt; for reports only",
        ),
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
    /// Where the sender's time went so far, in milliseconds: [`base::hooks::Stage`] in order, sampled and scaled.
    pub stages_ms: [u32; STAGES],
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
        let mut stages_ms = [0; STAGES];
        for ms in &mut stages_ms {
            *ms = reader.u32()?;
        }
        let signature = reader.array()?;
        reader.finish()?;
        Ok(Self { transfer, sequence, ranges, merkle, roots, stages_ms, signature })
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
        for ms in self.stages_ms {
            out.u32(ms);
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
    stages_ms: [u32; STAGES],
}

impl SealBuilder {
    /// An empty batch, the `sequence`-th of its transfer.
    pub fn new(transfer: u32, sequence: u32) -> Self {
        Self {
            transfer,
            sequence,
            tree: Tree::new(),
            ranges: Vec::new(),
            roots: None,
            stages_ms: [0; STAGES],
        }
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

    /// Says where the sender's time went so far, for the receiver's reports.
    pub fn set_stages(&mut self, millis: [u32; STAGES]) {
        self.stages_ms = millis;
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
            stages_ms: self.stages_ms,
            signature: [0; 64],
        };
        seal.signature = key.sign(&seal.signed_bytes(session)).to_bytes();
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::super::chunk::root_of_bytes;
    use super::*;
    use alloc::vec;
    use base::entry::{FileTime, Kind};
    use proptest::prelude::*;

    const SESSION: SessionId = SessionId([5; 32]);

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn entry(path: &[u8]) -> Entry {
        Entry {
            kind: Kind::File,
            chunk_log2: 12,
            mode: 0o644,
            uid: 1,
            gid: 2,
            size: 3,
            allocated: 4,
            mtime: FileTime { seconds: 5, nanos: 6 },
            path: path.to_vec(),
            target: vec![],
        }
    }

    fn merkle_of(entries: &[(Entry, Value)]) -> Value {
        let mut builder = SealBuilder::new(1, 0);
        for (index, (entry, root)) in entries.iter().enumerate() {
            builder.push(FileIndex(index as u32), entry, root);
        }
        builder.merkle()
    }

    proptest! {
        #[test]
        fn seals_round_trip_and_hold(gaps in prop::collection::vec(1u32..3, 1..5), with_roots in any::<bool>()) {
            let limits = Limits::TINY;
            let new = if with_roots { SealBuilder::with_roots } else { SealBuilder::new };
            let mut builder = new(9, 4);
            let mut file = 0;
            let mut files = vec![];
            for gap in gaps.iter().take(4) {
                file += gap;
                files.push(FileIndex(file));
                builder.push(FileIndex(file), &entry(&file.to_be_bytes()), &root_of_bytes(&file.to_be_bytes()));
            }
            let seal = builder.finish(&SESSION, &key());
            let bytes = seal.encode();
            prop_assert_eq!(bytes.len(), seal.len());
            prop_assert_eq!(Seal::parse(&bytes, &limits), Ok(seal.clone()));
            prop_assert_eq!(seal.files().collect::<Vec<_>>(), files);
            prop_assert_eq!(seal.verify(&SESSION, &key().verifying_key()), Ok(()));
            for cut in 0..bytes.len() {
                prop_assert!(Seal::parse(&bytes[..cut], &limits).is_err());
            }
        }

        // proves: O7
        #[test]
        fn one_changed_bit_of_a_seal_never_holds(at in 0usize..4096, bit in 0u8..8) {
            let mut builder = SealBuilder::with_roots(9, 4);
            builder.push(FileIndex(3), &entry(b"a"), &root_of_bytes(b"a"));
            builder.push(FileIndex(5), &entry(b"b"), &root_of_bytes(b"b"));
            let mut bytes = builder.finish(&SESSION, &key()).encode();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Ok(seal) = Seal::parse(&bytes, &Limits::TINY) {
                prop_assert_eq!(seal.verify(&SESSION, &key().verifying_key()), Err(BadSignature));
            }
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Seal::parse(&bytes, &Limits::TINY);
            let _ = Seal::parse(&bytes, &Limits::DEFAULT);
        }
    }

    // proves: O7
    #[test]
    fn any_single_field_that_differs_makes_the_seal_unequal() {
        let root = root_of_bytes(b"content");
        let base = || vec![(entry(b"a"), root), (entry(b"b"), root), (entry(b"c"), root)];
        let honest = merkle_of(&base());
        let changes: &[fn(&mut (Entry, Value))] = &[
            |row| row.0.kind = Kind::Symlink,
            |row| row.0.chunk_log2 += 1,
            |row| row.0.mode ^= 1,
            |row| row.0.uid += 1,
            |row| row.0.gid += 1,
            |row| row.0.size += 1,
            |row| row.0.mtime.seconds += 1,
            |row| row.0.mtime.nanos += 1,
            |row| row.0.path.push(b'x'),
            |row| row.0.path[0] ^= 1,
            |row| row.1.0[31] ^= 1,
        ];
        for index in 0..3 {
            for (number, change) in changes.iter().enumerate() {
                let mut rows = base();
                change(&mut rows[index]);
                assert_ne!(merkle_of(&rows), honest, "change {number} of row {index}");
            }
        }
        let mut swapped = base();
        swapped.swap(0, 1);
        assert_ne!(merkle_of(&swapped), honest);
        assert_ne!(merkle_of(&base()[..2]), honest);
        let mut allocated = base();
        allocated[0].0.allocated += 1;
        assert_eq!(merkle_of(&allocated), honest, "allocation is the sender's own matter");
    }

    #[test]
    fn another_session_or_key_does_not_hold() {
        let mut builder = SealBuilder::new(1, 0);
        builder.push(FileIndex(0), &entry(b"a"), &Value::default());
        let seal = builder.finish(&SESSION, &key());
        assert_eq!(seal.verify(&SessionId([6; 32]), &key().verifying_key()), Err(BadSignature));
        let other = SigningKey::from_bytes(&[8; 32]);
        assert_eq!(seal.verify(&SESSION, &other.verifying_key()), Err(BadSignature));
    }

    #[test]
    fn a_seal_with_roots_names_the_file() {
        let mut builder = SealBuilder::with_roots(1, 0);
        let roots: Vec<_> = (0..4u8).map(|byte| root_of_bytes(&[byte])).collect();
        for (index, root) in roots.iter().enumerate() {
            builder.push(FileIndex(10 + index as u32), &entry(&[b'a' + index as u8]), root);
        }
        let seal = builder.finish(&SESSION, &key());
        assert_eq!(seal.differing(&roots), None);
        let mut own = roots.clone();
        own[2] = Value::default();
        assert_eq!(seal.differing(&own), Some(FileIndex(12)));
        assert_eq!(Seal { roots: vec![], ..seal }.differing(&own), None);
    }

    #[test]
    fn ranges_that_overlap_or_overflow_are_refused() {
        let with = |ranges: &[(u32, u32)]| {
            let range = |&(first, count): &(u32, u32)| FileRange { first: FileIndex(first), count };
            let seal = Seal {
                transfer: 1,
                sequence: 0,
                ranges: ranges.iter().map(range).collect(),
                merkle: Value::default(),
                roots: vec![],
                signature: [0; 64],
                stages_ms: [0; STAGES],
            };
            Seal::parse(&seal.encode(), &Limits::TINY)
        };
        assert!(with(&[(0, 1), (2, 2)]).is_ok());
        for bad in [&[][..], &[(0, 0)], &[(0, 1), (1, 1)], &[(2, 1), (0, 1)], &[(u32::MAX, 1)]] {
            assert_eq!(with(bad), Err(Malformed::Ranges), "{bad:?}");
        }
        assert!(matches!(with(&[(0, 5)]), Err(Malformed::Over { field: "files", .. })));
    }

    #[test]
    fn every_batch_fits_a_record_with_its_roots() {
        for limits in [Limits::DEFAULT, Limits::TINY, Limits::CEILING] {
            let mut builder = SealBuilder::with_roots(1, 0);
            for index in 0..seal_files_max(&limits) {
                builder.push(FileIndex(index * 2), &entry(b"a"), &Value::default());
            }
            let bytes = builder.finish(&SESSION, &key()).encode();
            assert!(bytes.len() <= limits.record_bytes as usize);
            assert!(Seal::parse(&bytes, &limits).is_ok());
        }
    }
}
