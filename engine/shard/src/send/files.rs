//! Large files of an outgoing transfer: which chunk is read next, and what is known of each file.

use super::TransferKey;
use super::lane::ChunkOrder;
use base::codes::Code;
use base::entry::Stat;
use base::ids::{ChunkIndex, FileIndex, Value};
use base::io::Fd;
use proto::transfer::chunk::{Chunks, root_of};
use proto::transfer::want::ChunkRange;
use std::collections::{BTreeMap, VecDeque};

/// One wanted large file.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) index: FileIndex,
    /// Chunks to send; `None`: all.
    pub(crate) ranges: Option<Vec<ChunkRange>>,
    /// It was sent before, and some of it was lost with a stream or did not hold.
    pub(crate) again: bool,
}

/// One file that is open.
pub(crate) struct OpenFile {
    pub(crate) fd: Fd,
    pub(crate) stat: Stat,
    chunks: Chunks,
    values: Vec<Option<Value>>,
    ranges: Option<Vec<ChunkRange>>,
    /// What is not sent lies at the receiver since an earlier run.
    pub(crate) resumes: bool,
    next: u32,
    /// Chunks to hand out once more: their lane went away.
    again: Vec<ChunkIndex>,
    /// Chunks that lanes have.
    pub(crate) outstanding: u32,
    missing: u32,
    pub(crate) failed: Option<Code>,
    pub(crate) sent: u64,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) wanted: VecDeque<Wanted>,
    pub(crate) open: BTreeMap<FileIndex, OpenFile>,
}

impl OpenFile {
    pub(crate) fn new(fd: Fd, stat: Stat, chunks: Chunks, wanted: &Wanted) -> Self {
        let count = chunks.count();
        Self {
            fd,
            stat,
            chunks,
            values: vec![None; count as usize],
            ranges: wanted.ranges.clone(),
            resumes: wanted.ranges.is_some() && !wanted.again,
            next: 0,
            again: Vec::new(),
            outstanding: 0,
            missing: count,
            failed: None,
            sent: 0,
        }
    }

    fn wants(&self, chunk: ChunkIndex) -> bool {
        match &self.ranges {
            None => true,
            Some(ranges) => {
                ranges.iter().any(|range| (range.first..range.first + range.count).contains(&chunk.0))
            }
        }
    }

    /// The next chunk to hand out.
    pub(crate) fn next(&mut self, home: TransferKey, file: FileIndex, uncached: bool) -> Option<ChunkOrder> {
        if self.failed.is_some() {
            return None;
        }
        let chunk = match self.again.pop() {
            Some(chunk) => chunk,
            None if self.next < self.chunks.count() => {
                self.next += 1;
                ChunkIndex(self.next - 1)
            }
            None => return None,
        };
        self.outstanding += 1;
        Some(ChunkOrder {
            home,
            file,
            fd: self.fd,
            chunks: self.chunks,
            chunk,
            send: self.wants(chunk),
            sparse: self.stat.allocated < self.stat.size,
            uncached,
        })
    }

    /// A chunk was sent.
    pub(crate) fn on_done(&mut self, chunk: ChunkIndex, value: Value, sent: u64) {
        self.outstanding -= 1;
        self.sent += sent;
        if let Some(known) = self.values.get_mut(chunk.0 as usize)
            && known.replace(value).is_none()
        {
            self.missing -= 1;
        }
    }

    /// A chunk was not sent: its lane is gone, or the file cannot be read.
    pub(crate) fn on_failed(&mut self, chunk: ChunkIndex, code: Code) {
        self.outstanding -= 1;
        match code {
            Code::ConnectionLost => self.again.push(chunk),
            code => self.failed = Some(code),
        }
    }

    /// A chunk that was sent did not arrive: its stream is gone.
    pub(crate) fn on_lost(&mut self, chunk: ChunkIndex) {
        if !self.wants(chunk)
            && let Some(ranges) = &mut self.ranges
        {
            ranges.push(ChunkRange { first: chunk.0, count: 1 });
        }
        self.again.push(chunk);
    }

    /// Every lane is done with it: it is whole, or has failed.
    pub(crate) fn is_over(&self) -> bool {
        self.outstanding == 0 && (self.failed.is_some() || self.missing == 0 && self.again.is_empty())
    }

    /// Its root, once every value is known.
    pub(crate) fn root(&self) -> Option<Value> {
        let values: Option<Vec<Value>> = self.values.iter().copied().collect();
        values.map(|values| root_of(&values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkId;
    use base::entry::{Entry, FileTime, Kind};
    use base::ids::CoreId;
    use base::limits::Limits;

    #[test]
    fn a_lost_chunk_is_sent_though_it_was_not_among_those_wanted() {
        let time = FileTime::default();
        let entry = Entry {
            kind: Kind::File,
            chunk_log2: 12,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: 5000,
            allocated: 5000,
            mtime: time,
            path: b"file".to_vec(),
            target: Vec::new(),
        };
        let stat = Stat {
            kind: Some(Kind::File),
            mode: 0o644,
            uid: 0,
            gid: 0,
            links: 1,
            device: 1,
            inode: 1,
            size: 5000,
            allocated: 5000,
            mtime: time,
            ctime: time,
        };
        let chunks = Chunks::of(&entry, &Limits::TINY).expect("two chunks");
        let ranges = Some(vec![ChunkRange { first: 1, count: 1 }]);
        let wanted = Wanted { index: FileIndex(0), ranges, again: true };
        let mut file = OpenFile::new(Fd(3), stat, chunks, &wanted);
        let home = TransferKey { core: CoreId(0), link: LinkId { slot: 0, generation: 0 }, number: 1 };
        let mut next = || {
            let order = file.next(home, FileIndex(0), false).expect("a chunk");
            (order.chunk.0, order.send)
        };
        assert_eq!((next(), next()), ((0, false), (1, true)));
        file.on_lost(ChunkIndex(0));
        let order = file.next(home, FileIndex(0), false).expect("it is handed out again");
        assert_eq!((order.chunk.0, order.send), (0, true));
    }
}
