//! Does what the machines of `disk::publish` say: journals, syncs, renames, in their order.
//!
//! Metadata steps run inline, many at a time; writes and syncs are operations. Everything that is in
//! flight is in one table by tag, so that a transfer ends only after all of it came back.

use super::home::Home;
use crate::dirs::DirId;
use crate::links::{Links, MS};
use crate::ops::{Finish, Owner};
use crate::send::TransferKey;
use crate::tools::Core;
use base::codes::Code;
use base::entry::Kind;
use base::hooks::{FileAction, Hooks};
use base::ids::{ChunkIndex, FileIndex, PartId, TransferId};
use base::io::{Act, Errno, Fd, How, Io, Op};
use base::limits::Limits;
use base::name::{Name, RelPath};
use base::points::Point;
use disk::journal::{Append, Begin, JournalKind, Writer};
use disk::paths::ReservedName;
use disk::publish::{
    Checkpoint, DirRef, Durability, FileRef, JournalRef, Outcome, Publish, Step, StepId, TreePublication,
};
use proto::transfer::ack::{AckRange, Level};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A journal that is being appended to: one write in flight, in order.
pub(super) struct Journal {
    pub(super) fd: Fd,
    pub(super) writer: Writer,
    queue: VecDeque<(Append, Then)>,
    writing: bool,
}

/// What follows a journal write.
enum Then {
    Nothing,
    /// The chunks may be acknowledged as received.
    Received(FileIndex, Vec<ChunkIndex>),
    Step(Machine, StepId),
}

/// Whose step it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Machine {
    Batch,
    Checkpoint(FileIndex),
    InPlace(FileIndex),
}

/// Which journal it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Which {
    Transfer,
    Part(FileIndex),
}

/// What an operation in flight is for.
enum Flight {
    Write(Which, Then),
    Step(Machine, StepId),
    Reserve(FileIndex),
}

/// A batch that is being published.
struct Running {
    machine: TreePublication,
    files: Vec<FileIndex>,
    dirs: Vec<DirId>,
}

/// The publishing side of one transfer.
pub(super) struct Publisher<B> {
    id: TransferId,
    durability: Durability,
    journal: Option<Journal>,
    /// Verified files, in order.
    ready: VecDeque<FileIndex>,
    ready_bytes: u64,
    ready_since_ns: u64,
    batches: u32,
    running: Option<Running>,
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

impl Journal {
    pub(super) fn new(fd: Fd, writer: Writer) -> Self {
        Self { fd, writer, queue: VecDeque::new(), writing: false }
    }

    /// Opens and locks the journal file of this id.
    pub(super) fn open<I: Io, H: Hooks>(
        core: &mut Core<I, H>,
        id: &[u8; 16],
        kind: JournalKind,
        how: How,
    ) -> Result<Fd, Errno> {
        let text = format!("{}.{}", TransferId(*id), kind.extension());
        let name = Name::new(text.as_bytes()).map_err(|_| Errno::INVAL)?;
        let dir = core.settings.journal;
        let fd = core.open(|batch| {
            let path = batch.path(RelPath::from(name));
            Act::Open { dir, path, how }
        })?;
        if let Err(errno) = core.act(|_| Act::Lock { fd }) {
            core.close(fd);
            return Err(errno);
        }
        Ok(fd)
    }

    /// Begins the journal of a part.
    pub(super) fn begin_part<I: Io, H: Hooks>(
        core: &mut Core<I, H>,
        part: PartId,
        begin: &Begin,
    ) -> Result<Self, Code> {
        let (mut writer, head) = Writer::part(part, super::stage::hash, &core.settings.limits);
        let first = writer.begin(begin).map_err(|_| Code::TooLarge)?;
        let fd = Self::fresh(core, &part.0, JournalKind::Part)?;
        let mut journal = Self::new(fd, writer);
        journal.append(head, Then::Nothing);
        journal.append(first, Then::Nothing);
        Ok(journal)
    }

    fn begin_transfer<I: Io, H: Hooks>(core: &mut Core<I, H>, id: TransferId) -> Result<Self, Code> {
        let (writer, head) = Writer::transfer(id, super::stage::hash, &core.settings.limits);
        let fd = Self::fresh(core, &id.0, JournalKind::Transfer)?;
        let mut journal = Self::new(fd, writer);
        journal.append(head, Then::Nothing);
        Ok(journal)
    }

