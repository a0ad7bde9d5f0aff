//! The sender's side of deltas: the new file is cut on the control link's lane while the receiver's list comes in;
//! chunks whose pieces are all decided are handed out as recipes.
//!
//! ```text
//! Want{pieces} -> wanted -> open: cut orders, one after the other -> Matcher -> recipes -> any lane
//!                 Pieces, from the Want on ────────────────────────────┘
//! ```
//!
//! A file stays open until the receiver has named every chunk of it: a chunk that did not come out as its value says
//! is asked for once more, whole, before anything is sealed.

use super::files::OpenFile;
use super::home::Home;
use super::lane::ChunkOrder;
use super::{SendMail, TransferKey};
use crate::links::Links;
use crate::mailbox::Mail;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Entry, Kind};
use base::hooks::Hooks;
use base::ids::{ChunkIndex, FileIndex, Value};
use base::io::Io;
use base::limits::Limits;
use proto::transfer::chunk::Chunks;
use proto::transfer::delta::copies::{CopyRow, rows_max};
use proto::transfer::delta::cut::Cutter;
use proto::transfer::delta::matching::{Matcher, Segment};
use proto::transfer::delta::pieces::{Pieces, Step};
use proto::transfer::delta::{Fineness, Piece};
use proto::transfer::want::{ChunkRange, Verdict};
use proto::wire::FrameType;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Chunks of one transfer that are being cut: one being read, one to go on with.
const CUTS_AT_ONCE: u32 = 2;

/// What an order for a chunk of a delta carries beside.
#[derive(Clone, Debug)]
pub(crate) enum DeltaOrder {
    /// Cut it; nothing is sent.
    Cut(Fineness),
    /// Send it like this.
    Recipe(Recipe),
}

/// A chunk as copies and data.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    segments: VecDeque<Segment>,
    /// The chunk's value, known since it was cut.
    pub(crate) value: Value,
}

impl Recipe {
    /// Of a decided chunk; beside it the bytes that stand in copies.
    fn new(segments: Vec<Segment>, value: Value) -> (Self, u64) {
        let copied = |segment: &Segment| match segment {
            Segment::Copy(row) => u64::from(row.length),
            Segment::Data(_) => 0,
        };
        let reused = segments.iter().map(copied).sum();
        (Self { segments: segments.into(), value }, reused)
    }

    /// The copies that come next, and the bytes they stand for.
    pub(crate) fn next_copies(&mut self, limits: &Limits) -> Option<(Vec<CopyRow>, u32)> {
        let (mut rows, mut length) = (Vec::new(), 0);
        while let Some(Segment::Copy(row)) = self.segments.front()
            && rows.len() < rows_max(limits)
        {
            length += row.length;
            rows.push(*row);
            self.segments.pop_front();
        }
        (!rows.is_empty()).then_some((rows, length))
    }

    /// Data that comes next, in bytes.
    pub(crate) fn data(&self) -> u32 {
        match self.segments.front() {
            Some(Segment::Data(length)) => *length,
            _ => 0,
        }
    }

    /// So many bytes of data were taken.
    pub(crate) fn took(&mut self, bytes: u32) {
        if let Some(Segment::Data(length)) = self.segments.front_mut() {
            *length -= bytes;
            if *length == 0 {
                self.segments.pop_front();
            }
        }
    }
}

/// The chunk of a delta that a lane is cutting.
pub(super) struct CutOrder {
    fineness: Fineness,
    pub(super) pieces: Vec<Piece>,
}

impl CutOrder {
    pub(super) fn new(fineness: Fineness) -> Self {
        Self { fineness, pieces: Vec::new() }
    }
}

/// Files that a lane is cutting, from their first chunk to their last.
#[derive(Default)]
pub(super) struct Cutters(Vec<(TransferKey, FileIndex, Cutter)>);

impl Cutters {
    /// The next bytes of a chunk; a file whose beginning was not cut here is left alone.
    pub(super) fn feed(&mut self, order: &ChunkOrder, begins: bool, cut: &mut CutOrder, bytes: &[u8]) {
        if begins && order.chunk.0 == 0 {
            self.forget(order);
            self.0.push((order.home, order.file, Cutter::new(cut.fineness)));
        }
        let known = self.0.iter_mut().find(|(home, file, _)| (*home, *file) == (order.home, order.file));
        if let Some((.., cutter)) = known {
            cutter.feed(bytes, |piece| cut.pieces.push(piece));
        }
    }

    /// The next `run` bytes, all zero.
    pub(super) fn hole(&mut self, order: &ChunkOrder, mut begins: bool, cut: &mut CutOrder, run: u32) {
        const ZEROS: [u8; 4096] = [0; 4096];
        let mut left = run as usize;
        while left > 0 {
            let step = left.min(ZEROS.len());
            self.feed(order, core::mem::take(&mut begins), cut, &ZEROS[..step]);
            left -= step;
        }
    }

