//! What the two ends said, for the oracle: seals of the sender; entries, wants, acknowledgements and receipts of
//! the receiver; the key and number of every record.

use base::entry::{Entry, Kind};
use base::hooks::Record;
use base::ids::{FileIndex, SessionId};
use base::limits::Limits;
use proto::transfer::ack::{Ack, AckRange, Level};
use proto::transfer::entries::EntriesBatch;
use proto::transfer::order::Order;
use proto::transfer::receipt::Receipt;
use proto::transfer::seal::Seal;
use proto::transfer::want::{Verdict, Want};
use proto::wire::{Flags, FrameType};
use sim::disk::Image;
use sim::hooks::{SeenFrame, SharedOffice};
use sim::oracle::{Holding, Oracle};
use std::collections::{BTreeMap, BTreeSet};

/// What a session's receiver was offered, and what of it failed.
#[derive(Default)]
struct Session {
    order: Order,
    entries: Vec<Entry>,
    failed: BTreeSet<u32>,
}

impl Session {
    fn entry(&self, file: FileIndex) -> &Entry {
        &self.entries[file.0 as usize]
    }
}

/// How often a bound of the sessions was met.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Met {
    pub(crate) rekeys: u64,
    pub(crate) fragments: u64,
    /// The number of a direction's records began again at 0.
    pub(crate) wraps: u64,
    pub(crate) hooks_busy: u64,
    /// Records of copies.
    pub(crate) copies: u64,
    /// Questions whether files may have their names.
    pub(crate) counted: u64,
}

/// The listener at both ends.
pub(crate) struct Watch {
    sender: SharedOffice,
    receiver: SharedOffice,
    limits: Limits,
    /// Where the transfer goes, below the oracle's root.
    prefix: Vec<u8>,
    /// Whether the transfer promises durability.
    syncs: bool,
    sessions: BTreeMap<SessionId, Session>,
    pub(crate) met: Met,
}

type Source = BTreeMap<Vec<u8>, Image>;

impl Watch {
    pub(crate) fn new(
        [sender, receiver]: [SharedOffice; 2],
        limits: &Limits,
        prefix: &[u8],
        syncs: bool,
    ) -> Self {
        let (limits, prefix) = (limits.clone(), prefix.to_vec());
        Self { sender, receiver, limits, prefix, syncs, sessions: BTreeMap::new(), met: Met::default() }
    }

    /// Tells the oracle what was said since. `strict`: no fault struck the receiver's disk. Returns whether
    /// something was promised.
    pub(crate) fn tell(&mut self, oracle: &mut Oracle, source: &Source, strict: bool) -> bool {
        for office in [self.sender.clone(), self.receiver.clone()] {
            let mut office = office.borrow_mut();
            self.met.hooks_busy += std::mem::take(&mut office.busy);
            for record in std::mem::take(&mut office.sealed) {
                self.on_record(oracle, &record);
            }
        }
        let frames = std::mem::take(&mut self.receiver.borrow_mut().frames);
        let (entries, said): (Vec<_>, Vec<_>) =
            frames.into_iter().partition(|frame| is(frame, FrameType::Entries));
        for frame in entries.iter().filter(|frame| !frame.sent) {
            self.on_entries(oracle, frame);
        }
        let sealed = std::mem::take(&mut self.sender.borrow_mut().frames);
        for frame in sealed {
            if frame.sent && is(&frame, FrameType::Seal) {
                self.on_seal(oracle, source, &frame);
            }
        }
        let mut promised = false;
        for frame in said.iter().filter(|frame| frame.sent) {
            match FrameType::from_number(frame.kind) {
                Ok(FrameType::Want) => self.on_want(oracle, frame, strict),
                Ok(FrameType::Ack) => promised |= self.on_ack(oracle, source, frame),
                Ok(FrameType::Receipt) => {
                    self.on_receipt(oracle, source, frame);
                    promised = true;
                }
                _ => {}
            }
        }
        promised
    }

    fn on_record(&mut self, oracle: &mut Oracle, record: &Record) {
        oracle.on_nonce(&record.key.to_be_bytes(), record.number);
        let kind = FrameType::from_number(record.kind);
        self.met.rekeys += u64::from(kind == Ok(FrameType::KeyUpdate));
        // After every change of keys the next record has number 0 again.
        self.met.wraps += u64::from(kind == Ok(FrameType::KeyUpdate) && record.number > 0);
        self.met.copies += u64::from(kind == Ok(FrameType::Chunk) && record.flags & Flags::COPY.bits() != 0);
        let more = record.flags & Flags::MORE.bits() != 0;
        self.met.fragments += u64::from(kind == Ok(FrameType::Control) && more);
    }

