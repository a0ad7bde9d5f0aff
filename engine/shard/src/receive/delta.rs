//! The receiver's side of deltas: older files are cut one after the other and their pieces named, while lanes build
//! the new ones beside them.
//!
//! ```text
//! Want{pieces} -> queue -> cutting -> Pieces ...        copies arrive -> lanes -> chunk by chunk
//! ```
//!
//! As many files as a sender takes lists of have theirs begun and not every chunk named to the sender; the others
//! wait. The older file is held open until its own file is over, and only read.

use super::home::Home;
use super::publish::{Flight, Publisher, owner};
use super::stage::{Incoming, Large};
use crate::links::Links;
use crate::ops::{Finish, Owner};
use crate::send::TransferKey;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::Hooks;
use base::ids::{ChunkIndex, FileIndex};
use base::io::{Act, Batch, Errno, Fd, How, Io, Op};
use base::limits::DATA_AT;
use base::name::{Name, RelPath};
use proto::transfer::delta::Fineness;
use proto::transfer::delta::cut::Cutter;
use proto::transfer::delta::pieces::{self, Pieces, Step};
use proto::transfer::want::{ChunkRange, Verdict, Want};
use proto::wire::FrameType;
use std::collections::{BTreeSet, VecDeque};

/// Tags of a home's operations that read an older file; the low bits number the read.
pub(super) const TAG: u64 = 1 << 60;

/// What a file that travels as a delta has beside.
pub(super) struct Older {
    /// While it is open.
    pub(super) fd: Option<Fd>,
    pub(super) size: u64,
    fineness: Fineness,
    /// Chunks that are still to be named to the sender.
    unnamed: u32,
    /// Content taken from it.
    pub(super) reused: u64,
    /// Chunks that were asked for once more.
    asked: BTreeSet<ChunkIndex>,
    sharing: Sharing,
}

/// Whether a new file begins with the content of the older one, shared with it by the file system: then what stays at
/// its place is not written at all. It is decided before anything is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Untried,
    Trying,
    Shared,
    Apart,
}

impl Older {
    /// The file began with its content.
    pub(super) fn is_shared(&self) -> bool {
        self.sharing == Sharing::Shared
    }
}

impl Large {
    /// Has the part begin with the older content, where that can be and was not tried. Returns whether that goes on:
    /// until it ends nothing is written.
    pub(super) fn share<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        part: Option<Fd>,
        size: u64,
        publisher: &mut Publisher<I::Buf>,
        (key, file): (TransferKey, FileIndex),
    ) -> bool {
        let Some(older) = &mut self.older else { return false };
        if older.sharing != Sharing::Untried {
            return older.sharing == Sharing::Trying;
        }
        older.sharing = Sharing::Apart;
        let fresh = self.lanes.is_empty() && !self.resumed && self.in_place.is_none();
        let (true, Some(from), Some(to)) = (fresh, older.fd, part) else { return false };
        older.sharing = Sharing::Trying;
        let mut batch = core.batch();
        batch.push(Act::Clone { from, to });
        batch.push(Act::Resize { fd: to, size });
        let tag = publisher.tag(Flight::Share(file));
        core.start_on(owner(key, tag), batch, [from, to]);
        true
    }
}

/// An older file that is being cut.
struct Cutting<B> {
    file: FileIndex,
    fd: Fd,
    size: u64,
    cutter: Cutter,
    /// Rows that wait for more.
    message: Pieces,
    rows_left: u32,
    /// What is asked for next.
    offset: u64,
    /// Reads in the order of the file: length, and what came.
    reads: VecDeque<(u32, Option<Result<B, Errno>>)>,
    first: u64,
    in_flight: u32,
    /// Nothing more is wanted of it; it goes when its reads have ended.
    over: bool,
}

/// Older files of one transfer.
pub(super) struct Deltas<B> {
    queue: VecDeque<FileIndex>,
    /// Files whose list was begun and that the sender does not know to be here.
    open: BTreeSet<FileIndex>,
    cutting: Option<Cutting<B>>,
}

