//! A batch of verified files on its way to their names: filled, driven step by step, ended.

use super::home::Home;
use super::journal::{Journal, Then};
use super::publish::{Flight, Machine, Which, owner};
use crate::dirs::DirId;
use crate::links::Links;
use crate::tools::Core;
use base::codes::Code;
use base::entry::Kind;
use base::hooks::Hooks;
use base::ids::FileIndex;
use base::io::{Act, Batch, Errno, Fd, Io, Op};
use base::limits::Limits;
use base::name::{Name, RelPath};
use disk::journal::{Append, JournalKind};
use disk::paths::ReservedName;
use disk::publish::{DirRef, FileRef, Outcome, Publish, Step, StepId, TreePublication};

/// A batch that is being published.
pub(super) struct Running {
    pub(super) machine: TreePublication,
    pub(super) files: Vec<FileIndex>,
    dirs: Vec<DirId>,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Makes a batch of what is ready. `false`: there is nothing to run.
    pub(super) fn begin_batch<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) -> bool {
        let limits = core.limits();
        let anchor = self.spec.anchor.clone();
        let mut machine = TreePublication::new(
            self.publisher.batches,
            anchor.as_bytes(),
            self.publisher.durability,
            &limits,
        );
        let (mut files, mut dirs) = (Vec::new(), Vec::new());
        // Their sync comes with these files or before them.
        let most = directories_max(&limits);
        self.add_parents(&mut machine, &mut dirs, most);
        while machine.directory_count() < most
            && let Some(file) = self.publisher.ready.pop_front()
        {
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
        if self.publisher.ready.is_empty() || !files.is_empty() {
            self.publisher.ready_since_ns = u64::MAX;
            self.publisher.seals = 0;
            self.publisher.ready_bytes = 0;
        }
        self.begin_run(core, machine, files, dirs)
    }

    /// Adds directories in which names were made outside a batch, as many as it holds.
    pub(super) fn add_parents(&mut self, machine: &mut TreePublication, dirs: &mut Vec<DirId>, most: u32) {
        while machine.directory_count() < most
            && let Some(path) = self.new_parents.pop_first()
        {
            let Ok(path) = RelPath::new(&path) else { continue };
            let dir = machine.directory(path);
            machine.parent(dir);
            if dir.0 as usize == dirs.len() {
                dirs.push(self.dirs.add(self.spec.root, path.as_bytes().to_vec(), None));
            }
        }
    }

    /// Adds directories whose metadata is due, children first, as many as it holds.
    pub(super) fn add_directories(
        &mut self,
        machine: &mut TreePublication,
        dirs: &mut Vec<DirId>,
        most: u32,
    ) {
        while machine.directory_count() < most
            && let Some(directory) = self.directories.pop()
        {
            let Ok(path) = RelPath::new(&directory.path) else { continue };
            let dir = machine.directory(path);
            machine.directory_meta(dir, directory.meta);
            if dir.0 as usize == dirs.len() {
                dirs.push(self.dirs.add(self.spec.root, directory.path.clone(), None));
            }
        }
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
        // Only renames are committed to: without files there is nothing to roll forward.
        if self.publisher.durability.syncs() && !files.is_empty() && !self.begin_journal(core) {
            return false;
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
        loop {
            let mut renames = Renames::new(core);
            let mut worked = false;
            loop {
                let writer = self.publisher.journal.as_mut().map(|journal| &mut journal.writer);
                let Some((id, step)) = running.machine.next(writer) else { break };
                worked = true;
                match step {
                    Step::Reach(point) => core.reach(point),
                    Step::Rename { dir, temp, name, how, .. } => {
                        let result = self.dirs.hold(core, running.dirs[dir.0 as usize]);
                        match result {
                            Ok(fd) => renames.push(id, fd, temp, name, how),
                            Err(errno) => running.machine.on_done(id, Err(errno)),
                        }
                        if renames.len() >= core.settings.limits.acts_per_batch_max as usize {
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
            if renames.len() > (core.settings.limits.acts_inline_max as usize / 4).max(1) {
                let tag = self.publisher.tag(Flight::Renames(renames.ids));
                core.start(owner(self.key, tag), Op::Acts(Box::new(renames.batch)));
            } else {
                for (id, result) in renames.run(core) {
                    running.machine.on_done(id, result);
                }
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

    /// Renames came back from the helper thread.
    pub(super) fn on_renamed<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        ids: &[StepId],
        batch: Option<Box<Batch<B>>>,
    ) {
        let (Some(running), Some(batch)) = (&mut self.publisher.running, batch) else { return };
        for (id, result) in ids.iter().zip(&batch.results) {
            running.machine.on_done(*id, result.map(drop));
        }
        core.recycle(*batch);
        self.run_batch(core, links);
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
                let fd = self.dirs.hold(core, dir(at));
                Some(fd.and_then(|dir| core.act(|_| Act::SetMeta { dir, name: None, meta }).map(drop)))
            }
            Step::SyncDir(at) => match self.dirs.hold(core, dir(at)) {
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
                self.sync_journal(core, Which::Transfer, Machine::Batch, id);
                None
            }
            Step::Link { dir: at, temp, name, .. } => {
                let fd = self.dirs.hold(core, dir(at));
                Some(fd.and_then(|dir| {
                    core.act(|batch| {
                        let (from, to) = (batch.name(temp.as_name()), batch.name(name));
                        Act::Link { from_dir: dir, from, to_dir: dir, to }
                    })
                    .map(drop)
                }))
            }
            Step::Discard { dir: at, temp, .. } => {
                let fd = self.dirs.hold(core, dir(at));
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

    fn end_batch<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        running: Running,
        outcome: Outcome,
    ) {
        for dir in &running.dirs {
            self.dirs.loosen(*dir);
            self.dirs.release(*dir);
        }
        if let Outcome::Poisoned(code) = outcome {
            self.count_unknown(&running.files);
            self.void_journal(core);
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

    /// What the journal promised does not hold: without it nothing is rolled forward.
    fn void_journal<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let Some(journal) = self.publisher.journal.take() else { return };
        Journal::remove(core, JournalKind::Transfer, self.spec.id.0);
        core.close(journal.fd);
        let tag = self.publisher.tag(Flight::Last);
        let file = core.settings.journal;
        core.start(owner(self.key, tag), Op::Sync { file, data_only: false });
    }
}

/// Directories of one batch, which are held open until it is over.
pub(super) fn directories_max(limits: &Limits) -> u32 {
    (limits.directories_open_max / 2).max(1)
}

/// Renames that run in one batch: a few here and now, many on the helper thread.
struct Renames<B> {
    batch: Batch<B>,
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