    /// A chunk has passed; behind the last one of the file its last piece ends.
    pub(super) fn end(&mut self, order: &ChunkOrder, cut: &mut CutOrder) {
        if order.chunk.0 + 1 == order.chunks.count()
            && let Some(cutter) = self.forget(order)
        {
            cut.pieces.extend(cutter.finish());
        }
    }

    /// Nothing further of this file is cut here.
    pub(super) fn forget(&mut self, order: &ChunkOrder) -> Option<Cutter> {
        let at = self.0.iter().position(|(home, file, _)| (*home, *file) == (order.home, order.file))?;
        Some(self.0.swap_remove(at).2)
    }
}

/// What the receiver said of the file, from its Want on.
pub(crate) struct WantedDelta {
    pub(super) matcher: Matcher,
    pub(super) fineness: Fineness,
    /// Some of the list has come.
    listed: bool,
}

impl WantedDelta {
    pub(super) fn new(chunks: Chunks, old_size: u64, log2: u8, limits: &Limits) -> Result<Self, Code> {
        let fineness = Fineness::new(log2, old_size, chunks.size(), limits).map_err(|error| error.code())?;
        Ok(Self { matcher: Matcher::new(chunks, old_size, fineness, limits), fineness, listed: false })
    }
}

/// A delta whose file is open.
pub(super) struct FileDelta {
    wanted: WantedDelta,
    next_cut: u32,
    /// Chunks that were decided and handed out, or need not be.
    decided: u32,
    /// By chunk: it was handed out.
    sent: Vec<bool>,
    /// Handed out, and not named by the receiver yet; with the bytes that stand in copies.
    unnamed: BTreeMap<ChunkIndex, u64>,
    /// The receiver asked for these once more.
    whole: BTreeSet<ChunkIndex>,
}

impl FileDelta {
    pub(super) fn new(wanted: WantedDelta, chunks: u32) -> Self {
        let (unnamed, whole) = (BTreeMap::new(), BTreeSet::new());
        Self { wanted, next_cut: 0, decided: 0, sent: vec![false; chunks as usize], unnamed, whole }
    }

    /// The next decided chunk that is wanted.
    pub(super) fn next_ready(&mut self, wants: impl Fn(ChunkIndex) -> bool) -> Option<ChunkIndex> {
        loop {
            let chunk = self.wanted.matcher.next_ready()?;
            self.decided += 1;
            if wants(chunk) {
                return Some(chunk);
            }
        }
    }

    /// What the order for a chunk carries; `None`: it goes whole. What finds nothing does so too: then its value is
    /// that of the very bytes that travel.
    pub(super) fn order(&mut self, chunk: ChunkIndex, value: Value) -> Option<DeltaOrder> {
        self.sent[chunk.0 as usize] = true;
        let (recipe, reused) = match self.whole.contains(&chunk) {
            true => (None, 0),
            false => {
                let (recipe, reused) = Recipe::new(self.wanted.matcher.recipe(chunk), value);
                (Some(recipe).filter(|_| reused > 0), reused)
            }
        };
        self.unnamed.insert(chunk, reused);
        recipe.map(DeltaOrder::Recipe)
    }

    /// Every chunk was decided and every one that travelled has arrived.
    pub(super) fn is_over(&self, chunks: u32) -> bool {
        self.decided == chunks && self.unnamed.is_empty()
    }

    /// The receiver has these; returns how many bytes of them it took from its older file.
    fn on_named(&mut self, first: ChunkIndex, last: ChunkIndex) -> u64 {
        if first > last {
            return 0;
        }
        self.unnamed.extract_if(first..=last, |_, _| true).map(|(_, reused)| reused).sum()
    }

    /// A chunk was cut.
    pub(super) fn on_cut(&mut self, pieces: Vec<Piece>) {
        for piece in pieces {
            self.wanted.matcher.on_own(piece);
        }
    }

    /// The receiver asks for chunks once more. `false`: for one that it was not sent, or for the third time.
    pub(super) fn ask_whole(&mut self, ranges: &[ChunkRange], again: &mut Vec<ChunkIndex>) -> bool {
        ranges.iter().flat_map(|range| range.first..range.first + range.count).all(|chunk| {
            let chunk = ChunkIndex(chunk);
            let asked = self.unnamed.contains_key(&chunk) && self.whole.insert(chunk);
            again.extend(asked.then_some(chunk));
            asked
        })
    }
}