impl Incoming {
    /// Content that was taken from an older file.
    pub(super) fn reused(&self) -> u64 {
        self.large.as_ref().and_then(|large| large.older.as_ref()).map_or(0, |older| older.reused)
    }
}

impl<B> Deltas<B> {
    pub(super) fn new() -> Self {
        Self { queue: VecDeque::new(), open: BTreeSet::new(), cutting: None }
    }

    /// Reads are in flight.
    pub(super) fn is_reading(&self) -> bool {
        self.cutting.as_ref().is_some_and(|cutting| cutting.in_flight > 0)
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Turns the verdict on a file's content into one that asks for a delta, where that pays.
    pub(super) fn with_pieces<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        verdict: Verdict,
    ) -> Verdict {
        let limits = core.limits();
        let options = &self.spec.options;
        if !options.delta || options.inplace {
            return verdict;
        }
        // More ranges than a Want holds are widened: chunks that are here already would come, and be named by nobody.
        let most = limits.record_bytes as usize / 16;
        let ranges = match &verdict {
            Verdict::All | Verdict::Replace => Vec::new(),
            Verdict::Ranges(ranges) if (1..most).contains(&ranges.len()) => ranges.clone(),
            _ => return verdict,
        };
        let Some(Incoming { entry, existing: Some(old), large: Some(large), .. }) =
            self.files.get_mut(&index)
        else {
            return verdict;
        };
        let fineness = Fineness::of(old.size, entry.size, &limits);
        let Some(fineness) = fineness.filter(|_| disk::delta::pays(entry, old, &limits)) else {
            return verdict;
        };
        let unnamed = match ranges.is_empty() {
            true => large.map.missing().map(|range| range.count).sum(),
            false => ranges.iter().map(|range: &ChunkRange| range.count).sum(),
        };
        let (size, asked) = (old.size, BTreeSet::new());
        let sharing = Sharing::Untried;
        large.older = Some(Older { fd: None, size, fineness, unnamed, reused: 0, asked, sharing });
        self.deltas.queue.push_back(index);
        Verdict::Pieces { old_size: size, log2: fineness.log2(), ranges }
    }

