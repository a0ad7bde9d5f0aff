//! What goes into a batch.

use super::{Directory, File, FileState, Full, Phase, Publish, TreePublication};
use crate::publish::{DirRef, Durability, FileRef};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use base::entry::Meta;
use base::limits::Limits;
use base::name::{Name, RelPath};

impl TreePublication {
    /// An empty batch. `anchor` is the share's name, or the local root of a pull; `batch` numbers it within
    /// its transfer.
    pub fn new(batch: u32, anchor: &[u8], durability: Durability, limits: &Limits) -> Self {
        assert!(
            anchor.len() <= limits.path_bytes_max as usize,
            "an anchor is a name or a path that was opened"
        );
        Self {
            batch,
            anchor: anchor.to_vec(),
            durability,
            files_max: limits.tree_files_max,
            record_bytes_max: limits.record_bytes,
            files: Vec::new(),
            names: Vec::new(),
            directories: Vec::new(),
            by_path: BTreeMap::new(),
            phase: Phase::Filling,
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            in_flight_count: 0,
            commit_next: 0,
            committed: false,
            renamed: 0,
            failures: Vec::new(),
            dir_failures: Vec::new(),
            poison: None,
        }
    }

    /// A directory of this batch by its path below the anchor; the same path gives the same reference.
    pub fn directory(&mut self, path: RelPath<'_>) -> DirRef {
        assert!(self.phase == Phase::Filling, "a batch is filled before it is run");
        if let Some(last) = self.directories.last()
            && last.path == path.as_bytes()
        {
            return DirRef(self.directories.len() as u32 - 1);
        }
        if let Some(&known) = self.by_path.get(path.as_bytes()) {
            return known;
        }
        let dir = DirRef(self.directories.len() as u32);
        let path = path.as_bytes().to_vec();
        self.by_path.insert(path.clone(), dir);
        self.directories.push(Directory { path, touched: false, parent: false, meta: None });
        dir
    }

    /// Adds a file.
    ///
    /// # Errors
    /// The batch is full.
    pub fn push(&mut self, file: &Publish<'_>) -> Result<FileRef, Full> {
        assert!(self.phase == Phase::Filling, "a batch is filled before it is run");
        if self.files.len() >= self.files_max as usize {
            return Err(Full);
        }
        let name = file.name.as_bytes();
        let reference = FileRef(self.files.len() as u32);
        self.directories[file.dir.0 as usize].touched = true;
        self.files.push(File {
            dir: file.dir,
            temp: file.temp,
            name_at: self.names.len() as u32,
            name_len: name.len() as u8,
            inode: file.inode,
            root: file.root,
            meta: file.meta,
            symlink: file.symlink,
            no_replace: file.no_replace,
            state: FileState::Staged,
        });
        self.names.extend_from_slice(name);
        Ok(reference)
    }

    /// A name in this directory was made outside the batch and must be as durable as the batch: every
    /// directory the transfer makes, or finds without knowing that it was synced, passes its parent here.
    pub fn parent(&mut self, dir: DirRef) {
        self.directories[dir.0 as usize].parent = true;
    }

    /// Final metadata of a directory whose last child is in this batch: set after the renames. Its own
    /// sync follows.
    pub fn directory_meta(&mut self, dir: DirRef, meta: Meta) {
        let directory = &mut self.directories[dir.0 as usize];
        directory.meta = Some(meta);
        directory.touched = true;
    }

    /// How many files it holds.
    pub fn len(&self) -> u32 {
        self.files.len() as u32
    }

    /// Whether running it would do nothing.
    pub fn is_empty(&self) -> bool {
        self.directories.is_empty()
    }

    /// How many directories it names: each takes a descriptor while it runs.
    pub fn directory_count(&self) -> u32 {
        self.directories.len() as u32
    }

    /// Path of a directory below the anchor.
    ///
    /// # Panics
    /// Never: only checked paths come in.
    pub fn directory_path(&self, dir: DirRef) -> RelPath<'_> {
        RelPath::new(&self.directories[dir.0 as usize].path).expect("it came in as a checked path")
    }

    /// Final name of a file.
    ///
    /// # Panics
    /// Never: only checked names come in.
    pub fn file_name(&self, file: FileRef) -> Name<'_> {
        let file = &self.files[file.0 as usize];
        let at = file.name_at as usize;
        Name::new(&self.names[at..at + usize::from(file.name_len)]).expect("it came in as a checked name")
    }
}
