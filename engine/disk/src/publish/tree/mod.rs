//! A batch of staged files gets its final names.

mod commit;
mod fill;

use super::checkpoint::append;
use super::{DirRef, Durability, FileRef, JournalRef, Outcome, Step, StepId, poison_code};
use crate::journal::Writer;
use crate::paths::{ReservedKind, ReservedName};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use base::codes::Code;
use base::entry::Meta;
use base::ids::Value;
use base::io::{Errno, RenameHow};
use base::name::Name;
use base::points::Point;

/// One staged file or symlink, whole, verified against its seal.
#[derive(Clone, Copy, Debug)]
pub struct Publish<'a> {
    /// Directory of both names.
    pub dir: DirRef,
    /// Staged name.
    pub temp: ReservedName,
    /// Final name.
    pub name: Name<'a>,
    /// Inode of what is staged.
    pub inode: u64,
    /// Root of its content; of its target for a symlink.
    pub root: Value,
    /// Metadata still to be set, for a file that is held open; `None` when it was staged with it.
    pub meta: Option<Meta>,
    /// It is a symlink: the sync of its directory carries it.
    pub symlink: bool,
    /// `create`: an existing name is a conflict instead of being replaced.
    pub no_replace: bool,
}

/// The batch holds `tree_files_max` files: it is begun as it is, another one follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// Gives a batch its final names; see the module's picture for the order.
///
/// Filled with [`directory`](Self::directory), [`push`](Self::push), [`parent`](Self::parent) and
/// [`directory_meta`](Self::directory_meta), then run with [`next`](Self::next).
/// Under [`Durability::None`] nothing is synced and no journal is written.
#[derive(Clone, Debug)]
pub struct TreePublication {
    batch: u32,
    anchor: Vec<u8>,
    durability: Durability,
    files_max: u32,
    record_bytes_max: u32,
    files: Vec<File>,
    names: Vec<u8>,
    directories: Vec<Directory>,
    by_path: BTreeMap<Vec<u8>, DirRef>,
    phase: Phase,
    queue: VecDeque<Todo>,
    in_flight: Vec<u64>,
    in_flight_count: u32,
    commit_next: usize,
    committed: bool,
    renamed: u32,
    failures: Vec<(FileRef, Code)>,
    dir_failures: Vec<(DirRef, Code)>,
    poison: Option<Code>,
}

#[derive(Clone, Debug)]
struct File {
    dir: DirRef,
    temp: ReservedName,
    name_at: u32,
    name_len: u8,
    inode: u64,
    root: Value,
    meta: Option<Meta>,
    symlink: bool,
    no_replace: bool,
    state: FileState,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum FileState {
    Staged,
    Published,
    Failed,
}

#[derive(Clone, Debug)]
struct Directory {
    path: Vec<u8>,
    touched: bool,
    parent: bool,
    meta: Option<Meta>,
}

/// Where the batch is. Each phase begins when the one before has nothing queued and nothing in flight.
///
/// ```text
/// Filling -> Files -> Commit -> CommitSync -> FirstRename -> Renames -> DirMeta -> DirSync -> ParentSync
///   -> Done -> Over                    poisoned anywhere: -> Cleanup -> Over
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Phase {
    Filling,
    Files,
    Cleanup,
    Commit,
    CommitSync,
    FirstRename,
    Renames,
    DirMeta,
    DirSync,
    ParentSync,
    Done,
    Over,
}

/// A step not yet given. Its discriminant is the upper part of its [`StepId`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Todo {
    SyncData(u32),
    SyncFull(u32),
    SetMeta(u32),
    Rename(u32),
    Link(u32),
    Discard(u32),
    SetDirMeta(u32),
    SyncDir(u32),
    AppendCommitting,
    AppendDone,
    SyncJournal,
    Reach(Point),
}

const INDEX_BITS: u32 = 28;

impl Todo {
    fn id(self) -> StepId {
        let (kind, index) = match self {
            Self::SyncData(i) => (1, i),
            Self::SyncFull(i) => (2, i),
            Self::SetMeta(i) => (3, i),
            Self::Rename(i) => (4, i),
            Self::Link(i) => (5, i),
            Self::Discard(i) => (6, i),
            Self::SetDirMeta(i) => (7, i),
            Self::SyncDir(i) => (8, i),
            Self::AppendCommitting => (9, 0),
            Self::AppendDone => (10, 0),
            Self::SyncJournal => (11, 0),
            Self::Reach(_) => (0, 0),
        };
        StepId(kind << INDEX_BITS | index)
    }

