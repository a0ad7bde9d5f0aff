//! Whether two trees are equal, as far as a transfer promised.

use crate::disk::{Attributes, Image};
use std::collections::{BTreeMap, BTreeSet};

/// What beside names and content must be equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compare {
    /// These bits of the mode; 0: none.
    pub mode_mask: u32,
    /// Modification times of files and symlinks.
    pub mtime: bool,
    /// Modification times of directories.
    pub directory_mtime: bool,
    /// Owner and group.
    pub owner: bool,
}

impl Compare {
    /// Names and content alone.
    pub const CONTENT: Self = Self { mode_mask: 0, mtime: false, directory_mtime: false, owner: false };
    /// What `copy` keeps.
    pub const COPY: Self = Self { mode_mask: 0o1777, mtime: true, directory_mtime: false, owner: false };
    /// What `-a` keeps.
    pub const ARCHIVE: Self = Self { mode_mask: 0o7777, mtime: true, directory_mtime: true, owner: true };
}

fn attributes_differ(
    left: &Attributes,
    right: &Attributes,
    is_dir: bool,
    is_link: bool,
    how: Compare,
) -> bool {
    let times = if is_dir { how.directory_mtime } else { how.mtime };
    (!is_link && (left.mode ^ right.mode) & how.mode_mask != 0)
        || (times && left.mtime != right.mtime)
        || (how.owner && (left.uid, left.gid) != (right.uid, right.gid))
}

fn equal(left: &Image, right: &Image, how: Compare) -> bool {
    match (left, right) {
        (Image::File { bytes: a, attributes: x }, Image::File { bytes: b, attributes: y }) => {
            a == b && !attributes_differ(x, y, false, false, how)
        }
        (Image::Symlink { target: a, attributes: x }, Image::Symlink { target: b, attributes: y }) => {
            a == b && !attributes_differ(x, y, false, true, how)
        }
        (Image::Directory { attributes: x }, Image::Directory { attributes: y }) => {
            !attributes_differ(x, y, true, false, how)
        }
        (Image::Special, Image::Special) => true,
        _ => false,
    }
}

/// Paths that one of two trees lacks or that differ.
pub fn differences(
    left: &BTreeMap<Vec<u8>, Image>,
    right: &BTreeMap<Vec<u8>, Image>,
    how: Compare,
) -> Vec<Vec<u8>> {
    let all: BTreeSet<&Vec<u8>> = left.keys().chain(right.keys()).collect();
    let same = |path: &Vec<u8>| match (left.get(path), right.get(path)) {
        (Some(a), Some(b)) => equal(a, b, how),
        _ => false,
    };
    all.into_iter().filter(|path| !same(path)).cloned().collect()
}