    fn fresh<I: Io, H: Hooks>(core: &mut Core<I, H>, id: &[u8; 16], kind: JournalKind) -> Result<Fd, Code> {
        let fd =
            Self::open(core, id, kind, How::CreateOrOpen { mode: 0o600 }).map_err(|errno| match errno {
                Errno::AGAIN => Code::Busy,
                errno => Code::from_errno(errno),
            })?;
        core.act(|_| Act::Resize { fd, size: 0 }).map_err(Code::from_errno)?;
        Ok(fd)
    }

    /// Removes the file of a journal nobody needs any more.
    fn remove<I: Io, H: Hooks>(core: &mut Core<I, H>, id: &[u8; 16], kind: JournalKind) {
        let text = format!("{}.{}", TransferId(*id), kind.extension());
        let dir = core.settings.journal;
        if let Ok(name) = Name::new(text.as_bytes()) {
            // What stays is swept when it has been idle for a week.
            let _ = core.act(|batch| {
                let name = batch.name(name);
                Act::Remove { dir, name, directory: false }
            });
        }
    }

    fn append(&mut self, append: Append, then: Then) {
        self.queue.push_back((append, then));
    }
}

impl<B> Publisher<B> {
    pub(super) fn new(id: TransferId, durability: Durability) -> Self {
        Self {
            id,
            durability,
            journal: None,
            ready: VecDeque::new(),
            ready_bytes: 0,
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

    /// A file is verified.
    pub(super) fn ready(&mut self, file: FileIndex) {
        self.ready.push_back(file);
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
        self.ready.len() + self.running.as_ref().map_or(0, |running| running.files.len())
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
        self.running.is_none() && self.ready.is_empty() && self.flights.is_empty() && self.in_place.is_empty()
    }

    fn tag(&mut self, flight: Flight) -> u64 {
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

    /// When a batch or checkpoint is due, monotonic ns.
    pub(super) fn deadline_ns(&self) -> u64 {
        let checkpoint = self.undurable.values().map(|(_, since)| *since).min().unwrap_or(u64::MAX);
        self.ready_since_ns.min(checkpoint).saturating_add(MS)
    }

    /// Closes the journals; of a transfer that ended well nothing stays.
    pub(super) fn close<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, well: bool) {
        if let Some(journal) = self.journal.take() {
            if well {
                Journal::remove(core, &self.id.0, JournalKind::Transfer);
            }
            core.close(journal.fd);
        }
    }

    fn batch_is_due(&self, limits: &Limits, now_ns: u64) -> bool {
        !self.ready.is_empty()
            && (self.durability != Durability::Tree
                || self.flush
                || self.ready.len() >= limits.tree_files_max as usize
                || self.ready_bytes >= limits.tree_bytes_max
                || now_ns.saturating_sub(self.ready_since_ns) >= limits.tree_ms * MS)
    }
}

fn owner(key: TransferKey, tag: u64) -> Owner {
    Owner::Receive { link: key.link, number: key.number, tag }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
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
        while self.publisher.running.is_none() && self.publisher.batch_is_due(&limits, core.now.mono_ns) {
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
            let Some(large) = self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()) else {
                continue;
            };
            let rows = core::mem::take(&mut large.rows);
            let Some(journal) = &mut large.journal else { continue };
            let append = journal.writer.received(&rows);
            let bytes = rows.len() as u64 * (1 << large.map.chunk_log2());
            journal.append(append, Then::Received(file, rows.iter().map(|row| row.chunk).collect()));
            self.publisher.appended.insert(file);
            if self.publisher.durability.syncs() {
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
            if !journal.queue.is_empty() || journal.writing {
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
            let Some(journal) = journal else { return };
            let Some((id, step)) = machine.next(&mut journal.writer) else { break };
            self.start_step(core, Machine::Checkpoint(file), id, step);
        }
        match machine.outcome() {
            None => drop(self.publisher.checkpoints.insert(file, machine)),
            Some(Outcome::Poisoned(code)) => {
                self.fail(code, format!("a sync failed ({}): check the disk", code.name()))
            }
            Some(Outcome::Held) => {
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

    /// Makes a batch of what is ready. `false`: there is nothing to run.
    fn begin_batch<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) -> bool {
        let limits = core.limits();
        let anchor = self.spec.anchor.clone();
        let mut machine = TreePublication::new(
            self.publisher.batches,
            anchor.as_bytes(),
            self.publisher.durability,
            &limits,
        );
        let (mut files, mut dirs) = (Vec::new(), Vec::new());
        while let Some(file) = self.publisher.ready.pop_front() {
            let Some(incoming) = self.files.get_mut(&file) else { continue };
            if let Some(code) = incoming.failed {
                self.failed_here(core, file, code);
                continue;
            }
            if let Some(in_place) = incoming.large.as_mut().and_then(|large| large.in_place.as_mut()) {
                let root = incoming.root.unwrap_or_default();
                in_place.close(root, incoming.meta);
                continue;
            }
            let path = self.dirs.path(incoming.dir).to_vec();
            let Ok(path) = RelPath::new(&path) else { continue };
            let dir = machine.directory(path);
            if dir.0 as usize == dirs.len() {
                self.dirs.keep(incoming.dir);
                dirs.push(incoming.dir);
            }
            let (Some(temp), Ok(name)) = (incoming.temp, Name::new(&incoming.name)) else { continue };
            let publish = Publish {
                dir,
                temp,
                name,
                inode: incoming.inode,
                root: incoming.root.unwrap_or_default(),
                meta: incoming.large.is_some().then_some(incoming.meta),
                symlink: incoming.entry.kind == Kind::Symlink,
                no_replace: false,
            };
            if machine.push(&publish).is_err() {
                self.publisher.ready.push_front(file);
                break;
            }
            files.push(file);
        }
        for path in core::mem::take(&mut self.new_parents) {
            let Ok(path) = RelPath::new(&path) else { continue };
            let dir = machine.directory(path);
            machine.parent(dir);
            if dir.0 as usize == dirs.len() {
                dirs.push(self.dirs.add(self.spec.root, path.as_bytes().to_vec(), None));
            }
        }
        self.publisher.ready_since_ns = u64::MAX;
        self.begin_run(core, machine, files, dirs)
    }

    /// Starts a filled batch.
    pub(super) fn begin_run<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        machine: TreePublication,
        files: Vec<FileIndex>,
        dirs: Vec<DirId>,
    ) -> bool {
        if machine.is_empty() {
            return false;
        }
        if self.publisher.durability.syncs() && self.publisher.journal.is_none() {
            match Journal::begin_transfer(core, self.spec.id) {
                Ok(journal) => self.publisher.journal = Some(journal),
                Err(code) => {
                    self.fail(
                        code,
                        "the transfer's journal cannot be written: check the state directory".to_owned(),
                    );
                    return false;
                }
            }
        }
        self.publisher.batches += 1;
        self.publisher.running = Some(Running { machine, files, dirs });
        true
    }

    /// An empty batch with the next number, for the transfer's last directories.
    pub(super) fn last_batch<I: Io<Buf = B>, H: Hooks>(&self, core: &Core<I, H>) -> TreePublication {
        let anchor = self.spec.anchor.as_bytes();
        TreePublication::new(self.publisher.batches, anchor, self.publisher.durability, &core.settings.limits)
    }

    /// Drives the running batch.
    pub(super) fn run_batch<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
    ) {
        let Some(mut running) = self.publisher.running.take() else { return };
        // Without syncs no journal is written, and none is asked for.
        let mut unused = Writer::transfer(self.spec.id, super::stage::hash, &core.settings.limits).0;
        loop {
            let mut renames = Renames::new(core);
            let mut worked = false;
            loop {
                let writer =
                    self.publisher.journal.as_mut().map_or(&mut unused, |journal| &mut journal.writer);
                let Some((id, step)) = running.machine.next(writer) else { break };
                worked = true;
                match step {
                    Step::Reach(point) => core.reach(point),
                    Step::Rename { dir, temp, name, how, .. } => {
                        let result = self.dirs.fd(core, running.dirs[dir.0 as usize]);
                        match result {
                            Ok(fd) => renames.push(id, fd, temp, name, how),
                            Err(errno) => running.machine.on_done(id, Err(errno)),
                        }
                        if renames.len() >= core.settings.limits.acts_inline_max as usize {
                            break;
                        }
                    }
                    step => {
                        if let Some(result) = self.batch_step(core, &running.files, &running.dirs, id, step) {
                            running.machine.on_done(id, result);
                        }
                    }
                }
            }
            for (id, result) in renames.run(core) {
                running.machine.on_done(id, result);
            }
            if !worked {
                break;
            }
        }
        match running.machine.outcome() {
            None => self.publisher.running = Some(running),
            Some(outcome) => self.end_batch(core, links, running, outcome),
        }
    }

    /// Starts one step of a batch; `Some`: it ended at once.
    fn batch_step<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        files: &[FileIndex],
        dirs: &[DirId],
        id: StepId,
        step: Step<'_>,
    ) -> Option<Result<(), Errno>> {
        let file = |file: FileRef| files.get(file.0 as usize).copied();
        let dir = |dir: DirRef| dirs[dir.0 as usize];
        match step {
            Step::SyncData(at) | Step::SyncFull(at) => {
                let data_only = matches!(step, Step::SyncData(_));
                let fd = file(at).and_then(|file| self.files.get(&file)?.fd);
                let Some(fd) = fd else { return Some(Err(Errno::IO)) };
                self.start_sync(core, Machine::Batch, id, fd, data_only);
                None
            }
            Step::SetMeta { file: at, meta } => {
                let fd = file(at).and_then(|file| self.files.get(&file)?.fd);
                let Some(fd) = fd else { return Some(Err(Errno::IO)) };
                Some(core.act(|_| Act::SetMeta { dir: fd, name: None, meta }).map(drop))
            }
            Step::SetDirMeta { dir: at, meta } => {
                let fd = self.dirs.fd(core, dir(at));
                Some(fd.and_then(|dir| core.act(|_| Act::SetMeta { dir, name: None, meta }).map(drop)))
            }
            Step::SyncDir(at) => match self.dirs.fd(core, dir(at)) {
                Ok(fd) => {
                    self.start_sync(core, Machine::Batch, id, fd, false);
                    None
                }
                Err(errno) => Some(Err(errno)),
            },
            Step::Append { bytes, offset, .. } => {
                if let Some(journal) = &mut self.publisher.journal {
                    journal.append(Append { offset, bytes, sequence: 0 }, Then::Step(Machine::Batch, id));
                }
                self.write_journals(core);
                None
            }
            Step::SyncJournal(_) => {
                let Some(fd) = self.publisher.journal.as_ref().map(|journal| journal.fd) else {
                    return Some(Err(Errno::IO));
                };
                self.start_sync(core, Machine::Batch, id, fd, true);
                None
            }
            Step::Link { dir: at, temp, name, .. } => {
                let fd = self.dirs.fd(core, dir(at));
                Some(fd.and_then(|dir| {
                    core.act(|batch| {
                        let (from, to) = (batch.name(temp.as_name()), batch.name(name));
                        Act::Link { from_dir: dir, from, to_dir: dir, to }
                    })
                    .map(drop)
                }))
            }
            Step::Discard { dir: at, temp, .. } => {
                let fd = self.dirs.fd(core, dir(at));
                Some(fd.and_then(|dir| {
                    core.act(|batch| {
                        let name = batch.name(temp.as_name());
                        Act::Remove { dir, name, directory: false }
                    })
                    .map(drop)
                }))
            }
            Step::Rename { .. } | Step::Reach(_) => None,
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
            Step::SyncJournal(_) => {
                let fd = journal.fd;
                self.start_sync(core, machine, id, fd, true);
            }
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

    fn start_sync<I: Io<Buf = B>, H: Hooks>(
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
    fn write_journals<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
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
        let result = finish.result;
        drop(finish.slot);
        match self.publisher.flights.remove(&tag) {
            Some(Flight::Write(which, then)) => self.on_journal_write(core, links, which, then, result),
            Some(Flight::Step(machine, id)) => self.on_step(core, links, machine, id, result.map(drop)),
            Some(Flight::Reserve(file)) if result == Err(Errno::NOSPC) => {
                self.on_write_failed(file, Code::NoSpace)
            }
            Some(Flight::Reserve(_)) | None => {}
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
        let journal = match which {
            Which::Transfer => self.publisher.journal.as_mut(),
            Which::Part(file) => {
                self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()?.journal.as_mut())
            }
        };
        let Some(journal) = journal else { return };
        journal.writing = false;
        let wanted = journal.queue.pop_front().map_or(0, |(append, _)| append.bytes.len() as u32);
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

    fn on_step<I: Io<Buf = B>, H: Hooks>(
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

    fn end_batch<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        running: Running,
        outcome: Outcome,
    ) {
        for dir in &running.dirs {
            self.dirs.release(core, *dir);
        }
        if let Outcome::Poisoned(code) = outcome {
            let message = format!(
                "a sync or journal write failed ({}): nothing of the batch counts; check the disk",
                code.name()
            );
            return self.fail(code, message);
        }
        for &(dir, code) in running.machine.directory_failures() {
            let path = running.machine.directory_path(dir).as_bytes().to_vec();
            core.hooks.event(&base::hooks::Event::Warning {
                code,
                message: "a directory's metadata could not be set",
                path: Some(&path),
            });
        }
        for (at, file) in running.files.iter().enumerate() {
            let at = FileRef(at as u32);
            if running.machine.is_published(at) {
                self.published(core, links, *file);
            } else {
                let failure = running.machine.failures().iter().find(|(other, _)| *other == at);
                self.failed_here(core, *file, failure.map_or(Code::Io, |(_, code)| *code));
            }
        }
    }

    /// A file has its final name.
    fn published<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        file: FileIndex,
    ) {
        let Some(incoming) = self.files.remove(&file) else { return };
        let entry = &incoming.entry;
        let action = if incoming.existing.is_some() { FileAction::Replaced } else { FileAction::Created };
        let root = incoming.root.filter(|_| entry.kind == Kind::File);
        self.count(core, &entry.path, entry.kind, action, (entry.size, root, incoming.resumed, None));
        self.acknowledge(core, links, Level::Published, AckRange::Files { first: file, count: 1 });
        if let Some(fd) = incoming.fd {
            core.close(fd);
        }
        if incoming.large.as_ref().is_some_and(|large| large.journal.is_some()) {
            let part = self.part_of(&incoming);
            Journal::remove(core, &part.0, JournalKind::Part);
        }
        if let Some(journal) = incoming.large.and_then(|large| large.journal) {
            core.close(journal.fd);
        }
        self.dirs.release(core, incoming.dir);
    }

    /// A verified file could not be put in place.
    fn failed_here<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, file: FileIndex, code: Code) {
        let Some(incoming) = self.files.remove(&file) else { return };
        let entry = &incoming.entry;
        self.count(core, &entry.path, entry.kind, FileAction::Failed, (entry.size, None, 0, Some(code)));
        // The sender counts it too; an Ack that is full is sent by the next step.
        let _ = self.ack_published.fail(file, code, &core.settings.limits);
        self.discard(core, incoming);
    }
}

impl Journal {
    fn next_write<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) -> Option<(Op<I::Buf>, Then)> {
        if self.writing || self.queue.is_empty() {
            return None;
        }
        let mut buf = core.io.take()?;
        let (append, then) = self.queue.front_mut()?;
        let len = append.bytes.len().min(buf.as_mut().len());
        buf.as_mut()[..len].copy_from_slice(&append.bytes[..len]);
        self.writing = true;
        let then = core::mem::replace(then, Then::Nothing);
        let (file, offset, len) = (self.fd, append.offset, len as u32);
        Some((Op::Write { file, offset, buf, at: 0, len, uncached: false }, then))
    }
}

/// Renames that run in one batch.
struct Renames<B> {
    batch: base::io::Batch<B>,
    ids: Vec<StepId>,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Renames<B> {
    fn new<I: Io<Buf = B>, H: Hooks>(core: &mut Core<I, H>) -> Self {
        Self { batch: core.batch(), ids: Vec::new() }
    }

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn push(&mut self, id: StepId, dir: Fd, temp: ReservedName, name: Name<'_>, how: base::io::RenameHow) {
        let (from, to) = (self.batch.name(temp.as_name()), self.batch.name(name));
        self.batch.push(Act::Rename { from_dir: dir, from, to_dir: dir, to, how });
        self.ids.push(id);
    }

    fn run<I: Io<Buf = B>, H: Hooks>(mut self, core: &mut Core<I, H>) -> Vec<(StepId, Result<(), Errno>)> {
        if !self.ids.is_empty() {
            core.io.act(&mut self.batch);
        }
        let results = self.batch.results.iter().map(|result| result.map(drop));
        let ended = self.ids.iter().copied().zip(results).collect();
        core.recycle(self.batch);
        ended
    }
}
