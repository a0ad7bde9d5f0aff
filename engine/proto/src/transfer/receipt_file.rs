//! The receipt as a file: the receipt and every entry it commits to, checkable without either peer.
//!
//! Written while the transfer runs, in constant memory: entries as they are sealed, the receipt last.
//!
//! ```text
//! head | entry .. entry, end of seal 0 | entry .. entry, end of seal 1 | ... | foot: the receipt
//! ```
//!
//! A check recomputes the root of every seal and the root over them, so one changed bit anywhere shows.

use super::merkle::{Leaf, Tree};
use super::receipt::{Receipt, SealTree};
use super::seal::BadSignature;
use super::{Malformed, no_meaning};
use crate::wire::layouts::{Layout, field};
use crate::wire::{Reader, Writer};
use alloc::vec::Vec;
use base::entry::{Entry, FileTime, Kind};
use base::ids::Value;
use base::limits::Limits;
use base::name::RelPath;
use ed25519_dalek::VerifyingKey;

const MAGIC: [u8; 8] = *b"xferdrcp";
const VERSION: u16 = 1;
const TAG_ENTRY: u8 = 1;
const TAG_SEAL_END: u8 = 2;
const TAG_FOOT: u8 = 3;

/// Byte table of the head.
pub const HEAD: Layout = Layout {
    name: "Receipt file: head",
    place: "the first bytes of a receipt file",
    fields: &[
        field("magic", "[8]", "`xferdrcp`"),
        field("version", "u16", "1"),
        field("key", "[32]", "the receiver's Ed25519 public key"),
    ],
};

/// Byte table of an entry.
pub const LISTED: Layout = Layout {
    name: "Receipt file: entry",
    place: "once for each entry under a seal, in order",
    fields: &[
        field("tag", "u8", "1"),
        field("kind", "u8", "as under the seal"),
        field("chunk_log2", "u8", "as under the seal"),
        field("mode", "u32", "as under the seal"),
        field("uid", "u32", "as under the seal"),
        field("gid", "u32", "as under the seal"),
        field("size", "u64", "as under the seal"),
        field("mtime_s", "i64", "as under the seal"),
        field("mtime_ns", "u32", "as under the seal"),
        field("root", "[32]", "as under the seal"),
        field("path", "u16 + bytes", "as under the seal"),
    ],
};

/// Byte table of what ends a seal's entries.
pub const SEAL_END: Layout = Layout {
    name: "Receipt file: end of seal",
    place: "behind the entries of each seal",
    fields: &[field("tag", "u8", "2"), field("merkle", "[32]", "the seal's root")],
};

/// Byte table of the foot.
pub const FOOT: Layout = Layout {
    name: "Receipt file: foot",
    place: "the last bytes of a receipt file",
    fields: &[field("tag", "u8", "3"), field("receipt", "bytes", "a Receipt, to the end of the file")],
};

/// Makes a receipt file piece by piece. What it made is taken with [`ReceiptWriter::take`], as often as
/// there is room to write it.
#[derive(Clone, Debug)]
pub struct ReceiptWriter {
    out: Writer,
    tree: Tree,
    seals: SealTree,
}

impl ReceiptWriter {
    /// Begins with the head; `key` is the receiver's.
    pub fn new(key: &VerifyingKey) -> Self {
        let mut out = Writer::new();
        out.bytes(&MAGIC).u16(VERSION).bytes(key.as_bytes());
        Self { out, tree: Tree::new(), seals: SealTree::new() }
    }

    /// Adds the next entry of the current seal, as it was sealed.
    pub fn entry(&mut self, entry: &Entry, root: &Value) {
        let leaf = Leaf::of(entry, root);
        self.out.u8(TAG_ENTRY);
        leaf.write_fixed(&mut self.out);
        self.out.counted16(leaf.path);
        self.tree.push(leaf.hash());
    }

    /// Ends the current seal and returns its root, which is that of the seal that was verified.
    pub fn end_seal(&mut self) -> Value {
        let merkle = core::mem::take(&mut self.tree).root();
        self.out.u8(TAG_SEAL_END).bytes(&merkle.0);
        self.seals.push(&merkle);
        merkle
    }

    /// The seals so far: what the receipt's `merkle` and `seals` are made from.
    pub fn seals(&self) -> &SealTree {
        &self.seals
    }

    /// Ends the file.
    pub fn finish(&mut self, receipt: &Receipt) {
        self.out.u8(TAG_FOOT).bytes(&receipt.encode());
    }

    /// The bytes made since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.out).into_vec()
    }
}

