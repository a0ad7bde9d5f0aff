//! The tree under a seal and under a receipt: the shape of RFC 6962 (section 2.1) over BLAKE3.
//!
//! A leaf is hashed behind 0x00, a node behind 0x01, so no leaf stands for a node; the left subtree holds
//! the largest power of two of leaves that is below the count. Kept as a stack of full subtrees: memory
//! is logarithmic in the leaves.

use crate::wire::Writer;
use alloc::vec::Vec;
use base::entry::{Entry, FileTime, Kind};
use base::ids::Value;
use blake3::Hasher;

const LEAF: u8 = 0;
const NODE: u8 = 1;
const LEAF_FIXED_BYTES: usize = 67;

/// Collects leaves in order.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Roots of full subtrees, sizes falling: one for each bit set in `count`.
    full: Vec<Value>,
    count: u64,
}

impl Tree {
    /// No leaf.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of leaves.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds the hash of a leaf: [`Leaf::hash`] or [`seal_leaf`].
    pub fn push(&mut self, leaf: Value) {
        let mut root = leaf;
        for _ in 0..self.count.trailing_ones() {
            let left = self.full.pop().unwrap_or_default();
            root = node(&left, &root);
        }
        self.full.push(root);
        self.count += 1;
    }

    /// The root over the leaves so far; of none, BLAKE3 of nothing.
    pub fn root(&self) -> Value {
        let mut subtrees = self.full.iter().rev();
        match subtrees.next() {
            None => Value(blake3::hash(b"").into()),
            Some(last) => subtrees.fold(*last, |right, left| node(left, &right)),
        }
    }
}

/// All that a leaf under a seal commits to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leaf<'a> {
    /// Kind.
    pub kind: Kind,
    /// log2 of the chunk size, 0 for what travels in a pack.
    pub chunk_log2: u8,
    /// Permission bits.
    pub mode: u32,
    /// Owner, by number on the sender.
    pub uid: u32,
    /// Group, by number on the sender.
    pub gid: u32,
    /// Bytes of what was read.
    pub size: u64,
    /// Last change of what was read.
    pub mtime: FileTime,
    /// BLAKE3 of the content or of a symlink's target, zero for a directory.
    pub root: Value,
    /// Path relative to the transfer's destination.
    pub path: &'a [u8],
}

impl<'a> Leaf<'a> {
    /// Of an entry whose size and mtime are those of what was read. `root` is a file's root; what symlinks
    /// and directories have in its place is [`entry_root`].
    pub fn of(entry: &'a Entry, root: &Value) -> Self {
        let Entry { kind, chunk_log2, mode, uid, gid, size, mtime, .. } = *entry;
        Self { kind, chunk_log2, mode, uid, gid, size, mtime, root: *root, path: &entry.path }
    }

    /// Its hash.
    pub fn hash(&self) -> Value {
        let mut fields = Writer::with_capacity(LEAF_FIXED_BYTES);
        fields.u8(LEAF);
        self.write_fixed(&mut fields);
        let mut hasher = Hasher::new();
        hasher.update(fields.as_bytes()).update(self.path);
        Value(hasher.finalize().into())
    }

    /// All but the path, in the order of FORMAT.md.
    pub(super) fn write_fixed(&self, out: &mut Writer) {
        out.u8(self.kind as u8).u8(self.chunk_log2).u32(self.mode).u32(self.uid).u32(self.gid);
        out.u64(self.size).i64(self.mtime.seconds).u32(self.mtime.nanos).bytes(&self.root.0);
    }
}

/// The root of what has no content of its own: BLAKE3 of a symlink's target, zero for a directory.
/// `None` for a file.
pub fn entry_root(entry: &Entry) -> Option<Value> {
    match entry.kind {
        Kind::File => None,
        Kind::Directory => Some(Value::default()),
        Kind::Symlink => Some(Value(blake3::hash(&entry.target).into())),
    }
}

/// Leaf of a seal under a receipt.
pub fn seal_leaf(sequence: u32, merkle: &Value) -> Value {
    let mut hasher = Hasher::new();
    hasher.update(&[LEAF]).update(&sequence.to_be_bytes()).update(&merkle.0);
    Value(hasher.finalize().into())
}

fn node(left: &Value, right: &Value) -> Value {
    let mut hasher = Hasher::new();
    hasher.update(&[NODE]).update(&left.0).update(&right.0);
    Value(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962, section 2.1, as it is written there.
    fn recursive(leaves: &[Value]) -> Value {
        match leaves {
            [] => Value(blake3::hash(b"").into()),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
                node(&recursive(left), &recursive(right))
            }
        }
    }

    #[test]
    fn the_shape_is_that_of_rfc_6962_for_every_count() {
        let leaves: Vec<_> = (0..130).map(|index| seal_leaf(index, &Value([index as u8; 32]))).collect();
        let mut tree = Tree::new();
        for count in 0..leaves.len() {
            assert_eq!(tree.root(), recursive(&leaves[..count]), "{count}");
            assert_eq!(tree.full.len(), count.count_ones() as usize);
            tree.push(leaves[count]);
        }
    }
}
