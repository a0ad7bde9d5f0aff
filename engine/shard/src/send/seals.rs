//! Entries whose content travels, from the receiver's Want to its `published`: the sender's side of seals.
//!
//! Items stand in batches in the order of their index. A batch is closed by count, bytes or age, sealed once every
//! root is known, and kept until every item is published or has failed, so that it can be sent once more.

use super::scan::Place;
use base::entry::{Entry, FileTime, Kind};
use base::hooks::{FileAction, StageTimes};
use base::ids::{FileIndex, SessionId, Value};
use base::limits::Limits;
use ed25519_dalek::SigningKey;
use proto::transfer::ack::AckRange;
use proto::transfer::merkle::entry_root;
use proto::transfer::receipt_file::ReceiptWriter;
use proto::transfer::seal::{SealBuilder, seal_files_max};
use std::collections::VecDeque;

/// One entry on its way.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) index: FileIndex,
    pub(crate) entry: Entry,
    /// Where a file is read from.
    pub(crate) place: Option<Place>,
    /// What becomes of it at the receiver.
    pub(crate) action: FileAction,
    /// Content that the receiver took from its older file.
    pub(crate) reused: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Root {
    Waiting,
    Known(Value),
    Failed,
}

struct Batch {
    items: Vec<(Item, Root)>,
    bytes: u64,
    opened_ns: u64,
    closed: bool,
    waiting: u32,
    sequence: Option<u32>,
    sealed: bool,
    /// Sealed items neither published nor failed yet.
    unpublished: u32,
    resent: bool,
}

/// What a seal is signed for, and with.
pub(crate) struct Signing<'a> {
    pub(crate) transfer: u32,
    pub(crate) session: &'a SessionId,
    pub(crate) key: &'a SigningKey,
    /// Where this end's time went so far, for the receiver's reports.
    pub(crate) stages: &'a StageTimes,
}

/// All batches of one transfer.
pub(crate) struct Seals {
    batches: VecDeque<Batch>,
    next_sequence: u32,
}

impl Seals {
    pub(crate) fn new() -> Self {
        Self { batches: VecDeque::new(), next_sequence: 0 }
    }

    /// Batches that are not fully published.
    pub(crate) fn pending(&self) -> usize {
        self.batches.len()
    }

    /// Adds a wanted entry; entries come in the order of their index.
    pub(crate) fn add(&mut self, item: Item, limits: &Limits, now_ns: u64) {
        let large = item.entry.kind == Kind::File && item.entry.size >= limits.seal_bytes_max;
        if large {
            self.close();
        }
        if self.batches.back().is_none_or(|batch| batch.closed) {
            self.batches.push_back(Batch {
                items: Vec::new(),
                bytes: 0,
                opened_ns: now_ns,
                closed: false,
                waiting: 0,
                sequence: None,
                sealed: false,
                unpublished: 0,
                resent: false,
            });
        }
        let Some(batch) = self.batches.back_mut() else { return };
        batch.bytes += item.entry.size;
        let root = entry_root(&item.entry).map_or(Root::Waiting, Root::Known);
        batch.waiting += u32::from(root == Root::Waiting);
        batch.items.push((item, root));
        if batch.items.len() >= seal_files_max(limits) as usize || batch.bytes >= limits.seal_bytes_max {
            batch.closed = true;
        }
    }

