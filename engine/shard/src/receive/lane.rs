//! The receiving lane of one link: hashes each record while it is hot, writes it where the home said, and
//! reports whole chunks.
//!
//! A chunk travels whole and in order on one stream, so a lane needs no bitmap: only where the chunk of each file
//! stands. Records of a file that the home has not granted yet wait, each holding its slot, so the link pauses by
//! itself.

use super::ReceiveMail;
use super::rebuild::{Rebuild, charge};
use crate::link::LinkId;
use crate::links::Links;
use crate::mailbox::Mail;
use crate::ops::{Finish, Owner};
use crate::send::TransferKey;
use crate::squeeze::Squeezed;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Hooks, Stage, StageTimes};
use base::ids::{ChunkIndex, CoreId, FileIndex, Value};
use base::io::{Act, Fd, Io, Op};
use base::limits::DATA_AT;
use proto::transfer::chunk::{ChunkHasher, Chunks};
use proto::wire::{ChunkTrailer, Flags};
use std::collections::{BTreeMap, VecDeque};

/// What a lane may do with a file.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    pub(crate) fd: Fd,
    pub(crate) chunks: Chunks,
    /// Bypass the page cache where the file system can.
    pub(crate) uncached: bool,
    /// Holes must be punched: there is old content.
    pub(crate) punch: bool,
    /// The source has holes: zeros out of the older file become some too.
    pub(crate) sparse: bool,
    /// The older file that copies are read from, and its bytes.
    pub(crate) older: Option<(Fd, u64)>,
    /// The file began with the content of the older one: what stays at its place is there.
    pub(crate) shared: bool,
    /// What arrives is hashed here. Else the sender's value of a chunk stands for it: the records' tags alone say that
    /// its bytes are what the sender sent.
    pub(crate) hashes: bool,
    /// The offer says that records may be compressed.
    pub(crate) compressed: bool,
}

/// A chunk that is arriving or whose writes are in flight.
pub(super) struct Arriving {
    file: FileIndex,
    chunk: ChunkIndex,
    /// Bytes that came.
    offset: u32,
    len: u32,
    pub(super) hasher: Option<ChunkHasher>,
    /// Writes, and reads of the older file, in flight.
    pub(super) writes: u32,
    /// Our value and theirs, once the last record came.
    pub(super) values: Option<(Value, Value)>,
    failed: Option<Code>,
    /// Bytes that came out of the older file.
    pub(super) copied: u32,
}

impl Grant {
    /// Where a record's content begins in the file.
    pub(super) fn offset_of(&self, trailer: &ChunkTrailer) -> u64 {
        let base = self.chunks.range(trailer.chunk).map_or(0, |(offset, _)| offset);
        base + u64::from(trailer.offset)
    }
}

impl Arriving {
    /// The last record came: our own value beside the sender's, which stands for it where nothing is hashed here.
    pub(super) fn close(&mut self, grant: &Grant, theirs: Value) {
        let own = match grant.hashes {
            true => self.hasher.take().map(ChunkHasher::finish).unwrap_or_default(),
            false => theirs,
        };
        self.values = Some((own, theirs));
    }
}

/// An operation in flight.
pub(super) struct Write {
    pub(super) home: TransferKey,
    pub(super) file: FileIndex,
    pub(super) chunk: ChunkIndex,
    pub(super) len: u32,
    /// When it began, if it is sampled.
    pub(super) sampled: Option<u64>,
    /// Its slot is lent by the link.
    pub(super) lent: bool,
    /// It reads the older file.
    pub(super) reads: bool,
}

pub(super) enum Access {
    Granted(Grant),
    /// The home does not want it any more: its records are dropped.
    Refused,
    /// Asked for.
    Asked,
}

/// The files of one transfer as this lane knows them.
#[derive(Default)]
pub(super) struct Files {
    pub(super) access: BTreeMap<FileIndex, Access>,
    pub(super) arriving: Vec<Arriving>,
    /// Files and whole transfers the home wants back.
    releasing: Vec<FileIndex>,
    dropping: bool,
}

