//! Chunks that arrive as copies: a lane reads ranges of the older file, hashes and writes them, in the order of the
//! records.
//!
//! ```text
//! records:  [copies 3 of 7 read][data][copies] ...      at most as many as the link lends slots
//! steps:    |reading|read|reading|data|                 in order; hashed and written from the front
//! ```
//!
//! Behind a record of copies every further record of the lane waits its turn, so that a chunk is hashed in order. A
//! lane keeps one slot of its own while it copies: it goes on also where others hold all the arena's.

use super::lane::{Access, Grant, ReceiveLane, Write};
use crate::links::Links;
use crate::ops::{Finish, Owner};
use crate::send::TransferKey;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Hooks, Stage};
use base::io::{Io, Op};
use base::limits::DATA_AT;
use disk::delta::{Move, Moves};
use proto::transfer::delta::copies;
use proto::wire::ChunkTrailer;
use std::collections::VecDeque;

/// A record that waits behind copies, or is copies.
struct Record<B> {
    home: TransferKey,
    grant: Grant,
    trailer: ChunkTrailer,
    /// Offset in the part, the bytes it stands for, and those it counts for.
    offset: u64,
    run: u32,
    charge: u32,
    body: Body<B>,
}

enum Body<B> {
    Data(B),
    Hole,
    Copies(Moves),
}

/// Bytes that a record counts for in its stream's window: copies and what is compressed as much as the content they
/// stand for, because the receiver has as much to do with them.
pub(super) fn charge(trailer: &ChunkTrailer, data_len: u32) -> u32 {
    if trailer.flags.copy() || trailer.flags.zstd() { trailer.run } else { data_len }
}

/// One buffer's worth, in order.
struct Step<B> {
    home: TransferKey,
    grant: Grant,
    trailer: ChunkTrailer,
    /// Offset in the part, and bytes.
    place: (u64, u32),
    state: State<B>,
    copied: bool,
    /// It lies at its place already: it is only hashed.
    there: bool,
    /// With it its record is over, which was charged with so many bytes.
    ends: Option<u32>,
}

enum State<B> {
    /// Under this tag.
    Reading(u64),
    Ready(B),
    Hole,
    /// The older file does not hold it.
    Gone,
}

/// What a lane is rebuilding.
pub(super) struct Rebuild<B> {
    records: VecDeque<Record<B>>,
    steps: VecDeque<Step<B>>,
    /// The lane's own slot, while there are records.
    spare: Option<B>,
    /// A slot is wanted.
    pub(super) hungry: bool,
}

impl<B> Rebuild<B> {
    pub(super) fn new() -> Self {
        Self { records: VecDeque::new(), steps: VecDeque::new(), spare: None, hungry: false }
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.steps.is_empty()
    }

    /// A slot of the lane's own comes back from its write.
    pub(super) fn give_back(&mut self, slot: Option<B>) {
        if self.spare.is_none() && !self.records.is_empty() {
            self.spare = slot;
        }
    }