    /// Items that are neither published nor failed.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> + '_ {
        let items = self.batches.iter().flat_map(|batch| &batch.items);
        items
            .filter(|(item, root)| *root != Root::Failed && !item.entry.path.is_empty())
            .map(|(item, _)| item)
    }

    /// Closes the open batch.
    pub(crate) fn close(&mut self) {
        if let Some(batch) = self.batches.back_mut() {
            batch.closed = true;
        }
    }

    fn find(&mut self, index: FileIndex) -> Option<(&mut Batch, usize)> {
        let last = |batch: &Batch| batch.items.last().map_or(FileIndex(0), |(item, _)| item.index);
        let at = self.batches.partition_point(|batch| last(batch) < index);
        let batch = self.batches.get_mut(at)?;
        let place = batch.items.binary_search_by_key(&index, |(item, _)| item.index).ok()?;
        Some((batch, place))
    }

    /// The item of this index.
    pub(crate) fn item(&mut self, index: FileIndex) -> Option<&mut Item> {
        let (batch, at) = self.find(index)?;
        Some(&mut batch.items[at].0)
    }

    /// The item's content was read: its root, and size and time as read.
    pub(crate) fn read(&mut self, index: FileIndex, size: u64, mtime: FileTime, root: Value) {
        let Some((batch, at)) = self.find(index) else { return };
        let (item, state) = &mut batch.items[at];
        item.entry.size = size;
        item.entry.mtime = mtime;
        batch.waiting -= u32::from(*state == Root::Waiting);
        *state = Root::Known(root);
    }

    /// The item could not be read, or the receiver could not take it. Returns whether it had not failed before.
    pub(crate) fn fail(&mut self, index: FileIndex) -> bool {
        let Some((batch, at)) = self.find(index) else { return false };
        let state = core::mem::replace(&mut batch.items[at].1, Root::Failed);
        batch.waiting -= u32::from(state == Root::Waiting);
        if batch.sealed && state != Root::Failed {
            batch.unpublished -= 1;
        }
        self.drop_finished();
        state != Root::Failed
    }

    /// The receiver asks for an item of a sealed batch once more. `false`: it was asked for already, or is
    /// not there.
    pub(crate) fn again(&mut self, index: FileIndex) -> bool {
        let Some((batch, at)) = self.find(index) else { return false };
        if batch.resent && batch.sealed {
            return false;
        }
        if batch.sealed {
            batch.sealed = false;
            batch.resent = true;
            batch.unpublished = 0;
        }
        let (item, state) = &mut batch.items[at];
        if item.entry.kind == Kind::File && *state != Root::Waiting {
            batch.waiting += 1;
            *state = Root::Waiting;
        }
        true
    }

    /// Calls `each` for every item named as published; returns `false` for a range that names what was not
    /// sealed.
    pub(crate) fn published(
        &mut self,
        range: &AckRange,
        mut each: impl FnMut(&mut Item, Option<Value>),
    ) -> bool {
        let AckRange::Files { first, count } = *range else { return false };
        for index in first.0..first.0 + count {
            let Some((batch, at)) = self.find(FileIndex(index)) else { return false };
            if !batch.sealed {
                return false;
            }
            let (item, state) = &mut batch.items[at];
            let Root::Known(root) = *state else { return false };
            each(item, (item.entry.kind == Kind::File).then_some(root));
            // Published twice is a lie; as Failed the second one is refused.
            *state = Root::Failed;
            batch.unpublished -= 1;
        }
        self.drop_finished();
        true
    }

    fn drop_finished(&mut self) {
        while self.batches.front().is_some_and(|batch| {
            batch.closed
                && batch.waiting == 0
                && batch.unpublished == 0
                && (batch.sealed || batch.all_failed())
        }) {
            self.batches.pop_front();
        }
    }

    /// Seals that can be sent, encoded; what they cover goes into the receipt file's list. Closes the open batch when it is old enough or nothing will follow.
    pub(crate) fn due(
        &mut self,
        by: &Signing<'_>,
        list: &mut ReceiptWriter,
        limits: &Limits,
        now_ns: u64,
        last: bool,
    ) -> Vec<Vec<u8>> {
        if let Some(batch) = self.batches.back_mut()
            && (last || now_ns.saturating_sub(batch.opened_ns) >= limits.seal_ms * 1_000_000)
        {
            batch.closed = true;
        }
        let mut seals = Vec::new();
        // The receiver keeps a seal until everything it names has come; it takes no more than this.
        let open = self.batches.iter().filter(|batch| batch.sealed && batch.unpublished > 0).count();
        let room = (limits.seals_pending_max as usize).saturating_sub(open);
        let due = self
            .batches
            .iter_mut()
            .filter(|batch| batch.closed && !batch.sealed && batch.waiting == 0 && !batch.all_failed());
        for batch in due.take(room) {
            let sequence = *batch.sequence.get_or_insert_with(|| {
                self.next_sequence += 1;
                self.next_sequence - 1
            });
            let mut builder = match batch.resent {
                true => SealBuilder::with_roots(by.transfer, sequence),
                false => SealBuilder::new(by.transfer, sequence),
            };
            for (item, state) in &batch.items {
                if let Root::Known(root) = state {
                    builder.push(item.index, &item.entry, root);
                    if !batch.resent {
                        list.entry(&item.entry, root);
                    }
                }
            }
            if !batch.resent {
                list.end_seal();
            }
            batch.unpublished = builder.count();
            batch.sealed = true;
            builder.set_stages(by.stages.millis());
            seals.push(builder.finish(by.session, by.key).encode());
        }
        self.drop_finished();
        seals
    }

    /// When the open batch is due by age, monotonic ns.
    pub(crate) fn deadline_ns(&self, limits: &Limits) -> u64 {
        match self.batches.back() {
            Some(batch) if !batch.closed => batch.opened_ns + limits.seal_ms * 1_000_000,
            _ => u64::MAX,
        }
    }
}

impl Batch {
    fn all_failed(&self) -> bool {
        self.items.iter().all(|(_, state)| *state == Root::Failed)
    }
}