/// The receiving lane of one link.
pub(crate) struct ReceiveLane<B> {
    pub(super) link: LinkId,
    core: CoreId,
    stream: u16,
    pub(super) transfers: BTreeMap<TransferKey, Files>,
    waiting: VecDeque<(TransferKey, B, u32, ChunkTrailer)>,
    /// Operations in flight by tag.
    pub(super) writes: BTreeMap<u64, Write>,
    pub(super) next_tag: u64,
    /// Copies out of older files, and what waits behind them.
    pub(super) rebuild: Rebuild<B>,
    /// Data bytes taken since the link stands, and what the home was told.
    taken: u64,
    told: u64,
    pub(super) stages: StageTimes,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> ReceiveLane<B> {
    pub(crate) fn new(link: LinkId, core: CoreId, stream: u16) -> Self {
        Self {
            link,
            core,
            stream,
            transfers: BTreeMap::new(),
            waiting: VecDeque::new(),
            writes: BTreeMap::new(),
            next_tag: 0,
            rebuild: Rebuild::new(),
            taken: 0,
            told: 0,
            stages: StageTimes::default(),
        }
    }

    /// A Chunk record came.
    pub(crate) fn on_chunk<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        home: TransferKey,
        slot: B,
        data_len: u32,
        trailer: ChunkTrailer,
    ) {
        let files = self.transfers.entry(home).or_default();
        match files.access.get(&trailer.file) {
            Some(Access::Granted(grant)) if self.waiting.is_empty() => {
                let grant = *grant;
                self.take(core, links, home, grant, slot, data_len, trailer);
            }
            Some(Access::Refused) => self.discard(core, links, home, slot, charge(&trailer, data_len)),
            Some(_) => self.waiting.push_back((home, slot, data_len, trailer)),
            None => {
                files.access.insert(trailer.file, Access::Asked);
                self.waiting.push_back((home, slot, data_len, trailer));
                let (lane, lane_core) = (self.link, self.core);
                let mail = ReceiveMail::Need { home, file: trailer.file, lane, lane_core };
                core.post(home.core, Mail::Receive(mail));
            }
        }
    }