    /// Forgets everything: reads in flight come back by themselves.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> ReceiveLane<B> {
    /// A record of copies came, or one behind such.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn queue_record<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        home: TransferKey,
        grant: Grant,
        slot: B,
        data_len: u32,
        trailer: ChunkTrailer,
    ) {
        // Without an older file no range lies within it.
        let old_size = grant.older.map_or(0, |(_, size)| size);
        let data = &slot.as_ref()[DATA_AT as usize..(DATA_AT + data_len) as usize];
        let rows = match trailer.flags.copy() {
            true => copies::parse(data, trailer.run, old_size).map(Some),
            false => Ok(None),
        };
        let run = if trailer.run > 0 { trailer.run } else { data_len };
        let placed = self.transfers.get_mut(&home).and_then(|files| files.place(&grant, &trailer, run));
        let (Ok(rows), Some(_)) = (rows, placed) else {
            let detail = "a record that does not continue its chunk, or copies what is not there";
            return links.fail(core, self.link, Code::InvalidRequest, detail);
        };
        let offset = grant.offset_of(&trailer);
        let body = match rows {
            Some(rows) => {
                self.rebuild.spare.get_or_insert(slot);
                let ranges = rows.into_iter().map(|row| (row.offset, row.length));
                Body::Copies(Moves::new(ranges, offset, core.settings.limits.record_bytes))
            }
            None if trailer.flags.hole() => Body::Hole,
            None => Body::Data(slot),
        };
        let charge = charge(&trailer, data_len);
        self.rebuild.records.push_back(Record { home, grant, trailer, offset, run, charge, body });
        self.rebuild_on(core, links);
    }

    /// Does everything that can be done.
    pub(super) fn rebuild_on<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
    ) {
        loop {
            self.expand(core);
            let ready = |step: &Step<B>| !matches!(step.state, State::Reading(_));
            if !self.rebuild.steps.front().is_some_and(ready) {
                break;
            }
            let Some(step) = self.rebuild.steps.pop_front() else { break };
            self.apply(core, links, step);
        }
        if self.rebuild.records.is_empty() {
            self.rebuild.spare = None;
        }
    }

    /// Turns records into steps and starts their reads.
    fn expand<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let most = core.settings.limits.buffers_per_direction as usize;
        self.rebuild.hungry = false;
        while self.rebuild.steps.len() < most
            && let Some(mut record) = self.rebuild.records.pop_front()
        {
            let (home, grant, trailer, charge) = (record.home, record.grant, record.trailer, record.charge);
            let (mut place, mut ends, mut there) = ((record.offset, record.run), Some(charge), false);
            let state = match core::mem::replace(&mut record.body, Body::Hole) {
                Body::Data(slot) => State::Ready(slot),
                Body::Hole => State::Hole,
                // Its descriptors are no longer ours.
                Body::Copies(_) if !self.may_touch(home, &trailer) => State::Gone,
                Body::Copies(mut moves) => {
                    let spare = self.rebuild.spare.take().or_else(|| core.io.take());
                    let (Some(buf), Some(step)) = (spare, moves.peek()) else {
                        record.body = Body::Copies(moves);
                        self.rebuild.records.push_front(record);
                        self.rebuild.hungry = true;
                        return;
                    };
                    moves.next();
                    place = (step.to, step.length);
                    there = grant.shared && step.from == step.to;
                    if !moves.is_over() {
                        ends = None;
                        record.body = Body::Copies(moves);
                        self.rebuild.records.push_front(record);
                    }
                    self.read_older(core, home, &grant, &trailer, step, buf)
                }
            };
            let copied = trailer.flags.copy();
            self.rebuild.steps.push_back(Step { home, grant, trailer, place, state, copied, there, ends });
        }
    }

    /// Whether the home still wants this file written here.
    fn may_touch(&self, home: TransferKey, trailer: &ChunkTrailer) -> bool {
        let access = self.transfers.get(&home).and_then(|files| files.access.get(&trailer.file));
        matches!(access, Some(Access::Granted(_)))
    }

    fn read_older<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        home: TransferKey,
        grant: &Grant,
        trailer: &ChunkTrailer,
        step: Move,
        buf: B,
    ) -> State<B> {
        let Some((older, size)) = grant.older else { return State::Gone };
        // What is hashed is what the new file holds, whatever became of the older one since.
        let file = if grant.shared && step.from == step.to { grant.fd } else { older };
        let uncached = grant.uncached && size >= core.settings.limits.window_bytes_per_stream * 4;
        let tag = self.next_tag;
        self.next_tag += 1;
        let (index, chunk, len, sampled) = (trailer.file, trailer.chunk, step.length, core.sample());
        self.writes.insert(tag, Write { home, file: index, chunk, len, sampled, lent: false, reads: true });
        if let Some(arriving) = self.transfers.get_mut(&home).and_then(|files| files.open(index, chunk)) {
            arriving.writes += 1;
        }
        let (owner, offset) = (Owner::ReceiveLane { link: self.link, tag }, step.from);
        core.start(owner, Op::Read { file, offset, buf, at: DATA_AT, len, uncached });
        State::Reading(tag)
    }

    /// A read of the older file ended.
    pub(super) fn on_copied<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        tag: u64,
        mut write: Write,
        finish: Finish<B>,
    ) {
        core.timed(&mut self.stages, Stage::Read, &mut write.sampled);
        let arriving =
            self.transfers.get_mut(&write.home).and_then(|files| files.open(write.file, write.chunk));
        if let Some(arriving) = arriving {
            arriving.writes -= 1;
        }
        let step =
            self.rebuild.steps.iter_mut().find(|step| matches!(step.state, State::Reading(of) if of == tag));
        if let Some(step) = step {
            step.state = match (finish.result, finish.slot) {
                (Ok(count), Some(slot)) if count == write.len => State::Ready(slot),
                _ => State::Gone,
            };
        }
        self.rebuild_on(core, links);
        self.settle(core, links, write.home);
    }

    /// Hashes and writes the step at the front.
    fn apply<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        step: Step<B>,
    ) {
        let Step { home, grant, trailer, place: (offset, len), state, copied, there, ends } = step;
        let granted = self.may_touch(home, &trailer);
        let arriving =
            self.transfers.get_mut(&home).and_then(|files| files.open(trailer.file, trailer.chunk));
        let mut lent = ends;
        let mut from = core.sample();
        if granted && let Some(arriving) = arriving {
            arriving.copied += if copied { len } else { 0 };
            let hasher = &mut arriving.hasher;
            match (&state, hasher.as_mut()) {
                (State::Ready(slot), Some(hasher)) => {
                    hasher.update(&slot.as_ref()[DATA_AT as usize..(DATA_AT + len) as usize]);
                }
                (State::Hole, Some(hasher)) => hasher.hole(len),
                // Without its bytes the chunk has no value; it will be asked for once more.
                (State::Gone | State::Reading(_), _) => *hasher = None,
                (_, None) => {}
            }
            if ends.is_some() && trailer.flags.last() {
                arriving.close(&grant, trailer.value);
            }
            core.timed(&mut self.stages, Stage::Hash, &mut from);
            match state {
                State::Ready(slot) if copied && grant.sparse && is_zero(&slot, len) => {
                    self.punch(core, home, &grant, &trailer, (offset, len));
                }
                State::Ready(slot) if there => self.rebuild.give_back(Some(slot)),
                State::Ready(slot) => {
                    let lends = lent.take_if(|_| !copied).is_some();
                    self.write(core, home, &grant, &trailer, (offset, len), slot, (lends, from));
                }
                State::Hole => self.punch(core, home, &grant, &trailer, (offset, len)),
                State::Gone | State::Reading(_) => {}
            }
        }
        if let Some(charge) = lent {
            links.release(core, self.link);
            self.count(core, home, charge);
        }
        self.settle(core, links, home);
    }
}

fn is_zero<B: AsRef<[u8]>>(slot: &B, len: u32) -> bool {
    slot.as_ref()[DATA_AT as usize..(DATA_AT + len) as usize].iter().all(|byte| *byte == 0)
}
