//! A disk that forgets what was not synced.
//!
//! Names and bytes exist twice: as a process sees them, and as they would be after a loss of power.
//! fsync of a file moves its bytes and attributes over (fdatasync: bytes and size), fsync of a directory
//! its names. Until then a loss of power keeps a random subset of a file's sectors and a random prefix of
//! a directory's changes ([`SimDisk::lose_power`]); a kill keeps everything seen. This is harsher than
//! ext4 or xfs: nothing becomes durable with something else.
//!
//! Paths are resolved as openat2 does with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS. Errors are Linux's.

mod build;
mod content;
mod crash;
mod image;
mod names;

pub use content::{Content, SECTOR_BYTES, Sectors};
pub use image::{Image, View};
pub use names::Listed;

use crate::random::Random;
use base::entry::{FileTime, Kind, Meta, Stat};
use base::io::{Errno, How};
use names::Names;
use std::collections::BTreeMap;

/// Bad file descriptor.
pub const EBADF: Errno = Errno(9);

/// Number of an inode.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ino(pub u64);

/// What an inode says beside its content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last change of the content.
    pub mtime: FileTime,
    /// Last change of the inode.
    pub ctime: FileTime,
}

#[derive(Clone, Debug)]
enum Body {
    File(Content),
    Directory(Names),
    Symlink(Vec<u8>),
    /// A FIFO, socket or device.
    Special,
}

#[derive(Clone, Debug)]
struct Node {
    body: Body,
    seen: Attributes,
    durable: Attributes,
    links: u32,
    opens: u32,
    lock: Option<u64>,
}

impl Node {
    fn kind(&self) -> Option<Kind> {
        match self.body {
            Body::File(_) => Some(Kind::File),
            Body::Directory(_) => Some(Kind::Directory),
            Body::Symlink(_) => Some(Kind::Symlink),
            Body::Special => None,
        }
    }

    fn allocated(&self) -> u64 {
        match &self.body {
            Body::File(content) if self.links + self.opens > 0 => content.seen().allocated(),
            _ => 0,
        }
    }
}

/// Shape of a disk.
#[derive(Clone, Debug)]
pub struct DiskConfig {
    /// Device number in stats.
    pub device: u64,
    /// Bytes of file content it can hold.
    pub capacity_bytes: u64,
    /// Mounted read-only.
    pub read_only: bool,
    /// Who the process is; 0 passes every permission check.
    pub uid: u32,
}

impl Default for DiskConfig {
    fn default() -> Self {
        Self { device: 1, capacity_bytes: 64 << 20, read_only: false, uid: 0 }
    }
}

/// One disk.
#[derive(Clone, Debug)]
pub struct SimDisk {
    config: DiskConfig,
    nodes: BTreeMap<Ino, Node>,
    next: u64,
    used: u64,
    read: u64,
    time: FileTime,
}

impl SimDisk {
    /// The root directory; it always survives.
    pub const ROOT: Ino = Ino(2);

    /// An empty disk.
    pub fn new(config: DiskConfig) -> Self {
        let mut disk =
            Self { config, nodes: BTreeMap::new(), next: 2, used: 0, read: 0, time: FileTime::default() };
        let root = disk.add(Body::Directory(Names::new(Self::ROOT)), 0o755);
        assert_eq!(root, Self::ROOT);
        disk.node_mut(root).links = 1;
        disk
    }

    /// The time that later changes carry.
    pub fn set_time(&mut self, time: FileTime) {
        self.time = time;
    }

    /// Shape, to be changed in mid-run: capacity, read-only.
    pub fn config_mut(&mut self) -> &mut DiskConfig {
        &mut self.config
    }

    fn node(&self, ino: Ino) -> &Node {
        &self.nodes[&ino]
    }

    fn node_mut(&mut self, ino: Ino) -> &mut Node {
        self.nodes.get_mut(&ino).expect("inodes in use exist")
    }

