//! A disk small enough to be sure of: names and contents, each with what of it is durable. It runs the
//! steps of the machines, can be killed or lose its power at any moment, and be recovered.

use super::{DirRef, FileRef, JournalRef, Step};
use crate::journal::{End, JournalKind, Reader, Writer};
use crate::resume::{RollOut, RollStep, TransferJournal};
use crate::toy;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use base::entry::{FileTime, Kind, Stat};
use base::ids::{TransferId, Value};
use base::io::{Errno, RenameHow};
use base::limits::Limits;
use base::name::RelPath;
use base::points::Point;

/// A stream of numbers from a seed.
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % most.max(1)
    }
}

/// Inode of the directory that blocks a name.
pub(crate) const BLOCKER: u64 = 999_999;

#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Directory {
    pub(crate) names: BTreeMap<Vec<u8>, u64>,
    durable: BTreeMap<Vec<u8>, u64>,
    changes: Vec<BTreeMap<Vec<u8>, u64>>,
}

impl Directory {
    fn changed(&mut self) {
        self.changes.push(self.names.clone());
    }

    fn sync(&mut self) {
        self.durable = self.names.clone();
        self.changes.clear();
    }
}

/// The disk. Directories go by path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Disk {
    pub(crate) directories: BTreeMap<Vec<u8>, Directory>,
    /// Inode to: whether its content is durable.
    pub(crate) synced: BTreeMap<u64, bool>,
    pub(crate) journal: Vec<u8>,
    journal_durable: usize,
    /// Plain renames are known; NOREPLACE is not.
    pub(crate) old_file_system: bool,
}

impl Disk {
    pub(crate) fn new(limits: &Limits) -> (Self, Writer) {
        let (writer, head) = Writer::transfer(TransferId([1; 16]), toy::hash, limits);
        let journal_durable = head.bytes.len();
        let disk = Self {
            directories: BTreeMap::new(),
            synced: BTreeMap::new(),
            journal: head.bytes,
            journal_durable,
            old_file_system: false,
        };
        (disk, writer)
    }

    pub(crate) fn put(&mut self, dir: &[u8], name: &[u8], inode: u64, durable: bool) {
        let directory = self.directories.entry(dir.to_vec()).or_default();
        directory.names.insert(name.to_vec(), inode);
        directory.changed();
        if durable {
            directory.sync();
        }
        self.synced.insert(inode, durable);
    }

    pub(crate) fn inode(&self, dir: &[u8], name: &[u8]) -> Option<u64> {
        self.directories.get(dir)?.names.get(name).copied()
    }

    /// Runs a step of a publication. `inode_of` and `path_of` resolve its references.
    pub(crate) fn run(
        &mut self,
        step: &OwnedStep,
        inode_of: impl Fn(FileRef) -> u64,
        path_of: impl Fn(DirRef) -> Vec<u8>,
    ) -> Result<(), Errno> {
        match step {
            OwnedStep::Sync(file) => {
                self.synced.insert(inode_of(*file), true);
            }
            OwnedStep::Append(offset, bytes) => self.append(*offset, bytes),
            OwnedStep::SyncJournal => self.journal_durable = self.journal.len(),
            OwnedStep::Rename(_, dir, from, to, how) => return self.rename(&path_of(*dir), from, to, *how),
            OwnedStep::Link(_, dir, from, to) => return self.link(&path_of(*dir), from, to),
            OwnedStep::Discard(_, dir, name) => return self.remove(&path_of(*dir), name),
            OwnedStep::SyncDir(dir) => self.directories.entry(path_of(*dir)).or_default().sync(),
            OwnedStep::SetMeta(_) | OwnedStep::SetDirMeta(_) | OwnedStep::Reach(_) => {}
        }
        Ok(())
    }

    fn append(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset as usize + bytes.len();
        if self.journal.len() < end {
            self.journal.resize(end, 0);
        }
        self.journal[offset as usize..end].copy_from_slice(bytes);
    }

