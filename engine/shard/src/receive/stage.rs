//! Files on their way: small ones from packs into temps, large ones from chunks into parts.

use super::ReceiveMail;
use super::delta::Older;
use super::home::Home;
use super::journal::Journal;
use super::lane::Grant;
use crate::dirs::DirId;
use crate::link::LinkId;
use crate::links::Links;
use crate::mailbox::Mail;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Entry, Kind, Meta, Stat};
use base::hooks::{FileAction, Hooks};
use base::ids::{ChunkIndex, CoreId, FileIndex, PartId, Value};
use base::io::{Act, ActOut, Fd, How, Io};
use base::name::{Name, RelPath};
use base::points::Point;
use disk::journal::{Begin, ChunkValue, JournalKind};
use disk::manifest::ChunkMap;
use disk::paths::{PartKey, ReservedName, part_id, part_name};
use disk::publish::InPlace;
use proto::transfer::ack::{AckRange, Level};
use proto::transfer::chunk::{Chunks, root_of};
use proto::transfer::merkle::entry_root;
use proto::transfer::offer::Verify;
use proto::transfer::want::Verdict;

/// One wanted entry until it is published or has failed.
pub(super) struct Incoming {
    pub(super) entry: Entry,
    pub(super) dir: DirId,
    pub(super) name: Box<[u8]>,
    pub(super) meta: Meta,
    /// What has that name now.
    pub(super) existing: Option<Stat>,
    /// Our own root of what came.
    pub(super) root: Option<Value>,
    /// Why it will not be published.
    pub(super) failed: Option<Code>,
    /// Its seal is verified: what is published syncs it, nothing else does.
    pub(super) verified: bool,
    /// Its account's sum waits to hear whether it got its name.
    pub(super) counted: bool,
    /// The seal that names it.
    pub(super) seal: Option<u32>,
    pub(super) temp: Option<ReservedName>,
    pub(super) inode: u64,
    /// Held open for its sync.
    pub(super) fd: Option<Fd>,
    pub(super) large: Option<Box<Large>>,
    pub(super) resumed: u64,
}

/// What a file in chunks has beside.
pub(super) struct Large {
    pub(super) map: ChunkMap,
    pub(super) journal: Option<Journal>,
    pub(super) in_place: Option<InPlace>,
    /// Lanes that hold a grant.
    pub(super) lanes: Vec<(LinkId, CoreId)>,
    /// Lanes that wait for one.
    pub(super) asking: Vec<(LinkId, CoreId)>,
    /// Chunks to name in the journal, then in an Ack.
    pub(super) rows: Vec<ChunkValue>,
    pub(super) opened: bool,
    /// An earlier run wrote to it.
    pub(super) resumed: bool,
    /// A sync of it failed.
    pub(super) distrusted: bool,
    /// It is built out of an older one.
    pub(super) older: Option<Older>,
}

impl Incoming {
    pub(super) fn new(entry: Entry, dir: DirId, name: Box<[u8]>, meta: Meta, existing: Option<Stat>) -> Self {
        let root = entry_root(&entry);
        Self {
            entry,
            dir,
            name,
            meta,
            existing,
            root,
            failed: None,
            verified: false,
            counted: false,
            seal: None,
            temp: None,
            inode: 0,
            fd: None,
            large: None,
            resumed: 0,
        }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Takes a wanted entry in. `None`: the part of an earlier run is being re-hashed first.
    pub(super) fn want_file<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        mut incoming: Incoming,
    ) -> Option<Verdict> {
        let journalled = entry_is_journalled(&incoming, core.settings.limits.journal_file_bytes_min);
        if !journalled {
            self.note_staging(core, incoming.dir);
        }
        let entry = &incoming.entry;
        if entry.kind == Kind::Symlink {
            self.symlinks.push(index);
        } else if entry.chunk_log2 > 0 {
            let map = match ChunkMap::new(entry.size, entry.chunk_log2, &core.settings.limits) {
                Ok(map) => map,
                Err(_) => {
                    let entry = entry.clone();
                    self.dirs.release(incoming.dir);
                    return Some(self.refuse(core, &entry, Code::TooLarge));
                }
            };
            incoming.large = Some(Box::new(Large {
                map,
                journal: None,
                in_place: None,
                lanes: Vec::new(),
                asking: Vec::new(),
                rows: Vec::new(),
                opened: false,
                resumed: false,
                distrusted: false,
                older: None,
            }));
        }
        let verdict = if incoming.existing.is_some() { Verdict::Replace } else { Verdict::All };
        self.files.insert(index, incoming);
        if journalled && !self.spec.options.inplace && self.begin_resume(core, index) {
            return None;
        }
        Some(self.with_pieces(core, index, verdict))
    }

