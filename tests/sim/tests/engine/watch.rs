//! What the two ends said, for the oracle: entries, wants, acknowledgements and receipts of the receiving end.

use base::entry::Entry;
use base::ids::SessionId;
use base::limits::Limits;
use proto::transfer::ack::{Ack, AckRange, Level};
use proto::transfer::entries::EntriesBatch;
use proto::transfer::order::Order;
use proto::transfer::receipt::Receipt;
use proto::transfer::want::{Verdict, Want};
use proto::wire::FrameType;
use sim::disk::Image;
use sim::hooks::{SeenFrame, SharedOffice};
use sim::oracle::{Holding, Oracle};
use std::collections::{BTreeMap, BTreeSet};

/// The listener at the receiving end.
pub(crate) struct Watch {
    office: SharedOffice,
    limits: Limits,
    /// Where the transfer goes, below the oracle's root.
    prefix: Vec<u8>,
    /// What the source holds, by path relative to the transfer.
    source: BTreeMap<Vec<u8>, Image>,
    /// Whether the transfer promises durability.
    syncs: bool,
    sessions: BTreeMap<SessionId, (Order, Vec<Entry>, BTreeSet<u32>)>,
    /// Receipts seen.
    pub(crate) receipts: u32,
}

impl Watch {
    pub(crate) fn new(
        office: SharedOffice,
        limits: Limits,
        prefix: &[u8],
        source: BTreeMap<Vec<u8>, Image>,
        syncs: bool,
    ) -> Self {
        let (prefix, sessions) = (prefix.to_vec(), BTreeMap::new());
        Self { office, limits, prefix, source, syncs, sessions, receipts: 0 }
    }

    /// Tells the oracle what was said since; `strict`: no fault struck the receiver's disk.
    pub(crate) fn tell(&mut self, oracle: &mut Oracle, strict: bool) -> bool {
        let frames = std::mem::take(&mut self.office.borrow_mut().frames);
        let mut promised = false;
        for frame in frames {
            match (FrameType::from_number(frame.kind).ok(), frame.sent) {
                (Some(FrameType::Entries), false) => self.on_entries(&frame),
                (Some(FrameType::Want), true) => self.on_want(oracle, &frame, strict),
                (Some(FrameType::Ack), true) => promised |= self.on_ack(oracle, &frame),
                (Some(FrameType::Receipt), true) => {
                    self.on_receipt(oracle, &frame);
                    promised = true;
                }
                _ => {}
            }
        }
        promised
    }

    fn on_entries(&mut self, frame: &SeenFrame) {
        let (order, entries, _) = self.sessions.entry(frame.session).or_default();
        let batch =
            EntriesBatch::parse(&frame.data, &self.limits, order).expect("the sender keeps the rules");
        assert_eq!(batch.first as usize, entries.len(), "entries come in order");
        entries.extend(batch.entries);
    }

    fn full(&self, path: &[u8]) -> Vec<u8> {
        match (&self.prefix[..], path) {
            (prefix, b"") => prefix.to_vec(),
            (b"", path) => path.to_vec(),
            (prefix, path) => [prefix, path].join(&b'/'),
        }
    }

    fn on_want(&mut self, oracle: &mut Oracle, frame: &SeenFrame, strict: bool) {
        let want = Want::parse(&frame.data, &self.limits).expect("the receiver keeps the rules");
        for (index, verdict) in want.iter() {
            let Some((_, entries, refused)) = self.sessions.get_mut(&frame.session) else { return };
            let entry = &entries[index.0 as usize];
            let (size, chunk) = (entry.size, 1u64 << entry.chunk_log2);
            let wanted: Vec<(u64, u64)> = match verdict {
                Verdict::All => vec![(0, size)],
                Verdict::Ranges(ranges) => {
                    let span = |first: u32, count: u32| (u64::from(first) * chunk, u64::from(count) * chunk);
                    ranges.iter().map(|range| span(range.first, range.count)).collect()
                }
                Verdict::Refused(_) => {
                    refused.insert(index.0);
                    Vec::new()
                }
                _ => Vec::new(),
            };
            let path = self.full(&self.sessions[&frame.session].1[index.0 as usize].path);
            for (offset, len) in wanted.into_iter().filter(|_| strict) {
                oracle.on_want(&path, offset, len);
            }
        }
    }

    fn on_ack(&mut self, oracle: &mut Oracle, frame: &SeenFrame) -> bool {
        let ack = Ack::parse(&frame.data, &self.limits).expect("the receiver keeps the rules");
        let Some((_, entries, failed)) = self.sessions.get_mut(&frame.session) else { return false };
        failed.extend(ack.failed().iter().map(|(file, _)| file.0));
        let entries = entries.clone();
        for range in ack.ranges() {
            match (ack.level, *range) {
                (Level::Durable, AckRange::Chunks { file, first, count }) => {
                    let entry = &entries[file.0 as usize];
                    let from = u64::from(first) << entry.chunk_log2;
                    let to = (u64::from(first + count) << entry.chunk_log2).min(entry.size);
                    let Some(bytes) = self.source.get(&entry.path).and_then(Image::bytes) else { continue };
                    oracle.on_durable(&self.full(&entry.path), from, &bytes[from as usize..to as usize]);
                }
                (Level::Published, AckRange::Files { first, count }) => {
                    for file in first.0..first.0 + count {
                        self.published(oracle, &entries[file as usize]);
                    }
                }
                _ => {}
            }
        }
        ack.level >= Level::Durable
    }

    fn published(&self, oracle: &mut Oracle, entry: &Entry) {
        let path = self.full(&entry.path);
        oracle.excuse(&path);
        if self.syncs {
            oracle.on_published(&path, &Holding::of(self.source.get(&entry.path)));
        }
    }

    fn on_receipt(&mut self, oracle: &mut Oracle, frame: &SeenFrame) {
        let receipt = Receipt::parse(&frame.data, &self.limits).expect("the receiver keeps the rules");
        self.receipts += 1;
        let Some((_, entries, failed)) = self.sessions.get(&frame.session) else { return };
        if receipt.body.counts.failed > 0 {
            return;
        }
        for (index, entry) in entries.iter().enumerate() {
            // The root of the receiving tree itself is nobody's to sync.
            if !failed.contains(&(index as u32)) && !self.full(&entry.path).is_empty() {
                self.published(oracle, entry);
            }
        }
    }
}