    /// Cuts on, and begins with the next file when the sender has room for its list.
    pub(super) fn cut_on<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        let limits = core.limits();
        self.end_cut(core, links);
        // A list follows the Want that announces it.
        while self.wants.is_empty()
            && self.deltas.cutting.is_none()
            && self.deltas.open.len() < limits.deltas_open_max as usize
        {
            let Some(file) = self.deltas.queue.pop_front() else { return };
            // The sender shall know of what gave this one its place.
            self.send_acks(core, links);
            self.begin_cut(core, links, file);
        }
        self.read_older(core);
    }

    fn begin_cut<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        file: FileIndex,
    ) {
        let Some(incoming) = self.files.get(&file) else { return };
        let Some(older) = incoming.large.as_ref().and_then(|large| large.older.as_ref()) else { return };
        let (size, fineness) = (older.size, older.fineness);
        let (dir, name) = (incoming.dir, incoming.name.clone());
        let opened = self.dirs.fd(core, dir).and_then(|dir| {
            let name = Name::new(&name).map_err(|_| Errno::INVAL)?;
            core.open(|batch| {
                let path = batch.path(RelPath::from(name));
                Act::Open { dir, path, how: How::Read }
            })
        });
        let message = Pieces::new(self.key.number, file, Step::More);
        self.deltas.open.insert(file);
        let Ok(fd) = opened else {
            // It went meanwhile: a list of nothing asks for everything.
            return self.send_pieces(core, links, Pieces { step: Step::Last, ..message });
        };
        if let Some(older) = self.older_mut(file) {
            older.fd = Some(fd);
        }
        self.deltas.cutting = Some(Cutting {
            file,
            fd,
            size,
            cutter: Cutter::new(fineness),
            message,
            rows_left: core.settings.limits.pieces_bytes_max / pieces::ROW_BYTES as u32,
            offset: 0,
            reads: VecDeque::new(),
            first: 0,
            in_flight: 0,
            over: false,
        });
    }

    /// A part has the content of its older file, or cannot have it.
    pub(super) fn on_shared<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        file: FileIndex,
        batch: Option<Box<Batch<B>>>,
    ) {
        let results = batch.map(|batch| (batch.results.first().copied(), batch.results.get(1).copied()));
        if let Some(older) = self.older_mut(file) {
            let shared = matches!(results, Some((Some(Ok(_)), Some(Ok(_)))));
            older.sharing = if shared { Sharing::Shared } else { Sharing::Apart };
        }
        // Of another size than its own it could not be published.
        if let Some((_, Some(Err(errno)))) = results {
            self.on_write_failed(file, Code::from_errno(errno));
        }
        self.grant_waiting(core, file);
    }

    fn older_mut(&mut self, file: FileIndex) -> Option<&mut Older> {
        self.files.get_mut(&file)?.large.as_mut()?.older.as_mut()
    }

    /// Keeps some reads of the older file in flight.
    fn read_older<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let Some(cutting) = &mut self.deltas.cutting else { return };
        let limits = core.limits();
        let uncached = cutting.size >= limits.window_bytes_per_stream * 4 && core.settings.uncached_reads;
        while !cutting.over
            && cutting.offset < cutting.size
            && cutting.reads.len() < limits.buffers_per_direction as usize
        {
            let Some(buf) = core.io.take() else { return };
            let len = (cutting.size - cutting.offset).min(u64::from(limits.record_bytes)) as u32;
            let tag = TAG | (cutting.first + cutting.reads.len() as u64);
            let (file, offset) = (cutting.fd, cutting.offset);
            cutting.offset += u64::from(len);
            cutting.reads.push_back((len, None));
            cutting.in_flight += 1;
            let owner = Owner::Receive { link: self.key.link, number: self.key.number, tag };
            core.start(owner, Op::Read { file, offset, buf, at: DATA_AT, len, uncached });
        }
    }

    /// A read of the older file ended.
    pub(super) fn on_older<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        tag: u64,
        finish: Finish<B>,
    ) {
        let limits = core.limits();
        let Some(cutting) = &mut self.deltas.cutting else { return };
        cutting.in_flight -= 1;
        let at = (tag & !TAG).wrapping_sub(cutting.first) as usize;
        if let Some((len, read)) = cutting.reads.get_mut(at) {
            *read = Some(match (finish.result, finish.slot) {
                (Ok(count), Some(slot)) if count == *len => Ok(slot),
                (Err(errno), _) => Err(errno),
                // It became shorter; what was named of it still stands, or shows in the values.
                (Ok(_), _) => Err(Errno::IO),
            });
        }
        let mut full = Vec::new();
        while let Some((_, Some(_))) = cutting.reads.front() {
            let Some((len, Some(read))) = cutting.reads.pop_front() else { break };
            cutting.first += 1;
            match read {
                Ok(slot) if !cutting.over => {
                    cutting.take(
                        &slot.as_ref()[DATA_AT as usize..(DATA_AT + len) as usize],
                        &limits,
                        &mut full,
                    );
                }
                Ok(_) => {}
                Err(_) => cutting.over = true,
            }
        }
        if cutting.reads.is_empty() && cutting.offset == cutting.size && !cutting.over {
            cutting.end(&limits, &mut full);
        }
        for message in full {
            self.send_pieces(core, links, message);
        }
        self.cut_on(core, links);
    }

    /// The list is whole, or cut short: the sender hears so once nothing is read any more.
    fn end_cut<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        let Some(cutting) = self.deltas.cutting.take_if(|cutting| cutting.over && cutting.in_flight == 0)
        else {
            return;
        };
        if self.older_mut(cutting.file).is_none() {
            // Its file is over. Where lanes still work on it, it closes the older one itself; else nobody does.
            let leaving = self.leaving.get(&cutting.file).and_then(|incoming| incoming.large.as_ref());
            if leaving.is_none_or(|large| large.older.is_none()) {
                core.close(cutting.fd);
            }
            return;
        }
        self.send_pieces(core, links, Pieces { step: Step::Last, ..cutting.message });
    }

    fn send_pieces<I: Io<Buf = B>, H: Hooks>(
        &self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        message: Pieces,
    ) {
        links.send_bytes(core, self.key.link, FrameType::Pieces, &message.encode());
    }

    /// The sender found nothing in the pieces and wants no more.
    pub(super) fn on_pieces(&mut self, data: &[u8], limits: &base::limits::Limits) -> Result<(), Code> {
        let message = Pieces::parse(data, limits).map_err(|error| error.code())?;
        if message.step != Step::Stop {
            return Err(Code::InvalidRequest);
        }
        self.deltas.queue.retain(|file| *file != message.file);
        if let Some(cutting) = self.deltas.cutting.as_mut().filter(|cutting| cutting.file == message.file) {
            cutting.stop();
        }
        Ok(())
    }

    /// A chunk was named to the sender; with its last one a file gives its place to the next.
    pub(super) fn on_named(&mut self, file: FileIndex) {
        let Some(older) = self.older_mut(file) else { return };
        older.unnamed = older.unnamed.saturating_sub(1);
        if older.unnamed == 0 {
            self.deltas.open.remove(&file);
        }
    }

    /// A chunk with copies came out otherwise than its value says: the older file has changed, or its list lied. It
    /// is asked for once more, whole. `false`: it was before.
    pub(super) fn ask_whole<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        file: FileIndex,
        chunk: ChunkIndex,
    ) -> bool {
        if !self.older_mut(file).is_some_and(|older| older.asked.insert(chunk)) {
            return false;
        }
        let mut want = Want::new(self.key.number, file);
        let ranges = vec![ChunkRange { first: chunk.0, count: 1 }];
        // One range always fits.
        let _ = want.push(&Verdict::Ranges(ranges), &core.settings.limits);
        links.send_bytes(core, self.key.link, FrameType::Want, &want.encode());
        true
    }

    /// A file is over: its older one is not needed any more.
    pub(super) fn close_older<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        file: FileIndex,
        incoming: &mut Incoming,
    ) {
        let Some(older) = incoming.large.as_mut().and_then(|large| large.older.take()) else { return };
        self.deltas.queue.retain(|waiting| *waiting != file);
        self.deltas.open.remove(&file);
        match self.deltas.cutting.as_mut().filter(|cutting| cutting.file == file) {
            Some(cutting) if cutting.in_flight > 0 => cutting.stop(),
            Some(_) => {
                self.deltas.cutting = None;
                older.fd.into_iter().for_each(|fd| core.close(fd));
            }
            None => older.fd.into_iter().for_each(|fd| core.close(fd)),
        }
    }
}

