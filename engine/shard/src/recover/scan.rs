//! Reads a journal from its beginning.

use super::Next;
use crate::ops::{Finish, Owner};
use crate::tools::Core;
use base::hooks::Hooks;
use base::io::{Errno, Fd, Io, Op};
use base::limits::DATA_AT;
use disk::journal::{JournalKind, Reader, Record, Scanned};

pub(super) struct Scan {
    reader: Reader,
    fd: Fd,
    offset: u64,
    ended: bool,
    error: Option<Errno>,
}

impl Scan {
    pub(super) fn new<I: Io, H: Hooks>(core: &Core<I, H>, kind: JournalKind, fd: Fd) -> Self {
        let reader = Reader::new(kind, crate::receive::hash, &core.settings.limits);
        Self { reader, fd, offset: 0, ended: false, error: None }
    }

    /// Whether there is nothing more to read.
    pub(super) fn is_over(&self) -> bool {
        self.ended || self.reader.is_over()
    }

    /// Asks for the next bytes.
    pub(super) fn read<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) -> Next {
        let Some(buf) = core.io.take() else { return Next::Later };
        let (file, offset, len) = (self.fd, self.offset, core.settings.limits.record_bytes);
        core.start(Owner::Recovery, Op::Read { file, offset, buf, at: DATA_AT, len, uncached: false });
        Next::Wait
    }

    /// The bytes came.
    pub(super) fn on_read<B: AsRef<[u8]>>(&mut self, finish: &Finish<B>) {
        match (&finish.result, &finish.slot) {
            (Ok(count), Some(slot)) if *count > 0 => {
                self.reader.feed(&slot.as_ref()[DATA_AT as usize..(DATA_AT + count) as usize]);
                self.offset += u64::from(*count);
            }
            (Ok(_), _) => self.ended = true,
            (Err(errno), _) => (self.ended, self.error) = (true, Some(*errno)),
        }
    }

    pub(super) fn next_record(&mut self) -> Option<(u64, Record)> {
        self.reader.next_record()
    }

    /// What was found.
    ///
    /// # Errors
    /// The journal could not be read.
    pub(super) fn finish(self) -> Result<Scanned, Errno> {
        match self.error {
            Some(errno) => Err(errno),
            None => Ok(self.reader.finish()),
        }
    }
}