    fn add(&mut self, body: Body, mode: u32) -> Ino {
        let ino = Ino(self.next);
        self.next += 1;
        let uid = self.config.uid;
        let seen = Attributes { mode, uid, gid: uid, mtime: self.time, ctime: self.time };
        self.nodes.insert(ino, Node { body, seen, durable: seen, links: 0, opens: 0, lock: None });
        ino
    }

    fn touch(&mut self, ino: Ino, content: bool) {
        let time = self.time;
        let seen = &mut self.node_mut(ino).seen;
        seen.ctime = time;
        if content {
            seen.mtime = time;
        }
    }

    /// Changes an inode and keeps the count of used sectors.
    fn change<R>(&mut self, ino: Ino, edit: impl FnOnce(&mut Node) -> R) -> R {
        let node = self.node_mut(ino);
        let before = node.allocated();
        let out = edit(node);
        let after = node.allocated();
        self.used = self.used + after - before;
        out
    }

    /// Checks permission bits (4 read, 2 write, 1 search) for the process.
    fn may(&self, ino: Ino, bits: u32) -> Result<(), Errno> {
        let Attributes { mode, uid, gid, .. } = self.node(ino).seen;
        let who = self.config.uid;
        let shift = if who == uid {
            6
        } else if who == gid {
            3
        } else {
            0
        };
        if who == 0 || (mode >> shift) & bits == bits { Ok(()) } else { Err(Errno::ACCES) }
    }

    fn writable(&self) -> Result<(), Errno> {
        if self.config.read_only { Err(Errno::ROFS) } else { Ok(()) }
    }

    fn content(&self, ino: Ino) -> Result<&Content, Errno> {
        match &self.node(ino).body {
            Body::File(content) => Ok(content),
            Body::Directory(_) => Err(Errno::ISDIR),
            Body::Symlink(_) | Body::Special => Err(Errno::INVAL),
        }
    }

    fn change_content<R>(&mut self, ino: Ino, edit: impl FnOnce(&mut Content) -> R) -> Result<R, Errno> {
        self.content(ino)?;
        let out = self.change(ino, |node| match &mut node.body {
            Body::File(content) => edit(content),
            _ => unreachable!("checked above"),
        });
        Ok(out)
    }

    /// Opens `path` beneath `dir`: the inode, and whether it may be written. It stays until [`Self::release`].
    ///
    /// # Errors
    /// As openat2.
    pub fn open(&mut self, dir: Ino, path: &[u8], how: How) -> Result<(Ino, bool), Errno> {
        let (parent, name) = match path.iter().rposition(|&b| b == b'/') {
            Some(at) => (self.walk(dir, &path[..at])?, &path[at + 1..]),
            None => (dir, path),
        };
        let found = if name.is_empty() { Ok(parent) } else { self.lookup(parent, name) };
        let (ino, write) = match (how, found) {
            (How::Create { .. }, Ok(_)) => return Err(Errno::EXIST),
            (How::Create { mode } | How::CreateOrOpen { mode }, Err(Errno::NOENT)) => {
                (self.create(parent, name, Body::File(Content::default()), mode)?, true)
            }
            (_, found) => self.open_existing(found?, how)?,
        };
        self.node_mut(ino).opens += 1;
        Ok((ino, write))
    }

    fn open_existing(&self, ino: Ino, how: How) -> Result<(Ino, bool), Errno> {
        let kind = self.node(ino).kind();
        let write = !matches!(how, How::Read | How::Directory);
        match (how, kind) {
            (How::Directory, Some(Kind::Directory)) => {}
            (How::Directory, _) => return Err(Errno::NOTDIR),
            (_, Some(Kind::Symlink)) => return Err(Errno::LOOP),
            (How::Read, _) => {}
            (_, Some(Kind::Directory)) => return Err(Errno::ISDIR),
            _ => self.writable()?,
        }
        self.may(ino, if write { 6 } else { 4 })?;
        Ok((ino, write))
    }

