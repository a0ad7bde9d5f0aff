//! The sending lane of one link: reads chunks ahead, hashes them while they are hot, seals and queues them.
//!
//! ```text
//! orders:  [chunk 7][chunk 9] ...                   from the home, in order
//! pieces:  |reading|ready|ready|reading|            at most `buffers_per_direction`, in order
//! ```
//!
//! Reads may complete in any order; records leave in the order of their offsets. `full` announces the next
//! record only when that one is ready and there is room for it, and nothing else is queued between the two:
//! both are queued in the same call.

use crate::link::LinkId;
use crate::links::Links;
use crate::mailbox::Mail;
use crate::ops::{Finish, Owner};
use crate::send::delta::{CutOrder, Cutters, DeltaOrder, Recipe};
use crate::send::{SendMail, TransferKey};
use crate::squeeze::Worth;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Hooks, Stage, StageTimes};
use base::ids::{ChunkIndex, CoreId, FileIndex, Value};
use base::io::{Act, ActOut, Fd, Io, Op};
use base::limits::DATA_AT;
use proto::transfer::chunk::{ChunkHasher, Chunks};
use proto::transfer::delta::Piece as DeltaPiece;
use proto::transfer::delta::copies::{self, CopyRow};
use proto::wire::{ChunkTrailer, Flags, FrameType};
use std::collections::VecDeque;

/// Pieces of a lane that has not waited for a read yet.
const AHEAD_AT_FIRST: usize = 2;

/// One chunk to send.
#[derive(Clone, Debug)]
pub struct ChunkOrder {
    pub(crate) home: TransferKey,
    pub(crate) file: FileIndex,
    pub(crate) fd: Fd,
    pub(crate) chunks: Chunks,
    pub(crate) chunk: ChunkIndex,
    /// Send it; else only its value is wanted.
    pub(crate) send: bool,
    /// The file has holes worth looking for.
    pub(crate) sparse: bool,
    /// Bypass the page cache where the file system can.
    pub(crate) uncached: bool,
    /// Its records are compressed where that pays.
    pub(crate) compress: bool,
    /// The file travels as a delta.
    pub(crate) delta: Option<DeltaOrder>,
}

impl ChunkOrder {
    /// Whether it is to be cut, and nothing sent.
    pub(crate) fn cuts(&self) -> bool {
        matches!(self.delta, Some(DeltaOrder::Cut(_)))
    }
}

/// A lane as every core can name it: its core, and its link there.
pub(crate) type LaneAt = (CoreId, LinkId);

/// What a lane reports to the home. An order is reported once, when nothing of it is in flight any more.
#[derive(Clone, Debug)]
pub enum LaneReport {
    /// The chunk was queued whole; its value as read.
    Done {
        /// Which file.
        file: FileIndex,
        /// Which chunk.
        chunk: ChunkIndex,
        /// Its value.
        value: Value,
        /// It travels; else only its value was wanted.
        carried: bool,
        /// Content bytes that were sent.
        sent: u64,
        /// It was cut: the pieces that ended in it.
        cut: Option<Vec<DeltaPiece>>,
        /// Which lane.
        lane: LaneAt,
        /// Time per stage since the last report.
        stages: StageTimes,
    },
    /// The chunk could not be read whole.
    Failed {
        /// Which file.
        file: FileIndex,
        /// Which chunk.
        chunk: ChunkIndex,
        /// Why.
        code: Code,
        /// Which lane.
        lane: LaneAt,
        /// It was to be cut.
        cut: bool,
    },
    /// Everything of this transfer is forgotten here; its descriptors may be closed.
    Dropped {
        /// Which lane.
        lane: LaneAt,
    },
}

enum State<B> {
    Reading,
    Ready(B),
    /// A run of zeros.
    Hole,
    /// Ranges of the receiver's older file.
    Copies(Vec<CopyRow>),
    /// The read failed, or ended early.
    Broken(Code),
}

struct Piece<B> {
    /// Offset in the chunk, and bytes.
    offset: u32,
    len: u32,
    last: bool,
    state: State<B>,
    /// When its read began, if it is sampled.
    sampled: Option<u64>,
}

struct Order {
    order: ChunkOrder,
    /// Offset of the chunk in the file, and its bytes.
    base: u64,
    len: u32,
    /// What has been asked for.
    read: u32,
    hasher: Option<ChunkHasher>,
    /// Data found by the last look, as file offsets.
    extent: (u64, u64),
    /// Why nothing further of it is sent.
    broken: Option<Code>,
    sent: u64,
    recipe: Option<Recipe>,
    cut: Option<CutOrder>,
}