    /// The home's answer: what may be done with a file, or nothing.
    pub(crate) fn on_grant<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        home: TransferKey,
        file: FileIndex,
        grant: Option<Grant>,
    ) {
        let access = grant.map_or(Access::Refused, Access::Granted);
        self.transfers.entry(home).or_default().access.insert(file, access);
        while let Some((home, _, _, trailer)) = self.waiting.front() {
            let access = self.transfers.get(home).and_then(|files| files.access.get(&trailer.file));
            let grant = match access {
                Some(Access::Asked) | None => return,
                Some(Access::Granted(grant)) => Some(*grant),
                Some(Access::Refused) => None,
            };
            let Some((home, slot, data_len, trailer)) = self.waiting.pop_front() else { return };
            match grant {
                Some(grant) => self.take(core, links, home, grant, slot, data_len, trailer),
                None => self.discard(core, links, home, slot, charge(&trailer, data_len)),
            }
        }
    }

    /// Hashes a record and writes it.
    #[allow(clippy::too_many_arguments)]
    fn take<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        home: TransferKey,
        grant: Grant,
        mut slot: B,
        mut data_len: u32,
        mut trailer: ChunkTrailer,
    ) {
        if trailer.flags.zstd() {
            let content = &mut slot.as_mut()[DATA_AT as usize..];
            let mut from = core.sample();
            let expanded = match grant.compressed {
                true => core.squeezer.expand(content, data_len, trailer.run, &core.settings.limits),
                false => Err(Squeezed::NotOffered),
            };
            core.timed(&mut self.stages, Stage::Compress, &mut from);
            if let Err(error) = expanded {
                return links.fail(core, self.link, error.code(), error.detail());
            }
            // From here on it is a record as every other.
            data_len = core::mem::take(&mut trailer.run);
            trailer.flags = trailer.flags.without(Flags::ZSTD);
        }
        if trailer.flags.copy() || !self.rebuild.is_empty() {
            return self.queue_record(core, links, home, grant, slot, data_len, trailer);
        }
        let Some(files) = self.transfers.get_mut(&home) else { return };
        let run = if trailer.flags.hole() { trailer.run } else { data_len };
        let Some(at) = files.place(&grant, &trailer, run) else {
            return links.fail(
                core,
                self.link,
                Code::InvalidRequest,
                "a record that does not continue its chunk",
            );
        };
        let arriving = &mut files.arriving[at];
        let mut from = core.sample();
        if let Some(hasher) = &mut arriving.hasher {
            match trailer.flags.hole() {
                true => hasher.hole(run),
                false => hasher.update(&slot.as_ref()[DATA_AT as usize..(DATA_AT + data_len) as usize]),
            }
        }
        core.timed(&mut self.stages, Stage::Hash, &mut from);
        if trailer.flags.last() {
            arriving.close(&grant, trailer.value);
        }
        let offset = grant.offset_of(&trailer);
        if trailer.flags.hole() {
            self.punch(core, home, &grant, &trailer, (offset, run));
            drop(slot);
            links.release(core, self.link);
        } else {
            self.write(core, home, &grant, &trailer, (offset, data_len), slot, (true, from));
        }
        self.settle(core, links, home);
    }

    /// Writes content of a chunk to its place (offset and bytes); its slot is lent by the link, or the lane's own.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn write<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        home: TransferKey,
        grant: &Grant,
        trailer: &ChunkTrailer,
        (offset, len): (u64, u32),
        buf: B,
        (lent, sampled): (bool, Option<u64>),
    ) {
        let (file, chunk) = (trailer.file, trailer.chunk);
        let Some(arriving) = self.transfers.get_mut(&home).and_then(|files| files.last(file, chunk)) else {
            return;
        };
        arriving.writes += 1;
        let tag = self.next_tag;
        self.next_tag += 1;
        self.writes.insert(tag, Write { home, file, chunk, len, sampled, lent, reads: false });
        let owner = Owner::ReceiveLane { link: self.link, tag };
        let (file, uncached) = (grant.fd, grant.uncached);
        core.start(owner, Op::Write { file, offset, buf, at: DATA_AT, len, uncached });
    }

    /// A hole at its place (offset and bytes).
    pub(super) fn punch<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        home: TransferKey,
        grant: &Grant,
        trailer: &ChunkTrailer,
        (offset, len): (u64, u32),
    ) {
        if grant.punch
            && let Err(errno) = core.act(|_| Act::Punch { fd: grant.fd, offset, len: u64::from(len) })
            && let Some(files) = self.transfers.get_mut(&home)
            && let Some(arriving) = files.last(trailer.file, trailer.chunk)
        {
            arriving.failed.get_or_insert(Code::from_errno(errno));
        }
    }

    /// A write ended.
    pub(crate) fn on_written<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        tag: u64,
        finish: Finish<B>,
    ) {
        let Some(write) = self.writes.remove(&tag) else { return };
        if write.reads {
            return self.on_copied(core, links, tag, write, finish);
        }
        let Write { home, file, chunk, len, lent, sampled: mut from, .. } = write;
        core.timed(&mut self.stages, Stage::Write, &mut from);
        match lent {
            true => {
                drop(finish.slot);
                links.release(core, self.link);
                core.status.bytes_in += u64::from(len);
                self.count(core, home, len);
            }
            false => self.rebuild.give_back(finish.slot),
        }
        let Some(files) = self.transfers.get_mut(&home) else { return };
        if let Some(arriving) = files.last(file, chunk) {
            arriving.writes -= 1;
            match finish.result {
                Ok(count) if count == len => {}
                Ok(_) => drop(arriving.failed.get_or_insert(Code::NoSpace)),
                Err(errno) => drop(arriving.failed.get_or_insert(Code::from_errno(errno))),
            }
        }
        self.settle(core, links, home);
        if !lent {
            self.rebuild_on(core, links);
        }
    }

    /// A record nobody wants: its bytes still give credit back.
    fn discard<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        home: TransferKey,
        slot: B,
        data_len: u32,
    ) {
        drop(slot);
        links.release(core, self.link);
        self.count(core, home, data_len);
    }

    /// Data bytes of this link that are out of the way; the home hears of it every eighth of a window.
    pub(crate) fn count<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        home: TransferKey,
        len: u32,
    ) {
        self.taken += u64::from(len);
        if self.taken - self.told >= core.settings.limits.window_bytes_per_stream / 8 {
            self.told = self.taken;
            let (stream, bytes) = (self.stream, self.taken);
            core.post(home.core, Mail::Receive(ReceiveMail::Credit { home, stream, bytes }));
        }
    }

    /// Reports chunks whose last record came and whose writes ended; lets go of what the home wants back.
    pub(super) fn settle<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        home: TransferKey,
    ) {
        let Some(files) = self.transfers.get_mut(&home) else { return };
        let (lane, lane_core, stream) = (self.link, self.core, self.stream);
        let mut at = 0;
        while at < files.arriving.len() {
            let arriving = &files.arriving[at];
            let (Some((own, theirs)), 0) = (arriving.values, arriving.writes) else {
                at += 1;
                continue;
            };
            let arriving = files.arriving.swap_remove(at);
            let (file, chunk) = (arriving.file, arriving.chunk);
            let mail = match arriving.failed {
                Some(code) => ReceiveMail::Failed { home, file, code },
                None => {
                    self.told = self.taken;
                    self.stages.merge(&links.take_stages(self.link));
                    ReceiveMail::Done {
                        home,
                        file,
                        chunk,
                        own,
                        theirs,
                        len: arriving.len,
                        copied: arriving.copied,
                        stream,
                        taken: self.taken,
                        stages: core::mem::take(&mut self.stages),
                    }
                }
            };
            core.post(home.core, Mail::Receive(mail));
        }
        let arriving = &files.arriving;
        files.releasing.retain(|file| {
            let busy = arriving.iter().any(|arriving| arriving.file == *file && arriving.writes > 0);
            if !busy {
                let mail = ReceiveMail::Released { home, file: *file, lane, lane_core };
                core.post(home.core, Mail::Receive(mail));
            }
            busy
        });
        if files.dropping && files.arriving.iter().all(|arriving| arriving.writes == 0) {
            self.transfers.remove(&home);
            let mail = ReceiveMail::Dropped { home, lane, lane_core };
            core.post(home.core, Mail::Receive(mail));
        }
    }

    /// The home wants a file's descriptor back.
    pub(crate) fn on_release<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        home: TransferKey,
        file: FileIndex,
    ) {
        let files = self.transfers.entry(home).or_default();
        files.access.insert(file, Access::Refused);
        files.arriving.retain(|arriving| arriving.file != file || arriving.writes > 0);
        files.releasing.push(file);
        self.rebuild_on(core, links);
        self.settle(core, links, home);
    }

    /// The home ends: nothing of it is written any more.
    pub(crate) fn on_drop<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        home: TransferKey,
    ) {
        let (gone, kept): (VecDeque<_>, VecDeque<_>) =
            core::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.0 == home);
        self.waiting = kept;
        for (_, slot, data_len, trailer) in gone {
            self.discard(core, links, home, slot, charge(&trailer, data_len));
        }
        let files = self.transfers.entry(home).or_default();
        files.dropping = true;
        files.access.clear();
        self.rebuild_on(core, links);
        self.settle(core, links, home);
    }

    /// The link is gone: what waits is dropped; writes in flight come back by themselves.
    pub(crate) fn link_down(&mut self) {
        self.waiting.clear();
        self.rebuild.clear();
    }

    /// Nothing is in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.writes.is_empty() && self.waiting.is_empty() && self.rebuild.is_empty()
    }
}

