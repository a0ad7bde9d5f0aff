//! Whole small files in one act: the path of the many.

use super::{call, meta, open, text};
use crate::pool::close;
use base::entry::{Kind, Meta};
use base::io::{ActOut, Batch, Errno, Fd, NameAt};
use rustix::fd::{BorrowedFd, IntoRawFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, unlinkat};
use std::ffi::CStr;

/// Bytes of a batch's data.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) at: u32,
    pub(super) len: u32,
}

impl Span {
    fn of(self, data: &[u8]) -> Result<&[u8], Errno> {
        data.get(self.at as usize..).and_then(|rest| rest.get(..self.len as usize)).ok_or(Errno::INVAL)
    }

    fn of_mut(self, data: &mut [u8]) -> Result<&mut [u8], Errno> {
        data.get_mut(self.at as usize..)
            .and_then(|rest| rest.get_mut(..self.len as usize))
            .ok_or(Errno::INVAL)
    }
}

/// Opens, stats, reads, stats, closes. What is not a regular file is not read.
pub(super) fn get<B: AsRef<[u8]> + AsMut<[u8]>>(
    batch: &mut Batch<B>,
    dir: BorrowedFd<'_>,
    name: NameAt,
    at: u32,
    len: u32,
) -> Result<ActOut, Errno> {
    let mut data = batch.data.take();
    let result = match (&mut data, text(batch.name_z(name))) {
        (Some(data), Ok(name)) => get_into(dir, name, Span { at, len }.of_mut(data.as_mut())),
        _ => Err(Errno::INVAL),
    };
    batch.data = data;
    result
}

fn get_into(dir: BorrowedFd<'_>, name: &CStr, room: Result<&mut [u8], Errno>) -> Result<ActOut, Errno> {
    let room = room?;
    let fd = open::exactly(dir, name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
    let before = meta::stat_of(as_borrowed(&fd))?;
    if before.kind != Some(Kind::File) {
        return Ok(ActOut::Got { len: 0, before, after: before });
    }
    let mut filled = 0;
    while filled < room.len() {
        match call(|| rustix::io::read(&fd, &mut room[filled..]))? {
            0 => break,
            n => filled += n,
        }
        // A file that did not grow ends here: its size spares the read that would say so. One that did
        // shows it in the second stat.
        if filled as u64 == before.size {
            break;
        }
    }
    let after = meta::stat_of(as_borrowed(&fd))?;
    Ok(ActOut::Got { len: filled as u32, before, after })
}

/// Creates, writes in full, sets metadata; whatever fails after the creation removes the name again.
pub(super) fn put<B: AsRef<[u8]>>(
    batch: &Batch<B>,
    dir: BorrowedFd<'_>,
    name: NameAt,
    span: Span,
    meta: &Meta,
    keep: bool,
) -> Result<ActOut, Errno> {
    let content = match (&batch.data, span.len) {
        (_, 0) => &[][..],
        (Some(data), _) => span.of(data.as_ref())?,
        (None, _) => return Err(Errno::INVAL),
    };
    let name = text(batch.name_z(name))?;
    let fd = open::exactly(dir, name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, Mode::RUSR | Mode::WUSR)?;
    match fill(fd, content, meta, keep) {
        Ok(out) => Ok(out),
        Err(error) => {
            let _ = call(|| unlinkat(dir, name, AtFlags::empty()));
            Err(error)
        }
    }
}

fn fill(fd: OwnedFd, mut content: &[u8], meta: &Meta, keep: bool) -> Result<ActOut, Errno> {
    while !content.is_empty() {
        match call(|| rustix::io::write(&fd, content))? {
            0 => return Err(Errno::IO),
            n => content = &content[n..],
        }
    }
    meta::set_of(as_borrowed(&fd), meta)?;
    if keep {
        let inode = meta::stat_of(as_borrowed(&fd))?.inode;
        return Ok(ActOut::Put { inode, fd: Some(Fd(fd.into_raw_fd())) });
    }
    // Some file systems report a failed write only here.
    close(fd.into_raw_fd())?;
    Ok(ActOut::Put { inode: 0, fd: None })
}

fn as_borrowed(fd: &OwnedFd) -> BorrowedFd<'_> {
    use rustix::fd::AsFd;
    fd.as_fd()
}
