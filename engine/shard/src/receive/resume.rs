//! The part of an earlier run: its journal is read, what it names is hashed again, what still holds is kept.
//!
//! ```text
//! Reading the .xj -> decide -> Hashing the part -> Want with the chunks that are missing
//! ```
//!
//! The entries behind the file wait meanwhile: their answers come in order.

use super::home::Home;
use super::journal::Journal;
use crate::dirs::DirId;
use crate::journal_file;
use crate::links::{Links, MS};
use crate::mailbox::Mail;
use crate::ops::{Finish, Owner};
use crate::tools::Core;
use base::codes::Code;
use base::entry::Entry;
use base::hooks::Hooks;
use base::ids::{CoreId, FileIndex, PartId, TransferId};
use base::io::{Act, ActOut, Errno, Fd, How, Io, Op};
use base::limits::DATA_AT;
use base::name::RelPath;
use base::points::Point;
use disk::journal::{JournalKind, Reader};
use disk::paths::part_name;
use disk::resume::{PartDecision, PartJournal, RangeToHash, Rehash};
use proto::transfer::chunk::{ChunkHasher, Chunks, root_of};
use proto::transfer::want::{ChunkRange, Verdict};

/// Tag of a home's operation that belongs to the resume.
pub(super) const TAG: u64 = 1 << 62;

/// How long an older transfer of the same file may take to let go.
const YIELD_MS: u64 = 10_000;

/// One part of an earlier run.
pub(super) struct Resume {
    index: FileIndex,
    part: PartId,
    journal: Fd,
    reading: bool,
    phase: Phase,
}

