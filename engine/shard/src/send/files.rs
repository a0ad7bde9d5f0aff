//! Large files of an outgoing transfer: which chunk is read next, and what is known of each file.

use super::delta::{FileDelta, WantedDelta};
use super::home::Home;
use super::lane::ChunkOrder;
use super::seals::Item;
use super::{SendMail, TransferKey};
use crate::mailbox::Mail;
use crate::place::stat_in;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Kind, Stat};
use base::hooks::Hooks;
use base::ids::{ChunkIndex, FileIndex, Value};
use base::io::{Act, Errno, Fd, How, Io};
use base::name::{Name, RelPath};
use proto::transfer::chunk::{Chunks, root_of};
use proto::transfer::delta::Piece;
use proto::transfer::want::ChunkRange;
use std::collections::{BTreeMap, VecDeque};

/// Chunk orders that a lane holds at once: one being sent, one to go on with.
const ORDERS_PER_LANE: u32 = 2;

/// One wanted large file.
pub(crate) struct Wanted {
    pub(crate) index: FileIndex,
    /// Chunks to send; `None`: all.
    pub(crate) ranges: Option<Vec<ChunkRange>>,
    /// It was sent before, and some of it was lost with a stream or did not hold.
    pub(crate) again: bool,
    /// It travels as a delta.
    pub(crate) delta: Option<Box<WantedDelta>>,
}

/// One file that is open.
pub(crate) struct OpenFile {
    pub(crate) fd: Fd,
    pub(crate) stat: Stat,
    pub(super) chunks: Chunks,
    values: Vec<Option<Value>>,
    ranges: Option<Vec<ChunkRange>>,
    /// What is not sent lies at the receiver since an earlier run.
    pub(crate) resumes: bool,
    next: u32,
    /// Chunks to hand out once more: their lane went away.
    pub(super) again: Vec<ChunkIndex>,
    /// Chunks that lanes have.
    pub(crate) outstanding: u32,
    missing: u32,
    pub(crate) failed: Option<Code>,
    pub(crate) sent: u64,
    /// Content that the receiver took from its older file.
    pub(crate) reused: u64,
    /// While it travels as a delta.
    pub(super) delta: Option<Box<FileDelta>>,
    /// Chunks that a lane has to cut.
    pub(super) cutting: u32,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) wanted: VecDeque<Wanted>,
    pub(crate) open: BTreeMap<FileIndex, OpenFile>,
}

