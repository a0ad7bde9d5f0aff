//! What a tree is made of: the entry that travels, and what a stat says.

use alloc::vec::Vec;

/// Kind of an entry. Special files (devices, sockets, FIFOs) are refused and have no value here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A regular file.
    File = 1,
    /// A directory.
    Directory = 2,
    /// A symbolic link; its target is kept byte for byte.
    Symlink = 3,
}

impl Kind {
    /// The kind a wire or journal byte stands for.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::File),
            2 => Some(Self::Directory),
            3 => Some(Self::Symlink),
            _ => None,
        }
    }
}

/// A point in time as a file system stores it: seconds since 1970 (may be negative), nanoseconds 0..10^9.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FileTime {
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
    /// 0 to 999 999 999.
    pub nanos: u32,
}

/// What `statx` says of one name. Sizes in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// `None` for a special file.
    pub kind: Option<Kind>,
    /// Permission bits, 0 to 0o7777.
    pub mode: u32,
    /// Owner, by number.
    pub uid: u32,
    /// Group, by number.
    pub gid: u32,
    /// Number of hard links.
    pub links: u32,
    /// Device and inode number: the identity of a file while it is open.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Length.
    pub size: u64,
    /// Bytes the file system holds for it (512 x st_blocks).
    pub allocated: u64,
    /// Last change of the content.
    pub mtime: FileTime,
    /// Last change of the inode.
    pub ctime: FileTime,
}

/// What can be set on a name or a descriptor; `None` is left alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Meta {
    /// Permission bits, 0 to 0o7777. Ignored for symlinks.
    pub mode: Option<u32>,
    /// Owner, by number.
    pub uid: Option<u32>,
    /// Group, by number.
    pub gid: Option<u32>,
    /// Last change of the content.
    pub mtime: Option<FileTime>,
}

/// One entry of a transfer, as it travels and as a seal commits to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Kind.
    pub kind: Kind,
    /// log2 of the chunk size in bytes for files above the pack bound, else 0.
    pub chunk_log2: u8,
    /// Permission bits, 0 to 0o7777.
    pub mode: u32,
    /// Owner, by number on the sender.
    pub uid: u32,
    /// Group, by number on the sender.
    pub gid: u32,
    /// Length in bytes; for a symlink the length of its target; 0 for a directory.
    pub size: u64,
    /// Bytes allocated on the sender: `allocated < size` means sparse.
    pub allocated: u64,
    /// Last change of the content on the sender.
    pub mtime: FileTime,
    /// Path relative to the transfer's destination, components joined by `/`; empty for the root itself.
    pub path: Vec<u8>,
    /// Target of a symlink, else empty.
    pub target: Vec<u8>,
}
