//! An open COMMITTING is rolled forward: what was promised to the disk is kept, whatever the peer was told.

use crate::journal::{Committing, CommittingFile, Writer};
use crate::paths::{ReservedKind, ReservedName};
use crate::publish::{DirRef, FileRef, StepId};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use base::entry::Stat;
use base::ids::Value;
use base::io::{Errno, RenameHow};
use base::name::{Name, RelPath};
use base::points::Point;

/// What to do next. Each but [`RollStep::Reach`] is answered exactly once. A directory that cannot be
/// opened answers for every step that names it, with the error of its opening.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RollStep<'a> {
    /// Stat of a name, not following it: [`RollOut::Stat`].
    Stat {
        /// Its directory.
        dir: DirRef,
        /// The name.
        name: Name<'a>,
    },
    /// Root of the whole content of a staged file: [`RollOut::Root`].
    Hash {
        /// Its directory.
        dir: DirRef,
        /// The staged name.
        temp: ReservedName,
    },
    /// Renames within the directory.
    Rename {
        /// The directory.
        dir: DirRef,
        /// Staged name.
        temp: ReservedName,
        /// Final name.
        name: Name<'a>,
        /// `Replace` or `NoReplace`.
        how: RenameHow,
    },
    /// Links the staged name to its final one, where `NoReplace` is not known.
    Link {
        /// The directory.
        dir: DirRef,
        /// Staged name.
        temp: ReservedName,
        /// Final name.
        name: Name<'a>,
    },
    /// Removes a staged name. That it is gone already is no failure.
    Discard {
        /// Its directory.
        dir: DirRef,
        /// Staged name.
        temp: ReservedName,
    },
    /// fsync of a directory.
    SyncDir(DirRef),
    /// Writes bytes in full at an offset of the transfer's journal.
    Append {
        /// Where.
        offset: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// fdatasync of the transfer's journal.
    SyncJournal,
    /// A crash point is passed: report it, answer nothing.
    Reach(Point),
}

/// What a step yields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RollOut {
    /// Nothing.
    Nothing,
    /// A stat.
    Stat(Stat),
    /// A root.
    Root(Value),
}

/// Finishes every open batch of one transfer: run it under the journal's lock, before anything else may
/// write below the same anchors.
///
/// ```text
/// per file:  stat staged -> gone, or another inode: settled
///            -> part: hash, unequal: settled (left for a resume)
///            -> rename -> settled
/// then:      sync directories -> DONE for each batch -> sync journal
/// ```
///
/// A batch whose COMMITTING is not whole never renamed anything: its temps are removed, its parts stay.
/// Running it twice does what running it once does.
#[derive(Clone, Debug)]
pub struct RollForward {
    directories: Vec<Directory>,
    files: Vec<File>,
    batches: BTreeMap<u32, bool>,
    phase: Phase,
    queue: VecDeque<Todo>,
    in_flight: u32,
    rolled: u32,
}

#[derive(Clone, Debug)]
struct Directory {
    anchor: Vec<u8>,
    path: Vec<u8>,
    batch: u32,
    whole: bool,
}

#[derive(Clone, Debug)]
struct File {
    dir: DirRef,
    listed: CommittingFile,
    batch: u32,
    whole: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Begin,
    Files,
    Directories,
    Done,
    JournalSync,
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Todo {
    StatStaged(u32),
    Hash(u32),
    Rename(u32),
    Link(u32),
    StatFinal(u32),
    Discard(u32),
    SyncDir(u32),
    Append(u32),
    SyncJournal,
    Reach(Point),
}

const INDEX_BITS: u32 = 28;

impl Todo {
    fn id(self) -> StepId {
        let (kind, index) = match self {
            Self::StatStaged(i) => (1, i),
            Self::Hash(i) => (2, i),
            Self::Rename(i) => (3, i),
            Self::Link(i) => (4, i),
            Self::StatFinal(i) => (5, i),
            Self::Discard(i) => (6, i),
            Self::SyncDir(i) => (7, i),
            Self::Append(i) => (8, i),
            Self::SyncJournal => (9, 0),
            Self::Reach(_) => (0, 0),
        };
        StepId(kind << INDEX_BITS | index)
    }