/// What is wrong with a receipt file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReceiptFault {
    /// It is no receipt file, or cut off.
    Malformed(Malformed),
    /// The public key in it is none.
    Key,
    /// The receipt's signature does not hold.
    Signature,
    /// The entries of this seal (from 0) do not hash to its root.
    Seal(u32),
    /// The seals do not hash to the receipt's root, or are not as many.
    Receipt,
}

impl From<Malformed> for ReceiptFault {
    fn from(fault: Malformed) -> Self {
        Self::Malformed(fault)
    }
}

impl From<BadSignature> for ReceiptFault {
    fn from(_: BadSignature) -> Self {
        Self::Signature
    }
}

/// A receipt file in memory.
#[derive(Clone, Debug)]
pub struct ReceiptFile<'a> {
    /// The receipt.
    pub receipt: Receipt,
    /// The public key it is checked with.
    pub key: VerifyingKey,
    rows: &'a [u8],
}

impl<'a> ReceiptFile<'a> {
    /// Reads a receipt file and checks all of it: form, signature, the root of each seal and the root over
    /// them. Whose key it is, and whether that device is trusted, is the caller's to know
    /// (`receipt.body.receiver`).
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(bytes: &'a [u8], limits: &Limits) -> Result<Self, ReceiptFault> {
        let mut reader = Reader::new(bytes);
        let magic: [u8; 8] = reader.array().map_err(Malformed::from)?;
        let version = reader.u16().map_err(Malformed::from)?;
        if magic != MAGIC {
            return Err(no_meaning("magic", u64::from_be_bytes(magic)).into());
        }
        if version != VERSION {
            return Err(no_meaning("version", u64::from(version)).into());
        }
        let key = VerifyingKey::from_bytes(&reader.array().map_err(Malformed::from)?);
        let key = key.map_err(|_| ReceiptFault::Key)?;
        let rows = reader.rest();
        let (seals, foot) = check_rows(rows, limits)?;
        let receipt = Receipt::parse(foot, limits)?;
        receipt.verify(&key)?;
        if receipt.body.merkle != seals.root() || receipt.body.seals != seals.count() {
            return Err(ReceiptFault::Receipt);
        }
        let rows = &rows[..rows.len() - foot.len() - 1];
        Ok(Self { receipt, key, rows })
    }

    /// Every entry that was sealed, in order.
    pub fn entries(&self) -> impl Iterator<Item = Leaf<'a>> + 'a {
        let mut reader = Reader::new(self.rows);
        core::iter::from_fn(move || {
            loop {
                match reader.u8().ok()? {
                    TAG_ENTRY => return read_leaf(&mut reader).ok(),
                    _ => drop(reader.array::<32>().ok()?),
                }
            }
        })
    }
}

/// Recomputes every seal; returns the seals and the foot's receipt.
fn check_rows<'a>(rows: &'a [u8], limits: &Limits) -> Result<(SealTree, &'a [u8]), ReceiptFault> {
    let mut reader = Reader::new(rows);
    let mut seals = SealTree::new();
    let mut tree = Tree::new();
    loop {
        match reader.u8().map_err(Malformed::from)? {
            TAG_ENTRY => {
                let leaf = read_leaf(&mut reader)?;
                super::order::check_path(leaf.path, limits)?;
                tree.push(leaf.hash());
            }
            TAG_SEAL_END => {
                let merkle = Value(reader.array().map_err(Malformed::from)?);
                if core::mem::take(&mut tree).root() != merkle {
                    return Err(ReceiptFault::Seal(seals.count()));
                }
                seals.push(&merkle);
            }
            TAG_FOOT if tree.count() == 0 => return Ok((seals, reader.rest())),
            tag => return Err(no_meaning("tag", u64::from(tag)).into()),
        }
    }
}

fn read_leaf<'a>(reader: &mut Reader<'a>) -> Result<Leaf<'a>, Malformed> {
    let kind = reader.u8()?;
    let kind = Kind::from_byte(kind).ok_or(no_meaning("kind", u64::from(kind)))?;
    let chunk_log2 = reader.u8()?;
    let (mode, uid, gid, size) = (reader.u32()?, reader.u32()?, reader.u32()?, reader.u64()?);
    let mtime = FileTime { seconds: reader.i64()?, nanos: reader.u32()? };
    let root = Value(reader.array()?);
    let path = reader.counted16(base::name::PATH_BYTES_MAX)?;
    let path = RelPath::new(path)?.as_bytes();
    Ok(Leaf { kind, chunk_log2, mode, uid, gid, size, mtime, root, path })
}