impl Files {
    /// The chunk while its last record has not been hashed.
    pub(super) fn open(&mut self, file: FileIndex, chunk: ChunkIndex) -> Option<&mut Arriving> {
        let open = |arriving: &&mut Arriving| {
            arriving.file == file && arriving.chunk == chunk && arriving.values.is_none()
        };
        self.arriving.iter_mut().find(open)
    }

    /// The chunk that a record was hashed into.
    fn last(&mut self, file: FileIndex, chunk: ChunkIndex) -> Option<&mut Arriving> {
        let of = |arriving: &&mut Arriving| arriving.file == file && arriving.chunk == chunk;
        self.arriving.iter_mut().rev().find(of)
    }

    /// The chunk this record continues or begins, which it moves on; `None` when it does neither.
    pub(super) fn place(&mut self, grant: &Grant, trailer: &ChunkTrailer, run: u32) -> Option<usize> {
        let (file, chunk) = (trailer.file, trailer.chunk);
        let (_, len) = grant.chunks.range(chunk)?;
        let open = |arriving: &Arriving| {
            arriving.file == file && arriving.chunk == chunk && arriving.values.is_none()
        };
        let at = match self.arriving.iter().position(open) {
            Some(at) => at,
            None => {
                let hasher = grant.hashes.then(|| ChunkHasher::new(&grant.chunks, chunk)).flatten();
                let (values, failed) = (None, None);
                self.arriving.push(Arriving {
                    file,
                    chunk,
                    offset: 0,
                    len,
                    hasher,
                    writes: 0,
                    values,
                    failed,
                    copied: 0,
                });
                self.arriving.len() - 1
            }
        };
        let end = trailer.offset.checked_add(run)?;
        let fits =
            self.arriving[at].offset == trailer.offset && end <= len && (end == len) == trailer.flags.last();
        fits.then(|| {
            self.arriving[at].offset = end;
            at
        })
    }
}