/// The sending lane of one link.
pub(crate) struct SendLane<B> {
    link: LinkId,
    orders: VecDeque<Order>,
    /// How many of `orders` are read to their end.
    read_orders: usize,
    pieces: VecDeque<Piece<B>>,
    /// Number of the first piece; a read's tag is its piece's number.
    first_piece: u64,
    /// Data bytes queued, and acknowledged as received, since the link stands.
    pub(crate) sent: u64,
    acked: u64,
    pub(crate) hungry: bool,
    /// Pieces to have at once: few while reads come from memory, so that they stay in the core's cache; one more
    /// each time the link had to wait for one.
    ahead: usize,
    stages: StageTimes,
    /// Waiting for credit since.
    starved_since: Option<u64>,
    /// Transfers that wait for their last order here to end.
    dropping: Vec<TransferKey>,
    cutters: Cutters,
    worth: Worth,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> SendLane<B> {
    pub(crate) fn new(link: LinkId) -> Self {
        Self {
            link,
            orders: VecDeque::new(),
            read_orders: 0,
            pieces: VecDeque::new(),
            first_piece: 0,
            sent: 0,
            acked: 0,
            hungry: false,
            ahead: AHEAD_AT_FIRST,
            stages: StageTimes::default(),
            starved_since: None,
            dropping: Vec::new(),
            cutters: Cutters::default(),
            worth: Worth::default(),
        }
    }

    /// Data bytes that may still be queued.
    pub(crate) fn credit(&self, window: u64) -> u64 {
        (self.acked + window).saturating_sub(self.sent)
    }

    pub(crate) fn push(&mut self, mut order: ChunkOrder) {
        let Some((base, len)) = order.chunks.range(order.chunk) else { return };
        let cut = match &order.delta {
            Some(DeltaOrder::Cut(fineness)) => Some(CutOrder::new(*fineness)),
            _ => None,
        };
        let recipe = match order.delta.take_if(|_| cut.is_none()) {
            Some(DeltaOrder::Recipe(recipe)) => Some(recipe),
            _ => None,
        };
        let hasher = if recipe.is_some() { None } else { ChunkHasher::new(&order.chunks, order.chunk) };
        self.orders.push_back(Order {
            order,
            base,
            len,
            read: 0,
            hasher,
            extent: (0, 0),
            broken: None,
            sent: 0,
            recipe,
            cut,
        });
    }

    /// The receiver has taken this many data bytes of the link in all.
    pub(crate) fn on_credit(&mut self, bytes: u64) {
        self.acked = self.acked.max(bytes.min(self.sent));
    }

    /// Forgets every order of a transfer. Orders whose reads are in flight stay until those ended.
    pub(crate) fn drop_transfer<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        home: TransferKey,
    ) {
        for order in self.orders.iter_mut().filter(|order| order.order.home == home) {
            order.broken.get_or_insert(Code::ConnectionLost);
        }
        self.dropping.push(home);
        self.pump(core, links);
        self.let_go(core);
    }

