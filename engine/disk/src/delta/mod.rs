//! Building a new file out of an older one that lies under its name: when it pays, and in which steps.
//!
//! The older file is only read. The new one grows beside it, in its part, and takes its name by the same
//! publication as every other file.

mod moves;

pub use moves::{Move, Moves};

use base::entry::{Entry, Kind, Stat};
use base::limits::Limits;

/// How much smaller than the other one of the two files may be.
const UNEQUAL_MOST: u64 = 8;

/// Whether a delta of `entry` against what has its name can save more than it costs.
///
/// It costs to read the older file on one end and to cut both. It saves what both have in common, which is at most
/// the smaller one. A file with large holes goes by its extents, which reads none of them.
pub fn pays(entry: &Entry, old: &Stat, limits: &Limits) -> bool {
    entry.kind == Kind::File
        && entry.chunk_log2 > 0
        && old.kind == Some(Kind::File)
        && entry.size >= limits.delta_file_bytes_min
        && old.size >= u64::from(limits.piece_bytes_min)
        && old.size <= entry.size.saturating_mul(UNEQUAL_MOST)
        && entry.size <= old.size.saturating_mul(UNEQUAL_MOST)
        && entry.allocated >= entry.size / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::entry::FileTime;

    #[test]
    fn a_delta_needs_two_files_of_comparable_size() {
        let limits = Limits::DEFAULT;
        let entry = Entry {
            kind: Kind::File,
            chunk_log2: 20,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: 8 << 20,
            allocated: 8 << 20,
            mtime: FileTime::default(),
            path: b"file".to_vec(),
            target: alloc::vec::Vec::new(),
        };
        let old = Stat {
            kind: Some(Kind::File),
            mode: 0o644,
            uid: 0,
            gid: 0,
            links: 1,
            device: 1,
            inode: 1,
            size: 8 << 20,
            allocated: 8 << 20,
            mtime: FileTime::default(),
            ctime: FileTime::default(),
        };
        assert!(pays(&entry, &old, &limits));
        assert!(!pays(&entry, &Stat { kind: Some(Kind::Symlink), ..old }, &limits));
        assert!(!pays(&entry, &Stat { size: (1 << 20) - 1, ..old }, &limits));
        assert!(pays(&entry, &Stat { size: 1 << 20, ..old }, &limits));
        assert!(pays(&entry, &Stat { size: 64 << 20, ..old }, &limits));
        assert!(!pays(&entry, &Stat { size: (64 << 20) + 1, ..old }, &limits));
        assert!(!pays(&entry, &Stat { size: 0, ..old }, &limits));
        assert!(!pays(&Entry { allocated: (4 << 20) - 1, ..entry.clone() }, &old, &limits));
        let small = Entry { size: limits.delta_file_bytes_min - 1, ..entry };
        assert!(!pays(&small, &Stat { size: small.size, ..old }, &limits));
    }
}