#[cfg(test)]
mod tests {
    use super::super::chunk::root_of_bytes;
    use super::super::offer::{Durability, Verify};
    use super::super::receipt::{Counts, ReceiptBody};
    use super::super::seal::SealBuilder;
    use super::*;
    use alloc::string::String;
    use alloc::vec;
    use base::ids::{DeviceId, FileIndex, SessionId, TransferId};
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[9; 32])
    }

    fn entry(path: &[u8], kind: Kind) -> Entry {
        Entry {
            kind,
            chunk_log2: 0,
            mode: 0o600,
            uid: 1,
            gid: 2,
            size: 3,
            allocated: 4,
            mtime: FileTime { seconds: 5, nanos: 6 },
            path: path.to_vec(),
            target: vec![],
        }
    }

    fn rows() -> Vec<(Entry, Value)> {
        let mut rows = vec![(entry(b"d", Kind::Directory), Value::default())];
        rows.extend((0..7u8).map(|i| (entry(&[b'd', b'/', b'a' + i], Kind::File), root_of_bytes(&[i]))));
        rows
    }

    fn sign(seals: &SealTree) -> Receipt {
        let body = ReceiptBody {
            transfer: TransferId([1; 16]),
            session: SessionId([2; 32]),
            sender: DeviceId([3; 32]),
            receiver: DeviceId(Sha256::digest(key().verifying_key().as_bytes()).into()),
            root: String::from("/in"),
            merkle: seals.root(),
            seals: seals.count(),
            counts: Counts { created: 7, directories: 1, ..Counts::default() },
            durability: Durability::File,
            inplace: false,
            verify: Verify::Full,
            stages_ms: [3; base::hooks::STAGES],
            began_ms: 1,
            ended_ms: 2,
        };
        body.sign(&key())
    }

    /// A file of seals with three entries each, taken in pieces.
    fn file() -> Vec<u8> {
        let mut writer = ReceiptWriter::new(&key().verifying_key());
        let mut bytes = vec![];
        for (sequence, batch) in rows().chunks(3).enumerate() {
            let mut builder = SealBuilder::new(1, sequence as u32);
            for (index, (entry, root)) in batch.iter().enumerate() {
                builder.push(FileIndex(index as u32), entry, root);
                writer.entry(entry, root);
            }
            assert_eq!(writer.end_seal(), builder.merkle());
            bytes.extend(writer.take());
        }
        let receipt = sign(writer.seals());
        writer.finish(&receipt);
        bytes.extend(writer.take());
        bytes
    }

    // proves: O10
    #[test]
    fn a_receipt_file_is_checked_and_lists_what_was_sealed() {
        let bytes = file();
        let file = ReceiptFile::verify(&bytes, &Limits::TINY).expect("holds");
        assert_eq!(file.receipt.body.seals, 3);
        let rows = rows();
        let expected: Vec<_> = rows.iter().map(|(entry, root)| Leaf::of(entry, root)).collect();
        assert_eq!(file.entries().collect::<Vec<_>>(), expected);
    }

    // proves: O10
    #[test]
    fn one_changed_or_missing_byte_anywhere_shows() {
        let bytes = file();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(ReceiptFile::verify(&changed, &Limits::TINY).is_err(), "byte {at}");
            assert!(ReceiptFile::verify(&bytes[..at], &Limits::TINY).is_err(), "cut at {at}");
        }
        assert!(ReceiptFile::verify(&[&bytes[..], b"x"].concat(), &Limits::TINY).is_err());
    }

    #[test]
    fn faults_are_told_apart() {
        let honest = file();
        let head = 8 + 2 + 32;
        let mut content = honest.clone();
        content[head + 50] ^= 1;
        assert_eq!(ReceiptFile::verify(&content, &Limits::TINY).err(), Some(ReceiptFault::Seal(0)));
        let mut signature = honest.clone();
        let last = signature.len() - 1;
        signature[last] ^= 1;
        assert_eq!(ReceiptFile::verify(&signature, &Limits::TINY).err(), Some(ReceiptFault::Signature));

        let mut writer = ReceiptWriter::new(&key().verifying_key());
        writer.entry(&rows()[0].0, &rows()[0].1);
        writer.end_seal();
        let receipt = sign(&SealTree::new());
        writer.finish(&receipt);
        assert_eq!(ReceiptFile::verify(&writer.take(), &Limits::TINY).err(), Some(ReceiptFault::Receipt));

        let mut writer = ReceiptWriter::new(&key().verifying_key());
        writer.entry(&rows()[0].0, &rows()[0].1);
        let receipt = sign(&SealTree::new());
        writer.finish(&receipt);
        let unsealed = writer.take();
        assert!(matches!(ReceiptFile::verify(&unsealed, &Limits::TINY), Err(ReceiptFault::Malformed(_))));
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(tail in prop::collection::vec(any::<u8>(), 0..200), keep in 0usize..600) {
            let mut bytes = file();
            bytes.truncate(keep);
            bytes.extend(tail);
            let _ = ReceiptFile::verify(&bytes, &Limits::TINY);
        }
    }
}