    /// Tells homes that nothing of theirs is left here.
    fn let_go<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let lane = (core.id, self.link);
        let orders = &self.orders;
        self.dropping.retain(|home| {
            let busy = orders.iter().any(|order| order.order.home == *home);
            if !busy {
                let report = LaneReport::Dropped { lane };
                core.post(home.core, Mail::Send(SendMail::FromLane { home: *home, report }));
            }
            busy
        });
    }

    /// The link is gone: every order goes back to its home once its reads have ended.
    pub(crate) fn link_down<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
    ) {
        for order in &mut self.orders {
            order.broken.get_or_insert(Code::ConnectionLost);
        }
        self.pump(core, links);
    }

    /// It has nothing to do.
    pub(crate) fn is_idle(&self) -> bool {
        self.orders.is_empty()
    }

    /// A read ended.
    pub(crate) fn on_read<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        tag: u64,
        finish: Finish<B>,
    ) {
        let Some(piece) = tag.checked_sub(self.first_piece).and_then(|at| self.pieces.get_mut(at as usize))
        else {
            return;
        };
        let mut from = piece.sampled.take();
        core.timed(&mut self.stages, Stage::Read, &mut from);
        piece.state = match (finish.result, finish.slot) {
            (Ok(count), Some(slot)) if count == piece.len => State::Ready(slot),
            (Ok(_), _) => State::Broken(Code::Changed),
            (Err(errno), _) => State::Broken(Code::from_errno(errno)),
        };
        self.pump(core, links);
    }

    /// Does everything that can be done.
    pub(crate) fn pump<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        loop {
            let before = (self.first_piece, self.pieces.len());
            self.flush(core, links);
            self.read_ahead(core);
            if before == (self.first_piece, self.pieces.len()) {
                return;
            }
        }
    }

    /// Asks for the next pieces while there are slots, credit and orders.
    fn read_ahead<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let limits = core.settings.limits.clone();
        self.hungry = false;
        while self.pieces.len() < self.ahead.min(limits.buffers_per_direction as usize) {
            let Some(at) = self.next_order() else { return };
            let ahead: u64 = self.pieces.iter().map(|piece| u64::from(piece.len)).sum();
            let order = &mut self.orders[at];
            if order.order.send
                && order.broken.is_none()
                && self.sent + ahead >= self.acked + limits.window_bytes_per_stream
            {
                self.starved_since.get_or_insert_with(|| core.io.stamp());
                return;
            }
            if let Some(since) = self.starved_since.take() {
                let ns = core.io.stamp().saturating_sub(since);
                self.stages.add(Stage::Credit, ns);
                core.status.stages.add(Stage::Credit, ns);
            }
            if let Some((rows, len)) = order.recipe.as_mut().and_then(|recipe| recipe.next_copies(&limits)) {
                let (offset, last) = (order.read, order.read + len == order.len);
                order.read += len;
                self.pieces.push_back(Piece { offset, len, last, state: State::Copies(rows), sampled: None });
                continue;
            }
            let left = order.recipe.as_ref().map_or(order.len - order.read, Recipe::data);
            let offset = order.base + u64::from(order.read);
            let hole = if order.order.sparse { hole_at(core, order, offset, left) } else { 0 };
            let len = match hole {
                0 => left.min(limits.record_bytes),
                hole => hole,
            };
            let (tag, file, uncached) =
                (self.first_piece + self.pieces.len() as u64, order.order.fd, order.order.uncached);
            let mut sampled = None;
            let state = if hole > 0 {
                State::Hole
            } else if let Some(code) = order.broken {
                State::Broken(code)
            } else {
                let Some(buf) = core.io.take() else {
                    self.hungry = true;
                    return;
                };
                let owner = Owner::SendLane { link: self.link, tag };
                sampled = core.sample();
                core.start(owner, Op::Read { file, offset, buf, at: DATA_AT, len, uncached });
                State::Reading
            };
            let last = order.read + len == order.len;
            let piece = Piece { offset: order.read, len, last, state, sampled };
            order.read += len;
            if let Some(recipe) = &mut order.recipe {
                recipe.took(len);
            }
            self.pieces.push_back(piece);
        }
    }

    /// The first order that is not read to its end.
    fn next_order(&mut self) -> Option<usize> {
        while self.read_orders < self.orders.len()
            && self.orders[self.read_orders].read == self.orders[self.read_orders].len
        {
            self.read_orders += 1;
        }
        (self.read_orders < self.orders.len()).then_some(self.read_orders)
    }

    /// Hashes, seals and queues what is ready, in order.
    fn flush<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        while let Some(front) = self.pieces.front() {
            if matches!(front.state, State::Reading) {
                let most = core.settings.limits.buffers_per_direction as usize;
                if self.ahead < most && links.is_idle(self.link) {
                    self.ahead += 1;
                }
                return;
            }
            let Some(order) = self.orders.front() else { return };
            let mut room = u32::MAX;
            if order.order.send && order.broken.is_none() {
                room = links.room(core, self.link);
                if room == 0 {
                    return;
                }
            }
            let full = room > 1 && self.announces_next(core.settings.limits.record_bytes);
            let Some(piece) = self.pieces.pop_front() else { return };
            self.first_piece += 1;
            self.emit(core, links, piece, full);
        }
    }

    /// Whether the second piece is a ready full record that is sent next on this stream. How long a compressed one is
    /// shows only when it is.
    fn announces_next(&self, record_bytes: u32) -> bool {
        let Some(next) = self.pieces.get(1) else { return false };
        let front_last = self.pieces.front().is_some_and(|piece| piece.last);
        let order = self.orders.get(usize::from(front_last));
        next.len == record_bytes
            && matches!(next.state, State::Ready(_))
            && order.is_some_and(|order| order.order.send && !order.order.compress && order.broken.is_none())
    }

    fn emit<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        piece: Piece<B>,
        full: bool,
    ) {
        let (link, last) = (self.link, piece.last);
        let Some(order) = self.orders.front_mut() else { return };
        if order.broken.is_some() {
            // What was read of it is of no use.
            if piece.last {
                self.end_order(core, links, None);
            }
            return;
        }
        let mut from = core.sample();
        let mut value = Value::default();
        let (data_len, run) = match &piece.state {
            State::Ready(slot) => {
                let bytes = &slot.as_ref()[DATA_AT as usize..(DATA_AT + piece.len) as usize];
                if let Some(hasher) = &mut order.hasher {
                    hasher.update(bytes);
                }
                if let Some(cut) = &mut order.cut {
                    self.cutters.feed(&order.order, piece.offset == 0, cut, bytes);
                }
                core.timed(&mut self.stages, Stage::Hash, &mut from);
                (piece.len, 0)
            }
            State::Hole => {
                if let Some(hasher) = &mut order.hasher {
                    hasher.hole(piece.len);
                }
                if let Some(cut) = &mut order.cut {
                    self.cutters.hole(&order.order, piece.offset == 0, cut, piece.len);
                }
                (0, piece.len)
            }
            State::Copies(_) => (0, piece.len),
            State::Broken(code) => {
                order.broken.get_or_insert(*code);
                if piece.last {
                    self.end_order(core, links, None);
                }
                return;
            }
            State::Reading => return,
        };
        let mut flags = match piece.state {
            State::Copies(_) => Flags::COPY,
            _ if run > 0 => Flags::HOLE,
            _ => Flags::NONE,
        };
        if piece.last {
            flags = flags.with(Flags::LAST);
            value = match (order.hasher.take(), &order.recipe) {
                (Some(hasher), _) => hasher.finish(),
                (None, recipe) => recipe.as_ref().map(|recipe| recipe.value).unwrap_or_default(),
            };
            if let Some(cut) = &mut order.cut {
                self.cutters.end(&order.order, cut);
            }
        }
        if order.order.send && order.broken.is_none() {
            if full {
                flags = flags.with(Flags::FULL);
            }
            let (transfer, file, chunk) = (order.order.home.number, order.order.file, order.order.chunk);
            let trailer = ChunkTrailer { value, transfer, file, chunk, offset: piece.offset, run, flags };
            order.sent += u64::from(data_len);
            self.sent += u64::from(data_len);
            let compress = order.order.compress;
            match piece.state {
                State::Ready(slot) => self.send_data(core, links, slot, data_len, trailer, (compress, from)),
                State::Copies(rows) => {
                    // The receiver has as much to do with it as with content of that length.
                    self.sent += u64::from(run);
                    links.send_small(core, link, FrameType::Chunk, &copies::encode(&rows), &trailer.encode());
                }
                _ => links.send_small(core, link, FrameType::Chunk, b"", &trailer.encode()),
            }
        }
        if last {
            self.end_order(core, links, Some(value));
        }
    }

    /// Sends a record of content, as it is or compressed: it counts for what it stands for.
    fn send_data<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        mut slot: B,
        mut data_len: u32,
        mut trailer: ChunkTrailer,
        (compress, mut from): (bool, Option<u64>),
    ) {
        if compress {
            let content = &mut slot.as_mut()[DATA_AT as usize..(DATA_AT + data_len) as usize];
            if let Some(len) = self.worth.squeeze(&mut core.squeezer, content) {
                trailer.flags = trailer.flags.with(Flags::ZSTD);
                trailer.run = core::mem::replace(&mut data_len, len);
            }
            core.timed(&mut self.stages, Stage::Compress, &mut from);
        }
        links.send_slot(core, self.link, FrameType::Chunk, slot, data_len, &trailer.encode());
        core.timed(&mut self.stages, Stage::Seal, &mut from);
    }

    fn end_order<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        value: Option<Value>,
    ) {
        let Some(order) = self.orders.pop_front() else { return };
        self.read_orders = self.read_orders.saturating_sub(1);
        let home = order.order.home;
        let (file, chunk, lane) = (order.order.file, order.order.chunk, (core.id, self.link));
        let cuts = order.cut.is_some();
        if cuts && order.broken.is_some() {
            self.cutters.forget(&order.order);
        }
        let report = match (value, order.broken) {
            (Some(value), None) => {
                core.status.bytes_out += order.sent;
                self.stages.merge(&links.take_stages(self.link));
                LaneReport::Done {
                    file,
                    chunk,
                    value,
                    carried: order.order.send,
                    sent: order.sent,
                    cut: order.cut.map(|cut| cut.pieces),
                    lane,
                    stages: core::mem::take(&mut self.stages),
                }
            }
            (_, code) => {
                let code = code.unwrap_or(Code::Changed);
                LaneReport::Failed { file, chunk, code, lane, cut: cuts }
            }
        };
        core.post(home.core, Mail::Send(SendMail::FromLane { home, report }));
        self.let_go(core);
    }
}

/// Bytes of the hole at `offset`, 0 where there is data.
fn hole_at<I: Io, H: Hooks>(core: &mut Core<I, H>, order: &mut Order, offset: u64, left: u32) -> u32 {
    if offset >= order.extent.1 {
        let fd = order.order.fd;
        // A file system that cannot tell reads its zeros.
        order.extent = match core.act(|_| Act::Extent { fd, offset }) {
            Ok(ActOut::Extent { from, to }) if to > offset => (from, to),
            Ok(ActOut::Extent { .. }) => (u64::MAX, u64::MAX),
            _ => (offset, u64::MAX),
        };
    }
    let end = order.extent.0.min(offset + u64::from(left));
    end.saturating_sub(offset) as u32
}