    fn of(id: StepId) -> Option<Self> {
        let index = id.0 & ((1 << INDEX_BITS) - 1);
        match id.0 >> INDEX_BITS {
            1 => Some(Self::StatStaged(index)),
            2 => Some(Self::Hash(index)),
            3 => Some(Self::Rename(index)),
            4 => Some(Self::Link(index)),
            5 => Some(Self::StatFinal(index)),
            6 => Some(Self::Discard(index)),
            7 => Some(Self::SyncDir(index)),
            8 => Some(Self::Append(index)),
            9 => Some(Self::SyncJournal),
            _ => None,
        }
    }
}

impl RollForward {
    pub(super) fn new(open: BTreeMap<u32, Vec<Committing>>) -> Self {
        let mut roll = Self {
            directories: Vec::new(),
            files: Vec::new(),
            batches: BTreeMap::new(),
            phase: Phase::Begin,
            queue: VecDeque::new(),
            in_flight: 0,
            rolled: 0,
        };
        for (batch, pieces) in open {
            let whole = pieces.iter().any(|piece| piece.last);
            if whole {
                roll.batches.insert(batch, true);
            }
            for piece in pieces {
                let first = roll.directories.len() as u32;
                let anchor = &piece.anchor;
                roll.directories.extend(piece.directories.into_iter().map(|path| Directory {
                    anchor: anchor.clone(),
                    path,
                    batch,
                    whole,
                }));
                roll.files.extend(piece.files.into_iter().map(|listed| {
                    let dir = DirRef(first + u32::from(listed.directory));
                    File { dir, listed, batch, whole }
                }));
            }
        }
        roll
    }

    /// Anchor and path of a directory.
    ///
    /// # Panics
    /// Never: the journal's reader lets only checked paths through.
    pub fn directory(&self, dir: DirRef) -> (&[u8], RelPath<'_>) {
        let directory = &self.directories[dir.0 as usize];
        (&directory.anchor, RelPath::new(&directory.path).expect("it was read as a checked path"))
    }

    /// The next step; `None` while nothing more can be started, and at the end. `journal` continues the
    /// scanned one.
    pub fn next(&mut self, journal: &mut Writer) -> Option<(StepId, RollStep<'_>)> {
        while self.queue.is_empty() {
            if self.in_flight > 0 || self.phase == Phase::Over {
                return None;
            }
            self.enter_next_phase();
        }
        let todo = self.queue.pop_front()?;
        if !matches!(todo, Todo::Reach(_)) {
            self.in_flight += 1;
        }
        Some((todo.id(), self.step(todo, journal)))
    }

    /// A step ended.
    ///
    /// # Panics
    /// It was not in flight.
    pub fn on_done(&mut self, id: StepId, result: Result<RollOut, Errno>) {
        let todo = Todo::of(id).expect("the id of a step that is answered");
        assert!(self.in_flight > 0, "a step ends once, after it was given");
        self.in_flight -= 1;
        match todo {
            Todo::StatStaged(i) => self.on_staged(i, result),
            Todo::Hash(i) => match result {
                Ok(RollOut::Root(root)) if root == self.files[i as usize].listed.root => {
                    self.queue.push_back(Todo::Rename(i));
                }
                Ok(_) => {}
                Err(_) => self.keep_open(i),
            },
            Todo::Rename(i) => self.on_renamed(i, result),
            Todo::Link(i) => match result {
                Ok(_) => self.on_named(i),
                Err(Errno::EXIST) => self.queue.push_back(Todo::StatFinal(i)),
                Err(_) => self.keep_open(i),
            },
            // The name is taken: by our own file, which then has two names, or by another.
            Todo::StatFinal(i) => match result {
                Ok(RollOut::Stat(stat)) if stat.inode == self.files[i as usize].listed.inode => {
                    self.on_named(i)
                }
                Ok(_) => self.discard(i),
                Err(_) => self.keep_open(i),
            },
            Todo::SyncDir(i) => {
                let gone = matches!(result, Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP));
                if result.is_err() && !gone {
                    let batch = self.directories[i as usize].batch;
                    self.batches.insert(batch, false);
                }
            }
            Todo::Append(_) | Todo::SyncJournal if result.is_err() => {
                self.batches.values_mut().for_each(|settled| *settled = false);
                self.queue.clear();
                self.phase = Phase::Over;
            }
            Todo::Append(_) | Todo::SyncJournal | Todo::Discard(_) | Todo::Reach(_) => {}
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over && self.in_flight == 0 && self.queue.is_empty()
    }

    /// Whether, once over, every batch is done and the journal is no longer needed for them. Else a fault
    /// stood in the way, and the journal is kept for the next start.
    pub fn is_settled(&self) -> bool {
        self.batches.values().all(|settled| *settled)
    }

    /// How many files got their names from it.
    pub fn rolled(&self) -> u32 {
        self.rolled
    }

    /// Anchor, directory and name of a file that is listed, for reports.
    pub fn file(&self, file: FileRef) -> Option<(&[u8], RelPath<'_>, &[u8])> {
        let file = self.files.get(file.0 as usize)?;
        let (anchor, path) = self.directory(file.dir);
        Some((anchor, path, &file.listed.name))
    }