impl OpenFile {
    pub(crate) fn new(fd: Fd, stat: Stat, chunks: Chunks, wanted: Wanted) -> Self {
        let count = chunks.count();
        Self {
            fd,
            stat,
            chunks,
            values: vec![None; count as usize],
            resumes: wanted.ranges.is_some() && !wanted.again,
            ranges: wanted.ranges,
            next: 0,
            again: Vec::new(),
            outstanding: 0,
            missing: count,
            failed: None,
            sent: 0,
            reused: 0,
            delta: wanted.delta.map(|delta| Box::new(FileDelta::new(*delta, count))),
            cutting: 0,
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
        if self.delta.is_some() {
            return self.next_of_delta(home, file, uncached);
        }
        let known = |next: u32| self.values.get(next as usize).is_some_and(Option::is_some);
        let chunk = match self.again.pop() {
            Some(chunk) => chunk,
            None => {
                // What a delta sent before it was given up.
                while known(self.next) && !self.wants(ChunkIndex(self.next)) {
                    self.next += 1;
                }
                let chunk = ChunkIndex(self.next);
                self.chunks.range(chunk)?;
                self.next += 1;
                chunk
            }
        };
        self.outstanding += 1;
        Some(self.order(home, file, chunk, uncached))
    }

    fn next_of_delta(&mut self, home: TransferKey, file: FileIndex, uncached: bool) -> Option<ChunkOrder> {
        let mut delta = self.delta.take()?;
        let chunk = self.again.pop().or_else(|| delta.next_ready(|chunk| self.wants(chunk)));
        let order = chunk.map(|chunk| {
            self.outstanding += 1;
            let value = self.values.get(chunk.0 as usize).copied().flatten().unwrap_or_default();
            let delta = delta.order(chunk, value);
            ChunkOrder { send: true, delta, ..self.order(home, file, chunk, uncached) }
        });
        self.delta = Some(delta);
        order
    }

    pub(super) fn order(
        &self,
        home: TransferKey,
        file: FileIndex,
        chunk: ChunkIndex,
        uncached: bool,
    ) -> ChunkOrder {
        ChunkOrder {
            home,
            file,
            fd: self.fd,
            chunks: self.chunks,
            chunk,
            send: self.wants(chunk),
            sparse: self.stat.allocated < self.stat.size,
            uncached,
            compress: false,
            delta: None,
        }
    }

    /// A chunk was cut.
    pub(crate) fn on_cut(&mut self, chunk: ChunkIndex, value: Value, pieces: Vec<Piece>) {
        self.cutting -= 1;
        if let Some(delta) = &mut self.delta {
            delta.on_cut(pieces);
            self.learn(chunk, value);
        }
    }

    /// A chunk could not be cut.
    pub(crate) fn on_cut_failed(&mut self, code: Code) {
        self.cutting -= 1;
        self.failed = Some(code);
    }

    /// The receiver asks for chunks of a delta once more. `false`: it may not.
    pub(crate) fn ask_whole(&mut self, ranges: &[ChunkRange]) -> bool {
        self.delta.as_mut().is_some_and(|delta| delta.ask_whole(ranges, &mut self.again))
    }

    /// The delta is given up: what was not sent of it is read and sent whole.
    pub(super) fn give_up(&mut self, sent: &[bool]) {
        self.delta = None;
        self.next = 0;
        let wanted: Vec<u32> = (0..self.chunks.count())
            .filter(|&chunk| self.wants(ChunkIndex(chunk)) && !sent[chunk as usize])
            .collect();
        for &chunk in &wanted {
            self.missing += u32::from(self.values[chunk as usize].take().is_some());
        }
        let mut ranges: Vec<ChunkRange> = Vec::new();
        for first in wanted {
            match ranges.last_mut() {
                Some(range) if range.first + range.count == first => range.count += 1,
                _ => ranges.push(ChunkRange { first, count: 1 }),
            }
        }
        self.ranges = Some(ranges);
    }

    /// A value was computed. `false`: another one than before.
    fn learn(&mut self, chunk: ChunkIndex, value: Value) -> bool {
        let Some(known) = self.values.get_mut(chunk.0 as usize) else { return true };
        let before = known.replace(value);
        self.missing -= u32::from(before.is_none());
        before.is_none_or(|before| before == value)
    }

    /// A chunk was sent.
    pub(crate) fn on_done(&mut self, chunk: ChunkIndex, value: Value, sent: u64) {
        self.outstanding -= 1;
        self.sent += sent;
        if !self.learn(chunk, value) {
            self.failed = Some(Code::Changed);
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

    /// Whether lanes have orders for it.
    pub(crate) fn is_lent(&self) -> bool {
        self.outstanding + self.cutting > 0
    }

    /// Every lane is done with it: it is whole, or has failed.
    pub(crate) fn is_over(&self) -> bool {
        let delta = || self.delta.as_ref().is_none_or(|delta| delta.is_over(self.chunks.count()));
        let whole = || self.missing == 0 && self.again.is_empty() && delta();
        !self.is_lent() && (self.failed.is_some() || whole())
    }

    /// Its root, once every value is known.
    pub(crate) fn root(&self) -> Option<Value> {
        let values: Option<Vec<Value>> = self.values.iter().copied().collect();
        values.map(|values| root_of(&values))
    }
}

impl Home {
    /// Opens wanted large files while lanes could take more.
    pub(super) fn open_files<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        while self.files.open.len() < self.lanes.len() * 2 {
            // What is wanted again of an open file waits until that is over.
            let files = &self.files;
            let next = files.wanted.iter().position(|wanted| !files.open.contains_key(&wanted.index));
            let Some(wanted) = next.and_then(|at| self.files.wanted.remove(at)) else { return };
            let index = wanted.index;
            match self.open_file(core, wanted) {
                Ok(open) => {
                    self.files.open.insert(index, open);
                }
                Err(code) => self.on_read_failed(core, index, code),
            }
        }
    }

    fn open_file<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        wanted: Wanted,
    ) -> Result<OpenFile, Code> {
        let Some(Item { entry, place: Some(place), .. }) = self.seals.item(wanted.index) else {
            return Err(Code::InternalError);
        };
        let vanished = |errno| if errno == Errno::NOENT { Code::Vanished } else { Code::from_errno(errno) };
        let name = Name::new(&place.name).map_err(|_| Code::BadPath)?;
        let dir = self.dirs.fd(core, place.dir).map_err(vanished)?;
        let fd = core
            .open(|batch| {
                let path = batch.path(RelPath::from(name));
                Act::Open { dir, path, how: How::Read }
            })
            .map_err(vanished)?;
        let checked = stat_in(core, fd, None).map_err(Code::from_errno).and_then(|stat| {
            let same = stat.kind == Some(Kind::File) && stat.size == entry.size && stat.mtime == entry.mtime;
            let chunks = Chunks::of(entry, &core.settings.limits).map_err(|error| error.code())?;
            if same { Ok(OpenFile::new(fd, stat, chunks, wanted)) } else { Err(Code::Changed) }
        });
        if checked.is_err() {
            core.close_now(fd);
        }
        checked
    }

    /// Gives lanes their next chunks. With data streams, the control link carries packs only.
    pub(super) fn hand_out<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let uncached_from = core.settings.limits.window_bytes_per_stream * 4;
        self.hand_out_cuts(core);
        let first = usize::from(self.lanes.len() > 1).min(self.lanes.len());
        for orders in 0..ORDERS_PER_LANE {
            for lane in self.lanes[first..].iter_mut() {
                if lane.orders != orders || lane.dropping {
                    continue;
                }
                let next = self.files.open.iter_mut().find_map(|(index, file)| {
                    let uncached = file.stat.size >= uncached_from && core.settings.uncached_reads;
                    file.next(self.key, *index, uncached)
                });
                let Some(mut order) = next else { return };
                order.compress = self.spec.options.compress;
                lane.orders += 1;
                let mail = SendMail::Order { lane: lane.stream.link, order: Box::new(order) };
                core.post(lane.stream.core, Mail::Send(mail));
            }
        }
    }

    /// Closes files that every lane is done with.
    pub(super) fn finish_files<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        while let Some(index) =
            self.files.open.iter().find(|(_, file)| file.is_over()).map(|(index, _)| *index)
        {
            let Some(file) = self.files.open.remove(&index) else { return };
            let after = stat_in(core, file.fd, None);
            core.close_now(file.fd);
            let steady = after.is_ok_and(|after| {
                (after.size, after.mtime, after.ctime) == (file.stat.size, file.stat.mtime, file.stat.ctime)
            });
            match (file.failed, file.root()) {
                (None, Some(root)) if steady => {
                    self.totals.bytes_reused += file.reused;
                    if file.resumes {
                        let travelled = file.sent + file.reused;
                        self.totals.bytes_resumed += file.stat.size.saturating_sub(travelled);
                    }
                    if let Some(item) = self.seals.item(index) {
                        item.reused = file.reused;
                    }
                    self.seals.read(index, file.stat.size, file.stat.mtime, root);
                }
                (code, _) => self.on_read_failed(core, index, code.unwrap_or(Code::Changed)),
            }
        }
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
        let wanted = Wanted { index: FileIndex(0), ranges, again: true, delta: None };
        let mut file = OpenFile::new(Fd(3), stat, chunks, wanted);
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