enum Phase {
    /// Another transfer holds the journal and was asked to let go.
    Waiting {
        until_ns: u64,
    },
    Reading {
        reader: Box<Reader>,
        records: Box<PartJournal>,
        offset: u64,
    },
    Hashing {
        rehash: Box<Rehash>,
        chunks: Chunks,
        now: Option<Box<(RangeToHash, ChunkHasher, u32)>>,
        fd: Fd,
    },
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Looks for the part of an earlier run. `true`: there is a journal, and the verdict follows.
    pub(super) fn begin_resume<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
    ) -> bool {
        let Some(incoming) = self.files.get(&index) else { return false };
        let part = self.part_of(incoming);
        let journal = match journal_file::open(core, JournalKind::Part, part.0, How::Write) {
            Ok(journal) => journal,
            Err(Errno::AGAIN) => {
                for to in 0..core.mail.cores() {
                    core.post(CoreId(to), Mail::Yield { part, to: self.spec.id });
                }
                self.wait_for(index, part, core.now.mono_ns + YIELD_MS * MS);
                return true;
            }
            Err(Errno::NOENT) => return false,
            // It may be there: to begin anew would throw away what was acknowledged.
            Err(_) => {
                self.wait_for(index, part, core.now.mono_ns + YIELD_MS * MS);
                return true;
            }
        };
        self.read_journal(core, index, part, journal);
        true
    }

    /// What is there already is what is offered: a part of an earlier run has become useless.
    pub(super) fn drop_part<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        entry: &Entry,
        dir: DirId,
    ) {
        if self.spec.options.dry_run || entry.size <= core.settings.limits.journal_file_bytes_min {
            return;
        }
        let part = self.part_of_entry(entry);
        let Ok(journal) = journal_file::open(core, JournalKind::Part, part.0, How::Write) else { return };
        let removed = self.dirs.fd(core, dir).and_then(|dir| {
            core.act(|batch| {
                let name = batch.name(part_name(part).as_name());
                Act::Remove { dir, name, directory: false }
            })
        });
        // What cannot be removed goes when it has been idle long enough.
        if matches!(removed, Ok(_) | Err(Errno::NOENT)) {
            Journal::remove(core, JournalKind::Part, part.0);
        }
        core.close(journal);
    }

    fn read_journal<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        part: PartId,
        journal: Fd,
    ) {
        core.reach(Point::RecoverOpened);
        let reader = Reader::new(JournalKind::Part, super::stage::hash, &core.settings.limits);
        let records = PartJournal::new(&core.settings.limits);
        let phase = Phase::Reading { reader: Box::new(reader), records: Box::new(records), offset: 0 };
        self.resume = Some(Resume { index, part, journal, reading: false, phase });
    }

    /// A read of the resume is in flight.
    pub(super) fn resume_reads(&self) -> bool {
        self.resume.as_ref().is_some_and(|resume| resume.reading)
    }

    /// Asks for the next bytes, of the journal or of the part.
    pub(super) fn resume_on<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
    ) {
        let Some(resume) = &mut self.resume else { return };
        if resume.reading {
            return;
        }
        let record_bytes = core.settings.limits.record_bytes;
        if let Phase::Waiting { until_ns } = resume.phase {
            return self.ask_again(core, links, until_ns);
        }
        let (file, offset, len) = match &mut resume.phase {
            Phase::Waiting { .. } => return,
            Phase::Reading { offset, .. } => (resume.journal, *offset, record_bytes),
            Phase::Hashing { rehash, chunks, now, fd } => {
                if now.is_none() {
                    *now = rehash.next_range().and_then(|range| {
                        let hasher = ChunkHasher::new(chunks, range.chunk)?;
                        Some(Box::new((range, hasher, 0)))
                    });
                }
                match now {
                    Some(piece) => {
                        let (range, _, done) = &**piece;
                        let left = (range.len - u64::from(*done)).min(u64::from(record_bytes));
                        (*fd, range.offset + u64::from(*done), left as u32)
                    }
                    None => return self.end_resume(core, links),
                }
            }
        };
        let Some(buf) = core.io.take() else { return };
        resume.reading = true;
        let owner = Owner::Receive { link: self.key.link, number: self.key.number, tag: TAG };
        core.start(owner, Op::Read { file, offset, buf, at: DATA_AT, len, uncached: false });
    }

    fn wait_for(&mut self, index: FileIndex, part: PartId, until_ns: u64) {
        let phase = Phase::Waiting { until_ns };
        self.resume = Some(Resume { index, part, journal: Fd(-1), reading: false, phase });
    }

    /// Tries for the journal another transfer held.
    fn ask_again<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        until_ns: u64,
    ) {
        let Some(Resume { index, part, .. }) = self.resume.take() else { return };
        match journal_file::open(core, JournalKind::Part, part.0, How::Write) {
            Err(Errno::NOENT) => {
                let verdict = self.with_pieces(core, index, Verdict::All);
                self.answer_one(core, links, index, &verdict);
            }
            Err(_) if core.now.mono_ns < until_ns => self.wait_for(index, part, until_ns),
            Err(errno) => {
                self.wait_for(index, part, until_ns);
                self.refuse_resume(core, links, errno);
            }
            Ok(journal) => {
                self.read_journal(core, index, part, journal);
                self.resume_on(core, links);
            }
        }
    }

    /// The journal cannot be had or read: to begin anew would throw away what was acknowledged.
    fn refuse_resume<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        errno: Errno,
    ) {
        let Some(Resume { index, journal, .. }) = self.resume.take() else { return };
        if journal.0 >= 0 {
            core.close(journal);
        }
        let code = if errno == Errno::AGAIN { Code::Busy } else { Code::from_errno(errno) };
        if let Some(incoming) = self.files.remove(&index) {
            let verdict = self.refuse(core, &incoming.entry, code);
            self.discard(core, index, incoming);
            self.answer_one(core, links, index, &verdict);
        }
    }

    /// Lets go of a journal that is being read; one whose part is being hashed is the file's.
    pub(super) fn close_resume<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if let Some(Resume { journal, phase: Phase::Reading { .. }, .. }) = self.resume.take() {
            core.close(journal);
        }
    }

    /// Whether it is this transfer.
    pub(super) fn is(&self, id: TransferId) -> bool {
        self.spec.id == id
    }

    /// Whether this transfer stages that part.
    pub(super) fn holds(&self, part: PartId) -> bool {
        let name = part_name(part);
        let reads = |resume: &Resume| resume.part == part && !matches!(resume.phase, Phase::Waiting { .. });
        self.resume.as_ref().is_some_and(reads)
            || self.files.values().any(|incoming| incoming.fd.is_some() && incoming.temp == Some(name))
    }

    /// A read of the resume ended.
    pub(super) fn on_resume<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        finish: Finish<B>,
    ) {
        let record_bytes = core.settings.limits.record_bytes;
        let Some(resume) = &mut self.resume else { return };
        resume.reading = false;
        if let (Err(errno), Phase::Reading { .. }) = (finish.result, &resume.phase) {
            drop(finish.slot);
            return self.refuse_resume(core, links, errno);
        }
        let count = finish.result.unwrap_or(0);
        let bytes = match &finish.slot {
            Some(slot) => &slot.as_ref()[DATA_AT as usize..(DATA_AT + count) as usize],
            None => &[],
        };
        match &mut resume.phase {
            Phase::Waiting { .. } => {}
            Phase::Reading { reader, records, offset } => {
                reader.feed(bytes);
                while let Some((sequence, record)) = reader.next_record() {
                    records.apply(sequence, record);
                }
                *offset += u64::from(count);
                if count < record_bytes || reader.is_over() {
                    drop(finish.slot);
                    return self.decide_resume(core, links);
                }
            }
            Phase::Hashing { rehash, now, .. } => {
                if let Some(piece) = now.take() {
                    let (range, mut hasher, done) = *piece;
                    hasher.update(bytes);
                    let done = done + count;
                    if u64::from(done) == range.len {
                        rehash.on_hashed(range.chunk, Some(hasher.finish()));
                    } else if count == 0 {
                        rehash.on_hashed(range.chunk, None);
                    } else {
                        *now = Some(Box::new((range, hasher, done)));
                    }
                }
            }
        }
        drop(finish.slot);
        if self.result.is_none() {
            self.resume_on(core, links);
        }
    }

    /// The journal is read: is there a part worth keeping?
    fn decide_resume<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        let Some(Resume { index, part, journal, phase, .. }) = self.resume.take() else { return };
        let Phase::Reading { reader, records, .. } = phase else { return };
        let scanned = reader.finish();
        let Some(incoming) = self.files.get(&index) else { return core.close(journal) };
        let (entry, dir) = (incoming.entry.clone(), incoming.dir);
        let offered = self.begin_of(&entry, false);
        let fd = self.dirs.fd(core, dir).and_then(|dir| {
            core.open(|batch| {
                let path = batch.path(RelPath::from(part_name(part).as_name()));
                Act::Open { dir, path, how: How::Write }
            })
        });
        let stat = match fd.as_ref().map(|fd| core.act(|_| Act::Stat { dir: *fd, name: None })) {
            Ok(Ok(ActOut::Stat(stat))) => Some(stat),
            _ => None,
        };
        let cut = core.act(|_| Act::Resize { fd: journal, size: scanned.valid_bytes });
        if let (Ok(fd), Some(stat)) = (&fd, &stat)
            && stat.size != entry.size
        {
            // A hole at the end is not written, so the size is set again. Where that fails, so do the writes.
            let _ = core.act(|_| Act::Resize { fd: *fd, size: entry.size });
        }
        core.reach(Point::RecoverTruncated);
        let chunks = Chunks::of(&entry, &core.settings.limits);
        match (records.decide(&offered, stat.as_ref()), scanned.writer, fd, chunks, cut) {
            (PartDecision::Keep(rehash), Some(writer), Ok(fd), Ok(chunks), Ok(_)) => {
                if let Some(incoming) = self.files.get_mut(&index) {
                    incoming.fd = Some(fd);
                    incoming.inode = stat.map_or(0, |stat| stat.inode);
                    incoming.temp = Some(part_name(part));
                    if let Some(large) = &mut incoming.large {
                        large.journal = Some(Journal::new(journal, writer, offered.end_bytes()));
                        large.opened = true;
                        large.resumed = true;
                    }
                }
                let phase = Phase::Hashing { rehash: Box::new(rehash), chunks, now: None, fd };
                self.resume = Some(Resume { index, part, journal, reading: false, phase });
                self.resume_on(core, links);
            }
            (_, _, fd, ..) => {
                if let Ok(fd) = fd {
                    core.close(fd);
                }
                // At once: the file's own lane opens and locks it anew.
                core.close_now(journal);
                let verdict = self.with_pieces(core, index, Verdict::All);
                self.answer_one(core, links, index, &verdict);
            }
        }
    }

    /// Everything is hashed: what holds is kept, the rest is asked for.
    fn end_resume<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        let Some(Resume { index, phase: Phase::Hashing { rehash, .. }, .. }) = self.resume.take() else {
            return;
        };
        core.reach(Point::RecoverRehashed);
        let map = rehash.finish();
        let missing: Vec<ChunkRange> =
            map.missing().map(|range| ChunkRange { first: range.first.0, count: range.count }).collect();
        let verdict = if map.received_count() == 0 { Verdict::All } else { Verdict::Ranges(missing) };
        if let Some(incoming) = self.files.get_mut(&index) {
            incoming.resumed = map.received_bytes();
            self.totals.bytes_resumed += incoming.resumed;
            if map.is_complete() {
                incoming.root = map.values().map(root_of);
            }
            if let Some(large) = &mut incoming.large {
                large.map = map;
            }
        }
        let verdict = self.with_pieces(core, index, verdict);
        self.answer_one(core, links, index, &verdict);
    }
}