    /// Makes the temp of a symlink.
    pub(super) fn make_symlink<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, index: FileIndex) {
        let Some(mut incoming) = self.files.remove(&index) else { return };
        incoming.failed = self.try_symlink(core, index, &mut incoming).err();
        self.files.insert(index, incoming);
    }

    fn try_symlink<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        incoming: &mut Incoming,
    ) -> Result<(), Code> {
        let temp = self.temps.name(index);
        let fd = self.dirs.fd(core, incoming.dir).map_err(Code::from_errno)?;
        let target = incoming.entry.target.clone();
        core.act(|batch| {
            let name = batch.name(temp.as_name());
            let target = batch.text(&target);
            Act::Symlink { dir: fd, name, target }
        })
        .map_err(Code::from_errno)?;
        let meta = Meta { mode: None, ..incoming.meta };
        core.act(|batch| {
            let name = Some(batch.name(temp.as_name()));
            Act::SetMeta { dir: fd, name, meta }
        })
        .map_err(Code::from_errno)?;
        incoming.temp = Some(temp);
        Ok(())
    }

    pub(super) fn part_of(&self, incoming: &Incoming) -> PartId {
        self.part_of_entry(&incoming.entry)
    }

    pub(super) fn part_of_entry(&self, entry: &Entry) -> PartId {
        let full = self.place_of(entry);
        let path = RelPath::new(&full).unwrap_or(RelPath::ROOT);
        let (peer, anchor) = (self.spec.peer, self.spec.anchor.as_bytes());
        let (size, mtime) = (entry.size, entry.mtime);
        part_id(hash, &PartKey { peer, anchor, path, size, mtime })
    }

    /// What a part journal says of an entry.
    pub(super) fn begin_of(&self, entry: &Entry, in_place: bool) -> Begin {
        let path = self.place_of(entry);
        let mut entry = entry.clone();
        entry.path = path;
        entry.target = Vec::new();
        Begin { anchor: self.spec.anchor.as_bytes().to_vec(), entry, in_place }
    }

    /// A lane asks what it may do with a file.
    pub(super) fn on_need<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        file: FileIndex,
        lane: LinkId,
        lane_core: CoreId,
    ) {
        if self.result.is_some() {
            return self.grant(core, file, lane, lane_core, None);
        }
        let complete =
            |incoming: &Incoming| incoming.large.as_ref().is_some_and(|large| large.map.is_complete());
        if self.files.get(&file).is_some_and(complete) {
            // A chunk that was lost with a stream and came all the same: the file may be closed at any moment.
            return self.grant(core, file, lane, lane_core, None);
        }
        let opened = self.open_large(core, file);
        let Some(incoming) = self.files.get_mut(&file) else {
            return self.grant(core, file, lane, lane_core, None);
        };
        let Some(large) = &mut incoming.large else { return self.grant(core, file, lane, lane_core, None) };
        if let Err(code) = opened {
            self.on_write_failed(file, code);
            return self.grant(core, file, lane, lane_core, None);
        }
        let sharing =
            large.share(core, incoming.fd, incoming.entry.size, &mut self.publisher, (self.key, file));
        if sharing || large.in_place.as_ref().is_some_and(|in_place| !in_place.is_open()) {
            return large.asking.push((lane, lane_core));
        }
        if large.in_place.is_some()
            && large.lanes.is_empty()
            && let Some(fd) = incoming.fd
            && let Err(errno) = core.act(|_| Act::Resize { fd, size: incoming.entry.size })
        {
            self.on_write_failed(file, Code::from_errno(errno));
            return self.grant(core, file, lane, lane_core, None);
        }
        large.lanes.push((lane, lane_core));
        let (Some(fd), Ok(chunks)) = (incoming.fd, Chunks::of(&incoming.entry, &core.settings.limits)) else {
            return self.grant(core, file, lane, lane_core, None);
        };
        let uncached = incoming.entry.size >= core.settings.limits.journal_file_bytes_min
            && core.settings.uncached_writes;
        let shared = large.older.as_ref().is_some_and(Older::is_shared);
        // Where holes go there may be the old content, or what an earlier run wrote and a loss of power tore.
        let punch = self.spec.options.inplace && incoming.existing.is_some() || large.resumed || shared;
        let sparse = incoming.entry.allocated < incoming.entry.size;
        let older = large.older.as_ref().and_then(|older| Some((older.fd?, older.size)));
        // What is copied out of an older file was in no record: no tag vouches for it.
        let hashes = self.spec.options.verify == Verify::Full || older.is_some();
        let compressed = self.spec.options.compress;
        let grant = Grant { fd, chunks, uncached, punch, sparse, older, shared, hashes, compressed };
        self.grant(core, file, lane, lane_core, Some(grant));
    }

    /// Lanes that waited for a file to be marked.
    pub(super) fn grant_waiting<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, file: FileIndex) {
        let Some(large) = self.files.get_mut(&file).and_then(|incoming| incoming.large.as_mut()) else {
            return;
        };
        for (lane, lane_core) in core::mem::take(&mut large.asking) {
            self.on_need(core, file, lane, lane_core);
        }
    }

    fn grant<I: Io<Buf = B>, H: Hooks>(
        &self,
        core: &mut Core<I, H>,
        file: FileIndex,
        lane: LinkId,
        lane_core: CoreId,
        grant: Option<Grant>,
    ) {
        let mail = ReceiveMail::Grant { lane, home: self.key, file, grant };
        core.post(lane_core, Mail::Receive(mail));
    }

    /// Creates the part, or opens what is written in place.
    fn open_large<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        file: FileIndex,
    ) -> Result<(), Code> {
        let Some(incoming) = self.files.get(&file) else { return Err(Code::NotFound) };
        if incoming.large.as_ref().is_none_or(|large| large.opened) {
            return incoming.failed.map_or(Ok(()), Err);
        }
        let part = self.part_of(incoming);
        let (entry, dir) = (incoming.entry.clone(), incoming.dir);
        let old = incoming.existing.filter(|stat| stat.kind == Some(Kind::File));
        let in_place = self.spec.options.inplace && old.is_some();
        let target = incoming.name.clone();
        let dir = self.dirs.fd(core, dir).map_err(Code::from_errno)?;
        let journalled = entry.size > core.settings.limits.journal_file_bytes_min || in_place;
        // Whoever holds the journal owns the part; without one the part is this transfer's alone.
        let staged = if journalled { part_name(part) } else { self.temps.name(file) };
        let journal = match journalled {
            true => Some(Journal::begin_part(core, part, &self.begin_of(&entry, in_place))?),
            false => None,
        };
        let name = if in_place { Name::new(&target).map_err(|_| Code::BadPath)? } else { staged.as_name() };
        let how = if in_place { How::Write } else { How::CreateOrOpen { mode: 0o600 } };
        let opened = core
            .open(|batch| {
                let path = batch.path(RelPath::from(name));
                Act::Open { dir, path, how }
            })
            .map_err(Code::from_errno);
        let sized = opened.and_then(|fd| {
            core.reach(Point::PartCreated);
            let inode = self.size_part(core, file, fd, &entry, in_place);
            inode.inspect_err(|_| core.close(fd)).map(|inode| (fd, inode))
        });
        let (fd, inode) = match sized {
            Ok(sized) => sized,
            Err(code) => {
                if let Some(journal) = journal {
                    Journal::remove(core, JournalKind::Part, part.0);
                    core.close(journal.fd);
                }
                return Err(code);
            }
        };
        let syncs = self.spec.durability.syncs();
        let Some(incoming) = self.files.get_mut(&file) else { return Err(Code::NotFound) };
        incoming.fd = Some(fd);
        incoming.inode = inode;
        incoming.temp = (!in_place).then_some(staged);
        if let Some(large) = &mut incoming.large {
            large.opened = true;
            large.journal = journal;
            large.in_place = in_place.then(|| InPlace::new(disk::publish::FileRef(0), inode, syncs));
        }
        self.publisher.journal_begun(file);
        if in_place {
            self.publisher.mark(file);
        }
        Ok(())
    }

    fn size_part<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        file: FileIndex,
        fd: Fd,
        entry: &Entry,
        in_place: bool,
    ) -> Result<u64, Code> {
        let stat = match core.act(|_| Act::Stat { dir: fd, name: None }) {
            Ok(ActOut::Stat(stat)) if stat.kind == Some(Kind::File) && (in_place || stat.links == 1) => stat,
            Ok(_) => return Err(Code::Conflict),
            Err(errno) => return Err(Code::from_errno(errno)),
        };
        if !in_place && stat.size > 0 {
            core.act(|_| Act::Resize { fd, size: 0 }).map_err(Code::from_errno)?;
        }
        // What is written in place keeps its size until it is marked torn.
        if !in_place {
            core.act(|_| Act::Resize { fd, size: entry.size }).map_err(Code::from_errno)?;
        }
        let whole = entry.allocated >= entry.size;
        if let Ok(ActOut::Space { free, .. }) = core.act(|_| Act::SpaceOf { fd })
            && whole
            && free < entry.size.saturating_sub(if in_place { stat.allocated } else { 0 })
        {
            return Err(Code::NoSpace);
        }
        if whole && self.spec.durability.syncs() && !in_place {
            let len = entry.size;
            self.publisher.reserve(core, self.key, file, fd, len);
            core.reach(Point::PartReserved);
        }
        Ok(stat.inode)
    }

    /// A chunk is written whole on some lane: its value here and there, its bytes and those out of an older file.
    pub(super) fn on_chunk<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        (file, chunk): (FileIndex, ChunkIndex),
        (own, theirs): (Value, Value),
        (len, copied): (u32, u32),
    ) {
        self.totals.bytes += u64::from(len - copied);
        core.reach(Point::ChunkWritten);
        // Of a file that has failed meanwhile nothing counts, also not what its older one no longer gives.
        if !self.files.contains_key(&file) {
            return;
        }
        if own != theirs {
            if copied > 0 && self.ask_whole(core, links, file, chunk) {
                return;
            }
            let message = "a chunk arrived that is not what the sender read: run again; if it stays, check memory and disks";
            return self.fail(Code::Integrity, message.to_owned());
        }
        let Some(incoming) = self.files.get_mut(&file) else { return };
        let Some(large) = &mut incoming.large else { return };
        let again = large.map.value(chunk).is_some();
        if large.map.receive(chunk, own).is_err() {
            return;
        }
        // One that was lost with its stream may come twice; what is told of a file never exceeds the file.
        if let Some(older) = large.older.as_mut().filter(|_| !again) {
            older.reused += u64::from(copied);
            self.totals.bytes_reused += u64::from(copied);
        }
        let (complete, journalled) = (large.map.is_complete(), large.journal.is_some());
        if journalled {
            large.rows.push(ChunkValue { chunk, value: own });
            self.publisher.journal_rows(file);
        } else {
            // Without a journal `received` promises nothing a crash could break.
            self.ack_chunks(core, links, file, &[chunk], Level::Received);
        }
        if complete {
            let large = self.files.get(&file).and_then(|incoming| incoming.large.as_ref());
            let root = large.and_then(|large| large.map.values()).map(root_of);
            self.release_lanes(core, file);
            if let Some(incoming) = self.files.get_mut(&file) {
                incoming.root =
                    root.filter(|_| incoming.large.as_ref().is_none_or(|large| large.lanes.is_empty()));
                if incoming.root.is_some() {
                    self.on_root(core, file);
                }
            }
        }
    }

    /// No lane shall write the file any more.
    fn release_lanes<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, file: FileIndex) {
        let Some(large) = self.files.get(&file).and_then(|incoming| incoming.large.as_ref()) else { return };
        for &(lane, lane_core) in &large.lanes {
            let mail = ReceiveMail::Release { lane, home: self.key, file };
            core.post(lane_core, Mail::Receive(mail));
        }
    }

    /// A lane has let go of a file; the last one makes its root count.
    pub(super) fn on_released<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        file: FileIndex,
        lane: LinkId,
        lane_core: CoreId,
    ) {
        if let Some(leaving) = self.leaving.get_mut(&file) {
            let lanes = leaving.large.as_mut().map(|large| &mut large.lanes);
            let over = lanes.is_none_or(|lanes| {
                lanes.retain(|other| *other != (lane, lane_core));
                lanes.is_empty()
            });
            if over && let Some(incoming) = self.leaving.remove(&file) {
                self.discard(core, file, incoming);
            }
            return;
        }
        let Some(incoming) = self.files.get_mut(&file) else { return };
        let Some(large) = &mut incoming.large else { return };
        large.lanes.retain(|other| *other != (lane, lane_core));
        if large.lanes.is_empty() && large.map.is_complete() && incoming.root.is_none() {
            incoming.root = large.map.values().map(root_of);
            self.on_root(core, file);
        }
    }

    /// A file could not be written here.
    pub(super) fn on_write_failed(&mut self, file: FileIndex, code: Code) {
        let Some(incoming) = self.files.get_mut(&file) else { return };
        if incoming.failed.replace(code).is_some() {
            return;
        }
        if incoming.large.is_some() {
            // Its root will never be known: the batch cannot be verified, so the whole transfer ends, resumable.
            let message = format!(
                "cannot write {}: {}; free space or check the disk, then run the same command again",
                disk::escape::Escaped(&incoming.entry.path),
                code.name()
            );
            self.fail(code, message);
        }
    }

    /// A file will not come: the sender could not read it.
    pub(super) fn drop_file<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        file: FileIndex,
        code: Code,
    ) {
        self.release_lanes(core, file);
        let Some(incoming) = self.files.remove(&file) else { return };
        self.count_end(&incoming, false);
        let entry = &incoming.entry;
        self.count(core, &entry.path, entry.kind, FileAction::Failed, (entry.size, None, 0, Some(code)));
        self.totals.vanished += u64::from(code == Code::Vanished);
        self.failed_reads |= code != Code::Vanished;
        if incoming.large.as_ref().is_none_or(|large| large.lanes.is_empty()) {
            return self.discard(core, file, incoming);
        }
        // Its descriptors are closed once no lane works on them.
        self.leaving.insert(file, incoming);
    }

    /// Lets go of a file that was not published: its temp goes, its part stays for a rerun.
    pub(super) fn discard<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        file: FileIndex,
        mut incoming: Incoming,
    ) {
        self.close_older(core, file, &mut incoming);
        // Whoever waits to write it shall not wait for ever.
        let asking =
            incoming.large.as_mut().map(|large| core::mem::take(&mut large.asking)).unwrap_or_default();
        for (lane, lane_core) in asking {
            self.grant(core, file, lane, lane_core, None);
        }
        let resumable =
            incoming.large.as_ref().is_some_and(|large| large.journal.is_some() && !large.distrusted);
        if let Some(temp) = incoming.temp
            && !resumable
            && let Ok(dir) = self.dirs.fd(core, incoming.dir)
        {
            // A temp that cannot be removed is swept when its transfer is known to be over.
            let _ = core.act(|batch| {
                let name = batch.name(temp.as_name());
                Act::Remove { dir, name, directory: false }
            });
        }
        if let Some(fd) = incoming.fd {
            core.close(fd);
        }
        // What is written in place stays marked as torn, whatever became of its syncs.
        let in_place = incoming.large.as_ref().is_some_and(|large| large.in_place.is_some());
        if !resumable && !in_place && incoming.large.as_ref().is_some_and(|large| large.journal.is_some()) {
            Journal::remove(core, JournalKind::Part, self.part_of(&incoming).0);
        }
        if let Some(journal) = incoming.large.and_then(|large| large.journal) {
            core.close(journal.fd);
        }
        self.dirs.release(incoming.dir);
    }

    /// Lets go of every file.
    pub(super) fn close_files<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let leaving = core::mem::take(&mut self.leaving);
        for (file, incoming) in core::mem::take(&mut self.files).into_iter().chain(leaving) {
            self.discard(core, file, incoming);
        }
    }

    /// Chunks that are named in the journal may be acknowledged as received.
    pub(super) fn ack_chunks<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        file: FileIndex,
        chunks: &[ChunkIndex],
        level: Level,
    ) {
        for chunk in chunks {
            let range = AckRange::Chunks { file, first: chunk.0, count: 1 };
            self.acknowledge(core, links, level, range);
            if level == Level::Received {
                self.on_named(file);
            }
        }
    }
}

/// Whether it is staged as a part with a journal of its own, else as a temp of the transfer.
fn entry_is_journalled(incoming: &Incoming, above: u64) -> bool {
    incoming.entry.chunk_log2 > 0 && incoming.entry.size > above
}

/// BLAKE3 of the parts, one after the other: what `disk` derives names and checks from.
pub(crate) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}
