//! Does what the machines of `disk::publish` say: journals, syncs, renames, in their order.
//!
//! Metadata steps run inline, many at a time; writes and syncs are operations. Everything that is in
//! flight is in one table by tag, so that a transfer ends only after all of it came back.

use super::batch::Running;
use super::home::Home;
use super::journal::{Journal, Linking, Then};
use super::unpack::Putting;
use crate::links::{Links, MS};
use crate::ops::{Finish, Owner};
use crate::send::TransferKey;
use crate::tools::Core;
use base::codes::Code;
use base::entry::Kind;
use base::hooks::{FileAction, Hooks};
use base::ids::{FileIndex, TransferId};
use base::io::{Act, Errno, Fd, Io, Op};
use base::limits::Limits;
use base::points::Point;
use disk::journal::{Append, JournalKind};
use disk::publish::{Checkpoint, Durability, FileRef, JournalRef, Outcome, Step, StepId};
use proto::transfer::ack::{AckRange, Level};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Whose step it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Machine {
    Batch,
    Checkpoint(FileIndex),
    InPlace(FileIndex),
}

/// Which journal it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Which {
    Transfer,
    Part(FileIndex),
}

/// What an operation in flight is for.
pub(super) enum Flight {
    Write(Which, Then),
    Step(Machine, StepId),
    Reserve(FileIndex),
    /// A part gets the content of its older file.
    Share(FileIndex),
    Link(Linking),
    /// Files of a pack are being written.
    Put(Putting),
    /// Files of the running batch get their names.
    Renames(Vec<StepId>),
    /// Nothing depends on it but the end of the transfer.
    Last,
}

/// The publishing side of one transfer.
pub(super) struct Publisher<B> {
    id: TransferId,
    pub(super) durability: Durability,
    pub(super) journal: Option<Journal>,
    /// The directory it last named as one with temps.
    pub(super) staging: Option<Vec<u8>>,
    /// Verified files, in order.
    pub(super) ready: VecDeque<FileIndex>,
    /// Verified files of which a checkpoint is being synced.
    held: Vec<FileIndex>,
    pub(super) ready_bytes: u64,
    /// Seals verified since the last batch began.
    pub(super) seals: u32,
    pub(super) ready_since_ns: u64,
    pub(super) batches: u32,
    pub(super) running: Option<Running>,
    checkpoints: BTreeMap<FileIndex, Checkpoint>,
    /// Files with rows to journal, and with rows not yet covered by a checkpoint since.
    rows: BTreeSet<FileIndex>,
    /// Files whose journals have something to write.
    appended: BTreeSet<FileIndex>,
    undurable: BTreeMap<FileIndex, (u64, u64)>,
    in_place: BTreeSet<FileIndex>,
    /// Result of a step of an in-place machine that ended at once.
    inline: Option<Result<(), Errno>>,
    flights: BTreeMap<u64, Flight>,
    next_tag: u64,
    /// Nothing further is batched: what is ready goes out at once.
    pub(super) flush: bool,
    _slot: core::marker::PhantomData<B>,
}

impl<B> Publisher<B> {
    pub(super) fn new(id: TransferId, durability: Durability) -> Self {
        Self {
            id,
            durability,
            journal: None,
            staging: None,
            ready: VecDeque::new(),
            held: Vec::new(),
            ready_bytes: 0,
            seals: 0,
            ready_since_ns: u64::MAX,
            batches: 0,
            running: None,
            checkpoints: BTreeMap::new(),
            rows: BTreeSet::new(),
            appended: BTreeSet::new(),
            undurable: BTreeMap::new(),
            in_place: BTreeSet::new(),
            inline: None,
            flights: BTreeMap::new(),
            next_tag: 0,
            flush: false,
            _slot: core::marker::PhantomData,
        }
    }

    /// A file is verified. Of two syncs of one file at a time only one might hear that data was lost, so its checkpoint
    /// ends first, and no other begins.
    pub(super) fn ready(&mut self, file: FileIndex) {
        self.undurable.remove(&file);
        if self.checkpoints.contains_key(&file) {
            self.held.push(file);
        } else {
            self.ready.push_back(file);
        }
    }

    /// A file has chunks to name in its journal.
    pub(super) fn journal_rows(&mut self, file: FileIndex) {
        self.rows.insert(file);
    }