    /// Opens a directory or file by an absolute path, as a program does before its cores start.
    ///
    /// # Errors
    /// As openat2.
    pub fn open_absolute(&mut self, path: &[u8], how: How) -> Result<(Ino, bool), Errno> {
        self.open(Self::ROOT, path, how)
    }

    /// Ends one opening; `owner` loses its lock.
    pub fn release(&mut self, ino: Ino, owner: u64) {
        self.change(ino, |node| {
            node.opens -= 1;
            node.lock = node.lock.filter(|&holder| holder != owner);
        });
    }

    /// flock, exclusive, without waiting.
    ///
    /// # Errors
    /// EAGAIN when another holds it.
    pub fn lock(&mut self, ino: Ino, owner: u64) -> Result<(), Errno> {
        let lock = &mut self.node_mut(ino).lock;
        if *lock.get_or_insert(owner) == owner { Ok(()) } else { Err(Errno::AGAIN) }
    }

    /// statx.
    pub fn stat(&self, ino: Ino) -> Stat {
        let node = self.node(ino);
        let Attributes { mode, uid, gid, mtime, ctime } = node.seen;
        let (size, allocated, links) = match &node.body {
            Body::File(content) => {
                let seen = content.seen();
                (seen.size(), seen.allocated() * SECTOR_BYTES, node.links)
            }
            Body::Directory(names) => (names.len() as u64 * 32, 0, node.links + 1),
            Body::Symlink(target) => (target.len() as u64, 0, node.links),
            Body::Special => (0, 0, node.links),
        };
        let device = self.config.device;
        Stat { kind: node.kind(), mode, uid, gid, links, device, inode: ino.0, size, allocated, mtime, ctime }
    }

    /// Sets owner, then mode, then times; a symlink has no mode of its own.
    ///
    /// # Errors
    /// As fchownat, fchmodat, utimensat.
    pub fn set_meta(&mut self, ino: Ino, meta: &Meta) -> Result<(), Errno> {
        self.writable()?;
        if meta.mtime.is_some_and(|time| time.nanos >= 1_000_000_000) {
            return Err(Errno::INVAL);
        }
        let who = self.config.uid;
        let node = self.node(ino);
        let owner = node.seen.uid;
        let moves =
            meta.uid.is_some_and(|uid| uid != owner) || meta.gid.is_some_and(|gid| gid != node.seen.gid);
        if who != 0 && (who != owner || moves) {
            return Err(Errno::PERM);
        }
        let is_file = node.kind() == Some(Kind::File);
        let is_link = node.kind() == Some(Kind::Symlink);
        let seen = &mut self.node_mut(ino).seen;
        seen.uid = meta.uid.unwrap_or(seen.uid);
        seen.gid = meta.gid.unwrap_or(seen.gid);
        if is_file && (meta.uid.is_some() || meta.gid.is_some()) {
            seen.mode &= 0o1777; // chown takes setuid and setgid away
        }
        if let Some(mode) = meta.mode.filter(|_| !is_link) {
            seen.mode = mode & 0o7777;
        }
        seen.mtime = meta.mtime.unwrap_or(seen.mtime);
        self.touch(ino, false);
        Ok(())
    }

    /// Bytes from `offset` on.
    ///
    /// # Errors
    /// EISDIR, EINVAL.
    pub fn read(&self, ino: Ino, offset: u64, out: &mut [u8]) -> Result<usize, Errno> {
        Ok(self.content(ino)?.seen().read(offset, out))
    }

    /// Counts bytes that an operation read.
    pub fn count_read(&mut self, bytes: u64) {
        self.read += bytes;
    }

    /// Bytes that operations read so far.
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Gives `to` the content of `from`. Half of all files lie where nothing is shared.
    ///
    /// # Errors
    /// EOPNOTSUPP, EISDIR, ENOSPC.
    pub fn share(&mut self, from: Ino, to: Ino) -> Result<(), Errno> {
        if from.0.is_multiple_of(2) {
            return Err(Errno::OPNOTSUPP);
        }
        let mut bytes = vec![0; self.stat(from).size as usize];
        self.read(from, 0, &mut bytes)?;
        if bytes.len() as u64 > self.space().0 {
            return Err(Errno::NOSPC);
        }
        let before = self.stat(to).size;
        self.resize(to, 0)?;
        if !bytes.is_empty() && self.write(to, 0, &bytes) != Ok(bytes.len()) {
            self.resize(to, 0)?;
            self.resize(to, before)?;
            return Err(Errno::NOSPC);
        }
        Ok(())
    }