    fn of(id: StepId) -> Option<Self> {
        let index = id.0 & ((1 << INDEX_BITS) - 1);
        match id.0 >> INDEX_BITS {
            1 => Some(Self::SyncData(index)),
            2 => Some(Self::SyncFull(index)),
            3 => Some(Self::SetMeta(index)),
            4 => Some(Self::Rename(index)),
            5 => Some(Self::Link(index)),
            6 => Some(Self::Discard(index)),
            7 => Some(Self::SetDirMeta(index)),
            8 => Some(Self::SyncDir(index)),
            9 => Some(Self::AppendCommitting),
            10 => Some(Self::AppendDone),
            11 => Some(Self::SyncJournal),
            _ => None,
        }
    }
}

impl TreePublication {
    /// The next step; `None` while nothing more can be started, and at the end. `journal` is the
    /// transfer's; a batch that names no file or syncs nothing needs none.
    ///
    /// # Panics
    /// There is no journal and files are to be committed to it.
    pub fn next(&mut self, journal: Option<&mut Writer>) -> Option<(StepId, Step<'_>)> {
        while self.queue.is_empty() {
            if self.in_flight_count > 0 || self.phase == Phase::Over {
                return None;
            }
            self.enter_next_phase();
        }
        let todo = self.queue.pop_front()?;
        if !matches!(todo, Todo::Reach(_)) {
            self.mark(todo, true);
        }
        Some((todo.id(), self.step(todo, journal)))
    }

    /// A step ended.
    ///
    /// # Panics
    /// It was not in flight.
    pub fn on_done(&mut self, id: StepId, result: Result<(), Errno>) {
        let todo = Todo::of(id).expect("the id of a step that is answered");
        self.mark(todo, false);
        match (todo, result) {
            (Todo::SyncData(_) | Todo::SyncFull(_) | Todo::SyncDir(_), Err(errno))
            | (Todo::AppendCommitting | Todo::AppendDone | Todo::SyncJournal, Err(errno)) => {
                self.poison.get_or_insert(poison_code(errno));
                self.queue.clear();
            }
            _ if self.poison.is_some() => {}
            (Todo::SetMeta(i), Ok(())) => {
                self.queue.push_back(Todo::Reach(Point::MetadataSet));
                if self.durability.syncs() {
                    self.queue.push_back(Todo::SyncFull(i));
                }
            }
            (Todo::AppendDone, Ok(())) => self.queue.push_back(Todo::Reach(Point::DoneWritten)),
            (Todo::SyncFull(_), Ok(())) => self.queue.push_back(Todo::Reach(Point::MetadataSynced)),
            (Todo::Rename(i), Err(Errno::INVAL)) if self.files[i as usize].no_replace => {
                self.queue.push_back(Todo::Link(i));
            }
            (Todo::Rename(i), Ok(())) => self.on_renamed(i),
            (Todo::Link(i), Ok(())) => {
                self.on_renamed(i);
                self.queue.push_back(Todo::Discard(i));
            }
            (Todo::SetMeta(i) | Todo::Rename(i) | Todo::Link(i), Err(errno)) => self.fail(i, errno),
            (Todo::SetDirMeta(i), Err(errno)) => self.dir_failures.push((DirRef(i), Code::from_errno(errno))),
            (Todo::SyncData(_) | Todo::SyncDir(_) | Todo::SetDirMeta(_) | Todo::Discard(_), _)
            | (Todo::AppendCommitting | Todo::SyncJournal | Todo::Reach(_), _) => {}
        }
    }

    /// How it ended; `None` while it runs. Under [`Outcome::Held`] every file is published but those of
    /// [`failures`](Self::failures).
    pub fn outcome(&self) -> Option<Outcome> {
        match (self.phase, self.poison) {
            (Phase::Over, None) => Some(Outcome::Held),
            (Phase::Over, Some(code)) => Some(Outcome::Poisoned(code)),
            _ => None,
        }
    }