    fn rename(&mut self, dir: &[u8], from: &[u8], to: &[u8], how: RenameHow) -> Result<(), Errno> {
        let old = self.old_file_system;
        let directory = self.directories.get_mut(dir).ok_or(Errno::NOENT)?;
        let inode = *directory.names.get(from).ok_or(Errno::NOENT)?;
        let there = directory.names.get(to).copied();
        match how {
            RenameHow::NoReplace if old => return Err(Errno::INVAL),
            RenameHow::NoReplace if there.is_some() => return Err(Errno::EXIST),
            _ if there == Some(BLOCKER) => return Err(Errno::ISDIR),
            _ if there == Some(inode) => return Ok(()),
            _ => {}
        }
        directory.names.remove(from);
        directory.names.insert(to.to_vec(), inode);
        directory.changed();
        Ok(())
    }

    fn link(&mut self, dir: &[u8], from: &[u8], to: &[u8]) -> Result<(), Errno> {
        let directory = self.directories.get_mut(dir).ok_or(Errno::NOENT)?;
        let inode = *directory.names.get(from).ok_or(Errno::NOENT)?;
        if directory.names.contains_key(to) {
            return Err(Errno::EXIST);
        }
        directory.names.insert(to.to_vec(), inode);
        directory.changed();
        Ok(())
    }

    fn remove(&mut self, dir: &[u8], name: &[u8]) -> Result<(), Errno> {
        let directory = self.directories.get_mut(dir).ok_or(Errno::NOENT)?;
        directory.names.remove(name).ok_or(Errno::NOENT)?;
        directory.changed();
        Ok(())
    }

    /// The power goes: what is durable stays, with some of what is not.
    pub(crate) fn lose_power(&mut self, dice: &mut Dice) {
        for directory in self.directories.values_mut() {
            let kept = dice.below(directory.changes.len() as u64 + 1) as usize;
            directory.names = match kept {
                0 => directory.durable.clone(),
                _ => directory.changes[kept - 1].clone(),
            };
            directory.sync();
        }
        let extra = dice.below((self.journal.len() - self.journal_durable) as u64 + 1) as usize;
        self.journal.truncate(self.journal_durable + extra);
        self.journal_durable = self.journal.len();
    }

    /// Scans the journal, cuts it, rolls it forward. `root_of` is what hashing a staged file yields.
    /// Whether all was settled.
    pub(crate) fn recover(&mut self, limits: &Limits, root_of: impl Fn(u64) -> Value) -> bool {
        let mut reader = Reader::new(JournalKind::Transfer, toy::hash, limits);
        let mut found = TransferJournal::new();
        for piece in self.journal.chunks(100) {
            reader.feed(piece);
            while let Some((_, record)) = reader.next_record() {
                found.apply(record);
            }
        }
        let scanned = reader.finish();
        assert!(matches!(scanned.end, End::Clean | End::Torn), "{:?}", scanned.end);
        self.journal.truncate(scanned.valid_bytes as usize);
        self.journal_durable = self.journal.len();
        let mut writer = scanned.writer.expect("its head is durable");
        let mut roll = found.roll_forward();
        while !roll.is_over() {
            let Some((id, step)) = roll.next(&mut writer) else { break };
            let owned = OwnedRoll::from(&step);
            if let OwnedRoll::Reach(point) = owned {
                assert_eq!(point, Point::RecoverRolled);
                continue;
            }
            let path = |dir: DirRef| roll.directory(dir).1.as_bytes().to_vec();
            let result = self.run_roll(&owned, path, &root_of);
            roll.on_done(id, result);
        }
        assert!(roll.is_over());
        roll.is_settled()
    }

    fn run_roll(
        &mut self,
        step: &OwnedRoll,
        path_of: impl Fn(DirRef) -> Vec<u8>,
        root_of: impl Fn(u64) -> Value,
    ) -> Result<RollOut, Errno> {
        match step {
            OwnedRoll::Stat(dir, name) => {
                self.inode(&path_of(*dir), name).map(|inode| RollOut::Stat(stat(inode))).ok_or(Errno::NOENT)
            }
            OwnedRoll::Hash(dir, name) => self
                .inode(&path_of(*dir), name)
                .map(|inode| RollOut::Root(root_of(inode)))
                .ok_or(Errno::NOENT),
            OwnedRoll::Step(step) => self.run(step, |_| 0, path_of).map(|()| RollOut::Nothing),
            OwnedRoll::Reach(_) => Ok(RollOut::Nothing),
        }
    }
}

