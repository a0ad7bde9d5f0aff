//! The root of one file as it lies on disk, read in the background: what `--checksum` compares.

use crate::ops::{Finish, Owner};
use crate::tools::Core;
use base::hooks::Hooks;
use base::ids::Value;
use base::io::{Errno, Fd, Io, Op};
use base::limits::DATA_AT;
use proto::transfer::chunk::FileHasher;

/// One file being read from front to back, a record at a time.
pub(crate) struct Digest {
    pub(crate) fd: Fd,
    size: u64,
    offset: u64,
    hasher: FileHasher,
    reading: bool,
}

impl Digest {
    /// Of the first `size` bytes of an open file.
    pub(crate) fn new(fd: Fd, size: u64) -> Self {
        Self { fd, size, offset: 0, hasher: FileHasher::new(), reading: false }
    }

    /// Whether a read is in flight.
    pub(crate) fn is_reading(&self) -> bool {
        self.reading
    }

    /// Starts the next read; without a free slot it is asked again in a later turn.
    pub(crate) fn read_on<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, owner: Owner) {
        if self.reading {
            return;
        }
        let Some(buf) = core.io.take() else { return };
        let len = (self.size - self.offset).min(u64::from(core.settings.limits.record_bytes)) as u32;
        self.reading = true;
        let (file, offset) = (self.fd, self.offset);
        core.start(owner, Op::Read { file, offset, buf, at: DATA_AT, len, uncached: false });
    }

    /// A read ended. `Some`: so did the file, or it could not be read whole.
    pub(crate) fn on_read<B: AsRef<[u8]>>(&mut self, finish: &Finish<B>) -> Option<Result<Value, Errno>> {
        self.reading = false;
        let count = match finish.result {
            Ok(0) => return Some(Err(Errno::IO)),
            Ok(count) => count,
            Err(errno) => return Some(Err(errno)),
        };
        if let Some(slot) = &finish.slot {
            self.hasher.update(&slot.as_ref()[DATA_AT as usize..(DATA_AT + count) as usize]);
        }
        self.offset += u64::from(count);
        (self.offset == self.size).then(|| Ok(self.hasher.finish()))
    }
}