    fn on_staged(&mut self, index: u32, result: Result<RollOut, Errno>) {
        let file = &self.files[index as usize];
        match result {
            Ok(RollOut::Stat(stat)) if stat.inode == file.listed.inode => {
                let is_part = file.listed.temp.kind() == ReservedKind::Part;
                self.queue.push_back(if is_part { Todo::Hash(index) } else { Todo::Rename(index) });
            }
            // Gone: it has its name already, or its directory was never durable and nobody was told so.
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            Err(_) => self.keep_open(index),
        }
    }

    fn on_renamed(&mut self, index: u32, result: Result<RollOut, Errno>) {
        let no_replace = self.files[index as usize].listed.no_replace;
        match result {
            Ok(_) => self.rolled += 1,
            Err(Errno::INVAL) if no_replace => self.queue.push_back(Todo::Link(index)),
            Err(Errno::EXIST) if no_replace => self.queue.push_back(Todo::StatFinal(index)),
            // Something that must not be replaced is in the way, as it was before the crash.
            Err(Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST) => self.discard(index),
            Err(_) => self.keep_open(index),
        }
    }

    fn on_named(&mut self, index: u32) {
        self.rolled += 1;
        self.queue.push_back(Todo::Discard(index));
    }

    fn discard(&mut self, index: u32) {
        if self.files[index as usize].listed.temp.kind() == ReservedKind::Temp {
            self.queue.push_back(Todo::Discard(index));
        }
    }

    fn keep_open(&mut self, index: u32) {
        let batch = self.files[index as usize].batch;
        self.batches.insert(batch, false);
    }

    fn enter_next_phase(&mut self) {
        match self.phase {
            Phase::Begin => {
                self.phase = Phase::Files;
                for (index, file) in self.files.iter().enumerate() {
                    let index = index as u32;
                    if file.whole {
                        self.queue.push_back(Todo::StatStaged(index));
                    } else if file.listed.temp.kind() == ReservedKind::Temp {
                        self.queue.push_back(Todo::Discard(index));
                    }
                }
            }
            Phase::Files => {
                self.phase = Phase::Directories;
                let whole = self.directories.iter().enumerate().filter(|(_, directory)| directory.whole);
                self.queue.extend(whole.map(|(index, _)| Todo::SyncDir(index as u32)));
            }
            Phase::Directories => {
                self.phase = Phase::Done;
                let settled = self.batches.iter().filter(|(_, settled)| **settled);
                self.queue.extend(settled.map(|(batch, _)| Todo::Append(*batch)));
            }
            Phase::Done => {
                self.phase = Phase::JournalSync;
                if !self.batches.is_empty() {
                    self.queue.push_back(Todo::SyncJournal);
                }
            }
            Phase::JournalSync => {
                self.phase = Phase::Over;
                if !self.batches.is_empty() {
                    self.queue.push_back(Todo::Reach(Point::RecoverRolled));
                }
            }
            Phase::Over => {}
        }
    }

    fn step(&self, todo: Todo, journal: &mut Writer) -> RollStep<'_> {
        match todo {
            Todo::StatStaged(i) => {
                let file = &self.files[i as usize];
                RollStep::Stat { dir: file.dir, name: file.listed.temp.as_name() }
            }
            Todo::Hash(i) => {
                let file = &self.files[i as usize];
                RollStep::Hash { dir: file.dir, temp: file.listed.temp }
            }
            Todo::Rename(i) => {
                let (dir, temp, name) = self.names_of(i);
                let no_replace = self.files[i as usize].listed.no_replace;
                let how = if no_replace { RenameHow::NoReplace } else { RenameHow::Replace };
                RollStep::Rename { dir, temp, name, how }
            }
            Todo::Link(i) => {
                let (dir, temp, name) = self.names_of(i);
                RollStep::Link { dir, temp, name }
            }
            Todo::StatFinal(i) => {
                let (dir, _, name) = self.names_of(i);
                RollStep::Stat { dir, name }
            }
            Todo::Discard(i) => {
                let (dir, temp, _) = self.names_of(i);
                RollStep::Discard { dir, temp }
            }
            Todo::SyncDir(i) => RollStep::SyncDir(DirRef(i)),
            Todo::Append(batch) => {
                let append = journal.done(batch);
                RollStep::Append { offset: append.offset, bytes: append.bytes }
            }
            Todo::SyncJournal => RollStep::SyncJournal,
            Todo::Reach(point) => RollStep::Reach(point),
        }
    }

    fn names_of(&self, index: u32) -> (DirRef, ReservedName, Name<'_>) {
        let file = &self.files[index as usize];
        let name = Name::new(&file.listed.name).expect("the journal's reader lets only names through");
        (file.dir, file.listed.temp, name)
    }
}