    /// Writes what fits; how many bytes did.
    ///
    /// # Errors
    /// ENOSPC when none did.
    pub fn write(&mut self, ino: Ino, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        let mut fits = bytes.len();
        let seen = self.content(ino)?.seen();
        while fits > 0 && seen.missing(offset, fits as u64) > self.free_sectors() {
            let end = offset + fits as u64;
            fits = ((end - 1) / SECTOR_BYTES * SECTOR_BYTES).saturating_sub(offset) as usize;
        }
        if fits == 0 && !bytes.is_empty() {
            return Err(Errno::NOSPC);
        }
        self.change_content(ino, |content| content.write(offset, &bytes[..fits]))?;
        self.touch(ino, true);
        Ok(fits)
    }

    /// fallocate with KEEP_SIZE.
    ///
    /// # Errors
    /// ENOSPC; nothing is allocated then.
    pub fn reserve(&mut self, ino: Ino, offset: u64, len: u64) -> Result<(), Errno> {
        if len == 0 {
            return Err(Errno::INVAL);
        }
        if self.content(ino)?.seen().missing(offset, len) > self.free_sectors() {
            return Err(Errno::NOSPC);
        }
        self.change_content(ino, |content| content.reserve(offset, len))
    }

    /// ftruncate.
    ///
    /// # Errors
    /// EISDIR, EINVAL.
    pub fn resize(&mut self, ino: Ino, size: u64) -> Result<(), Errno> {
        self.change_content(ino, |content| content.resize(size))?;
        self.touch(ino, true);
        Ok(())
    }

    /// FALLOC_FL_PUNCH_HOLE.
    ///
    /// # Errors
    /// EISDIR, EINVAL.
    pub fn punch(&mut self, ino: Ino, offset: u64, len: u64) -> Result<(), Errno> {
        if len == 0 {
            return Err(Errno::INVAL);
        }
        self.change_content(ino, |content| content.punch(offset, len))?;
        self.touch(ino, true);
        Ok(())
    }

    /// SEEK_DATA and SEEK_HOLE.
    ///
    /// # Errors
    /// EISDIR, EINVAL.
    pub fn extent(&self, ino: Ino, offset: u64) -> Result<(u64, u64), Errno> {
        Ok(self.content(ino)?.seen().extent(offset))
    }

    /// fsync, or fdatasync with `data_only`.
    pub fn sync(&mut self, ino: Ino, data_only: bool) {
        let node = self.node_mut(ino);
        match &mut node.body {
            Body::File(content) => content.sync(),
            Body::Directory(names) => names.sync(),
            Body::Symlink(_) | Body::Special => {}
        }
        if !data_only {
            node.durable = node.seen;
        }
    }

    /// fsync that fails with EIO and leaves the cache believing it is clean.
    pub fn sync_failing(&mut self, ino: Ino, random: &mut Random) {
        match &mut self.node_mut(ino).body {
            Body::File(content) => content.sync_failing(random),
            Body::Directory(names) => names.sync_failing(random),
            Body::Symlink(_) | Body::Special => {}
        }
    }

    fn free_sectors(&self) -> u64 {
        (self.config.capacity_bytes / SECTOR_BYTES).saturating_sub(self.used)
    }

    /// Bytes still free; whether mounted read-only.
    pub fn space(&self) -> (u64, bool) {
        (self.free_sectors() * SECTOR_BYTES, self.config.read_only)
    }

    /// Openings that were not released.
    pub fn opens(&self) -> u64 {
        self.nodes.values().map(|node| u64::from(node.opens)).sum()
    }
}
