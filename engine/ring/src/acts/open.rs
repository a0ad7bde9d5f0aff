//! Opening beneath a directory, following no link.

use super::call;
use base::io::{Errno, How};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use std::ffi::CStr;

/// A path cannot leave the directory, by `..`, by a link or by a magic link: openat2(2). `..` and links
/// that were swapped in meanwhile give EXDEV or ELOOP.
const BENEATH: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

const COMMON: OFlags = OFlags::CLOEXEC.union(OFlags::NOFOLLOW).union(OFlags::NOCTTY);

/// Flags and mode of one way to open. Reading asks for O_NONBLOCK so that a FIFO put there does not hang
/// the core; regular files ignore it.
fn flags(how: How) -> (OFlags, Mode) {
    match how {
        How::Read => (OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()),
        How::Directory => (OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()),
        How::Write => (OFlags::RDWR, Mode::empty()),
        How::Create { mode } => {
            (OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, Mode::from_raw_mode(mode & 0o7777))
        }
        How::CreateOrOpen { mode } => (OFlags::RDWR | OFlags::CREATE, Mode::from_raw_mode(mode & 0o7777)),
    }
}

/// Opens `path` beneath `dir`; the empty path is the directory itself.
pub(super) fn beneath(dir: BorrowedFd<'_>, path: &CStr, how: How) -> Result<OwnedFd, Errno> {
    let path = if path.is_empty() { c"." } else { path };
    let (flags, mode) = flags(how);
    exactly(dir, path, flags, mode)
}

/// Opens with these flags, beneath and without links. A plain openat(2) would do for one component; it
/// measured no faster.
pub(super) fn exactly(dir: BorrowedFd<'_>, path: &CStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    call(|| openat2(dir, path, flags | COMMON, mode, BENEATH))
}