    /// A file's journal has something to write.
    pub(super) fn journal_begun(&mut self, file: FileIndex) {
        self.appended.insert(file);
    }

    /// Files that are being published or wait only for it.
    pub(super) fn verified(&self) -> usize {
        self.ready.len() + self.held.len() + self.running.as_ref().map_or(0, |running| running.files.len())
    }

    /// A file is to be marked torn before it is written.
    pub(super) fn mark(&mut self, file: FileIndex) {
        self.in_place.insert(file);
    }

    /// Operations whose completion is still to come.
    pub(super) fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// Nothing is being published and nothing waits for it.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_none()
            && self.ready.is_empty()
            && self.held.is_empty()
            && self.flights.is_empty()
            && self.in_place.is_empty()
    }

    pub(super) fn tag(&mut self, flight: Flight) -> u64 {
        self.next_tag += 1;
        self.flights.insert(self.next_tag, flight);
        self.next_tag
    }

    /// Reserves the space of a part.
    pub(super) fn reserve<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        key: TransferKey,
        file: FileIndex,
        fd: Fd,
        len: u64,
    ) {
        let tag = self.tag(Flight::Reserve(file));
        core.start(owner(key, tag), Op::Reserve { file: fd, offset: 0, len });
    }

    /// When a batch is due by age, monotonic ns. While one runs, its end is a cause of its own.
    fn batch_deadline_ns(&self, limits: &Limits) -> u64 {
        match self.running {
            None if !self.ready.is_empty() => self.ready_since_ns.saturating_add(limits.tree_ms * MS),
            _ => u64::MAX,
        }
    }

    /// Closes the transfer's journal. Where no batch is open nobody needs it any more.
    pub(super) fn close<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if let Some(journal) = self.journal.take() {
            if self.running.is_none() {
                Journal::remove(core, JournalKind::Transfer, self.id.0);
            }
            core.close(journal.fd);
        }
    }

    fn batch_is_due(&self, limits: &Limits, now_ns: u64) -> bool {
        !self.ready.is_empty()
            && (self.durability != Durability::Tree
                || self.flush
                || self.ready.len() >= limits.tree_files_max as usize
                // The sender waits once this many seals are open: a batch is not held back that long.
                || self.seals * 2 >= limits.seals_pending_max
                || self.ready_bytes >= limits.tree_bytes_max
                || now_ns.saturating_sub(self.ready_since_ns) >= limits.tree_ms * MS)
    }
}