    /// Files that failed by themselves.
    pub fn failures(&self) -> &[(FileRef, Code)] {
        &self.failures
    }

    /// Directories whose metadata could not be set.
    pub fn directory_failures(&self) -> &[(DirRef, Code)] {
        &self.dir_failures
    }

    /// Whether a file has its final name. Acknowledged only under [`Outcome::Held`].
    pub fn is_published(&self, file: FileRef) -> bool {
        self.files[file.0 as usize].state == FileState::Published
    }

    fn on_renamed(&mut self, index: u32) {
        self.files[index as usize].state = FileState::Published;
        self.renamed += 1;
        if self.renamed == 1 {
            self.queue.push_front(Todo::Reach(Point::RenamedFirst));
        }
    }

    fn fail(&mut self, index: u32, errno: Errno) {
        let file = &mut self.files[index as usize];
        file.state = FileState::Failed;
        self.failures.push((FileRef(index), Code::from_errno(errno)));
        // A part has a journal and saves bytes when it is asked for again; a temp does not.
        if file.temp.kind() == ReservedKind::Temp {
            self.queue.push_back(Todo::Discard(index));
        }
    }

    fn enter_next_phase(&mut self) {
        self.phase = self.phase_after();
        match self.phase {
            Phase::Filling | Phase::Over => {}
            Phase::Files => self.queue_files(),
            Phase::Cleanup => self.queue_cleanup(),
            Phase::Commit => {
                if !self.committed {
                    self.queue.push_back(Todo::Reach(Point::BatchFilesSynced));
                }
                self.queue.push_back(Todo::AppendCommitting);
            }
            Phase::CommitSync => {
                self.queue.extend([Todo::Reach(Point::CommittingWritten), Todo::SyncJournal]);
            }
            Phase::FirstRename => {
                if self.committed {
                    self.queue.push_back(Todo::Reach(Point::CommittingSynced));
                }
                self.queue_renames(1);
            }
            Phase::Renames => self.queue_renames(usize::MAX),
            Phase::DirMeta => {
                if self.renamed > 0 {
                    self.queue.push_back(Todo::Reach(Point::RenamedAll));
                }
                self.queue_directory_meta();
            }
            Phase::DirSync => self.queue_directories(|directory| directory.touched),
            Phase::ParentSync => {
                self.queue.push_back(Todo::Reach(Point::DirectorySynced));
                self.queue_directories(|directory| directory.parent && !directory.touched);
            }
            Phase::Done => {
                self.queue.push_back(Todo::Reach(Point::ParentsSynced));
                if self.committed {
                    self.queue.push_back(Todo::AppendDone);
                }
            }
        }
    }

    /// The transition list.
    fn phase_after(&self) -> Phase {
        let syncs = self.durability.syncs();
        match self.phase {
            Phase::Cleanup | Phase::Over => Phase::Over,
            _ if self.poison.is_some() => Phase::Cleanup,
            Phase::Filling => Phase::Files,
            Phase::Files if syncs && self.has_staged() => Phase::Commit,
            Phase::Files => Phase::FirstRename,
            Phase::Commit if self.commit_next < self.commit_items() => Phase::Commit,
            Phase::Commit => Phase::CommitSync,
            Phase::CommitSync => Phase::FirstRename,
            Phase::FirstRename => Phase::Renames,
            Phase::Renames => Phase::DirMeta,
            Phase::DirMeta if syncs => Phase::DirSync,
            Phase::DirMeta => Phase::Over,
            Phase::DirSync => Phase::ParentSync,
            Phase::ParentSync => Phase::Done,
            Phase::Done => Phase::Over,
        }
    }

    fn queue_files(&mut self) {
        let places = self.files.len() + self.directories.len() + 1;
        self.in_flight = vec![0; places.div_ceil(64)];
        let syncs = self.durability.syncs();
        for (index, file) in self.files.iter().enumerate() {
            let index = index as u32;
            match (file.meta, file.symlink) {
                (Some(_), _) => self.queue.push_back(Todo::SetMeta(index)),
                (None, false) if syncs => self.queue.push_back(Todo::SyncData(index)),
                (None, _) => {}
            }
        }
    }