    fn on_entries(&mut self, oracle: &mut Oracle, frame: &SeenFrame) {
        let session = self.sessions.entry(frame.session).or_default();
        let batch = EntriesBatch::parse(&frame.data, &self.limits, &mut session.order)
            .expect("the sender keeps the rules");
        assert_eq!(batch.first as usize, session.entries.len(), "entries come in order");
        let directories = batch.entries.iter().filter(|entry| entry.kind == Kind::Directory);
        let paths: Vec<Vec<u8>> = directories.map(|entry| entry.path.clone()).collect();
        session.entries.extend(batch.entries);
        for path in paths {
            oracle.may_hold(&self.full(&path), Holding::Directory);
        }
    }

    fn full(&self, path: &[u8]) -> Vec<u8> {
        match (&self.prefix[..], path) {
            (prefix, b"") => prefix.to_vec(),
            (b"", path) => path.to_vec(),
            (prefix, path) => [prefix, path].join(&b'/'),
        }
    }

    /// Only what the sender signed may become visible.
    fn on_seal(&mut self, oracle: &mut Oracle, source: &Source, frame: &SeenFrame) {
        let seal = Seal::parse(&frame.data, &self.limits).expect("the sender keeps the rules");
        let Some(session) = self.sessions.get(&frame.session) else { return };
        for file in seal.files() {
            let path = &session.entry(file).path;
            oracle.may_hold(&self.full(path), Holding::of(source.get(path)));
        }
    }

    fn on_want(&mut self, oracle: &mut Oracle, frame: &SeenFrame, strict: bool) {
        let want = Want::parse(&frame.data, &self.limits).expect("the receiver keeps the rules");
        for (index, verdict) in want.iter() {
            let Some(session) = self.sessions.get_mut(&frame.session) else { return };
            let entry = session.entry(index);
            let chunk = 1u64 << entry.chunk_log2;
            let wanted: Vec<(u64, u64)> = match verdict {
                Verdict::All => vec![(0, entry.size)],
                Verdict::Pieces { ranges, .. } if ranges.is_empty() => vec![(0, entry.size)],
                Verdict::Ranges(ranges) | Verdict::Pieces { ranges, .. } => {
                    let span = |first: u32, count: u32| (u64::from(first) * chunk, u64::from(count) * chunk);
                    ranges.iter().map(|range| span(range.first, range.count)).collect()
                }
                _ => Vec::new(),
            };
            let path = entry.path.clone();
            if matches!(verdict, Verdict::Refused(_)) {
                session.failed.insert(index.0);
            }
            let path = self.full(&path);
            for (offset, len) in wanted.into_iter().filter(|_| strict) {
                oracle.on_want(&path, offset, len);
            }
        }
    }

    fn on_ack(&mut self, oracle: &mut Oracle, source: &Source, frame: &SeenFrame) -> bool {
        let ack = Ack::parse(&frame.data, &self.limits).expect("the receiver keeps the rules");
        let Some(session) = self.sessions.get_mut(&frame.session) else { return false };
        session.failed.extend(ack.failed().iter().map(|(file, _)| file.0));
        let Some(session) = self.sessions.get(&frame.session) else { return false };
        for range in ack.ranges() {
            match (ack.level, *range) {
                (Level::Durable, AckRange::Chunks { file, first, count }) => {
                    let entry = session.entry(file);
                    let from = u64::from(first) << entry.chunk_log2;
                    let to = (u64::from(first + count) << entry.chunk_log2).min(entry.size);
                    let Some(bytes) = source.get(&entry.path).and_then(Image::bytes) else { continue };
                    oracle.on_durable(&self.full(&entry.path), from, &bytes[from as usize..to as usize]);
                }
                (Level::Published, AckRange::Files { first, count }) => {
                    for file in first.0..first.0 + count {
                        self.published(oracle, source, session.entry(FileIndex(file)));
                    }
                }
                _ => {}
            }
        }
        ack.level >= Level::Durable
    }

    fn published(&self, oracle: &mut Oracle, source: &Source, entry: &Entry) {
        let path = self.full(&entry.path);
        oracle.excuse(&path);
        if self.syncs {
            oracle.on_published(&path, &Holding::of(source.get(&entry.path)));
        }
    }

    fn on_receipt(&mut self, oracle: &mut Oracle, source: &Source, frame: &SeenFrame) {
        let receipt = Receipt::parse(&frame.data, &self.limits).expect("the receiver keeps the rules");
        let Some(session) = self.sessions.get(&frame.session) else { return };
        if receipt.body.counts.failed > 0 {
            return;
        }
        for (index, entry) in session.entries.iter().enumerate() {
            // What was equal already may have been there before the run that sealed it, or from the start.
            let path = self.full(&entry.path);
            if !session.failed.contains(&(index as u32)) && !path.is_empty() {
                oracle.may_hold(&path, Holding::of(source.get(&entry.path)));
                self.published(oracle, source, entry);
            }
        }
    }
}

fn is(frame: &SeenFrame, kind: FrameType) -> bool {
    FrameType::from_number(frame.kind) == Ok(kind)
}
