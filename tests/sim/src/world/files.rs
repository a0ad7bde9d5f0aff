//! Operations on open files.

use super::Inner;
use super::descriptors::Object;
use crate::buffers::SimBuf;
use crate::disk::{EBADF, Ino};
use crate::faults::FaultKind;
use base::io::{Errno, Op, Out};

impl Inner {
    pub(super) fn file_op(&mut self, id: u64, op: Op<SimBuf>) {
        let Some((at, object)) = self.ops.get(&id).map(|one| (one.at, one.object)) else { return };
        let Some((_, Object::File { ino, write })) = object else {
            return self.fail(id, op, Errno::INVAL);
        };
        if matches!(op, Op::Write { .. } | Op::Reserve { .. }) && !write {
            self.violation(format!("a write to a descriptor that is open for reading: {op:?}"));
            return self.fail(id, op, EBADF);
        }
        let end = at.end.0 as usize;
        let (result, buf) = match op {
            Op::Read { offset, mut buf, at, len, .. } => {
                let result = self.read(end, ino, offset, span_mut(buf.as_mut(), at, len));
                (result, Some(buf))
            }
            Op::Write { offset, buf, at, len, .. } => {
                let result = self.write(end, ino, offset, span(buf.as_ref(), at, len));
                (result, Some(buf))
            }
            Op::Sync { data_only, .. } => (self.sync(end, ino, data_only), None),
            Op::Reserve { offset, len, .. } => (self.reserve(end, ino, offset, len), None),
            other => return self.fail(id, other, Errno::INVAL),
        };
        self.finish(id, result, buf, Out::Nothing);
    }

    fn read(&mut self, end: usize, ino: Ino, offset: u64, room: Option<&mut [u8]>) -> Result<u32, Errno> {
        let room = room.ok_or(Errno::INVAL)?;
        if self.plan.strikes(FaultKind::ReadError, &mut self.random) {
            return Err(Errno::IO);
        }
        let short = room.len() > 1 && self.plan.strikes(FaultKind::ShortRead, &mut self.random);
        let most = if short { self.random.between(1, room.len() as u64) as usize } else { room.len() };
        let disk = &mut self.ends[end].disk;
        let count = disk.read(ino, offset, &mut room[..most])?;
        disk.count_read(count as u64);
        Ok(count as u32)
    }

    fn write(&mut self, end: usize, ino: Ino, offset: u64, bytes: Option<&[u8]>) -> Result<u32, Errno> {
        let bytes = bytes.ok_or(Errno::INVAL)?;
        if self.plan.strikes(FaultKind::WriteError, &mut self.random) {
            return Err(Errno::IO);
        }
        if self.plan.strikes(FaultKind::NoSpace, &mut self.random) {
            return Err(Errno::NOSPC);
        }
        let short = bytes.len() > 1 && self.plan.strikes(FaultKind::ShortWrite, &mut self.random);
        let most = if short { self.random.between(1, bytes.len() as u64) as usize } else { bytes.len() };
        self.trace.fold(&bytes[..most]);
        self.ends[end].disk.write(ino, offset, &bytes[..most]).map(|count| count as u32)
    }

    fn sync(&mut self, end: usize, ino: Ino, data_only: bool) -> Result<u32, Errno> {
        if self.plan.strikes(FaultKind::SyncError, &mut self.random) {
            self.ends[end].disk.sync_failing(ino, &mut self.random);
            return Err(Errno::IO);
        }
        self.ends[end].disk.sync(ino, data_only);
        Ok(0)
    }

    fn reserve(&mut self, end: usize, ino: Ino, offset: u64, len: u64) -> Result<u32, Errno> {
        if self.plan.strikes(FaultKind::NoSpace, &mut self.random) {
            return Err(Errno::NOSPC);
        }
        self.ends[end].disk.reserve(ino, offset, len).map(|()| 0)
    }
}

/// Bytes of a buffer, when it has them.
pub(super) fn span(buf: &[u8], at: u32, len: u32) -> Option<&[u8]> {
    buf.get(at as usize..)?.get(..len as usize)
}

/// Bytes of a buffer to fill, when it has them.
pub(super) fn span_mut(buf: &mut [u8], at: u32, len: u32) -> Option<&mut [u8]> {
    buf.get_mut(at as usize..)?.get_mut(..len as usize)
}