pub(crate) fn stat(inode: u64) -> Stat {
    Stat {
        kind: Some(Kind::File),
        mode: 0o600,
        uid: 0,
        gid: 0,
        links: 1,
        device: 1,
        inode,
        size: 0,
        allocated: 0,
        mtime: FileTime::default(),
        ctime: FileTime::default(),
    }
}

/// A step that outlives its machine's borrow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum OwnedStep {
    Sync(FileRef),
    SetMeta(FileRef),
    SetDirMeta(DirRef),
    Append(u64, Vec<u8>),
    SyncJournal,
    Rename(FileRef, DirRef, Vec<u8>, Vec<u8>, RenameHow),
    Link(FileRef, DirRef, Vec<u8>, Vec<u8>),
    Discard(FileRef, DirRef, Vec<u8>),
    SyncDir(DirRef),
    Reach(Point),
}

impl From<&Step<'_>> for OwnedStep {
    fn from(step: &Step<'_>) -> Self {
        let bytes = |name: &[u8]| name.to_vec();
        match step {
            Step::SyncData(file) | Step::SyncFull(file) => Self::Sync(*file),
            Step::SetMeta { file, .. } => Self::SetMeta(*file),
            Step::SetDirMeta { dir, .. } => Self::SetDirMeta(*dir),
            Step::Append { journal: JournalRef::Transfer, offset, bytes } => {
                Self::Append(*offset, bytes.clone())
            }
            Step::SyncJournal(JournalRef::Transfer) => Self::SyncJournal,
            Step::Append { .. } | Step::SyncJournal(_) => panic!("a batch writes the transfer's journal"),
            Step::Rename { file, dir, temp, name, how } => {
                Self::Rename(*file, *dir, bytes(temp.as_bytes()), bytes(name.as_bytes()), *how)
            }
            Step::Link { file, dir, temp, name } => {
                Self::Link(*file, *dir, bytes(temp.as_bytes()), bytes(name.as_bytes()))
            }
            Step::Discard { file, dir, temp } => Self::Discard(*file, *dir, bytes(temp.as_bytes())),
            Step::SyncDir(dir) => Self::SyncDir(*dir),
            Step::Reach(point) => Self::Reach(*point),
        }
    }
}

enum OwnedRoll {
    Stat(DirRef, Vec<u8>),
    Hash(DirRef, Vec<u8>),
    Step(OwnedStep),
    Reach(Point),
}

impl From<&RollStep<'_>> for OwnedRoll {
    fn from(step: &RollStep<'_>) -> Self {
        let bytes = |name: &[u8]| name.to_vec();
        let no_file = FileRef(0);
        match step {
            RollStep::Stat { dir, name } => Self::Stat(*dir, bytes(name.as_bytes())),
            RollStep::Hash { dir, temp } => Self::Hash(*dir, bytes(temp.as_bytes())),
            RollStep::Rename { dir, temp, name, how } => {
                let (from, to) = (bytes(temp.as_bytes()), bytes(name.as_bytes()));
                Self::Step(OwnedStep::Rename(no_file, *dir, from, to, *how))
            }
            RollStep::Link { dir, temp, name } => {
                let (from, to) = (bytes(temp.as_bytes()), bytes(name.as_bytes()));
                Self::Step(OwnedStep::Link(no_file, *dir, from, to))
            }
            RollStep::Discard { dir, temp } => {
                Self::Step(OwnedStep::Discard(no_file, *dir, bytes(temp.as_bytes())))
            }
            RollStep::SyncDir(dir) => Self::Step(OwnedStep::SyncDir(*dir)),
            RollStep::Append { offset, bytes } => Self::Step(OwnedStep::Append(*offset, bytes.clone())),
            RollStep::SyncJournal => Self::Step(OwnedStep::SyncJournal),
            RollStep::Reach(point) => Self::Reach(*point),
        }
    }
}

/// Path of the n-th directory of a test.
pub(crate) fn path(text: &[u8]) -> RelPath<'_> {
    RelPath::new(text).expect("valid")
}