    /// Temps that did not get a name. What COMMITTING says of them is void without them.
    fn queue_cleanup(&mut self) {
        for (index, file) in self.files.iter().enumerate() {
            if file.state == FileState::Staged && file.temp.kind() == ReservedKind::Temp {
                self.queue.push_back(Todo::Discard(index as u32));
            }
        }
    }

    fn queue_renames(&mut self, most: usize) {
        let staged = self.files.iter().enumerate().filter(|(_, file)| file.state == FileState::Staged);
        self.queue.extend(staged.take(most).map(|(index, _)| Todo::Rename(index as u32)));
    }

    /// Children before their parents: a child's path sorts behind its parent's.
    fn queue_directory_meta(&mut self) {
        for dir in self.by_path.values().rev() {
            if self.directories[dir.0 as usize].meta.is_some() {
                self.queue.push_back(Todo::SetDirMeta(dir.0));
            }
        }
    }

    fn queue_directories(&mut self, wanted: impl Fn(&Directory) -> bool) {
        let wanted = self.directories.iter().enumerate().filter(|(_, directory)| wanted(directory));
        self.queue.extend(wanted.map(|(index, _)| Todo::SyncDir(index as u32)));
    }

    fn step(&mut self, todo: Todo, journal: Option<&mut Writer>) -> Step<'_> {
        let journal = || journal.expect("what is committed to has a journal");
        match todo {
            Todo::SyncData(i) => Step::SyncData(FileRef(i)),
            Todo::SyncFull(i) => Step::SyncFull(FileRef(i)),
            Todo::SetMeta(i) => {
                Step::SetMeta { file: FileRef(i), meta: self.files[i as usize].meta.unwrap_or_default() }
            }
            Todo::Rename(i) => {
                let (file, dir, temp, name) = self.names_of(i);
                let no_replace = self.files[i as usize].no_replace;
                let how = if no_replace { RenameHow::NoReplace } else { RenameHow::Replace };
                Step::Rename { file, dir, temp, name, how }
            }
            Todo::Link(i) => {
                let (file, dir, temp, name) = self.names_of(i);
                Step::Link { file, dir, temp, name }
            }
            Todo::Discard(i) => {
                let (file, dir, temp, _) = self.names_of(i);
                Step::Discard { file, dir, temp }
            }
            Todo::SetDirMeta(i) => Step::SetDirMeta {
                dir: DirRef(i),
                meta: self.directories[i as usize].meta.unwrap_or_default(),
            },
            Todo::SyncDir(i) => Step::SyncDir(DirRef(i)),
            Todo::AppendCommitting => append(JournalRef::Transfer, self.committing(journal())),
            Todo::AppendDone => append(JournalRef::Transfer, journal().done(self.batch)),
            Todo::SyncJournal => Step::SyncJournal(JournalRef::Transfer),
            Todo::Reach(point) => Step::Reach(point),
        }
    }

    fn names_of(&self, index: u32) -> (FileRef, DirRef, ReservedName, Name<'_>) {
        let file = &self.files[index as usize];
        (FileRef(index), file.dir, file.temp, self.file_name(FileRef(index)))
    }

    fn has_staged(&self) -> bool {
        self.files.iter().any(|file| file.state == FileState::Staged)
    }

    fn mark(&mut self, todo: Todo, on: bool) {
        let (files, directories) = (self.files.len() as u32, self.directories.len() as u32);
        let place = match todo {
            Todo::SyncData(i) | Todo::SyncFull(i) | Todo::SetMeta(i) => i,
            Todo::Rename(i) | Todo::Link(i) | Todo::Discard(i) => i,
            Todo::SetDirMeta(i) | Todo::SyncDir(i) => files + i,
            Todo::AppendCommitting | Todo::AppendDone | Todo::SyncJournal | Todo::Reach(_) => {
                files + directories
            }
        };
        let (word, bit) = (&mut self.in_flight[place as usize / 64], 1u64 << (place % 64));
        assert!((*word & bit == 0) == on, "a step ends once, after it was given");
        *word ^= bit;
        self.in_flight_count = if on { self.in_flight_count + 1 } else { self.in_flight_count - 1 };
    }
}
