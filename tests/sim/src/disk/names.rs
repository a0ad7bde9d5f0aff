//! Directories: names as seen, names that would survive, and the changes in between, in order.

use super::{Body, Ino, SimDisk};
use crate::random::Random;
use base::entry::Kind;
use base::io::{Errno, RenameHow};
use std::collections::BTreeMap;

/// Most hard links of a file (ext4).
const LINK_MAX: u32 = 65_000;

/// One name of a listing and its kind; `None` for a special file.
pub type Listed = (Option<Kind>, Vec<u8>);

/// What happens to some names of one directory together.
type Change = Vec<(Vec<u8>, Option<Ino>)>;

/// The names of one directory.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) seen: BTreeMap<Vec<u8>, Ino>,
    pub(super) durable: BTreeMap<Vec<u8>, Ino>,
    pending: Vec<Change>,
    pub(super) parent: Ino,
}

fn apply(map: &mut BTreeMap<Vec<u8>, Ino>, change: &Change) {
    for (name, target) in change {
        match target {
            Some(ino) => map.insert(name.clone(), *ino),
            None => map.remove(name),
        };
    }
}

impl Names {
    pub(super) fn new(parent: Ino) -> Self {
        Self { seen: BTreeMap::new(), durable: BTreeMap::new(), pending: Vec::new(), parent }
    }

    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.seen, &change);
        self.pending.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, &change);
        }
    }

    /// A failed fsync of a directory: a prefix is written, the rest waits for another fsync.
    pub(super) fn sync_failing(&mut self, random: &mut Random) {
        let kept = random.below(self.pending.len() as u64 + 1) as usize;
        for change in self.pending.drain(..kept) {
            apply(&mut self.durable, &change);
        }
    }

    pub(super) fn lose_power(&mut self, random: &mut Random) {
        self.sync_failing(random);
        self.pending.clear();
        self.seen = self.durable.clone();
    }
}

impl SimDisk {
    fn names(&self, dir: Ino) -> Result<&Names, Errno> {
        match &self.node(dir).body {
            Body::Directory(names) => Ok(names),
            _ => Err(Errno::NOTDIR),
        }
    }

    fn names_mut(&mut self, dir: Ino) -> &mut Names {
        match &mut self.node_mut(dir).body {
            Body::Directory(names) => names,
            _ => unreachable!("only directories are changed"),
        }
    }

    /// One name of a directory.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR, EACCES.
    pub fn lookup(&self, dir: Ino, name: &[u8]) -> Result<Ino, Errno> {
        let names = self.names(dir)?;
        self.may(dir, 1)?;
        if name.len() > base::name::NAME_BYTES_MAX {
            return Err(Errno::NAMETOOLONG);
        }
        names.seen.get(name).copied().ok_or(Errno::NOENT)
    }

    /// The directory at `path` beneath `dir`.
    ///
    /// # Errors
    /// ELOOP for a symlink, ENOTDIR, ENOENT.
    pub fn walk(&self, dir: Ino, path: &[u8]) -> Result<Ino, Errno> {
        let mut at = dir;
        for name in path.split(|&b| b == b'/').filter(|name| !name.is_empty()) {
            at = self.lookup(at, name)?;
            if self.node(at).kind() == Some(Kind::Symlink) {
                return Err(Errno::LOOP);
            }
        }
        match self.names(at) {
            Ok(_) => Ok(at),
            Err(errno) => Err(errno),
        }
    }

    /// Names may be added to or taken from the directory.
    fn changeable(&self, dir: Ino) -> Result<(), Errno> {
        self.names(dir)?;
        self.writable()?;
        self.may(dir, 3)
    }

