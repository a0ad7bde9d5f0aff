//! Metadata as plain, descriptor-relative system calls: what [`Act`] means on Linux.
//!
//! Used inline on a core, on the helper thread of io_uring's engine and in the pool of the other. Every
//! name is one component below an open directory and no link is ever followed; EINTR is retried; nothing
//! else is. Descriptors given out are the caller's to close.

mod list;
mod meta;
mod open;
mod small;

use crate::error::errno;
use crate::pool::close;
use base::io::{Act, ActOut, Batch, Errno, Fd, RenameHow};
use rustix::fd::{BorrowedFd, IntoRawFd};
use rustix::fs::{AtFlags, FallocateFlags, FlockOperation, RenameFlags, SeekFrom};
use rustix::io::retry_on_intr;
use std::ffi::CStr;

/// EBADF: a descriptor that is none.
const BADF: Errno = Errno(9);

/// Runs every act of `batch` in order, whatever the ones before yielded; one result each.
pub fn run<B: AsRef<[u8]> + AsMut<[u8]>>(batch: &mut Batch<B>) {
    batch.results.clear();
    batch.results.reserve(batch.len());
    for index in 0..batch.len() {
        let act = batch.acts()[index];
        let result = run_one(batch, act);
        batch.results.push(result);
    }
}

fn run_one<B: AsRef<[u8]> + AsMut<[u8]>>(batch: &mut Batch<B>, act: Act) -> Result<ActOut, Errno> {
    match act {
        Act::Open { dir, path, how } => {
            let fd = open::beneath(held(dir)?, text(batch.path_z(path))?, how)?;
            Ok(ActOut::Fd(Fd(fd.into_raw_fd())))
        }
        Act::Close { fd } => close(fd.0).map(|_| ActOut::Nothing),
        Act::Stat { dir, name: None } => meta::stat_of(held(dir)?).map(ActOut::Stat),
        Act::Stat { dir, name: Some(name) } => {
            meta::stat_at(held(dir)?, text(batch.name_z(name))?).map(ActOut::Stat)
        }
        Act::List { dir, bytes_max } => list::next_names(batch, held(dir)?, bytes_max),
        Act::ReadLink { dir, name } => list::target(batch, held(dir)?, name),
        Act::SetMeta { dir, name: None, meta } => nothing(meta::set_of(held(dir)?, &meta)),
        Act::SetMeta { dir, name: Some(name), meta } => {
            nothing(meta::set_at(held(dir)?, text(batch.name_z(name))?, &meta))
        }
        Act::Resize { fd, size } => nothing(call(|| rustix::fs::ftruncate(held_raw(fd)?, size))),
        Act::Clone { from, to } => {
            nothing(call(|| rustix::fs::ioctl_ficlone(held_raw(to)?, held_raw(from)?)))
        }
        Act::Punch { fd, offset, len } => {
            let how = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            nothing(call(|| rustix::fs::fallocate(held_raw(fd)?, how, offset, len)))
        }
        Act::Extent { fd, offset } => extent(held(fd)?, offset),
        Act::SpaceOf { fd } => meta::space(held(fd)?),
        Act::Lock { fd } => {
            nothing(call(|| rustix::fs::flock(held_raw(fd)?, FlockOperation::NonBlockingLockExclusive)))
        }
        Act::Get { dir, name, at, len } => small::get(batch, held(dir)?, name, at, len),
        Act::Put { dir, name, at, len, meta, keep } => {
            small::put(batch, held(dir)?, name, small::Span { at, len }, &meta, keep)
        }
        Act::MakeDir { .. }
        | Act::Symlink { .. }
        | Act::Link { .. }
        | Act::Rename { .. }
        | Act::Remove { .. } => nothing(change_directory(batch, act)),
    }
}

/// Acts that add, move or remove names.
fn change_directory<B>(batch: &Batch<B>, act: Act) -> Result<(), Errno> {
    match act {
        Act::MakeDir { dir, name, mode } => {
            let name = text(batch.name_z(name))?;
            call(|| rustix::fs::mkdirat(held_raw(dir)?, name, rustix::fs::Mode::from_raw_mode(mode)))
        }
        Act::Symlink { dir, name, target } => {
            let (target, name) = (text(batch.text_z(target))?, text(batch.name_z(name))?);
            call(|| rustix::fs::symlinkat(target, held_raw(dir)?, name))
        }
        Act::Link { from_dir, from, to_dir, to } => {
            let (from, to) = (text(batch.name_z(from))?, text(batch.name_z(to))?);
            // Without AT_SYMLINK_FOLLOW a symlink is linked itself.
            call(|| rustix::fs::linkat(held_raw(from_dir)?, from, held_raw(to_dir)?, to, AtFlags::empty()))
        }
        Act::Rename { from_dir, from, to_dir, to, how } => {
            let (from, to) = (text(batch.name_z(from))?, text(batch.name_z(to))?);
            let flags = match how {
                RenameHow::Replace => RenameFlags::empty(),
                RenameHow::NoReplace => RenameFlags::NOREPLACE,
                RenameHow::Exchange => RenameFlags::EXCHANGE,
            };
            call(|| rustix::fs::renameat_with(held_raw(from_dir)?, from, held_raw(to_dir)?, to, flags))
        }
        Act::Remove { dir, name, directory } => {
            let name = text(batch.name_z(name))?;
            let flags = if directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
            call(|| rustix::fs::unlinkat(held_raw(dir)?, name, flags))
        }
        _ => Err(Errno::NOSYS),
    }
}

/// The next data at or after `offset`. A file system without SEEK_DATA (EINVAL) is all data.
fn extent(fd: BorrowedFd<'_>, offset: u64) -> Result<ActOut, Errno> {
    const NXIO: Errno = Errno(6);
    match call(|| rustix::fs::seek(fd, SeekFrom::Data(offset))) {
        Ok(from) => {
            let to = call(|| rustix::fs::seek(fd, SeekFrom::Hole(from)))?;
            Ok(ActOut::Extent { from, to })
        }
        Err(NXIO) => {
            let size = meta::stat_of(fd)?.size;
            Ok(ActOut::Extent { from: size, to: size })
        }
        Err(Errno::INVAL) => {
            let size = meta::stat_of(fd)?.size;
            Ok(ActOut::Extent { from: offset.min(size), to: size })
        }
        Err(other) => Err(other),
    }
}

/// Borrows a descriptor for one call.
fn held(fd: Fd) -> Result<BorrowedFd<'static>, Errno> {
    if fd.0 < 0 {
        return Err(BADF);
    }
    // SAFETY: not negative. Its owner closes it only through an engine, after the acts that use it; a
    // number that is not open makes the call fail with EBADF and touches no memory.
    Ok(unsafe { BorrowedFd::borrow_raw(fd.0) })
}

fn held_raw(fd: Fd) -> Result<BorrowedFd<'static>, rustix::io::Errno> {
    held(fd).map_err(|_| rustix::io::Errno::BADF)
}

/// One system call, repeated while a signal interrupts it.
fn call<T>(f: impl FnMut() -> Result<T, rustix::io::Errno>) -> Result<T, Errno> {
    retry_on_intr(f).map_err(errno)
}

fn nothing(result: Result<(), Errno>) -> Result<ActOut, Errno> {
    result.map(|()| ActOut::Nothing)
}

/// A stored name or target; one with a NUL within (a target may have one) is refused.
fn text(bytes: &[u8]) -> Result<&CStr, Errno> {
    CStr::from_bytes_with_nul(bytes).map_err(|_| Errno::INVAL)
}
