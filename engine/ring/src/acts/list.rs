//! Listings and link targets: what goes into a batch's `out`.

use super::{call, text};
use crate::error::errno;
use base::io::{ActOut, Batch, Errno, NameAt};
use base::name::NAME_BYTES_MAX;
use rustix::fd::BorrowedFd;
use rustix::fs::{FileType, RawDir, readlinkat_raw};
use std::mem::MaybeUninit;

/// One getdents64 fills at most this much.
const CHUNK_BYTES: usize = 32 * 1024;
/// The longest linux_dirent64: 19 bytes, a name, a NUL, rounded up to 8.
const DIRENT_BYTES_MAX: usize = (19 + NAME_BYTES_MAX + 1).next_multiple_of(8);

/// The next names of an open directory. A listed name takes less room than its linux_dirent64, so asking the
/// kernel for no more than is left keeps within `bytes_max`, which counts as at least one longest entry.
pub(super) fn next_names<B>(
    batch: &mut Batch<B>,
    dir: BorrowedFd<'_>,
    bytes_max: u32,
) -> Result<ActOut, Errno> {
    let mut chunk = [MaybeUninit::<u8>::uninit(); CHUNK_BYTES];
    let begin = batch.out.len();
    let mut left = (bytes_max as usize).max(DIRENT_BYTES_MAX);
    while left >= DIRENT_BYTES_MAX {
        let before = batch.out.len();
        if !one_chunk(batch, dir, &mut chunk[..left.min(CHUNK_BYTES)])? {
            return Ok(ActOut::Names { text: batch.out_since(begin), more: false });
        }
        left -= batch.out.len() - before;
    }
    Ok(ActOut::Names { text: batch.out_since(begin), more: true })
}

/// One getdents64; false at the end of the directory.
fn one_chunk<B>(
    batch: &mut Batch<B>,
    dir: BorrowedFd<'_>,
    chunk: &mut [MaybeUninit<u8>],
) -> Result<bool, Errno> {
    let mut names = RawDir::new(dir, chunk);
    loop {
        match names.next() {
            None => return Ok(false),
            Some(Err(rustix::io::Errno::INTR)) => continue,
            Some(Err(e)) => return Err(errno(e)),
            Some(Ok(entry)) => {
                let name = entry.file_name().to_bytes();
                if name != b"." && name != b".." {
                    batch.put_listed(kind_byte(entry.file_type()), name);
                }
            }
        }
        if names.is_buffer_empty() {
            return Ok(true);
        }
    }
}

/// As `Batch::names_of` documents.
fn kind_byte(kind: FileType) -> u8 {
    match kind {
        FileType::RegularFile => 1,
        FileType::Directory => 2,
        FileType::Symlink => 3,
        FileType::Unknown => 0,
        _ => 4,
    }
}

/// The target of a symlink; EINVAL for anything else, as readlink(2).
pub(super) fn target<B>(batch: &mut Batch<B>, dir: BorrowedFd<'_>, name: NameAt) -> Result<ActOut, Errno> {
    let mut room = [0; base::name::PATH_BYTES_MAX];
    let name = text(batch.name_z(name))?;
    let len = call(|| readlinkat_raw(dir, name, &mut room))?;
    let target = &room[..len];
    Ok(ActOut::Text(batch.put_out(target)))
}