impl<B> Cutting<B> {
    /// The next bytes of the older file; messages that are full go out.
    fn take(&mut self, bytes: &[u8], limits: &base::limits::Limits, full: &mut Vec<Pieces>) {
        let Self { cutter, message, rows_left, over, .. } = self;
        cutter.feed(bytes, |piece| {
            if *rows_left > 0 {
                *rows_left -= 1;
                add(message, piece, limits, full);
            }
            *over |= *rows_left == 0;
        });
        // The sender matches while both ends cut: it gets what there is every few records.
        let portion = limits.record_bytes as usize / pieces::ROW_BYTES / 64;
        if self.message.rows.len() > portion.max(1) {
            full.push(emptied(&mut self.message));
        }
    }

    /// The end of the older file.
    fn end(&mut self, limits: &base::limits::Limits, full: &mut Vec<Pieces>) {
        self.over = true;
        if let Some(piece) = self.cutter.clone().finish() {
            add(&mut self.message, piece, limits, full);
        }
    }

    fn stop(&mut self) {
        self.over = true;
        self.message.rows.clear();
    }
}

fn add(
    message: &mut Pieces,
    piece: proto::transfer::delta::Piece,
    limits: &base::limits::Limits,
    full: &mut Vec<Pieces>,
) {
    if message.push(piece, limits).is_err() {
        full.push(emptied(message));
        let _ = message.push(piece, limits);
    }
}

fn emptied(message: &mut Pieces) -> Pieces {
    let rest = Pieces::new(message.transfer, message.file, message.step);
    core::mem::replace(message, rest)
}