    fn vacant(&self, dir: Ino, name: &[u8]) -> Result<(), Errno> {
        match self.lookup(dir, name) {
            Ok(_) => return Err(Errno::EXIST),
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
        self.changeable(dir)?;
        if self.node(dir).links == 0 { Err(Errno::NOENT) } else { Ok(()) }
    }

    fn rename_within(&mut self, dir: Ino, change: Change) {
        self.names_mut(dir).change(change);
        self.touch(dir, true);
    }

    pub(super) fn create(&mut self, dir: Ino, name: &[u8], body: Body, mode: u32) -> Result<Ino, Errno> {
        self.vacant(dir, name)?;
        if self.free_sectors() == 0 {
            return Err(Errno::NOSPC);
        }
        let ino = self.add(body, mode & 0o7777);
        self.node_mut(ino).links = 1;
        self.rename_within(dir, vec![(name.to_vec(), Some(ino))]);
        Ok(ino)
    }

    /// mkdirat.
    ///
    /// # Errors
    /// As the system call.
    pub fn make_dir(&mut self, dir: Ino, name: &[u8], mode: u32) -> Result<Ino, Errno> {
        let ino = self.create(dir, name, Body::Directory(Names::new(dir)), mode)?;
        self.node_mut(dir).links += 1;
        Ok(ino)
    }

    /// symlinkat.
    ///
    /// # Errors
    /// As the system call.
    pub fn symlink(&mut self, dir: Ino, name: &[u8], target: &[u8]) -> Result<Ino, Errno> {
        match target.len() {
            0 => Err(Errno::NOENT),
            1..4096 => self.create(dir, name, Body::Symlink(target.to_vec()), 0o777),
            _ => Err(Errno::NAMETOOLONG),
        }
    }

    /// mknodat: something that is neither file, directory nor symlink.
    ///
    /// # Errors
    /// As the system call.
    pub fn make_special(&mut self, dir: Ino, name: &[u8]) -> Result<Ino, Errno> {
        self.create(dir, name, Body::Special, 0o600)
    }

    /// readlinkat.
    ///
    /// # Errors
    /// EINVAL when it is no symlink.
    pub fn read_link(&self, dir: Ino, name: &[u8]) -> Result<&[u8], Errno> {
        match &self.node(self.lookup(dir, name)?).body {
            Body::Symlink(target) => Ok(target),
            _ => Err(Errno::INVAL),
        }
    }

    /// Every name of a directory with its kind, in no particular order.
    ///
    /// # Errors
    /// ENOTDIR.
    pub fn list(&self, dir: Ino, random: &mut Random) -> Result<Vec<Listed>, Errno> {
        let names = self.names(dir)?.seen.iter();
        let mut out: Vec<_> = names.map(|(name, &ino)| (self.node(ino).kind(), name.clone())).collect();
        random.shuffle(&mut out);
        Ok(out)
    }

    /// linkat, of the name itself.
    ///
    /// # Errors
    /// As the system call.
    pub fn link(&mut self, from_dir: Ino, from: &[u8], to_dir: Ino, to: &[u8]) -> Result<(), Errno> {
        let ino = self.lookup(from_dir, from)?;
        self.vacant(to_dir, to)?;
        let node = self.node_mut(ino);
        if node.kind() == Some(Kind::Directory) {
            return Err(Errno::PERM);
        }
        if node.links >= LINK_MAX {
            return Err(Errno::MLINK);
        }
        node.links += 1;
        self.touch(ino, false);
        self.rename_within(to_dir, vec![(to.to_vec(), Some(ino))]);
        Ok(())
    }

    /// unlinkat.
    ///
    /// # Errors
    /// As the system call.
    pub fn remove(&mut self, dir: Ino, name: &[u8], directory: bool) -> Result<(), Errno> {
        let ino = self.lookup(dir, name)?;
        self.changeable(dir)?;
        match (&self.node(ino).body, directory) {
            (Body::Directory(names), true) if names.len() > 0 => return Err(Errno::NOTEMPTY),
            (Body::Directory(_), false) => return Err(Errno::ISDIR),
            (Body::Directory(_), true) => self.node_mut(dir).links -= 1,
            (_, true) => return Err(Errno::NOTDIR),
            (_, false) => {}
        }
        self.rename_within(dir, vec![(name.to_vec(), None)]);
        self.drop_link(ino);
        Ok(())
    }

    fn drop_link(&mut self, ino: Ino) {
        self.change(ino, |node| {
            let is_dir = node.kind() == Some(Kind::Directory);
            node.links = if is_dir { 0 } else { node.links - 1 };
        });
        self.touch(ino, false);
    }

    fn is_within(&self, dir: Ino, ancestor: Ino) -> bool {
        let mut at = dir;
        loop {
            if at == ancestor {
                return true;
            }
            match self.names(at) {
                Ok(names) if at != Self::ROOT => at = names.parent,
                _ => return false,
            }
        }
    }

    /// renameat2.
    ///
    /// # Errors
    /// As the system call.
    pub fn rename(&mut self, from: (Ino, &[u8]), to: (Ino, &[u8]), how: RenameHow) -> Result<(), Errno> {
        let ino = self.lookup(from.0, from.1)?;
        let target = match (self.lookup(to.0, to.1), how) {
            (Ok(_), RenameHow::NoReplace) => return Err(Errno::EXIST),
            (Ok(other), _) => Some(other),
            (Err(Errno::NOENT), RenameHow::Replace | RenameHow::NoReplace) => None,
            (Err(errno), _) => return Err(errno),
        };
        self.changeable(from.0)?;
        self.changeable(to.0)?;
        if self.is_within(to.0, ino) {
            return Err(Errno::INVAL);
        }
        let exchange = how == RenameHow::Exchange;
        if let Some(other) = target {
            if exchange && self.is_within(from.0, other) {
                return Err(Errno::INVAL);
            }
            if other == ino {
                return Ok(());
            }
            if !exchange {
                self.replaceable(ino, other)?;
            }
        }
        if self.node(to.0).links == 0 {
            return Err(Errno::NOENT);
        }
        self.rename_checked(ino, from, to, target, exchange);
        Ok(())
    }

    fn replaceable(&self, ino: Ino, other: Ino) -> Result<(), Errno> {
        let moves_dir = self.node(ino).kind() == Some(Kind::Directory);
        match (&self.node(other).body, moves_dir) {
            (Body::Directory(_), false) => Err(Errno::ISDIR),
            (Body::Directory(names), true) if names.len() > 0 => Err(Errno::NOTEMPTY),
            (Body::Directory(_), true) | (_, false) => Ok(()),
            (_, true) => Err(Errno::NOTDIR),
        }
    }

    fn rename_checked(
        &mut self,
        ino: Ino,
        from: (Ino, &[u8]),
        to: (Ino, &[u8]),
        target: Option<Ino>,
        exchange: bool,
    ) {
        let left_behind = target.filter(|_| exchange);
        let (out, into) = ((from.1.to_vec(), left_behind), (to.1.to_vec(), Some(ino)));
        if from.0 == to.0 {
            self.rename_within(from.0, vec![out, into]);
        } else {
            self.rename_within(to.0, vec![into]);
            self.rename_within(from.0, vec![out]);
        }
        for (moved, old, new) in [(Some(ino), from.0, to.0), (left_behind, to.0, from.0)] {
            let Some(moved) = moved else { continue };
            self.touch(moved, false);
            if let Body::Directory(names) = &mut self.node_mut(moved).body {
                names.parent = new;
                self.node_mut(old).links -= 1;
                self.node_mut(new).links += 1;
            }
        }
        if let Some(gone) = target.filter(|_| !exchange) {
            if self.node(gone).kind() == Some(Kind::Directory) {
                self.node_mut(to.0).links -= 1;
            }
            self.drop_link(gone);
        }
    }
}
