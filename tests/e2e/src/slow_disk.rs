//! A file system in memory, by FUSE, that gives and takes file bytes slowly: a disk whose speed a test chooses.
//!
//! It holds what a transfer needs and nothing else: folders, files, modes, times, renames. Its slowness is a wait
//! for each piece, of which there is one at a time.

use crate::scratch::Scratch;
use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

const ROOT: u64 = 1;
const BLOCK: u32 = 4096;
const NO_TIME: Duration = Duration::ZERO;

/// What is slow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slow {
    /// Reading.
    Reads,
    /// Writing.
    Writes,
}

struct Node {
    /// Names of a folder.
    names: Option<BTreeMap<OsString, u64>>,
    bytes: Vec<u8>,
    mode: u16,
    owner: (u32, u32),
    mtime: SystemTime,
}

struct State {
    nodes: BTreeMap<u64, Node>,
    next: u64,
    over: bool,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

/// A mounted one; unmounted when dropped, which must be after every process that uses it.
pub struct SlowDisk {
    /// Where it is mounted.
    pub path: PathBuf,
    shared: Shared,
    session: Option<BackgroundSession>,
    _scratch: Scratch,
}

impl SlowDisk {
    /// Mounts an empty one. `None`: it cannot be mounted here, which is printed as why `test` is skipped.
    pub fn mount(test: &str, slow: Slow, bytes_per_second: u64) -> Option<Self> {
        let scratch = Scratch::new();
        let path = scratch.dir("slow");
        let nodes = BTreeMap::from([(ROOT, Node::new(Some(BTreeMap::new()), 0o755))]);
        let state = State { nodes, next: ROOT + 1, over: false };
        let shared: Shared = Arc::new((Mutex::new(state), Condvar::new()));
        let served = Served { shared: Arc::clone(&shared), slow, bytes_per_second };
        match fuser::spawn_mount(served, &path, &Config::default()) {
            Ok(session) => Some(Self { path, shared, session: Some(session), _scratch: scratch }),
            Err(error) => {
                println!("skipped: {test}: a file system cannot be mounted by FUSE: {error}");
                None
            }
        }
    }

    /// Puts a file into its top folder, at once.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut state = lock(&self.shared);
        let node = Node { bytes, ..Node::new(None, 0o644) };
        let _ = state.add(ROOT, OsStr::new(name), node);
    }

    /// What a file of its top folder holds, at once.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = lock(&self.shared);
        let ino = state.child(ROOT, OsStr::new(name)).ok()?;
        Some(state.nodes[&ino].bytes.clone())
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        Path::new(&self.path).join(name)
    }
}

impl Drop for SlowDisk {
    fn drop(&mut self) {
        lock(&self.shared).over = true;
        self.shared.1.notify_all();
        if let Some(session) = self.session.take()
            && let Err(error) = session.umount_and_join()
        {
            eprintln!("{} stays mounted: {error}", self.path.display());
        }
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Node {
    fn new(names: Option<BTreeMap<OsString, u64>>, mode: u32) -> Self {
        Self { names, bytes: Vec::new(), mode: mode as u16 & 0o7777, owner: (0, 0), mtime: SystemTime::now() }
    }

    fn attr(&self, ino: u64) -> FileAttr {
        let kind = if self.names.is_some() { FileType::Directory } else { FileType::RegularFile };
        let size = self.bytes.len() as u64;
        FileAttr {
            ino: INodeNo(ino),
            size,
            blocks: size.div_ceil(512),
            atime: self.mtime,
            mtime: self.mtime,
            ctime: self.mtime,
            crtime: self.mtime,
            kind,
            perm: self.mode,
            nlink: 1,
            uid: self.owner.0,
            gid: self.owner.1,
            rdev: 0,
            blksize: BLOCK,
            flags: 0,
        }
    }
}

impl State {
    fn node(&mut self, ino: u64) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&ino).ok_or(Errno::ENOENT)
    }

    fn names(&mut self, dir: u64) -> Result<&mut BTreeMap<OsString, u64>, Errno> {
        self.node(dir)?.names.as_mut().ok_or(Errno::ENOTDIR)
    }

    fn child(&self, dir: u64, name: &OsStr) -> Result<u64, Errno> {
        let names = self.nodes.get(&dir).and_then(|node| node.names.as_ref());
        names.and_then(|names| names.get(name)).copied().ok_or(Errno::ENOENT)
    }

