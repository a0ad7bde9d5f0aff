//! A journal that is being appended to, as a transfer holds it, and its way to the disk.

use super::home::Home;
use super::publish::{Flight, Machine, Which, owner};
use crate::dirs::DirId;
use crate::journal_file;
use crate::links::Links;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::Hooks;
use base::ids::{ChunkIndex, FileIndex, PartId, TransferId};
use base::io::{Act, Errno, Fd, How, Io, Op};
use base::name::RelPath;
use disk::journal::{Append, Begin, JournalKind, Writer};
use disk::publish::StepId;
use std::collections::VecDeque;

/// One write in flight, in order; what waits meanwhile goes out together.
pub(super) struct Journal {
    pub(super) fd: Fd,
    pub(super) writer: Writer,
    pub(super) queue: VecDeque<(Append, Then)>,
    /// How many of the queue the write in flight holds.
    pub(super) writing: usize,
    /// Its own name, and what it is about, are known to be synced.
    pub(super) linked: bool,
    /// Where a part's journal ends that says nothing of any chunk.
    begun: u64,
}

/// What follows a journal write.
pub(super) enum Then {
    Nothing,
    /// The chunks may be acknowledged as received.
    Received(FileIndex, Vec<ChunkIndex>),
    Step(Machine, StepId),
}

/// Directories that are synced one after the other before the first sync of a journal counts.
pub(super) struct Linking {
    pub(super) which: Which,
    pub(super) machine: Machine,
    pub(super) step: StepId,
    /// The one being synced; `None` is STATE/journal.
    pub(super) now: Option<DirId>,
    /// Paths of those still to be synced, below the share's root.
    pub(super) rest: Vec<Vec<u8>>,
}

impl Journal {
    /// `begun`: where it ends while it says nothing of any chunk.
    pub(super) fn new(fd: Fd, writer: Writer, begun: u64) -> Self {
        Self { fd, writer, queue: VecDeque::new(), writing: 0, linked: false, begun }
    }

    /// Begins the journal of a part.
    pub(super) fn begin_part<I: Io, H: Hooks>(
        core: &mut Core<I, H>,
        part: PartId,
        begin: &Begin,
    ) -> Result<Self, Code> {
        let (mut writer, head) = Writer::part(part, super::stage::hash, &core.settings.limits);
        let first = writer.begin(begin).map_err(|_| Code::TooLarge)?;
        let fd = fresh(core, JournalKind::Part, part.0)?;
        let mut journal = Self::new(fd, writer, begin.end_bytes());
        journal.append(head, Then::Nothing);
        journal.append(first, Then::Nothing);
        Ok(journal)
    }

    /// Begins the journal of a transfer.
    pub(super) fn begin_transfer<I: Io, H: Hooks>(
        core: &mut Core<I, H>,
        id: TransferId,
    ) -> Result<Self, Code> {
        let (writer, head) = Writer::transfer(id, super::stage::hash, &core.settings.limits);
        let fd = fresh(core, JournalKind::Transfer, id.0)?;
        let mut journal = Self::new(fd, writer, 0);
        journal.append(head, Then::Nothing);
        Ok(journal)
    }

    /// Removes the file of a journal nobody needs any more.
    pub(super) fn remove<I: Io, H: Hooks>(core: &mut Core<I, H>, kind: JournalKind, id: [u8; 16]) {
        // What stays is swept at the next start.
        let _ = journal_file::remove(core, kind, id);
    }