impl OpenFile {
    /// The next chunk to cut, while both ends cut.
    fn next_cut(&mut self, home: TransferKey, file: FileIndex, uncached: bool) -> Option<ChunkOrder> {
        let delta = self.delta.as_mut().filter(|_| self.failed.is_none())?;
        if delta.next_cut == self.chunks.count() {
            return None;
        }
        let (chunk, fineness) = (ChunkIndex(delta.next_cut), delta.wanted.fineness);
        delta.next_cut += 1;
        self.cutting += 1;
        let order = self.order(home, file, chunk, uncached);
        Some(ChunkOrder { send: false, delta: Some(DeltaOrder::Cut(fineness)), ..order })
    }

    /// The receiver has these: none of them need be sent again, nor would it name one twice.
    pub(super) fn on_named(&mut self, first: ChunkIndex, last: ChunkIndex) {
        if let Some(delta) = &mut self.delta {
            self.reused += delta.on_named(first, last);
            self.again.retain(|chunk| !(first..=last).contains(chunk));
        }
    }

    /// Gives a delta up that finds nothing. `Some`: it was given up; whether the receiver still lists.
    fn give_up_hopeless(&mut self) -> Option<bool> {
        let delta = self.delta.take_if(|delta| delta.wanted.matcher.is_hopeless())?;
        self.give_up(&delta.sent);
        Some(!delta.wanted.matcher.is_listed())
    }
}

impl Home {
    /// What a verdict says of a delta.
    ///
    /// # Errors
    /// A delta that was not offered, of what has no chunks, or with pieces too fine.
    pub(super) fn wanted_delta(
        &self,
        entry: &Entry,
        verdict: &Verdict,
        limits: &Limits,
    ) -> Result<Option<Box<WantedDelta>>, Code> {
        let Verdict::Pieces { old_size, log2, .. } = *verdict else { return Ok(None) };
        if !self.spec.options.delta || entry.kind != Kind::File || entry.chunk_log2 == 0 {
            return Err(Code::InvalidRequest);
        }
        let chunks = Chunks::of(entry, limits).map_err(|error| error.code())?;
        WantedDelta::new(chunks, old_size, log2, limits).map(|delta| Some(Box::new(delta)))
    }

    /// A portion of the receiver's list of pieces.
    pub(super) fn on_pieces(&mut self, data: &[u8], limits: &Limits) -> Result<(), Code> {
        let message = Pieces::parse(data, limits).map_err(|error| error.code())?;
        let open = self.files.open.values().filter_map(|file| {
            let delta = file.delta.as_ref().filter(|delta| !delta.is_over(file.chunks.count()))?;
            Some(&delta.wanted)
        });
        let waiting = self.files.wanted.iter().filter_map(|wanted| wanted.delta.as_deref());
        let listed = open.chain(waiting).filter(|delta| delta.listed).count();
        let delta = match self.files.open.get_mut(&message.file) {
            Some(open) => open.delta.as_mut().map(|delta| &mut delta.wanted),
            None => {
                let mut wanted = self.files.wanted.iter_mut();
                wanted
                    .find(|wanted| wanted.index == message.file)
                    .and_then(|wanted| wanted.delta.as_deref_mut())
            }
        };
        // It was given up, or could not be read.
        let Some(delta) = delta else { return Ok(()) };
        if !core::mem::replace(&mut delta.listed, true) && listed >= limits.deltas_open_max as usize {
            return Err(Code::InvalidRequest);
        }
        delta.matcher.on_list(&message).map_err(|error| error.code())
    }

    /// Has the next chunks cut, on the control link: it stays as long as the session does.
    pub(super) fn hand_out_cuts<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let uncached_from = core.settings.limits.window_bytes_per_stream * 4;
        let Some(lane) = self.lanes.first().filter(|lane| !lane.dropping).map(|lane| lane.stream) else {
            return;
        };
        let mut cutting: u32 = self.files.open.values().map(|file| file.cutting).sum();
        while cutting < CUTS_AT_ONCE {
            let next = self.files.open.iter_mut().find_map(|(index, file)| {
                let uncached = file.stat.size >= uncached_from && core.settings.uncached_reads;
                file.next_cut(self.key, *index, uncached)
            });
            let Some(order) = next else { return };
            cutting += 1;
            let mail = SendMail::Order { lane: lane.link, order: Box::new(order) };
            core.post(lane.core, Mail::Send(mail));
        }
    }

    /// Gives up deltas that find nothing, and tells the receiver to stop naming pieces.
    pub(super) fn stop_deltas<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>)
    where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        for (index, file) in &mut self.files.open {
            if file.give_up_hopeless() == Some(true) {
                let stop = Pieces::new(self.key.number, *index, Step::Stop);
                links.send_bytes(core, self.key.link, FrameType::Pieces, &stop.encode());
            }
        }
    }
}