    fn add(&mut self, dir: u64, name: &OsStr, node: Node) -> Result<FileAttr, Errno> {
        let ino = self.next;
        if self.names(dir)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        self.names(dir)?.insert(name.to_owned(), ino);
        self.next += 1;
        let attr = node.attr(ino);
        self.nodes.insert(ino, node);
        Ok(attr)
    }
}

struct Served {
    shared: Shared,
    slow: Slow,
    bytes_per_second: u64,
}

impl Served {
    fn wait(&self, what: Slow, bytes: usize) {
        if what == self.slow {
            let pause = Duration::from_nanos(bytes as u64 * 1_000_000_000 / self.bytes_per_second);
            drop(self.shared.1.wait_timeout_while(lock(&self.shared), pause, |state| !state.over));
        }
    }

    fn entry(&self, made: Result<FileAttr, Errno>, reply: ReplyEntry) {
        match made {
            Ok(attr) => reply.entry(&NO_TIME, &attr, Generation(0)),
            Err(error) => reply.error(error),
        }
    }
}

fn ended(result: Result<(), Errno>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Served {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let mut state = lock(&self.shared);
        let found = state.child(parent.0, name).and_then(|ino| Ok(state.node(ino)?.attr(ino)));
        self.entry(found, reply);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match lock(&self.shared).node(ino.0) {
            Ok(node) => reply.attr(&NO_TIME, &node.attr(ino.0)),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut state = lock(&self.shared);
        let Ok(node) = state.node(ino.0) else { return reply.error(Errno::ENOENT) };
        node.mode = mode.map_or(node.mode, |mode| mode as u16 & 0o7777);
        node.owner = (uid.unwrap_or(node.owner.0), gid.unwrap_or(node.owner.1));
        node.bytes.resize(size.map_or(node.bytes.len(), |size| size as usize), 0);
        node.mtime = match mtime {
            Some(TimeOrNow::SpecificTime(time)) => time,
            Some(TimeOrNow::Now) => SystemTime::now(),
            None => node.mtime,
        };
        reply.attr(&NO_TIME, &node.attr(ino.0));
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, _: u32, reply: ReplyEntry) {
        let made = lock(&self.shared).add(parent.0, name, Node::new(Some(BTreeMap::new()), mode));
        self.entry(made, reply);
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match lock(&self.shared).add(parent.0, name, Node::new(None, mode)) {
            Ok(attr) => reply.created(&NO_TIME, &attr, Generation(0), FileHandle(0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        // The node stays for whoever has it open.
        let removed = lock(&self.shared).names(parent.0).map(|names| names.remove(name));
        ended(removed.and_then(|removed| removed.map(drop).ok_or(Errno::ENOENT)), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let mut state = lock(&self.shared);
        if flags.contains(RenameFlags::RENAME_NOREPLACE) && state.child(new_parent.0, new_name).is_ok() {
            return reply.error(Errno::EEXIST);
        }
        let moved = state.child(parent.0, name).and_then(|ino| {
            state.names(parent.0)?.remove(name);
            state.names(new_parent.0)?.insert(new_name.to_owned(), ino);
            Ok(())
        });
        ended(moved, reply);
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.wait(Slow::Reads, size as usize);
        match lock(&self.shared).node(ino.0) {
            Ok(node) => {
                let from = (offset as usize).min(node.bytes.len());
                let to = (from + size as usize).min(node.bytes.len());
                reply.data(&node.bytes[from..to]);
            }
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        self.wait(Slow::Writes, data.len());
        match lock(&self.shared).node(ino.0) {
            Ok(node) => {
                let (from, to) = (offset as usize, offset as usize + data.len());
                node.bytes.resize(node.bytes.len().max(to), 0);
                node.bytes[from..to].copy_from_slice(data);
                node.mtime = SystemTime::now();
                reply.written(data.len() as u32);
            }
            Err(error) => reply.error(error),
        }
    }

    fn readdir(&self, _: &Request, ino: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let state = lock(&self.shared);
        let names = state.nodes.get(&ino.0).and_then(|node| node.names.as_ref());
        let Some(names) = names else { return reply.error(Errno::ENOTDIR) };
        for (index, (name, child)) in names.iter().enumerate().skip(offset as usize) {
            let Some(node) = state.nodes.get(child) else { continue };
            if reply.add(INodeNo(*child), index as u64 + 1, node.attr(*child).kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let free = 1 << 20;
        reply.statfs(free, free, free, free, free, BLOCK, 255, BLOCK);
    }
}