pub(super) fn owner(key: TransferKey, tag: u64) -> Owner {
    Owner::Receive { link: key.link, number: key.number, tag }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// When a batch or checkpoint is due without any other cause, monotonic ns. A checkpoint that waits for a
    /// write has one.
    pub(super) fn publish_deadline_ns(&self, limits: &Limits) -> u64 {
        let waits = |file: &FileIndex| {
            let large = self.files.get(file).and_then(|incoming| incoming.large.as_ref());
            let writes = large.and_then(|large| large.journal.as_ref()).is_some_and(Journal::is_busy);
            writes || self.publisher.checkpoints.contains_key(file)
        };
        let undurable = self.publisher.undurable.iter().filter(|(file, _)| !waits(file));
        let checkpoint = undurable.map(|(_, (_, since))| *since).min().unwrap_or(u64::MAX);
        let checkpoint = checkpoint.saturating_add(limits.seal_ms * MS);
        checkpoint.min(self.publisher.batch_deadline_ns(limits))
    }

    /// Moves everything on that is to become durable or visible.
    pub(super) fn publish<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        self.journal_received(core);
        self.checkpoint(core);
        self.mark_in_place(core, links);
        if self.publisher.ready_since_ns == u64::MAX && !self.publisher.ready.is_empty() {
            self.publisher.ready_since_ns = core.now.mono_ns;
        }
        let limits = core.limits();
        // Without syncs a batch costs nothing to run, so what is ready goes on at once.
        while self.publisher.running.is_none()
            && self.result.is_none()
            && self.publisher.batch_is_due(&limits, core.now.mono_ns)
        {
            if !self.begin_batch(core) {
                return;
            }
            self.run_batch(core, links);
        }
        self.run_batch(core, links);
        self.write_journals(core);
    }

    /// Names received chunks in their journals.
    fn journal_received<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        for file in core::mem::take(&mut self.publisher.rows) {
            let Some(incoming) = self.files.get_mut(&file) else { continue };
            let verified = incoming.verified;
            let Some(large) = &mut incoming.large else { continue };
            let rows = core::mem::take(&mut large.rows);
            let Some(journal) = &mut large.journal else { continue };
            let append = journal.writer.received(&rows);
            let bytes = rows.len() as u64 * (1 << large.map.chunk_log2());
            journal.append(append, Then::Received(file, rows.iter().map(|row| row.chunk).collect()));
            self.publisher.appended.insert(file);
            if self.publisher.durability.syncs() && !verified {
                let undurable = self.publisher.undurable.entry(file).or_insert((0, core.now.mono_ns));
                undurable.0 += bytes;
            }
        }
    }

    /// Begins and drives checkpoints of large files.
    fn checkpoint<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let limits = core.limits();
        let due: Vec<FileIndex> = self
            .publisher
            .undurable
            .iter()
            .filter(|(file, (bytes, since))| {
                let age = core.now.mono_ns.saturating_sub(*since);
                (*bytes >= limits.seal_bytes_max || age >= limits.seal_ms * MS)
                    && !self.publisher.checkpoints.contains_key(file)
            })
            .map(|(file, _)| *file)
            .collect();
        for file in due {
            let Some(large) = self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()) else {
                self.publisher.undurable.remove(&file);
                continue;
            };
            let Some(journal) = &large.journal else { continue };
            if journal.is_busy() {
                continue;
            }
            self.publisher.undurable.remove(&file);
            if large.map.begin_checkpoint() {
                let checkpoint = Checkpoint::new(FileRef(0), &journal.writer);
                self.publisher.checkpoints.insert(file, checkpoint);
                self.drive_checkpoint(core, file);
            }
        }
    }

    fn drive_checkpoint<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, file: FileIndex) {
        let Some(mut machine) = self.publisher.checkpoints.remove(&file) else { return };
        loop {
            let journal =
                self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()?.journal.as_mut());
            let Some(journal) = journal else {
                // The file is gone.
                return self.publisher.held.retain(|held| *held != file);
            };
            let Some((id, step)) = machine.next(&mut journal.writer) else { break };
            self.start_step(core, Machine::Checkpoint(file), id, step);
        }
        match machine.outcome() {
            None => drop(self.publisher.checkpoints.insert(file, machine)),
            Some(Outcome::Poisoned(code)) => {
                self.fail(code, format!("a sync failed ({}): check the disk", code.name()))
            }
            Some(Outcome::Held) => {
                if let Some(at) = self.publisher.held.iter().position(|held| *held == file) {
                    self.publisher.held.swap_remove(at);
                    self.publisher.ready.push_back(file);
                }
                let mut ranges = Vec::new();
                if let Some(large) = self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()) {
                    large.map.end_checkpoint(|range| ranges.push(range));
                }
                for range in ranges {
                    let range = AckRange::Chunks { file, first: range.first.0, count: range.count };
                    // An Ack that is full goes without: durable is told again at publication.
                    let _ = self.ack_durable.push(range, &core.settings.limits);
                }
            }
        }
    }

    /// Drives the marks of files written in place, and closes those that are verified.
    fn mark_in_place<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        for file in self.publisher.in_place.clone() {
            self.drive_in_place(core, links, file);
        }
    }

    fn drive_in_place<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        file: FileIndex,
    ) {
        let taken = self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()?.in_place.take());
        let Some(mut machine) = taken else { return };
        loop {
            let journal =
                self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()?.journal.as_mut());
            let Some(journal) = journal else { break };
            let Some((id, step)) = machine.next(&mut journal.writer) else { break };
            self.start_step(core, Machine::InPlace(file), id, step);
            if let Some(result) = self.publisher.inline.take() {
                machine.on_done(id, result);
            }
        }
        let (open, outcome) = (machine.is_open(), machine.outcome());
        if let Some(large) = self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()) {
            large.in_place = Some(machine);
        }
        if open {
            self.grant_waiting(core, file);
        }
        match outcome {
            Some(Outcome::Poisoned(code)) => {
                self.fail(code, format!("a sync failed ({}): check the disk", code.name()))
            }
            Some(Outcome::Held) => {
                self.publisher.in_place.remove(&file);
                self.published(core, links, file);
            }
            None => {}
        }
    }

    /// Starts one step of a checkpoint or an in-place mark.
    fn start_step<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        machine: Machine,
        id: StepId,
        step: Step<'static>,
    ) {
        let (Machine::Checkpoint(file) | Machine::InPlace(file)) = machine else { return };
        let fd = self.files.get(&file).and_then(|incoming| incoming.fd);
        let journal =
            self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()?.journal.as_mut());
        let (Some(fd), Some(journal)) = (fd, journal) else { return };
        match step {
            Step::Reach(point) => core.reach(point),
            Step::SyncData(_) => self.start_sync(core, machine, id, fd, true),
            Step::SyncFull(_) => self.start_sync(core, machine, id, fd, false),
            Step::SyncJournal(_) => self.sync_journal(core, Which::Part(file), machine, id),
            Step::Append { journal: JournalRef::Part, offset, bytes } => {
                journal.append(Append { offset, bytes, sequence: 0 }, Then::Step(machine, id));
                self.publisher.appended.insert(file);
                self.write_journals(core);
            }
            Step::SetMeta { meta, .. } => {
                let result = core.act(|_| Act::SetMeta { dir: fd, name: None, meta }).map(drop);
                self.publisher.inline = Some(result);
            }
            _ => {}
        }
    }

    pub(super) fn start_sync<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        machine: Machine,
        id: StepId,
        fd: Fd,
        data_only: bool,
    ) {
        let tag = self.publisher.tag(Flight::Step(machine, id));
        core.start(owner(self.key, tag), Op::Sync { file: fd, data_only });
    }

    /// Starts the next write of each journal that has one.
    pub(super) fn write_journals<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let key = self.key;
        if let Some(journal) = &mut self.publisher.journal
            && let Some((op, then)) = journal.next_write(core)
        {
            let tag = self.publisher.tag(Flight::Write(Which::Transfer, then));
            core.start(owner(key, tag), op);
        }
        let mut waiting = core::mem::take(&mut self.publisher.appended);
        waiting.retain(|file| {
            let journal =
                self.files.get_mut(file).and_then(|incoming| incoming.large.as_mut()?.journal.as_mut());
            let Some(journal) = journal else { return false };
            if let Some((op, then)) = journal.next_write(core) {
                let tag = self.publisher.tag(Flight::Write(Which::Part(*file), then));
                core.start(owner(key, tag), op);
            }
            !journal.queue.is_empty()
        });
        self.publisher.appended.append(&mut waiting);
    }

    /// An operation of this transfer ended.
    pub(super) fn on_op<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        tag: u64,
        finish: Finish<B>,
    ) {
        if tag == super::resume::TAG {
            return self.on_resume(core, links, finish);
        }
        if tag == super::home::TAG_DIGEST {
            return self.on_digest(core, finish);
        }
        if tag & super::delta::TAG != 0 {
            return self.on_older(core, links, tag, finish);
        }
        let result = finish.result;
        drop(finish.slot);
        match self.publisher.flights.remove(&tag) {
            Some(Flight::Put(putting)) => self.on_put(core, links, putting, finish.acts),
            Some(Flight::Renames(ids)) => self.on_renamed(core, links, &ids, finish.acts),
            Some(Flight::Write(which, then)) => self.on_journal_write(core, links, which, then, result),
            Some(Flight::Step(machine, id)) => {
                if result.is_err() {
                    self.distrust(core, machine);
                }
                self.on_step(core, links, machine, id, result.map(drop));
            }
            Some(Flight::Link(linking)) => self.on_linked(core, links, linking, result.map(drop)),
            Some(Flight::Share(file)) => self.on_shared(core, file, finish.acts),
            Some(Flight::Reserve(file)) if result == Err(Errno::NOSPC) => {
                self.on_write_failed(file, Code::NoSpace)
            }
            Some(Flight::Reserve(_) | Flight::Last) | None => {}
        }
    }

    fn on_journal_write<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        which: Which,
        then: Then,
        result: Result<u32, Errno>,
    ) {
        let Some(journal) = self.journal_of(which) else { return };
        let written = core::mem::take(&mut journal.writing);
        let wanted: u32 = journal.queue.drain(..written).map(|(append, _)| append.bytes.len() as u32).sum();
        let result = match result {
            Ok(count) if count == wanted => Ok(()),
            Ok(_) => Err(Errno::NOSPC),
            Err(errno) => Err(errno),
        };
        match then {
            Then::Step(machine, id) => self.on_step(core, links, machine, id, result),
            Then::Nothing | Then::Received(..) if result.is_err() => {
                let code = result.err().map_or(Code::Io, Code::from_errno);
                self.fail(code, "a journal cannot be written: check the state directory's disk".to_owned());
            }
            Then::Received(file, chunks) => {
                core.reach(Point::JournalReceived);
                self.ack_chunks(core, links, file, &chunks, Level::Received);
            }
            Then::Nothing => {}
        }
        self.write_journals(core);
    }

    pub(super) fn on_step<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        machine: Machine,
        id: StepId,
        result: Result<(), Errno>,
    ) {
        match machine {
            Machine::Batch => {
                if let Some(running) = &mut self.publisher.running {
                    running.machine.on_done(id, result);
                }
                self.run_batch(core, links);
            }
            Machine::Checkpoint(file) => {
                if let Some(checkpoint) = self.publisher.checkpoints.get_mut(&file) {
                    checkpoint.on_done(id, result);
                }
                self.drive_checkpoint(core, file);
            }
            Machine::InPlace(file) => {
                let in_place =
                    self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()?.in_place.as_mut());
                if let Some(in_place) = in_place {
                    in_place.on_done(id, result);
                }
                self.drive_in_place(core, links, file);
            }
        }
    }

    /// After a failed sync the kernel may show what never reached the disk and call it clean: no later run
    /// may go on from such a part, also not one after a kill before the part is removed.
    pub(super) fn distrust<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, machine: Machine) {
        let files = match (machine, &self.publisher.running) {
            (Machine::Checkpoint(file) | Machine::InPlace(file), _) => vec![file],
            (Machine::Batch, Some(running)) => running.files.clone(),
            (Machine::Batch, None) => Vec::new(),
        };
        for file in files {
            let Some(large) = self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()) else {
                continue;
            };
            large.distrusted = true;
            // What is written in place is never resumed, and stays marked as torn.
            let journal = large.journal.as_mut().filter(|_| large.in_place.is_none());
            if journal.is_some_and(|journal| journal.take_back(core).is_err())
                && let Some(incoming) = self.files.get(&file)
            {
                Journal::remove(core, JournalKind::Part, self.part_of(incoming).0);
            }
        }
    }

    /// A file has its final name.
    pub(super) fn published<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        file: FileIndex,
    ) {
        let Some(mut incoming) = self.files.remove(&file) else { return };
        let reused = incoming.reused();
        self.close_older(core, file, &mut incoming);
        let entry = &incoming.entry;
        let action = if incoming.existing.is_some() { FileAction::Replaced } else { FileAction::Created };
        let root = incoming.root.filter(|_| entry.kind == Kind::File);
        let what = (entry.size, root, incoming.resumed, None);
        self.count_content(core, &entry.path, Some(entry.kind), action, what, reused);
        self.count_end(&incoming, true);
        self.acknowledge(core, links, Level::Published, AckRange::Files { first: file, count: 1 });
        if let Some(fd) = incoming.fd {
            core.close(fd);
        }
        if incoming.large.as_ref().is_some_and(|large| large.journal.is_some()) {
            let part = self.part_of(&incoming);
            Journal::remove(core, JournalKind::Part, part.0);
        }
        if let Some(journal) = incoming.large.and_then(|large| large.journal) {
            core.close(journal.fd);
        }
        self.dirs.release(incoming.dir);
    }

    /// A verified file could not be put in place.
    pub(super) fn failed_here<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        file: FileIndex,
        code: Code,
    ) {
        let Some(incoming) = self.files.remove(&file) else { return };
        self.count_end(&incoming, false);
        let entry = &incoming.entry;
        self.count(core, &entry.path, entry.kind, FileAction::Failed, (entry.size, None, 0, Some(code)));
        // The sender counts it too; an Ack that is full is sent by the next step.
        let _ = self.ack_published.fail(file, code, &core.settings.limits);
        self.discard(core, file, incoming);
    }
}
