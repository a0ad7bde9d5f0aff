//! Stats, and setting owner, mode and times without following a link.

use super::call;
use crate::error::errno_of;
use base::entry::{FileTime, Kind, Meta, Stat};
use base::io::{ActOut, Errno};
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, StatVfsMountFlags, Timespec, Timestamps, UTIME_OMIT, Uid, chownat,
    fchmod, fchown, fstat, fstatvfs, futimens, openat, statat, utimensat,
};
use std::ffi::CStr;

/// fstat(2): on 64-bit Linux it carries all that [`Stat`] needs and is cheaper than statx.
pub(super) fn stat_of(fd: BorrowedFd<'_>) -> Result<Stat, Errno> {
    call(|| fstat(fd)).map(|raw| convert(&raw))
}

/// The name itself, be it a link.
pub(super) fn stat_at(dir: BorrowedFd<'_>, name: &CStr) -> Result<Stat, Errno> {
    call(|| statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)).map(|raw| convert(&raw))
}

#[allow(clippy::unnecessary_cast)] // field widths differ between architectures
fn convert(raw: &rustix::fs::Stat) -> Stat {
    let kind = match FileType::from_raw_mode(raw.st_mode) {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Directory),
        FileType::Symlink => Some(Kind::Symlink),
        _ => None,
    };
    Stat {
        kind,
        mode: raw.st_mode & 0o7777,
        uid: raw.st_uid,
        gid: raw.st_gid,
        links: u32::try_from(raw.st_nlink).unwrap_or(u32::MAX),
        device: raw.st_dev as u64,
        inode: raw.st_ino as u64,
        size: raw.st_size as u64,
        allocated: raw.st_blocks as u64 * 512,
        mtime: FileTime { seconds: raw.st_mtime as i64, nanos: raw.st_mtime_nsec as u32 },
        ctime: FileTime { seconds: raw.st_ctime as i64, nanos: raw.st_ctime_nsec as u32 },
    }
}

/// Owner, mode, times of an open file: in this order, since a change of owner clears set-id bits.
pub(super) fn set_of(fd: BorrowedFd<'_>, meta: &Meta) -> Result<(), Errno> {
    if meta.uid.is_some() || meta.gid.is_some() {
        call(|| fchown(fd, meta.uid.map(Uid::from_raw), meta.gid.map(Gid::from_raw)))?;
    }
    if let Some(mode) = meta.mode {
        call(|| fchmod(fd, Mode::from_raw_mode(mode & 0o7777)))?;
    }
    if let Some(mtime) = meta.mtime {
        call(|| futimens(fd, &times(mtime)))?;
    }
    Ok(())
}

/// The same for a name, of a link itself where it is one (its mode is then left alone: Linux has none).
pub(super) fn set_at(dir: BorrowedFd<'_>, name: &CStr, meta: &Meta) -> Result<(), Errno> {
    if meta.uid.is_some() || meta.gid.is_some() {
        let (uid, gid) = (meta.uid.map(Uid::from_raw), meta.gid.map(Gid::from_raw));
        call(|| chownat(dir, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW))?;
    }
    if let Some(mode) = meta.mode {
        set_mode_at(dir, name, mode & 0o7777)?;
    }
    if let Some(mtime) = meta.mtime {
        call(|| utimensat(dir, name, &times(mtime), AtFlags::SYMLINK_NOFOLLOW))?;
    }
    Ok(())
}

/// fchmodat2(2), which alone takes AT_SYMLINK_NOFOLLOW (Linux 6.6); before that a descriptor is opened.
fn set_mode_at(dir: BorrowedFd<'_>, name: &CStr, mode: u32) -> Result<(), Errno> {
    // SAFETY: `name` is NUL-terminated and outlives the call, which writes no memory of ours.
    let result = unsafe {
        libc::syscall(libc::SYS_fchmodat2, dir.as_raw_fd(), name.as_ptr(), mode, libc::AT_SYMLINK_NOFOLLOW)
    };
    if result == 0 {
        return Ok(());
    }
    match errno_of(&std::io::Error::last_os_error()) {
        Errno::OPNOTSUPP => Ok(()),
        Errno::INTR => set_mode_at(dir, name, mode),
        Errno::NOSYS | Errno::PERM => set_mode_opened(dir, name, mode),
        other => Err(other),
    }
}

fn set_mode_opened(dir: BorrowedFd<'_>, name: &CStr, mode: u32) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    match call(|| openat(dir, name, flags, Mode::empty())) {
        Ok(fd) => call(|| fchmod(&fd, Mode::from_raw_mode(mode))),
        Err(Errno::LOOP) => Ok(()),
        Err(other) => Err(other),
    }
}

fn times(mtime: FileTime) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: mtime.seconds, tv_nsec: i64::from(mtime.nanos) },
    }
}

/// statvfs: what an unprivileged writer may still use.
pub(super) fn space(fd: BorrowedFd<'_>) -> Result<ActOut, Errno> {
    let found = call(|| fstatvfs(fd))?;
    Ok(ActOut::Space {
        free: found.f_bavail.saturating_mul(found.f_frsize),
        read_only: found.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}