    /// Takes back what it says of the part's chunks, here and now: whoever is killed after this leaves a part
    /// of which nothing counts as received. A write in flight may still land, so then even the head goes.
    /// The journal keeps its name, whose lock keeps the part this transfer's.
    ///
    /// # Errors
    /// It could not be cut.
    pub(super) fn take_back<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) -> Result<(), Errno> {
        self.queue.truncate(self.writing);
        let (fd, size) = (self.fd, if self.writing > 0 { 0 } else { self.begun });
        core.act(|_| Act::Resize { fd, size }).map(drop)
    }

    /// Whether a write is in flight or waits.
    pub(super) fn is_busy(&self) -> bool {
        self.writing > 0 || !self.queue.is_empty()
    }

    pub(super) fn append(&mut self, append: Append, then: Then) {
        self.queue.push_back((append, then));
    }

    /// The next write, when none is in flight and a buffer is free: as much as fits, up to the first append that
    /// something follows.
    pub(super) fn next_write<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
    ) -> Option<(Op<I::Buf>, Then)> {
        let offset = self.queue.front().filter(|_| self.writing == 0)?.0.offset;
        let mut buf = core.io.take()?;
        let (mut len, mut followed) = (0, Then::Nothing);
        for (append, then) in &mut self.queue {
            let room = &mut buf.as_mut()[len..];
            let bytes = match append.bytes.get(..room.len()) {
                Some(cut) if self.writing == 0 => cut,
                Some(_) => break,
                None => &append.bytes,
            };
            if append.offset != offset + len as u64 {
                break;
            }
            room[..bytes.len()].copy_from_slice(bytes);
            len += bytes.len();
            self.writing += 1;
            followed = core::mem::replace(then, Then::Nothing);
            if !matches!(followed, Then::Nothing) {
                break;
            }
        }
        let (file, len, then) = (self.fd, len as u32, followed);
        Some((Op::Write { file, offset, buf, at: 0, len, uncached: false }, then))
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Names a directory in which temps are about to be made, so that a restart finds them. Nothing is made there
    /// and no content is asked for before it is written.
    pub(super) fn note_staging<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, dir: DirId) {
        let path = self.dirs.path(dir);
        if self.publisher.staging.as_deref() == Some(path) {
            return;
        }
        let path = path.to_vec();
        if !self.begin_journal(core) {
            return;
        }
        let Some(journal) = &mut self.publisher.journal else { return };
        if let Ok(checked) = RelPath::new(&path) {
            let append = journal.writer.staging(self.spec.anchor.as_bytes(), checked);
            journal.append(append, Then::Nothing);
        }
        self.publisher.staging = Some(path);
    }

    /// Begins the transfer's journal where it has none. `false`: it cannot be written, and the transfer ends.
    pub(super) fn begin_journal<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) -> bool {
        if self.publisher.journal.is_some() {
            return true;
        }
        match Journal::begin_transfer(core, self.spec.id) {
            Ok(journal) => self.publisher.journal = Some(journal),
            Err(code) => {
                let message = "the transfer's journal cannot be written: check the state directory";
                self.fail(code, message.to_owned());
            }
        }
        self.publisher.journal.is_some()
    }

    pub(super) fn journal_of(&mut self, which: Which) -> Option<&mut Journal> {
        match which {
            Which::Transfer => self.publisher.journal.as_mut(),
            Which::Part(file) => self.files.get_mut(&file)?.large.as_mut()?.journal.as_mut(),
        }
    }

    /// Syncs a journal. The first time the names that lead to it are synced before: its own, and of a part's
    /// journal those that lead to the part.
    pub(super) fn sync_journal<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        which: Which,
        machine: Machine,
        step: StepId,
    ) {
        let Some(journal) = self.journal_of(which) else { return };
        let (fd, linked) = (journal.fd, journal.linked);
        if linked {
            return self.start_sync(core, machine, step, fd, true);
        }
        let rest = match which {
            Which::Transfer => Vec::new(),
            Which::Part(file) => {
                let path = self.files.get(&file).map_or(&b""[..], |incoming| self.dirs.path(incoming.dir));
                above(path)
            }
        };
        let linking = Linking { which, machine, step, now: None, rest };
        let tag = self.publisher.tag(Flight::Link(linking));
        let file = core.settings.journal;
        core.start(owner(self.key, tag), Op::Sync { file, data_only: false });
    }

    /// One of the directories that lead to a journal or part is synced.
    pub(super) fn on_linked<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        mut linking: Linking,
        result: Result<(), Errno>,
    ) {
        if let Some(dir) = linking.now.take() {
            self.dirs.release(dir);
        }
        let (machine, step) = (linking.machine, linking.step);
        if let Err(errno) = result {
            self.distrust(core, machine);
            return self.on_step(core, links, machine, step, Err(errno));
        }
        let Some(path) = linking.rest.pop() else {
            let Some(journal) = self.journal_of(linking.which) else { return };
            journal.linked = true;
            let fd = journal.fd;
            return self.start_sync(core, machine, step, fd, true);
        };
        let dir = self.dirs.add(self.spec.root, path, None);
        match self.dirs.hold(core, dir) {
            Ok(file) => {
                linking.now = Some(dir);
                let tag = self.publisher.tag(Flight::Link(linking));
                core.start(owner(self.key, tag), Op::Sync { file, data_only: false });
            }
            Err(errno) => {
                self.dirs.release(dir);
                self.on_step(core, links, machine, step, Err(errno));
            }
        }
    }
}

/// A directory and those above it, the directory itself last.
fn above(path: &[u8]) -> Vec<Vec<u8>> {
    let cuts = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    let mut all: Vec<Vec<u8>> = core::iter::once(0).chain(cuts).map(|at| path[..at].to_vec()).collect();
    if !path.is_empty() {
        all.push(path.to_vec());
    }
    all
}

/// An empty journal file, locked.
fn fresh<I: Io, H: Hooks>(core: &mut Core<I, H>, kind: JournalKind, id: [u8; 16]) -> Result<Fd, Code> {
    let how = How::CreateOrOpen { mode: 0o600 };
    let fd = journal_file::open(core, kind, id, how).map_err(|errno| match errno {
        Errno::AGAIN => Code::Busy,
        errno => Code::from_errno(errno),
    })?;
    match core.act(|_| Act::Resize { fd, size: 0 }) {
        Ok(_) => Ok(fd),
        Err(errno) => {
            core.close(fd);
            Err(Code::from_errno(errno))
        }
    }
}
